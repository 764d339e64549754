//! A scope made of JSON, for tests.
//!
//! Keeps: what the engine's scope promises: steps by full id, the rest by root name.
//! Not here: any test.

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_expr::{EvalError, Language, Meter, Program, Rendered, Scope, StepView, Template};
use opcode_model::{StepStatus, Timestamp, Value};

/// Roots and steps by name.
#[derive(Default)]
pub(crate) struct Fixture {
    pub(crate) roots: BTreeMap<String, Value>,
    pub(crate) steps: BTreeMap<String, StepView>,
}

impl Scope for Fixture {
    fn root(&self, name: &str) -> Option<Value> {
        self.roots.get(name).cloned()
    }

    fn step(&self, id: &str) -> Option<StepView> {
        self.steps.get(id).cloned()
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        let done = self.steps.iter().filter(|step| step.1.output.is_some());
        done.map(|step| step.0.as_str().into()).collect()
    }

    fn now(&self) -> Timestamp {
        Timestamp(1_790_000_000_123)
    }
}

impl Fixture {
    /// With a root.
    pub(crate) fn root(mut self, name: &str, json: &str) -> Self {
        self.roots.insert(name.to_owned(), value(json));
        self
    }

    /// With a completed step.
    pub(crate) fn done(mut self, id: &str, json: &str) -> Self {
        let view =
            StepView { status: StepStatus::Completed, output: Some(value(json)), error: None };
        self.steps.insert(id.to_owned(), view);
        self
    }

    /// With a step that has no output.
    pub(crate) fn step(mut self, id: &str, status: StepStatus) -> Self {
        self.steps.insert(id.to_owned(), StepView { status, output: None, error: None });
        self
    }

    /// Evaluates CEL.
    pub(crate) fn cel(&self, source: &str) -> Result<Value, EvalError> {
        let program = Program::compile(Language::Cel, source)
            .unwrap_or_else(|error| panic!("{source}: {error:?}"));
        program.evaluate(self, &mut Meter::default())
    }

    /// Fills in parameters.
    pub(crate) fn render(&self, json: &str) -> Result<Rendered, EvalError> {
        let template =
            Template::compile(&value(json)).unwrap_or_else(|errors| panic!("{json}: {errors:?}"));
        template.render(self, &mut Meter::default())
    }
}

/// Reads JSON.
pub(crate) fn value(json: &str) -> Value {
    Value::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}
