//! `+ - * / %` and negation: ints exact or an error, uints too, anything mixed as doubles; texts, lists and times add.
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
    match (&left, &right) {
        (Cel::Json(Value::Int(a)), Cel::Json(Value::Int(b))) => ints(operator, *a, *b, span),
        (Cel::Uint(a), Cel::Uint(b)) => uints(operator, *a, *b, span),
        _ => match (as_double(&left), as_double(&right)) {
            (Some(a), Some(b)) if operator != Operator::Remainder => {
                Ok(doubles(operator, a, b).into())
            }
            _ => others(machine, operator, left, right, span),
        },
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

fn ints(operator: Operator, a: i64, b: i64, span: Span) -> Outcome<Cel> {
    let answer = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide | Operator::Remainder if b == 0 => return Err(Cause::Zero.at(span)),
        Operator::Divide => a.checked_div(b),
        Operator::Remainder => a.checked_rem(b),
        Operator::Equal
        | Operator::Unequal
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::In => None,
    };
    answer.map(Cel::from).ok_or_else(|| Cause::Overflow(INT).at(span))
}

fn uints(operator: Operator, a: u64, b: u64, span: Span) -> Outcome<Cel> {
    let answer = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide | Operator::Remainder if b == 0 => return Err(Cause::Zero.at(span)),
        Operator::Divide => a.checked_div(b),
        Operator::Remainder => a.checked_rem(b),
        Operator::Equal
        | Operator::Unequal
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::In => None,
    };
    answer.map(Cel::Uint).ok_or_else(|| Cause::Overflow(UINT).at(span))
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
