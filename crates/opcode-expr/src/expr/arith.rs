//! Arithmetic as Go has it: ints wrap, `/` and `**` give floats, times and durations add up.
//!
//! Keeps: a float without a fraction stays exact while it fits 64 bits.
//! Not here: comparing (`compare.rs`), which types may meet (`nature.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an operator or value that is not listed is a type error, whichever it is"
)]

use std::sync::Arc;

use opcode_model::Value;

use super::eval::Machine;
use super::syntax::Operator;
use super::trouble::{Outcome, Span, Trouble};
use super::value::{Datum, Number};
use crate::error::EvalErrorKind;

impl Machine<'_> {
    /// `+ - * / % **` and `..`.
    pub(super) fn arith(
        &mut self,
        operator: Operator,
        left: &Datum,
        right: &Datum,
        span: Span,
    ) -> Outcome<Datum> {
        if let (Some(one), Some(other)) = (left.as_number(), right.as_number()) {
            return match operator {
                Operator::Range => self.range(one, other, span),
                Operator::Remainder if self.code.exact && !(is_int(one) && is_int(other)) => {
                    Err(does_not_take(operator, left, right, span))
                }
                _ => numbers(operator, one, other)
                    .map_err(|(kind, message)| Trouble::new(kind, message, span)),
            };
        }
        if let (Operator::Add, Some(one), Some(other)) = (operator, left.as_text(), right.as_text())
        {
            self.bytes(one.len() + other.len(), span)?;
            return Ok(format!("{one}{other}").into());
        }
        match times(operator, left, right) {
            Some(value) => Ok(value),
            None => Err(does_not_take(operator, left, right, span)),
        }
    }

    fn range(&mut self, from: Number, to: Number, span: Span) -> Outcome<Datum> {
        let (from, to) = (from.truncated(), to.truncated());
        let size = usize::try_from(i128::from(to) - i128::from(from) + 1).unwrap_or(0);
        self.bytes(size.saturating_mul(size_of::<Datum>()), span)?;
        self.scan(size, span)?;
        Ok(Datum::List((from..=to).map(Datum::Int).collect()))
    }
}

/// Whether a number is one that Go would call an int.
pub(super) fn is_int(number: Number) -> bool {
    matches!(number, Number::Int(_))
}

/// An operator between types it does not take.
pub(super) fn does_not_take(
    operator: Operator,
    left: &Datum,
    right: &Datum,
    span: Span,
) -> Box<Trouble> {
    let (one, other) = (left.kind(), right.kind());
    let text = left.as_text().is_some() != right.as_text().is_some();
    let hint = if operator == Operator::Add && text {
        "; convert with string(x), int(x) or float(x)"
    } else if left.is_nil() || right.is_nil() {
        "; `a ?? b` gives b where a is nil"
    } else {
        ""
    };
    let message = format!("cannot apply `{}` to {one} and {other}{hint}", operator.text());
    Trouble::new(EvalErrorKind::Type, message, span)
}

type Numeric = Result<Datum, (EvalErrorKind, String)>;

fn numbers(operator: Operator, left: Number, right: Number) -> Numeric {
    if let (Number::Int(one), Number::Int(other)) = (left, right) {
        match operator {
            Operator::Add => return Ok(Datum::Int(one.wrapping_add(other))),
            Operator::Subtract => return Ok(Datum::Int(one.wrapping_sub(other))),
            Operator::Multiply => return Ok(Datum::Int(one.wrapping_mul(other))),
            _ => {}
        }
    }
    let (one, other) = (left.as_f64(), right.as_f64());
    let exact = |apply: fn(i64, i64) -> Option<i64>| match (left, right) {
        (Number::Int(one) | Number::Whole(one), Number::Int(other) | Number::Whole(other)) => {
            apply(one, other).map(|number| Datum::Json(Value::Int(number)))
        }
        _ => None,
    };
    Ok(match operator {
        Operator::Add => exact(i64::checked_add).unwrap_or_else(|| (one + other).into()),
        Operator::Subtract => exact(i64::checked_sub).unwrap_or_else(|| (one - other).into()),
        Operator::Multiply => exact(i64::checked_mul).unwrap_or_else(|| (one * other).into()),
        Operator::Divide => (one / other).into(),
        Operator::Power => one.powf(other).into(),
        Operator::Remainder => {
            let (Some(one), Some(other)) = (left.as_whole(), right.as_whole()) else {
                let message = "`%` takes whole numbers; convert with int(x)".to_owned();
                return Err((EvalErrorKind::Type, message));
            };
            if other == 0 {
                return Err((EvalErrorKind::DivisionByZero, "division by zero".to_owned()));
            }
            Datum::Int(one.wrapping_rem(other))
        }
        _ => {
            let message = format!("cannot apply `{}` to numbers", operator.text());
            return Err((EvalErrorKind::Type, message));
        }
    })
}

fn times(operator: Operator, left: &Datum, right: &Datum) -> Option<Datum> {
    let number = |value: &Datum| value.as_number();
    Some(match (operator, left, right) {
        (Operator::Add, Datum::Time(time), Datum::Duration(nanos))
        | (Operator::Add, Datum::Duration(nanos), Datum::Time(time)) => {
            Datum::Time(Arc::new(time.plus(i128::from(*nanos))))
        }
        (Operator::Subtract, Datum::Time(time), Datum::Duration(nanos)) => {
            Datum::Time(Arc::new(time.plus(-i128::from(*nanos))))
        }
        (Operator::Subtract, Datum::Time(one), Datum::Time(other)) => {
            Datum::Duration(one.since(other))
        }
        (Operator::Add, Datum::Duration(one), Datum::Duration(other)) => {
            Datum::Duration(one.wrapping_add(*other))
        }
        (Operator::Subtract, Datum::Duration(one), Datum::Duration(other)) => {
            Datum::Duration(one.wrapping_sub(*other))
        }
        (Operator::Multiply, Datum::Duration(one), Datum::Duration(other)) => {
            Datum::Duration(one.wrapping_mul(*other))
        }
        (Operator::Multiply, Datum::Duration(nanos), other)
        | (Operator::Multiply, other, Datum::Duration(nanos)) => match number(other)? {
            Number::Int(by) => Datum::Duration(nanos.wrapping_mul(by)),
            by @ (Number::Whole(_) | Number::Float(_)) => (*nanos as f64 * by.as_f64()).into(),
        },
        _ => return None,
    })
}

/// `-x`, so many times as `odd` says; nothing for what has no negative.
pub(super) fn negate(value: &Datum, odd: bool) -> Option<Datum> {
    let number = value.as_number()?;
    if !odd {
        return Some(value.clone());
    }
    Some(match (value, number) {
        (Datum::Byte(byte), _) => Datum::Byte(byte.wrapping_neg()),
        (_, Number::Int(number)) => Datum::Int(number.wrapping_neg()),
        (_, Number::Whole(number)) if number != 0 => match number.checked_neg() {
            Some(number) => Datum::Json(Value::Int(number)),
            None => (-(number as f64)).into(),
        },
        (_, Number::Whole(number)) => (-(number as f64)).into(),
        (_, Number::Float(number)) => (-number).into(),
    })
}

/// The value of an operator between literals, where that is safe to know now.
pub(super) fn fold(
    operator: Operator,
    left: &Datum,
    right: &Datum,
) -> Result<Option<Datum>, &'static str> {
    let (Some(one), Some(other)) = (left.as_number(), right.as_number()) else { return Ok(None) };
    match operator {
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Power => Ok(numbers(operator, one, other).ok()),
        Operator::Remainder if other.as_whole() == Some(0) => Err("division by zero"),
        Operator::Remainder => Ok(numbers(operator, one, other).ok()),
        Operator::Or
        | Operator::And
        | Operator::Equal
        | Operator::Unequal
        | Operator::Less
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::LessEqual
        | Operator::In
        | Operator::Matches
        | Operator::Contains
        | Operator::StartsWith
        | Operator::EndsWith
        | Operator::Range
        | Operator::Coalesce => Ok(None),
    }
}
