//! What one commit, and one catalog write, says to the database.
//!
//! Keeps: a stale commit is found out before anything of it is written; statements are few and cached.
//! Not here: transactions and groups (`writer.rs`), packing (`pack.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opcode_model::commit::{
    CatalogKind, CatalogWrite, Commit, DecisionChange, InboxId, Position, RunRow,
};
use opcode_model::{RunId, Seq};
use opcode_store::codec::Apart;
use opcode_store::row::PackedRow;
use opcode_store::{CatalogError, CommitError, blank_row};
use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::audits;
use crate::pack::{PackedCommit, PackedDecision};
use crate::tails::{Tail, Tails};

/// What the writer knows by heart.
pub(crate) struct Books {
    /// Where logs end.
    pub(crate) tails: Tails,
    /// The last surrogate id given to a run.
    runs: i64,
    /// The last id given to a message.
    messages: i64,
    /// Definitions that are there, as far as is remembered. Pruning alone takes any away, and has all forgotten.
    definitions: BTreeSet<Arc<str>>,
}

/// Definitions remembered.
const DEFINITIONS_MAX: usize = 1_024;

impl Books {
    pub(crate) fn open(connection: &Connection) -> Result<Self> {
        let last = |sql| connection.query_row(sql, [], |row| row.get(0));
        Ok(Self {
            tails: Tails::default(),
            runs: last("SELECT coalesce(max(id), 0) FROM runs")?,
            messages: last("SELECT coalesce(max(id), 0) FROM inbox")?,
            definitions: BTreeSet::new(),
        })
    }

    /// Nothing is known by heart any more.
    pub(crate) fn forget(&mut self) {
        self.tails.clear();
        self.definitions.clear();
    }

    /// Whether a definition that comes with a commit is there already.
    fn has(&mut self, write: &CatalogWrite) -> bool {
        if write.kind != CatalogKind::Definition || write.replace || write.body.is_none() {
            return false;
        }
        if self.definitions.len() >= DEFINITIONS_MAX {
            self.definitions.clear();
        }
        !self.definitions.insert(write.key.clone())
    }
}

/// Writes one commit, or refuses it.
pub(crate) fn write_commit(
    connection: &Connection,
    books: &mut Books,
    commit: &Commit,
    packed: &PackedCommit,
) -> Result<std::result::Result<Position, CommitError>> {
    let (tail, new) = match books.tails.find(commit.run) {
        Some(tail) => (Some(tail), false),
        None => find_or_begin(connection, books, commit, packed)?,
    };
    let end = tail.map_or_else(Position::default, |tail| tail.end);
    if end != packed.before {
        let (run, expected, actual) = (commit.run, packed.before.seq, end.seq);
        return Ok(Err(CommitError::Stale { run, expected, actual }));
    }
    if let Some(Tail { id, .. }) = tail {
        if !new {
            update_run(connection, id, commit, packed)?;
        }
        append_events(connection, id, packed)?;
        for change in commit.decisions.iter().zip(&packed.decisions) {
            write_decision(connection, id, change)?;
        }
        keep_snapshot(connection, id, commit, packed)?;
        books.tails.keep(commit.run, Tail { id, end: packed.after });
    }
    for (to, body) in &packed.messages {
        books.messages += 1;
        let mut insert =
            connection.prepare_cached("INSERT INTO inbox (id, run, body) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![books.messages, to, body])?;
    }
    for InboxId(id) in &commit.consumed {
        let mut delete =
            connection.prepare_cached("DELETE FROM inbox WHERE id = ?1 AND run = ?2")?;
        delete.execute(params![id, packed.uuid])?;
    }
    for write in &commit.catalog {
        if !books.has(write) {
            write_catalog(connection, write)?;
        }
    }
    Ok(Ok(packed.after))
}

/// Where a run's log ends that the books do not know; says whether the run's row was just made.
/// A first commit makes the row without asking: the unique id tells if there was one.
fn find_or_begin(
    connection: &Connection,
    books: &mut Books,
    commit: &Commit,
    packed: &PackedCommit,
) -> Result<(Option<Tail>, bool)> {
    let touches = commit.row.is_some()
        || commit.snapshot.is_some()
        || !(commit.events.is_empty() && commit.decisions.is_empty());
    if touches && packed.before == Position::default() {
        let id = books.runs + 1;
        if insert_run(connection, id, commit, packed)? {
            books.runs = id;
            return Ok((Some(Tail { id, end: Position::default() }), true));
        }
    }
    Ok((find_tail(connection, commit.run)?, false))
}

fn find_tail(connection: &Connection, run: RunId) -> Result<Option<Tail>> {
    let mut select = connection.prepare_cached(
        "SELECT r.id, c.last, c.hash FROM runs r LEFT JOIN commits c ON c.run = r.id
         WHERE r.uuid = ?1 ORDER BY c.first DESC LIMIT 1",
    )?;
    let tail = |row: &rusqlite::Row<'_>| {
        let seq = Seq(row.get::<_, Option<i64>>(1)?.unwrap_or(0).cast_unsigned());
        let head = row.get::<_, Option<[u8; 32]>>(2)?.unwrap_or_default();
        Ok(Tail { id: row.get(0)?, end: Position { seq, head } })
    };
    select.query_row([run.to_string()], tail).optional()
}

fn insert_run(
    connection: &Connection,
    id: i64,
    commit: &Commit,
    packed: &PackedCommit,
) -> Result<bool> {
    let insert =
        "INSERT INTO runs (id, uuid, status, due_at, open_decisions, in_flight, definition,
           created_at, completed_at, updated_at, last_seq, head, name, template_name,
           template_version, agent_id, parent, parent_step, payloads, error, inputs, output)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
           ?19, ?20, ?21, ?22)
         ON CONFLICT (uuid) DO NOTHING";
    let blank;
    let (row, columns) = match (&commit.row, &packed.row) {
        (Some(row), Some(columns)) => (row.as_ref(), columns),
        (_, _) => {
            blank = (blank_row(), PackedRow::default());
            (&blank.0, &blank.1)
        }
    };
    let made = bind_run(connection, insert, id, &Columns { row, columns, packed })?;
    if made {
        keep_apart(connection, &columns.apart)?;
    }
    Ok(made)
}

fn update_run(
    connection: &Connection,
    id: i64,
    commit: &Commit,
    packed: &PackedCommit,
) -> Result<()> {
    let (Some(row), Some(columns)) = (&commit.row, &packed.row) else { return Ok(()) };
    // `?2`, the run's own id, stays out: it never changes, and its index need not be touched.
    let update = "UPDATE runs SET status = ?3, due_at = ?4, open_decisions = ?5, in_flight = ?6,
           definition = ?7, created_at = ?8, completed_at = ?9, updated_at = ?10, last_seq = ?11,
           head = ?12, name = ?13, template_name = ?14, template_version = ?15, agent_id = ?16,
           parent = ?17, parent_step = ?18, payloads = ?19, error = ?20, inputs = ?21, output = ?22
         WHERE id = ?1";
    bind_run(connection, update, id, &Columns { row, columns, packed })?;
    keep_apart(connection, &columns.apart)
}

/// A run's row in its three parts.
struct Columns<'a> {
    row: &'a RunRow,
    columns: &'a PackedRow,
    packed: &'a PackedCommit,
}

fn bind_run(connection: &Connection, sql: &str, id: i64, run: &Columns<'_>) -> Result<bool> {
    let Columns { row, columns, packed } = run;
    let changed = connection.prepare_cached(sql)?.execute(params![
        id,
        packed.uuid,
        row.status.text(),
        row.due_at.map(|at| at.0),
        row.open_decisions,
        row.in_flight,
        row.definition.to_string(),
        row.created_at.0,
        row.completed_at.map(|at| at.0),
        row.updated_at.0,
        packed.after.seq.0.cast_signed(),
        &packed.after.head[..],
        row.name.as_deref(),
        row.template_name.as_deref(),
        row.template_version.as_deref(),
        row.agent_id.as_deref(),
        columns.parent,
        columns.parent_step,
        columns.payloads,
        columns.error,
        columns.inputs,
        columns.output,
    ])?;
    Ok(changed == 1)
}

fn append_events(connection: &Connection, id: i64, packed: &PackedCommit) -> Result<()> {
    let Some(events) = &packed.events else { return Ok(()) };
    let mut insert = connection.prepare_cached(
        "INSERT INTO commits (run, first, last, hash, payloads, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute(params![
        id,
        packed.before.seq.0.cast_signed() + 1,
        packed.after.seq.0.cast_signed(),
        &packed.after.head[..],
        events.payloads,
        events.body,
    ])?;
    let mut end = connection.prepare_cached(
        "INSERT INTO ends (run, last, hash) VALUES (?1, ?2, ?3)
         ON CONFLICT (run) DO UPDATE SET last = excluded.last, hash = excluded.hash",
    )?;
    end.execute(params![id, packed.after.seq.0.cast_signed(), &packed.after.head[..]])?;
    keep_apart(connection, &events.apart)
}

fn keep_apart(connection: &Connection, payloads: &[Apart]) -> Result<()> {
    for payload in payloads {
        let mut insert = connection.prepare_cached(
            "INSERT INTO payloads (hash, size, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        insert.execute(params![payload.hash, payload.size as i64, payload.body])?;
    }
    Ok(())
}

fn keep_snapshot(
    connection: &Connection,
    id: i64,
    commit: &Commit,
    packed: &PackedCommit,
) -> Result<()> {
    let (Some(text), Some(seal)) = (&commit.snapshot, &packed.seal) else { return Ok(()) };
    let mut upsert = connection.prepare_cached(
        "INSERT INTO snapshots (run, seq, head, hash, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (run) DO UPDATE SET seq = excluded.seq, head = excluded.head,
           hash = excluded.hash, body = excluded.body",
    )?;
    let Position { seq, head } = packed.after;
    upsert.execute(params![id, seq.0.cast_signed(), &head[..], &seal[..], &**text])?;
    Ok(())
}

fn write_decision(
    connection: &Connection,
    run: i64,
    change: (&DecisionChange, &PackedDecision),
) -> Result<()> {
    match change {
        (DecisionChange::Opened { request, at, .. }, PackedDecision::Opened(step, body)) => {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO decisions (run, decision, status, created_at, step, request)
                 VALUES (?1, ?2, 'pending', ?3, ?4, ?5)
                 ON CONFLICT (run, decision) DO UPDATE SET status = 'pending',
                   created_at = excluded.created_at, resolved_at = NULL, step = excluded.step,
                   request = excluded.request, resolution = NULL",
            )?;
            upsert.execute(params![run, &*request.id, at.0, step, body])?;
        }
        (DecisionChange::Closed { id, at, .. }, PackedDecision::Closed(resolution)) => {
            let mut update = connection.prepare_cached(
                "UPDATE decisions SET status = ?3, resolved_at = ?4, resolution = ?5
                 WHERE run = ?1 AND decision = ?2",
            )?;
            let status = if resolution.is_some() { "resolved" } else { "cancelled" };
            update.execute(params![run, &**id, status, at.0, resolution])?;
        }
        // Packed from this very change, so the two always agree.
        (DecisionChange::Opened { .. }, PackedDecision::Closed(_))
        | (DecisionChange::Closed { .. }, PackedDecision::Opened(..)) => {}
    }
    Ok(())
}

/// Writes all of a catalog call, or refuses all of it.
pub(crate) fn write_all(
    connection: &Connection,
    writes: &[CatalogWrite],
) -> Result<std::result::Result<(), CatalogError>> {
    // What the writes of this call say of a key, so far: they see each other.
    let mut so_far: BTreeMap<(CatalogKind, &str), Option<Arc<str>>> = BTreeMap::new();
    for write in writes {
        let place = (write.kind, &*write.key);
        if let Some(body) = write.body.as_ref().filter(|_| !write.replace) {
            let there = match so_far.get(&place) {
                Some(there) => there.clone(),
                None => find_thing(connection, write.kind, &write.key)?,
            };
            if there.is_some_and(|there| there != *body) {
                return Ok(Err(CatalogError::Taken(write.key.clone())));
            }
        }
        so_far.insert(place, write.body.clone());
    }
    writes.iter().try_for_each(|write| write_catalog(connection, write))?;
    Ok(Ok(()))
}

/// One thing's body.
pub(crate) fn find_thing(
    connection: &Connection,
    kind: CatalogKind,
    key: &str,
) -> Result<Option<Arc<str>>> {
    let mut select =
        connection.prepare_cached("SELECT body FROM catalog WHERE kind = ?1 AND key = ?2")?;
    select.query_row(params![kind_text(kind), key], |row| row.get(0)).optional()
}

fn write_catalog(connection: &Connection, write: &CatalogWrite) -> Result<()> {
    if write.kind == CatalogKind::Audit {
        return audits::add(connection, write);
    }
    let kind = kind_text(write.kind);
    let sql = match &write.body {
        None => "DELETE FROM catalog WHERE kind = ?1 AND key = ?2",
        Some(_) if write.replace => {
            "INSERT INTO catalog (kind, key, created_at, updated_at, body)
             VALUES (?1, ?2, ?3, ?3, ?4)
             ON CONFLICT (kind, key) DO UPDATE SET updated_at = excluded.updated_at,
               body = excluded.body"
        }
        Some(_) => {
            "INSERT INTO catalog (kind, key, created_at, updated_at, body)
             VALUES (?1, ?2, ?3, ?3, ?4) ON CONFLICT (kind, key) DO NOTHING"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    match &write.body {
        None => statement.execute(params![kind, &*write.key])?,
        Some(body) => statement.execute(params![kind, &*write.key, write.at.0, &**body])?,
    };
    Ok(())
}

/// The word for a kind in the `catalog` table.
pub(crate) fn kind_text(kind: CatalogKind) -> &'static str {
    match kind {
        CatalogKind::Definition => "definition",
        CatalogKind::Template => "template",
        CatalogKind::Agent => "agent",
        CatalogKind::Secret => "secret",
        CatalogKind::Token => "token",
        CatalogKind::Schedule => "schedule",
        CatalogKind::Plugin => "plugin",
        CatalogKind::Quota => "quota",
        CatalogKind::Key => "key",
        CatalogKind::Audit => "audit",
    }
}
