//! What an expression can be seen to read without running it: for `plan`'s checks and for finding dependencies.
//!
//! Keeps: every step named by a constant is here; what is computed at run time is announced by `dynamic_steps`.
//! Not here: whether those steps exist (`plan` knows).

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// What an expression reads, as far as its text shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// The root variables it names: `steps`, `inputs`, …; `loop` counts as `iter`.
    pub roots: BTreeSet<Arc<str>>,
    /// The steps it names, in order of appearance.
    pub steps: Vec<StepReference>,
    /// Whether it also reads steps whose ids are computed, or walks all of them.
    pub dynamic_steps: bool,
    /// The first-level keys of `inputs` it names, and where.
    pub inputs: Vec<(Arc<str>, Range<usize>)>,
    /// Variables it names that no workflow has, and where. Only a text compiled for a scope not known yet may have any.
    pub names: Vec<(Arc<str>, Range<usize>)>,
    /// Divisions that may be meant as exact but cut, because both sides may be ints.
    pub divisions: Vec<Division>,
}

/// A step named by a constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReference {
    /// The ids it may mean, longest first: a plain path does not say where a dotted id ends. Never empty.
    pub ids: Vec<Arc<str>>,
    /// The bytes of the source.
    pub span: Range<usize>,
    /// Whether only its status is read, which is there for every step.
    pub status_only: bool,
}

impl StepReference {
    /// The id it means among known ones; the shortest candidate if none is known.
    pub fn resolve(&self, is_known: impl Fn(&str) -> bool) -> (&str, bool) {
        match self.ids.iter().find(|id| is_known(id)) {
            Some(id) => (id, true),
            None => (self.ids.last().map_or("", AsRef::as_ref), false),
        }
    }
}

/// A `/` between two operands that are not literals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// The bytes of the source, both operands included.
    pub span: Range<usize>,
    /// What to write for an exact quotient.
    pub suggestion: String,
}
