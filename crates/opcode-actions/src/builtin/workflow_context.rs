//! `workflow.context`: reads or updates what the run keeps for its agent.
//!
//! ```json
//! {"action": "workflow.context", "params": {"action": "update", "data": {"seen": 3}}}
//! ```
//! gives
//! ```json
//! {"updated": true, "workflow_id": "run_01J"}
//! ```
//!
//! Keeps: an update lays its keys over what is there; nothing not named is lost.
//! Not here: whose context may be touched (`opcode-engine`).

use opcode_model::{Answer, EffectClass, Failure, NativeCall, Object, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct WorkflowContext;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Read,
    Update,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// Read it, or update it.
    action: Verb,
    /// Whose; this run's own unless given.
    workflow_id: Option<Text>,
    /// For an update: keys to lay over the context.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    data: Object,
    /// For an update: replaces the agent's notes.
    agent_notes: Option<Text>,
}

impl Built for WorkflowContext {
    type Params = Params;
    const PAGE: Page = Page {
        name: "workflow.context",
        class: EffectClass::Pure,
        source: include_str!("workflow_context.rs"),
        output: &[
            ("updated", "`true` after an update; a read gives the context object itself"),
            ("workflow_id", "whose context it is"),
        ],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let workflow_id = params.workflow_id.map(|id| id.0.into());
        Ok(Answer::Native(Box::new(match params.action {
            Verb::Read => NativeCall::ReadContext { workflow_id },
            Verb::Update => NativeCall::UpdateContext {
                workflow_id,
                data: Value::Object(params.data),
                agent_notes: params.agent_notes.map(|notes| notes.0.into()),
            },
        })))
    }
}
