//! A step of a run, and the states it can be in.
//!
//! Keeps: a state carries what is true only there.
//! Not here: transitions (`apply`).

use std::sync::Arc;

use opcode_model::event::{DecisionRequest, SkipReason};
use opcode_model::{Failure, RunId, SecretSlot, StepIx, StepStatus, Timestamp, Value};
use serde::{Deserialize, Serialize};

use super::flow::{Flow, FrameIx};

/// A step of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Its place.
    pub ix: StepIx,
    /// The body instance it stands in.
    pub frame: FrameIx,
    /// Full path.
    pub path: Arc<str>,
    /// Where it is.
    pub state: StepState,
    /// Attempts begun.
    pub attempt: u32,
    /// Retries made under the current generation.
    pub retries: u32,
    /// Which time somebody said, in this run: run it again; 0 if nobody said it of this step.
    pub generation: u32,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The engine's own timer for this attempt.
    pub deadline: Option<Timestamp>,
    /// Something it depends on failed.
    pub poisoned: bool,
    /// A fallback whose time has come.
    pub called: bool,
    /// For a fallback: how many of the steps it could take over for are not settled.
    pub watches: u32,
    /// A fallback takes over for it; whoever waits for it waits for that.
    pub rescued: bool,
    /// A crash cut an attempt short that may have happened, and it is not to be made again unasked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt: bool,
}

/// Where a step is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum StepState {
    /// For so many others.
    Waiting {
        /// How many are not done.
        unmet: u32,
    },
    /// All it waited for is done.
    Ready,
    /// An attempt began; the next event says what it became.
    Begun,
    /// A pure action computes.
    Computing {
        /// Its parameters.
        input: Value,
    },
    /// An outside action runs.
    Performing(Box<Intent>),
    /// An outside action was told to stop; its answer is awaited.
    Stopping {
        /// What it will be skipped for.
        because: SkipReason,
    },
    /// A pause before the next attempt.
    Backoff {
        /// When that is.
        until: Timestamp,
        /// What failed.
        error: Arc<Failure>,
        /// The parameters, if they were worked out.
        intent: Option<Box<Intent>>,
    },
    /// A question is open.
    Asking {
        /// The question.
        request: Arc<DecisionRequest>,
        /// Since when.
        since: Timestamp,
        /// The attempt in doubt, if that is what is asked about.
        intent: Option<Box<Intent>>,
    },
    /// Waits for time.
    Sleeping {
        /// Since when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// Waits for a signal.
    Listening {
        /// Of this name.
        signal: Arc<str>,
    },
    /// Bodies run.
    Flowing(Box<Flow>),
    /// A child runs.
    InChild(Box<Child>),
    /// Done.
    Done {
        /// What came of it.
        output: Value,
    },
    /// Failed for good.
    Failed {
        /// Why.
        error: Arc<Failure>,
    },
    /// Will not run, or not go on.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// In words.
        detail: Option<Arc<str>>,
    },
}

/// What an outside attempt was begun with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Parameters, secrets by name only.
    pub input: Value,
    /// Where secrets go.
    pub secrets: Vec<SecretSlot>,
}

/// A child that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Which.
    pub run: RunId,
    /// Whether it waits for a decision.
    pub suspended: bool,
    /// Whether it was told to stop, and what the step then comes to.
    pub stopping: Option<(SkipReason, Option<Failure>)>,
}

impl Child {
    /// Whether nothing of it moves by itself. One that was told to stop will end soon, whatever it waited for.
    pub fn waits(&self) -> bool {
        self.suspended && self.stopping.is_none()
    }
}

impl Step {
    /// Where it is, as the outside names it.
    pub fn status(&self) -> StepStatus {
        match &self.state {
            StepState::Waiting { .. } => StepStatus::Pending,
            StepState::Ready => StepStatus::Scheduled,
            StepState::Begun
            | StepState::Computing { .. }
            | StepState::Performing(_)
            | StepState::Stopping { .. }
            | StepState::Sleeping { .. }
            | StepState::Listening { .. }
            | StepState::Flowing(_)
            | StepState::InChild(_) => StepStatus::Running,
            StepState::Backoff { .. } => StepStatus::Retrying,
            StepState::Asking { .. } => StepStatus::Suspended,
            StepState::Done { .. } => StepStatus::Completed,
            StepState::Failed { .. } => StepStatus::Failed,
            StepState::Skipped { .. } => StepStatus::Skipped,
        }
    }

    /// Whether nothing can follow.
    pub fn is_settled(&self) -> bool {
        self.status().is_terminal()
    }

    /// Whether it was told to stop and has not yet.
    pub fn is_stopping(&self) -> bool {
        match &self.state {
            StepState::Stopping { .. } => true,
            StepState::Flowing(flow) => flow.stopping.is_some(),
            StepState::InChild(child) => child.stopping.is_some(),
            StepState::Waiting { .. }
            | StepState::Ready
            | StepState::Begun
            | StepState::Computing { .. }
            | StepState::Performing(_)
            | StepState::Backoff { .. }
            | StepState::Asking { .. }
            | StepState::Sleeping { .. }
            | StepState::Listening { .. }
            | StepState::Done { .. }
            | StepState::Failed { .. }
            | StepState::Skipped { .. } => false,
        }
    }

    /// Its output, if it completed.
    pub fn output(&self) -> Option<&Value> {
        if let StepState::Done { output } = &self.state { Some(output) } else { None }
    }

    /// Its failure, if it failed for good.
    pub fn error(&self) -> Option<&Arc<Failure>> {
        if let StepState::Failed { error } = &self.state { Some(error) } else { None }
    }

    /// The bodies it runs, if it runs any.
    pub fn flow(&self) -> Option<&Flow> {
        if let StepState::Flowing(flow) = &self.state { Some(flow) } else { None }
    }

    /// The child it runs, if it runs one.
    pub fn child(&self) -> Option<&Child> {
        if let StepState::InChild(child) = &self.state { Some(child) } else { None }
    }

    /// The name of the signal it listens for, if it does.
    pub fn listens_for(&self) -> Option<&Arc<str>> {
        if let StepState::Listening { signal } = &self.state { Some(signal) } else { None }
    }

    /// The question it asks, if one is open.
    pub fn asks(&self) -> Option<&Arc<DecisionRequest>> {
        if let StepState::Asking { request, .. } = &self.state { Some(request) } else { None }
    }

    /// Whether it counts as moving by itself, and whether as being out in the world.
    pub(crate) fn weight(&self) -> (u32, u32) {
        match &self.state {
            StepState::Computing { .. } | StepState::Performing(_) | StepState::Stopping { .. } => {
                (1, 1)
            }
            StepState::Begun | StepState::Backoff { .. } | StepState::Sleeping { .. } => (1, 0),
            StepState::InChild(child) => (u32::from(!child.waits()), 0),
            StepState::Waiting { .. }
            | StepState::Ready
            | StepState::Asking { .. }
            | StepState::Listening { .. }
            | StepState::Flowing(_)
            | StepState::Done { .. }
            | StepState::Failed { .. }
            | StepState::Skipped { .. } => (0, 0),
        }
    }

    /// When the engine must look at it again by the clock.
    pub(crate) fn alarm(&self) -> Option<Timestamp> {
        match &self.state {
            StepState::Backoff { until, .. } | StepState::Sleeping { until, .. } => {
                Some(self.deadline.map_or(*until, |deadline| deadline.min(*until)))
            }
            StepState::Asking { request, .. } => {
                let both = [self.deadline, request.timeout_at];
                both.into_iter().flatten().min()
            }
            StepState::Listening { .. } => self.deadline,
            StepState::Flowing(flow) => self.deadline.filter(|_| flow.stopping.is_none()),
            StepState::InChild(child) => self.deadline.filter(|_| child.stopping.is_none()),
            StepState::Waiting { .. }
            | StepState::Ready
            | StepState::Begun
            | StepState::Computing { .. }
            | StepState::Performing(_)
            | StepState::Stopping { .. }
            | StepState::Done { .. }
            | StepState::Failed { .. }
            | StepState::Skipped { .. } => None,
        }
    }
}
