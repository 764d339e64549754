//! The disk of a simulated world: what is written stays; each commit is all or nothing.
//!
//! Keeps: typed events, one log a run; it folds each log as it grows, so that what is written can be judged at once.
//! Not here: when a write happens or whether it is answered (`world.rs`), the judgement itself (`judge.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opcode_driver::{AttemptKey, LoadedRun, OpenRun};
use opcode_engine::{Plan, Run, apply};
use opcode_model::commit::{CatalogKind, Commit, DecisionChange, InboxId, Position, RunRow};
use opcode_model::{Effect, Event, EventKind, Message, RunId, RunStatus, Seq};

use super::Mutant;
use super::judge::{Judge, Violation};

/// Everything on the disk.
pub(crate) struct Disk {
    pub(crate) runs: BTreeMap<RunId, Kept>,
    /// Definitions that a run may name, by hash; the catalog says which of them are there.
    plans: BTreeMap<[u8; 32], Arc<Plan>>,
    pub(crate) catalog: BTreeSet<Arc<str>>,
    messages: i64,
    mutant: Option<Mutant>,
}

/// One run on the disk.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) row: Option<Box<RunRow>>,
    pub(crate) events: Vec<Event>,
    pub(crate) snapshot: Option<(Seq, Arc<str>)>,
    pub(crate) inbox: Vec<(InboxId, Message)>,
    /// Open questions by id.
    pub(crate) open: BTreeSet<Arc<str>>,
    /// The fold of its events.
    pub(crate) run: Option<Run>,
    /// Attempts whose intent was written with a permit.
    pub(crate) intents: BTreeSet<AttemptKey>,
}

impl Disk {
    pub(crate) fn new(mutant: Option<Mutant>) -> Self {
        Self {
            runs: BTreeMap::new(),
            plans: BTreeMap::new(),
            catalog: BTreeSet::new(),
            messages: 0,
            mutant,
        }
    }

    pub(crate) fn knows(&mut self, plan: Arc<Plan>) {
        self.plans.insert(plan.hash.0, plan);
    }

    /// Where a run's log ends.
    pub(crate) fn end(&self, run: RunId) -> Position {
        let len = self.runs.get(&run).map_or(0, |kept| kept.events.len());
        Position { seq: Seq(len as u64), head: [0; 32] }
    }

    /// Whether a commit would be refused.
    pub(crate) fn is_stale(&self, commit: &Commit) -> bool {
        let checked = self.mutant != Some(Mutant::NoPositionCheck);
        checked && self.end(commit.run) != commit.after
    }

    /// Writes one commit, whole.
    pub(crate) fn write(&mut self, commit: &Commit, judge: &mut Judge) -> Result<(), Violation> {
        for write in &commit.catalog {
            if write.kind == CatalogKind::Definition {
                self.catalog.insert(write.key.clone());
            }
        }
        self.consume(commit, judge)?;
        if !commit.events.is_empty() {
            self.append(commit, judge)?;
        }
        let kept = self.runs.entry(commit.run).or_default();
        if let Some(row) = &commit.row {
            kept.row = Some(row.clone());
        }
        if let Some(text) = &commit.snapshot {
            kept.snapshot = Some((commit.last(), text.clone()));
        }
        for change in &commit.decisions {
            match change {
                DecisionChange::Opened { request, .. } => kept.open.insert(request.id.clone()),
                DecisionChange::Closed { id, .. } => kept.open.remove(id),
            };
        }
        for effect in &commit.effects {
            if let Effect::Perform(perform) = effect {
                kept.intents.insert(key_of(perform));
            }
        }
        judge.written(commit, kept)?;
        let lost = self.mutant == Some(Mutant::MessagesLost);
        for message in commit.messages.iter().filter(|_| !lost) {
            self.messages += 1;
            let inbox = &mut self.runs.entry(message.to).or_default().inbox;
            inbox.push((InboxId(self.messages), message.clone()));
        }
        Ok(())
    }

    fn consume(&mut self, commit: &Commit, judge: &mut Judge) -> Result<(), Violation> {
        let Some(kept) = self.runs.get_mut(&commit.run) else { return Ok(()) };
        let there: BTreeSet<InboxId> = kept.inbox.iter().map(|(id, _)| *id).collect();
        judge.consumed(commit, &there)?;
        if self.mutant != Some(Mutant::NothingConsumed) {
            kept.inbox.retain(|(id, _)| !commit.consumed.contains(id));
        }
        Ok(())
    }

    fn append(&mut self, commit: &Commit, judge: &mut Judge) -> Result<(), Violation> {
        let kept = self.runs.entry(commit.run).or_default();
        for event in commit.events.iter() {
            if kept.run.is_none()
                && let EventKind::WorkflowStarted(started) = &event.kind
                && let Some(plan) = self.plans.get(&started.definition.0)
            {
                kept.run = Some(Run::new(commit.run, plan));
            }
            let Some(run) = &mut kept.run else {
                return Err(Violation::new("I2", "a log does not begin with `workflow_started`"));
            };
            judge.event(run, event)?;
            apply(run, event);
        }
        kept.events.extend(commit.events.iter().cloned());
        Ok(())
    }

    /// A run for the driver.
    pub(crate) fn load(&self, run: RunId, whole: bool) -> LoadedRun {
        let Some(kept) = self.runs.get(&run) else { return LoadedRun::default() };
        let found = kept.row.as_ref().and_then(|row| {
            let plan = self.plans.get(&row.definition.0)?;
            Some((plan.clone(), row.clone()))
        });
        let snapshot = kept.snapshot.clone().filter(|_| !whole);
        let mut from = snapshot.as_ref().map_or(0, |(seq, _)| seq.0 as usize);
        if self.mutant == Some(Mutant::LoadSkipsAnEvent) && snapshot.is_some() {
            from = (from + 1).min(kept.events.len());
        }
        LoadedRun {
            found,
            position: self.end(run),
            snapshot,
            events: kept.events[from..].to_vec(),
            deliveries: kept.inbox.clone(),
        }
    }

    /// What recovery finds.
    pub(crate) fn open(&self) -> Vec<OpenRun> {
        let forgets = |mutant| self.mutant == Some(mutant);
        let open = self.runs.iter().filter_map(|(run, kept)| {
            let waits = !kept.inbox.is_empty();
            let (due_at, busy) = match kept.row.as_deref() {
                Some(row) if row.status.is_terminal() => return None,
                Some(row) => (row.due_at, row.in_flight),
                None => (None, false),
            };
            let urgent = busy && !forgets(Mutant::InFlightForgotten)
                || waits && !forgets(Mutant::InboxForgotten);
            let due_at = due_at.filter(|_| !forgets(Mutant::TimersForgotten));
            (urgent || kept.row.is_some()).then_some(OpenRun { run: *run, due_at, urgent })
        });
        open.collect()
    }

    /// Whether a signal with this mark is in a run's log.
    pub(crate) fn has_signal(&self, run: RunId, mark: &str) -> bool {
        let events = self.runs.get(&run).map_or(&[][..], |kept| &kept.events);
        events.iter().any(|event| {
            let EventKind::SignalReceived(signal) = &event.kind else { return false };
            signal.reasoning.as_deref() == Some(mark) || signal.id.as_deref() == Some(mark)
        })
    }

    /// Whether a run has been told to cancel.
    pub(crate) fn is_cancelled(&self, run: RunId) -> bool {
        let run = self.runs.get(&run).and_then(|kept| kept.run.as_ref());
        let ending = run.and_then(|run| run.state.ending.as_ref()).map(|ending| ending.status);
        ending == Some(RunStatus::Cancelled)
            || run.is_some_and(|run| run.status() == RunStatus::Cancelled)
    }
}

pub(crate) fn key_of(perform: &opcode_model::Perform) -> AttemptKey {
    AttemptKey { run: perform.run, step: perform.step.ix, attempt: perform.attempt }
}
