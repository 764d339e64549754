//! Tells a client that waits how its run gets on.
//!
//! Keeps: the number only grows; telling ends with the call.
//! Not here: notes themselves (`opcode-runtime`'s hub).

use opcode_model::EventKind;
use opcode_runtime::Engine;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

/// Ends the telling when the call does.
pub(crate) struct Telling(JoinHandle<()>);

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells of every step that ends while a call is answered, whichever run it is of.
pub(crate) fn tell_progress(
    engine: &Engine,
    peer: Peer<RoleServer>,
    token: ProgressToken,
) -> Telling {
    let mut notes = engine.hub().listen();
    Telling(tokio::spawn(async move {
        let mut done = 0_u32;
        loop {
            let note = match notes.recv().await {
                Ok(note) => note,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            for event in &note.commit().events {
                if let EventKind::StepCompleted(step, _) = &event.kind {
                    done += 1;
                    let progress = ProgressNotificationParam::new(token.clone(), f64::from(done))
                        .with_message(format!("{} completed", step.path));
                    if peer.notify_progress(progress).await.is_err() {
                        return;
                    }
                }
            }
        }
    }))
}
