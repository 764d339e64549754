//! A plugin's tool as an action that a step can name.
//!
//! Keeps: what does not fit its schema is told when the definition is given, and never sent; a tool that is not the one
//! that was approved is not called.
//! Not here: the call itself (`call.rs`).

use std::sync::Arc;

use opcode_actions::{Action, Performing, Stop, World};
use opcode_engine::Schema;
use opcode_model::action::{Answer, Call, EffectClass, Misfit, Outcome, ParamProblem};
use opcode_model::{ErrorCode, Failure, Value};

use super::call;
use super::card::Card;
use super::line::{Counts, Line, PATIENCE};

/// How what is approved stands to what is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is offered as it was approved, as far as is known.
    Approved,
    /// It is new, and nobody approved it.
    New,
    /// It is not what was approved.
    Changed,
    /// It is not offered any more.
    Gone,
}

impl Standing {
    /// The word for it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// An action.
pub(super) struct ToolAction {
    /// `<plugin>.<tool>`.
    name: String,
    pub card: Arc<Card>,
    pub standing: Standing,
    mark: String,
    line: Arc<Line>,
    /// `Err` says why the plugin's schema is none.
    schema: Result<Schema, String>,
}

impl ToolAction {
    pub(super) fn new(line: Arc<Line>, card: Arc<Card>, standing: Standing) -> Self {
        let schema = Schema::compile(&Value::from_serde(&card.schema));
        let schema = schema.map_err(|error| error.to_string());
        let (name, mark) = (format!("{}.{}", line.name, card.name), card.mark());
        Self { name, card, standing, mark, line, schema }
    }

    /// Why it cannot be called as it stands, if so.
    fn bar(&self) -> Option<(ErrorCode, String)> {
        let (name, plugin) = (&self.name, &self.line.name);
        let cure = format!("look at it and say `opcode plugins approve {plugin}`");
        match (self.standing, &self.schema) {
            (Standing::Approved, Ok(_)) => None,
            (Standing::Approved, Err(why)) => Some((
                ErrorCode::ActionUnavailable,
                format!("the schema of `{name}` is none: {why}"),
            )),
            (Standing::New, _) => Some((
                ErrorCode::PluginChanged,
                format!("plugin `{plugin}` offers `{name}` since it was approved; {cure}"),
            )),
            (Standing::Changed, _) => Some((
                ErrorCode::PluginChanged,
                format!("`{name}` is not what it was when it was approved; {cure}"),
            )),
            (Standing::Gone, _) => Some((
                ErrorCode::ActionUnavailable,
                format!("plugin `{plugin}` does not offer `{name}` any more"),
            )),
        }
    }

    fn misfits(&self, params: &Value) -> Vec<(String, String)> {
        let nothing = Value::object::<&str, Value>([]);
        let params = if params.is_null() { &nothing } else { params };
        self.schema.as_ref().map(|schema| schema.misfits(params)).unwrap_or_default()
    }

    async fn run(&self, call: &Call, stop: Stop) -> Outcome {
        if let Some((code, why)) = self.bar() {
            return Err(Failure::new(code, why));
        }
        if let Some((place, why)) = self.misfits(&call.params).into_iter().next() {
            let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
            let message = format!("{}: the params do not fit{place}: {why}", self.name);
            return Err(Failure::new(ErrorCode::Validation, message));
        }
        let patience = call.timeout.map_or(PATIENCE, |span| span.min(PATIENCE));
        let live = tokio::select! {
            biased;
            () = stop.wait() => {
                return Err(Failure::new(ErrorCode::Cancelled, "told to stop before it began"));
            }
            live = self.line.ready(patience) => live?,
        };
        // It may have come up with other tools than it had.
        if live.offered.get(&self.card.name) != Some(&self.mark) {
            let message = format!(
                "plugin `{}` does not offer `{}` as it was approved",
                self.line.name, self.name
            );
            return Err(Failure::new(ErrorCode::PluginChanged, message));
        }
        let _place = tokio::select! {
            biased;
            () = stop.wait() => {
                return Err(Failure::new(ErrorCode::Cancelled, "told to stop before it began"));
            }
            place = self.line.places.acquire() => place,
        };
        Counts::add(&self.line.counts.calls);
        let named = (self.name.as_str(), self.card.name.as_str());
        let outcome = Box::pin(call::call(&self.line, &live, named, call, &stop)).await;
        outcome.inspect_err(|_| Counts::add(&self.line.counts.failed))
    }
}

/// A problem of definitions that are new here.
fn outdated(path: String, message: String, hint: String) -> ParamProblem {
    let kind = Misfit::Outdated;
    ParamProblem { path, message, nearest: None, hint, kind, fix: Vec::new() }
}

/// An action that cannot be called.
pub(super) fn barred(why: String) -> ParamProblem {
    outdated(String::new(), why, "`opcode plugins list` shows where it stands".to_owned())
}

impl Action for ToolAction {
    fn name(&self) -> &str {
        &self.name
    }

    fn summary(&self) -> &str {
        &self.card.about
    }

    fn class(&self) -> EffectClass {
        self.card.class()
    }

    fn schema(&self) -> &serde_json::Value {
        &self.card.schema
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        if let Some((_, why)) = self.bar() {
            return vec![barred(why)];
        }
        if params.as_str().is_some_and(|text| text.contains("${{")) {
            return Vec::new();
        }
        let hint = format!("`opcode query actions --name {} --json` shows its schema", self.name);
        let misfits = self.misfits(params).into_iter();
        misfits.map(|(path, why)| outdated(path, why, hint.clone())).collect()
    }

    fn target(&self, _: &Value) -> Option<String> {
        Some(self.line.name.to_string())
    }

    fn has_own_line(&self) -> bool {
        true
    }

    fn compute(&self, _: &Value) -> Result<Answer, Failure> {
        Err(Failure::new(ErrorCode::Internal, format!("{}: not a pure action", self.name)))
    }

    fn perform<'a>(&'a self, call: &'a Call, _: &'a World, stop: Stop) -> Performing<'a> {
        Box::pin(self.run(call, stop))
    }
}
