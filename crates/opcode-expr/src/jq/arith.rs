//! `+ - * / %` and the comparisons on two values.
//!
//! Keeps: integers are exact as far as 64 bits and floats beyond; a float that is whole becomes an integer again.
//! Not here: mathematical functions (`math.rs`).

use std::cmp::Ordering;
use std::sync::Arc;

use opcode_model::{Object, Value};

use super::compare::{compare, is_true};
use super::context::Context;
use super::syntax::Operator;
use super::trouble::{Cause, Outcome};

/// Floats up to here are whole numbers that lose nothing as integers.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

impl Context<'_> {
    /// A float as a value.
    pub(super) fn number(&mut self, number: f64) -> Value {
        if number.trunc() == number
            && number.abs() < WHOLE_MAX
            && (number != 0.0 || number.is_sign_positive())
        {
            return Value::Int(number as i64);
        }
        self.odd |= !number.is_finite();
        Value::Float(number)
    }

    /// `left operator right`.
    pub(super) fn operate(
        &mut self,
        operator: Operator,
        left: &Value,
        right: &Value,
    ) -> Outcome<Value> {
        match operator {
            Operator::Add => self.add(left, right),
            Operator::Subtract => self.subtract(left, right),
            Operator::Multiply => self.multiply(left, right),
            Operator::Divide => self.divide(left, right),
            Operator::Modulo => self.modulo(left, right),
            Operator::Alternative => Ok(if is_true(left) { left } else { right }.clone()),
            Operator::Equal => Ok(Value::Bool(self.order(left, right)?.is_eq())),
            Operator::Unequal => Ok(Value::Bool(self.order(left, right)?.is_ne())),
            Operator::Less => Ok(Value::Bool(self.order(left, right)?.is_lt())),
            Operator::LessEqual => Ok(Value::Bool(self.order(left, right)?.is_le())),
            Operator::Greater => Ok(Value::Bool(self.order(left, right)?.is_gt())),
            Operator::GreaterEqual => Ok(Value::Bool(self.order(left, right)?.is_ge())),
        }
    }

    /// The order of two values, paid for.
    pub(super) fn order(&mut self, left: &Value, right: &Value) -> Outcome<Ordering> {
        if let (Value::Int(a), Value::Int(b)) = (left, right) {
            return Ok(a.cmp(b));
        }
        let mut visits = self.affordable();
        let order = compare(left, right, &mut visits);
        self.visits(visits.count)?;
        Ok(order)
    }

    pub(super) fn add(&mut self, left: &Value, right: &Value) -> Outcome<Value> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => Ok(match a.checked_add(*b) {
                Some(sum) => Value::Int(sum),
                None => self.number(*a as f64 + *b as f64),
            }),
            (Value::Null, other) | (other, Value::Null) => Ok(other.clone()),
            (Value::String(a), Value::String(b)) => {
                self.bytes(a.len() + b.len())?;
                Ok(Value::from([a.as_ref(), b].concat()))
            }
            (Value::List(a), other @ Value::List(b)) => {
                if a.is_empty() || b.is_empty() {
                    return Ok(if a.is_empty() { other } else { left }.clone());
                }
                self.items(a.len() + b.len())?;
                Ok(Value::List(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Value::Object(a), Value::Object(b)) => {
                self.pairs(a.len() + b.len())?;
                Ok(Value::Object(a.merged(b)))
            }
            _ => match (left.as_f64(), right.as_f64()) {
                (Some(a), Some(b)) => Ok(self.number(a + b)),
                _ => Err(refused("add", left, right)),
            },
        }
    }

    fn subtract(&mut self, left: &Value, right: &Value) -> Outcome<Value> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => Ok(match a.checked_sub(*b) {
                Some(difference) => Value::Int(difference),
                None => self.number(*a as f64 - *b as f64),
            }),
            (Value::List(a), Value::List(b)) => {
                let mut left = Vec::new();
                for item in a.iter() {
                    self.steps(1 + b.len() as u64 / 16)?;
                    let mut found = false;
                    for other in b.iter() {
                        found = found || self.order(item, other)?.is_eq();
                    }
                    if !found {
                        left.push(item.clone());
                    }
                }
                self.items(left.len())?;
                Ok(Value::from(left))
            }
            _ => match (left.as_f64(), right.as_f64()) {
                (Some(a), Some(b)) => Ok(self.number(a - b)),
                _ => Err(refused("subtract", left, right)),
            },
        }
    }

    fn multiply(&mut self, left: &Value, right: &Value) -> Outcome<Value> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => Ok(match a.checked_mul(*b) {
                Some(product) => Value::Int(product),
                None => self.number(*a as f64 * *b as f64),
            }),
            (Value::Object(a), Value::Object(b)) => Ok(Value::Object(self.merge(a, b)?)),
            (Value::String(text), number) | (number, Value::String(text)) => {
                match number.as_f64() {
                    Some(times) => self.repeat(text, times),
                    None => Err(refused("multiply", left, right)),
                }
            }
            _ => match (left.as_f64(), right.as_f64()) {
                (Some(a), Some(b)) => Ok(self.number(a * b)),
                _ => Err(refused("multiply", left, right)),
            },
        }
    }

    fn repeat(&mut self, text: &Arc<str>, times: f64) -> Outcome<Value> {
        if times <= 0.0 || times.is_nan() {
            return Ok(Value::Null);
        }
        let times = (times as usize).max(1);
        self.bytes(text.len().saturating_mul(times))?;
        Ok(Value::from(text.repeat(if text.is_empty() { 1 } else { times })))
    }

    /// Objects laid over each other, and the objects inside them likewise.
    fn merge(&mut self, a: &Object, b: &Object) -> Outcome<Object> {
        self.pairs(a.len() + b.len())?;
        let mut over = Vec::with_capacity(b.len());
        for (key, value) in b {
            let value = match (a.find(key), value) {
                (Some(Value::Object(below)), Value::Object(above)) => {
                    Value::Object(self.merge(below, above)?)
                }
                _ => value.clone(),
            };
            over.push((key.clone(), value));
        }
        Ok(a.merged(&Object::from_pairs(over)))
    }

    fn divide(&mut self, left: &Value, right: &Value) -> Outcome<Value> {
        if let (Value::Int(a), Value::Int(b)) = (left, right)
            && let (Some(0), Some(quotient)) = (a.checked_rem(*b), a.checked_div(*b))
        {
            return Ok(Value::Int(quotient));
        }
        if let (Value::String(text), Value::String(separator)) = (left, right) {
            return self.split(text, separator);
        }
        match (left.as_f64(), right.as_f64()) {
            (Some(0.0), Some(0.0)) => Ok(self.number(f64::NAN)),
            (Some(_), Some(0.0)) => Err(Box::new(Cause::Zero {
                verb: "divide",
                left: left.clone(),
                right: right.clone(),
            })),
            (Some(a), Some(b)) => Ok(self.number(a / b)),
            _ => Err(refused("divide", left, right)),
        }
    }

    fn modulo(&mut self, left: &Value, right: &Value) -> Outcome<Value> {
        let (Some(a), Some(b)) = (left.as_f64(), right.as_f64()) else {
            return Err(refused("modulo", left, right));
        };
        if a.is_nan() || b.is_nan() {
            return Ok(self.number(f64::NAN));
        }
        match (to_int(left), to_int(right)) {
            (Some(_), Some(0)) | (None, _) | (_, None) => Err(Box::new(Cause::Zero {
                verb: "modulo",
                left: left.clone(),
                right: right.clone(),
            })),
            (Some(a), Some(b)) => Ok(Value::Int(a.checked_rem(b).unwrap_or(0))),
        }
    }

    /// The pieces of a text between separators; between letters if the separator is empty.
    pub(super) fn split(&mut self, text: &Arc<str>, separator: &str) -> Outcome<Value> {
        if text.is_empty() {
            return Ok(Value::from(Vec::new()));
        }
        self.scan(text.len() + separator.len())?;
        let pieces: Vec<&str> = if separator.is_empty() {
            self.items(text.len())?;
            text.split("").filter(|piece| !piece.is_empty()).collect()
        } else {
            text.split(separator).collect()
        };
        self.items(pieces.len())?;
        self.bytes(text.len() + pieces.len() * 16)?;
        Ok(Value::list(pieces.into_iter().map(Value::from)))
    }

    /// `-value`.
    pub(super) fn negate(&mut self, value: &Value) -> Outcome<Value> {
        match value {
            Value::Int(whole) => Ok(match whole.checked_neg() {
                Some(negated) => Value::Int(negated),
                None => self.number(-(*whole as f64)),
            }),
            Value::Float(number) => Ok(Value::Float(-number)),
            _ => Err(Cause::wanted("cannot negate", value)),
        }
    }
}

fn refused(verb: &'static str, left: &Value, right: &Value) -> Box<Cause> {
    Box::new(Cause::Operator { verb, left: left.clone(), right: right.clone() })
}

/// A number cut to an integer; what is too large becomes the largest there is.
pub(super) fn to_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(whole) => Some(*whole),
        Value::Float(number) if number.is_nan() => Some(i64::MIN),
        Value::Float(number) => Some(*number as i64),
        Value::Null
        | Value::Bool(_)
        | Value::String(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Object(_) => None,
    }
}
