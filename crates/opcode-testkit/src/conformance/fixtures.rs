//! Commits, rows and events for store tests, as small as they can be.
//!
//! Keeps: the same arguments give the same thing.
//! Not here: definitions and runs that an engine would accept.

use std::sync::Arc;

use opcode_model::commit::{Commit, Position, RunRow};
use opcode_model::event::{EventKind, Logged, StepCompleted};
use opcode_model::{
    Event, Message, MessageBody, RunId, RunStatus, Seq, StepIx, StepRef, Timestamp, Value,
};
use opcode_store::{CommitError, Loaded, blank_row};

use super::{Store, wait};

/// A run's id.
pub fn run(n: u32) -> RunId {
    RunId::derived(&["conformance", &n.to_string()])
}

/// A step by place and path.
pub fn step(ix: u32, path: &str) -> StepRef {
    StepRef { ix: StepIx(ix), path: path.into() }
}

/// `step_completed` at a moment, with an output.
pub fn completed(at: i64, path: &str, output: impl Into<Value>) -> Event {
    let output = output.into();
    let kind = EventKind::StepCompleted(step(1, path), StepCompleted { output });
    Event { at: Timestamp(at), kind }
}

/// `message_logged` at a moment.
pub fn logged(at: i64, path: &str, message: &str) -> Event {
    let (level, message, data) = ("info".into(), message.into(), Value::Null);
    let logged = Box::new(Logged { level, message, data });
    Event { at: Timestamp(at), kind: EventKind::MessageLogged(step(2, path), logged) }
}

/// A row with a status, made at a moment.
pub fn row(status: RunStatus, created_at: i64) -> RunRow {
    let at = Timestamp(created_at);
    RunRow { status, created_at: at, updated_at: at, ..blank_row() }
}

/// A message from one run to another.
pub fn message(from: RunId, to: RunId) -> Message {
    Message { from, to, step: step(3, "child"), body: MessageBody::Suspended }
}

/// A commit of events and nothing else.
pub fn commit_of(run: RunId, after: Position, events: Vec<Event>) -> Commit {
    Commit {
        run,
        agent_id: None,
        after,
        events: events.into(),
        row: None,
        decisions: Vec::new(),
        messages: Vec::new(),
        consumed: Vec::new(),
        catalog: Vec::new(),
        snapshot: None,
        effects: Vec::new(),
    }
}

/// The first commit of a run: an active row and one event.
pub(super) fn begin(run: RunId) -> Commit {
    let first = commit_of(run, Position::default(), vec![completed(1, "first", 1)]);
    Commit { row: Some(Box::new(row(RunStatus::Active, 1))), ..first }
}

/// The end of a log as one knows it who has appended to it twice in one batch.
pub(super) fn after(seq: u64) -> Position {
    Position { seq: Seq(seq), head: [0; 32] }
}

/// Appends one commit.
pub(super) fn append(store: &dyn Store, commit: Commit) -> Result<Position, CommitError> {
    wait(store.append(Arc::new(vec![commit]))).remove(0)
}

/// Appends one commit that is taken.
pub(super) fn take(store: &dyn Store, commit: Commit) -> Position {
    append(store, commit).unwrap_or_else(|refused| panic!("a good commit is refused: {refused}"))
}

/// Loads a run that is there.
pub(super) fn loaded(store: &dyn Store, run: RunId) -> Loaded {
    wait(store.load(run)).ok().flatten().unwrap_or_else(|| panic!("{run} does not load"))
}
