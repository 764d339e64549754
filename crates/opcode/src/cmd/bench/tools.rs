//! The two steps a benchmark is made of: one computed, one declared as an outside effect. Both do nothing.
//!
//! Keeps: an effect goes the whole way: intent on disk, slot, task, answer on disk.
//! Not here: real actions.

use std::sync::Arc;

use opcode_actions::{Action, Performing, Stop, World};
use opcode_model::action::{Actions, Answer, Call, EffectClass, ParamProblem};
use opcode_model::{Failure, Value};
use opcode_runtime::Tools;

/// `bench.pure` and `bench.effect`.
pub(super) struct BenchTools {
    all: [Arc<Nothing>; 2],
}

struct Nothing {
    name: &'static str,
    class: EffectClass,
    schema: serde_json::Value,
}

impl BenchTools {
    pub(super) fn new() -> Self {
        let nothing = |name, class| {
            Arc::new(Nothing { name, class, schema: serde_json::json!({"type": "object"}) })
        };
        Self {
            all: [
                nothing("bench.effect", EffectClass::Idempotent),
                nothing("bench.pure", EffectClass::Pure),
            ],
        }
    }
}

fn done() -> Value {
    Value::object([("ok", true)])
}

impl Action for Nothing {
    fn name(&self) -> &str {
        self.name
    }
    fn summary(&self) -> &str {
        "does nothing"
    }
    fn class(&self) -> EffectClass {
        self.class
    }
    fn schema(&self) -> &serde_json::Value {
        &self.schema
    }
    fn check(&self, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }
    fn target(&self, _: &Value) -> Option<String> {
        None
    }
    fn compute(&self, _: &Value) -> Result<Answer, Failure> {
        Ok(Answer::Value(done()))
    }
    fn perform<'a>(&'a self, _: &'a Call, _: &'a World, _: Stop) -> Performing<'a> {
        Box::pin(std::future::ready(Ok(done())))
    }
}

impl Actions for BenchTools {
    fn class(&self, name: &str) -> Option<EffectClass> {
        self.find(name).map(|action| action.class())
    }
    fn names(&self) -> Vec<String> {
        self.all.iter().map(|one| one.name.to_owned()).collect()
    }
    fn check(&self, _: &str, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }
    fn compute(&self, _: &str, _: &Value) -> Result<Answer, Failure> {
        Ok(Answer::Value(done()))
    }
}

impl Tools for BenchTools {
    fn find(&self, name: &str) -> Option<Arc<dyn Action>> {
        self.all.iter().find(|one| one.name == name).map(|one| one.clone() as _)
    }
}
