//! The two steps a benchmark is made of: one computed, one declared as an outside effect. Both do nothing.
//!
//! Keeps: an effect goes the whole way: intent on disk, slot, task, answer on disk.
//! Not here: real actions.

use opcode_actions::{Action, Page, Performing, Stop, World};
use opcode_model::action::{Actions, Answer, Call, EffectClass, ParamProblem};
use opcode_model::{Failure, Value};
use opcode_runtime::Tools;

/// `bench.pure` and `bench.effect`.
pub(super) struct BenchTools {
    pure: Nothing,
    effect: Nothing,
}

struct Nothing {
    page: Page,
    schema: serde_json::Value,
}

impl BenchTools {
    pub(super) fn new() -> Self {
        let nothing = |name, class| Nothing {
            page: Page { name, class, source: include_str!("tools.rs"), output: &[] },
            schema: serde_json::json!({"type": "object"}),
        };
        Self {
            pure: nothing("bench.pure", EffectClass::Pure),
            effect: nothing("bench.effect", EffectClass::Idempotent),
        }
    }
}

fn done() -> Value {
    Value::object([("ok", true)])
}

impl Action for Nothing {
    fn page(&self) -> &Page {
        &self.page
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
        self.find(name).map(Action::class)
    }
    fn names(&self) -> Vec<&str> {
        vec![self.effect.page.name, self.pure.page.name]
    }
    fn check(&self, _: &str, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }
    fn compute(&self, _: &str, _: &Value) -> Result<Answer, Failure> {
        Ok(Answer::Value(done()))
    }
}

impl Tools for BenchTools {
    fn find(&self, name: &str) -> Option<&dyn Action> {
        [&self.pure, &self.effect].into_iter().find(|one| one.page.name == name).map(|one| one as _)
    }
}
