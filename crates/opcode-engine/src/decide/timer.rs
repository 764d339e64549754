//! Time passed: the earliest timer that is due has its say, one at a time.
//!
//! Keeps: a timer fires once, never early, however late the clock is told.
//! Not here: limits of outside attempts (they travel with the effect).

use opcode_model::event::{
    DecisionRequest, EventKind, Nothing, Resolution, SkipReason, StepCompleted, Stopping,
    SuspendReason, Suspended, TimedOut,
};
use opcode_model::time::format_duration;
use opcode_model::{ErrorCode, Failure, Message, MessageBody, StepIx, Timestamp, Value};

use super::begin::begin;
use super::cancel::{stop_frames, withdraw};
use super::draft::Draft;
use super::outcome::{cancel_run, fail_run};
use super::question::resolve;
use super::step_failed::fail_step;
use crate::plan::OnTimeout;
use crate::run::{Alarm, StepState};

pub(super) fn due(draft: &mut Draft<'_>) {
    if draft.run.is_paused() || draft.run.is_terminal() {
        return;
    }
    let first = draft.run.state.timers.first().copied();
    let Some((_, alarm)) = first.filter(|(due, _)| *due <= draft.at) else { return };
    match alarm {
        Alarm::Workflow => workflow_due(draft),
        Alarm::Step(ix) => step_due(draft, ix),
    }
}

fn workflow_due(draft: &mut Draft<'_>) {
    let limit = draft.run.shape.timeout.unwrap_or_default();
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let on_timeout = draft.plan.on_timeout;
    let timed_out = TimedOut { limit_ms, on_timeout: on_timeout.text().into() };
    draft.emit(EventKind::WorkflowTimedOut(timed_out));
    match on_timeout {
        OnTimeout::Fail => {
            let message = format!("workflow timed out after {}", format_duration(limit));
            fail_run(draft, Failure::new(ErrorCode::Timeout, message), SkipReason::Cancelled);
        }
        OnTimeout::Cancel => {
            cancel_run(draft, format!("timed out after {}", format_duration(limit)).into());
        }
        OnTimeout::Suspend => {
            let reason = SuspendReason::Timeout;
            draft.emit(EventKind::WorkflowSuspended(Suspended { reason }));
            draft.tell_parent(MessageBody::Suspended);
        }
    }
}

fn step_due(draft: &mut Draft<'_>, ix: StepIx) {
    let step = draft.step(ix);
    let comes_first = |due: Timestamp| due <= draft.at && step.deadline.is_none_or(|d| due <= d);
    match &step.state {
        StepState::Backoff { .. } => begin(draft, ix),
        StepState::Sleeping { since, until } if comes_first(*until) => {
            let waited = u64::try_from(until.since(*since).as_millis()).unwrap_or(u64::MAX);
            let name = draft.name(ix);
            draft.emit(EventKind::WaitCompleted(name.clone(), Nothing));
            let output = Value::object([("waited", waited)]);
            draft.emit(EventKind::StepCompleted(name, StepCompleted { output }));
        }
        StepState::Asking { request, .. } if request.timeout_at.is_some_and(comes_first) => {
            unanswered(draft, ix, request);
        }
        StepState::Asking { .. } => {
            withdraw(draft, ix, "the step ran out of time");
            fail_step(draft, ix, timed_out(draft, ix));
        }
        StepState::Sleeping { .. } | StepState::Listening { .. } => {
            fail_step(draft, ix, timed_out(draft, ix));
        }
        StepState::Flowing(flow) if flow.open == 0 => fail_step(draft, ix, timed_out(draft, ix)),
        StepState::Flowing(flow) => {
            stopping(draft, ix);
            stop_frames(draft, &flow.frames, SkipReason::Stopped);
        }
        StepState::InChild(child) => {
            stopping(draft, ix);
            let body = MessageBody::Cancel { reason: "the step ran out of time".into() };
            let (from, to, step) = (draft.run.id, child.run, draft.name(ix));
            draft.message(Message { from, to, step, body });
        }
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Performing(_)
        | StepState::Stopping { .. }
        | StepState::Done { .. }
        | StepState::Failed { .. }
        | StepState::Skipped { .. } => {}
    }
}

/// Nobody answered in time: the fallback is chosen, or the step fails.
fn unanswered(draft: &mut Draft<'_>, ix: StepIx, request: &DecisionRequest) {
    let Some(fallback) = &request.fallback else {
        withdraw(draft, ix, "nobody answered in time");
        let message = "decision timeout: no fallback option configured";
        return fail_step(draft, ix, Failure::new(ErrorCode::Timeout, message));
    };
    let by_the_clock = Resolution {
        choice: fallback.clone(),
        reasoning: Some("timeout_auto_resolved".into()),
        data: Value::Null,
        resolved_by: Some("system".into()),
    };
    resolve(draft, ix, by_the_clock);
}

fn stopping(draft: &mut Draft<'_>, ix: StepIx) {
    let error = Some(timed_out(draft, ix));
    let stopping = Stopping { because: SkipReason::Stopped, error };
    let name = draft.name(ix);
    draft.emit(EventKind::StepStopping(name, Box::new(stopping)));
}

fn timed_out(draft: &Draft<'_>, ix: StepIx) -> Failure {
    let node = draft.run.shape.node(draft.run.node_of(draft.step(ix)));
    let limit = format_duration(node.timeout.unwrap_or_default());
    let message = format!("step {} timed out after {limit}", draft.step(ix).path);
    Failure::new(ErrorCode::Timeout, message)
}
