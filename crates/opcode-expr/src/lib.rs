//! Every expression language behind one small door: compile once, evaluate over a borrowed scope with a meter.
//!
//! Keeps: no clock, no dice, no environment, no IO; whatever is written, evaluating ends in bounded steps, depth and bytes.
//! Not here: what a scope contains (the engine implements `Scope`), when an expression is evaluated.

mod catalog;
mod cel;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod hint;
mod meter;
mod program;
mod references;
mod scope;
mod template;

pub use catalog::{FunctionDoc, catalog};
pub use error::{CompileError, CompileErrorKind, EvalError, EvalErrorKind};
pub use meter::Meter;
pub use program::{Language, Program};
pub use references::{Division, References, StepReference};
pub use scope::{Scope, StepView};
pub use template::{Rendered, Template, TemplateError};
