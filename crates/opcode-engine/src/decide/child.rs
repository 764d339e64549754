//! What parents and children tell each other.
//!
//! Keeps: each message counts once; one that is no longer awaited is refused and changes nothing.
//! Not here: starting a child (`native.rs`), carrying messages (the store's inbox).

use opcode_model::event::{ChildFinished, EventKind, Nothing};
use opcode_model::{ErrorCode, Failure, Message, MessageBody, RunStatus, StepIx, Value};

use super::Refusal;
use super::begin::skip;
use super::draft::Draft;
use super::finished::complete;
use super::outcome::cancel_run;
use super::step_failed::fail_step;
use crate::run::Child;

pub(super) fn told(draft: &mut Draft<'_>, message: &Message) -> Result<(), Refusal> {
    match &message.body {
        MessageBody::Start(_) => Err(Refusal::Applied),
        MessageBody::Cancel { reason } => cancelled(draft, reason),
        MessageBody::Finished { status, output, error } => {
            let child = awaited(draft, message)?;
            let end =
                ChildFinished { status: *status, output: output.clone(), error: error.clone() };
            finished(draft, message.step.ix, child, end);
            Ok(())
        }
        MessageBody::Suspended => {
            let child = awaited(draft, message)?;
            if !child.suspended {
                let name = draft.name(message.step.ix);
                draft.emit(EventKind::ChildSuspended(name, Nothing));
            }
            Ok(())
        }
        MessageBody::Resumed => {
            let child = awaited(draft, message)?;
            if child.suspended {
                let name = draft.name(message.step.ix);
                draft.emit(EventKind::ChildResumed(name, Nothing));
            }
            Ok(())
        }
    }
}

fn awaited<'a>(draft: &Draft<'a>, message: &Message) -> Result<&'a Child, Refusal> {
    let step = draft.run.find(message.step.ix).ok_or(Refusal::Applied)?;
    step.child().filter(|child| child.run == message.from).ok_or(Refusal::Applied)
}

fn cancelled(draft: &mut Draft<'_>, reason: &std::sync::Arc<str>) -> Result<(), Refusal> {
    let ending = draft.run.state.ending.as_ref().map(|ending| ending.status);
    if draft.run.is_terminal() || ending == Some(RunStatus::Cancelled) {
        return Err(Refusal::Applied);
    }
    if draft.run.is_paused() {
        draft.emit(EventKind::WorkflowResumed(Nothing));
    }
    cancel_run(draft, reason.clone());
    Ok(())
}

fn finished(draft: &mut Draft<'_>, ix: StepIx, child: &Child, end: ChildFinished) {
    let name = draft.name(ix);
    draft.emit(EventKind::ChildFinished(name, Box::new(end.clone())));
    match (end.status, &child.stopping) {
        (RunStatus::Completed, _) => complete(draft, ix, end.output),
        (_, Some((_, Some(error)))) => fail_step(draft, ix, error.clone()),
        (_, Some((because, None))) => skip(draft, ix, *because, None),
        (_, None) => fail_step(draft, ix, failure(child, end)),
    }
}

fn failure(child: &Child, end: ChildFinished) -> Failure {
    let cause = end.error.unwrap_or_else(|| Failure::new(ErrorCode::Cancelled, "cancelled"));
    if cause.code == ErrorCode::NotFound {
        // Only a child that never began ends so: there is nothing to look at under its id.
        return Failure { step_id: None, ..cause };
    }
    let said = match origin(&cause.to_value()) {
        (0 | 1, _) => Failure { step_id: None, ..cause.clone() }.to_string(),
        (levels, origin) => format!("{origin} ({} workflows further below)", levels - 1),
    };
    let message = format!("child workflow {} {}: {said}", child.run, end.status);
    Failure {
        code: cause.code,
        message: message.into(),
        details: Value::object([
            ("workflow_id", Value::from(child.run.to_string())),
            ("error", cause.to_value()),
        ]),
        step_id: None,
        retry_after_ms: None,
    }
}

/// How many children below a failure began, and what it was there.
fn origin(failure: &Value) -> (usize, String) {
    let (mut levels, mut at) = (0, failure);
    while let Some(details) = at.find("details") {
        let child = details.find("error");
        levels += usize::from(child.is_some());
        match child.or_else(|| details.find("cause")) {
            Some(cause) => at = cause,
            None => break,
        }
    }
    let text = |key: &str| at.find(key).and_then(Value::as_str).unwrap_or_default();
    (levels, format!("[{}] {}", text("code"), text("message")))
}
