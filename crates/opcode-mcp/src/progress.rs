//! Tells a client that waits how its own run gets on.
//!
//! Keeps: nothing of anybody else's run; the number only grows; nothing is told after the answer.
//! Not here: notes themselves (`opcode-runtime`'s hub).

use opcode_model::{EventKind, RunId};
use opcode_runtime::{Engine, Note, Progress};
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Listens from before the run begins, so that its first steps are not missed.
pub(crate) struct Ear {
    notes: Receiver<Note>,
    /// How far attempts say they are.
    attempts: Receiver<Progress>,
    peer: Peer<RoleServer>,
    token: ProgressToken,
    done: u32,
    told: f64,
}

impl Ear {
    pub(crate) fn new(engine: &Engine, peer: Peer<RoleServer>, token: ProgressToken) -> Self {
        let (notes, attempts) = (engine.hub().listen(), engine.hub().listen_to_progress());
        Self { notes, attempts, peer, token, done: 0, told: 0.0 }
    }

    /// Tells of every step of `run` that completes, and of what its attempts say, until `over` is.
    pub(crate) async fn tell_until<T>(mut self, run: RunId, over: impl Future<Output = T>) -> T {
        tokio::pin!(over);
        let answer = loop {
            tokio::select! {
                answer = &mut over => break answer,
                Ok(told) = self.attempts.recv() => {
                    if *told.workflow_id == *run.to_string() {
                        self.pass_on(&told).await;
                    }
                }
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
                self.say(f64::from(self.done), format!("{} completed", step.path)).await;
            }
        }
    }

    /// The number counts steps; how far one of them is stands behind the point.
    async fn pass_on(&mut self, told: &Progress) {
        let part = told.total.map_or_else(|| 1.0 - 1.0 / (told.done + 1.0), |of| told.done / of);
        let part = if part.is_finite() { part.clamp(0.0, 0.99) } else { 0.0 };
        let of = told.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let message = told.message.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
        let text = format!("{}: {}{of}{message}", told.step_id, told.done);
        self.say(f64::from(self.done) + part, text).await;
    }

    async fn say(&mut self, number: f64, message: String) {
        // Steps go on side by side, and each number is greater than the one before.
        self.told = number.max(self.told + 1e-6);
        let token = self.token.clone();
        let progress = ProgressNotificationParam::new(token, self.told).with_message(message);
        if let Err(cause) = self.peer.notify_progress(progress).await {
            tracing::debug!(%cause, "nobody hears of progress");
        }
    }
}
