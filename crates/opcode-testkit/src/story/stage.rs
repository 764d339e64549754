//! A stage: one run, its log, its clock, and the account of what the world owes it.
//!
//! Keeps: it advances a run as the driver does (compute, proceed, timers), and after every decision checks
//! that `outstanding` and every counter agree with an account kept apart.
//! Not here: text (`play.rs`), commits and slots (`opcode-driver`).

use std::collections::VecDeque;
use std::sync::Arc;

use opcode_engine::{Outstanding, Plan, Refusal, Run, Status, apply, decide, outstanding};
use opcode_model::event::SuspendReason;
use opcode_model::{
    Actions, Compute, Decision, Event, EventKind, Input, InputKind, RunId, StepIx, StepRef,
    Timestamp,
};

use super::catalog::StoryActions;
use super::ledger::{Ledger, moves};
use super::transitions::{Transitions, state_name};

/// Decisions without an outside input after which a run is taken to go in circles.
const DECISIONS_MAX: usize = 500_000;

/// One run, driven by hand.
#[derive(Debug)]
pub struct Stage {
    /// What runs.
    pub plan: Arc<Plan>,
    /// The run.
    pub run: Run,
    /// Everything that happened to it.
    pub log: Vec<Event>,
    /// What its clock reads.
    pub now: Timestamp,
    /// Everything found wrong so far; a story or property with any fails.
    pub defects: Vec<String>,
    /// Transitions seen.
    pub seen: Transitions,
    /// Pure work not yet answered, oldest first.
    pub compute: VecDeque<Compute>,
    ledger: Ledger,
}

impl Stage {
    /// A run before its first event.
    pub fn new(plan: Arc<Plan>, id: RunId, now: Timestamp) -> Self {
        Self {
            run: Run::new(id, &plan),
            plan,
            log: Vec::new(),
            now,
            defects: Vec::new(),
            seen: Transitions::default(),
            compute: VecDeque::new(),
            ledger: Ledger::default(),
        }
    }

    /// One input; what was decided is applied.
    ///
    /// # Errors
    /// The refusal; the run is unchanged then.
    pub fn give(&mut self, kind: InputKind) -> Result<Decision, Refusal> {
        let over = self.run.is_terminal();
        let proceeds = matches!(kind, InputKind::Proceed) && self.run.is_ready();
        let input = Input { at: self.now, kind };
        let decision = decide(&self.plan, &self.run, &input)?;
        for event in &decision.events {
            self.apply(event);
        }
        self.compute.extend(decision.compute.iter().cloned());
        self.ledger.note(&input.kind, &decision);
        self.defects.extend(self.ledger.defects(&self.run));
        if over && !decision.events.is_empty() {
            self.defects.push(format!("events after the end: {:?}", decision.events));
        }
        if proceeds && decision.events.is_empty() {
            self.defects.push("it is ready but says nothing".to_owned());
        }
        Ok(decision)
    }

    fn apply(&mut self, event: &Event) {
        let step = event.kind.step().map(|step| step.ix);
        let name = |run: &Run| step.and_then(|ix| run.find(ix)).map(|step| state_name(&step.state));
        let from = name(&self.run);
        if let EventKind::StepStarted(step, _) = &event.kind
            && self.is_being_stopped(step.ix)
        {
            self.defects.push(format!("{step} begins in what is being stopped"));
        }
        apply(&mut self.run, event);
        if let (Some(from), Some(to)) = (from, name(&self.run)) {
            self.seen.note(&event.kind, from, to);
        }
        self.log.push(event.clone());
    }

    /// Whether anything around a step was told to stop, or the run is ending and the step is not its hook's.
    fn is_being_stopped(&self, ix: StepIx) -> bool {
        let run = &self.run;
        let mut frame = run.frame(run.step(ix).frame);
        while let Some(owner) = frame.owner {
            let owner = run.step(owner);
            if owner.is_stopping() {
                return true;
            }
            frame = run.frame(owner.frame);
        }
        run.state.ending.is_some() && frame.body.0 == 0
    }

    /// A run is suspended exactly while somebody is asked and nothing moves by itself.
    fn status_defect(&self) -> Option<String> {
        let steps = || self.run.state.steps.iter();
        let asks = steps().any(|step| {
            step.asks().is_some()
                || step.child().is_some_and(|child| child.suspended && child.stopping.is_none())
        });
        let wanted = if asks && !steps().any(moves) {
            Status::Suspended(SuspendReason::Decision)
        } else {
            Status::Active
        };
        let settled =
            self.run.started().is_some() && !self.run.is_terminal() && !self.run.is_paused();
        let status = self.run.state.status;
        (settled && status != wanted).then(|| format!("it is {status:?}, but should be {wanted:?}"))
    }

    /// The next thing to do without outside input, as the driver would do it; `None` if there is nothing.
    pub fn advance(&mut self) -> Option<Decision> {
        let kind = if let Some(Compute { step, attempt, action, params }) = self.compute.pop_front()
        {
            let answer = StoryActions.compute(&action, &params);
            InputKind::Computed { step: step.ix, attempt, answer }
        } else if self.run.is_ready() {
            InputKind::Proceed
        } else if self.run.due_at().is_some_and(|due| due <= self.now) {
            InputKind::TimerDue
        } else {
            return None;
        };
        // An answer to work that was meanwhile stopped is stale; that is no defect.
        Some(self.give(kind).unwrap_or_default())
    }

    /// Everything there is to do without outside input.
    pub fn settle(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while self.defects.is_empty()
            && let Some(decision) = self.advance()
        {
            decisions.push(decision);
            if decisions.len() > DECISIONS_MAX {
                self.defects.push("it goes in circles".to_owned());
            }
        }
        self.defects.extend(self.status_defect());
        if self.is_stuck() {
            self.defects.push(format!("stuck: {:?}", self.run.state));
        }
        decisions
    }

    /// Nothing is under way, nothing is awaited, and yet it is not over.
    fn is_stuck(&self) -> bool {
        let waits = self
            .run
            .state
            .steps
            .iter()
            .any(|step| matches!(state_name(&step.state), "Listening" | "InChild" | "Asking"));
        self.run.started().is_some()
            && !self.run.is_terminal()
            && !self.run.is_paused()
            && !self.run.is_ready()
            && outstanding(&self.run) == Outstanding::default()
            && self.run.state.timers.is_empty()
            && !waits
    }

    /// The process is gone: the run is folded again from its log, also by way of a snapshot after `cut` events.
    pub fn recover(&mut self, cut: usize) -> Outstanding {
        let mut folded = Run::new(self.run.id, &self.plan);
        let mut kept = None;
        for (i, event) in self.log.iter().enumerate() {
            if i == cut {
                kept = folded.snapshot().and_then(|t| Run::restore(self.run.id, &self.plan, &t));
                if kept.is_none() {
                    self.defects.push("a snapshot does not read back".to_owned());
                }
            }
            apply(&mut folded, event);
            if let Some(kept) = &mut kept {
                apply(kept, event);
            }
        }
        let live = format!("{:?}", self.run.state);
        for (how, run) in [("folded", Some(&folded)), ("restored", kept.as_ref())] {
            if run.is_some_and(|run| format!("{:?}", run.state) != live) {
                self.defects
                    .push(format!("{how} state differs\n{live}\n{:?}", run.map(|r| &r.state)));
            }
        }
        self.run = kept.unwrap_or(folded);
        let owed = outstanding(&self.run);
        self.compute = owed.compute.iter().cloned().collect();
        owed
    }

    /// Events after the first `keep` were never committed: they did not happen.
    pub fn lose(&mut self, keep: usize) -> Outstanding {
        self.log.truncate(keep);
        self.run = Run::new(self.run.id, &self.plan);
        for event in &self.log {
            apply(&mut self.run, event);
        }
        let owed = outstanding(&self.run);
        self.compute = owed.compute.iter().cloned().collect();
        self.ledger = Ledger::of(&owed);
        self.defects.extend(self.ledger.defects(&self.run));
        owed
    }

    /// A step by full path.
    pub fn step(&self, path: &str) -> Option<StepRef> {
        self.run.by_path(path).map(|ix| self.run.name(ix))
    }
}
