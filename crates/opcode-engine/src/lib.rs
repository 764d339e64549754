//! The mind: four verbs over one run. `plan` makes text runnable, `decide` says what should happen,
//! `apply` records what did, `outstanding` says what the world still owes.
//!
//! Keeps: no clock, no dice, no IO, no async; the same history gives the same run.
//! Not here: the loop around the verbs (`opcode-driver`).

mod apply;
mod decide;
mod plan;
mod run;
mod shape;

pub use apply::apply;
pub use decide::{Refusal, decide};
pub use plan::{
    ActionPlan, Backoff, ChildPlan, ConditionPlan, LoopMode, LoopPlan, OnError, OnTimeout,
    ParallelPlan, Plan, ReasoningPlan, Retry, Schema, SchemaError, ServerWishes, StepPlan,
    WaitPlan, WorkPlan, plan, server_wishes,
};
pub use run::{
    Alarm, Child, Clock, Flow, Frame, FrameIx, Intent, LoopState, Mail, Outstanding, Run, State,
    Status, Step, StepState, Todo, outstanding,
};
pub use shape::{Body, BodyIx, FlowKind, LoopBounds, Node, NodeIx, Shape};
