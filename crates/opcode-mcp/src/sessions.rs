//! The sessions that are open: which agents they speak for, what they watch, and what their agents are told.
//!
//! Keeps: what a workflow says to its agent (`workflow.notify`) reaches every session of that agent, or waits for the next
//! one, so many messages of so many agents; a session that ends takes its watches with it.
//! Not here: transports, what is watched (`subscribe.rs`).

#![expect(deprecated, reason = "sessions of older versions know no other way to be told something")]

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opcode_model::EventKind;
use opcode_runtime::{Engine, Note};
use rmcp::model::{
    LoggingLevel, LoggingMessageNotificationParam, ResourceUpdatedNotificationParam,
};
use rmcp::service::{Peer, RoleServer};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;

use crate::subscribe::{ADDRESSES_MAX, Watch};

/// Sessions of one agent that are told.
const PEERS_MAX: usize = 16;
/// Messages that wait for one agent.
const WAITING_MAX: usize = 100;
/// Agents that messages wait for.
const AGENTS_MAX: usize = 1_000;

/// Every agent's sessions.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<Arc<str>, Agent>>>);

#[derive(Default)]
struct Agent {
    peers: Vec<(Peer<RoleServer>, Arc<Session>)>,
    waiting: VecDeque<LoggingMessageNotificationParam>,
}

impl Sessions {
    /// Begins to pass on what workflows say to their agents.
    pub(crate) fn begin(engine: &Engine) -> Self {
        let sessions = Self::default();
        let (mut notes, told) = (engine.hub().listen(), sessions.clone());
        tokio::spawn(async move {
            loop {
                match notes.recv().await {
                    Ok(note) => told.hear(&note).await,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "agents may have missed messages; the log has them");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        sessions
    }

    async fn hear(&self, note: &Note) {
        let commit = note.commit();
        let Some(agent) = &commit.agent_id else { return };
        for event in commit.events.iter() {
            let EventKind::AgentNotified(step, said) = &event.kind else { continue };
            let mut data =
                json!({"message": said.message, "workflow_id": note.run, "step_id": step.path});
            if !said.data.is_null() {
                data["data"] = said.data.to_serde();
            }
            let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, data);
            self.say(agent, message.with_logger("opcode")).await;
        }
    }

    /// Says something to every session of an agent, or keeps it for the next one.
    async fn say(&self, agent: &Arc<str>, message: LoggingMessageNotificationParam) {
        let peers = self.locked().get(agent).map_or_else(Vec::new, |known| known.peers.clone());
        let mut heard = false;
        for (peer, session) in peers {
            // Who wants to hear less was reached all the same.
            heard |= session.is_quiet() || tell(&peer, message.clone()).await;
        }
        let mut agents = self.locked();
        if heard || (agents.len() >= AGENTS_MAX && !agents.contains_key(agent)) {
            return;
        }
        let known = agents.entry(agent.clone()).or_default();
        known.waiting.push_back(message);
        if known.waiting.len() > WAITING_MAX {
            known.waiting.pop_front();
        }
    }

    /// A session speaks for an agent from now on; what waited for it is said.
    pub(crate) async fn meet(
        &self,
        agent: &Arc<str>,
        peer: &Peer<RoleServer>,
        session: &Arc<Session>,
    ) {
        let waiting = {
            let mut agents = self.locked();
            agents.retain(|_, known| {
                known.peers.retain(|(peer, _)| !peer.is_transport_closed());
                !(known.peers.is_empty() && known.waiting.is_empty())
            });
            let known = agents.entry(agent.clone()).or_default();
            if known.peers.len() >= PEERS_MAX {
                known.peers.remove(0);
            }
            known.peers.push((peer.clone(), session.clone()));
            std::mem::take(&mut known.waiting)
        };
        for message in waiting {
            tell(peer, message).await;
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Arc<str>, Agent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it went out.
async fn tell(peer: &Peer<RoleServer>, message: LoggingMessageNotificationParam) -> bool {
    peer.notify_logging_message(message).await.is_ok()
}

/// What one session has asked for.
#[derive(Default)]
pub(crate) struct Session {
    agents: Mutex<HashSet<Arc<str>>>,
    /// It wants to hear of nothing below a warning.
    quiet: AtomicBool,
    watches: Mutex<HashMap<String, Ended>>,
}

/// A task that ends with whoever holds this.
struct Ended(AbortHandle);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    /// Whether this is the first time it speaks for an agent.
    pub(crate) fn is_news(&self, agent: &Arc<str>) -> bool {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        agents.len() < AGENTS_MAX && agents.insert(agent.clone())
    }

    /// How much it wants to hear.
    pub(crate) fn set_level(&self, level: LoggingLevel) {
        let hears = matches!(level, LoggingLevel::Debug | LoggingLevel::Info);
        self.quiet.store(!hears, Ordering::Relaxed);
    }

    fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    /// Tells a client whenever an address changes. `false` if it watches too many already.
    pub(crate) fn watch(&self, engine: &Engine, peer: Peer<RoleServer>, uri: String) -> bool {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.len() >= ADDRESSES_MAX && !watches.contains_key(&uri) {
            return false;
        }
        let mut watch = Watch::new(engine, [uri.clone()]);
        let task = tokio::spawn(async move {
            while let Some(changed) = watch.next().await {
                for uri in changed {
                    let param = ResourceUpdatedNotificationParam::new(uri);
                    if peer.notify_resource_updated(param).await.is_err() {
                        return;
                    }
                }
            }
        });
        watches.insert(uri, Ended(task.abort_handle()));
        true
    }

    /// Tells it no more.
    pub(crate) fn unwatch(&self, uri: &str) {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).remove(uri);
    }
}
