//! Rows of the database as the words of the house.
//!
//! Keeps: whatever the bytes say, the answer is a word or an error, never a panic.
//! Not here: which rows (`load.rs`, `lists.rs`).

use std::sync::Arc;

use opcode_model::commit::{Position, RunRow};
use opcode_model::{DefinitionHash, Event, RunId, RunStatus, Seq, Timestamp};
use opcode_store::blank_row;
use opcode_store::codec::{self, CodecError, Link};
use opcode_store::row::PackedRow;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::fault::ReadError;

/// The columns that [`run_row`] reads, in its order.
pub(crate) const RUN_COLUMNS: &str = "uuid, status, due_at, open_decisions, in_flight, definition,
    created_at, completed_at, updated_at, name, template_name, template_version, agent_id, parent,
    parent_step, payloads, error, inputs, output";

/// A run and its row.
pub(crate) fn run_row(
    connection: &Connection,
    row: &Row<'_>,
) -> Result<(RunId, RunRow), ReadError> {
    let run = run_id(&row.get::<_, String>(0)?)?;
    let moment = |at: usize| row.get::<_, Option<i64>>(at).map(|ms| ms.map(Timestamp));
    let word = |at: usize| row.get::<_, Option<Arc<str>>>(at);
    let hash: String = row.get(5)?;
    let mut answer = RunRow {
        status: status(&row.get::<_, String>(1)?)?,
        due_at: moment(2)?,
        open_decisions: row.get(3)?,
        in_flight: row.get(4)?,
        definition: DefinitionHash::parse(&hash)
            .ok_or(CodecError::Word(hash, "definition hash"))?,
        created_at: Timestamp(row.get(6)?),
        completed_at: moment(7)?,
        updated_at: Timestamp(row.get(8)?),
        name: word(9)?,
        template_name: word(10)?,
        template_version: word(11)?,
        agent_id: word(12)?,
        ..blank_row()
    };
    let packed = PackedRow {
        parent: row.get(13)?,
        parent_step: row.get(14)?,
        payloads: row.get(15)?,
        error: row.get(16)?,
        inputs: row.get(17)?,
        output: row.get(18)?,
        apart: Vec::new(),
    };
    packed.unpack(&mut answer, |hash| fetch(connection, hash))?;
    Ok((run, answer))
}

pub(crate) fn run_id(text: &str) -> Result<RunId, CodecError> {
    RunId::parse(text).ok_or_else(|| CodecError::Word(text.to_owned(), "run id"))
}

pub(crate) fn status(text: &str) -> Result<RunStatus, CodecError> {
    RunStatus::parse(text).ok_or_else(|| CodecError::Word(text.to_owned(), "status"))
}

/// The columns that [`read_commit`] reads, in its order; the table is `c`.
pub(crate) const COMMIT_COLUMNS: &str = "c.first, c.last, c.hash, c.payloads, c.body";

/// A row of the log, still as bytes.
pub(crate) struct CommitRow<'a> {
    pub(crate) first: Seq,
    pub(crate) last: Seq,
    pub(crate) hash: [u8; 32],
    pub(crate) payloads: Option<&'a [u8]>,
    pub(crate) body: &'a [u8],
}

pub(crate) fn read_commit<'a>(row: &'a Row<'_>) -> Result<CommitRow<'a>, ReadError> {
    let bytes = |at: usize| match row.get_ref(at)? {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(Some(bytes)),
        ValueRef::Integer(_) | ValueRef::Real(_) => Err(ReadError::damaged("a number is not text")),
    };
    Ok(CommitRow {
        first: Seq(row.get::<_, i64>(0)?.cast_unsigned()),
        last: Seq(row.get::<_, i64>(1)?.cast_unsigned()),
        hash: row.get(2)?,
        payloads: bytes(3)?,
        body: bytes(4)?.unwrap_or_default(),
    })
}

impl CommitRow<'_> {
    /// The events of this row, if it is whole and follows `end`; moves `end` past it.
    pub(crate) fn follow(
        &self,
        connection: &Connection,
        run: RunId,
        end: &mut Position,
    ) -> Result<Vec<Event>, ReadError> {
        let expected = end.seq.0 + 1;
        if self.first.0 != expected {
            let what = format!("event {expected} is missing; the log goes on at {}", self.first.0);
            return Err(ReadError::damaged(what));
        }
        let (first, last) = (self.first, self.last);
        let link = Link { run, first, last, body: self.body, payloads: self.payloads };
        if codec::chain(&end.head, link) != self.hash {
            let what = format!("events {expected} to {} do not match their hash", self.last.0);
            return Err(ReadError::damaged(what));
        }
        let events = codec::unpack(self.body, self.payloads, |hash| fetch(connection, hash))?;
        if events.len() as u64 != (self.last.0 + 1).saturating_sub(self.first.0) {
            return Err(ReadError::damaged(format!(
                "events {expected} ff. are not as many as said"
            )));
        }
        *end = Position { seq: self.last, head: self.hash };
        Ok(events)
    }
}

/// A payload that stands apart.
pub(crate) fn fetch(connection: &Connection, hash: &str) -> Result<String, CodecError> {
    let found = connection
        .prepare_cached("SELECT body FROM payloads WHERE hash = ?1")
        .and_then(|mut select| select.query_row([hash], |row| row.get::<_, Vec<u8>>(0)).optional());
    match found {
        Ok(Some(body)) => codec::expand(hash, &body),
        Ok(None) | Err(_) => Err(CodecError::Missing(hash.to_owned())),
    }
}
