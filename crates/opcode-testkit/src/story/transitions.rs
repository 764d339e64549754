//! Which state an event takes a step from and to, as `apply` was seen to do it.
//!
//! Keeps: only what was observed.
//! Not here: whether a transition is right (the snapshot's reader says).

use std::collections::{BTreeMap, BTreeSet};

use opcode_engine::StepState;
use opcode_model::EventKind;

/// The states a step can be in, in the order of the table.
const STATES: [&str; 15] = [
    "Waiting",
    "Ready",
    "Begun",
    "Computing",
    "Performing",
    "Stopping",
    "Backoff",
    "Asking",
    "Sleeping",
    "Listening",
    "Flowing",
    "InChild",
    "Done",
    "Failed",
    "Skipped",
];

/// Every transition seen.
#[derive(Clone, Debug, Default)]
pub struct Transitions(BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>);

impl Transitions {
    /// Notes what one event made of its step.
    pub fn note(&mut self, event: &EventKind, from: &'static str, to: &'static str) {
        self.0.entry((event.name(), from)).or_default().insert(to);
    }

    /// Adds what another run has shown.
    pub fn extend(&mut self, other: &Self) {
        for (cell, seen) in &other.0 {
            self.0.entry(*cell).or_default().extend(seen);
        }
    }

    /// The table: a block for each event of a step, a line for each state it was seen in.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "What each event makes of the step it is about. A state that is not listed: the event was never seen there.\n",
        );
        for event in EventKind::NAMES {
            let seen =
                STATES.iter().filter_map(|state| Some((state, self.0.get(&(*event, *state))?)));
            let lines: Vec<String> = seen
                .map(|(state, to)| {
                    let to: Vec<&str> = to.iter().copied().collect();
                    format!("  {state:<10} -> {}\n", to.join(" | "))
                })
                .collect();
            if !lines.is_empty() {
                table.push_str(&format!("\n{event}\n{}", lines.concat()));
            }
        }
        table
    }
}

/// The name of a state.
pub fn state_name(state: &StepState) -> &'static str {
    match state {
        StepState::Waiting { .. } => "Waiting",
        StepState::Ready => "Ready",
        StepState::Begun => "Begun",
        StepState::Computing { .. } => "Computing",
        StepState::Performing(_) => "Performing",
        StepState::Stopping { .. } => "Stopping",
        StepState::Backoff { .. } => "Backoff",
        StepState::Asking { .. } => "Asking",
        StepState::Sleeping { .. } => "Sleeping",
        StepState::Listening { .. } => "Listening",
        StepState::Flowing(_) => "Flowing",
        StepState::InChild(_) => "InChild",
        StepState::Done { .. } => "Done",
        StepState::Failed { .. } => "Failed",
        StepState::Skipped { .. } => "Skipped",
    }
}
