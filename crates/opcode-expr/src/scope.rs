//! What an expression can see: borrowed, lazy, never copied as a whole.
//!
//! Keeps: only what an expression names is looked up.
//! Not here: where the values live.

use std::sync::Arc;

use opcode_model::{StepStatus, Timestamp, Value};

/// What an expression can see.
pub trait Scope {
    /// A root other than `steps`: `inputs`, `workflow`, `context`, `iter` (also asked as `loop`), `error` in a hook.
    /// `None` if it does not exist here (`iter` outside a loop).
    fn root(&self, name: &str) -> Option<Value>;

    /// A step by full path, or by short id among siblings. `None` if the run knows no such step.
    fn step(&self, id: &str) -> Option<StepView>;

    /// Ids of the steps that have an output, sorted; for messages and for walking `steps` as a map.
    fn step_ids(&self) -> Vec<Arc<str>>;

    /// The moment of the input; what `now` means.
    fn now(&self) -> Timestamp;
}

/// A step as an expression sees it.
#[derive(Clone, Debug)]
pub struct StepView {
    /// Where it is.
    pub status: StepStatus,
    /// Its output, if it completed.
    pub output: Option<Value>,
    /// Its failure, if it failed.
    pub error: Option<Value>,
}
