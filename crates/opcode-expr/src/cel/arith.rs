//! `+ - * / %` and negation: ints and uints exact or an error, with a double as doubles; texts, lists and times add.
//!
//! Keeps: nothing wraps, nothing rounds silently except where a double takes part.
//! Not here: comparisons (`compare.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is a type error, whichever it is"
)]

use opcode_model::Value;

use super::eval::Machine;
use super::node::Operator;
use super::trouble::{Cause, Outcome, Span};
use super::value::Cel;

const INT: &str = "int";
const UINT: &str = "uint";

/// Applies an arithmetic operator.
pub(super) fn apply(
    machine: &mut Machine<'_>,
    operator: Operator,
    left: Cel,
    right: Cel,
    span: Span,
) -> Outcome<Cel> {
    if let (Some(a), Some(b)) = (Whole::of(&left), Whole::of(&right)) {
        return a.apply(operator, b).map_err(|cause| cause.at(span));
    }
    match (as_double(&left), as_double(&right)) {
        (Some(a), Some(b)) if operator != Operator::Remainder => Ok(doubles(operator, a, b).into()),
        _ => others(machine, operator, left, right, span),
    }
}

/// An int or a uint, with room for what any two of them give.
#[derive(Clone, Copy)]
struct Whole {
    number: i128,
    unsigned: bool,
}

impl Whole {
    fn of(value: &Cel) -> Option<Self> {
        match value {
            Cel::Json(Value::Int(number)) => {
                Some(Self { number: i128::from(*number), unsigned: false })
            }
            Cel::Uint(number) => Some(Self { number: i128::from(*number), unsigned: true }),
            _ => None,
        }
    }

    /// Two ints give an int, two uints a uint; one of each gives an int if that holds it, else a uint.
    fn apply(self, operator: Operator, other: Self) -> Result<Cel, Cause> {
        let (a, b) = (self.number, other.number);
        let answer = match operator {
            Operator::Add => a.checked_add(b),
            Operator::Subtract => a.checked_sub(b),
            Operator::Multiply => a.checked_mul(b),
            Operator::Divide | Operator::Remainder if b == 0 => return Err(Cause::Zero),
            Operator::Divide => a.checked_div(b),
            // As in Go, a remainder is out of range where the quotient is.
            Operator::Remainder if a == i128::from(i64::MIN) && b == -1 => None,
            Operator::Remainder => a.checked_rem(b),
            Operator::Equal
            | Operator::Unequal
            | Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::In => None,
        };
        let int = || Some(Cel::from(i64::try_from(answer?).ok()?));
        let uint = || Some(Cel::Uint(u64::try_from(answer?).ok()?));
        match (self.unsigned, other.unsigned) {
            (false, false) => int().ok_or(Cause::Overflow(INT)),
            (true, true) => uint().ok_or(Cause::Overflow(UINT)),
            _ => int().or_else(uint).ok_or(Cause::Overflow(INT)),
        }
    }
}

/// The number as a double, if it is a number.
fn as_double(value: &Cel) -> Option<f64> {
    match value {
        Cel::Json(Value::Int(number)) => Some(*number as f64),
        Cel::Json(Value::Float(number)) => Some(*number),
        Cel::Uint(number) => Some(*number as f64),
        Cel::Json(
            Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::List(_)
            | Value::Object(_),
        )
        | Cel::List(_)
        | Cel::Map(_)
        | Cel::Timestamp(_)
        | Cel::Duration(_)
        | Cel::Type(_)
        | Cel::Optional(_) => None,
    }
}

fn doubles(operator: Operator, a: f64, b: f64) -> f64 {
    match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide
        | Operator::Remainder
        | Operator::Equal
        | Operator::Unequal
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::In => a / b,
    }
}

/// Texts, bytes, lists, timestamps and durations.
fn others(
    machine: &mut Machine<'_>,
    operator: Operator,
    left: Cel,
    right: Cel,
    span: Span,
) -> Outcome<Cel> {
    let late = || Cause::Overflow("timestamp").at(span);
    let long = || Cause::Overflow("duration").at(span);
    match (operator, &left, &right) {
        (Operator::Add, Cel::Json(Value::String(a)), Cel::Json(Value::String(b))) => {
            machine.bytes(a.len() + b.len(), span)?;
            Ok([&**a, &**b].concat().into())
        }
        (Operator::Add, Cel::Json(Value::Bytes(a)), Cel::Json(Value::Bytes(b))) => {
            machine.bytes(a.len() + b.len(), span)?;
            Ok(Cel::Json(Value::Bytes([&**a, &**b].concat().into())))
        }
        (Operator::Add, Cel::Timestamp(moment), Cel::Duration(nanos))
        | (Operator::Add, Cel::Duration(nanos), Cel::Timestamp(moment)) => {
            moment.plus(i128::from(*nanos)).map(Cel::Timestamp).ok_or_else(late)
        }
        (Operator::Subtract, Cel::Timestamp(moment), Cel::Duration(nanos)) => {
            moment.plus(-i128::from(*nanos)).map(Cel::Timestamp).ok_or_else(late)
        }
        (Operator::Subtract, Cel::Timestamp(a), Cel::Timestamp(b)) => {
            let nanos = a.nanos_since_epoch() - b.nanos_since_epoch();
            i64::try_from(nanos).map(Cel::Duration).map_err(|_| long())
        }
        (Operator::Add, Cel::Duration(a), Cel::Duration(b)) => {
            a.checked_add(*b).map(Cel::Duration).ok_or_else(long)
        }
        (Operator::Subtract, Cel::Duration(a), Cel::Duration(b)) => {
            a.checked_sub(*b).map(Cel::Duration).ok_or_else(long)
        }
        (
            Operator::Add,
            Cel::Json(Value::List(_)) | Cel::List(_),
            Cel::Json(Value::List(_)) | Cel::List(_),
        ) => join_lists(machine, &left, &right, span),
        _ => {
            let (left, right) = (left.kind().word(), right.kind().word());
            Err(Cause::Operator { operator: operator.text(), left, right }.at(span))
        }
    }
}

fn join_lists(machine: &mut Machine<'_>, left: &Cel, right: &Cel, span: Span) -> Outcome<Cel> {
    let len = machine.length(left) + machine.length(right);
    machine.steps(len as u64 / 8, span)?;
    machine.bytes(len * size_of::<Cel>(), span)?;
    if let (Cel::Json(Value::List(a)), Cel::Json(Value::List(b))) = (left, right) {
        return Ok(Cel::Json(Value::List(a.iter().chain(b.iter()).cloned().collect())));
    }
    let items = |list: &Cel| -> Vec<Cel> {
        match list {
            Cel::Json(Value::List(items)) => items.iter().cloned().map(Cel::Json).collect(),
            Cel::List(items) => items.to_vec(),
            _ => Vec::new(),
        }
    };
    let mut all = items(left);
    all.extend(items(right));
    Ok(Cel::list(all))
}

/// `-value`, or `value` unchanged where the minuses cancel out.
pub(super) fn negate(value: Cel, odd: bool, span: Span) -> Outcome<Cel> {
    match &value {
        Cel::Json(Value::Int(number)) if odd => {
            number.checked_neg().map(Cel::from).ok_or_else(|| Cause::Overflow(INT).at(span))
        }
        Cel::Json(Value::Float(number)) if odd => Ok((-number).into()),
        Cel::Duration(nanos) if odd => {
            let overflow = || Cause::Overflow("duration").at(span);
            nanos.checked_neg().map(Cel::Duration).ok_or_else(overflow)
        }
        Cel::Json(Value::Int(_) | Value::Float(_)) | Cel::Duration(_) => Ok(value),
        _ => {
            let got = value.kind().word();
            Err(Cause::Wanted { what: "`-`", wanted: "an int or a double", got }.at(span))
        }
    }
}
