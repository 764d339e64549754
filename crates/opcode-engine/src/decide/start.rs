//! A run begins: inputs are checked and laid over their defaults.
//!
//! Keeps: a run that cannot begin is refused and leaves nothing behind.
//! Not here: what its first steps do (`begin.rs`).

use opcode_model::event::{EventKind, Started};
use opcode_model::limits::{CHILD_DEPTH_MAX, INPUT_BYTES_MAX, VALUE_DEPTH_MAX};
use opcode_model::{ErrorCode, Failure, Object, Start, Value};

use super::Refusal;
use super::draft::Draft;
use crate::plan::Plan;

pub(super) fn start(draft: &mut Draft<'_>, start: &Start) -> Result<(), Refusal> {
    if draft.run.started().is_some() {
        return Err(Refusal::unfit(ErrorCode::Conflict, "this workflow has begun already"));
    }
    if start.depth > CHILD_DEPTH_MAX {
        let failure = Failure::limit("workflows inside workflows", CHILD_DEPTH_MAX);
        return Err(Refusal::Unfit(failure));
    }
    let inputs = inputs(draft.plan, &start.params).map_err(Refusal::Unfit)?;
    let name = start.name.clone().or_else(|| draft.plan.name.clone());
    draft.emit(EventKind::WorkflowStarted(Box::new(Started {
        definition: draft.plan.hash,
        name: name.or_else(|| start.template_name.clone()),
        template_name: start.template_name.clone(),
        template_version: start.template_version.clone(),
        agent_id: start.agent_id.clone(),
        inputs,
        parent: start.parent.clone(),
        depth: start.depth,
        request: start.request.clone(),
        trace: start.trace.clone(),
    })));
    Ok(())
}

/// Inputs in force: what was given, over `inputs`, over the schema's defaults.
fn inputs(plan: &Plan, params: &Value) -> Result<Value, Failure> {
    let nothing = Object::default();
    let given = if params.is_null() { Some(&nothing) } else { params.as_object() };
    let Some(given) = given else {
        let message = format!("inputs must be an object, not {}", params.kind());
        return Err(Failure::new(ErrorCode::Validation, message));
    };
    if params.depth(VALUE_DEPTH_MAX + 1) > VALUE_DEPTH_MAX {
        return Err(Failure::limit("nesting of inputs", VALUE_DEPTH_MAX));
    }
    if params.weight(INPUT_BYTES_MAX) > INPUT_BYTES_MAX {
        return Err(Failure::limit("bytes of inputs", INPUT_BYTES_MAX));
    }
    let given = plan.inputs.merged(given);
    let Some(schema) = &plan.input_schema else { return Ok(Value::Object(given)) };
    let inputs = Value::Object(schema.with_defaults(&given));
    let violations = schema.violations(&inputs);
    if violations.is_empty() {
        return Ok(inputs);
    }
    let message = format!("inputs do not fit the input schema: {}", violations.join("; "));
    let details = Value::list(violations.into_iter().map(Value::from));
    Err(Failure::new(ErrorCode::Validation, message)
        .with_details(Value::object([("violations", details)])))
}
