//! Agents, templates, schedules and secrets of the original, into the catalog.
//!
//! Keeps: what stays behind is named; secrets stay sealed as they are, and the vault seals them anew at their first use.
//! Not here: runs (`runs.rs`).

use std::sync::Arc;

use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{ErrorCode, Failure, Object, Timestamp, Value};
use opcode_store::{Catalog, CatalogError, Original, Runs};
use opcode_vault::Vault;
use serde_json::json;

use super::cells::{self, moment, text};
use super::runs::shortly;
use crate::audit::{Actor, Deed};
use crate::check::check_name;
use crate::clock::now;
use crate::document::{BESIDE, with_members};
use crate::plans::{Plans, failure};
use crate::templates::Template;
use crate::tools::Tools;

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakenOver {
    /// Versions of templates.
    pub templates: u64,
    /// Agents.
    pub agents: u64,
    /// Secrets.
    pub secrets: u64,
    /// Schedules.
    pub schedules: u64,
    /// Runs.
    pub runs: u64,
    /// Those among them that were not finished.
    pub interrupted: u64,
    /// What was not taken over, or not as it was.
    pub notes: Vec<String>,
}

/// Fills an empty store with what a database of the original holds.
///
/// # Errors
/// If the one cannot be read or the other not written.
pub async fn take_over<S: Runs + Catalog>(
    original: &dyn Original,
    store: Arc<S>,
    tools: Arc<dyn Tools>,
    actor: &Actor,
) -> Result<TakenOver, Failure> {
    let plans = Plans::new(store.clone(), tools);
    let vault = Vault::new(store.clone(), None);
    let mut moving = Move { original, store, plans, done: TakenOver::default(), now: now() };
    moving.agents().await?;
    moving.templates().await?;
    moving.schedules().await?;
    moving.secrets(&vault).await?;
    moving.runs().await?;
    moving.left()?;
    let deed = Deed { action: "store.take_over", kind: "store", id: "original", agent: None };
    moving.store.put(vec![actor.did(deed)]).await.map_err(written)?;
    Ok(moving.done)
}

/// A database on its way into a store.
pub(super) struct Move<'a, S> {
    pub(super) original: &'a dyn Original,
    pub(super) store: Arc<S>,
    pub(super) plans: Plans,
    pub(super) done: TakenOver,
    /// When what is unfinished ends.
    pub(super) now: Timestamp,
}

fn written(error: CatalogError) -> Failure {
    match error {
        CatalogError::Taken(key) => {
            Failure::new(ErrorCode::Conflict, format!("`{key}` is there already"))
        }
        CatalogError::Fault(fault) => failure(fault),
    }
}

impl<S: Runs + Catalog> Move<'_, S> {
    fn rows(&self, table: &'static str) -> Result<Vec<Object>, Failure> {
        self.original.rows(table, None).map_err(failure)
    }

    /// Something stays behind.
    fn lost(&mut self, kind: &str, id: &str, why: &str) {
        self.note(format!("{kind} `{id}` was not taken over: {why}"));
    }

    pub(super) fn note(&mut self, note: String) {
        tracing::warn!("original: {note}");
        self.done.notes.push(note);
    }

    /// Writes what is new; whether it was.
    async fn put(
        &self,
        kind: CatalogKind,
        key: Arc<str>,
        body: String,
        at: Timestamp,
    ) -> Result<bool, Failure> {
        let write = CatalogWrite { kind, key, body: Some(body.into()), at, replace: false };
        match self.store.put(vec![write]).await {
            Ok(()) => Ok(true),
            Err(CatalogError::Taken(_)) => Ok(false),
            Err(error @ CatalogError::Fault(_)) => Err(written(error)),
        }
    }

    async fn agents(&mut self) -> Result<(), Failure> {
        for row in self.rows("agents")? {
            let Some(id) = text(&row, "id") else {
                self.lost("agent", "", "it has no id");
                continue;
            };
            let mut body = json!({
                "name": text(&row, "name").unwrap_or_else(|| id.clone()),
                "type": text(&row, "type").unwrap_or_else(|| "llm".into()),
            });
            let metadata = cells::json(&row, "metadata");
            if !metadata.is_null() {
                body["metadata"] = metadata.to_serde();
            }
            let at = moment(&row, "created_at").unwrap_or(self.now);
            let seen = moment(&row, "last_seen_at").unwrap_or(at);
            body["last_seen_at"] = seen.to_string().into();
            if self.put(CatalogKind::Agent, id, body.to_string(), at).await? {
                self.done.agents += 1;
            }
        }
        Ok(())
    }

    async fn templates(&mut self) -> Result<(), Failure> {
        for row in self.rows("workflow_templates")? {
            let (name, version) = (text(&row, "name"), text(&row, "version"));
            let (name, version) = (name.unwrap_or_default(), version.unwrap_or_default());
            let definition = whole(&row);
            if check_name(&name).is_err() || version.is_empty() || definition.as_object().is_none()
            {
                self.lost(
                    "template",
                    &format!("{name}@{version}"),
                    "it has a name, a version or a definition that cannot be",
                );
                continue;
            }
            let definition = match self.plans.make(&definition) {
                Ok(plan) => Value::from_json(&plan.text).unwrap_or(definition),
                Err(problems) => {
                    let why = shortly(&problems);
                    self.note(format!("template `{name}@{version}` cannot run here: {why}"));
                    definition
                }
            };
            let at = moment(&row, "created_at").unwrap_or(self.now);
            let (description, agent_id) = (text(&row, "description"), text(&row, "agent_id"));
            let key: Arc<str> = format!("{name}@{version}").into();
            let template =
                Template { name, version, description, definition, agent_id, created_at: at };
            let body = serde_json::to_string(&template)
                .map_err(|cause| Failure::new(ErrorCode::Internal, cause.to_string()))?;
            if self.put(CatalogKind::Template, key, body, at).await? {
                self.done.templates += 1;
            }
        }
        Ok(())
    }

    async fn schedules(&mut self) -> Result<(), Failure> {
        for row in self.rows("scheduled_jobs")? {
            let (id, template) = (text(&row, "id"), text(&row, "template_name"));
            let (Some(id), Some(template)) = (id.clone(), template) else {
                self.lost("schedule", &id.unwrap_or_default(), "it has no id or no template");
                continue;
            };
            let moment = |column| moment(&row, column).map(|at| at.to_string());
            let body = json!({
                "template_name": template,
                "template_version": text(&row, "template_version"),
                "cron_expression": text(&row, "cron_expression"),
                "params": cells::json(&row, "params"),
                "agent_id": text(&row, "agent_id"),
                "enabled": row.find("enabled").and_then(Value::as_i64) != Some(0),
                "last_run_at": moment("last_run_at"),
                "next_run_at": moment("next_run_at"),
                "last_run_status": text(&row, "last_run_status"),
            });
            let at = cells::moment(&row, "created_at").unwrap_or(self.now);
            if self.put(CatalogKind::Schedule, id, body.to_string(), at).await? {
                self.done.schedules += 1;
            }
        }
        Ok(())
    }

    /// As they are sealed; the vault seals them anew when it first opens them.
    async fn secrets(&mut self, vault: &Vault) -> Result<(), Failure> {
        for row in self.rows("secrets")? {
            let name = text(&row, "key").unwrap_or_default();
            let fits = opcode_vault::check_name(&name);
            let (Ok(()), Some(Value::Bytes(sealed))) = (fits, row.find("value")) else {
                self.lost("secret", &name, "its name or its content is none");
                continue;
            };
            let at = moment(&row, "created_at").unwrap_or(self.now);
            vault.adopt_legacy(&name, sealed, at).await?;
            self.done.secrets += 1;
        }
        Ok(())
    }

    /// What we have no place for stays where it is.
    fn left(&mut self) -> Result<(), Failure> {
        for (kind, table) in [("plugin", "plugins"), ("entry of the audit log", "audit_log")] {
            for row in self.rows(table)? {
                let id = text(&row, "id").unwrap_or_default();
                self.lost(kind, &id, "it has no place here");
            }
        }
        Ok(())
    }
}

/// A template's definition with the members that the original keeps beside it.
fn whole(row: &Object) -> Value {
    let beside = BESIDE.iter().map(|column| (*column, cells::json(row, column)));
    with_members(&cells::json(row, "definition"), &beside.collect())
}
