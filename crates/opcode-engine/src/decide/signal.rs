//! Signals: each kind does what it says in every state where that makes sense, and says what would be accepted in every other.
//!
//! Keeps: taking the same signal twice changes nothing the second time.
//! Not here: messages between runs (`child.rs`).

use std::sync::Arc;

use opcode_model::event::{DecisionKind, EventKind, Nothing, SkipReason};
use opcode_model::limits::{INPUT_BYTES_MAX, MAILBOX_SIGNALS_MAX, VALUE_DEPTH_MAX};
use opcode_model::{ErrorCode, Failure, MessageBody, RunStatus, Signal, SignalKind, StepIx};

use super::Refusal;
use super::begin::{begin, heard, skip};
use super::cancel::withdraw;
use super::draft::Draft;
use super::outcome::cancel_run;
use super::question::{read_answer, reset, resolve};
use crate::plan::{WaitPlan, WorkPlan};
use crate::run::{Step, StepState};

pub(super) fn signal(draft: &mut Draft<'_>, signal: &Signal) -> Result<(), Refusal> {
    if signal.id.as_ref().is_some_and(|id| draft.run.state.seen.contains(id)) {
        return Ok(());
    }
    if draft.run.is_terminal() {
        return too_late(draft, signal);
    }
    if signal.payload.weight(INPUT_BYTES_MAX) > INPUT_BYTES_MAX {
        return Err(Refusal::Unfit(Failure::limit("bytes of a signal", INPUT_BYTES_MAX)));
    }
    if signal.payload.depth(VALUE_DEPTH_MAX + 1) > VALUE_DEPTH_MAX {
        return Err(Refusal::Unfit(Failure::limit("nesting of a signal", VALUE_DEPTH_MAX)));
    }
    match signal.kind {
        SignalKind::Decision => decision(draft, signal),
        SignalKind::Data => data(draft, signal),
        SignalKind::Cancel => cancel(draft, signal),
        SignalKind::Retry => retry(draft, signal),
        SignalKind::Skip => skip_step(draft, signal),
    }
}

fn received(draft: &mut Draft<'_>, signal: &Signal) {
    draft.emit(EventKind::SignalReceived(Box::new(signal.clone())));
}

fn conflict(message: impl Into<Arc<str>>) -> Result<(), Refusal> {
    Err(Refusal::unfit(ErrorCode::Conflict, message))
}

/// On a run that is over: what has been done already is fine, anything else is not.
fn too_late(draft: &Draft<'_>, signal: &Signal) -> Result<(), Refusal> {
    let status = draft.run.status();
    if signal.kind == SignalKind::Cancel && status == RunStatus::Cancelled {
        return Ok(());
    }
    if signal.kind == SignalKind::Decision
        && let Ok(step) = target(draft, signal)
        && is_same_answer(step, signal)
    {
        return Ok(());
    }
    let message = if signal.kind == SignalKind::Retry {
        format!("this workflow is {status}; rerun it instead")
    } else {
        format!("this workflow is {status} and takes no signals")
    };
    conflict(message)
}

/// The step a signal names.
fn target<'a>(draft: &Draft<'a>, signal: &Signal) -> Result<&'a Step, Refusal> {
    let Some(path) = &signal.step_id else {
        let message = format!("a {} signal needs a `step_id` here", signal.kind.text());
        return Err(Refusal::unfit(ErrorCode::Validation, message));
    };
    let ix = draft.run.by_path(path).ok_or_else(|| no_step(draft, path))?;
    Ok(draft.step(ix))
}

/// There is no such step; one inside a body is often meant by its short id.
fn no_step(draft: &Draft<'_>, path: &str) -> Refusal {
    let inside = format!(".{path}");
    let known = || draft.run.state.steps.iter().map(|step| step.path.as_ref());
    let meant = known().find(|known| known.ends_with(&inside));
    let meant = meant.or_else(|| opcode_model::problem::nearest(path, known()));
    let hint = meant.map(|meant| format!("; did you mean `{meant}`?"));
    let message = format!("no step `{path}`{}", hint.unwrap_or_default());
    Refusal::unfit(ErrorCode::NotFound, message)
}

/// Steps with an open question, in order.
fn asking(draft: &Draft<'_>) -> Vec<StepIx> {
    let attentive = draft.run.state.attentive.iter().copied();
    attentive.filter(|ix| draft.step(*ix).asks().is_some()).collect()
}

fn is_same_answer(step: &Step, signal: &Signal) -> bool {
    let given = signal.payload.find("choice");
    given.is_some() && step.output().and_then(|output| output.find("choice")) == given
}

fn decision(draft: &mut Draft<'_>, signal: &Signal) -> Result<(), Refusal> {
    let step = if signal.step_id.is_some() {
        target(draft, signal)?
    } else {
        match asking(draft).as_slice() {
            [only] => draft.step(*only),
            [] => return conflict("no decision is open"),
            several => {
                let names: Vec<&str> =
                    several.iter().map(|ix| draft.step(*ix).path.as_ref()).collect();
                let names = names.join(", ");
                let message = format!("several decisions are open; name one of {names}");
                return Err(Refusal::unfit(ErrorCode::Validation, message));
            }
        }
    };
    let ix = step.ix;
    let Some(request) = step.asks() else {
        if is_same_answer(step, signal) {
            return Ok(());
        }
        let winner = step.output().and_then(|output| output.find("choice"));
        return conflict(match winner {
            Some(choice) => format!("this decision is resolved already: {choice}"),
            None => format!("step `{}` has no open decision; it is {}", step.path, step.status()),
        });
    };
    let resolution = read_answer(request, signal)?;
    received(draft, signal);
    resolve(draft, ix, resolution);
    Ok(())
}

/// Data for a wait: the one that listens, or the one that will.
fn data(draft: &mut Draft<'_>, signal: &Signal) -> Result<(), Refusal> {
    if signal.step_id.is_none() && signal.name.is_none() {
        let message =
            "a data signal needs the name a wait listens for (`signal_name`), or its `step_id`";
        return Err(Refusal::unfit(ErrorCode::Validation, message));
    }
    let attentive = draft.run.state.attentive.iter().map(|ix| draft.step(*ix));
    let listener = attentive.filter_map(|step| Some((step.ix, &step.path, step.listens_for()?)));
    let heard_by = listener.into_iter().find(|(_, path, name)| match &signal.step_id {
        Some(id) => id == *path,
        None => signal.name.as_ref() == Some(*name) && !name.is_empty(),
    });
    let heard_by = heard_by.map(|(ix, _, name)| (ix, name.clone()));
    if heard_by.is_none() && draft.run.state.mailbox.len() >= MAILBOX_SIGNALS_MAX {
        let failure = Failure::limit("early signals of a run", MAILBOX_SIGNALS_MAX);
        return Err(Refusal::Unfit(Failure { code: ErrorCode::SignalFailed, ..failure }));
    }
    if let (None, Some(id)) = (&heard_by, &signal.step_id) {
        may_hear(draft, id)?;
    }
    received(draft, signal);
    if let Some((ix, name)) = heard_by {
        let step = draft.name(ix);
        draft.emit(EventKind::WaitCompleted(step.clone(), Nothing));
        draft.emit(EventKind::StepCompleted(step, heard(&name, signal.payload.clone())));
    }
    Ok(())
}

/// Whether a step that does not listen may still come to.
fn may_hear(draft: &Draft<'_>, path: &str) -> Result<(), Refusal> {
    let Some(ix) = draft.run.by_path(path) else {
        // One inside a body may not have begun yet.
        return if path.contains('.') { Ok(()) } else { Err(no_step(draft, path)) };
    };
    let step = draft.step(ix);
    let status = step.status();
    if step.is_settled() {
        return conflict(format!("step `{path}` is {status} and waits for nothing"));
    }
    if !matches!(draft.plan_of(ix).work, WorkPlan::Wait(WaitPlan::Signal(_))) {
        return conflict(format!("step `{path}` is no wait for a signal"));
    }
    Ok(())
}

fn cancel(draft: &mut Draft<'_>, signal: &Signal) -> Result<(), Refusal> {
    if signal.step_id.is_some() {
        let step = target(draft, signal)?;
        let ix = step.ix;
        if !matches!(step.state, StepState::Asking { .. }) {
            let (path, status) = (&step.path, step.status());
            return conflict(format!(
                "step `{path}` is {status}; only an open decision can be cancelled alone"
            ));
        }
        received(draft, signal);
        withdraw(draft, ix, "cancelled by a signal");
        skip(draft, ix, SkipReason::Signal, signal.reasoning.clone());
        return Ok(());
    }
    let ending = draft.run.state.ending.as_ref().map(|ending| ending.status);
    if ending == Some(RunStatus::Cancelled) {
        return Ok(());
    }
    let reason = signal.payload.find("reason").and_then(opcode_model::Value::as_str);
    let reason = reason.map(Into::into).or_else(|| signal.reasoning.clone());
    received(draft, signal);
    if draft.run.is_paused() {
        draft.emit(EventKind::WorkflowResumed(Nothing));
    }
    cancel_run(draft, reason.unwrap_or_else(|| "cancelled by a signal".into()));
    Ok(())
}

fn retry(draft: &mut Draft<'_>, signal: &Signal) -> Result<(), Refusal> {
    if signal.step_id.is_none() {
        if !draft.run.is_paused() {
            return conflict("nothing to resume; name the step to try again with `step_id`");
        }
        received(draft, signal);
        draft.emit(EventKind::WorkflowResumed(Nothing));
        draft.tell_parent(MessageBody::Resumed);
        return Ok(());
    }
    let step = target(draft, signal)?;
    let ix = step.ix;
    let goes_on = draft.run.is_open(step.frame) && !draft.run.is_being_stopped(ix);
    let failed = step.error().is_some() && !step.rescued && draft.run.shape.branch_mode;
    if matches!(step.state, StepState::Backoff { .. }) && draft.run.is_paused() {
        return conflict(
            "this workflow's time limit suspended it; resume it first: `retry` without `step_id`",
        );
    } else if matches!(step.state, StepState::Backoff { .. }) {
        received(draft, signal);
        begin(draft, ix);
    } else if step.asks().is_some_and(|request| request.kind == DecisionKind::InDoubt) {
        received(draft, signal);
        withdraw(draft, ix, "run again by a signal");
        reset(draft, ix);
    } else if failed && goes_on {
        received(draft, signal);
        reset(draft, ix);
    } else {
        let (path, status) = (&step.path, step.status());
        let taken = "in back-off, in doubt, or failed while its workflow goes on";
        return conflict(format!("step `{path}` is {status}; a retry is taken by a step {taken}"));
    }
    Ok(())
}

fn skip_step(draft: &mut Draft<'_>, signal: &Signal) -> Result<(), Refusal> {
    let step = target(draft, signal)?;
    let ix = step.ix;
    match &step.state {
        StepState::Skipped { .. } => return Ok(()),
        StepState::Asking { .. } => {
            received(draft, signal);
            withdraw(draft, ix, "skipped by a signal");
        }
        StepState::Waiting { .. }
        | StepState::Backoff { .. }
        | StepState::Sleeping { .. }
        | StepState::Listening { .. } => received(draft, signal),
        StepState::Ready if draft.run.is_paused() => received(draft, signal),
        StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Performing(_)
        | StepState::Stopping { .. }
        | StepState::Flowing(_)
        | StepState::InChild(_)
        | StepState::Done { .. }
        | StepState::Failed { .. } => {
            let (path, status) = (&step.path, step.status());
            let taken = "that waits, backs off, asks or is in doubt";
            return conflict(format!(
                "step `{path}` is {status}; a skip is taken by a step {taken}"
            ));
        }
    }
    skip(draft, ix, SkipReason::Signal, signal.reasoning.clone());
    Ok(())
}
