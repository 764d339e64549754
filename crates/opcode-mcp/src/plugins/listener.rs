//! What a plugin tells us by itself: how far a call is, that its tools changed, what it logs.
//!
//! Keeps: a plugin speaks only of calls that were made to it; it is given nothing it asks for.
//! Not here: answers to calls (`call.rs`).

#![expect(deprecated, reason = "plugins of older versions log that way")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use opcode_runtime::{Hub, Progress};
use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, LoggingMessageNotificationParam,
    ProgressNotificationParam, ProgressToken,
};
use rmcp::service::{NotificationContext, RoleClient};
use tokio::sync::Notify;

use super::line::Line;
use super::lines::Meter;
use opcode_runtime::now;

/// Characters of a message that are passed on.
const MESSAGE_CHARS_MAX: usize = 500;

/// Calls on their way, by the token their progress comes with.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<Mutex<BTreeMap<String, Arc<Underway>>>>);

/// One call on its way.
#[derive(Debug)]
pub(super) struct Underway {
    pub workflow_id: Arc<str>,
    pub step_id: Arc<str>,
    /// It gave a sign of life.
    pub lives: Notify,
}

/// A call is known from here on, until this is dropped.
pub(super) struct Known {
    calls: Calls,
    token: String,
    pub call: Arc<Underway>,
}

impl Drop for Known {
    fn drop(&mut self) {
        self.calls.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

fn key(token: &ProgressToken) -> String {
    token.0.to_string()
}

impl Calls {
    /// Lets a call be told of.
    pub(super) fn know(&self, token: &ProgressToken, call: Underway) -> Known {
        let (token, call) = (key(token), Arc::new(call));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(token.clone(), call.clone());
        Known { calls: self.clone(), token, call }
    }

    fn find(&self, token: &ProgressToken) -> Option<Arc<Underway>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(token)).cloned()
    }

    /// Whether it works on nothing.
    pub(super) fn are_none(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// Hears one plugin.
pub(super) struct Listener {
    pub line: Arc<Line>,
    pub calls: Calls,
    pub hub: Hub,
    /// Its tools are others now.
    pub changed: Arc<Notify>,
    /// It says more than anybody can want to hear.
    pub flooded: Arc<Notify>,
    pub meter: Mutex<Meter>,
}

impl Listener {
    fn clean(&self, text: &str) -> String {
        self.line.cleaner.cut(text, MESSAGE_CHARS_MAX)
    }

    /// Whether one more notification may be heard.
    fn hears(&self) -> bool {
        let is_full = self.meter.lock().unwrap_or_else(PoisonError::into_inner).is_full();
        if is_full {
            self.flooded.notify_one();
        }
        !is_full
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let we = Implementation::new("opcode", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), we)
    }

    async fn on_progress(
        &self,
        told: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        if !self.hears() {
            return;
        }
        let Some(call) = self.calls.find(&told.progress_token) else { return };
        call.lives.notify_one();
        self.hub.tell_progress(Progress {
            workflow_id: call.workflow_id.clone(),
            step_id: call.step_id.clone(),
            done: told.progress,
            total: told.total,
            message: told.message.map(|message| self.clean(&message).into()),
        });
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        if self.hears() {
            self.changed.notify_one();
        }
    }

    async fn on_logging_message(
        &self,
        told: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        if !self.hears() {
            return;
        }
        let text = match told.data.as_str() {
            Some(text) => text.to_owned(),
            None => told.data.to_string(),
        };
        self.line.log.heard(now(), self.clean(&text));
    }
}
