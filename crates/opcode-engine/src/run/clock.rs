//! How much of its time a run has used. It runs exactly while the run is active.
//!
//! Keeps: time spent suspended is not counted.
//! Not here: what happens when time is up (`decide/timer.rs`).

use std::time::Duration;

use opcode_model::Timestamp;
use serde::{Deserialize, Serialize};

/// How much of its time a run has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Milliseconds used before it last started running.
    used_ms: u64,
    /// Since when it runs.
    since: Option<Timestamp>,
}

impl Clock {
    /// Starts it, if it stands.
    pub fn start(&mut self, at: Timestamp) {
        self.since.get_or_insert(at);
    }

    /// Stops it, if it runs.
    pub fn stop(&mut self, at: Timestamp) {
        if let Some(since) = self.since.take() {
            self.used_ms += u64::try_from(at.since(since).as_millis()).unwrap_or(u64::MAX);
        }
    }

    /// Begins anew, standing.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// When `limit` will be used up, if it goes on running.
    pub fn ends(&self, limit: Duration) -> Option<Timestamp> {
        let left = limit.saturating_sub(Duration::from_millis(self.used_ms));
        Some(self.since?.after(left))
    }
}
