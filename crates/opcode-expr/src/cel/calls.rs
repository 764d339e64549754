//! The functions there are: their names, how many arguments they take, and which code answers.
//!
//! Keeps: one table; an unknown name or a wrong count is found when compiling, with the nearest name.
//! Not here: macros (`macros.rs`), operators (`arith.rs`), what texts, patterns and times do (`strings.rs`, `pattern.rs`, `time.rs`).

use std::ops::Range;

use opcode_model::Value;
use opcode_model::problem::nearest;

use super::convert;
use super::eval::Machine;
use super::strings::{self, Place};
use super::time::{self, Part};
use super::trouble::{Cause, Outcome, Span};
use super::value::Cel;
use crate::error::{CompileError, CompileErrorKind};

/// A function by meaning; the receiver is its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Find(Place),
    Matches,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Dyn,
    Type,
    Timestamp,
    Duration,
    Part(Part),
    OptionalOf,
    OptionalNone,
    OptionalOfNonZero,
    Optional(Ask),
}

/// What an optional is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    HasValue,
    Value,
    Or,
    OrValue,
}

/// Name, meaning, arguments as a global function, arguments as a method without the receiver.
type Row = (&'static str, Function, Option<(usize, usize)>, Option<(usize, usize)>);

const TABLE: [Row; 32] = [
    ("size", Function::Size, Some((1, 1)), Some((0, 0))),
    ("contains", Function::Find(Place::Anywhere), None, Some((1, 1))),
    ("startsWith", Function::Find(Place::Start), None, Some((1, 1))),
    ("endsWith", Function::Find(Place::End), None, Some((1, 1))),
    ("matches", Function::Matches, Some((2, 2)), Some((1, 1))),
    ("bool", Function::Bool, Some((1, 1)), None),
    ("int", Function::Int, Some((1, 1)), None),
    ("uint", Function::Uint, Some((1, 1)), None),
    ("double", Function::Double, Some((1, 1)), None),
    ("string", Function::Text, Some((1, 1)), None),
    ("bytes", Function::Bytes, Some((1, 1)), None),
    ("dyn", Function::Dyn, Some((1, 1)), None),
    ("type", Function::Type, Some((1, 1)), None),
    ("timestamp", Function::Timestamp, Some((1, 1)), None),
    ("duration", Function::Duration, Some((1, 1)), None),
    ("getFullYear", Function::Part(Part::FullYear), None, Some((0, 1))),
    ("getMonth", Function::Part(Part::Month), None, Some((0, 1))),
    ("getDayOfYear", Function::Part(Part::DayOfYear), None, Some((0, 1))),
    ("getDayOfMonth", Function::Part(Part::DayOfMonth), None, Some((0, 1))),
    ("getDate", Function::Part(Part::Date), None, Some((0, 1))),
    ("getDayOfWeek", Function::Part(Part::DayOfWeek), None, Some((0, 1))),
    ("getHours", Function::Part(Part::Hours), None, Some((0, 1))),
    ("getMinutes", Function::Part(Part::Minutes), None, Some((0, 1))),
    ("getSeconds", Function::Part(Part::Seconds), None, Some((0, 1))),
    ("getMilliseconds", Function::Part(Part::Milliseconds), None, Some((0, 1))),
    ("optional.of", Function::OptionalOf, Some((1, 1)), None),
    ("optional.none", Function::OptionalNone, Some((0, 0)), None),
    ("optional.ofNonZeroValue", Function::OptionalOfNonZero, Some((1, 1)), None),
    ("hasValue", Function::Optional(Ask::HasValue), None, Some((0, 0))),
    ("value", Function::Optional(Ask::Value), None, Some((0, 0))),
    ("or", Function::Optional(Ask::Or), None, Some((1, 1))),
    ("orValue", Function::Optional(Ask::OrValue), None, Some((1, 1))),
];

const MACROS: [&str; 5] = ["all", "exists", "exists_one", "map", "filter"];

/// Why a name cannot be called so.
pub(super) struct Complaint {
    message: String,
    hint: Option<String>,
}

impl Complaint {
    /// The complaint as it is told when the call is met.
    pub(super) fn told(self) -> Box<str> {
        match self.hint {
            Some(hint) => format!("{}; {hint}", self.message).into(),
            None => self.message.into(),
        }
    }

    pub(super) fn at(self, span: Range<usize>) -> Box<CompileError> {
        let error = CompileError::new(self.message, span).of_kind(CompileErrorKind::Unknown);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The method `name` with so many arguments behind its receiver.
pub(super) fn find_method(name: &str, count: usize) -> Result<Function, Complaint> {
    find(name, count, true)
}

/// The global function `name`.
pub(super) fn find_global(name: &str, count: usize) -> Result<Function, Complaint> {
    find(name, count, false)
}

fn find(name: &str, count: usize, method: bool) -> Result<Function, Complaint> {
    let form = |row: &Row| if method { row.3 } else { row.2 };
    if let Some(row) = TABLE.iter().find(|row| row.0 == name) {
        return match form(row) {
            Some((least, most)) if (least..=most).contains(&count) => Ok(row.1),
            Some((least, most)) => {
                let wanted =
                    if least == most { format!("{least}") } else { format!("{least} to {most}") };
                let wanted = crate::error::arguments(wanted);
                let message = format!("`{name}` takes {wanted}, got {count}");
                Err(Complaint { message, hint: None })
            }
            None if method => Err(Complaint {
                message: format!("`{name}` is not a method"),
                hint: Some(format!("write {name}(x)")),
            }),
            None => Err(Complaint {
                message: format!("`{name}` is a method"),
                hint: Some(format!("write x.{name}(…)")),
            }),
        };
    }
    let names = TABLE.iter().filter(|row| form(row).is_some()).map(|row| row.0);
    let mut names: Vec<&str> =
        if method { names.chain(MACROS).collect() } else { names.chain(["has"]).collect() };
    names.sort_unstable();
    let shown = crate::error::shorten(name, 80);
    let what = if method { "method" } else { "function" };
    let near = nearest(&shown, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let hint = match name {
        "len" | "length" | "count" => Some("write size(x)".to_owned()),
        "str" => Some("write string(x)".to_owned()),
        "float" => Some("write double(x)".to_owned()),
        "any" | "some" => Some("write x.exists(item, …)".to_owned()),
        "includes" => Some("write x.contains(…) for text, `item in x` for lists".to_owned()),
        _ => near,
    };
    let listed = crate::error::listed(names.into_iter());
    Err(Complaint { message: format!("unknown {what} `{shown}`; available: {listed}"), hint })
}

/// The name of a function.
pub(super) fn name_of(function: Function) -> &'static str {
    TABLE.iter().find(|row| row.1 == function).map_or("a function", |row| row.0)
}

impl Machine<'_> {
    /// Calls `function`; the receiver of a method comes first.
    pub(super) fn call(
        &mut self,
        function: Function,
        arguments: Vec<Cel>,
        span: Span,
    ) -> Outcome<Cel> {
        let mut rest = arguments.into_iter();
        let first = rest.next().unwrap_or(Cel::NULL);
        let second = rest.next();
        match function {
            Function::Size => self.size(&first, span),
            Function::Find(place) => {
                strings::find(self, place, (&first, &second.unwrap_or(Cel::NULL)), span)
            }
            Function::Matches => self.matches(&first, &second.unwrap_or(Cel::NULL), span),
            Function::Bool => convert::to_bool(&first, span),
            Function::Int => convert::to_int(&first, span),
            Function::Uint => convert::to_uint(&first, span),
            Function::Double => convert::to_double(&first, span),
            Function::Text => convert::to_text(self, first, span),
            Function::Bytes => convert::to_bytes(self, first, span),
            Function::Dyn => Ok(first),
            Function::Type => Ok(Cel::Type(first.kind())),
            Function::Timestamp => convert::to_timestamp(&first, span),
            Function::Duration => convert::to_duration(&first, span),
            Function::Part(part) => time::part(part, &first, second.as_ref(), span),
            Function::OptionalOf => Ok(first.some()),
            Function::OptionalNone => Ok(Cel::none()),
            Function::OptionalOfNonZero => {
                Ok(if first.is_zero() { Cel::none() } else { first.some() })
            }
            Function::Optional(ask) => optional(ask, &first, second, span),
        }
    }

    fn size(&mut self, of: &Cel, span: Span) -> Outcome<Cel> {
        let size = match of {
            Cel::Json(Value::String(text)) => {
                self.scan(text.len(), span)?;
                text.chars().count()
            }
            Cel::Json(Value::Bytes(bytes)) => bytes.len(),
            Cel::Json(Value::List(items)) => items.len(),
            Cel::Json(Value::Object(object)) => object.len(),
            Cel::List(items) => items.len(),
            Cel::Map(entries) => entries.len(),
            Cel::Json(Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_))
            | Cel::Uint(_)
            | Cel::Timestamp(_)
            | Cel::Duration(_)
            | Cel::Type(_)
            | Cel::Optional(_) => {
                return Err(wanted("size", "text, bytes, a list or a map", of).at(span));
            }
        };
        Ok(Cel::from(size as i64))
    }
}

/// What `or` and `orValue` answer without looking at their argument.
pub(super) fn decided(function: Function, receiver: &Cel) -> Option<Cel> {
    match (function, receiver) {
        (Function::Optional(Ask::Or), Cel::Optional(Some(_))) => Some(receiver.clone()),
        (Function::Optional(Ask::OrValue), Cel::Optional(Some(inner))) => Some(Cel::clone(inner)),
        _ => None,
    }
}

fn optional(ask: Ask, of: &Cel, other: Option<Cel>, span: Span) -> Outcome<Cel> {
    let Cel::Optional(inner) = of else {
        return Err(wanted("an optional's method", "an optional", of).at(span));
    };
    match ask {
        Ask::HasValue => Ok(inner.is_some().into()),
        Ask::Value => {
            let missing = || Cause::Argument("the optional has no value".into()).at(span);
            inner.as_deref().cloned().ok_or_else(missing)
        }
        Ask::Or | Ask::OrValue => Ok(other.unwrap_or(Cel::none())),
    }
}

/// A function met something it does not take.
pub(super) fn wanted(what: &'static str, wanted: &'static str, got: &Cel) -> Cause {
    Cause::Wanted { what, wanted, got: got.kind().word() }
}
