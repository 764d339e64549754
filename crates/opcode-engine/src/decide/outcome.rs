//! How a run ends: the outcome is decided once, the rest is stopped, hooks run, and then it is over.
//!
//! Keeps: a hook cannot change the outcome; terminal means terminal.
//! Not here: stopping (`cancel.rs`).

use std::sync::Arc;

use opcode_model::event::{Completed, Ending, EventKind, Failed, HookStarted, SkipReason};
use opcode_model::limits::{BUILT_DEPTH_MAX, WORKFLOW_OUTPUT_BYTES_MAX};
use opcode_model::{ErrorCode, Failure, MessageBody, RunStatus, Value};

use super::cancel::stop_frame;
use super::draft::Draft;
use super::step_failed::of_the_run;
use crate::run::{FrameIx, Run, RunScope};

const TOP: FrameIx = FrameIx(0);

/// The run fails: what still goes on is stopped first.
pub(super) fn fail_run(draft: &mut Draft<'_>, error: Failure, because: SkipReason) {
    let ending =
        Ending { status: RunStatus::Failed, error: Some(error), output: Value::Null, reason: None };
    draft.emit(EventKind::WorkflowEnding(Box::new(ending)));
    stop_frame(draft, TOP, because);
}

/// The run is cancelled: what still goes on, hooks too, is stopped first.
pub(super) fn cancel_run(draft: &mut Draft<'_>, reason: Arc<str>) {
    let ending = Ending {
        status: RunStatus::Cancelled,
        error: None,
        output: Value::Null,
        reason: Some(reason),
    };
    draft.emit(EventKind::WorkflowEnding(Box::new(ending)));
    stop_frame(draft, TOP, SkipReason::Cancelled);
    if let Some(hook) = draft.run.state.hook {
        stop_frame(draft, hook, SkipReason::Cancelled);
    }
}

/// All steps have come to their end.
pub(super) fn decide_outcome(draft: &mut Draft<'_>) {
    let run = draft.run;
    let ending = match &run.state.ending {
        Some(ending) => (**ending).clone(),
        None => outcome(draft),
    };
    if run.state.hook.is_none()
        && let Some((hook, body)) = hook(draft, ending.status)
    {
        if run.state.ending.is_none() {
            draft.emit(EventKind::WorkflowEnding(Box::new(ending)));
        }
        draft.emit(EventKind::HookStarted(HookStarted { hook, body }));
        return;
    }
    finish(draft, ending);
}

fn hook(draft: &Draft<'_>, status: RunStatus) -> Option<(Arc<str>, u32)> {
    match status {
        RunStatus::Completed => draft.plan.on_complete.map(|body| ("on_complete".into(), body.0)),
        RunStatus::Failed => draft.plan.on_error.map(|body| ("on_error".into(), body.0)),
        RunStatus::Cancelled | RunStatus::Pending | RunStatus::Active | RunStatus::Suspended => {
            None
        }
    }
}

fn finish(draft: &mut Draft<'_>, ending: Ending) {
    let Ending { status, error, output, reason } = ending;
    let told = MessageBody::Finished { status, output: output.clone(), error: error.clone() };
    draft.emit(match status {
        RunStatus::Completed => EventKind::WorkflowCompleted(Completed { output }),
        RunStatus::Cancelled => {
            EventKind::WorkflowCancelled(Draft::reason(reason.unwrap_or_else(|| "".into())))
        }
        RunStatus::Failed | RunStatus::Pending | RunStatus::Active | RunStatus::Suspended => {
            let unknown = || Failure::new(ErrorCode::Internal, "failed without a reason");
            let error = error.unwrap_or_else(unknown);
            EventKind::WorkflowFailed(Failed { error })
        }
    });
    draft.tell_parent(told);
}

/// What the steps came to: completed with an output that fits its schema, or failed.
fn outcome(draft: &Draft<'_>) -> Ending {
    let failed = |error| Ending {
        status: RunStatus::Failed,
        error: Some(error),
        output: Value::Null,
        reason: None,
    };
    if let Some(broken) = &draft.run.frame(TOP).broken {
        return failed(of_the_run(draft, broken));
    }
    match output(draft) {
        Ok(output) => Ending { status: RunStatus::Completed, error: None, output, reason: None },
        Err(failure) => failed(failure),
    }
}

fn output(draft: &Draft<'_>) -> Result<Value, Failure> {
    let output = match &draft.plan.output {
        Some(template) => {
            let scope = RunScope::new(draft.run, TOP, draft.at);
            let rendered = draft.render_over(&scope, template);
            rendered.map_err(|error| error.to_failure())?.value
        }
        None => last_outputs(draft.run),
    };
    if output.depth(BUILT_DEPTH_MAX + 1) > BUILT_DEPTH_MAX {
        return Err(Failure::limit("nesting of an output", BUILT_DEPTH_MAX));
    }
    if output.weight(WORKFLOW_OUTPUT_BYTES_MAX) > WORKFLOW_OUTPUT_BYTES_MAX {
        return Err(Failure::limit("bytes of a workflow's output", WORKFLOW_OUTPUT_BYTES_MAX));
    }
    let Some(schema) = &draft.plan.output_schema else { return Ok(output) };
    let violations = schema.violations(&output);
    if violations.is_empty() {
        return Ok(output);
    }
    let message = format!("the output does not fit the output schema: {}", violations.join("; "));
    Err(Failure::new(ErrorCode::Validation, message))
}

/// The outputs of the last steps, those nobody waits for, by id.
fn last_outputs(run: &Run) -> Value {
    let frame = run.frame(TOP);
    let last = run.steps_of(frame).filter_map(|ix| {
        let step = run.step(ix);
        let node = run.shape.node(run.node_of(step));
        let output = step.output().filter(|_| node.dependents.is_empty())?;
        Some((node.id.clone(), output.clone()))
    });
    Value::Object(last.collect())
}
