//! The actions there are, by name.
//!
//! Keeps: names are sorted and unique; a registry is a value, nothing registers itself.
//! Not here: actions (`builtin/`), deciding when one runs (`opcode-engine`).

use std::sync::Arc;

use opcode_model::action::{Actions, Answer, EffectClass, Misfit, ParamProblem};
use opcode_model::{ErrorCode, Failure, Language, Value};

use crate::action::Action;
use crate::{builtin, reference};

/// The actions a step can name.
pub struct Registry {
    actions: Vec<Arc<dyn Action>>,
    takes_spliced: bool,
}

impl Registry {
    /// All built-in actions.
    pub fn builtin() -> Self {
        let mut actions = builtin::all();
        actions.sort_by(|one, other| one.name().cmp(other.name()));
        Self { actions, takes_spliced: false }
    }

    /// The same; data that becomes part of a script is only warned of, as it was before.
    #[must_use]
    pub fn lenient(self) -> Self {
        Self { takes_spliced: true, ..self }
    }

    /// The action of this name.
    pub fn find(&self, name: &str) -> Option<Arc<dyn Action>> {
        let place = self.actions.binary_search_by(|action| action.name().cmp(name)).ok()?;
        Some(self.actions[place].clone())
    }

    /// Every action, by name.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Action> {
        self.actions.iter().map(AsRef::as_ref)
    }

    /// The reference of all actions, as Markdown.
    pub fn reference_markdown(&self) -> String {
        reference::markdown(self.iter())
    }

    /// The parameters' schemas: an object from action name to JSON Schema.
    pub fn schemas(&self) -> serde_json::Value {
        self.iter().map(|action| (action.name().to_owned(), action.schema().clone())).collect()
    }
}

impl Actions for Registry {
    fn class(&self, name: &str) -> Option<EffectClass> {
        self.find(name).map(|action| action.class())
    }

    fn names(&self) -> Vec<String> {
        self.iter().map(|action| action.name().to_owned()).collect()
    }

    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        let mut found = self.find(name).map(|action| action.check(params)).unwrap_or_default();
        for problem in
            found.iter_mut().filter(|it| self.takes_spliced && it.kind == Misfit::Spliced)
        {
            problem.kind = Misfit::Risky;
        }
        found
    }

    fn program(&self, name: &str) -> Option<(&'static str, Language)> {
        self.find(name).and_then(|action| action.program())
    }

    fn runs_programs(&self, name: &str) -> bool {
        self.find(name).is_some_and(|action| action.runs_programs())
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        match self.find(name) {
            Some(action) => action.compute(params),
            None => {
                let message = format!("no action named '{name}'");
                Err(Failure::new(ErrorCode::ActionUnavailable, message))
            }
        }
    }
}
