//! What the world owes a run, kept by hand from the decisions alone, and every count taken again from scratch.
//!
//! Keeps: it never looks at `outstanding` or at a counter to know; so the two can be compared.
//! Not here: driving a run (`stage.rs`).

use std::collections::{BTreeMap, BTreeSet};

use opcode_engine::{Alarm, Outstanding, Run, Status, Step, StepState, outstanding};
use opcode_model::commit::DecisionChange;
use opcode_model::event::SuspendReason;
use opcode_model::{Compute, Decision, Effect, EventKind, InputKind, StepIx, Timestamp};

/// What was issued and neither answered nor withdrawn, by step.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    compute: BTreeMap<StepIx, Compute>,
    effects: BTreeMap<StepIx, Effect>,
}

impl Ledger {
    /// An account that begins with what a shorter history left open.
    pub(super) fn of(owed: &Outstanding) -> Self {
        let mut ledger = Self::default();
        let (compute, effects) = (owed.compute.clone(), owed.effects.clone());
        ledger.note(&InputKind::Proceed, &Decision { compute, effects, ..Decision::default() });
        ledger
    }

    /// Takes down an accepted input and the decision it led to.
    pub fn note(&mut self, input: &InputKind, decision: &Decision) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only answers close anything")]
        match input {
            InputKind::Computed { step, .. } => drop(self.compute.remove(step)),
            InputKind::Finished { step, .. } => drop(self.effects.remove(step)),
            _ => {}
        }
        for event in &decision.events {
            #[expect(clippy::wildcard_enum_match_arm, reason = "only these withdraw anything")]
            match &event.kind {
                EventKind::StepSkipped(step, _) => {
                    self.compute.remove(&step.ix);
                    self.effects.remove(&step.ix);
                }
                EventKind::StepInterrupted(step, _) => drop(self.effects.remove(&step.ix)),
                _ => {}
            }
        }
        self.compute.extend(decision.compute.iter().map(|c| (c.step.ix, c.clone())));
        for effect in &decision.effects {
            let (step, closed) = match effect {
                Effect::Perform(perform) => (perform.step.ix, false),
                Effect::Stop { step, .. } => (step.ix, false),
                Effect::Decision(change) => match change.as_ref() {
                    DecisionChange::Opened { step, .. } => (step.ix, false),
                    DecisionChange::Closed { step, .. } => (step.ix, true),
                },
            };
            if closed {
                // The same decision may go on with another attempt of the step.
                let open = self.effects.get(&step);
                if matches!(open, Some(Effect::Decision(_))) {
                    self.effects.remove(&step);
                }
            } else {
                self.effects.insert(step, effect.clone());
            }
        }
    }

    /// What is owed by this account.
    pub fn owed(&self) -> Outstanding {
        Outstanding {
            compute: self.compute.values().cloned().collect(),
            effects: self.effects.values().cloned().collect(),
        }
    }

    /// Everything in which the run and this account differ.
    pub fn defects(&self, run: &Run) -> Vec<String> {
        let mut defects = recount(run);
        let (owed, said) = (self.owed(), outstanding(run));
        if owed != said {
            defects
                .push(format!("outstanding says {said:?}, but issued and unanswered is {owed:?}"));
        }
        defects
    }
}

/// Counts everything again and says which of the run's own counts are wrong.
pub fn recount(run: &Run) -> Vec<String> {
    let state = &run.state;
    let count = |holds: &dyn Fn(&Step) -> bool| {
        u32::try_from(state.steps.iter().filter(|step| holds(step)).count()).unwrap_or(u32::MAX)
    };
    let suspended = |step: &Step| matches!(&step.state, StepState::InChild(child) if child.suspended && child.stopping.is_none());
    let mut pairs = vec![
        ("moving", state.moving, count(&moves)),
        ("in_flight", state.in_flight, count(&is_in_flight)),
        (
            "open_decisions",
            state.open_decisions,
            count(&|step| matches!(step.state, StepState::Asking { .. })),
        ),
        ("suspended_children", state.suspended_children, count(&suspended)),
    ];
    for frame in &state.frames {
        let steps = || run.steps_of(frame).map(|ix| run.step(ix));
        let open = steps().filter(|step| !step.is_settled()).count();
        let stopping = steps().filter(|step| step.is_stopping()).count();
        pairs.push(("frame.open", frame.open, u32::try_from(open).unwrap_or(u32::MAX)));
        pairs.push(("frame.stopping", frame.stopping, u32::try_from(stopping).unwrap_or(u32::MAX)));
    }
    for flow in state.steps.iter().filter_map(Step::flow) {
        let open = flow.frames.iter().filter(|ix| run.frame(**ix).open > 0).count();
        pairs.push(("flow.open", flow.open, u32::try_from(open).unwrap_or(u32::MAX)));
    }
    let wrong = pairs.into_iter().filter(|(_, said, counted)| said != counted);
    let mut defects: Vec<String> =
        wrong.map(|(what, said, counted)| format!("{what} is {said}, counted {counted}")).collect();
    let attends = |step: &&Step| step.asks().is_some() || step.listens_for().is_some();
    let attentive: BTreeSet<StepIx> = state.steps.iter().filter(attends).map(|s| s.ix).collect();
    if attentive != state.attentive {
        defects.push(format!("attentive is {:?}, counted {attentive:?}", state.attentive));
    }
    defects.extend(timers(run));
    defects
}

pub(super) fn moves(step: &Step) -> bool {
    let by_itself = match &step.state {
        StepState::Begun | StepState::Backoff { .. } | StepState::Sleeping { .. } => true,
        StepState::InChild(child) => !(child.suspended && child.stopping.is_none()),
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Computing { .. }
        | StepState::Performing(_)
        | StepState::Stopping { .. }
        | StepState::Asking { .. }
        | StepState::Listening { .. }
        | StepState::Flowing(_)
        | StepState::Done { .. }
        | StepState::Failed { .. }
        | StepState::Skipped { .. } => false,
    };
    by_itself || is_in_flight(step)
}

fn is_in_flight(step: &Step) -> bool {
    matches!(
        step.state,
        StepState::Computing { .. } | StepState::Performing(_) | StepState::Stopping { .. }
    )
}

fn timers(run: &Run) -> Option<String> {
    if run.is_terminal() {
        return (!run.state.timers.is_empty()).then(|| "timers after the end".to_owned());
    }
    let said: BTreeSet<(Timestamp, Alarm)> =
        run.state.timers.iter().copied().filter(|(_, alarm)| *alarm != Alarm::Workflow).collect();
    let steps = run.state.steps.iter();
    let counted: BTreeSet<(Timestamp, Alarm)> =
        steps.filter_map(|step| Some((alarm(step)?, Alarm::Step(step.ix)))).collect();
    let limited = run.state.timers.iter().any(|(_, alarm)| *alarm == Alarm::Workflow);
    let running = match run.state.status {
        Status::Active => true,
        Status::Suspended(SuspendReason::Decision) => run.shape.wall,
        Status::Pending | Status::Suspended(SuspendReason::Timeout) | Status::Ended(_) => false,
    };
    let wants = run.shape.timeout.is_some() && running && run.state.ending.is_none();
    if said != counted {
        return Some(format!("timers are {said:?}, counted {counted:?}"));
    }
    (limited != wants).then(|| format!("the workflow's timer is set: {limited}, wanted: {wants}"))
}

fn alarm(step: &Step) -> Option<Timestamp> {
    let (own, limit) = match &step.state {
        StepState::Backoff { until, .. } => (Some(*until), None),
        StepState::Sleeping { until, .. } => (Some(*until), step.deadline),
        StepState::Asking { request, .. } => (request.timeout_at, step.deadline),
        StepState::Listening { .. } => (None, step.deadline),
        StepState::Flowing(flow) => (None, step.deadline.filter(|_| flow.stopping.is_none())),
        StepState::InChild(child) => (None, step.deadline.filter(|_| child.stopping.is_none())),
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Performing(_)
        | StepState::Stopping { .. }
        | StepState::Done { .. }
        | StepState::Failed { .. }
        | StepState::Skipped { .. } => (None, None),
    };
    [own, limit].into_iter().flatten().min()
}
