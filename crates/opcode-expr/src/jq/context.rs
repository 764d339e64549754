//! What every function needs besides its arguments: the meter, the time, patterns met so far.
//!
//! Keeps: whatever is looked at or allocated is charged; no value nests deeper than `NESTING_MAX`, so dropping one is safe.
//! Not here: the stacks (`machine.rs`).

use opcode_model::{Timestamp, Value};

use super::compare::Visits;
use super::trouble::Outcome;
use crate::meter::{Exhausted, Meter};
use crate::pattern::Met;

/// How deep a value may nest while it is worked on.
pub(super) const NESTING_MAX: usize = 1_000;

/// Parts of values that can be looked at for one step.
const VISITS_PER_STEP: u64 = 16;

/// So deep may a value from outside be.
const GIVEN_MAX: usize = 128;

/// What one evaluation shares among its parts.
pub(super) struct Context<'a> {
    pub(super) meter: &'a mut Meter,
    pub(super) now: Timestamp,
    /// Whether a number arose that JSON cannot say.
    pub(super) odd: bool,
    /// How often a list or object was put into another: no value made here is deeper than this and what was given.
    pub(super) nestings: usize,
    /// Patterns met so far.
    pub(super) met: Met,
}

impl Context<'_> {
    pub(super) fn steps(&mut self, count: u64) -> Outcome<()> {
        Ok(self.meter.steps(count)?)
    }

    /// As many visits as there are steps for, and one more.
    pub(super) fn affordable(&self) -> Visits {
        Visits {
            count: 0,
            most: self.meter.steps_left().saturating_mul(VISITS_PER_STEP) + VISITS_PER_STEP,
        }
    }

    /// As many bytes as may still be read and kept.
    pub(super) fn affordable_bytes(&self) -> usize {
        let steps = self.meter.steps_left().saturating_mul(VISITS_PER_STEP);
        usize::try_from(self.meter.bytes_left().min(steps)).unwrap_or(usize::MAX)
    }

    /// How many bytes values hold, parts that are shared counted each time; an error if that is more than affordable.
    pub(super) fn weigh<'v>(
        &mut self,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Outcome<usize> {
        let most = self.affordable_bytes();
        let mut weight = 0_usize;
        for value in values {
            weight += value.weight(most - weight);
            if weight > most {
                return self.too_much();
            }
        }
        Ok(weight)
    }

    /// Whatever budget is smaller has run out.
    pub(super) fn too_much<T>(&mut self) -> Outcome<T> {
        self.meter.bytes(self.affordable_bytes().saturating_add(1))?;
        self.meter.steps(u64::MAX)?;
        Err(too_deep().into())
    }

    /// Charges for looking at so many parts of values.
    pub(super) fn visits(&mut self, count: u64) -> Outcome<()> {
        match count / VISITS_PER_STEP {
            0 => Ok(()),
            steps => self.steps(steps),
        }
    }

    /// Charges for reading bytes.
    pub(super) fn scan(&mut self, count: usize) -> Outcome<()> {
        Ok(self.meter.scan(count)?)
    }

    /// Charges for allocating and filling bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Outcome<()> {
        self.meter.bytes(count)?;
        self.scan(count)
    }

    /// Charges for a list of so many items.
    pub(super) fn items(&mut self, count: usize) -> Outcome<()> {
        self.visits(count as u64)?;
        Ok(self.meter.bytes(count.saturating_mul(size_of::<Value>()))?)
    }

    /// Charges for an object of so many pairs.
    pub(super) fn pairs(&mut self, count: usize) -> Outcome<()> {
        self.items(count.saturating_mul(2))
    }

    /// Notes that `inner` becomes a part of another value. Only after many such notes can a value be too deep,
    /// so only then is it measured.
    pub(super) fn nest(&mut self, inner: &Value) -> Outcome<()> {
        if !matches!(inner, Value::List(_) | Value::Object(_)) {
            return Ok(());
        }
        self.nestings += 1;
        if self.nestings + GIVEN_MAX < NESTING_MAX {
            return Ok(());
        }
        let mut visits = self.affordable();
        let deep = is_deeper(inner, NESTING_MAX - 1, &mut visits);
        self.visits(visits.count)?;
        match deep {
            true => Err(too_deep().into()),
            false => Ok(()),
        }
    }
}

pub(super) fn too_deep() -> Exhausted {
    Exhausted { which: "the nesting of a value", value: NESTING_MAX as u64 }
}

/// Whether a value nests deeper than `levels`.
fn is_deeper(value: &Value, levels: usize, visits: &mut Visits) -> bool {
    if !visits.go_on() {
        return false;
    }
    match value {
        Value::List(items) => {
            levels == 0 || items.iter().any(|item| is_deeper(item, levels - 1, visits))
        }
        Value::Object(object) => {
            levels == 0 || object.iter().any(|pair| is_deeper(&pair.1, levels - 1, visits))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Bytes(_) => false,
    }
}
