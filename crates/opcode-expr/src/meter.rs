//! The budget of one evaluation: steps and bytes, counted the same way everywhere and every time.
//!
//! Keeps: no clock; the same expression over the same scope always stops at the same point.
//! Not here: depth, which compiling bounds; what a step costs (each evaluator charges as it goes), the numbers (`opcode_model::limits`).

use opcode_model::limits;

/// What one evaluation may still spend. Several evaluations may share one meter, and then share its budget.
#[derive(Clone, Debug)]
pub struct Meter {
    steps_left: u64,
    steps_max: u64,
    bytes_left: u64,
    bytes_max: u64,
}

/// A budget that ran out: its name and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    pub(crate) which: &'static str,
    pub(crate) value: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(limits::EVALUATION_STEPS_MAX, limits::EVALUATION_BYTES_MAX)
    }
}

impl Meter {
    /// A meter with budgets of its own.
    pub fn new(steps_max: u64, bytes_max: u64) -> Self {
        Self { steps_left: steps_max, steps_max, bytes_left: bytes_max, bytes_max }
    }

    /// Steps spent so far.
    pub fn steps_used(&self) -> u64 {
        self.steps_max - self.steps_left
    }

    /// Bytes spent so far, given back or not.
    pub fn bytes_used(&self) -> u64 {
        self.bytes_max - self.bytes_left
    }

    pub(crate) fn steps_left(&self) -> u64 {
        self.steps_left
    }

    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }

    pub(crate) fn steps(&mut self, count: u64) -> Result<(), Exhausted> {
        match self.steps_left.checked_sub(count) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                self.steps_left = 0;
                Err(Exhausted { which: "evaluation steps", value: self.steps_max })
            }
        }
    }

    /// Charges for reading `count` bytes without keeping them.
    pub(crate) fn scan(&mut self, count: usize) -> Result<(), Exhausted> {
        self.steps(count as u64 / 64)
    }

    /// Charges for allocating `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Exhausted> {
        match self.bytes_left.checked_sub(count as u64) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => {
                self.bytes_left = 0;
                Err(Exhausted { which: "evaluation bytes", value: self.bytes_max })
            }
        }
    }
}
