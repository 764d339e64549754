//! The functions of jq, with an example each.
//!
//! Keeps: every function of the language stands here, and every example runs as a test.
//! Not here: operators and syntax (`docs/reference/jq.md`).

use crate::catalog::FunctionDoc;

pub(crate) static FUNCTIONS: [FunctionDoc; 0] = [];
