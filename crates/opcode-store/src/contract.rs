//! What every store promises, whatever it stands on: two narrow traits over one transaction.
//!
//! Keeps: a commit is all or nothing per run; a refused run never takes its batch with it; effects leave only as `Committed`.
//! Not here: rows, SQL, any rule about workflows.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use opcode_model::commit::{CatalogKind, CatalogWrite, Commit, InboxId, Position, RunRow};
use opcode_model::event::{DecisionRequest, Resolution};
use opcode_model::{Effect, Event, Message, RunId, RunStatus, Seq, StepRef, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A word of ours.
pub type Word = &'static str;

/// The words that stand for themselves.
const WORDS: [&str; 5] = ["pending", "resolved", "cancelled", "memory", "sqlite"];

/// One of our own words, read back.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    let word = String::deserialize(from)?;
    let found = WORDS.into_iter().find(|known| *known == word);
    found.ok_or_else(|| D::Error::custom(format!("`{word}` is no word of ours")))
}

/// An answer that will come; bound to no runtime.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What survives what, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Durability {
    /// Nothing survives the process.
    Memory,
    /// Survives `kill -9` of the process, not loss of power.
    Process,
    /// Survives loss of power: synced before it is acknowledged.
    Disk,
}

impl Durability {
    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Process => "process",
            Self::Disk => "disk",
        }
    }
}

/// Effects whose events are in the store. Only the store makes one.
#[derive(Debug)]
#[must_use = "effects that are never performed are lost until recovery"]
pub struct Committed {
    /// Where the log ends now.
    pub position: Position,
    effects: Vec<Effect>,
}

impl Committed {
    pub(crate) fn new(position: Position, effects: Vec<Effect>) -> Self {
        Self { position, effects }
    }

    /// The effects, free to be performed.
    pub fn release(self) -> Vec<Effect> {
        self.effects
    }
}

/// Why one run's commit was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CommitError {
    /// Somebody else wrote; the writer must load again.
    #[error("the log of {run} ends at {}, not at {}", actual.0, expected.0)]
    Stale {
        /// Which run.
        run: RunId,
        /// Where the writer believed the log to end.
        expected: Seq,
        /// Where it ends.
        actual: Seq,
    },
    /// Not now: the disk is full or read-only. Nothing of it was written; try again later.
    #[error("could not write: {0}")]
    Unavailable(Fault),
    /// Whether it is written is not known (a sync failed). The process must end and start again.
    #[error("could not make sure that the last write is on disk: {0}")]
    Lost(Fault),
}

/// The world's fault: what we were doing, and what it said.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("{doing}: {cause}")]
pub struct Fault {
    /// What we were doing, as in `could not …`.
    pub doing: String,
    /// What the world said.
    pub cause: String,
    /// Whether space or permission is what is missing.
    pub storage_full: bool,
}

impl Fault {
    /// A fault of something we were doing.
    pub fn new(doing: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        Self { doing: doing.into(), cause: cause.to_string(), storage_full: false }
    }
}

/// A run as it comes out of the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// Its row; [`blank_row`](crate::blank_row) while only messages wait for it.
    pub row: RunRow,
    /// Where its log ends.
    pub position: Position,
    /// A folded state and the sequence it stands at, if one is kept and whole.
    pub snapshot: Option<(Seq, Arc<str>)>,
    /// Events after the snapshot, or all of them.
    pub events: Vec<Event>,
    /// Messages not yet applied, in order.
    pub deliveries: Vec<Delivery>,
}

/// A message waiting in a run's inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its place, by which a commit consumes it.
    pub id: InboxId,
    /// What it says.
    pub message: Message,
}

/// A run that is not finished, as recovery sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenRun {
    /// Which run.
    pub run: RunId,
    /// Where it is.
    pub status: RunStatus,
    /// When its next timer is due.
    pub due_at: Option<Timestamp>,
    /// Whether it must be loaded at once: something was in flight, or a message waits.
    pub urgent: bool,
}

/// Which runs to list; newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunFilter {
    /// Only this status.
    pub status: Option<RunStatus>,
    /// Only this agent's.
    pub agent_id: Option<Arc<str>>,
    /// Only of this template.
    pub template_name: Option<Arc<str>>,
    /// Only children of this run.
    pub parent: Option<RunId>,
    /// Only created at or after.
    pub since: Option<Timestamp>,
    /// At most so many; 0 means 50.
    pub limit: usize,
    /// After so many.
    pub offset: usize,
}

/// A run's row with its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Which run.
    pub run: RunId,
    /// Its row.
    pub row: RunRow,
}

/// Which events to list; in order for one run, newest first across runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EventFilter {
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only of this step, by full path.
    pub step_id: Option<Arc<str>>,
    /// Only of this name.
    pub event_type: Option<Arc<str>>,
    /// Only at or after.
    pub since: Option<Timestamp>,
    /// Only after this sequence.
    pub after: Seq,
    /// At most so many; 0 means 100.
    pub limit: usize,
}

/// One event with its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Which run.
    pub run: RunId,
    /// Its place in the run.
    pub seq: Seq,
    /// The event.
    pub event: Event,
}

/// Which decisions to list; oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DecisionFilter {
    /// Only of this run.
    pub run: Option<RunId>,
    /// Answered and withdrawn ones too.
    pub closed: bool,
    /// At most so many; 0 means 100.
    pub limit: usize,
}

/// A question and, if it is closed, how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRow {
    /// Which run.
    pub run: RunId,
    /// Which step asks.
    pub step: StepRef,
    /// The question.
    pub request: Arc<DecisionRequest>,
    /// `pending`, `resolved` or `cancelled`.
    #[serde(deserialize_with = "known")]
    pub status: Word,
    /// The answer.
    pub resolution: Option<Arc<Resolution>>,
    /// When it was put.
    pub created_at: Timestamp,
    /// When it was closed.
    pub resolved_at: Option<Timestamp>,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Runs looked at.
    pub runs: u64,
    /// Events looked at.
    pub events: u64,
    /// Entries of the audit log looked at.
    pub audits: u64,
    /// What is damaged.
    pub damage: Vec<Damage>,
}

/// One damaged place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Damage {
    /// Which run, if that can still be told.
    pub run: Option<RunId>,
    /// From which event on, if that can still be told.
    pub seq: Option<Seq>,
    /// What is wrong.
    pub what: String,
}

/// Which finished runs shall go. A run goes with all below it, and only when all of them are over; never before the run
/// it belongs to.
#[derive(Clone, Debug, Default)]
pub struct Pruning {
    /// Completed and cancelled ones that were over before this; none without it.
    pub over_before: Option<Timestamp>,
    /// Failed ones that were over before this; none without it.
    pub failed_before: Option<Timestamp>,
    /// Only of these templates; of any, if none is named.
    pub templates: Vec<Arc<str>>,
    /// None of these templates.
    pub but: Vec<Arc<str>>,
    /// At most so many, those below them not counted.
    pub limit: usize,
}

/// What one step of pruning did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pruned {
    /// Runs that went, those below others among them.
    pub runs: u64,
    /// Whether another step would do more.
    pub more: bool,
    /// Bytes the store has on disk once all of this has reached it.
    pub bytes: u64,
}

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// `memory` or `sqlite`.
    #[serde(deserialize_with = "known")]
    pub backend: Word,
    /// Version of what it stands on.
    pub version: String,
    /// The level in force.
    pub durability: Durability,
    /// Where it keeps things.
    pub location: String,
    /// Version of its schema.
    pub schema: u32,
    /// Commits to the disk since it was opened; a group counts once.
    pub commits: u64,
    /// How long these took in all, the sync of each among it.
    pub commit_time: Duration,
}

/// The log and what is folded from it.
pub trait Runs: Send + Sync + 'static {
    /// Appends each commit of the batch, or refuses it; answers in the same order.
    /// All that is taken is as durable as `about` says before the answer comes.
    fn append(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Position, CommitError>>>;

    /// Appends all of the batch, or nothing of it.
    fn append_whole(&self, batch: Arc<Vec<Commit>>) -> Pending<Result<(), CommitError>>;

    /// Appends, and sets free the effects of what was taken. The one place a `Committed` comes from a write.
    /// The batch is shared, so that a caller can hand in the same one again after `Unavailable`.
    fn commit(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Committed, CommitError>>> {
        let answers = self.append(batch.clone());
        Box::pin(async move {
            let free = |(answer, commit): (Result<Position, _>, &Commit)| {
                answer.map(|position| Committed { position, effects: commit.effects.clone() })
            };
            answers.await.into_iter().zip(batch.iter()).map(free).collect()
        })
    }

    /// One run: row, snapshot, events, inbox. `None` if there is no such run and nothing waits for it.
    fn load(&self, run: RunId) -> Pending<Result<Option<Loaded>, Fault>>;

    /// Messages waiting for runs; for one run, or for all.
    fn inbox(&self, run: Option<RunId>) -> Pending<Result<Vec<Delivery>, Fault>>;

    /// Every run that is not finished, the urgent ones first, then by `due_at`. Also those of which nothing is known
    /// but a message that waits for them.
    fn open(&self) -> Pending<Result<Vec<OpenRun>, Fault>>;

    /// Runs by filter, newest first.
    fn workflows(&self, filter: RunFilter) -> Pending<Result<Vec<RunSummary>, Fault>>;

    /// Events by filter.
    fn events(&self, filter: EventFilter) -> Pending<Result<Vec<EventRecord>, Fault>>;

    /// Decisions by filter.
    fn decisions(&self, filter: DecisionFilter) -> Pending<Result<Vec<DecisionRow>, Fault>>;

    /// Bytes of the logs of each agent's runs, as they are kept; those of no agent under the empty name.
    fn stored(&self) -> Pending<Result<BTreeMap<Arc<str>, u64>, Fault>>;

    /// Checks chains, gaps, rows and payloads; names what is damaged.
    fn verify(&self) -> Pending<Result<Report, Fault>>;

    /// One step of making room: takes finished runs away with all that is theirs alone, and gives free space back to
    /// the disk; definitions that no run has, once nothing else may go. The audit log stays.
    fn prune(&self, which: Pruning) -> Pending<Result<Pruned, Fault>>;

    /// Writes a verified copy of all there is at this moment into a file that is not there yet.
    fn copy(&self, _to: PathBuf) -> Pending<Result<Report, Fault>> {
        let fault = Fault::new("copy the store", "it is in no file that could be copied");
        Box::pin(std::future::ready(Err(fault)))
    }

    /// What this store is.
    fn about(&self) -> About;

    /// Finishes what is queued and lets go of the place.
    fn close(&self) -> Pending<Result<(), Fault>>;
}

/// Things by kind and key; their writes may also ride in a commit. There, a write that may not replace leaves what is
/// there as it is and refuses nothing.
pub trait Catalog: Send + Sync + 'static {
    /// One thing's JSON text.
    fn find(&self, kind: CatalogKind, key: Arc<str>) -> Pending<Result<Option<Arc<str>>, Fault>>;

    /// Writes all or nothing. A write that may not replace fails on a key that is there, unless the body is the same.
    fn put(&self, writes: Vec<CatalogWrite>) -> Pending<Result<(), CatalogError>>;

    /// Keys and things whose key begins with `prefix`, in key order.
    fn list(
        &self,
        kind: CatalogKind,
        prefix: Arc<str>,
    ) -> Pending<Result<Vec<CatalogEntry>, Fault>>;

    /// Things of a kind, those written last first, at most so many.
    fn newest(&self, kind: CatalogKind, limit: usize) -> Pending<Result<Vec<CatalogEntry>, Fault>>;

    /// How many entries the audit log has, and what is wrong with its chain, if something is.
    fn audited(&self) -> Pending<Result<(u64, Option<String>), Fault>>;
}

/// A thing of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// Its key.
    pub key: Arc<str>,
    /// The thing, as JSON text.
    pub body: Arc<str>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// Why a catalog write was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CatalogError {
    /// Another thing has this key.
    #[error("`{0}` is there already")]
    Taken(Arc<str>),
    /// Not now, or never.
    #[error(transparent)]
    Fault(#[from] Fault),
}
