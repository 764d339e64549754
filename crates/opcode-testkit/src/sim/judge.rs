//! The invariants: what must hold after every write, every effect and every reply.
//!
//! Keeps: it sees only what is on disk and what the world saw; it asks the driver nothing.
//! Not here: what a run comes to (`oracle.rs`), whether all comes to rest (`world.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use opcode_driver::AttemptKey;
use opcode_engine::{Run, Step, StepState, outstanding};
use opcode_model::commit::{Commit, InboxId};
use opcode_model::event::Work;
use opcode_model::{Effect, Event, EventKind, OnInterrupted, Outcome, Perform, RunId, Value};

use super::store::{Kept, key_of};

/// Something that must never be.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which invariant: `I1` … `I12`, `oracle`, `panic`.
    pub rule: &'static str,
    /// What happened.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(rule: &'static str, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// What the world remembers in order to judge.
#[derive(Default)]
pub(crate) struct Judge {
    /// What the world answered to each attempt; the first answer counts.
    answers: BTreeMap<AttemptKey, Outcome>,
    /// Attempts performed, by idempotency key and run.
    performed: BTreeMap<(RunId, std::sync::Arc<str>), Vec<AttemptKey>>,
    /// Attempts with an outcome on disk.
    known: BTreeSet<AttemptKey>,
    /// Attempts of which nobody knows whether they happened.
    cut: BTreeSet<AttemptKey>,
    consumed: BTreeSet<InboxId>,
    /// A running hash of every event, in order.
    pub(crate) hash: u64,
}

impl Judge {
    /// Judges an event before it is folded.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a rule names the events it is about")]
    pub(crate) fn event(&mut self, run: &Run, event: &Event) -> Result<(), Violation> {
        if run.is_terminal() {
            let what = format!("{}: {} after the end", run.id, event.kind.name());
            return Err(Violation::new("terminal", what));
        }
        let text = format!("{}{}{event:?}", run.id, run.state.seq.0);
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let EventKind::SignalReceived(signal) = &event.kind
            && signal.id.as_ref().is_some_and(|id| run.state.seen.contains(id))
        {
            return Err(Violation::new("I10", format!("{}: one signal is taken twice", run.id)));
        }
        let Some(step) = event.kind.step().and_then(|step| run.find(step.ix)) else {
            return Ok(());
        };
        let wrong = |rule, what: &str| {
            Err(Violation::new(rule, format!("{} step {}: {what}", run.id, step.path)))
        };
        self.outcome(run, step, &event.kind);
        match &event.kind {
            EventKind::StepCompleted(_, done) => {
                if step.is_settled() {
                    return wrong("I3", "completed after its end");
                }
                self.completion(run, step, &done.output)
            }
            EventKind::StepFailed(..) if step.is_settled() => wrong("I3", "failed after its end"),
            EventKind::StepSkipped(..) if step.is_settled() => wrong("I3", "skipped after its end"),
            EventKind::StepStarted(..) if step.is_settled() => wrong("I3", "started after its end"),
            EventKind::StepStarted(_, started) => {
                if started.attempt != step.attempt + 1 {
                    return wrong("I3", "an attempt's number is not the next one");
                }
                if run.state.ending.is_some() && started.work == Work::Perform {
                    return match run.state.frames.iter().skip(1).any(|it| it.owner.is_none()) {
                        true => Ok(()),
                        false => wrong("terminal", "an attempt begins while the run is ending"),
                    };
                }
                Ok(())
            }
            EventKind::DecisionResolved(..) | EventKind::DecisionCancelled(..)
                if !matches!(step.state, StepState::Asking { .. }) =>
            {
                wrong("I8", "a question that is not open was closed")
            }
            EventKind::ChildFinished(..) if !matches!(step.state, StepState::InChild(_)) => {
                wrong("messages", "a child that is not awaited ended")
            }
            _ => Ok(()),
        }
    }

    /// Remembers which attempts have an outcome on disk.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a rule names the events it is about")]
    fn outcome(&mut self, run: &Run, step: &Step, event: &EventKind) {
        let key = AttemptKey { run: run.id, step: step.ix, attempt: step.attempt };
        let out = matches!(step.state, StepState::Performing(_) | StepState::Stopping { .. });
        match event {
            EventKind::StepInterrupted(..) => {
                self.cut.insert(key);
            }
            EventKind::StepCompleted(..)
            | EventKind::StepFailed(..)
            | EventKind::StepSkipped(..)
            | EventKind::StepRetrying(..)
                if out && !self.cut.contains(&key) =>
            {
                self.known.insert(key);
            }
            _ => {}
        }
    }

    /// A recorded success of an outside attempt is exactly what the world said to that attempt.
    fn completion(&self, run: &Run, step: &Step, output: &Value) -> Result<(), Violation> {
        let out = matches!(step.state, StepState::Performing(_) | StepState::Stopping { .. });
        if !out || output.find("ignored").is_some() {
            return Ok(());
        }
        let key = AttemptKey { run: run.id, step: step.ix, attempt: step.attempt };
        match self.answers.get(&key) {
            Some(Ok(said)) if said == output => Ok(()),
            said => {
                let what = format!(
                    "{} step {} attempt {}: recorded {output}, the world said {said:?}",
                    run.id, step.path, step.attempt
                );
                Err(Violation::new("I5", what))
            }
        }
    }

    /// Judges a run once a commit is on disk.
    pub(crate) fn written(&mut self, commit: &Commit, kept: &Kept) -> Result<(), Violation> {
        let Some(run) = &kept.run else { return Ok(()) };
        let wrong = |rule, what: String| Err(Violation::new(rule, format!("{}: {what}", run.id)));
        let Some(row) = &kept.row else { return wrong("I7", "a run without a row".into()) };
        let facts = (run.status(), run.due_at(), run.state.open_decisions);
        let shown = (row.status, row.due_at, row.open_decisions);
        if facts != shown {
            return wrong("I7", format!("the row says {shown:?}, the events {facts:?}"));
        }
        if run.state.in_flight > 0 && !run.is_terminal() && !row.in_flight {
            return wrong("I7", "attempts are out and the row does not say so".into());
        }
        if run.is_ready() && commit.events.len() < 1_000 && !row.in_flight {
            return wrong("I7", "there is more to decide and the row does not say so".into());
        }
        if kept.open.len() != run.state.open_decisions as usize {
            return wrong("I7", format!("open decisions on disk: {:?}", kept.open));
        }
        for effect in outstanding(run).effects {
            if let Effect::Perform(perform) = effect
                && !kept.intents.contains(&key_of(&perform))
            {
                let key = key_of(&perform);
                return wrong("I12", format!("nobody was ever told to perform {key:?}"));
            }
        }
        Ok(())
    }

    /// Judges what a commit takes out of an inbox.
    pub(crate) fn consumed(
        &mut self,
        commit: &Commit,
        there: &BTreeSet<InboxId>,
    ) -> Result<(), Violation> {
        let ordered = commit.consumed.windows(2).all(|pair| pair[0] < pair[1]);
        for id in &commit.consumed {
            if !there.contains(id) || !ordered || !self.consumed.insert(*id) {
                let what =
                    format!("{}: message {} applied twice or out of order", commit.run, id.0);
                return Err(Violation::new("messages", what));
            }
        }
        Ok(())
    }

    /// Judges an effect before it happens.
    pub(crate) fn performs(
        &mut self,
        perform: &Perform,
        run: Option<&Run>,
        policy: OnInterrupted,
    ) -> Result<(), Violation> {
        let key = key_of(perform);
        let wrong = |rule, what: &str| Err(Violation::new(rule, format!("{key:?}: {what}")));
        let step = run.and_then(|run| run.find(key.step));
        let Some(step) = step.filter(|step| step.attempt >= key.attempt) else {
            return wrong("I4", "performed, and its intent is not on disk");
        };
        let awaited = step.attempt == key.attempt
            && matches!(step.state, StepState::Performing(_) | StepState::Stopping { .. });
        if !awaited {
            return wrong("I4", "performed, and nobody waits for it any more");
        }
        let before = self.performed.entry((key.run, perform.key.clone())).or_default();
        if before.contains(&key) {
            return wrong("I4", "performed twice");
        }
        let doubtful = before.iter().any(|other| !self.known.contains(other));
        if policy != OnInterrupted::Retry && doubtful {
            return wrong("I4", "an unsafe effect that may have happened was performed again");
        }
        before.push(key);
        Ok(())
    }

    /// Remembers what the world said.
    pub(crate) fn answered(&mut self, key: AttemptKey, outcome: &Outcome) {
        self.answers.entry(key).or_insert_with(|| outcome.clone());
    }
}
