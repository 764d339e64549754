//! A run's state as text, so that loading need not start at the first event.
//!
//! Keeps: a snapshot of another format is refused, and the events are folded again.
//! Not here: when one is taken (`opcode-driver`), how it is kept (`opcode-store`).

use std::sync::Arc;

use opcode_model::RunId;
use serde::{Deserialize, Serialize};

use super::{Run, State};
use crate::plan::Plan;

/// Rises whenever `State` changes shape.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Snapshot<S> {
    format: u32,
    state: S,
}

impl Run {
    /// Its state as text.
    pub fn snapshot(&self) -> Option<Arc<str>> {
        let snapshot = Snapshot { format: FORMAT, state: &self.state };
        serde_json::to_string(&snapshot).ok().map(Into::into)
    }

    /// A run from such text; `None` if it is of another format.
    pub fn restore(id: RunId, plan: &Plan, text: &str) -> Option<Self> {
        let snapshot: Snapshot<State> = serde_json::from_str(text).ok()?;
        (snapshot.format == FORMAT).then(|| Self {
            id,
            shape: plan.shape.clone(),
            state: snapshot.state,
        })
    }
}
