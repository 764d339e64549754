//! The third verb: what did happen, folded into the run. It cannot fail, and it decides nothing.
//!
//! Keeps: a transition is one arm; what follows from it for others (`settle`) is bookkeeping, not choice.
//! Not here: whether it should have happened (`decide`).

mod frames;
mod settle;

use std::sync::Arc;

use opcode_model::action::OnInterrupted;
use opcode_model::event::{
    ConditionEvaluated, ContextUpdate, DecisionRequest, Ending, Nothing, Retrying, Started,
    StepStarted, Stopping, SuspendReason, WaitStarted, Work,
};
use opcode_model::{
    Event, EventKind, Failure, RunStatus, Signal, SignalKind, StepIx, StepRef, Timestamp, Value,
};

use crate::run::{Alarm, Child, Flow, Intent, Mail, Run, Status, Step, StepState, Todo};

/// Folds one event into the run.
#[expect(clippy::too_many_lines, reason = "one flat match over every event")]
pub fn apply(run: &mut Run, event: &Event) {
    run.state.seq.0 += 1;
    let at = event.at;
    match &event.kind {
        EventKind::WorkflowStarted(started) => begin(run, at, started),
        EventKind::WorkflowSuspended(suspended) => suspend(run, at, suspended.reason),
        EventKind::WorkflowResumed(Nothing) => resume(run, at),
        EventKind::WorkflowTimedOut(_) => set_workflow_alarm(run, None),
        EventKind::WorkflowEnding(ending) => end(run, ending),
        EventKind::WorkflowCompleted(done) => {
            run.state.output = done.output.clone();
            finish(run, at, RunStatus::Completed);
        }
        EventKind::WorkflowFailed(failed) => {
            run.state.error = Some(failed.error.clone());
            finish(run, at, RunStatus::Failed);
        }
        EventKind::WorkflowCancelled(reason) => {
            run.state.error = Some(cancelled(&reason.reason));
            finish(run, at, RunStatus::Cancelled);
        }
        EventKind::HookStarted(hook) => {
            run.state.hook = Some(frames::open_hook(run, &hook.hook, hook.body));
        }
        EventKind::ContextUpdated(update) => update_context(run, update),
        EventKind::SignalReceived(signal) => receive(run, signal),
        EventKind::StepStarted(step, started) => start_step(run, at, step, started),
        EventKind::StepCompleted(step, done) => {
            end_step(run, at, step.ix, StepState::Done { output: done.output.clone() });
        }
        EventKind::StepFailed(step, failed) => {
            end_step(run, at, step.ix, StepState::Failed { error: Arc::new(failed.error.clone()) });
        }
        EventKind::StepSkipped(step, skipped) => {
            let (reason, detail) = (skipped.reason, skipped.detail.clone());
            end_step(run, at, step.ix, StepState::Skipped { reason, detail });
        }
        EventKind::StepStopping(step, stopping) => stop_step(run, step.ix, stopping),
        EventKind::StepReset(step, reset) => settle::revive(run, step.ix, reset.generation),
        EventKind::StepRetrying(step, retrying) => back_off(run, step, retrying),
        EventKind::StepFallback(step, _) => run.change(step.ix, |step| step.rescued = true),
        EventKind::DecisionRequested(step, request) => ask(run, at, step.ix, request),
        EventKind::DecisionResolved(step, _)
        | EventKind::DecisionCancelled(step, _)
        | EventKind::ChildFinished(step, _) => {
            run.change(step.ix, |step| {
                step.state = StepState::Begun;
                step.in_doubt &= !matches!(event.kind, EventKind::DecisionResolved(..));
            });
        }
        EventKind::ConditionEvaluated(step, evaluated) => choose(run, step.ix, evaluated),
        EventKind::LoopIterStarted(step, iteration) => {
            frames::open_iteration(run, step.ix, (iteration.item.clone(), iteration.iteration));
        }
        EventKind::LoopIterCompleted(step, iteration) => {
            settle::note_iteration(run, step.ix, iteration.iteration, iteration.last);
        }
        EventKind::ParallelStarted(step, started) => {
            for slot in 0..started.branches {
                frames::open_branch(run, step.ix, slot, &format!("branch_{slot}"), None);
            }
        }
        EventKind::WaitStarted(step, wait) => begin_wait(run, at, step.ix, wait),
        EventKind::WaitCompleted(step, Nothing) => take_mail(run, step.ix),
        EventKind::ChildStarted(step, child) => {
            let child = Child { run: child.workflow_id, suspended: false, stopping: None };
            run.change(step.ix, |step| step.state = StepState::InChild(Box::new(child)));
        }
        EventKind::ChildSuspended(step, Nothing) => set_child_suspended(run, step.ix, true),
        EventKind::ChildResumed(step, Nothing) => set_child_suspended(run, step.ix, false),
        EventKind::StepInterrupted(step, interrupted) => {
            let in_doubt = interrupted.policy != OnInterrupted::Retry;
            run.change(step.ix, |step| step.in_doubt = in_doubt);
        }
        EventKind::WorkflowInterrupted(_)
        | EventKind::OriginalEvent(_)
        | EventKind::StepSuspended(..)
        | EventKind::StepRetryAttempt(..)
        | EventKind::ErrorHandlerInvoked(..)
        | EventKind::StepIgnored(..)
        | EventKind::LoopCompleted(..)
        | EventKind::ParallelCompleted(..)
        | EventKind::MessageLogged(..)
        | EventKind::EventEmitted(..)
        | EventKind::AgentNotified(..)
        | EventKind::CircuitBreakerOpen(..)
        | EventKind::CircuitBreakerHalfOpen(..)
        | EventKind::CircuitBreakerClosed(..) => {}
    }
    run.tidy_agenda();
}

/// What a cancelled run shows as its error.
fn cancelled(reason: &Arc<str>) -> Failure {
    let details = Value::object([("reason", Value::from(reason.clone()))]);
    Failure::new(opcode_model::ErrorCode::Cancelled, reason.clone()).with_details(details)
}

fn stop_step(run: &mut Run, ix: StepIx, stopping: &Stopping) {
    run.change(ix, |step| {
        let why = (stopping.because, stopping.error.clone());
        if let StepState::Flowing(flow) = &mut step.state {
            flow.stopping = Some(why);
        } else if let StepState::InChild(child) = &mut step.state {
            child.stopping = Some(why);
        } else {
            step.state = StepState::Stopping { because: stopping.because };
        }
    });
    settle::look_at_flow(run, ix);
}

fn ask(run: &mut Run, since: Timestamp, ix: StepIx, request: &DecisionRequest) {
    let request = Arc::new(request.clone());
    run.change(ix, |step| {
        let intent = take_intent(step);
        step.state = StepState::Asking { request, since, intent };
    });
}

fn choose(run: &mut Run, ix: StepIx, evaluated: &ConditionEvaluated) {
    run.change(ix, |step| {
        if let StepState::Flowing(flow) = &mut step.state {
            flow.key = evaluated.branch.as_ref().unwrap_or(&evaluated.result).clone();
        }
    });
    if let (Some(slot), Some(branch)) = (evaluated.slot, &evaluated.branch) {
        frames::open_branch(run, ix, slot, branch, None);
    }
}

fn begin(run: &mut Run, at: Timestamp, started: &Started) {
    run.state.started = Some(Box::new(started.clone()));
    run.state.started_at = at;
    run.state.status = Status::Active;
    run.state.context = run.shape.context.clone();
    run.state.clock.start(at);
    wind_clock(run);
    frames::open_top(run);
}

fn wind_clock(run: &mut Run) {
    let ends = run.shape.timeout.and_then(|limit| run.state.clock.ends(limit));
    set_workflow_alarm(run, ends.filter(|_| run.state.ending.is_none()));
}

fn set_workflow_alarm(run: &mut Run, due: Option<Timestamp>) {
    if let Some(before) = std::mem::replace(&mut run.state.limit_at, due) {
        run.state.timers.remove(&(before, Alarm::Workflow));
    }
    run.state.timers.extend(due.map(|due| (due, Alarm::Workflow)));
}

fn suspend(run: &mut Run, at: Timestamp, reason: SuspendReason) {
    run.state.status = Status::Suspended(reason);
    match reason {
        SuspendReason::Timeout => {
            run.state.clock.reset();
            set_workflow_alarm(run, None);
        }
        SuspendReason::Decision if !run.shape.wall => {
            run.state.clock.stop(at);
            set_workflow_alarm(run, None);
        }
        SuspendReason::Decision => {}
    }
}

fn resume(run: &mut Run, at: Timestamp) {
    run.state.status = Status::Active;
    run.state.clock.start(at);
    wind_clock(run);
}

fn end(run: &mut Run, ending: &Ending) {
    run.state.ending = Some(Box::new(ending.clone()));
    set_workflow_alarm(run, None);
    let top_is_over = run.state.frames.first().is_some_and(|frame| frame.open == 0);
    if top_is_over && !run.state.agenda.contains(&Todo::Outcome) {
        run.state.agenda.push_back(Todo::Outcome);
    }
}

fn finish(run: &mut Run, at: Timestamp, status: RunStatus) {
    run.state.status = Status::Ended(status);
    run.state.completed_at = Some(at);
    run.state.agenda.clear();
    run.state.timers.clear();
    run.state.mailbox.clear();
}

fn update_context(run: &mut Run, update: &ContextUpdate) {
    if let (Some(own), Some(new)) = (run.state.context.as_object(), update.data.as_object()) {
        run.state.context = Value::Object(own.merged(new));
    }
    if update.agent_notes.is_some() {
        run.state.agent_notes = update.agent_notes.clone();
    }
}

/// How many ids of signals are remembered.
const SEEN_MAX: usize = 1_000;

fn receive(run: &mut Run, signal: &Signal) {
    if let Some(id) = &signal.id {
        run.state.seen.push_back(id.clone());
        if run.state.seen.len() > SEEN_MAX {
            run.state.seen.pop_front();
        }
    }
    if signal.kind == SignalKind::Data {
        run.state.mailbox.push_back(Mail {
            step_id: signal.step_id.clone(),
            name: signal.name.clone(),
            payload: signal.payload.clone(),
        });
    }
}

fn start_step(run: &mut Run, at: Timestamp, step: &StepRef, started: &StepStarted) {
    let kind = run.shape.node(run.node_of(run.step(step.ix))).flow;
    let state = match started.work {
        Work::Compute => StepState::Computing { input: started.input.clone() },
        Work::Perform => StepState::Performing(Box::new(Intent {
            input: started.input.clone(),
            secrets: started.secrets.clone(),
        })),
        Work::Flow => {
            let items = started.input.find("items").cloned().unwrap_or_default();
            StepState::Flowing(Box::new(Flow::new(kind, items)))
        }
        Work::Wait | Work::Ask => StepState::Begun,
    };
    run.change(step.ix, |step| {
        step.attempt = started.attempt;
        step.in_doubt = false;
        step.started_at.get_or_insert(at);
        step.deadline = started.deadline;
        step.state = state;
    });
    settle::look_at_flow(run, step.ix);
}

fn end_step(run: &mut Run, at: Timestamp, ix: StepIx, state: StepState) {
    run.change(ix, |step| {
        step.state = state;
        step.deadline = None;
        step.ended_at = Some(at);
    });
    settle::settle(run, ix);
}

fn take_intent(step: &mut Step) -> Option<Box<Intent>> {
    match std::mem::replace(&mut step.state, StepState::Begun) {
        StepState::Performing(intent) => Some(intent),
        StepState::Backoff { intent, .. } | StepState::Asking { intent, .. } => intent,
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Stopping { .. }
        | StepState::Sleeping { .. }
        | StepState::Listening { .. }
        | StepState::Flowing(_)
        | StepState::InChild(_)
        | StepState::Done { .. }
        | StepState::Failed { .. }
        | StepState::Skipped { .. } => None,
    }
}

fn back_off(run: &mut Run, step: &StepRef, retrying: &Retrying) {
    let (until, error) = (retrying.until, Arc::new(retrying.error.clone()));
    run.change(step.ix, |step| {
        let intent = take_intent(step);
        step.retries += 1;
        step.deadline = None;
        step.state = StepState::Backoff { until, error, intent };
    });
}

fn begin_wait(run: &mut Run, at: Timestamp, ix: StepIx, wait: &WaitStarted) {
    let state = match wait.until {
        Some(until) => StepState::Sleeping { since: at, until },
        None => StepState::Listening { signal: wait.signal.clone() },
    };
    run.change(ix, |step| step.state = state);
}

fn take_mail(run: &mut Run, ix: StepIx) {
    if let Some(at) = run.mail_for(ix) {
        run.state.mailbox.remove(at);
    }
}

fn set_child_suspended(run: &mut Run, ix: StepIx, suspended: bool) {
    run.change(ix, |step| {
        if let StepState::InChild(child) = &mut step.state {
            child.suspended = suspended;
        }
    });
}

impl Run {
    /// The first early signal that a listening step would take.
    pub(crate) fn mail_for(&self, ix: StepIx) -> Option<usize> {
        let step = self.step(ix);
        let StepState::Listening { signal } = &step.state else { return None };
        self.mail_matching(&step.path, signal)
    }

    /// The first early signal for a step of this path, or of this name.
    pub(crate) fn mail_matching(&self, path: &str, signal: &str) -> Option<usize> {
        self.state.mailbox.iter().position(|mail| match (&mail.step_id, &mail.name) {
            (Some(step), _) => step.as_ref() == path,
            (None, Some(name)) => !signal.is_empty() && name.as_ref() == signal,
            (None, None) => false,
        })
    }

    /// Changes one step and keeps every count and timer in step with it.
    pub(crate) fn change(&mut self, ix: StepIx, change: impl FnOnce(&mut Step)) {
        let state = &mut self.state;
        let step = &mut state.steps[ix.at()];
        let before = Facts::of(step);
        change(step);
        let after = Facts::of(step);
        let frame = &mut state.frames[step.frame.0 as usize];
        shift(&mut state.moving, before.weight.0, after.weight.0);
        shift(&mut state.in_flight, before.weight.1, after.weight.1);
        shift(&mut state.open_decisions, before.asking, after.asking);
        shift(&mut state.suspended_children, before.child, after.child);
        shift(&mut frame.stopping, before.stopping, after.stopping);
        match (before.attends, after.attends) {
            (false, true) => drop(state.attentive.insert(ix)),
            (true, false) => drop(state.attentive.remove(&ix)),
            (true, true) | (false, false) => {}
        }
        if before.alarm != after.alarm {
            if let Some(due) = before.alarm {
                state.timers.remove(&(due, Alarm::Step(ix)));
            }
            state.timers.extend(after.alarm.map(|due| (due, Alarm::Step(ix))));
        }
    }
}

fn shift(count: &mut u32, before: u32, after: u32) {
    *count = *count + after - before;
}

/// What counts and timers see of a step.
struct Facts {
    weight: (u32, u32),
    asking: u32,
    attends: bool,
    child: u32,
    stopping: u32,
    alarm: Option<Timestamp>,
}

impl Facts {
    fn of(step: &Step) -> Self {
        let suspended = step.child().is_some_and(Child::waits);
        Self {
            weight: step.weight(),
            asking: u32::from(step.asks().is_some()),
            attends: step.asks().is_some() || step.listens_for().is_some(),
            child: u32::from(suspended),
            stopping: u32::from(step.is_stopping()),
            alarm: step.alarm(),
        }
    }
}
