//! A run in the words of those who asked for it.
//!
//! Keeps: the shapes of the reference's `opcode.run` result.
//! Not here: rendering for people.

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::result::{RunResult, StepResult};

use super::{Run, Step, StepState};

impl Run {
    /// Where it is and what its steps came to.
    pub fn result(&self) -> RunResult {
        let steps = self.state.steps.iter().map(|step| (step.path.clone(), result_of(step)));
        RunResult {
            workflow_id: self.id,
            status: self.status(),
            output: self.state.output.clone(),
            error: self.state.error.clone(),
            started_at: self.state.started_at,
            completed_at: self.state.completed_at,
            steps: steps.collect::<BTreeMap<_, _>>(),
        }
    }
}

fn result_of(step: &Step) -> StepResult {
    let reason: Option<Arc<str>> = match &step.state {
        StepState::Skipped { detail: Some(detail), .. } => Some(detail.clone()),
        StepState::Skipped { reason, .. } => {
            serde_json::to_value(reason).ok().and_then(|text| text.as_str().map(Into::into))
        }
        StepState::Backoff { error, .. } => Some(error.to_string().into()),
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Performing(_)
        | StepState::Stopping { .. }
        | StepState::Asking { .. }
        | StepState::Sleeping { .. }
        | StepState::Listening { .. }
        | StepState::Flowing(_)
        | StepState::InChild(_)
        | StepState::Done { .. }
        | StepState::Failed { .. } => None,
    };
    let span = step.started_at.zip(step.ended_at).map(|(from, to)| to.since(from));
    StepResult {
        step_id: step.path.clone(),
        status: step.status(),
        output: step.output().cloned().unwrap_or_default(),
        error: step.error().cloned(),
        reason,
        duration_ms: span.map_or(0, |span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        retries: u64::from(step.retries),
    }
}
