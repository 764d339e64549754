//! What the mind wants of the world: the conversation between `decide` and the shell.
//!
//! Keeps: an input says when; an effect is only a wish until its events are committed.
//! Not here: performing anything.

use std::sync::Arc;
use std::time::Duration;

use crate::action::{Answer, Outcome};
use crate::commit::DecisionChange;
use crate::error::Failure;
use crate::event::{Breaker, Event};
use crate::ids::{RunId, StepIx, StepRef};
use crate::sandbox::Wishes;
use crate::secret::SecretSlot;
use crate::signal::{Message, Signal};
use crate::time::Timestamp;
use crate::value::Value;

/// What reaches a run.
#[derive(Clone, Debug)]
pub struct Input {
    /// When; the only clock the mind has.
    pub at: Timestamp,
    /// What.
    pub kind: InputKind,
}

/// What reaches a run.
#[derive(Clone, Debug)]
pub enum InputKind {
    /// Begin.
    Start(Box<Start>),
    /// Go on with what the last events made ready.
    Proceed,
    /// A pure action answered.
    Computed {
        /// Which step.
        step: StepIx,
        /// Which attempt.
        attempt: u32,
        /// What it said.
        answer: Result<Answer, Failure>,
    },
    /// The outside answered an attempt; also one that was told to stop.
    Finished {
        /// Which step.
        step: StepIx,
        /// Which attempt.
        attempt: u32,
        /// What it said.
        outcome: Outcome,
        /// Breakers that changed on the way.
        breakers: Vec<BreakerChange>,
    },
    /// Time passed; some timer may be due.
    TimerDue,
    /// Somebody said something.
    Signal(Box<Signal>),
    /// Another run said something.
    Told(Box<Message>),
    /// The process that performed this run's effects is gone.
    Interrupted,
}

/// What a run begins with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Title.
    pub name: Option<Arc<str>>,
    /// Template it comes from.
    pub template_name: Option<Arc<str>>,
    /// That template's version.
    pub template_version: Option<Arc<str>>,
    /// Whose run it is.
    pub agent_id: Option<Arc<str>>,
    /// Inputs as given.
    pub params: Value,
    /// Who started it, if another run did.
    pub parent: Option<crate::event::Parent>,
    /// How many workflows it stands inside of.
    pub depth: u32,
    /// Fingerprint of the request, when an idempotency key chose the run's id.
    pub request: Option<Arc<str>>,
    /// The trace of somebody else's that it belongs to, as `traceparent` has it.
    pub trace: Option<Arc<str>>,
}

/// A breaker opened, half-opened or closed.
#[derive(Clone, Debug, PartialEq)]
pub enum BreakerChange {
    /// No more calls for a while.
    Opened(Breaker),
    /// One call may try.
    HalfOpened(Breaker),
    /// Calls go through again.
    Closed(Breaker),
}

/// What should happen. Deciding changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What to record.
    pub events: Vec<Event>,
    /// Pure work, to be answered at once.
    pub compute: Vec<Compute>,
    /// Outside work, only after the commit.
    pub effects: Vec<Effect>,
    /// For other runs' inboxes, in the same commit.
    pub messages: Vec<Message>,
    /// Steps of evaluation it took: what a shell shares its time by.
    pub work: u64,
}

/// Pure work: run the action's function and hand back its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Compute {
    /// Which step.
    pub step: StepRef,
    /// Which attempt.
    pub attempt: u32,
    /// Which action.
    pub action: Arc<str>,
    /// Its parameters.
    pub params: Value,
}

/// Outside work.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Run an attempt.
    Perform(Box<Perform>),
    /// End an attempt and everything it started; answered by `Finished`.
    Stop {
        /// Which step.
        step: StepRef,
        /// Which attempt.
        attempt: u32,
    },
    /// Put a question, or take it back.
    Decision(Box<DecisionChange>),
}

/// One attempt of an outside action.
#[derive(Clone, Debug, PartialEq)]
pub struct Perform {
    /// Which run.
    pub run: RunId,
    /// Which step.
    pub step: StepRef,
    /// 1 for the first.
    pub attempt: u32,
    /// Which action.
    pub action: Arc<str>,
    /// Whose run it is.
    pub agent_id: Option<Arc<str>>,
    /// Which template it comes from, if it does.
    pub template: Option<Arc<str>>,
    /// Parameters, secrets not yet in place.
    pub params: Value,
    /// Where secrets go.
    pub secrets: Vec<SecretSlot>,
    /// The same for every attempt of this step and generation.
    pub key: Arc<str>,
    /// This attempt's own limit, kept by the shell.
    pub timeout: Option<Duration>,
    /// The run's trace, if somebody gave it one.
    pub trace: Option<Arc<str>>,
    /// How far what it runs is locked in, if the definition says.
    pub wishes: Option<Arc<Wishes>>,
}
