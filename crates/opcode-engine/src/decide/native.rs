//! What only the engine can grant, in its own transaction: `workflow.*`.
//!
//! Keeps: exactly once, because the wish and its record are one commit.
//! Not here: reading the parameters (`opcode-actions`).

use std::sync::Arc;

use opcode_expr::{Given, Language, ObjectScope, Program, Scope};
use opcode_model::action::{Evaluation, NativeCall};
use opcode_model::event::{
    ChildStarted, ContextUpdate, Emitted, EventKind, Logged, Notified, StepCompleted,
};
use opcode_model::limits::CHILD_DEPTH_MAX;
use opcode_model::signal::ChildStart;
use opcode_model::{ErrorCode, Failure, Message, MessageBody, Object, RunId, StepIx, Value};

use super::draft::Draft;
use super::finished::complete;
use super::step_failed::fail_step;
use crate::plan::WorkPlan;
use crate::run::{Run, RunScope, Step};

pub(super) fn grant(draft: &mut Draft<'_>, ix: StepIx, call: &NativeCall) {
    match call {
        NativeCall::RunChild { template, version, params } => {
            start_child(draft, ix, template, version.as_ref(), params);
        }
        NativeCall::Log { level, message, data } => {
            let (level, message, data) = (level.clone(), message.clone(), data.clone());
            let name = draft.name(ix);
            let logged = Box::new(Logged { level, message, data });
            draft.emit(EventKind::MessageLogged(name, logged));
            done(draft, ix, Value::object([("logged", true)]));
        }
        NativeCall::Emit { event_type, payload } => {
            let name = draft.name(ix);
            let (event_type, payload) = (event_type.clone(), payload.clone());
            let emitted = Box::new(Emitted { event_type, payload });
            draft.emit(EventKind::EventEmitted(name, emitted));
            done(draft, ix, Value::object([("emitted", true)]));
        }
        NativeCall::Notify { message, data } => notify(draft, ix, message, data),
        NativeCall::Evaluate(evaluation) => evaluate(draft, ix, evaluation),
        NativeCall::ReadContext { workflow_id } => {
            if is_own(draft, ix, workflow_id.as_ref()) {
                let context = context(draft);
                complete(draft, ix, context);
            }
        }
        NativeCall::UpdateContext { workflow_id, data, agent_notes } => {
            if is_own(draft, ix, workflow_id.as_ref()) {
                let id = Value::from(draft.run.id.to_string());
                let (data, agent_notes) = (data.clone(), agent_notes.clone());
                draft.emit(EventKind::ContextUpdated(ContextUpdate { data, agent_notes }));
                let output = [("updated", Value::Bool(true)), ("workflow_id", id)];
                done(draft, ix, Value::object(output));
            }
        }
    }
}

/// Evaluates over what the step can see.
fn evaluate(draft: &mut Draft<'_>, ix: StepIx, evaluation: &Evaluation) {
    match value_of(draft, ix, evaluation) {
        Ok(output) => complete(draft, ix, output),
        Err(failure) => fail_step(draft, ix, failure),
    }
}

fn value_of(draft: &Draft<'_>, ix: StepIx, evaluation: &Evaluation) -> Result<Value, Failure> {
    let Evaluation { language, source, data, args } = evaluation;
    let WorkPlan::Action(action) = &draft.plan_of(ix).work else { return Ok(Value::Null) };
    let compiled = match &action.program {
        Some(program) => Ok(program.clone()),
        None => Program::recall(*language, source, args.keys()),
    };
    let program = compiled.map_err(|error| error.to_failure(source))?;
    let scope = draft.scope(ix);
    let args = args.iter().as_slice();
    let mut outputs = match (language, data) {
        (Language::Jq, Some(input)) => {
            let given = Given { input, args, now: draft.at };
            draft.outputs(|meter, emit| program.outputs(given, meter, emit))
        }
        (Language::Jq, None) => {
            draft.outputs(|meter, emit| program.outputs_in(&scope, args, meter, emit))
        }
        (Language::Cel | Language::Expr, data) => {
            let names = names(&scope, data.as_ref());
            let scope = ObjectScope::beneath(&names, &scope);
            draft.outputs(|meter, emit| program.outputs_in(&scope, args, meter, emit))
        }
    }
    .map_err(|error| error.to_failure())?;
    let several = outputs.len() > 1;
    Ok(Value::object([match several {
        true => ("results", Value::list(outputs)),
        false => ("result", outputs.pop().unwrap_or_default()),
    }]))
}

/// Names beneath those of the scope: each input by its own, and `data`.
fn names(scope: &RunScope<'_>, data: Option<&Value>) -> Object {
    let inputs = scope.root("inputs");
    let inputs = inputs.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    match data.filter(|_| inputs.find("data").is_none()) {
        Some(data) => inputs.with("data", data.clone()),
        None => inputs,
    }
}

fn done(draft: &mut Draft<'_>, ix: StepIx, output: Value) {
    let name = draft.name(ix);
    draft.emit(EventKind::StepCompleted(name, StepCompleted { output }));
}

fn notify(draft: &mut Draft<'_>, ix: StepIx, message: &Arc<str>, data: &Value) {
    let name = draft.name(ix);
    let notified = Box::new(Notified { message: message.clone(), data: data.clone() });
    draft.emit(EventKind::AgentNotified(name, notified));
    let known = draft.run.started().is_some_and(|started| started.agent_id.is_some());
    done(
        draft,
        ix,
        if known {
            Value::object([("notified", Value::Bool(true))])
        } else {
            Value::object([("notified", Value::Bool(false)), ("reason", Value::from("no_agent"))])
        },
    );
}

/// A run reads and updates only its own context.
fn is_own(draft: &mut Draft<'_>, ix: StepIx, workflow_id: Option<&Arc<str>>) -> bool {
    let own = workflow_id.is_none_or(|id| id.as_ref() == draft.run.id.to_string());
    if !own {
        let message = "workflow.context: a workflow may use only its own context";
        fail_step(draft, ix, Failure::new(ErrorCode::PermissionDenied, message));
    }
    own
}

fn context(draft: &Draft<'_>) -> Value {
    let state = &draft.run.state;
    let agent = draft.run.started().and_then(|started| started.agent_id.clone());
    Value::object([
        ("workflow_id", Value::from(draft.run.id.to_string())),
        ("agent_id", Value::from(agent.unwrap_or_else(|| "".into()))),
        ("accumulated_data", state.context.clone()),
        ("agent_notes", Value::from(state.agent_notes.clone().unwrap_or_else(|| "".into()))),
        ("created_at", Value::from(state.started_at.to_string())),
        ("updated_at", Value::from(draft.at.to_string())),
    ])
}

fn start_child(
    draft: &mut Draft<'_>,
    ix: StepIx,
    template: &Arc<str>,
    version: Option<&Arc<str>>,
    params: &Value,
) {
    let started = draft.run.started();
    let depth = started.map_or(0, |started| started.depth) + 1;
    if depth > CHILD_DEPTH_MAX {
        return fail_step(draft, ix, Failure::limit("workflows inside workflows", CHILD_DEPTH_MAX));
    }
    let step = draft.step(ix);
    let child = child_id(draft.run, step);
    let name = draft.name(ix);
    let start = ChildStart {
        template: template.clone(),
        version: version.cloned(),
        params: params.clone(),
        agent_id: started.and_then(|started| started.agent_id.clone()),
        trace: started.and_then(|started| started.trace.clone()),
        depth,
    };
    let event = ChildStarted {
        workflow_id: child,
        template_name: template.clone(),
        template_version: version.cloned(),
    };
    draft.emit(EventKind::ChildStarted(name.clone(), Box::new(event)));
    let (from, body) = (draft.run.id, MessageBody::Start(Box::new(start)));
    draft.message(Message { from, to: child, step: name, body });
}

/// A child is named by its parent, the step's path and place, how often that was wished for, and the attempt:
/// a retry, of the step or of one around it, starts a new child; a recovery finds the same one.
fn child_id(parent: &Run, step: &Step) -> RunId {
    RunId::derived(&[
        "child",
        &parent.id.to_string(),
        &step.path,
        &step.ix.0.to_string(),
        &parent.generation(step).to_string(),
        &step.attempt.to_string(),
    ])
}
