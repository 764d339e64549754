//! How far each written step has come in a run.
//!
//! Keeps: a step is found by its place in the definition, so iterations of a loop are told as one.
//! Not here: what is drawn of it.

use opcode_engine::{Plan, Run, Step};
use opcode_model::StepStatus;

use super::StepView;

/// For each written step, by its place in the plan.
pub(super) fn of(plan: &Plan, run: &Run) -> Vec<Option<StepView>> {
    let mut all = vec![None; plan.shape.nodes.len()];
    for step in &run.state.steps {
        if let Some(known) = all.get_mut(run.node_of(step).0 as usize) {
            let one = one(step);
            *known = Some(known.map_or(one, |before| join(before, one)));
        }
    }
    all
}

fn one(step: &Step) -> StepView {
    let span = step.started_at.zip(step.ended_at).map(|(from, to)| to.since(from));
    let duration_ms = span.map_or(0, |span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    StepView { status: step.status(), times: 1, attempts: step.attempt, duration_ms }
}

fn join(a: StepView, b: StepView) -> StepView {
    StepView {
        status: both(a.status, b.status),
        times: a.times.saturating_add(b.times),
        attempts: a.attempts.max(b.attempts),
        duration_ms: a.duration_ms.saturating_add(b.duration_ms),
    }
}

/// What two iterations come to together: what needs attention first; half done is going on.
fn both(a: StepStatus, b: StepStatus) -> StepStatus {
    let weight = |status| match status {
        StepStatus::Skipped => 0,
        StepStatus::Completed => 1,
        StepStatus::Pending => 2,
        StepStatus::Scheduled => 3,
        StepStatus::Running => 4,
        StepStatus::Retrying => 5,
        StepStatus::Suspended => 6,
        StepStatus::Failed => 7,
    };
    let (low, high) = if weight(a) < weight(b) { (a, b) } else { (b, a) };
    let is_to_come = matches!(high, StepStatus::Pending | StepStatus::Scheduled);
    if low == StepStatus::Completed && is_to_come { StepStatus::Running } else { high }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_iterations_what_needs_attention_is_told() {
        use StepStatus::{Completed, Failed, Pending, Running, Skipped, Suspended};
        for (a, b, together) in [
            (Completed, Completed, Completed),
            (Completed, Failed, Failed),
            (Completed, Skipped, Completed),
            (Completed, Pending, Running),
            (Running, Suspended, Suspended),
        ] {
            assert_eq!(both(a, b), together);
            assert_eq!(both(b, a), together);
        }
    }
}
