//! The actions there are in a simulated world.
//!
//! Keeps: a pure one says the same each time; an outside one answers as its parameters say (`shell.rs`).
//! Not here: real actions.

use opcode_model::action::ParamProblem;
use opcode_model::{Actions, Answer, EffectClass, Failure, NativeCall, Value};

/// The actions there are in a simulated world.
pub(crate) struct SimActions;

impl Actions for SimActions {
    fn class(&self, name: &str) -> Option<EffectClass> {
        match name {
            "sim.echo" | "sim.broken" | "workflow.run" | "workflow.log" => Some(EffectClass::Pure),
            "sim.again" => Some(EffectClass::Idempotent),
            "sim.once" => Some(EffectClass::Unsafe),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        ["sim.again", "sim.broken", "sim.echo", "sim.once", "workflow.log", "workflow.run"]
            .map(str::to_owned)
            .into()
    }

    fn check(&self, _: &str, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        let text = |key: &str| params.find(key).and_then(Value::as_str).unwrap_or_default().into();
        match name {
            "sim.echo" => Ok(Answer::Value(params.clone())),
            "workflow.run" => Ok(Answer::Native(Box::new(NativeCall::RunChild {
                template: text("template"),
                version: None,
                params: Value::Null,
            }))),
            "workflow.log" => Ok(Answer::Native(Box::new(NativeCall::Log {
                level: "info".into(),
                message: text("message"),
                data: Value::Null,
            }))),
            _ => Err(super::oracle::broken()),
        }
    }
}
