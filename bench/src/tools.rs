//! Actions that do nothing: computed in line, held for ever, or taking a given time.
//!
//! Keeps: what is measured is the engine.
//! Not here: real actions.

use std::sync::Arc;
use std::time::Duration;

use opcode_actions::{Action, Performing, Stop, World};
use opcode_model::action::{Actions, Answer, Call, EffectClass, ParamProblem};
use opcode_model::{ErrorCode, Failure, Value};
use opcode_runtime::Tools;

/// `noop`, pure; `hold` and `take`, outside effects.
pub struct Noop {
    outside: [Arc<Outside>; 2],
}

struct Outside {
    name: &'static str,
    schema: serde_json::Value,
}

impl Default for Noop {
    fn default() -> Self {
        let outside = ["hold", "take"]
            .map(|name| Arc::new(Outside { name, schema: serde_json::json!({"type": "object"}) }));
        Self { outside }
    }
}

fn done() -> Value {
    Value::object([("ok", true)])
}

impl Action for Outside {
    fn name(&self) -> &str {
        self.name
    }
    fn summary(&self) -> &str {
        "does nothing"
    }
    fn class(&self) -> EffectClass {
        EffectClass::Idempotent
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
    #[expect(clippy::print_stdout, reason = "the measuring process waits for this line")]
    fn perform<'a>(&'a self, call: &'a Call, _: &'a World, stop: Stop) -> Performing<'a> {
        Box::pin(async move {
            let span = call.params.find("ms").and_then(Value::as_i64);
            match span.and_then(|ms| u64::try_from(ms).ok()) {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => {
                    println!("moving");
                    stop.wait().await;
                    return Err(Failure::new(ErrorCode::Cancelled, "stopped"));
                }
            }
            Ok(done())
        })
    }
}

impl Actions for Noop {
    fn class(&self, name: &str) -> Option<EffectClass> {
        if name == "noop" {
            Some(EffectClass::Pure)
        } else {
            self.find(name).map(|action| action.class())
        }
    }
    fn names(&self) -> Vec<String> {
        ["hold", "noop", "take"].map(str::to_owned).into()
    }
    fn check(&self, _: &str, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }
    fn compute(&self, _: &str, _: &Value) -> Result<Answer, Failure> {
        Ok(Answer::Value(done()))
    }
}

impl Tools for Noop {
    fn find(&self, name: &str) -> Option<Arc<dyn Action>> {
        self.outside.iter().find(|one| one.name == name).map(|one| one.clone() as _)
    }
}
