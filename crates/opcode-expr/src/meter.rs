//! The budget of one evaluation: steps and bytes, counted the same way everywhere and every time.
//!
//! Keeps: no clock; the same expression over the same scope always stops at the same point.
//! Not here: depth, which compiling bounds; what a step costs (each evaluator charges as it goes), the numbers (`opcode_model::limits`).

use std::fmt;
use std::sync::Arc;

use opcode_model::limits;

const STEPS_BETWEEN_ASKING: u64 = 1_024;

/// What one evaluation may still spend. Several evaluations may share one meter, and then share its budget.
#[derive(Clone, Debug)]
pub struct Meter {
    steps_left: u64,
    /// Below so many steps left, the interrupt is asked; 0 without one.
    ask_below: u64,
    interrupt: Option<Interrupt>,
    is_interrupted: bool,
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

/// Whom to ask whether to give up.
#[derive(Clone)]
struct Interrupt(Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(limits::EVALUATION_STEPS_MAX, limits::EVALUATION_BYTES_MAX)
    }
}

impl Meter {
    /// A meter with budgets of its own.
    pub fn new(steps_max: u64, bytes_max: u64) -> Self {
        Self {
            steps_left: steps_max,
            ask_below: 0,
            interrupt: None,
            is_interrupted: false,
            steps_max,
            bytes_left: bytes_max,
            bytes_max,
        }
    }

    /// The same, asking `interrupt` every 1,024 steps whether to give up. Then the evaluation ends with
    /// [`EvalErrorKind::Interrupted`](crate::EvalErrorKind::Interrupted): that says nothing of the expression, so it may
    /// not become part of a history.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.interrupt = Some(Interrupt(Arc::new(interrupt)));
        self.ask_below = self.steps_left.saturating_sub(STEPS_BETWEEN_ASKING);
        self
    }

    /// Whether the interrupt made it give up.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted
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
                if left >= self.ask_below { Ok(()) } else { self.ask() }
            }
            None => {
                self.steps_left = 0;
                Err(Exhausted { which: "evaluation steps", value: self.steps_max })
            }
        }
    }

    #[cold]
    fn ask(&mut self) -> Result<(), Exhausted> {
        self.ask_below = self.steps_left.saturating_sub(STEPS_BETWEEN_ASKING);
        if !self.interrupt.as_ref().is_some_and(|interrupt| (interrupt.0)()) {
            return Ok(());
        }
        self.is_interrupted = true;
        self.steps_left = 0;
        Err(Exhausted { which: "patience", value: 0 })
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
