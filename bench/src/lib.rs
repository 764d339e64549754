//! What the benchmarks share: definitions of a given shape, actions that do nothing, and the smallest pump.
//!
//! Keeps: the measured path is the shipping one; only the actions are empty.
//! Not here: numbers (`docs/benchmarks.md`), clients over a real store (`opcode bench`).

mod local;
mod shapes;
mod tools;

pub use local::Local;
pub use shapes::{chain, parallel, pure_loop, skewed, sleeper, woven};
pub use tools::Noop;
