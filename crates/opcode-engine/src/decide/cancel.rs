//! Stopping what still goes on: the rest of a broken body, losers of a race, a whole run.
//!
//! Keeps: what waits is skipped at once, what runs is told to stop and awaited.
//! Not here: what happens once all has stopped (`flow.rs`, `outcome.rs`).

use opcode_model::commit::DecisionChange;
use opcode_model::event::{EventKind, SkipReason, Stopping};
use opcode_model::{Effect, Message, MessageBody, StepIx};

use super::begin::skip;
use super::draft::Draft;
use super::{outcome, step_failed};
use crate::run::{FrameIx, StepState};

/// A body broke; what is left in it must stop.
pub(super) fn broken(draft: &mut Draft<'_>, frame: FrameIx) {
    let Some(error) = draft.run.frame(frame).broken.clone() else { return };
    if draft.run.is_root(frame) && draft.run.state.ending.is_none() {
        let error = step_failed::of_the_run(draft, &error);
        return outcome::fail_run(draft, error, SkipReason::SiblingFailed);
    }
    stop_frame(draft, frame, SkipReason::SiblingFailed);
}

pub(super) fn stop_frames(draft: &mut Draft<'_>, frames: &[FrameIx], because: SkipReason) {
    for frame in frames {
        stop_frame(draft, *frame, because);
    }
}

/// Stops every step of a frame that is not over, and everything below it.
pub(super) fn stop_frame(draft: &mut Draft<'_>, frame: FrameIx, because: SkipReason) {
    if draft.run.frame(frame).open == 0 {
        return;
    }
    for ix in draft.run.steps_of(draft.run.frame(frame)) {
        let step = draft.step(ix);
        if !step.is_settled() && !step.is_stopping() {
            stop(draft, ix, because);
        }
    }
}

/// Stops one step.
pub(super) fn stop(draft: &mut Draft<'_>, ix: StepIx, because: SkipReason) {
    let step = draft.step(ix);
    let name = draft.name(ix);
    match &step.state {
        StepState::Performing(_) => {
            told(draft, ix, because);
            draft.effect(Effect::Stop { step: name, attempt: step.attempt });
        }
        StepState::InChild(child) => {
            told(draft, ix, because);
            let body = MessageBody::Cancel { reason: "the parent was stopped".into() };
            let (from, to) = (draft.run.id, child.run);
            draft.message(Message { from, to, step: name, body });
        }
        StepState::Flowing(flow) if flow.open > 0 => {
            told(draft, ix, because);
            stop_frames(draft, &flow.frames, because);
        }
        StepState::Asking { .. } => {
            withdraw(draft, ix, "no longer needed");
            skip(draft, ix, because, None);
        }
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Backoff { .. }
        | StepState::Sleeping { .. }
        | StepState::Listening { .. }
        | StepState::Flowing(_) => skip(draft, ix, because, None),
        StepState::Stopping { .. }
        | StepState::Done { .. }
        | StepState::Failed { .. }
        | StepState::Skipped { .. } => {}
    }
}

fn told(draft: &mut Draft<'_>, ix: StepIx, because: SkipReason) {
    let name = draft.name(ix);
    let stopping = Stopping { because, error: None };
    draft.emit(EventKind::StepStopping(name, Box::new(stopping)));
}

/// Takes a question back.
pub(super) fn withdraw(draft: &mut Draft<'_>, ix: StepIx, why: &str) {
    let StepState::Asking { request, .. } = &draft.step(ix).state else { return };
    let (step, at) = (draft.name(ix), draft.at);
    draft.emit(EventKind::DecisionCancelled(step.clone(), Draft::reason(why)));
    let closed = DecisionChange::Closed { step, id: request.id.clone(), resolution: None, at };
    draft.effect(Effect::Decision(Box::new(closed)));
}
