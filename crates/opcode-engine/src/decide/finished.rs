//! An attempt was answered: by a pure function, or by the world.
//!
//! Keeps: at most one answer counts for each attempt; a stale one is refused.
//! Not here: what a failure means (`step_failed.rs`), what natives want (`native.rs`).

use opcode_model::action::{Answer, Outcome};
use opcode_model::effect::BreakerChange;
use opcode_model::event::{EventKind, StepCompleted};
use opcode_model::limits::{OUTPUT_BYTES_MAX, VALUE_DEPTH_MAX};
use opcode_model::{Failure, StepIx, Value};

use super::Refusal;
use super::begin::skip;
use super::draft::Draft;
use super::native;
use super::step_failed::fail_step;
use crate::run::StepState;

/// A pure function answered.
pub(super) fn computed(
    draft: &mut Draft<'_>,
    ix: StepIx,
    attempt: u32,
    answer: &Result<Answer, Failure>,
) -> Result<(), Refusal> {
    let awaited = draft.run.find(ix).filter(|step| step.attempt == attempt);
    match awaited.map(|step| &step.state) {
        Some(StepState::Computing { .. }) => {}
        _ => return Err(stale(draft, ix, attempt)),
    }
    match answer {
        Ok(Answer::Value(value)) => complete(draft, ix, value.clone()),
        Ok(Answer::Native(call)) => native::grant(draft, ix, call),
        Err(failure) => fail_step(draft, ix, failure.clone()),
    }
    Ok(())
}

/// The world answered.
pub(super) fn finished(
    draft: &mut Draft<'_>,
    (ix, attempt): (StepIx, u32),
    outcome: &Outcome,
    breakers: &[BreakerChange],
) -> Result<(), Refusal> {
    let awaited = draft.run.find(ix).filter(|step| step.attempt == attempt);
    let because = match awaited.map(|step| &step.state) {
        Some(StepState::Performing(_)) => None,
        Some(StepState::Stopping { because }) => Some(*because),
        _ => return Err(stale(draft, ix, attempt)),
    };
    for change in breakers {
        let name = draft.name(ix);
        draft.emit(match change.clone() {
            BreakerChange::Opened(breaker) => {
                EventKind::CircuitBreakerOpen(name, Box::new(breaker))
            }
            BreakerChange::HalfOpened(breaker) => {
                EventKind::CircuitBreakerHalfOpen(name, Box::new(breaker))
            }
            BreakerChange::Closed(breaker) => {
                EventKind::CircuitBreakerClosed(name, Box::new(breaker))
            }
        });
    }
    match (outcome, because) {
        (Ok(value), _) => complete(draft, ix, value.clone()),
        (Err(_), Some(because)) => skip(draft, ix, because, None),
        (Err(failure), None) => fail_step(draft, ix, failure.clone()),
    }
    Ok(())
}

fn stale(draft: &Draft<'_>, ix: StepIx, attempt: u32) -> Refusal {
    let step = draft.run.find(ix).map_or_else(|| format!("#{}", ix.0), |s| s.path.to_string());
    Refusal::Stale { step, attempt }
}

/// The step is done, unless its output is larger than the house allows.
pub(super) fn complete(draft: &mut Draft<'_>, ix: StepIx, output: Value) {
    if output.weight(OUTPUT_BYTES_MAX) > OUTPUT_BYTES_MAX {
        return fail_step(draft, ix, Failure::limit("bytes of a step's output", OUTPUT_BYTES_MAX));
    }
    if output.depth(VALUE_DEPTH_MAX + 1) > VALUE_DEPTH_MAX {
        return fail_step(draft, ix, Failure::limit("nesting of a step's output", VALUE_DEPTH_MAX));
    }
    let name = draft.name(ix);
    draft.emit(EventKind::StepCompleted(name, StepCompleted { output }));
}
