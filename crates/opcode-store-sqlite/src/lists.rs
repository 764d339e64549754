//! Lists for people and for recovery: open runs, workflows, events, decisions, things of the catalog.
//!
//! Keeps: bounded; what cannot be read is named in the log and left out, so that one damaged run hides no other.
//! Not here: one run whole (`load.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::commit::CatalogKind;
use opcode_model::{Seq, Timestamp};
use opcode_store::{
    CatalogEntry, DecisionFilter, DecisionRow, EventFilter, EventRecord, OpenRun, RunFilter,
    RunSummary,
};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::audits;
use crate::fault::ReadError;
use crate::rows::{COMMIT_COLUMNS, RUN_COLUMNS, read_commit, run_id, run_row, status};
use crate::write::kind_text;

/// Runs that are not finished; written as the partial index has it, so that it is used.
const IS_OPEN: &str = "status IN ('pending', 'active', 'suspended')";

/// Every run that is not finished, and those that only a message waits for.
pub(crate) fn open_runs(connection: &Connection) -> Result<Vec<OpenRun>, ReadError> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT uuid, status, due_at, in_flight OR EXISTS (SELECT 1 FROM inbox i WHERE i.run = uuid),
           id AS place, 0 AS blank
         FROM runs WHERE {IS_OPEN}
         UNION ALL
         SELECT run, 'pending', NULL, 1, min(id), 1 FROM inbox
         WHERE run NOT IN (SELECT uuid FROM runs) GROUP BY run
         ORDER BY 4 DESC, due_at NULLS LAST, blank, place"
    ))?;
    let mut rows = select.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let read = |row: &Row<'_>| -> Result<_, ReadError> {
            let due_at = row.get::<_, Option<i64>>(2)?.map(Timestamp);
            let run = run_id(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
            let status = status(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
            Ok(OpenRun { run, status, due_at, urgent: row.get(3)? })
        };
        runs.extend(readable("an open run", read(row)));
    }
    Ok(runs)
}

/// Bytes of the logs of each agent's runs. Sizes stand before contents, so that none of these is read.
pub(crate) fn stored(connection: &Connection) -> Result<BTreeMap<Arc<str>, u64>, ReadError> {
    let mut select = connection.prepare_cached(
        "SELECT coalesce(r.agent_id, ''), sum(octet_length(c.body) + coalesce(
           (SELECT sum(octet_length(p.body)) FROM json_each(c.payloads) e
            JOIN payloads p ON p.hash = e.value), 0))
         FROM commits c JOIN runs r ON r.id = c.run GROUP BY 1",
    )?;
    let sum = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()));
    Ok(select.query_map([], sum)?.collect::<rusqlite::Result<_>>()?)
}

fn readable<T>(what: &str, read: Result<T, ReadError>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, "{what} cannot be read; `verify` says more"))
        .ok()
}

/// A query put together from the conditions that are there.
struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    fn new(sql: String) -> Self {
        Self { sql: sql + " WHERE 1", values: Vec::new() }
    }

    fn and(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.values.push(value.into());
            self.sql += &format!(" AND {condition} ?{}", self.values.len());
        }
    }
}

fn text(word: &Option<Arc<str>>) -> Option<String> {
    word.as_deref().map(str::to_owned)
}

/// Runs by filter, newest first.
pub(crate) fn workflows(
    connection: &Connection,
    filter: &RunFilter,
) -> Result<Vec<RunSummary>, ReadError> {
    let mut query = Query::new(format!("SELECT {RUN_COLUMNS} FROM runs"));
    query.and("status =", filter.status.map(|status| status.text().to_owned()));
    if filter.status.is_some_and(|status| !status.is_terminal()) {
        // Few runs are open among many that ended: their ids first, and no row read that is not shown.
        query.sql +=
            &format!(" AND id IN (SELECT id FROM runs INDEXED BY runs_open WHERE {IS_OPEN})");
    }
    query.and("agent_id =", text(&filter.agent_id));
    query.and("template_name =", text(&filter.template_name));
    query.and("parent =", filter.parent.map(|run| run.to_string()));
    query.and("created_at >=", filter.since.map(|at| at.0));
    query.sql += &format!(" ORDER BY id DESC LIMIT {} OFFSET {}", filter.limit(), filter.offset);
    let mut select = connection.prepare_cached(&query.sql)?;
    let mut rows = select.query(params_from_iter(query.values))?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        let summary = run_row(connection, row).map(|(run, row)| RunSummary { run, row });
        runs.extend(readable("a run", summary));
    }
    Ok(runs)
}

/// Events by filter: of one run in order, across runs the newest first.
pub(crate) fn events(
    connection: &Connection,
    filter: &EventFilter,
) -> Result<Vec<EventRecord>, ReadError> {
    let mut query = Query::new(format!(
        "SELECT {COMMIT_COLUMNS}, r.uuid FROM commits c JOIN runs r ON r.id = c.run"
    ));
    query.and("r.uuid =", filter.run.map(|run| run.to_string()));
    query.and("c.last >", Some(filter.after.0.cast_signed()));
    // A row that does not even have the words need not be unpacked.
    let quoted = |word: &str| serde_json::to_string(word);
    let words = [&filter.event_type, &filter.step_id];
    for word in words.into_iter().flatten() {
        query.and("0 < instr(c.body,", Some(quoted(word)?));
        query.sql += ")";
    }
    query.sql += if filter.run.is_some() { " ORDER BY c.first" } else { " ORDER BY c.id DESC" };
    let mut select = connection.prepare_cached(&query.sql)?;
    let mut rows = select.query(params_from_iter(query.values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let records = match (unpack(connection, row, filter), filter.run) {
            (Ok(records), _) => records,
            (Err(error), Some(_)) => return Err(error),
            (Err(error), None) => readable("a commit", Err(error)).unwrap_or_default(),
        };
        found.extend(records.into_iter().take(filter.limit() - found.len()));
        if found.len() == filter.limit() {
            break;
        }
    }
    Ok(found)
}

/// The wanted events of one row, in the order of the list.
fn unpack(
    connection: &Connection,
    row: &Row<'_>,
    filter: &EventFilter,
) -> Result<Vec<EventRecord>, ReadError> {
    let run = run_id(&row.get::<_, String>(5)?)?;
    let commit = read_commit(row)?;
    let events = opcode_store::codec::unpack(commit.body, commit.payloads, |hash| {
        crate::rows::fetch(connection, hash)
    })?;
    let place = |(at, event)| EventRecord { run, seq: Seq(commit.first.0 + at as u64), event };
    let mut records: Vec<_> = events.into_iter().enumerate().map(place).collect();
    records.retain(|record| filter.admits(run, record.seq, &record.event));
    if filter.run.is_none() {
        records.reverse();
    }
    Ok(records)
}

/// Decisions by filter, oldest first.
pub(crate) fn decisions(
    connection: &Connection,
    filter: &DecisionFilter,
) -> Result<Vec<DecisionRow>, ReadError> {
    let mut query = Query::new(
        "SELECT r.uuid, d.step, d.request, d.status, d.resolution, d.created_at, d.resolved_at
         FROM decisions d JOIN runs r ON r.id = d.run"
            .to_owned(),
    );
    query.and("r.uuid =", filter.run.map(|run| run.to_string()));
    if !filter.closed {
        query.sql += " AND d.status = 'pending'";
    }
    query.sql += &format!(" ORDER BY d.created_at, d.id LIMIT {}", filter.limit());
    let mut select = connection.prepare_cached(&query.sql)?;
    let mut rows = select.query(params_from_iter(query.values))?;
    let mut decisions = Vec::new();
    while let Some(row) = rows.next()? {
        decisions.extend(readable("a decision", decision(row)));
    }
    Ok(decisions)
}

fn decision(row: &Row<'_>) -> Result<DecisionRow, ReadError> {
    let word: String = row.get(3)?;
    let known = ["pending", "resolved", "cancelled"].into_iter().find(|known| *known == word);
    let resolution = row.get::<_, Option<String>>(4)?;
    Ok(DecisionRow {
        run: run_id(&row.get::<_, String>(0)?)?,
        step: serde_json::from_str(&row.get::<_, String>(1)?)?,
        request: serde_json::from_str(&row.get::<_, String>(2)?)?,
        status: known.ok_or_else(|| ReadError::damaged(format!("{word} is not a status")))?,
        resolution: resolution.map(|text| serde_json::from_str(&text)).transpose()?,
        created_at: Timestamp(row.get(5)?),
        resolved_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}

/// Things of a kind, those written last first.
pub(crate) fn newest(
    connection: &Connection,
    kind: CatalogKind,
    limit: usize,
) -> Result<Vec<CatalogEntry>, ReadError> {
    if kind == CatalogKind::Audit {
        return audits::newest(connection, limit);
    }
    let mut all = things(connection, kind, "")?;
    all.sort_by_key(|thing| std::cmp::Reverse(thing.updated_at));
    all.truncate(limit);
    Ok(all)
}

/// Things whose key begins with `prefix`, in key order.
pub(crate) fn things(
    connection: &Connection,
    kind: CatalogKind,
    prefix: &str,
) -> Result<Vec<CatalogEntry>, ReadError> {
    let mut select = connection.prepare_cached(
        "SELECT key, body, created_at, updated_at FROM catalog WHERE kind = ?1 AND key >= ?2
         ORDER BY key",
    )?;
    let mut rows = select.query((kind_text(kind), prefix))?;
    let mut things = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Arc<str> = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        let (created_at, updated_at) = (Timestamp(row.get(2)?), Timestamp(row.get(3)?));
        things.push(CatalogEntry { key, body: row.get(1)?, created_at, updated_at });
    }
    Ok(things)
}
