//! Who did what to what, and what was refused: an entry a deed, written with it in one transaction.
//!
//! Keeps: a deed that is on disk has its entry; refusals are written so many a second, and what is left out is counted;
//! nothing that was handed in stands in an entry but ids.
//! Not here: the chain that holds entries together (the store).

use std::sync::{Arc, Mutex, PoisonError};

use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{Failure, Timestamp};
use opcode_store::Catalog;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::caller::Caller;
use crate::clock::now;
use crate::plans::failure;

/// Refusals written in one second.
const REFUSALS_MAX: u64 = 20;
/// One second.
const WINDOW_MS: i64 = 1_000;

/// Who acts, and through which door.
#[derive(Clone, Debug)]
pub struct Actor {
    by: Arc<str>,
    face: &'static str,
    agent: Option<Arc<str>>,
}

impl Actor {
    /// Somebody who came in through a face.
    pub fn new(caller: &Caller, face: &'static str) -> Self {
        Self { by: caller.name.clone(), face, agent: caller.agent.clone() }
    }

    /// Somebody whose name nobody knows.
    pub fn stranger(face: &'static str) -> Self {
        Self { by: "nobody".into(), face, agent: None }
    }

    /// What workflows do by themselves.
    pub(crate) fn engine() -> Self {
        Self { by: "workflow".into(), face: "engine", agent: None }
    }

    /// A deed; to be written with it.
    pub fn did(&self, deed: Deed<'_>) -> CatalogWrite {
        self.write(deed, json!("ok"), None)
    }

    fn write(&self, deed: Deed<'_>, result: Json, left_out: Option<u64>) -> CatalogWrite {
        let entry = Entry {
            agent_id: deed.agent.or(self.agent.as_deref()),
            action: deed.action,
            resource_type: deed.kind,
            resource_id: deed.id,
            by: &self.by,
            face: self.face,
            result,
            left_out,
        };
        let body = serde_json::to_string(&entry).unwrap_or_default();
        let key = uuid::Uuid::now_v7().to_string();
        let (kind, body) = (CatalogKind::Audit, Some(body.into()));
        CatalogWrite { kind, key: key.into(), body, at: now(), replace: false }
    }
}

/// What is done to what.
#[derive(Clone, Copy, Debug)]
pub struct Deed<'a> {
    /// Such as `workflow.run`.
    pub action: &'a str,
    /// Such as `workflow`.
    pub kind: &'a str,
    /// Which one.
    pub id: &'a str,
    /// As which agent.
    pub agent: Option<&'a str>,
}

/// One entry, in the words of the reference's columns.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    action: &'a str,
    resource_type: &'a str,
    resource_id: &'a str,
    by: &'a str,
    face: &'a str,
    result: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
}

/// The audit log of a store.
#[derive(Clone)]
pub struct Audit {
    catalog: Arc<dyn Catalog>,
    refusals: Arc<Mutex<Window>>,
}

/// Refusals of this second.
#[derive(Default)]
struct Window {
    since: Timestamp,
    written: u64,
    left_out: u64,
}

impl Window {
    /// Whether one more may be written; with it, how many were left out before.
    fn admit(&mut self, at: Timestamp) -> Option<Option<u64>> {
        if at.0 - self.since.0 >= WINDOW_MS {
            (self.since, self.written) = (at, 0);
        }
        if self.written >= REFUSALS_MAX {
            self.left_out += 1;
            return None;
        }
        self.written += 1;
        let left_out = std::mem::take(&mut self.left_out);
        Some((left_out > 0).then_some(left_out))
    }
}

impl Audit {
    pub(crate) fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog, refusals: Arc::default() }
    }

    /// Writes that something was refused. Whoever refuses does not wait for it.
    pub fn refused(&self, actor: &Actor, deed: Deed<'_>, why: &Failure) {
        let admitted = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).admit(now());
        let Some(left_out) = admitted else { return };
        let message: String = why.message.chars().take(200).collect();
        let result = json!({"code": why.code, "message": message});
        let write = actor.write(deed, result, left_out);
        let written = self.catalog.put(vec![write]);
        tokio::spawn(async move {
            if let Err(cause) = written.await {
                tracing::warn!(%cause, "a refusal could not be written into the audit log");
            }
        });
    }

    /// How many entries there are, and what is wrong with the log, if something is.
    ///
    /// # Errors
    /// `STORE_ERROR` if it cannot be read.
    pub async fn verify(&self) -> Result<(u64, Option<String>), Failure> {
        self.catalog.audited().await.map_err(failure)
    }

    /// The newest entries, newest first.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn newest(&self, limit: usize) -> Result<Vec<Json>, Failure> {
        let entries = self.catalog.newest(CatalogKind::Audit, limit).await.map_err(failure)?;
        let entries = entries.iter().map(|entry| {
            let mut shown: Json = serde_json::from_str(&entry.body).unwrap_or_default();
            shown["at"] = entry.created_at.to_string().into();
            shown
        });
        Ok(entries.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_counted_and_not_written() {
        let mut window = Window::default();
        let admitted = |window: &mut Window, at| (0..50).filter_map(|_| window.admit(at)).count();
        assert_eq!(admitted(&mut window, Timestamp(5_000)), 20);
        assert_eq!(window.admit(Timestamp(5_999)), None);
        assert_eq!(window.admit(Timestamp(6_000)), Some(Some(31)));
        assert_eq!(window.admit(Timestamp(6_001)), Some(None));
    }
}
