//! What the languages are measured over: a run of 9 KB, as a scope of ours and as the JSON that other evaluators convert.
//!
//! Keeps: every evaluator sees the same data.
//! Not here: the measuring (`benches`).

use std::sync::Arc;

use opcode_expr::{Scope, StepView};
use opcode_model::{StepStatus, Timestamp, Value};

/// A run of which one step has fetched a hundred items.
#[derive(Debug)]
pub struct Run {
    inputs: Value,
    fetch: Value,
}

impl Run {
    /// The run. Its items are as long as it takes for the whole to have about 9 KB.
    pub fn new() -> Self {
        let item = |n: i64| {
            Value::object([
                ("id", Value::Int(n)),
                ("name", Value::from(format!("item-{n}"))),
                ("score", Value::Float((n % 10) as f64 / 10.0 + 0.05)),
                ("kind", Value::Int(n % 10)),
                ("tags", Value::list([Value::from("a"), Value::from("b")])),
                ("by", Value::from("hand")),
            ])
        };
        let items = Value::list((0..100).map(item));
        let fetch = Value::object([("status_code", Value::Int(200)), ("items", items)]);
        let inputs = [
            ("priority", Value::Int(7)),
            ("threshold", Value::Float(0.8)),
            ("name", Value::from("job-42")),
        ];
        Self { inputs: Value::object(inputs), fetch }
    }

    /// The same as JSON: an object of `inputs` and `steps`.
    pub fn to_json(&self) -> String {
        let steps = Value::object([("fetch", self.fetch.clone())]);
        Value::object([("inputs", self.inputs.clone()), ("steps", steps)]).to_json()
    }
}

impl Default for Run {
    fn default() -> Self {
        Self::new()
    }
}

impl Scope for Run {
    fn root(&self, name: &str) -> Option<Value> {
        (name == "inputs").then(|| self.inputs.clone())
    }

    fn step(&self, id: &str) -> Option<StepView> {
        let output = Some(self.fetch.clone());
        (id == "fetch").then_some(StepView { status: StepStatus::Completed, output, error: None })
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        vec!["fetch".into()]
    }

    fn now(&self) -> Timestamp {
        Timestamp(1_790_000_000_123)
    }
}
