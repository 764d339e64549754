//! The fourth verb: what the world still owes a run. Recovery is this call.
//!
//! Keeps: it equals what was issued minus what was answered or withdrawn, after every prefix of every history.
//! Not here: doing any of it.

use std::sync::Arc;

use opcode_model::commit::DecisionChange;
use opcode_model::{Compute, Effect, Perform, StepRef, Value, idempotency_key};

use super::{Intent, Run, Step, StepState};

/// What the world still owes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outstanding {
    /// Pure work without an answer.
    pub compute: Vec<Compute>,
    /// Outside attempts, stops and questions without an answer.
    pub effects: Vec<Effect>,
}

/// What the world still owes a run.
pub fn outstanding(run: &Run) -> Outstanding {
    let mut owed = Outstanding::default();
    if run.is_terminal() || (run.state.in_flight == 0 && run.state.open_decisions == 0) {
        return owed;
    }
    for step in &run.state.steps {
        match &step.state {
            StepState::Computing { input } => {
                if let Some(compute) = compute(run, step, input.clone()) {
                    owed.compute.push(compute);
                }
            }
            StepState::Performing(intent) => {
                owed.effects.extend(perform(run, step, intent));
            }
            StepState::Stopping { .. } => {
                owed.effects.push(Effect::Stop { step: name(step), attempt: step.attempt });
            }
            StepState::Asking { request, since, .. } => {
                let (step, request) = (name(step), request.clone());
                let opened = DecisionChange::Opened { step, request, at: *since };
                owed.effects.push(Effect::Decision(Box::new(opened)));
            }
            StepState::Waiting { .. }
            | StepState::Ready
            | StepState::Begun
            | StepState::Backoff { .. }
            | StepState::Sleeping { .. }
            | StepState::Listening { .. }
            | StepState::Flowing(_)
            | StepState::InChild(_)
            | StepState::Done { .. }
            | StepState::Failed { .. }
            | StepState::Skipped { .. } => {}
        }
    }
    owed
}

fn name(step: &Step) -> StepRef {
    StepRef { ix: step.ix, path: step.path.clone() }
}

pub(crate) fn compute(run: &Run, step: &Step, params: Value) -> Option<Compute> {
    let action = run.shape.node(run.node_of(step)).action.clone()?;
    Some(Compute { step: name(step), attempt: step.attempt, action, params })
}

pub(crate) fn perform(run: &Run, step: &Step, intent: &Intent) -> Option<Effect> {
    let node = run.shape.node(run.node_of(step));
    Some(Effect::Perform(Box::new(Perform {
        run: run.id,
        step: name(step),
        attempt: step.attempt,
        action: node.action.clone()?,
        agent_id: run.started().and_then(|started| started.agent_id.clone()),
        template: run.started().and_then(|started| started.template_name.clone()),
        trace: run.started().and_then(|started| started.trace.clone()),
        params: intent.input.clone(),
        secrets: intent.secrets.clone(),
        key: Arc::from(idempotency_key(run.id, &step.path, run.generation(step))),
        timeout: node.timeout,
        wishes: node.wishes.clone(),
    })))
}
