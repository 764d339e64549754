//! The line to one plugin: where it stands, how it is reached while it is up, what was counted.
//!
//! Keeps: whoever waits for it learns why it does not come.
//! Not here: bringing it up (`supervise.rs`), one call (`call.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opcode_model::{ErrorCode, Failure, Timestamp};
use rmcp::service::{Peer, RoleClient};
use tokio::sync::{Notify, Semaphore, watch};

use super::clean::Cleaner;
use super::listener::Calls;
use super::log::Log;

/// Calls of one plugin at once; others wait for them, and keep nobody else waiting.
const CALLS_MAX: usize = 64;

/// How long a call waits for a plugin that is coming up.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Where a plugin stands.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Nobody has needed it yet.
    Asleep,
    /// It is coming up.
    Starting,
    /// It can be called.
    Ready(Live),
    /// It ended or did not come up; it is tried again.
    Waiting(Failure),
    /// It is left alone until somebody says otherwise.
    Stopped(Failure),
}

impl Phase {
    /// The word for it.
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::Asleep => "asleep",
            Self::Starting => "starting",
            Self::Ready(_) => "ready",
            Self::Waiting(_) => "waiting",
            Self::Stopped(_) => "stopped",
        }
    }

    /// Why it is not there.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Waiting(failure) | Self::Stopped(failure) => Some(failure),
            Self::Asleep | Self::Starting | Self::Ready(_) => None,
        }
    }
}

/// A plugin that is up.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub peer: Peer<RoleClient>,
    pub calls: Calls,
    /// The mark of each tool that it offers and that is approved.
    pub offered: Arc<BTreeMap<String, String>>,
}

/// The line to one plugin.
#[derive(Debug)]
pub(super) struct Line {
    pub name: Arc<str>,
    /// How long a call may be silent.
    pub silence: Duration,
    pub log: Log,
    pub counts: Counts,
    /// Somebody needs it.
    pub wanted: Notify,
    /// Takes out of what it says what nobody shall be told.
    pub cleaner: Cleaner,
    /// Calls at once.
    pub places: Semaphore,
    phase: watch::Sender<(Timestamp, Phase)>,
}

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub calls: AtomicU64,
    pub failed: AtomicU64,
    pub restarts: AtomicU64,
}

impl Counts {
    /// One more.
    pub(super) fn add(of: &AtomicU64) {
        of.fetch_add(1, Ordering::Relaxed);
    }
}

impl Line {
    pub(super) fn new(name: Arc<str>, silence: Duration, at: Timestamp) -> Self {
        let (log, counts, wanted) = (Log::default(), Counts::default(), Notify::new());
        let (cleaner, places) = (Cleaner::default(), Semaphore::new(CALLS_MAX));
        let phase = watch::Sender::new((at, Phase::Asleep));
        Self { name, silence, log, counts, wanted, cleaner, places, phase }
    }

    /// It stands there now.
    pub(super) fn enter(&self, at: Timestamp, phase: Phase) {
        match phase.failure() {
            Some(failure) => self.log.noted(at, format!("{}: {}", phase.text(), failure.message)),
            None => self.log.noted(at, phase.text().to_owned()),
        }
        let (plugin, state) = (&self.name, phase.text());
        match phase.failure() {
            Some(failure) => tracing::warn!(%plugin, state, "{}", failure.message),
            None => tracing::debug!(%plugin, state, "a plugin stands otherwise"),
        }
        self.phase.send_replace((at, phase));
    }

    /// Where it stands, and since when.
    pub(super) fn phase(&self) -> (Timestamp, Phase) {
        self.phase.borrow().clone()
    }

    /// The line to it while it is up; waits while it is coming up.
    pub(super) async fn ready(&self, patience: Duration) -> Result<Live, Failure> {
        self.wanted.notify_one();
        let mut phase = self.phase.subscribe();
        let is_known =
            |(_, phase): &(Timestamp, Phase)| matches!(phase, Phase::Ready(_) | Phase::Stopped(_));
        drop(tokio::time::timeout(patience, phase.wait_for(is_known)).await);
        match self.phase().1 {
            Phase::Ready(live) => Ok(live),
            Phase::Stopped(failure) | Phase::Waiting(failure) => Err(failure),
            Phase::Asleep | Phase::Starting => Err(self.unavailable("it did not come up in time")),
        }
    }

    /// Whether its first start came to something, and to what.
    pub(super) async fn settled(&self, patience: Duration) -> Result<Live, Failure> {
        self.wanted.notify_one();
        let mut phase = self.phase.subscribe();
        let is_over =
            |(_, phase): &(Timestamp, Phase)| !matches!(phase, Phase::Asleep | Phase::Starting);
        drop(tokio::time::timeout(patience, phase.wait_for(is_over)).await);
        self.ready(Duration::ZERO).await
    }

    /// Why nobody knows its tools yet.
    pub(super) fn unmet(&self) -> String {
        let (_, phase) = self.phase();
        let why = phase.failure().map(|failure| format!(": {}", failure.message));
        let (name, state) = (&self.name, phase.text());
        format!(
            "plugin `{name}` has not told its tools yet, it is {state}{}; `opcode plugins approve {name}` asks it",
            why.unwrap_or_default()
        )
    }

    /// It cannot be called.
    pub(super) fn unavailable(&self, why: &str) -> Failure {
        let why = self.cleaner.clean(why);
        let message = format!("plugin `{}` cannot be called: {why}", self.name);
        Failure::new(ErrorCode::ActionUnavailable, message)
    }

    /// It ended while it worked on a call.
    pub(super) async fn lost(&self, action: &str) -> Failure {
        let mut phase = self.phase.subscribe();
        let is_noticed = |(_, phase): &(Timestamp, Phase)| !matches!(phase, Phase::Ready(_));
        drop(tokio::time::timeout(Duration::from_secs(2), phase.wait_for(is_noticed)).await);
        let why = self.phase().1.failure().map(|failure| format!(" ({})", failure.message));
        let message = format!(
            "{action}: the plugin went away while it worked on this; whether it was done is not known{}",
            why.unwrap_or_default()
        );
        Failure::new(ErrorCode::Execution, message)
    }
}
