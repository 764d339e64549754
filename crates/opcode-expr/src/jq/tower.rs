//! A stack that can go back to an earlier state in one move, because nothing that state needs was overwritten.
//!
//! Keeps: what lies at or below `limit` is never changed; going back is setting two numbers.
//! Not here: what is stacked.

use crate::meter::{Exhausted, Meter};

/// No entry.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Level<T> {
    entry: T,
    /// The entry below.
    below: u32,
}

/// A stack with states to go back to.
#[derive(Debug)]
pub(super) struct Tower<T> {
    levels: Vec<Level<T>>,
    /// The top entry.
    top: u32,
    /// The highest entry that a saved state needs.
    limit: u32,
}

/// A state to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    top: u32,
    limit: u32,
}

impl<T: Clone + Default> Tower<T> {
    pub(super) fn new() -> Self {
        Self { levels: Vec::new(), top: NONE, limit: NONE }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.top == NONE
    }

    /// The top entry's number.
    pub(super) fn top_index(&self) -> u32 {
        self.top
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.levels.get(index as usize).map(|level| &level.entry)
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.get(self.top)
    }

    /// Whether the top entry is needed by no saved state.
    pub(super) fn top_is_free(&self) -> bool {
        self.top != NONE && (self.limit == NONE || self.top > self.limit)
    }

    /// Adds an entry; room that was never used before is charged.
    pub(super) fn push(&mut self, entry: T, meter: &mut Meter) -> Result<(), Exhausted> {
        // Wrapping turns `NONE`, which is below the first entry, into it.
        let at = match (self.top, self.limit) {
            (NONE, limit) => limit,
            (top, NONE) => top,
            (top, limit) => top.max(limit),
        }
        .wrapping_add(1);
        let level = Level { entry, below: self.top };
        match self.levels.get_mut(at as usize) {
            Some(old) => *old = level,
            None => {
                meter.bytes(size_of::<Level<T>>())?;
                self.levels.push(level);
            }
        }
        self.top = at;
        Ok(())
    }

    /// Takes the top entry; an empty stack gives the default.
    pub(super) fn pop(&mut self) -> T {
        let free = self.top_is_free();
        let Some(level) = self.levels.get_mut(self.top as usize) else { return T::default() };
        self.top = level.below;
        if free { std::mem::take(&mut level.entry) } else { level.entry.clone() }
    }

    /// Takes entries away until this one is the top.
    pub(super) fn cut_to(&mut self, index: u32) {
        self.top = index;
    }

    /// Remembers this state and protects what it needs.
    pub(super) fn save(&mut self) -> Saved {
        let saved = Saved { top: self.top, limit: self.limit };
        if self.top_is_free() {
            self.limit = self.top;
        }
        saved
    }

    /// Goes back to a state.
    pub(super) fn restore(&mut self, saved: Saved) {
        self.top = saved.top;
        self.limit = saved.limit;
    }
}
