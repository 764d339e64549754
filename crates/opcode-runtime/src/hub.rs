//! What has been committed, told to whoever listens.
//!
//! Keeps: publishers never wait; a listener that is too slow misses notes and is told how many.
//! Not here: the log, which misses nothing (the store).

use std::sync::Arc;

use opcode_model::commit::Commit;
use opcode_model::{EventKind, RunId, Seq};
use tokio::sync::broadcast;

/// Notes kept for a slow listener.
const KEPT: usize = 4_096;
/// The same of progress.
const PROGRESS_KEPT: usize = 64;

/// One run's commit, as told to listeners.
#[derive(Clone, Debug)]
pub struct Note {
    /// Which run.
    pub run: RunId,
    /// Where its log ended before.
    pub after: Seq,
    batch: Arc<Vec<Commit>>,
    place: usize,
}

impl Note {
    /// What was committed.
    pub fn commit(&self) -> &Commit {
        &self.batch[self.place]
    }
}

/// How far an attempt says it is. It is nowhere on disk.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Of which run, as text.
    pub workflow_id: Arc<str>,
    /// Of which step, by full path.
    pub step_id: Arc<str>,
    /// How far.
    pub done: f64,
    /// Of how much, if that is known.
    pub total: Option<f64>,
    /// In words.
    pub message: Option<Arc<str>>,
}

/// Where committed events are told, and beside them how far attempts are.
#[derive(Clone, Debug)]
pub struct Hub {
    notes: broadcast::Sender<Note>,
    progress: broadcast::Sender<Progress>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { notes: broadcast::channel(KEPT).0, progress: broadcast::channel(PROGRESS_KEPT).0 }
    }
}

impl Hub {
    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Note> {
        self.notes.subscribe()
    }

    /// Listens from now on to how far attempts are.
    pub fn listen_to_progress(&self) -> broadcast::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Tells how far an attempt is.
    pub fn tell_progress(&self, progress: Progress) {
        // An error only says that nobody listens.
        drop(self.progress.send(progress));
    }

    /// Tells what is on disk now, and writes what workflows log.
    pub(crate) fn publish(&self, batch: &Arc<Vec<Commit>>, place: usize) {
        let commit = &batch[place];
        write_log(commit);
        if self.notes.receiver_count() > 0 {
            let (run, after) = (commit.run, commit.after.seq);
            // An error only says that nobody listens any more.
            drop(self.notes.send(Note { run, after, batch: batch.clone(), place }));
        }
    }
}

/// What workflows log, and which of them failed.
fn write_log(commit: &Commit) {
    let (workflow_id, agent_id) = (commit.run, commit.agent_id.as_deref());
    for event in commit.events.iter() {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the rest is in the events themselves")]
        match &event.kind {
            EventKind::MessageLogged(step, logged) => {
                let (step_id, message) = (&step.path, &logged.message);
                let data =
                    Some(&logged.data).filter(|data| !data.is_null()).map(tracing::field::display);
                match logged.level.as_ref() {
                    "debug" => tracing::debug!(%workflow_id, %step_id, agent_id, data, "{message}"),
                    "warn" => tracing::warn!(%workflow_id, %step_id, agent_id, data, "{message}"),
                    "error" => tracing::error!(%workflow_id, %step_id, agent_id, data, "{message}"),
                    _ => tracing::info!(%workflow_id, %step_id, agent_id, data, "{message}"),
                }
            }
            EventKind::WorkflowFailed(failed) => {
                let (code, step_id) = (failed.error.code, failed.error.step_id.as_deref());
                tracing::debug!(%workflow_id, step_id, agent_id, %code, "workflow failed: {}", failed.error.message);
            }
            _ => {}
        }
    }
}
