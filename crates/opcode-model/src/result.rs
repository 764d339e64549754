//! What a caller is told about a run, in the reference's shapes.
//!
//! Keeps: field names and order of `opcode.run`'s result; empty optional fields are left out.
//! Not here: rendering for people (`opcode`, later `opcode-view`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::error::Failure;
use crate::ids::RunId;
use crate::status::{RunStatus, StepStatus};
use crate::time::Timestamp;
use crate::value::Value;

/// The answer to `run`: where the run is and what its steps came to.
#[derive(Clone, Debug, Serialize)]
pub struct RunResult {
    /// The run.
    pub workflow_id: RunId,
    /// Where it is.
    pub status: RunStatus,
    /// Its output, once completed.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Steps by full path.
    pub steps: BTreeMap<Arc<str>, StepResult>,
}

/// What one step came to.
#[derive(Clone, Debug, Serialize)]
pub struct StepResult {
    /// Full path.
    pub step_id: Arc<str>,
    /// Where it is.
    pub status: StepStatus,
    /// Its output.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Arc<Failure>>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// From its first start to its end.
    #[serde(skip_serializing_if = "is_zero")]
    pub duration_ms: u64,
    /// Retries made.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
