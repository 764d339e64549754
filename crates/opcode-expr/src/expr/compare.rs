//! Equality and order as Go has them: numbers compare by value, maps only with values of the same types.
//!
//! Keeps: every pair of values looked at is charged.
//! Not here: arithmetic (`arith.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is a type error, whichever it is"
)]

use std::cmp::Ordering;

use opcode_model::{Value, compare_int_float};

use super::arith::does_not_take;
use super::eval::Machine;
use super::syntax::Operator;
use super::trouble::{Outcome, Span, Trouble};
use super::value::{Datum, Number};

impl Machine<'_> {
    /// `==`: lists item by item, everything else as it is.
    pub(super) fn equal(&mut self, left: &Datum, right: &Datum, span: Span) -> Outcome<bool> {
        self.steps(1, span)?;
        if let (Some(one), Some(other)) = (left.as_number(), right.as_number()) {
            return Ok(order(one, other) == Some(Ordering::Equal));
        }
        if left.is_nil() && right.is_nil() {
            return Ok(true);
        }
        if left.is_list() && right.is_list() {
            return self.equal_lists(left, right, Self::equal, span);
        }
        self.same(left, right, span)
    }

    /// Equality that also keeps ints, floats and kinds of lists apart: what maps are compared by.
    fn same(&mut self, left: &Datum, right: &Datum, span: Span) -> Outcome<bool> {
        self.steps(1, span)?;
        if left.is_list() && right.is_list() {
            let alike = left.is_nil() == right.is_nil();
            return Ok(alike && self.equal_lists(left, right, Self::same, span)?);
        }
        if let (Datum::Keyed(one), Datum::Keyed(other)) = (left, right) {
            let alike =
                one.of_lists == other.of_lists && one.entries.keys().eq(other.entries.keys());
            self.scan(one.entries.len() * 64, span)?;
            for (value, against) in one.entries.values().zip(other.entries.values()) {
                if !alike || !self.same(value, against, span)? {
                    return Ok(false);
                }
            }
            return Ok(alike);
        }
        if left.is_map() && right.is_map() {
            return self.same_maps(left, right, span);
        }
        if let (Some(one), Some(other)) = (left.as_text(), right.as_text()) {
            self.scan(one.len().min(other.len()), span)?;
            return Ok(one == other);
        }
        if let (Datum::Time(one), Datum::Time(other)) = (left, right) {
            return Ok(one.instant() == other.instant());
        }
        Ok(match (left.as_key(), right.as_key()) {
            (Some(one), Some(other)) => one == other,
            (None, None) => match (left, right) {
                (Datum::Zone(one), Datum::Zone(other)) => one == other,
                (Datum::Json(Value::Bytes(one)), Datum::Json(Value::Bytes(other))) => one == other,
                _ => false,
            },
            _ => false,
        })
    }

    fn equal_lists(
        &mut self,
        left: &Datum,
        right: &Datum,
        equal: fn(&mut Self, &Datum, &Datum, Span) -> Outcome<bool>,
        span: Span,
    ) -> Outcome<bool> {
        if left.count() != right.count() {
            return Ok(false);
        }
        for at in 0..left.count().unwrap_or(0) {
            let (Some(one), Some(other)) = (left.item(at), right.item(at)) else {
                return Ok(false);
            };
            if !equal(self, &one, &other, span)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn same_maps(&mut self, left: &Datum, right: &Datum, span: Span) -> Outcome<bool> {
        let keyed = |value: &Datum| matches!(value, Datum::Keyed(_));
        if left.count() != right.count() || keyed(left) != keyed(right) {
            return Ok(false);
        }
        self.scan(left.count().unwrap_or(0) * 64, span)?;
        for ((key, one), (against, other)) in left.pairs().into_iter().zip(right.pairs()) {
            if key.as_text() != against.as_text() || !self.same(&one, &other, span)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The order of two values, for `<` and its siblings; `None` if one is not a number.
    pub(super) fn order(
        &mut self,
        operator: Operator,
        left: &Datum,
        right: &Datum,
        span: Span,
    ) -> Outcome<Option<Ordering>> {
        if let (Some(one), Some(other)) = (left.as_number(), right.as_number()) {
            return Ok(order(one, other));
        }
        match (left, right) {
            (Datum::Json(Value::String(one)), Datum::Json(Value::String(other))) => {
                self.scan(one.len().min(other.len()), span)?;
                Ok(Some(one.cmp(other)))
            }
            (Datum::Time(one), Datum::Time(other)) => Ok(Some(one.instant().cmp(&other.instant()))),
            (Datum::Duration(one), Datum::Duration(other)) => Ok(Some(one.cmp(other))),
            _ => Err(does_not_take(operator, left, right, span)),
        }
    }

    /// `< > <= >=`.
    pub(super) fn compare(
        &mut self,
        operator: Operator,
        left: &Datum,
        right: &Datum,
        span: Span,
    ) -> Outcome<bool> {
        let order = self.order(operator, left, right, span)?;
        Ok(order.is_some_and(|order| match operator {
            Operator::Less => order.is_lt(),
            Operator::LessEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    /// `in`: an item of a list, a key of a map.
    pub(super) fn is_in(&mut self, needle: &Datum, hay: &Datum, span: Span) -> Outcome<bool> {
        if hay.is_nil() {
            return Ok(false);
        }
        if hay.is_list() {
            for at in 0..hay.count().unwrap_or(0) {
                if let Some(item) = hay.item(at)
                    && self.equal(&item, needle, span)?
                {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Datum::Keyed(keyed) = hay {
            let Some(key) = needle.as_key() else {
                return Err(Trouble::wanted(
                    "a map's key",
                    "no array and no map",
                    needle.kind(),
                    span,
                ));
            };
            return Ok(keyed.entries.contains_key(&key));
        }
        if hay.is_map() {
            return match (needle, needle.as_text()) {
                (_, Some(key)) => Ok(hay.under(key).is_some()),
                (Datum::Json(Value::Null), None) => Ok(hay.under("").is_some()),
                _ => Err(Trouble::wanted("a map's key", "a string", needle.kind(), span)),
            };
        }
        if matches!(hay, Datum::Time(_)) && needle.as_text().is_some() {
            return Ok(false);
        }
        Err(does_not_take(Operator::In, needle, hay, span))
    }
}

/// The order of two numbers, by value.
pub(super) fn order(left: Number, right: Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Float(one), Number::Float(other)) => one.partial_cmp(&other),
        (Number::Float(one), Number::Int(other) | Number::Whole(other)) => {
            compare_int_float(other, one).map(Ordering::reverse)
        }
        (Number::Int(one) | Number::Whole(one), Number::Float(other)) => {
            compare_int_float(one, other)
        }
        (Number::Int(one) | Number::Whole(one), Number::Int(other) | Number::Whole(other)) => {
            Some(one.cmp(&other))
        }
    }
}
