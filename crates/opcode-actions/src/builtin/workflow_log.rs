//! `workflow.log`: writes a line to the server's log.
//!
//! ```json
//! {"action": "workflow.log", "params": {"message": "three left", "level": "warn"}}
//! ```
//! gives
//! ```json
//! {"logged": true}
//! ```
//!
//! Keeps: the line is written after the step is recorded.
//! Not here: the log itself (the shell).

use opcode_model::{Answer, EffectClass, Failure, NativeCall, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct WorkflowLog;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// What to say.
    message: Text,
    /// How loud; `info` unless given.
    #[serde(default)]
    level: Level,
    /// Facts beside it.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    data: Value,
}

impl Built for WorkflowLog {
    type Params = Params;
    const PAGE: Page = Page {
        name: "workflow.log",
        class: EffectClass::Pure,
        source: include_str!("workflow_log.rs"),
        output: &[("logged", "always `true`")],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let level = match params.level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        Ok(Answer::Native(Box::new(NativeCall::Log {
            level: level.into(),
            message: params.message.0.into(),
            data: params.data,
        })))
    }
}
