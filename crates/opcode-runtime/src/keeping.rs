//! How long finished workflows are kept, and the room they leave.
//!
//! Keeps: small steps, so that a server goes on answering; what went is in the audit log.
//! Not here: what goes with a run (the store), when this is called (the faces).

use std::sync::Arc;
use std::time::Duration;

use opcode_model::time::parse_duration;
use opcode_model::{Failure, Timestamp};
use opcode_store::{Catalog, Pruned, Pruning, Runs};

use crate::audit::{Actor, Deed};
use crate::clock::now;
use crate::plans::failure;

/// Workflows that go in one step, those below them not counted.
const STEP: usize = 50;
/// One day.
const DAY: Duration = Duration::from_secs(86_400);

/// How long finished workflows are kept; for ever, where nothing is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keep {
    /// All of them.
    pub over: Option<Duration>,
    /// Failed ones, if otherwise.
    pub failed: Option<Duration>,
    /// Only those of these templates, if any is named.
    pub templates: Vec<Arc<str>>,
}

impl Keep {
    /// Whether nothing is kept for ever.
    pub fn is_bounded(&self) -> bool {
        self.over.is_some() || self.failed.is_some()
    }

    fn pruning(&self, now: Timestamp) -> Pruning {
        let before = |span: Duration| {
            let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
            Timestamp(now.0.saturating_sub(millis))
        };
        Pruning {
            over_before: self.over.map(before),
            failed_before: self.failed.or(self.over).map(before),
            templates: self.templates.clone(),
            limit: STEP,
        }
    }
}

/// A span in which days count: `30d`, else as everywhere.
///
/// # Errors
/// In words, if it is none.
pub fn days(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    match days.filter(|days| *days <= 36_500) {
        Some(days) => Ok(DAY * days),
        None => parse_duration(text).map_err(|_| "a span is like 30d, 36h or 90s".to_owned()),
    }
}

/// What makes room in a store.
#[derive(Clone)]
pub struct Keeping {
    runs: Arc<dyn Runs>,
    catalog: Arc<dyn Catalog>,
    actor: Arc<Actor>,
}

impl Keeping {
    /// Of a store.
    pub fn new<S: Runs + Catalog>(store: Arc<S>) -> Self {
        Self { runs: store.clone(), catalog: store, actor: Arc::new(Actor::engine()) }
    }

    /// The same, for somebody whose deeds are written into the audit log.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { actor: Arc::new(actor), ..self.clone() }
    }

    /// Takes away what is not to be kept any longer, and gives the space back.
    ///
    /// # Errors
    /// `STORE_ERROR` if the store cannot be written to. What went until then is gone.
    pub async fn vacuum(&self, keep: &Keep) -> Result<Pruned, Failure> {
        let which = keep.pruning(now());
        let mut runs = 0;
        loop {
            let step = self.runs.prune(which.clone()).await.map_err(failure)?;
            runs += step.runs;
            if step.runs > 0 {
                self.note(step.runs).await?;
            }
            if !step.more {
                return Ok(Pruned { runs, ..step });
            }
        }
    }

    async fn note(&self, runs: u64) -> Result<(), Failure> {
        let id = runs.to_string();
        let deed = Deed { action: "workflow.prune", kind: "workflows", id: &id, agent: None };
        let written = self.catalog.put(vec![self.actor.did(deed)]).await;
        written.map_err(|error| {
            Failure::new(opcode_model::ErrorCode::Store, format!("could not note it: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_spans_too() {
        assert_eq!(days("30d"), Ok(30 * DAY));
        assert_eq!(days("1h30m"), Ok(Duration::from_secs(5_400)));
        for wrong in ["", "d", "-1d", "1.5d", "99999d", "4 weeks"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }
}
