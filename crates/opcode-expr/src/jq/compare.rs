//! The order of all values, and what comparing them costs.
//!
//! Keeps: looking stops where it cannot be paid for; null < false < true < numbers < strings < arrays < objects; an int and a float compare exactly; NaN is below every number, itself included.
//! Not here: who asks.

use std::cmp::Ordering;

use opcode_model::{Value, compare_int_float};

/// How many parts of values were looked at, and how many may be: parts that are shared have no end otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visits {
    pub(super) count: u64,
    pub(super) most: u64,
}

impl Visits {
    /// Counts one more; `false` if there were enough.
    pub(super) fn go_on(&mut self) -> bool {
        self.count += 1;
        self.count <= self.most
    }
}

/// Compares. Where there were too many parts the answer means nothing, and whoever pays for the visits finds out.
pub(super) fn compare(left: &Value, right: &Value, visits: &mut Visits) -> Ordering {
    if !visits.go_on() {
        return Ordering::Equal;
    }
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => of_floats(*a, *b),
        (Value::Int(a), Value::Float(b)) => compare_int_float(*a, *b).unwrap_or(Ordering::Greater),
        (Value::Float(a), Value::Int(b)) => {
            compare_int_float(*b, *a).map_or(Ordering::Less, Ordering::reverse)
        }
        (Value::String(a), Value::String(b)) => {
            visits.count += (a.len().min(b.len()) / 64) as u64;
            a.cmp(b)
        }
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::List(a), Value::List(b)) => {
            let mut pairs = a.iter().zip(b.iter());
            pairs
                .find_map(|(a, b)| Some(compare(a, b, visits)).filter(|order| order.is_ne()))
                .unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            visits.count += a.len().min(b.len()) as u64;
            a.keys().cmp(b.keys()).then_with(|| {
                let mut pairs = a.iter().zip(b.iter());
                pairs
                    .find_map(|(a, b)| {
                        Some(compare(&a.1, &b.1, visits)).filter(|order| order.is_ne())
                    })
                    .unwrap_or(Ordering::Equal)
            })
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

fn of_floats(a: f64, b: f64) -> Ordering {
    if a < b || a.is_nan() {
        Ordering::Less
    } else if a == b {
        Ordering::Equal
    } else {
        Ordering::Greater
    }
}

/// The same order made total, as sorting needs it: NaN equals itself.
pub(super) fn sorting(left: &Value, right: &Value, visits: &mut Visits) -> Ordering {
    match compare(left, right, visits) {
        Ordering::Less if compare(right, left, visits).is_lt() => Ordering::Equal,
        order => order,
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Int(_) | Value::Float(_) => 3,
        Value::String(_) | Value::Bytes(_) => 4,
        Value::List(_) => 5,
        Value::Object(_) => 6,
    }
}

/// Whether a value counts as true.
pub(super) fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}
