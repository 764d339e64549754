//! `workflow.emit`: tells whoever listens that something happened.
//!
//! ```json
//! {"action": "workflow.emit", "params": {"event_type": "order.paid", "payload": {"order": 7}}}
//! ```
//! gives
//! ```json
//! {"emitted": true}
//! ```
//!
//! Keeps: the event is recorded before anyone hears of it.
//! Not here: delivering it (the hub).

use opcode_model::{Answer, EffectClass, Failure, NativeCall, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct WorkflowEmit;

/// The type of an event whose author gave none.
const DEFAULT_TYPE: &str = "workflow.emit";

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The event's name; `workflow.emit` unless given.
    event_type: Option<Text>,
    /// The same as `event_type`.
    event: Option<Text>,
    /// The same as `event_type`.
    signal: Option<Text>,
    /// Its content.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    payload: Value,
    /// The same as `payload`.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    data: Value,
}

impl Built for WorkflowEmit {
    type Params = Params;
    const PAGE: Page = Page {
        name: "workflow.emit",
        class: EffectClass::Pure,
        source: include_str!("workflow_emit.rs"),
        output: &[("emitted", "always `true`")],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let named = params.event_type.or(params.event).or(params.signal);
        let event_type = named.map_or_else(|| DEFAULT_TYPE.to_owned(), |name| name.0);
        let payload = if params.payload.is_null() { params.data } else { params.payload };
        Ok(Answer::Native(Box::new(NativeCall::Emit { event_type: event_type.into(), payload })))
    }
}
