//! Who may be out in the world: a limit on outside effects, fair between runs.
//!
//! Keeps: never more attempts out than slots; a run with many waits behind a run with one.
//! Not here: performing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use opcode_model::{RunId, StepIx};

use crate::words::AttemptKey;

/// Attempts out in the world, and those that wait for a place.
#[derive(Debug)]
pub(crate) struct Slots {
    limit: usize,
    running: BTreeSet<AttemptKey>,
    /// Out as well, but bounded by who provides them: they take no place.
    aside: BTreeSet<AttemptKey>,
    /// Told to stop before they had a place; the shell's answer is awaited.
    withdrawn: BTreeSet<AttemptKey>,
    /// A run is in here exactly while it is in `turns`, once; its line may have emptied meanwhile.
    waiting: BTreeMap<RunId, BTreeSet<(StepIx, u32)>>,
    turns: VecDeque<RunId>,
    closed: bool,
}

impl Slots {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            running: BTreeSet::new(),
            aside: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            waiting: BTreeMap::new(),
            turns: VecDeque::new(),
            closed: false,
        }
    }

    /// Puts an attempt in line.
    pub(crate) fn want(&mut self, key: AttemptKey) {
        let line = self.waiting.entry(key.run).or_insert_with(|| {
            self.turns.push_back(key.run);
            BTreeSet::new()
        });
        line.insert((key.step, key.attempt));
    }

    /// The next attempt that may go out, if there is a place.
    pub(crate) fn next(&mut self) -> Option<AttemptKey> {
        if self.closed || self.running.len() >= self.limit {
            return None;
        }
        while let Some(run) = self.turns.pop_front() {
            let Some(line) = self.waiting.get_mut(&run) else { continue };
            let first = line.pop_first();
            if line.is_empty() {
                self.waiting.remove(&run);
            } else {
                self.turns.push_back(run);
            }
            if let Some((step, attempt)) = first {
                let key = AttemptKey { run, step, attempt };
                self.running.insert(key);
                return Some(key);
            }
        }
        None
    }

    /// An attempt that is out takes no place from now on.
    pub(crate) fn step_aside(&mut self, key: AttemptKey) {
        if self.running.remove(&key) {
            self.aside.insert(key);
        }
    }

    /// Whether an attempt must be told to stop: it is out, or was in line and leaves it. Not if it is back.
    pub(crate) fn stop(&mut self, key: AttemptKey) -> bool {
        let line = self.waiting.get_mut(&key.run);
        if line.is_some_and(|line| line.remove(&(key.step, key.attempt))) {
            self.withdrawn.insert(key);
            return true;
        }
        self.running.contains(&key) || self.aside.contains(&key)
    }

    /// Everything of a run that is out or in line, told to stop.
    pub(crate) fn stop_all(&mut self, run: RunId) -> Vec<AttemptKey> {
        let first = AttemptKey { run, step: StepIx(0), attempt: 0 };
        let last = AttemptKey { run, step: StepIx(u32::MAX), attempt: u32::MAX };
        let line = self.waiting.get_mut(&run).map(std::mem::take).unwrap_or_default();
        let line = line.into_iter().map(|(step, attempt)| AttemptKey { run, step, attempt });
        let line: Vec<AttemptKey> = line.collect();
        self.withdrawn.extend(line.iter().copied());
        let out = self.running.range(first..=last).chain(self.aside.range(first..=last));
        line.into_iter().chain(out.copied()).collect()
    }

    /// An attempt is back. `false` if it was not out.
    pub(crate) fn done(&mut self, key: AttemptKey) -> bool {
        self.running.remove(&key) || self.aside.remove(&key) || self.withdrawn.remove(&key)
    }

    /// Lets nothing more out.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// How many are out.
    pub(crate) fn running(&self) -> usize {
        self.running.len() + self.aside.len()
    }

    /// Attempts in line.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.values().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(run: u8, step: u32) -> AttemptKey {
        AttemptKey { run: RunId([run; 16]), step: StepIx(step), attempt: 1 }
    }

    #[test]
    fn who_steps_aside_leaves_a_place_and_is_still_out() {
        let mut slots = Slots::new(1);
        slots.want(key(1, 0));
        slots.want(key(2, 0));
        assert_eq!(slots.next(), Some(key(1, 0)));
        slots.step_aside(key(1, 0));
        assert_eq!(slots.next(), Some(key(2, 0)));
        assert_eq!((slots.next(), slots.running()), (None, 2));
        assert!(slots.stop(key(1, 0)) && slots.stop_all(RunId([1; 16])) == [key(1, 0)]);
        assert!(slots.done(key(1, 0)) && !slots.done(key(1, 0)));
        slots.step_aside(key(9, 9));
        assert_eq!(slots.running(), 1, "who is not out does not step aside");
    }

    #[test]
    fn a_run_with_one_does_not_wait_for_a_run_with_many() {
        let mut slots = Slots::new(2);
        for step in 0..10 {
            slots.want(key(1, step));
        }
        slots.want(key(2, 0));
        assert_eq!(slots.next(), Some(key(1, 0)));
        assert_eq!(slots.next(), Some(key(2, 0)));
        assert_eq!(slots.next(), None, "both places are taken");
        assert!(slots.done(key(2, 0)));
        assert_eq!(slots.next(), Some(key(1, 1)));
    }

    #[test]
    fn what_is_stopped_in_line_never_goes_out() {
        let mut slots = Slots::new(1);
        slots.want(key(1, 0));
        slots.want(key(1, 1));
        assert_eq!(slots.next(), Some(key(1, 0)));
        assert!(slots.stop(key(1, 1)), "it was in line");
        assert!(slots.stop(key(1, 0)), "it is out");
        assert!(slots.done(key(1, 0)) && slots.done(key(1, 1)), "both are answered");
        assert!(!slots.stop(key(1, 0)), "it is back");
        assert_eq!(slots.next(), None);
        slots.want(key(1, 2));
        assert_eq!(slots.next(), Some(key(1, 2)), "the run still has its turn, once");
    }

    #[test]
    fn all_of_a_run_can_be_stopped() {
        let mut slots = Slots::new(1);
        slots.want(key(1, 0));
        slots.want(key(1, 1));
        slots.want(key(2, 0));
        assert_eq!(slots.next(), Some(key(1, 0)));
        assert_eq!(slots.stop_all(key(1, 0).run), [key(1, 1), key(1, 0)]);
        assert!(slots.done(key(1, 0)));
        assert_eq!(slots.next(), Some(key(2, 0)));
    }
}
