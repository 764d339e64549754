//! The second verb: what should happen. It looks, and changes nothing.
//!
//! Keeps: every call is O(1) in the size of the run, plus what it says; the same run and input give the same decision.
//! Not here: what a decision does to the run (`apply`), who carries it out (`opcode-driver`).

mod begin;
mod cancel;
mod child;
mod draft;
mod finished;
mod flow;
mod guard;
mod interrupted;
mod native;
mod outcome;
mod question;
mod signal;
mod start;
mod step_failed;
mod timer;

use opcode_model::event::{EventKind, Nothing, SkipReason, SuspendReason, Suspended};
use opcode_model::limits::RUN_EVENTS_MAX;
use opcode_model::{Decision, ErrorCode, Failure, Input, InputKind, MessageBody, RunStatus};

use crate::plan::Plan;
use crate::run::{Run, Status, Todo};
use draft::Draft;

/// Nobody's fault: this cannot happen now. The run is unchanged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// An answer for an attempt that is no longer awaited.
    #[error("attempt {attempt} of step {step} is no longer awaited")]
    Stale {
        /// Which step.
        step: String,
        /// Which attempt.
        attempt: u32,
    },
    /// A message that was already applied, or is for a step that no longer waits for it.
    #[error("already applied")]
    Applied,
    /// The caller asked for something that cannot be.
    #[error("{0}")]
    Unfit(Failure),
}

impl Refusal {
    fn unfit(code: ErrorCode, message: impl Into<std::sync::Arc<str>>) -> Self {
        Self::Unfit(Failure::new(code, message))
    }

    /// As a failure to show.
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Unfit(failure) => failure.clone(),
            Self::Stale { .. } | Self::Applied => {
                Failure::new(ErrorCode::Conflict, self.to_string())
            }
        }
    }
}

/// Says what should happen.
///
/// # Errors
/// A `Refusal`, if the input does not fit the run's state; nothing changes then.
pub fn decide(plan: &Plan, run: &Run, input: &Input) -> Result<Decision, Refusal> {
    let mut draft = Draft::new(plan, run, input.at);
    match &input.kind {
        InputKind::Start(start) => start::start(&mut draft, start)?,
        InputKind::Proceed => proceed(&mut draft),
        InputKind::Computed { step, attempt, answer } => {
            finished::computed(&mut draft, *step, *attempt, answer)?;
        }
        InputKind::Finished { step, attempt, outcome, breakers } => {
            finished::finished(&mut draft, (*step, *attempt), outcome, breakers)?;
        }
        InputKind::TimerDue => timer::due(&mut draft),
        InputKind::Signal(signal) => signal::signal(&mut draft, signal)?,
        InputKind::Told(message) => child::told(&mut draft, message)?,
        InputKind::Interrupted => interrupted::interrupted(&mut draft),
    }
    Ok(draft.done())
}

/// Goes on with what the last events made ready; one thing at a time.
fn proceed(draft: &mut Draft<'_>) {
    let run = draft.run;
    if run.is_terminal() || run.is_paused() {
        return;
    }
    if run.state.seq.0 > RUN_EVENTS_MAX && run.state.ending.is_none() {
        let failure = Failure::limit("events of a run", RUN_EVENTS_MAX);
        outcome::fail_run(draft, failure, SkipReason::Cancelled);
        return;
    }
    if let Status::Suspended(SuspendReason::Decision) = run.state.status
        && run.status_is_off()
    {
        draft.emit(EventKind::WorkflowResumed(Nothing));
        draft.tell_parent(MessageBody::Resumed);
        return;
    }
    match run.state.agenda.front() {
        Some(Todo::Start(ix)) => begin::ready(draft, *ix),
        Some(Todo::Cancel(frame)) => cancel::broken(draft, *frame),
        Some(Todo::Iteration(frame)) => flow::iteration_over(draft, *frame),
        Some(Todo::Flow(ix)) => flow::look(draft, *ix),
        Some(Todo::Outcome) => outcome::decide_outcome(draft),
        None if run.status_is_off() && run.status() == RunStatus::Active => {
            draft.emit(EventKind::WorkflowSuspended(Suspended { reason: SuspendReason::Decision }));
            draft.tell_parent(MessageBody::Suspended);
        }
        None => {}
    }
}
