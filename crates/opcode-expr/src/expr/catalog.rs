//! What every function of Expr does, with an example.
//!
//! Keeps: one entry a function, in order of their names; the examples run as a test.
//! Not here: how arguments are checked (`functions.rs`).

use crate::catalog::FunctionDoc;

/// All functions.
pub(crate) const CATALOG: &[FunctionDoc] = &[];
