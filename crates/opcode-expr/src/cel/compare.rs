//! `== != < <= > >= in`: numbers by value whatever their type, everything else by type and content.
//!
//! Keeps: walking long or deep values is charged; comparing unlike things with `==` is false, with `<` an error.
//! Not here: arithmetic (`arith.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is a type error, whichever it is"
)]

use std::cmp::Ordering;

use opcode_model::Value;

use super::eval::Machine;
use super::node::Operator;
use super::trouble::{Cause, Outcome, Span};
use super::value::{Cel, Key};

/// Applies a comparison.
pub(super) fn apply(
    machine: &mut Machine<'_>,
    operator: Operator,
    left: &Cel,
    right: &Cel,
    span: Span,
) -> Outcome<bool> {
    match operator {
        Operator::Equal => equal(machine, left, right, span),
        Operator::Unequal => Ok(!equal(machine, left, right, span)?),
        Operator::In => contains(machine, left, right, span),
        Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder => {
            let comparable = order(machine, left, right, span)?;
            let Some(found) = comparable else {
                let (left, right) = (left.kind().word(), right.kind().word());
                return Err(Cause::Operator { operator: operator.text(), left, right }.at(span));
            };
            // Not-a-number is neither less nor greater than anything.
            Ok(found.is_some_and(|found| match operator {
                Operator::Less => found.is_lt(),
                Operator::LessEqual => found.is_le(),
                Operator::Greater => found.is_gt(),
                Operator::GreaterEqual
                | Operator::Equal
                | Operator::Unequal
                | Operator::In
                | Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder => found.is_ge(),
            }))
        }
    }
}

/// The order of two values: `None` if their types have none, `Some(None)` for not-a-number.
fn order(
    machine: &mut Machine<'_>,
    left: &Cel,
    right: &Cel,
    span: Span,
) -> Outcome<Option<Option<Ordering>>> {
    if let Some(found) = order_numbers(left, right) {
        return Ok(Some(found));
    }
    let found = match (left, right) {
        (Cel::Json(Value::String(a)), Cel::Json(Value::String(b))) => {
            machine.scan(a.len().min(b.len()), span)?;
            a.cmp(b)
        }
        (Cel::Json(Value::Bytes(a)), Cel::Json(Value::Bytes(b))) => {
            machine.scan(a.len().min(b.len()), span)?;
            a.cmp(b)
        }
        (Cel::Json(Value::Bool(a)), Cel::Json(Value::Bool(b))) => a.cmp(b),
        (Cel::Timestamp(a), Cel::Timestamp(b)) => a.cmp(b),
        (Cel::Duration(a), Cel::Duration(b)) => a.cmp(b),
        _ => return Ok(None),
    };
    Ok(Some(Some(found)))
}

/// The order of two numbers, or `None` if one is no number. Beside a double, whole numbers count as doubles, as in CEL.
fn order_numbers(left: &Cel, right: &Cel) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Cel::Json(Value::Int(a)), Cel::Json(Value::Int(b))) => Some(a.cmp(b)),
        (Cel::Json(Value::Float(a)), Cel::Json(Value::Float(b))) => a.partial_cmp(b),
        (Cel::Uint(a), Cel::Uint(b)) => Some(a.cmp(b)),
        (Cel::Json(Value::Int(a)), Cel::Json(Value::Float(b))) => (*a as f64).partial_cmp(b),
        (Cel::Json(Value::Float(a)), Cel::Json(Value::Int(b))) => a.partial_cmp(&(*b as f64)),
        (Cel::Json(Value::Int(a)), Cel::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Cel::Uint(a), Cel::Json(Value::Int(b))) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Cel::Uint(a), Cel::Json(Value::Float(b))) => (*a as f64).partial_cmp(b),
        (Cel::Json(Value::Float(a)), Cel::Uint(b)) => a.partial_cmp(&(*b as f64)),
        _ => return None,
    })
}

/// `left == right`.
pub(super) fn equal(
    machine: &mut Machine<'_>,
    left: &Cel,
    right: &Cel,
    span: Span,
) -> Outcome<bool> {
    if let Some(found) = order_numbers(left, right) {
        return Ok(found == Some(Ordering::Equal));
    }
    match (left, right) {
        (Cel::Json(a), Cel::Json(b)) => equal_json(machine, a, b, span),
        (Cel::Timestamp(a), Cel::Timestamp(b)) => Ok(a == b),
        (Cel::Duration(a), Cel::Duration(b)) => Ok(a == b),
        (Cel::Type(a), Cel::Type(b)) => Ok(a == b),
        (Cel::Optional(None), Cel::Optional(None)) => Ok(true),
        (Cel::Optional(Some(a)), Cel::Optional(Some(b))) => equal(machine, a, b, span),
        (Cel::Map(_), Cel::Map(_) | Cel::Json(Value::Object(_)))
        | (Cel::Json(Value::Object(_)), Cel::Map(_)) => equal_maps(machine, left, right, span),
        (Cel::List(_), Cel::List(_) | Cel::Json(Value::List(_)))
        | (Cel::Json(Value::List(_)), Cel::List(_)) => {
            let len = machine.length(left);
            if len != machine.length(right) {
                return Ok(false);
            }
            for at in 0..len {
                machine.steps(1, span)?;
                let (Some(a), Some(b)) = (left.item(at), right.item(at)) else { return Ok(false) };
                if !equal(machine, &a, &b, span)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn equal_maps(machine: &mut Machine<'_>, left: &Cel, right: &Cel, span: Span) -> Outcome<bool> {
    if machine.length(left) != machine.length(right) {
        return Ok(false);
    }
    for key in left.keys() {
        machine.steps(1, span)?;
        let (Some(a), Some(b)) = (left.find(&key), right.find(&key)) else { return Ok(false) };
        if !equal(machine, &a, &b, span)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Equality of JSON values, charged as it goes.
fn equal_json(machine: &mut Machine<'_>, a: &Value, b: &Value, span: Span) -> Outcome<bool> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            machine.scan(if a.len() == b.len() { a.len() } else { 0 }, span)?;
            Ok(a == b)
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            machine.scan(if a.len() == b.len() { a.len() } else { 0 }, span)?;
            Ok(a == b)
        }
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                machine.steps(1, span)?;
                if !equal_json(machine, a, b, span)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for ((key, a), (other, b)) in a.iter().zip(b.iter()) {
                machine.steps(1 + key.len() as u64 / 64, span)?;
                if key != other || !equal_json(machine, a, b, span)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => {
            Ok((*a as f64) == *b)
        }
        _ => Ok(a == b),
    }
}

/// `needle in hay`.
fn contains(machine: &mut Machine<'_>, needle: &Cel, hay: &Cel, span: Span) -> Outcome<bool> {
    match hay {
        Cel::Json(Value::List(items)) => {
            for item in items.iter() {
                machine.steps(1, span)?;
                let found = match needle {
                    Cel::Json(needle) => equal_json(machine, needle, item, span)?,
                    _ => equal(machine, needle, &Cel::Json(item.clone()), span)?,
                };
                if found {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Cel::List(items) => {
            for item in items.iter() {
                machine.steps(1, span)?;
                if equal(machine, needle, item, span)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Cel::Json(Value::Object(object)) => {
            Ok(needle.as_text().is_some_and(|key| object.find(key).is_some()))
        }
        Cel::Map(entries) => Ok(needle.as_key().is_some_and(|key: Key| entries.contains_key(&key))),
        _ => {
            let (left, right) = (needle.kind().word(), hay.kind().word());
            Err(Cause::Operator { operator: "in", left, right }.at(span))
        }
    }
}
