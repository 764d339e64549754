//! Why an evaluation stops, and where.
//!
//! Keeps: small on the way up, so that results stay cheap to return.
//! Not here: the public error (`error.rs`), mistakes in the text (`check.rs`).

use std::ops::Range;

use crate::error::{EvalError, EvalErrorKind};
use crate::meter::Exhausted;

/// The bytes of the source that something is about.
pub(crate) type Span = (u32, u32);

/// What stopped an evaluation, and where.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    kind: EvalErrorKind,
    message: String,
    span: Span,
}

pub(crate) type Outcome<T> = Result<T, Box<Trouble>>;

impl Trouble {
    pub(super) fn new(kind: EvalErrorKind, message: impl Into<String>, span: Span) -> Box<Self> {
        Box::new(Self { kind, message: message.into(), span })
    }

    /// An operator or function met a type it does not take.
    pub(super) fn wanted(what: &str, wanted: &str, got: &str, span: Span) -> Box<Self> {
        Self::new(EvalErrorKind::Type, format!("{what} takes {wanted}, got {got}"), span)
    }

    /// A function met a value it cannot read.
    pub(super) fn argument(message: impl Into<String>, span: Span) -> Box<Self> {
        Self::new(EvalErrorKind::Argument, message, span)
    }

    pub(super) fn limit(exhausted: Exhausted, span: Span) -> Box<Self> {
        let Exhausted { which, value } = exhausted;
        let message = format!("{which} is limited to {value}");
        Self::new(EvalErrorKind::Limit { which, value }, message, span)
    }

    /// The whole story, for people.
    pub(crate) fn explain(self, source: &str) -> EvalError {
        EvalError {
            kind: self.kind,
            message: self.message,
            span: Range { start: self.span.0 as usize, end: self.span.1 as usize },
            expression: source.to_owned(),
            pointer: None,
        }
    }
}
