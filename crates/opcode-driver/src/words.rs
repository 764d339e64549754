//! What the shell tells the driver, and what the driver asks of the shell.
//!
//! Keeps: the driver never waits; every command is answered by at most one `Incoming`.
//! Not here: how a command is carried out (the shell, or the simulated world).

use std::sync::Arc;

use opcode_engine::Plan;
use opcode_model::action::Outcome;
use opcode_model::commit::{CatalogWrite, Commit, InboxId, Position, RunRow};
use opcode_model::effect::BreakerChange;
use opcode_model::result::RunResult;
use opcode_model::{Event, Failure, Message, RunId, Seq, Signal, Start, StepIx, Timestamp};

/// A caller who waits for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A batch of commits on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Batch(pub u64);

/// One attempt out in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptKey {
    /// Which run.
    pub run: RunId,
    /// Which step.
    pub step: StepIx,
    /// Which attempt.
    pub attempt: u32,
}

/// What the shell tells.
#[derive(Debug)]
pub enum Incoming {
    /// Somebody wants a run.
    Start(Box<StartRun>),
    /// Somebody says something to a run.
    Signal {
        /// Who waits for the reply.
        ticket: Ticket,
        /// To which run.
        run: RunId,
        /// What.
        signal: Box<Signal>,
        /// What is written of it, if it changes something.
        record: Option<Box<CatalogWrite>>,
    },
    /// Somebody waits until a run is over or suspended.
    Watch {
        /// Who.
        ticket: Ticket,
        /// For which run.
        run: RunId,
    },
    /// Somebody no longer waits.
    Unwatch {
        /// Who.
        ticket: Ticket,
        /// For which run.
        run: RunId,
    },
    /// Answers `Command::Load`.
    Loaded {
        /// Which run.
        run: RunId,
        /// What the store has of it.
        loaded: Result<LoadedRun, Failure>,
    },
    /// Answers `Command::Resolve`.
    Resolved {
        /// The child that waits to begin.
        run: RunId,
        /// What it is to run.
        resolved: Result<Resolved, Failure>,
    },
    /// Answers `Command::Deliver`.
    Delivered {
        /// Which run.
        run: RunId,
        /// Its inbox, in order.
        deliveries: Result<Vec<(InboxId, Message)>, Failure>,
    },
    /// Answers `Command::Commit`, commit by commit.
    Committed {
        /// Which batch.
        batch: Batch,
        /// One answer for each commit.
        answers: Vec<Result<Position, CommitRefused>>,
    },
    /// Answers `Command::Perform` and `Command::Stop`.
    Finished {
        /// Which attempt.
        key: AttemptKey,
        /// What the world said.
        outcome: Outcome,
        /// Breakers that changed on the way.
        breakers: Vec<BreakerChange>,
    },
    /// An attempt is bounded by who provides its action: it takes no place among the others.
    Aside(AttemptKey),
    /// A run's inbox has something for it.
    Poke(RunId),
    /// Runs that are not over, found at start.
    Recovered(Vec<OpenRun>),
    /// The process is about to end: start nothing new.
    Drain,
}

/// A wish for a run.
#[derive(Debug)]
pub struct StartRun {
    /// Who waits for the reply.
    pub ticket: Ticket,
    /// The run's id, minted by the shell or derived from an idempotency key.
    pub run: RunId,
    /// Whether the id was minted just now, so that no such run can exist.
    pub fresh: bool,
    /// What to run.
    pub plan: Arc<Plan>,
    /// With what.
    pub start: Start,
    /// What must be in the catalog with it.
    pub catalog: Vec<CatalogWrite>,
    /// Reply when the run is over or suspended, not already when it is begun.
    pub watch: bool,
}

/// A run as the store has it; empty if the store has none.
#[derive(Debug, Default)]
pub struct LoadedRun {
    /// Plan and row, if there is such a run.
    pub found: Option<(Arc<Plan>, Box<RunRow>)>,
    /// Where its log ends.
    pub position: Position,
    /// A kept state and where it stands.
    pub snapshot: Option<(Seq, Arc<str>)>,
    /// Events after it.
    pub events: Vec<Event>,
    /// Its inbox, in order.
    pub deliveries: Vec<(InboxId, Message)>,
}

/// What a child is to run.
#[derive(Debug)]
pub struct Resolved {
    /// The plan of the pinned version.
    pub plan: Arc<Plan>,
    /// That version.
    pub version: Arc<str>,
    /// What must be in the catalog with it.
    pub catalog: Vec<CatalogWrite>,
}

/// Why a commit was not taken.
#[derive(Clone, Debug, PartialEq)]
pub enum CommitRefused {
    /// Somebody else wrote; load again.
    Stale,
    /// Not now; nothing of it was written.
    Unavailable(Failure),
    /// Not known whether it was written; the process must end.
    Lost(Failure),
}

/// A run that is not over.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRun {
    /// Which.
    pub run: RunId,
    /// When its next timer is due.
    pub due_at: Option<Timestamp>,
    /// Whether it must be loaded at once.
    pub urgent: bool,
}

/// What the driver asks.
#[derive(Debug)]
pub enum Command {
    /// Load a run and its inbox.
    Load(RunId),
    /// Load a run and its inbox without its snapshot, which this program cannot read; answered by `Loaded`.
    LoadWhole(RunId),
    /// Read a run's inbox.
    Deliver(RunId),
    /// Find the template a child is to run.
    Resolve {
        /// The child.
        run: RunId,
        /// Which template.
        template: Arc<str>,
        /// Which version; the latest if absent.
        version: Option<Arc<str>>,
    },
    /// Write these; each is taken or refused by itself.
    Commit {
        /// Named in the answer.
        batch: Batch,
        /// What to write. The same batch may come again after `Unavailable`.
        commits: Arc<Vec<Commit>>,
    },
    /// Perform an attempt whose intent is committed.
    Perform(AttemptKey),
    /// End an attempt and everything it started; it may not have been performed yet. Answered by `Finished`.
    Stop(AttemptKey),
    /// Answer a caller.
    Reply {
        /// Who waits.
        ticket: Ticket,
        /// What.
        reply: Reply,
    },
    /// End the process: what is on disk is no longer known.
    Halt(Failure),
}

/// An answer for a caller.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The run has begun; or it had, under the same key.
    Started {
        /// Which run.
        run: RunId,
    },
    /// The signal is taken and on disk.
    Taken,
    /// The run is over or suspended.
    Result(Arc<RunResult>),
    /// No.
    Failed(Failure),
}

/// What a driver keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Outside effects at once.
    pub slots: usize,
    /// Idle runs kept in memory.
    pub idle_max: usize,
    /// Events between snapshots, at least; of a long log they are rarer.
    pub snapshot_every: u64,
    /// Milliseconds before a refused write is tried again.
    pub retry_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { slots: 20, idle_max: 256, snapshot_every: 5_000, retry_ms: 1_000 }
    }
}
