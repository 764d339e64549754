//! A run that is over, told as a whole: its events, and the commits that put them into a store.
//!
//! Keeps: what lists and recovery read of it follows from its events.
//! Not here: where its events come from (`original/`, `carry/`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_engine::{Plan, Run};
use opcode_model::commit::{DecisionChange, Position};
use opcode_model::{Commit, Event, EventKind, Seq, StepIx, StepRef, Timestamp};

use crate::plans::definition_of;

/// Events of one commit.
const EVENTS: usize = 1_000;

/// The commits of a run that is over.
pub(crate) fn commits(run: &Run, plan: &Plan, events: Vec<Event>, now: Timestamp) -> Vec<Commit> {
    let definition = definition_of(plan, now);
    let (count, mut asked) = (events.len(), Asked::default());
    let mut all: Vec<Commit> = Vec::new();
    for (at, events) in events.chunks(EVENTS).enumerate() {
        let seq = Seq((at * EVENTS) as u64);
        let is_last = at * EVENTS + events.len() == count;
        let mut decisions: Vec<_> = events.iter().filter_map(|event| asked.hear(event)).collect();
        if is_last {
            decisions.extend(asked.end(now));
        }
        all.push(Commit {
            run: run.id,
            agent_id: None,
            after: Position { seq, ..Position::default() },
            events: Arc::new(events.to_vec()),
            row: run.row(plan.hash, now).filter(|_| is_last).map(Box::new),
            decisions,
            messages: Vec::new(),
            consumed: Vec::new(),
            catalog: if at == 0 { vec![definition.clone()] } else { Vec::new() },
            snapshot: None,
            effects: Vec::new(),
        });
    }
    all
}

/// Questions that are open, by step.
#[derive(Default)]
struct Asked(BTreeMap<StepIx, (StepRef, Arc<str>)>);

impl Asked {
    /// What an event says of a question, if it says something.
    fn hear(&mut self, event: &Event) -> Option<DecisionChange> {
        let at = event.at;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others tell of no question")]
        match &event.kind {
            EventKind::DecisionRequested(step, request) => {
                self.0.insert(step.ix, (step.clone(), request.id.clone()));
                let (step, request) = (step.clone(), Arc::new(request.as_ref().clone()));
                Some(DecisionChange::Opened { step, request, at })
            }
            EventKind::DecisionResolved(step, resolution) => {
                let (step, id) = self.0.remove(&step.ix)?;
                let resolution = Some(Arc::new(resolution.as_ref().clone()));
                Some(DecisionChange::Closed { step, id, resolution, at })
            }
            EventKind::DecisionCancelled(step, _) => {
                let (step, id) = self.0.remove(&step.ix)?;
                Some(DecisionChange::Closed { step, id, resolution: None, at })
            }
            _ => None,
        }
    }

    /// Nobody can answer what a run that is over has asked.
    fn end(&mut self, at: Timestamp) -> impl Iterator<Item = DecisionChange> {
        let left = std::mem::take(&mut self.0);
        left.into_values().map(move |(step, id)| DecisionChange::Closed {
            step,
            id,
            resolution: None,
            at,
        })
    }
}
