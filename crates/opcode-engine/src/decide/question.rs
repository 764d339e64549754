//! Questions for people and agents: how one is put, and how it is answered.
//!
//! Keeps: an answer is an event and final; who may answer is enforced; options are, too.
//! Not here: signals other than answers (`signal.rs`), deadlines (`timer.rs`).

use std::sync::Arc;

use opcode_model::commit::DecisionChange;
use opcode_model::event::{
    ChoiceOption, DecisionKind, DecisionRequest, EventKind, Nothing, Reset, Resolution,
    StepCompleted, Work,
};
use opcode_model::limits::{BUILT_DEPTH_MAX, OPEN_DECISIONS_MAX, OUTPUT_BYTES_MAX};
use opcode_model::{Effect, ErrorCode, Failure, Signal, StepIx, Value};

use super::Refusal;
use super::begin::started;
use super::draft::Draft;
use super::step_failed::fail_step;
use crate::plan::ReasoningPlan;
use crate::run::{Intent, StepState};

/// A reasoning step asks.
pub(super) fn begin(draft: &mut Draft<'_>, ix: StepIx, plan: &ReasoningPlan) {
    let nothing = Intent { input: Value::Null, secrets: Vec::new() };
    started(draft, ix, Work::Ask, nothing);
    let prompt = match draft.render(ix, &plan.prompt) {
        Ok(rendered) => rendered.value.to_text(),
        Err(error) => return fail_step(draft, ix, error.to_failure()),
    };
    let facts = plan.data_inject.iter().map(|(key, template, written)| {
        let value = draft.render(ix, template).map_or_else(|_| written.clone(), |r| r.value);
        (key.clone(), value)
    });
    let data_inject =
        if plan.data_inject.is_empty() { Value::Null } else { Value::Object(facts.collect()) };
    if data_inject.weight(OUTPUT_BYTES_MAX) > OUTPUT_BYTES_MAX {
        let failure = Failure::limit("bytes of a question's facts", OUTPUT_BYTES_MAX);
        return fail_step(draft, ix, failure);
    }
    if data_inject.depth(BUILT_DEPTH_MAX + 1) > BUILT_DEPTH_MAX {
        let failure = Failure::limit("nesting of a question's facts", BUILT_DEPTH_MAX);
        return fail_step(draft, ix, failure);
    }
    let request = DecisionRequest {
        id: decision_id(draft, ix),
        kind: DecisionKind::Reasoning,
        prompt_context: prompt.into(),
        data_inject,
        options: plan.options.clone(),
        fallback: plan.fallback.clone(),
        target_agent: plan.target_agent.clone(),
        timeout_at: plan.timeout.map(|timeout| draft.at.after(timeout)),
    };
    ask(draft, ix, request);
}

/// What is known of an attempt that may or may not have happened, and what may be done.
pub(super) fn ask_in_doubt(draft: &mut Draft<'_>, ix: StepIx) {
    let step = draft.step(ix);
    let option = |id: &str, description: &str| ChoiceOption {
        id: id.into(),
        description: Some(description.into()),
    };
    let prompt = format!(
        "attempt {} of step {} was cut short by a restart; it may or may not have happened",
        step.attempt, step.path
    );
    let key = opcode_model::idempotency_key(draft.run.id, &step.path, draft.run.generation(step));
    let facts = Value::object([
        ("attempt", Value::from(step.attempt)),
        ("idempotency_key", Value::from(key)),
        ("started_at", Value::from(step.started_at.map(|at| at.to_string()))),
    ]);
    let request = DecisionRequest {
        id: decision_id(draft, ix),
        kind: DecisionKind::InDoubt,
        prompt_context: prompt.into(),
        data_inject: facts,
        options: vec![
            option("retry", "run it again"),
            option("done", "it happened; `data` is its output"),
            option("fail", "fail the step"),
        ],
        fallback: None,
        target_agent: None,
        timeout_at: None,
    };
    ask(draft, ix, request);
}

fn decision_id(draft: &Draft<'_>, ix: StepIx) -> Arc<str> {
    format!("{}_{}", draft.run.id, draft.step(ix).path).into()
}

fn ask(draft: &mut Draft<'_>, ix: StepIx, request: DecisionRequest) {
    if draft.run.state.open_decisions as usize >= OPEN_DECISIONS_MAX {
        let failure = Failure::limit("open decisions of a run", OPEN_DECISIONS_MAX);
        return fail_step(draft, ix, failure);
    }
    let (step, at) = (draft.name(ix), draft.at);
    draft.emit(EventKind::DecisionRequested(step.clone(), Box::new(request.clone())));
    draft.emit(EventKind::StepSuspended(step.clone(), Nothing));
    let opened = DecisionChange::Opened { step, request: Arc::new(request), at };
    draft.effect(Effect::Decision(Box::new(opened)));
}

/// An answer, checked against the question.
pub(super) fn read_answer(
    request: &DecisionRequest,
    signal: &Signal,
) -> Result<Resolution, Refusal> {
    if let Some(target) = &request.target_agent
        && signal.agent_id.as_ref() != Some(target)
    {
        let from = signal.agent_id.as_deref().unwrap_or("nobody");
        let message = format!("this decision is for agent `{target}`, the signal is from `{from}`");
        return Err(Refusal::unfit(ErrorCode::PermissionDenied, message));
    }
    let choice = signal.payload.find("choice").and_then(Value::as_str).filter(|c| !c.is_empty());
    let ids: Vec<&str> = request.options.iter().map(|option| option.id.as_ref()).collect();
    let Some(choice) = choice else {
        let message = match ids.as_slice() {
            [] => "a decision needs `payload.choice`".to_owned(),
            ids => format!("a decision needs `payload.choice`, one of {}", ids.join(", ")),
        };
        return Err(Refusal::unfit(ErrorCode::Validation, message));
    };
    if !ids.is_empty() && !ids.contains(&choice) {
        let message = format!("choice `{choice}` is not among the options {}", ids.join(", "));
        return Err(Refusal::unfit(ErrorCode::Validation, message));
    }
    let reasoning = signal.payload.find("reasoning").and_then(Value::as_str).map(Into::into);
    Ok(Resolution {
        choice: choice.into(),
        reasoning: signal.reasoning.clone().or(reasoning),
        data: signal.payload.find("data").cloned().unwrap_or_default(),
        resolved_by: signal.agent_id.clone(),
    })
}

/// A question is answered, by somebody or by the clock.
pub(super) fn resolve(draft: &mut Draft<'_>, ix: StepIx, resolution: Resolution) {
    let StepState::Asking { request, .. } = &draft.step(ix).state else { return };
    let (step, at) = (draft.name(ix), draft.at);
    draft.emit(EventKind::DecisionResolved(step.clone(), Box::new(resolution.clone())));
    let closed = DecisionChange::Closed {
        step: step.clone(),
        id: request.id.clone(),
        resolution: Some(Arc::new(resolution.clone())),
        at,
    };
    draft.effect(Effect::Decision(Box::new(closed)));
    match request.kind {
        DecisionKind::Reasoning => {
            let output = output_of(&resolution);
            draft.emit(EventKind::StepCompleted(step, StepCompleted { output }));
        }
        DecisionKind::InDoubt => match resolution.choice.as_ref() {
            "retry" => reset(draft, ix),
            "done" => {
                let output = resolution.data;
                draft.emit(EventKind::StepCompleted(step, StepCompleted { output }));
            }
            _ => {
                let message = "it is not known whether the attempt happened";
                fail_step(draft, ix, Failure::new(ErrorCode::InDoubt, message));
            }
        },
    }
}

/// Somebody said: run it again.
pub(super) fn reset(draft: &mut Draft<'_>, ix: StepIx) {
    let step = draft.name(ix);
    let generation = draft.run.state.resets + 1;
    draft.emit(EventKind::StepReset(step, Reset { generation }));
}

/// What a run sees of an answer: `{choice, reasoning, data, resolved_by}`.
fn output_of(resolution: &Resolution) -> Value {
    Value::object([
        ("choice", Value::from(resolution.choice.clone())),
        ("reasoning", Value::from(resolution.reasoning.clone())),
        ("data", resolution.data.clone()),
        ("resolved_by", Value::from(resolution.resolved_by.clone())),
    ])
}
