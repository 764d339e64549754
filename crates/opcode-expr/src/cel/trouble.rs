//! Why an evaluation stops, in a form light enough that `||` and `all` may swallow a million of them.
//!
//! Keeps: texts, lists of names and nearest matches are made once, at the end, by `explain`.
//! Not here: the public error (`error.rs`).

use std::ops::Range;
use std::sync::Arc;

use opcode_model::problem::nearest;
use opcode_model::{Object, StepStatus, Value};

use super::value::{Cel, Key};
use crate::error::{EvalError, EvalErrorKind, listed, shorten};
use crate::meter::Exhausted;
use crate::scope::Scope;

/// What stopped an evaluation, and where.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) cause: Cause,
    /// Bytes of the source.
    pub(crate) span: (u32, u32),
}

/// What stopped an evaluation.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// A step without a view, or without an output. `None` as status: the run knows no such step.
    Step { id: Arc<str>, status: Option<StepStatus> },
    /// A first-level key of `inputs`.
    Input { key: Arc<str>, inputs: Object },
    /// A variable that does not exist here.
    Variable(Arc<str>),
    /// A key of an object or map.
    Key { key: Arc<str>, of: Cel },
    /// A field of something that has none.
    Traverse { key: Arc<str>, kind: &'static str },
    /// An item of a list.
    Index { index: i64, len: usize },
    /// An operator between types it does not take.
    Operator { operator: &'static str, left: &'static str, right: &'static str },
    /// A function or construct that wanted something else.
    Wanted { what: &'static str, wanted: &'static str, got: &'static str },
    /// A number out of range.
    Overflow(&'static str),
    /// Division or remainder by zero.
    Zero,
    /// A value that a function cannot read.
    Argument(Box<str>),
    /// A budget.
    Limit(Exhausted),
}

pub(crate) type Outcome<T> = Result<T, Box<Trouble>>;

/// The place of a cause: what every operation is handed so that it can say where.
pub(crate) type Span = (u32, u32);

impl Cause {
    pub(crate) fn at(self, span: Span) -> Box<Trouble> {
        Box::new(Trouble { cause: self, span })
    }
}

impl Exhausted {
    pub(crate) fn at(self, span: Span) -> Box<Trouble> {
        Cause::Limit(self).at(span)
    }
}

impl Trouble {
    /// Whether `||`, `&&`, `all` and `exists` must let it through.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.cause, Cause::Limit(_))
    }

    /// The whole story, for people.
    pub(crate) fn explain(&self, source: &str, scope: &dyn Scope) -> EvalError {
        let (kind, message) = self.cause.explain(scope);
        EvalError {
            kind,
            message,
            span: Range { start: self.span.0 as usize, end: self.span.1 as usize },
            expression: source.to_owned(),
            pointer: None,
        }
    }
}

impl Cause {
    fn explain(&self, scope: &dyn Scope) -> (EvalErrorKind, String) {
        match self {
            Self::Step { id, status } => step_message(id, *status, scope),
            Self::Input { key, inputs } => {
                let message = missing("input", key, inputs.iter().map(|pair| pair.0.as_ref()));
                (EvalErrorKind::AbsentInput, message)
            }
            Self::Variable(name) => (EvalErrorKind::AbsentVariable, variable_message(name, scope)),
            Self::Key { key, of } => (EvalErrorKind::MissingKey, key_message(key, of)),
            Self::Traverse { key, kind } => (EvalErrorKind::Type, traverse_message(key, kind)),
            Self::Index { index, len } => {
                (EvalErrorKind::OutOfRange, format!("no item {index} in a list of {len}"))
            }
            Self::Operator { operator, left, right } => {
                (EvalErrorKind::Type, operator_message(operator, left, right))
            }
            Self::Wanted { what, wanted, got } => {
                (EvalErrorKind::Type, format!("{what} takes {wanted}, got {got}"))
            }
            Self::Overflow(what) => (EvalErrorKind::Overflow, format!("{what} out of range")),
            Self::Zero => (EvalErrorKind::DivisionByZero, "division by zero".to_owned()),
            Self::Argument(message) => (EvalErrorKind::Argument, message.to_string()),
            Self::Limit(Exhausted { which, value }) => {
                let kind = EvalErrorKind::Limit { which, value: *value };
                (kind, format!("{which} is limited to {value}"))
            }
        }
    }
}

fn step_message(
    id: &str,
    status: Option<StepStatus>,
    scope: &dyn Scope,
) -> (EvalErrorKind, String) {
    let shown = shorten(id, 80);
    match status {
        Some(StepStatus::Skipped) => {
            (EvalErrorKind::AbsentStep, format!("step `{shown}` was skipped and has no output"))
        }
        Some(StepStatus::Failed) => {
            (EvalErrorKind::MissingKey, format!("step `{shown}` failed and has no output"))
        }
        Some(StepStatus::Completed) => {
            (EvalErrorKind::MissingKey, format!("step `{shown}` completed without an output"))
        }
        Some(
            status @ (StepStatus::Pending
            | StepStatus::Scheduled
            | StepStatus::Running
            | StepStatus::Suspended
            | StepStatus::Retrying),
        ) => {
            let message = format!("step `{shown}` has no output yet (it is {status})");
            (EvalErrorKind::AbsentStep, message)
        }
        None => {
            let ids = scope.step_ids();
            let message = missing("step", id, ids.iter().map(AsRef::as_ref));
            (EvalErrorKind::AbsentStep, message)
        }
    }
}

fn variable_message(name: &str, scope: &dyn Scope) -> String {
    match name {
        "iter" | "loop" => format!("`{name}` exists only inside a loop's body"),
        "error" => "`error` exists only in an on_error hook".to_owned(),
        _ => {
            let names = scope.root_names();
            missing("variable", name, names.iter().map(AsRef::as_ref))
        }
    }
}

fn key_message(key: &str, of: &Cel) -> String {
    match of {
        Cel::Json(Value::Object(object)) => {
            missing("field", key, object.iter().map(|pair| pair.0.as_ref()))
        }
        Cel::Map(map) => {
            let keys: Vec<_> = map.keys().take(1000).cloned().map(Key::into_text).collect();
            missing("key", key, keys.iter().map(AsRef::as_ref))
        }
        Cel::Json(_)
        | Cel::Uint(_)
        | Cel::List(_)
        | Cel::Timestamp(_)
        | Cel::Duration(_)
        | Cel::Type(_)
        | Cel::Optional(_) => format!("no such key `{}`", shorten(key, 80)),
    }
}

/// `no field `x`; available: […]; did you mean `y`?`
fn missing<'a>(what: &str, name: &str, available: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut message = format!("no {what} `{}`", shorten(name, 80));
    message += &format!("; available: {}", listed(available.clone()));
    let name = shorten(name, 80);
    if let Some(near) = nearest(&name, available.take(1000)) {
        message += &format!("; did you mean `{}`?", shorten(near, 80));
    }
    if what != "step" && name.contains('-') {
        message += "; a `-` without blanks belongs to the name: write ` - ` to subtract";
    }
    message
}

pub(super) fn traverse_message(key: &str, kind: &str) -> String {
    format!("cannot read `{}` of {kind}: only objects have fields", shorten(key, 80))
}

pub(super) fn operator_message(operator: &str, left: &str, right: &str) -> String {
    let text = left == "string" || right == "string";
    let hint = if operator == "+" && text && left != right {
        "; convert with string(x), int(x) or double(x)"
    } else if operator == "%" {
        "; `%` takes ints and uints: convert with int(x)"
    } else {
        ""
    };
    format!("cannot apply `{operator}` to {left} and {right}{hint}")
}
