//! A step begins: its guard, then its first events, by what kind of step it is.
//!
//! Keeps: parameters are worked out once a generation, so every attempt under one key asks for the same.
//! Not here: how it ends (`finished.rs`, `flow.rs`, `timer.rs`).

use std::sync::Arc;

use opcode_expr::{EvalError, Language, Program};
use opcode_model::action::EffectClass;
use opcode_model::event::{
    ConditionEvaluated, EventKind, Nothing, ParallelStarted, SkipReason, StepCompleted,
    StepSkipped, StepStarted, WaitStarted, Work,
};
use opcode_model::limits::{LOOP_ITERATIONS_MAX, RUN_STEPS_MAX};
use opcode_model::time::{format_duration, parse_duration};
use opcode_model::{Compute, Effect, ErrorCode, Failure, Perform, StepIx, Value, idempotency_key};

use super::draft::Draft;
use super::guard::{Guard, guard};
use super::step_failed::{fail_step, give_up};
use super::{flow, question};
use crate::plan::{ActionPlan, ConditionPlan, LoopMode, LoopPlan, WaitPlan, WorkPlan};
use crate::run::{Intent, StepState};

/// All a step waited for is done.
pub(super) fn ready(draft: &mut Draft<'_>, ix: StepIx) {
    let step = draft.step(ix);
    let node = draft.run.shape.node(draft.run.node_of(step));
    if !node.rescues.is_empty() && !step.called {
        return skip(draft, ix, SkipReason::NotNeeded, None);
    }
    if step.poisoned {
        return skip(draft, ix, SkipReason::DependencyFailed, None);
    }
    if step.attempt == 0
        && let Some(program) = &draft.plan_of(ix).guard
    {
        match guard(draft, ix, program) {
            Guard::Pass => {}
            Guard::Stop(detail) => return skip(draft, ix, SkipReason::Guard, detail),
            Guard::Broken(failure) => return give_up(draft, ix, failure),
        }
    }
    begin(draft, ix);
}

pub(super) fn skip(
    draft: &mut Draft<'_>,
    ix: StepIx,
    reason: SkipReason,
    detail: Option<Arc<str>>,
) {
    let name = draft.name(ix);
    draft.emit(EventKind::StepSkipped(name, StepSkipped { reason, detail }));
}

/// An attempt begins.
pub(super) fn begin(draft: &mut Draft<'_>, ix: StepIx) {
    match &draft.plan_of(ix).work {
        WorkPlan::Action(action) => begin_action(draft, ix, action),
        WorkPlan::Condition(condition) => begin_condition(draft, ix, condition),
        WorkPlan::Loop(plan) => begin_loop(draft, ix, plan),
        WorkPlan::Parallel(plan) => begin_parallel(draft, ix, plan.race, plan.branches),
        WorkPlan::Wait(wait) => begin_wait(draft, ix, wait),
        WorkPlan::Reasoning(reasoning) => question::begin(draft, ix, reasoning),
    }
}

/// The first event of an attempt.
pub(super) fn started(draft: &mut Draft<'_>, ix: StepIx, work: Work, intent: Intent) {
    let attempt = draft.step(ix).attempt + 1;
    // A computed step may turn out to be a child that takes its time; an effect carries its own limit.
    let deadline = match work {
        Work::Perform => None,
        Work::Compute | Work::Flow | Work::Wait | Work::Ask => draft.timeout_of(ix),
    };
    let Intent { input, secrets } = intent;
    let name = draft.name(ix);
    let started = StepStarted { work, attempt, input, secrets, deadline };
    draft.emit(EventKind::StepStarted(name, started));
}

const NOTHING: Intent = Intent { input: Value::Null, secrets: Vec::new() };

fn begin_action(draft: &mut Draft<'_>, ix: StepIx, action: &ActionPlan) {
    if let StepState::Backoff { intent: Some(intent), .. } = &draft.step(ix).state {
        return perform(draft, ix, action, (**intent).clone());
    }
    match draft.render(ix, &action.params) {
        Ok(rendered) => {
            let secret = !rendered.secrets.is_empty();
            let intent = Intent { input: rendered.value, secrets: rendered.secrets };
            if action.class == EffectClass::Pure && !secret {
                compute(draft, ix, action, intent);
            } else {
                perform(draft, ix, action, intent);
            }
        }
        Err(error) => {
            // Nothing went out, so there is no intent to repeat: a retry fills in anew.
            started(draft, ix, Work::Compute, NOTHING);
            let failure = error.to_failure();
            fail_step(draft, ix, Failure { code: interpolation(failure.code), ..failure });
        }
    }
}

/// What cannot be filled in is an interpolation error, unless a limit was hit.
fn interpolation(code: ErrorCode) -> ErrorCode {
    if code == ErrorCode::LimitExceeded { code } else { ErrorCode::Interpolation }
}

fn compute(draft: &mut Draft<'_>, ix: StepIx, action: &ActionPlan, intent: Intent) {
    let (step, attempt) = (draft.name(ix), draft.step(ix).attempt + 1);
    let params = intent.input.clone();
    started(draft, ix, Work::Compute, intent);
    draft.compute(Compute { step, attempt, action: action.name.clone(), params });
}

pub(super) fn perform(draft: &mut Draft<'_>, ix: StepIx, action: &ActionPlan, intent: Intent) {
    let step = draft.step(ix);
    let node = draft.run.shape.node(draft.run.node_of(step));
    let key = idempotency_key(draft.run.id, &step.path, draft.run.generation(step));
    let effect = Effect::Perform(Box::new(Perform {
        run: draft.run.id,
        step: draft.name(ix),
        attempt: step.attempt + 1,
        action: action.name.clone(),
        agent_id: draft.run.started().and_then(|started| started.agent_id.clone()),
        template: draft.run.started().and_then(|started| started.template_name.clone()),
        trace: draft.run.started().and_then(|started| started.trace.clone()),
        params: intent.input.clone(),
        secrets: intent.secrets.clone(),
        key: key.into(),
        timeout: node.timeout,
        wishes: node.wishes.clone(),
    }));
    started(draft, ix, Work::Perform, intent);
    draft.effect(effect);
}

fn begin_condition(draft: &mut Draft<'_>, ix: StepIx, plan: &ConditionPlan) {
    started(draft, ix, Work::Flow, NOTHING);
    let value = match draft.evaluate_in(draft.step(ix).frame, &plan.expression) {
        Ok(value) => value,
        Err(error) => return fail_step(draft, ix, error.to_failure()),
    };
    let result = branch_key(&value);
    let found = plan.branches.get(&result).map(|slot| (result.clone(), *slot));
    let chosen = found.or_else(|| plan.default.map(|slot| ("default".into(), slot)));
    let body = chosen.as_ref().map(|(_, slot)| bodies(draft, ix, *slot));
    let expression: Arc<str> = plan.expression.source().into();
    let name = draft.name(ix);
    let (branch, slot) = chosen.unzip();
    let empty = body.is_none_or(|len| len == 0);
    if let Some(failure) = body.and_then(|len| too_many(draft, len)) {
        return fail_step(draft, ix, failure);
    }
    draft.emit(EventKind::ConditionEvaluated(
        name.clone(),
        ConditionEvaluated {
            expression,
            result: result.clone(),
            branch: branch.clone(),
            slot: slot.filter(|_| !empty),
        },
    ));
    if empty {
        let mut output = vec![("branch", Value::from(branch.clone().unwrap_or(result)))];
        if branch.is_none() {
            output.push(("skipped", Value::Bool(true)));
        }
        let output = Value::object(output);
        draft.emit(EventKind::StepCompleted(name, StepCompleted { output }));
    }
}

/// The value as text; a whole number has no point, so that `6.0 / 2.0` finds the branch `3`.
fn branch_key(value: &Value) -> Arc<str> {
    match value.as_i64() {
        Some(whole) => whole.to_string().into(),
        None => value.to_text().into(),
    }
}

/// How many steps a body of a step has.
fn bodies(draft: &Draft<'_>, ix: StepIx, slot: u32) -> usize {
    let node = draft.run.shape.node(draft.run.node_of(draft.step(ix)));
    draft.run.shape.body(node.bodies[slot as usize]).len as usize
}

/// Whether so many more steps are too many for one run.
pub(super) fn too_many(draft: &Draft<'_>, more: usize) -> Option<Failure> {
    let all = draft.run.state.steps.len() + more;
    (all > RUN_STEPS_MAX).then(|| Failure::limit("steps of a run", RUN_STEPS_MAX))
}

/// What a loop goes over. In jq one list is the items, and so are outputs that are anything else, unless there is but a null.
fn items(draft: &Draft<'_>, ix: StepIx, over: &Program) -> Result<Value, EvalError> {
    let scope = draft.scope(ix);
    if over.language() != Language::Jq {
        return draft.evaluate(&scope, over);
    }
    let outputs = draft.outputs(|meter, emit| over.outputs_in(&scope, &[], meter, emit))?;
    Ok(match outputs.as_slice() {
        [sole @ (Value::List(_) | Value::Null)] => sole.clone(),
        _ => Value::list(outputs),
    })
}

fn begin_loop(draft: &mut Draft<'_>, ix: StepIx, plan: &LoopPlan) {
    let LoopMode::ForEach(over) = &plan.mode else {
        started(draft, ix, Work::Flow, NOTHING);
        return;
    };
    match items(draft, ix, over) {
        Ok(items @ Value::List(_)) => {
            let len = items.as_list().map_or(0, <[Value]>::len);
            let input = Value::object([("items", items)]);
            started(draft, ix, Work::Flow, Intent { input, secrets: Vec::new() });
            if len == 0 {
                flow::complete_loop(draft, ix, &[], false);
            } else if len > LOOP_ITERATIONS_MAX as usize && !plan.may_cut {
                let failure = Failure::limit("iterations of a loop", LOOP_ITERATIONS_MAX);
                fail_step(draft, ix, failure);
            }
        }
        Ok(other) => {
            started(draft, ix, Work::Flow, NOTHING);
            let message = format!("`over` must give a list, not {}", other.kind());
            fail_step(draft, ix, Failure::new(ErrorCode::Execution, message));
        }
        Err(error) => {
            started(draft, ix, Work::Flow, NOTHING);
            fail_step(draft, ix, error.to_failure());
        }
    }
}

fn begin_parallel(draft: &mut Draft<'_>, ix: StepIx, race: bool, branches: u32) {
    started(draft, ix, Work::Flow, NOTHING);
    let steps = (0..branches).map(|slot| bodies(draft, ix, slot)).sum();
    if let Some(failure) = too_many(draft, steps) {
        return fail_step(draft, ix, failure);
    }
    let mode: Arc<str> = if race { "race" } else { "all" }.into();
    let name = draft.name(ix);
    draft.emit(EventKind::ParallelStarted(name, ParallelStarted { mode, branches }));
}

fn begin_wait(draft: &mut Draft<'_>, ix: StepIx, plan: &WaitPlan) {
    started(draft, ix, Work::Wait, NOTHING);
    let span = match plan {
        WaitPlan::Signal(signal) => return listen(draft, ix, signal),
        WaitPlan::Span(span) => *span,
        WaitPlan::Computed(template) => {
            let text = match draft.render(ix, template) {
                Ok(rendered) => rendered.value.to_text(),
                Err(error) => return fail_step(draft, ix, error.to_failure()),
            };
            match parse_duration(&text) {
                Ok(span) => span,
                Err(error) => {
                    let message = format!("`{text}` is not a duration: {error}");
                    return fail_step(draft, ix, Failure::new(ErrorCode::Validation, message));
                }
            }
        }
    };
    let name = draft.name(ix);
    let until = Some(draft.at.after(span));
    let duration = format_duration(span).into();
    draft.emit(EventKind::WaitStarted(name, WaitStarted { duration, signal: "".into(), until }));
}

fn listen(draft: &mut Draft<'_>, ix: StepIx, signal: &Arc<str>) {
    let name = draft.name(ix);
    let wait = WaitStarted { duration: "".into(), signal: signal.clone(), until: None };
    draft.emit(EventKind::WaitStarted(name.clone(), wait));
    let early = draft.run.mail_matching(&name.path, signal);
    if let Some(mail) = early.map(|at| &draft.run.state.mailbox[at]) {
        let payload = mail.payload.clone();
        draft.emit(EventKind::WaitCompleted(name.clone(), Nothing));
        draft.emit(EventKind::StepCompleted(name, heard(signal, payload)));
    }
}

/// The output of a wait for a signal.
pub(super) fn heard(signal: &Arc<str>, payload: Value) -> StepCompleted {
    let output = [("signal", Value::from(signal.clone())), ("payload", payload)];
    StepCompleted { output: Value::object(output) }
}
