//! What can be wrong with an expression: with its text (`CompileError`), or with its evaluation (`EvalError`).
//!
//! Keeps: every message says where, what is available, and the nearest match; a span is in bytes of the source.
//! Not here: how evaluation notices (`trouble.rs` holds the light form that an `||` may swallow).

use std::fmt;
use std::ops::Range;

use opcode_model::{ErrorCode, Failure, Value};

use crate::meter::Meter;

/// Why an expression cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// A lower-case fragment that says what is wrong.
    pub message: String,
    /// The bytes of the source it is about.
    pub span: Range<usize>,
    /// What to write instead, where we know.
    pub hint: Option<String>,
    /// A whole new source that a machine may put in place of the old one.
    pub replacement: Option<String>,
    /// What kind of mistake it is.
    pub kind: CompileErrorKind,
}

/// The kinds of mistakes in an expression's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileErrorKind {
    /// The text does not follow the grammar.
    Syntax,
    /// A variable, function or namespace that does not exist.
    Unknown,
    /// Literals of types that an operator or function never takes.
    Type,
    /// A secret where none may stand.
    Secret,
    /// The text is longer, deeper or larger than allowed.
    Limit,
}

impl CompileError {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Box<Self> {
        Box::new(Self {
            message: message.into(),
            span,
            hint: None,
            replacement: None,
            kind: CompileErrorKind::Syntax,
        })
    }

    pub(crate) fn limit(what: &str, value: usize, span: Range<usize>) -> Box<Self> {
        let error = Self::new(format!("{what} is limited to {value}"), span);
        error.of_kind(CompileErrorKind::Limit)
    }

    pub(crate) fn of_kind(mut self: Box<Self>, kind: CompileErrorKind) -> Box<Self> {
        self.kind = kind;
        self
    }

    pub(crate) fn with_hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_replacement(mut self: Box<Self>, source: String) -> Box<Self> {
        self.replacement = Some(source);
        self
    }

    /// The error as a failure: `VALIDATION_ERROR`, or `LIMIT_EXCEEDED` for a text that is too large.
    pub fn to_failure(&self, source: &str) -> Failure {
        let code = match self.kind {
            CompileErrorKind::Limit => ErrorCode::LimitExceeded,
            CompileErrorKind::Syntax
            | CompileErrorKind::Unknown
            | CompileErrorKind::Type
            | CompileErrorKind::Secret => ErrorCode::Validation,
        };
        let shown = shorten(source, 200);
        let hint = self.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let message = format!("could not compile `{shown}`: {}{hint}", self.message);
        Failure::new(code, message)
            .with_details(Value::object([("expression", Value::from(shown.as_str()))]))
    }
}

/// Why an evaluation gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// What kind of thing went wrong.
    pub kind: EvalErrorKind,
    /// What happened, what is available, and the nearest match; without the expression itself.
    pub message: String,
    /// The bytes of the expression it is about.
    pub span: Range<usize>,
    /// The expression.
    pub expression: String,
    /// JSON pointer of the text in an action's parameters, if the expression stood in a `${{ … }}`.
    pub pointer: Option<String>,
}

/// The kinds of things that go wrong in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalErrorKind {
    /// It reads a step that was skipped, has not been reached, or does not exist.
    AbsentStep,
    /// It reads an input that was not given.
    AbsentInput,
    /// It reads a variable that does not exist here, such as `iter` outside a loop.
    AbsentVariable,
    /// It reads a key that an object does not have.
    MissingKey,
    /// It reads an item that a list does not have.
    OutOfRange,
    /// An operator or function met a type it does not take.
    Type,
    /// A number left its range.
    Overflow,
    /// A division by zero.
    DivisionByZero,
    /// A function met a value it cannot read, such as `int("x")`.
    Argument,
    /// Whoever asked for it gave up waiting.
    Interrupted,
    /// A budget ran out.
    Limit {
        /// Which one.
        which: &'static str,
        /// Its number.
        value: u64,
    },
}

impl EvalErrorKind {
    /// Whether the expression reads what is simply not there: a guard is then false rather than failed.
    pub fn is_absence(self) -> bool {
        match self {
            Self::AbsentStep | Self::AbsentInput => true,
            Self::AbsentVariable
            | Self::MissingKey
            | Self::OutOfRange
            | Self::Type
            | Self::Overflow
            | Self::DivisionByZero
            | Self::Argument
            | Self::Interrupted
            | Self::Limit { .. } => false,
        }
    }
}

impl EvalError {
    /// The error as it is told after an interrupt, where there was one.
    pub(crate) fn after(self, meter: &Meter) -> Self {
        if !meter.is_interrupted() {
            return self;
        }
        Self { kind: EvalErrorKind::Interrupted, message: "it was interrupted".to_owned(), ..self }
    }

    /// The error as a failure: `LIMIT_EXCEEDED`, `INTERPOLATION_ERROR` inside parameters, else `EXECUTION_ERROR`.
    pub fn to_failure(&self) -> Failure {
        let shown = shorten(&self.expression, 200);
        let mut details = vec![
            ("expression".into(), Value::from(shown.as_str())),
            ("start".into(), Value::from(self.span.start)),
            ("end".into(), Value::from(self.span.end)),
        ];
        if let Some(pointer) = &self.pointer {
            details.push(("pointer".into(), Value::from(pointer.as_str())));
        }
        let code = match self.kind {
            EvalErrorKind::Limit { which, value } => {
                details.push(("limit".into(), Value::from(which)));
                details.push(("value".into(), Value::from(value)));
                ErrorCode::LimitExceeded
            }
            EvalErrorKind::Interrupted => ErrorCode::Cancelled,
            EvalErrorKind::AbsentStep
            | EvalErrorKind::AbsentInput
            | EvalErrorKind::AbsentVariable
            | EvalErrorKind::MissingKey
            | EvalErrorKind::OutOfRange
            | EvalErrorKind::Type
            | EvalErrorKind::Overflow
            | EvalErrorKind::DivisionByZero
            | EvalErrorKind::Argument => match self.pointer {
                Some(_) => ErrorCode::Interpolation,
                None => ErrorCode::Execution,
            },
        };
        Failure::new(code, self.to_string())
            .with_details(Value::Object(opcode_model::Object::from_pairs(details)))
    }
}

/// `could not evaluate `…` at /pointer: message`.
impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = shorten(&self.expression, 200);
        match &self.pointer {
            Some(pointer) if pointer.is_empty() => {
                write!(f, "could not fill in ${{{{ {shown} }}}}: {}", self.message)
            }
            Some(pointer) => {
                write!(f, "could not fill in ${{{{ {shown} }}}} at {pointer}: {}", self.message)
            }
            None => write!(f, "could not evaluate `{shown}`: {}", self.message),
        }
    }
}

impl std::error::Error for EvalError {}

/// `text`, or its beginning and an ellipsis.
pub(crate) fn shorten(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// `1 argument`, `2 to 3 arguments`.
pub(crate) fn arguments(wanted: impl fmt::Display) -> String {
    let wanted = wanted.to_string();
    let plural = if wanted == "1" { "" } else { "s" };
    format!("{wanted} argument{plural}")
}

/// Names for a message: sorted as given, the first twenty, and how many more.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("[");
    let mut more = 0_usize;
    for (at, name) in names.enumerate() {
        if at >= 20 {
            more += 1;
            continue;
        }
        if at > 0 {
            text += ", ";
        }
        text += &shorten(name, 80);
    }
    if more > 0 {
        text += &format!(", and {more} more");
    }
    text + "]"
}
