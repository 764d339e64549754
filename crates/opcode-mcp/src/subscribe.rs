//! Subscriptions: who reads a workflow or a decision by address is told when it changes.
//!
//! Keeps: told at most some times a second, and after the last change; whoever was too slow to hear is told of everything.
//! Not here: reading (`resources.rs`).

use std::collections::BTreeSet;
use std::time::Duration;

use opcode_model::RunId;
use opcode_runtime::{Engine, Note};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Changes within so long are told as one.
const PAUSE: Duration = Duration::from_millis(100);
/// Addresses of one subscriber.
pub(crate) const ADDRESSES_MAX: usize = 1_000;

/// The workflow whose commits change what is at an address; none for what never changes.
pub(crate) fn run_of(uri: &str) -> Option<RunId> {
    let (kind, path) = uri.split_once("://")?;
    let id = match kind {
        "workflow" => path.split('/').next()?,
        "decision" => path.split_once('_')?.0,
        _ => return None,
    };
    RunId::parse(&id.to_lowercase())
}

/// The addresses somebody asked to be told of.
pub(crate) struct Watch {
    notes: Receiver<Note>,
    addresses: Vec<(RunId, String)>,
}

impl Watch {
    /// Listens from now on.
    pub(crate) fn new(engine: &Engine, uris: impl IntoIterator<Item = String>) -> Self {
        let known = |uri: String| Some((run_of(&uri)?, uri));
        let addresses = uris.into_iter().filter_map(known).take(ADDRESSES_MAX).collect();
        Self { notes: engine.hub().listen(), addresses }
    }

    /// Waits for changes; none once nothing changes any more.
    pub(crate) async fn next(&mut self) -> Option<Vec<String>> {
        loop {
            let mut changed = BTreeSet::new();
            let heard = self.notes.recv().await;
            self.hear(heard, &mut changed)?;
            if changed.is_empty() {
                continue;
            }
            tokio::time::sleep(PAUSE).await;
            while let Ok(note) = self.notes.try_recv() {
                self.hear(Ok(note), &mut changed)?;
            }
            let is_meant = |(run, _): &&(RunId, String)| changed.contains(run);
            let meant = self.addresses.iter().filter(is_meant).map(|(_, uri)| uri.clone());
            return Some(meant.collect());
        }
    }

    fn hear(&self, heard: Result<Note, RecvError>, changed: &mut BTreeSet<RunId>) -> Option<()> {
        let runs = self.addresses.iter().map(|(run, _)| *run);
        match heard {
            Ok(note) => changed.extend(runs.filter(|run| *run == note.run)),
            Err(RecvError::Lagged(_)) => changed.extend(runs),
            Err(RecvError::Closed) => return None,
        }
        Some(())
    }
}
