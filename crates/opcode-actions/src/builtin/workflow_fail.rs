//! `workflow.fail`: fails the step for good, with a reason.
//!
//! ```json
//! {"action": "workflow.fail", "params": {"reason": "stock is empty"}}
//! ```
//! gives
//! ```json
//! {"code": "NON_RETRYABLE", "message": "stock is empty"}
//! ```
//!
//! Keeps: no retry follows.
//! Not here: what the failure does to the run (`opcode-engine`).

use opcode_model::{Answer, EffectClass, ErrorCode, Failure};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct WorkflowFail;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// Why; `workflow.fail invoked` unless given.
    reason: Option<Text>,
}

impl Built for WorkflowFail {
    type Params = Params;
    const PAGE: Page = Page {
        name: "workflow.fail",
        class: EffectClass::Pure,
        source: include_str!("workflow_fail.rs"),
        output: &[],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let reason =
            params.reason.map_or_else(|| "workflow.fail invoked".to_owned(), |text| text.0);
        Err(Failure::new(ErrorCode::NonRetryable, reason))
    }
}
