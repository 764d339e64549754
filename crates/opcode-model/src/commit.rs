//! What one commit carries: one run's events and everything that must be true with them.
//!
//! Keeps: one transaction, one truth; the expected position travels with the write.
//! Not here: rows and SQL (`opcode-store*`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::effect::Effect;
use crate::error::Failure;
use crate::event::{DecisionRequest, Event, Parent, Resolution};
use crate::ids::{DefinitionHash, RunId, Seq, StepRef};
use crate::signal::Message;
use crate::status::RunStatus;
use crate::time::Timestamp;
use crate::value::Value;

/// How far a run's log goes, and the hash its chain has there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Last event.
    pub seq: Seq,
    /// Chain hash up to it; zeros before the first and in the memory store.
    pub head: [u8; 32],
}

/// One run's next events, and what goes with them.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Which run.
    pub run: RunId,
    /// Whose run it is, for logs; not written.
    pub agent_id: Option<Arc<str>>,
    /// Where the writer believes the log ends. Anything else is refused.
    pub after: Position,
    /// What happened, in order.
    pub events: Arc<Vec<Event>>,
    /// The run's row, when a column of it changed.
    pub row: Option<Box<RunRow>>,
    /// Questions put, answered and withdrawn.
    pub decisions: Vec<DecisionChange>,
    /// For other runs' inboxes.
    pub messages: Vec<Message>,
    /// Inbox rows these events answer; gone with the commit.
    pub consumed: Vec<InboxId>,
    /// Definitions, templates, agents that must be there with it.
    pub catalog: Vec<CatalogWrite>,
    /// The run's state at its new position, so that loading need not start at the first event.
    pub snapshot: Option<Arc<str>>,
    /// What may be performed once this is on disk. The store hands it back as `Committed`.
    pub effects: Vec<Effect>,
}

impl Commit {
    /// The position of the last event of this commit, without its hash.
    pub fn last(&self) -> Seq {
        Seq(self.after.seq.0 + self.events.len() as u64)
    }
}

/// The `workflows` row: what lists and recovery need without reading a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// Where it is.
    pub status: RunStatus,
    /// When its next timer is due; `None` while it waits for no time.
    pub due_at: Option<Timestamp>,
    /// How many of its own decisions are open.
    pub open_decisions: u32,
    /// Whether an effect, compute or unread step is outstanding, so that recovery must load it at once.
    pub in_flight: bool,
    /// Title.
    pub name: Option<Arc<str>>,
    /// Template.
    pub template_name: Option<Arc<str>>,
    /// Its version.
    pub template_version: Option<Arc<str>>,
    /// Definition, by hash.
    pub definition: DefinitionHash,
    /// Whose run.
    pub agent_id: Option<Arc<str>>,
    /// The run and step that started it.
    pub parent: Option<Parent>,
    /// Inputs in force.
    pub inputs: Value,
    /// Output, once completed.
    pub output: Value,
    /// Failure, once failed.
    pub error: Option<Failure>,
    /// When it was known.
    pub created_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// When this row was written.
    pub updated_at: Timestamp,
}

impl RunRow {
    /// The columns whose change makes it worth writing again.
    pub fn key(&self) -> RowKey {
        RowKey {
            status: self.status,
            due_at: self.due_at,
            open_decisions: self.open_decisions,
            in_flight: self.in_flight,
        }
    }
}

/// The columns of a [`RunRow`] whose change makes it worth writing again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowKey {
    /// Where the run is.
    pub status: RunStatus,
    /// When its next timer is due.
    pub due_at: Option<Timestamp>,
    /// How many of its own decisions are open.
    pub open_decisions: u32,
    /// Whether something is outstanding.
    pub in_flight: bool,
}

/// A question put, or no longer open.
#[derive(Clone, Debug, PartialEq)]
pub enum DecisionChange {
    /// Put.
    Opened {
        /// Which step asks.
        step: StepRef,
        /// The question.
        request: Arc<DecisionRequest>,
        /// When.
        at: Timestamp,
    },
    /// Answered, or withdrawn without an answer.
    Closed {
        /// Which step asked.
        step: StepRef,
        /// The question's id.
        id: Arc<str>,
        /// The answer, if there is one.
        resolution: Option<Arc<Resolution>>,
        /// When.
        at: Timestamp,
    },
}

/// A message's place in the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InboxId(pub i64);

/// What the catalog keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogKind {
    /// Definitions by hash.
    Definition,
    /// Templates by `name@version`.
    Template,
    /// Agents by id.
    Agent,
    /// Sealed secrets by name.
    Secret,
    /// Access tokens by id.
    Token,
    /// Schedules by id.
    Schedule,
    /// Plugins by id.
    Plugin,
    /// Quotas by key.
    Quota,
    /// Keys this store signs with, by use.
    Key,
    /// What was done and what was refused, by a key that grows with time; only ever added to.
    Audit,
}

/// One thing to write to the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogWrite {
    /// What kind of thing.
    pub kind: CatalogKind,
    /// Its key.
    pub key: Arc<str>,
    /// The thing, as JSON text; `None` deletes.
    pub body: Option<Arc<str>>,
    /// When.
    pub at: Timestamp,
    /// Whether a thing already there is replaced. Definitions are not: their key is their content.
    pub replace: bool,
}
