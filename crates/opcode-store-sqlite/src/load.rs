//! One run out of the database: row, snapshot, events after it, inbox; all of one moment.
//!
//! Keeps: a log that is not whole is a fault that names the run; a snapshot that is not whole is left out.
//! Not here: folding events (the engine).

use std::sync::Arc;

use opcode_model::commit::{InboxId, Position};
use opcode_model::{Event, RunId, Seq};
use opcode_store::codec;
use opcode_store::{Delivery, Loaded, blank_row};
use rusqlite::{Connection, OptionalExtension};

use crate::fault::ReadError;
use crate::rows::{COMMIT_COLUMNS, RUN_COLUMNS, read_commit, run_row};

/// One run, if there is one or a message waits for it.
pub(crate) fn load(connection: &Connection, run: RunId) -> Result<Option<Loaded>, ReadError> {
    // Everything is read in one transaction, or a commit in between would be half seen.
    let moment = connection.unchecked_transaction()?;
    let deliveries = inbox(&moment, Some(run))?;
    let mut select = moment
        .prepare_cached(&format!("SELECT {RUN_COLUMNS}, id, last_seq FROM runs WHERE uuid = ?1"))?;
    let mut rows = select.query([run.to_string()])?;
    let Some(found) = rows.next()? else {
        let (row, position) = (blank_row(), Position::default());
        let blank = Loaded { row, position, snapshot: None, events: Vec::new(), deliveries };
        return Ok((!blank.deliveries.is_empty()).then_some(blank));
    };
    let (_, row) = run_row(&moment, found)?;
    let (id, written) = (found.get(19)?, found.get::<_, i64>(20)?.cast_unsigned());
    let snapshot = snapshot(&moment, run, id)?;
    let mut position = snapshot.as_ref().map_or_else(Position::default, |(at, _)| *at);
    let events = events(&moment, run, id, &mut position)?;
    if position.seq.0 < written {
        let what = format!("the log ends at event {}, its row says {written}", position.seq.0);
        return Err(ReadError::damaged(what));
    }
    if let Some(what) = cut(&moment, id, position)? {
        return Err(ReadError::damaged(what));
    }
    let snapshot = snapshot.map(|(at, text)| (at.seq, text));
    Ok(Some(Loaded { row, position, snapshot, events, deliveries }))
}

/// What is wrong, if the log was written further than it goes now, or otherwise.
pub(crate) fn cut(
    connection: &Connection,
    id: i64,
    end: Position,
) -> Result<Option<String>, ReadError> {
    let mut select = connection.prepare_cached("SELECT last, hash FROM ends WHERE run = ?1")?;
    let position = |row: &rusqlite::Row<'_>| {
        Ok(Position { seq: Seq(row.get::<_, i64>(0)?.cast_unsigned()), head: row.get(1)? })
    };
    let written = select.query_row([id], position).optional()?.unwrap_or_default();
    Ok((written != end).then(|| {
        let (seq, written) = (end.seq.0, written.seq.0);
        format!("the log ends at event {seq}; when it was written last, it ended at {written}")
    }))
}

/// Messages that wait, in order.
pub(crate) fn inbox(
    connection: &Connection,
    run: Option<RunId>,
) -> Result<Vec<Delivery>, ReadError> {
    let condition = if run.is_some() { "WHERE run = ?1" } else { "WHERE ?1 IS NULL" };
    let sql = format!("SELECT id, body FROM inbox {condition} ORDER BY id");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([run.map(|run| run.to_string())])?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, body) = (InboxId(row.get(0)?), row.get::<_, String>(1)?);
        deliveries.push(Delivery { id, message: serde_json::from_str(&body)? });
    }
    Ok(deliveries)
}

/// The events of a run after `end`, which moves to the last of them.
fn events(
    connection: &Connection,
    run: RunId,
    id: i64,
    end: &mut Position,
) -> Result<Vec<Event>, ReadError> {
    let sql = format!(
        "SELECT {COMMIT_COLUMNS} FROM commits c WHERE c.run = ?1 AND c.first > ?2 ORDER BY c.first"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query((id, end.seq.0.cast_signed()))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let more = read_commit(row)?.follow(connection, run, end)?;
        if events.is_empty() { events = more } else { events.extend(more) }
    }
    Ok(events)
}

/// The snapshot, if it is whole and the log really was where it says.
fn snapshot(
    connection: &Connection,
    run: RunId,
    id: i64,
) -> Result<Option<(Position, Arc<str>)>, ReadError> {
    let mut select =
        connection.prepare_cached("SELECT seq, head, hash, body FROM snapshots WHERE run = ?1")?;
    let columns = |row: &rusqlite::Row<'_>| {
        let at = Position { seq: Seq(row.get::<_, i64>(0)?.cast_unsigned()), head: row.get(1)? };
        Ok((at, row.get::<_, [u8; 32]>(2)?, row.get::<_, Arc<str>>(3)?))
    };
    let kept = match select.query_row([id], columns).optional() {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(%run, %error, "a snapshot cannot be read; folding all events");
            return Ok(None);
        }
    };
    let Some((at, hash, text)) = kept else { return Ok(None) };
    if codec::seal(run, at, &text) == hash && was_at(connection, id, at)? {
        return Ok(Some((at, text)));
    }
    tracing::warn!(%run, seq = at.seq.0, "a snapshot does not match its hash; folding all events");
    Ok(None)
}

fn was_at(connection: &Connection, id: i64, at: Position) -> Result<bool, ReadError> {
    let mut select = connection.prepare_cached(
        "SELECT last, hash FROM commits WHERE run = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
    )?;
    let end = |row: &rusqlite::Row<'_>| {
        Ok(Position { seq: Seq(row.get::<_, i64>(0)?.cast_unsigned()), head: row.get(1)? })
    };
    let known = select.query_row((id, at.seq.0.cast_signed()), end).optional()?;
    Ok(known.unwrap_or_default() == at)
}
