//! Where the logs end that were written lately, so that a stale write is refused without asking the database.
//!
//! Keeps: bounded; what it says is what the database holds, or it says nothing.
//! Not here: the query that answers when it does not know (`write.rs`).

use std::collections::HashMap;

use opcode_model::RunId;
use opcode_model::commit::Position;

/// Runs remembered in each of two generations.
const RUNS_KEPT: usize = 32_768;

/// A run's surrogate id and the end of its log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tail {
    pub(crate) id: i64,
    pub(crate) end: Position,
}

/// Two generations: when the young one is full it becomes the old one, and the old one goes.
#[derive(Default)]
pub(crate) struct Tails {
    young: HashMap<RunId, Tail>,
    old: HashMap<RunId, Tail>,
}

impl Tails {
    pub(crate) fn find(&self, run: RunId) -> Option<Tail> {
        self.young.get(&run).or_else(|| self.old.get(&run)).copied()
    }

    pub(crate) fn keep(&mut self, run: RunId, tail: Tail) {
        if self.young.len() >= RUNS_KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(run, tail);
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_the_oldest_and_never_lies() {
        let mut tails = Tails::default();
        let run = |n: usize| RunId((n as u128).to_be_bytes());
        for n in 0..=3 * RUNS_KEPT {
            tails.keep(run(n), Tail { id: n as i64, end: Position::default() });
        }
        assert_eq!(tails.find(run(0)), None);
        assert_eq!(tails.find(run(3 * RUNS_KEPT)).map(|tail| tail.id), Some(3 * RUNS_KEPT as i64));
        assert!(tails.young.len() + tails.old.len() <= 2 * RUNS_KEPT);
    }
}
