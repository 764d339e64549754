//! One run of the original as a history of ours, that folds to exactly where it ended.
//!
//! Keeps: an event becomes ours where the run, as folded so far, has its step and can take it; else it stays as it was
//! written, in its place; the outcome of a step is what the original's row of it says.
//! Not here: which rows these are (`mod.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_engine::{FlowKind, Plan, Run, Step, WorkPlan, apply};
use opcode_model::event::{
    Completed, ConditionEvaluated, ContextUpdate, Failed, Iteration, Nothing, Original,
    ParallelStarted, Reason, SkipReason, Started, StepCompleted, StepFailed, StepSkipped,
    StepStarted, Work,
};
use opcode_model::limits::{LOOP_ITERATIONS_MAX, RUN_STEPS_MAX};
use opcode_model::{
    ErrorCode, Event, EventKind, Failure, Object, RunId, RunStatus, StepIx, StepStatus, Timestamp,
    Value,
};

use super::cells::{failure, json, moment, text};

/// What the original knows of one run.
pub(super) struct Rows {
    /// Its row of `workflows`.
    pub(super) run: Object,
    /// Of `events`.
    pub(super) events: Vec<Object>,
    /// Of `step_state`.
    pub(super) steps: Vec<Object>,
    /// Of `workflow_context`.
    pub(super) context: Option<Object>,
}

/// A history on its way.
pub(super) struct History {
    run: Run,
    plan: Arc<Plan>,
    events: Vec<Event>,
    /// The last moment that was told.
    at: Timestamp,
    steps: BTreeMap<Arc<str>, Object>,
}

impl History {
    /// Tells all of a run. What is unfinished ends at `now`.
    pub(super) fn tell(
        id: RunId,
        plan: Arc<Plan>,
        started: Started,
        rows: Rows,
        now: Timestamp,
    ) -> (Run, Vec<Event>) {
        let begun = ["started_at", "created_at"].iter().find_map(|name| moment(&rows.run, name));
        let own = |step: Object| Some((text(&step, "step_id")?, step));
        let mut history = Self {
            run: Run::new(id, &plan),
            plan,
            events: Vec::new(),
            at: begun.unwrap_or(now),
            steps: rows.steps.into_iter().filter_map(own).collect(),
        };
        history.push(EventKind::WorkflowStarted(Box::new(started)));
        let mut events = rows.events;
        events.sort_by_key(|event| event.find("sequence").and_then(Value::as_i64));
        for event in &events {
            history.take(event);
        }
        if let Some(context) = &rows.context {
            let (data, agent_notes) =
                (json(context, "accumulated_data"), text(context, "agent_notes"));
            history.push(EventKind::ContextUpdated(ContextUpdate { data, agent_notes }));
        }
        history.end_steps();
        history.end(&rows.run, now);
        (history.run, history.events)
    }

    fn push(&mut self, kind: EventKind) {
        let event = Event { at: self.at, kind };
        apply(&mut self.run, &event);
        self.events.push(event);
    }

    /// One event of the original.
    fn take(&mut self, event: &Object) {
        self.at = moment(event, "timestamp").unwrap_or(self.at);
        let event_type = text(event, "event_type").unwrap_or_default();
        let step_id = text(event, "step_id");
        let payload = json(event, "payload");
        let step = step_id.as_deref().and_then(|path| self.run.by_path(path));
        let ours = match (&*event_type, step) {
            // There is one already, and what came later was no start.
            ("workflow_started", _) if self.events.len() == 1 => return,
            (name, Some(ix)) => self.step_event(name, ix, &payload),
            (_, None) => None,
        };
        let kept = || EventKind::OriginalEvent(Box::new(Original { event_type, step_id, payload }));
        self.push(ours.unwrap_or_else(kept));
    }

    /// An event of a step the run has; nothing, if it cannot be told here.
    fn step_event(&self, name: &str, ix: StepIx, payload: &Value) -> Option<EventKind> {
        let step = self.run.find(ix)?;
        let is_open = step.attempt > 0 && !step.is_settled();
        match name {
            "step_started" if !step.is_settled() => Some(self.started(step)),
            "step_completed" | "step_failed" | "step_skipped" if !step.is_settled() => {
                let said = self.outcome(step).filter(|said| said.name() == name);
                said.or_else(|| self.bare_outcome(name, step, payload))
            }
            "condition_evaluated" if is_open => self.chosen(step, payload),
            "loop_iter_started" if is_open => self.iteration(step, payload),
            "parallel_started" if is_open => self.branches(step),
            "step_suspended" => Some(EventKind::StepSuspended(self.run.name(ix), Nothing)),
            "loop_completed" => Some(EventKind::LoopCompleted(self.run.name(ix), Nothing)),
            "parallel_completed" => Some(EventKind::ParallelCompleted(self.run.name(ix), Nothing)),
            _ => None,
        }
    }

    fn started(&self, step: &Step) -> EventKind {
        let node = self.plan.shape.node(self.run.node_of(step));
        let work = match (node.flow, &node.action) {
            (FlowKind::None, Some(_)) => Work::Perform,
            (FlowKind::None, None) => Work::Wait,
            (FlowKind::Condition | FlowKind::Loop | FlowKind::All | FlowKind::Race, _) => {
                Work::Flow
            }
        };
        let input = self.steps.get(&step.path).map(|row| json(row, "input")).unwrap_or_default();
        let (attempt, secrets, deadline) = (step.attempt.saturating_add(1), Vec::new(), None);
        let started = StepStarted { work, attempt, input, secrets, deadline };
        EventKind::StepStarted(self.run.name(step.ix), started)
    }

    /// How a step ended, if its row says that it did.
    fn outcome(&self, step: &Step) -> Option<EventKind> {
        let (name, row) = (self.run.name(step.ix), self.steps.get(&step.path)?);
        match text(row, "status").as_deref().and_then(StepStatus::parse)? {
            StepStatus::Completed => {
                let output = json(row, "output");
                Some(EventKind::StepCompleted(name, StepCompleted { output }))
            }
            StepStatus::Failed => {
                let error = failure(&json(row, "error"), "it failed, and nothing says why");
                Some(EventKind::StepFailed(name, Box::new(StepFailed { error })))
            }
            StepStatus::Skipped => {
                let (reason, detail) =
                    (SkipReason::Stopped, Some("the original skipped it".into()));
                Some(EventKind::StepSkipped(name, StepSkipped { reason, detail }))
            }
            StepStatus::Pending
            | StepStatus::Scheduled
            | StepStatus::Running
            | StepStatus::Suspended
            | StepStatus::Retrying => None,
        }
    }

    /// The same where the row is missing or says something else; of the body of a loop, for one, that ran again.
    fn bare_outcome(&self, name: &str, step: &Step, payload: &Value) -> Option<EventKind> {
        let (of, error) =
            (self.run.name(step.ix), || failure(payload, "it failed, and nothing says why"));
        match name {
            "step_completed" => {
                let output = payload.find("output").cloned().unwrap_or_default();
                Some(EventKind::StepCompleted(of, StepCompleted { output }))
            }
            "step_failed" => {
                Some(EventKind::StepFailed(of, Box::new(StepFailed { error: error() })))
            }
            "step_skipped" => {
                let skipped = StepSkipped { reason: SkipReason::Stopped, detail: None };
                Some(EventKind::StepSkipped(of, skipped))
            }
            _ => None,
        }
    }

    fn chosen(&self, step: &Step, payload: &Value) -> Option<EventKind> {
        let flow = step.flow()?;
        let work = &self.plan.steps.get(self.run.node_of(step).0 as usize)?.work;
        let WorkPlan::Condition(plan) = work else { return None };
        if flow.kind != FlowKind::Condition || !flow.frames.is_empty() || self.is_full() {
            return None;
        }
        let member = |name: &str| payload.find(name).map(Value::to_text).unwrap_or_default();
        let result: Arc<str> = member("result").into();
        let named = plan.branches.get(&result).map(|slot| (*slot, result.clone()));
        let chosen = named.or_else(|| plan.default.map(|slot| (slot, "default".into())));
        let (slot, branch) = chosen.unzip();
        let expression = member("expression").into();
        let evaluated = ConditionEvaluated { expression, result, branch, slot };
        Some(EventKind::ConditionEvaluated(self.run.name(step.ix), evaluated))
    }

    fn iteration(&self, step: &Step, payload: &Value) -> Option<EventKind> {
        let flow = step.flow().filter(|flow| flow.kind == FlowKind::Loop)?;
        let told = payload.find("iteration").and_then(Value::as_i64)?;
        let iteration = u32::try_from(told).ok()?;
        if iteration != flow.looping.next || iteration >= LOOP_ITERATIONS_MAX || self.is_full() {
            return None;
        }
        let item = payload.find("item").cloned().unwrap_or_default();
        let iteration = Iteration { iteration, item, last: false };
        Some(EventKind::LoopIterStarted(self.run.name(step.ix), iteration))
    }

    fn branches(&self, step: &Step) -> Option<EventKind> {
        let flow = step.flow().filter(|flow| flow.frames.is_empty() && !self.is_full())?;
        let mode = match flow.kind {
            FlowKind::All => "all",
            FlowKind::Race => "race",
            FlowKind::None | FlowKind::Condition | FlowKind::Loop => return None,
        };
        let bodies = self.plan.shape.node(self.run.node_of(step)).bodies.len();
        let started = ParallelStarted { mode: mode.into(), branches: u32::try_from(bodies).ok()? };
        Some(EventKind::ParallelStarted(self.run.name(step.ix), started))
    }

    /// Whether the run has come to as many steps as one may.
    fn is_full(&self) -> bool {
        self.run.state.steps.len() >= RUN_STEPS_MAX
    }

    /// Steps whose end no event told; those that were going on do so no more.
    fn end_steps(&mut self) {
        let open: Vec<StepIx> = self
            .run
            .state
            .steps
            .iter()
            .filter(|step| !step.is_settled())
            .map(|step| step.ix)
            .collect();
        for ix in open {
            let step = self.run.step(ix);
            let row = self.steps.get(&step.path);
            let ended = self.outcome(step).or_else(|| {
                let status = row.and_then(|row| text(row, "status")).unwrap_or_default();
                let detail = Some(format!("the original left it `{status}`").into());
                let skipped = StepSkipped { reason: SkipReason::Stopped, detail };
                (step.attempt > 0).then(|| EventKind::StepSkipped(self.run.name(ix), skipped))
            });
            let Some(ended) = ended else { continue };
            let at = row.and_then(|row| moment(row, "completed_at"));
            self.at = at.unwrap_or(self.at).max(self.at);
            self.push(ended);
        }
    }

    /// How the run ended.
    fn end(&mut self, row: &Object, now: Timestamp) {
        let status = text(row, "status").unwrap_or_default();
        let error = json(row, "error");
        let kind = match RunStatus::parse(&status) {
            Some(RunStatus::Completed) => {
                EventKind::WorkflowCompleted(Completed { output: json(row, "output") })
            }
            Some(RunStatus::Failed) => {
                let error = failure(&error, "it failed, and nothing says why");
                EventKind::WorkflowFailed(Failed { error })
            }
            Some(RunStatus::Cancelled) => {
                let reason = failure(&error, "cancelled").message;
                EventKind::WorkflowCancelled(Reason { reason })
            }
            Some(RunStatus::Pending | RunStatus::Active | RunStatus::Suspended) | None => {
                return self.interrupt(&status, now);
            }
        };
        let ended = ["completed_at", "updated_at"].iter().find_map(|name| moment(row, name));
        self.at = ended.unwrap_or(self.at);
        self.push(kind);
    }

    fn interrupt(&mut self, status: &str, now: Timestamp) {
        let reason = format!("it was `{status}` when its database was taken over");
        self.at = now;
        self.push(EventKind::WorkflowInterrupted(Reason { reason: reason.as_str().into() }));
        let error = Failure::new(ErrorCode::Interrupted, reason);
        self.push(EventKind::WorkflowFailed(Failed { error }));
    }
}
