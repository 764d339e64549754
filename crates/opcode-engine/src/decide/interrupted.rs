//! The process that performed this run's effects is gone: what was in flight is looked at, step by step.
//!
//! Keeps: a pure or idempotent attempt runs again under the same key; an unsafe one follows `on_interrupted`.
//! Not here: making sure that the earlier attempt is dead (the action does, before it starts).

use opcode_model::action::{EffectClass, OnInterrupted};
use opcode_model::event::{EventKind, Interrupted};
use opcode_model::{ErrorCode, Failure, StepIx};

use super::begin::{perform, skip};
use super::draft::Draft;
use super::question::ask_in_doubt;
use super::step_failed::fail_step;
use crate::plan::{ActionPlan, WorkPlan};
use crate::run::StepState;

pub(super) fn interrupted(draft: &mut Draft<'_>) {
    let run = draft.run;
    let cut = |ix: &StepIx| {
        matches!(run.step(*ix).state, StepState::Performing(_) | StepState::Stopping { .. })
    };
    let cut: Vec<StepIx> = run.state.steps.iter().map(|step| step.ix).filter(cut).collect();
    if cut.is_empty() || run.is_terminal() {
        return;
    }
    draft.emit(EventKind::WorkflowInterrupted(Draft::reason("process_restart")));
    for ix in cut {
        cut_short(draft, ix);
    }
}

fn cut_short(draft: &mut Draft<'_>, ix: StepIx) {
    let step = draft.step(ix);
    if let StepState::Stopping { because } = &step.state {
        return skip(draft, ix, *because, None);
    }
    let StepState::Performing(intent) = &step.state else { return };
    let plan = draft.plan_of(ix);
    let WorkPlan::Action(action) = &plan.work else { return };
    let policy = policy(draft, ix, action);
    let name = draft.name(ix);
    let attempt = step.attempt;
    draft.emit(EventKind::StepInterrupted(name, Interrupted { attempt, policy }));
    match policy {
        OnInterrupted::Retry => perform(draft, ix, action, (**intent).clone()),
        OnInterrupted::Ask => ask_in_doubt(draft, ix),
        OnInterrupted::Fail => {
            let message = "the attempt was cut short by a restart; it may or may not have happened";
            fail_step(draft, ix, Failure::new(ErrorCode::InDoubt, message));
        }
    }
}

fn policy(draft: &Draft<'_>, ix: StepIx, action: &ActionPlan) -> OnInterrupted {
    match action.class {
        EffectClass::Pure | EffectClass::Idempotent => OnInterrupted::Retry,
        EffectClass::Unsafe => {
            draft.plan_of(ix).on_interrupted.unwrap_or(draft.plan.on_interrupted)
        }
    }
}
