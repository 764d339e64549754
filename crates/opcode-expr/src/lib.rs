//! Every expression language behind one small door: compile once, evaluate over a borrowed scope with a meter.
//!
//! Keeps: no clock, no dice, no environment, no IO; whatever is written, evaluating ends in bounded steps, depth and bytes.
//! Not here: what a scope contains (the engine implements `Scope`), when an expression is evaluated.

/// Stack a thread that evaluates should have: in a build without optimisation the deepest expression takes some of it.
pub const STACK_BYTES: usize = 64 << 20;

mod calendar;
mod catalog;
mod cel;
mod cursor;
mod error;
mod expr;
#[doc(hidden)]
pub mod fuzzing;
mod hint;
mod jq;
mod meter;
mod pattern;
mod program;
mod re2;
mod recent;
mod references;
mod scope;
mod template;

pub use catalog::{FunctionDoc, catalog};
pub use error::{CompileError, CompileErrorKind, EvalError, EvalErrorKind};
pub use meter::Meter;
pub use program::{Given, Language, Program};
pub use references::{Division, References, StepReference};
pub use scope::{ObjectScope, Scope, StepView};
pub use template::{Rendered, Template, TemplateError};
