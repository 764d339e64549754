//! Why an evaluation stops or backtracks, in a form light enough that `?` may swallow a million of them.
//!
//! Keeps: messages are gojq's own, made only when somebody reads them.
//! Not here: the public error (`error.rs`).

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use opcode_model::Value;

use super::json::preview;
use crate::error::{EvalError, EvalErrorKind};
use crate::meter::Exhausted;

/// Bytes of the source.
pub(super) type Span = (u32, u32);

pub(super) type Outcome<T> = Result<T, Box<Cause>>;

/// What stopped an evaluation.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// `error(value)`.
    Raised(Value),
    /// `break`, on its way to the label of this number.
    Break(u64),
    /// `halt`, or `halt_error` with what it says.
    Halt(Option<Value>),
    /// A budget.
    Limit(Exhausted),
    /// A value of a type that does not do here: what was wanted instead, and the value.
    Wanted(&'static str, Value),
    /// An operator between values it does not take.
    Operator { verb: &'static str, left: Value, right: Value },
    /// A division by zero.
    Zero { verb: &'static str, left: Value, right: Value },
    /// A function that does not take this input, or these arguments.
    Apply { name: Cow<'static, str>, arguments: Vec<Value>, of: Value },
    /// A function that failed on its way, and why.
    Within { name: &'static str, arguments: Vec<Value>, of: Value, cause: Box<Self> },
    /// A path that leads through something that is no part of the input.
    NoPath(&'static str, Value),
    /// Anything else.
    Message(Box<str>),
}

impl Cause {
    pub(super) fn wanted(what: &'static str, of: &Value) -> Box<Self> {
        Box::new(Self::Wanted(what, of.clone()))
    }

    pub(super) fn message(text: impl Into<Box<str>>) -> Box<Self> {
        Box::new(Self::Message(text.into()))
    }

    /// `name` takes no such input.
    pub(super) fn apply(name: &'static str, of: &Value) -> Box<Self> {
        Self::apply_to(name, of, &[])
    }

    /// `name(arguments)` takes no such input.
    pub(super) fn apply_to(name: &'static str, of: &Value, arguments: &[Value]) -> Box<Self> {
        Box::new(Self::Apply { name: name.into(), arguments: arguments.to_vec(), of: of.clone() })
    }

    /// `name(arguments)` failed because of this.
    pub(super) fn within(
        self: Box<Self>,
        name: &'static str,
        of: &Value,
        arguments: &[Value],
    ) -> Box<Self> {
        if self.is_final() {
            return self;
        }
        Box::new(Self::Within { name, arguments: arguments.to_vec(), of: of.clone(), cause: self })
    }

    /// Whether `try` must let it through.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Limit(_) | Self::Halt(_))
    }

    /// What `catch` is given.
    pub(super) fn caught(self) -> Value {
        match self {
            Self::Raised(value) => value,
            other => Value::from(other.text()),
        }
    }

    /// What happened, in gojq's words.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Raised(Value::String(text)) => format!("error: {text}"),
            Self::Raised(value) => format!("error: {}", super::json::text(value)),
            Self::Halt(value) => {
                let value = value.as_ref().map(Value::to_text).unwrap_or_default();
                format!("halt error: {value}")
            }
            Self::Break(_) => "break".to_owned(),
            Self::Limit(Exhausted { which, value }) => format!("{which} is limited to {value}"),
            Self::Wanted(what, value) => format!("{what}: {}", described(value)),
            Self::Operator { verb, left, right } => {
                format!("cannot {verb}: {} and {}", described(left), described(right))
            }
            Self::Zero { verb, left, right } => {
                format!("cannot {verb} {} by: {}", described(left), described(right))
            }
            Self::Apply { name, arguments, of } => {
                let call = called(name, arguments);
                format!("{call} cannot be applied to: {}", described(of))
            }
            Self::Within { name, arguments, of, cause } => {
                let call = called(name, arguments);
                format!("{call} cannot be applied to {}: {}", preview(of), cause.text())
            }
            Self::NoPath(what, value) => format!("{what} against: {}", described(value)),
            Self::Message(text) => text.to_string(),
        }
    }

    fn kind(&self) -> EvalErrorKind {
        match self {
            Self::Limit(Exhausted { which, value }) => {
                EvalErrorKind::Limit { which, value: *value }
            }
            Self::Zero { .. } => EvalErrorKind::DivisionByZero,
            Self::Wanted(..) | Self::Operator { .. } | Self::Apply { .. } | Self::NoPath(..) => {
                EvalErrorKind::Type
            }
            Self::Within { cause, .. } => cause.kind(),
            Self::Raised(_) | Self::Break(_) | Self::Halt(_) | Self::Message(_) => {
                EvalErrorKind::Argument
            }
        }
    }

    /// The whole story, for people.
    pub(super) fn explain(&self, source: &Arc<str>, span: Span) -> EvalError {
        EvalError {
            kind: self.kind(),
            message: self.text(),
            span: Range { start: span.0 as usize, end: span.1 as usize },
            expression: source.to_string(),
            pointer: None,
        }
    }
}

impl From<Exhausted> for Box<Cause> {
    fn from(exhausted: Exhausted) -> Self {
        Self::new(Cause::Limit(exhausted))
    }
}

/// jq's name for a value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Float(_) => "number",
        Value::String(_) | Value::Bytes(_) => "string",
        Value::List(_) => "array",
        Value::Object(_) => "object",
    }
}

/// `number (5)`, `null`.
fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        _ => format!("{} ({})", type_name(value), preview(value)),
    }
}

fn called(name: &str, arguments: &[Value]) -> String {
    if arguments.is_empty() {
        return name.to_owned();
    }
    let arguments: Vec<_> = arguments.iter().map(preview).collect();
    format!("{name}({})", arguments.join("; "))
}
