//! Tells a client that waits how its own run gets on.
//!
//! Keeps: nothing of anybody else's run; the number only grows; nothing is told after the answer.
//! Not here: notes themselves (`opcode-runtime`'s hub).

use opcode_model::{EventKind, RunId};
use opcode_runtime::{Engine, Note};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Listens from before the run begins, so that its first steps are not missed.
pub(crate) struct Ear {
    notes: Receiver<Note>,
    peer: Peer<RoleServer>,
    token: ProgressToken,
    done: u32,
}

impl Ear {
    pub(crate) fn new(engine: &Engine, peer: Peer<RoleServer>, token: ProgressToken) -> Self {
        Self { notes: engine.hub().listen(), peer, token, done: 0 }
    }

    /// Tells of every step of `run` that completes, until `over` is.
    pub(crate) async fn tell_until<T>(mut self, run: RunId, over: impl Future<Output = T>) -> T {
        tokio::pin!(over);
        let answer = loop {
            tokio::select! {
                answer = &mut over => break answer,
                heard = self.notes.recv() => match heard {
                    Ok(note) => self.tell(run, &note).await,
                    Err(RecvError::Lagged(_)) => {}
                    // Nothing is committed any more; what is waited for says so.
                    Err(RecvError::Closed) => break over.await,
                },
            }
        };
        while let Ok(note) = self.notes.try_recv() {
            self.tell(run, &note).await;
        }
        answer
    }

    async fn tell(&mut self, run: RunId, note: &Note) {
        for event in note.commit().events.iter().filter(|_| note.run == run) {
            if let EventKind::StepCompleted(step, _) = &event.kind {
                self.done += 1;
                let token = self.token.clone();
                let progress = ProgressNotificationParam::new(token, f64::from(self.done))
                    .with_message(format!("{} completed", step.path));
                if let Err(cause) = self.peer.notify_progress(progress).await {
                    tracing::debug!(%cause, "nobody hears of progress");
                }
            }
        }
    }
}
