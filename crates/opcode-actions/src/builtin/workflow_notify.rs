//! `workflow.notify`: sends a message to the agent whose run this is.
//!
//! ```json
//! {"action": "workflow.notify", "params": {"message": "the report is ready"}}
//! ```
//! gives
//! ```json
//! {"notified": true}
//! ```
//!
//! Keeps: the message is recorded before it is sent.
//! Not here: sending it (the shell).

use opcode_model::{Answer, EffectClass, Failure, NativeCall, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct WorkflowNotify;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// What to say.
    message: Text,
    /// Facts beside it.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    data: Value,
}

impl Built for WorkflowNotify {
    type Params = Params;
    const PAGE: Page = Page {
        name: "workflow.notify",
        class: EffectClass::Pure,
        source: include_str!("workflow_notify.rs"),
        output: &[
            ("notified", "whether there was somebody to tell"),
            ("reason", "why not, such as `no_agent`"),
        ],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let message = params.message.0.into();
        Ok(Answer::Native(Box::new(NativeCall::Notify { message, data: params.data })))
    }
}
