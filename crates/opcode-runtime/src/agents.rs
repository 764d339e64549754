//! Agents: who has defined or run something, and when last.
//!
//! Keeps: written at most once a minute for each agent, and never in the way of what it asked for.
//! Not here: who may do what (`caller.rs`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{Failure, Timestamp};
use opcode_store::Catalog;
use serde_json::{Value as Json, json};

use crate::clock::now;
use crate::plans::failure;

/// An agent is written again after so long.
const STALE_MS: i64 = 60_000;
/// Agents remembered as written.
const KEPT: usize = 10_000;

/// Agents in a catalog.
pub(crate) struct Agents {
    catalog: Arc<dyn Catalog>,
    seen: Mutex<BTreeMap<Arc<str>, Timestamp>>,
}

impl Agents {
    pub(crate) fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog, seen: Mutex::default() }
    }

    /// Remembers that an agent was here.
    pub(crate) async fn meet(&self, agent: &Arc<str>) {
        let at = now();
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.get(agent).is_some_and(|last| at.0 - last.0 < STALE_MS) {
                return;
            }
            if seen.len() >= KEPT {
                seen.clear();
            }
            seen.insert(agent.clone(), at);
        }
        let body = json!({"name": agent, "type": "llm", "last_seen_at": at.to_string()});
        let write = CatalogWrite {
            kind: CatalogKind::Agent,
            key: agent.clone(),
            body: Some(body.to_string().into()),
            at,
            replace: true,
        };
        if let Err(cause) = self.catalog.put(vec![write]).await {
            tracing::debug!(%cause, "an agent could not be remembered");
        }
    }

    /// All of them, by id.
    pub(crate) async fn list(&self) -> Result<Vec<Json>, Failure> {
        let entries = self.catalog.list(CatalogKind::Agent, "".into()).await.map_err(failure)?;
        Ok(entries
            .into_iter()
            .map(|entry| {
                let mut agent: Json = serde_json::from_str(&entry.body).unwrap_or_default();
                agent["id"] = entry.key.as_ref().into();
                agent["created_at"] = entry.created_at.to_string().into();
                agent
            })
            .collect())
    }
}
