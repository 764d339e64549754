//! Whether a step runs at all.
//!
//! Keeps: a guard that reads a step that never ran, or an input that was not given, is false and says so; any other error fails the step.
//! Not here: conditions (`begin.rs`).

use std::sync::Arc;

use opcode_expr::{EvalErrorKind, Program};
use opcode_model::{Failure, StepIx};

use super::draft::{Draft, truth};

/// What a guard says.
pub(super) enum Guard {
    /// Run.
    Pass,
    /// Skip, for this reason.
    Stop(Option<Arc<str>>),
    /// Fail.
    Broken(Failure),
}

pub(super) fn guard(draft: &Draft<'_>, ix: StepIx, program: &Program) -> Guard {
    match draft.evaluate_in(draft.step(ix).frame, program) {
        Ok(value) => match truth(&value, "a guard") {
            Ok(true) => Guard::Pass,
            Ok(false) => Guard::Stop(None),
            Err(failure) => Guard::Broken(failure),
        },
        Err(error) if is_absence(&error.kind) => Guard::Stop(Some(error.message.into())),
        Err(error) => Guard::Broken(error.to_failure()),
    }
}

fn is_absence(kind: &EvalErrorKind) -> bool {
    matches!(kind, EvalErrorKind::AbsentStep | EvalErrorKind::AbsentInput)
}
