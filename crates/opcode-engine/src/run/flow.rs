//! Instances of bodies, and what a step with bodies has come to.
//!
//! Keeps: a frame counts its open steps, a flow its open frames; nobody walks them to know.
//! Not here: when a body starts (`decide/flow.rs`).

use std::sync::Arc;

use opcode_model::event::SkipReason;
use opcode_model::{Failure, StepIx, Value};
use serde::{Deserialize, Serialize};

use crate::shape::{BodyIx, FlowKind};

/// A frame's place in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FrameIx(pub u32);

/// One instance of a body: the steps of one branch, or of one iteration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frame {
    /// Which body.
    pub body: BodyIx,
    /// The step it belongs to; none for the definition's own body and for hooks.
    pub owner: Option<StepIx>,
    /// Which branch or iteration of its owner.
    pub slot: u32,
    /// Its first step; the others follow.
    pub first: StepIx,
    /// Steps not settled.
    pub open: u32,
    /// Open steps that were told to stop.
    pub stopping: u32,
    /// What broke it.
    pub broken: Option<Arc<Failure>>,
    /// What `iter` means in it.
    pub iter: Option<(Value, u32)>,
    /// Whether its owner has taken note of its end.
    pub noted: bool,
}

/// What a step with bodies has come to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// How its bodies belong together.
    pub kind: FlowKind,
    /// The branch key of a condition.
    pub key: Arc<str>,
    /// Its frames, in the order they began.
    pub frames: Vec<FrameIx>,
    /// Frames not over.
    pub open: u32,
    /// The first frame that broke, and what broke it.
    pub broken: Option<Arc<Failure>>,
    /// The branch that won a race.
    pub winner: Option<u32>,
    /// What it was told to stop for, and what it then fails with.
    pub stopping: Option<(SkipReason, Option<Failure>)>,
    /// What a loop has come to.
    pub looping: LoopState,
}

/// What a loop has come to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LoopState {
    /// The items of a `for_each`.
    pub items: Value,
    /// Iterations begun.
    pub next: u32,
    /// Iterations over and taken note of.
    pub noted: u32,
    /// Whether no more will begin.
    pub ended: bool,
    /// Outputs by iteration.
    pub results: Vec<Value>,
}

impl Flow {
    pub(crate) fn new(kind: FlowKind, items: Value) -> Self {
        Self {
            kind,
            key: "".into(),
            frames: Vec::new(),
            open: 0,
            broken: None,
            winner: None,
            stopping: None,
            looping: LoopState { items, ..LoopState::default() },
        }
    }
}
