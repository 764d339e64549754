//! The words of the house: what mind, hands and faces say to each other.
//!
//! Keeps: no clock, no dice, no IO; every type here is data.
//! Not here: any rule about what follows from what (`opcode-engine`).

pub mod action;
pub mod commit;
pub mod effect;
pub mod error;
pub mod event;
pub mod ids;
mod json;
pub mod limits;
pub mod percent;
pub mod problem;
pub mod result;
pub mod sandbox;
pub mod secret;
mod serde_ids;
pub mod signal;
pub mod status;
pub mod time;
pub mod trace;
mod value;

pub use action::{
    Actions, Answer, EffectClass, Evaluation, Language, NativeCall, OnInterrupted, Outcome,
};
pub use commit::{Commit, Position};
pub use effect::{Compute, Decision, Effect, Input, InputKind, Perform, Start};
pub use error::{ErrorCode, Failure};
pub use event::{Event, EventKind};
pub use ids::{DefinitionHash, RunId, Seq, StepIx, StepRef, idempotency_key};
pub use problem::Problem;
pub use sandbox::{Limits, Profile, Wishes};
pub use secret::{Secret, SecretSlot};
pub use signal::{Message, MessageBody, Signal, SignalKind};
pub use status::{RunStatus, StepStatus};
pub use time::Timestamp;
pub use trace::TraceParent;
pub use value::{Object, Value, compare_int_float};
