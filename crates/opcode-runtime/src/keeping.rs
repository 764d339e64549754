//! How long finished workflows are kept, and the room they leave.
//!
//! Keeps: small steps, so that a server goes on answering; what went is in the audit log.
//! Not here: what goes with a run (the store), when this is called (the faces).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use opcode_model::problem::pointer;
use opcode_model::time::parse_duration;
use opcode_model::{ErrorCode, Failure, Problem, Timestamp, Value};
use opcode_store::{Catalog, Pruned, Pruning, Report, Runs};

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
    /// None of these templates.
    pub but: Vec<Arc<str>>,
}

/// How long the workflows of some templates are kept, where that is not as for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention(BTreeMap<Arc<str>, Own>);

/// What one template says; nothing, where it is as for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Own {
    /// `None` inside is for ever.
    keep: Option<Option<Duration>>,
    keep_failed: Option<Duration>,
}

impl Retention {
    /// Reads `{"template": {"keep": "7d", "keep_failed": "30d"}}`. `"keep": null` is for ever; what is left out is as for
    /// all, but failed ones go with the others where only `keep` is told.
    ///
    /// # Errors
    /// At its place, what is none of this.
    pub fn read(value: &Value) -> Result<Self, Problem> {
        let wrong = |place: &str, what: &str| Problem::error(ErrorCode::Validation, place, what);
        let object = |value: &Value, place: &str| {
            value.as_object().cloned().ok_or_else(|| wrong(place, "an object is needed"))
        };
        let mut all = BTreeMap::new();
        for (template, value) in &object(value, "")? {
            let (place, mut own) = (pointer("", template), Own::default());
            for (name, value) in &object(value, &place)? {
                let place = pointer(&place, name);
                let span =
                    value.as_str().map(days).transpose().map_err(|why| wrong(&place, &why))?;
                match (&**name, span) {
                    ("keep", span) if span.is_some() || value.is_null() => own.keep = Some(span),
                    ("keep_failed", Some(span)) => own.keep_failed = Some(span),
                    ("keep" | "keep_failed", _) => {
                        return Err(wrong(&place, "a span such as 30d is needed"));
                    }
                    _ => {
                        return Err(wrong(&place, "there is no such member")
                            .hint("there are keep and keep_failed"));
                    }
                }
            }
            all.insert(template.clone(), own);
        }
        Ok(Self(all))
    }

    /// What goes, one after the other: of each template that is named, and of all others as `otherwise` says.
    pub fn over(&self, otherwise: &Keep) -> Vec<Keep> {
        let one = |(template, own): (&Arc<str>, &Own)| Keep {
            over: own.keep.unwrap_or(otherwise.over),
            failed: own.keep_failed.or(otherwise.failed.filter(|_| own.keep.is_none())),
            templates: vec![template.clone()],
            but: Vec::new(),
        };
        let others = Keep { but: self.0.keys().cloned().collect(), ..otherwise.clone() };
        self.0.iter().map(one).chain([others]).filter(Keep::is_bounded).collect()
    }
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
            but: self.but.clone(),
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
    /// Writes a verified copy of the store into a file that is not there yet.
    ///
    /// # Errors
    /// `STORE_ERROR`, saying why there is none now.
    pub async fn copy(&self, to: PathBuf) -> Result<Report, Failure> {
        let copied = self.runs.copy(to).await.map_err(failure)?;
        let deed = Deed { action: "store.backup", kind: "store", id: "", agent: None };
        let written = self.catalog.put(vec![self.actor.did(deed)]).await;
        written.map_err(|error| Failure::new(ErrorCode::Store, error.to_string()))?;
        Ok(copied)
    }

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
        written
            .map_err(|error| Failure::new(ErrorCode::Store, format!("could not note it: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_its_own_time() {
        let read = |text| Retention::read(&Value::from_json(text).unwrap());
        let own = r#"{"a":{"keep":"7d"},"b":{"keep":null},"c":{"keep_failed":"1d"}}"#;
        let otherwise = Keep { over: Some(30 * DAY), failed: Some(90 * DAY), ..Keep::default() };
        let all = read(own).unwrap().over(&otherwise);
        let told: Vec<_> = all.iter().map(|it| (it.over, it.failed, it.templates.len())).collect();
        assert_eq!(
            told,
            [
                (Some(7 * DAY), None, 1),
                (Some(30 * DAY), Some(DAY), 1),
                (Some(30 * DAY), Some(90 * DAY), 0)
            ],
            "what is kept for ever is not looked at"
        );
        assert_eq!(all[2].but.len(), 3);
        for (text, place) in [
            ("7", ""),
            (r#"{"a":"7d"}"#, "/a"),
            (r#"{"a":{"keep":"soon"}}"#, "/a/keep"),
            (r#"{"a":{"keep":7}}"#, "/a/keep"),
            (r#"{"a":{"kept":"7d"}}"#, "/a/kept"),
        ] {
            assert_eq!(read(text).unwrap_err().path, place, "{text}");
        }
    }

    #[test]
    fn days_are_spans_too() {
        assert_eq!(days("30d"), Ok(30 * DAY));
        assert_eq!(days("1h30m"), Ok(Duration::from_secs(5_400)));
        for wrong in ["", "d", "-1d", "1.5d", "99999d", "4 weeks"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }
}
