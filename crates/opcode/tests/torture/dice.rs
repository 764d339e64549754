//! Chance with a seed: the same seed, the same choices.
//!
//! Keeps: nothing here knows a clock but the one that draws a fresh seed.
//! Not here: what is chosen.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Names the seed of a run that shall be repeated.
const SEED: &str = "OPCODE_TORTURE_SEED";

/// A seeded source of numbers (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// With the seed that was asked for, or a fresh one; says which.
    pub(crate) fn fresh(test: &str) -> Self {
        let asked = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        let drawn = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |it| it.as_micros());
        let seed = asked.unwrap_or_else(|| drawn() as u64 % 1_000_000_007);
        eprintln!("{test}: {SEED}={seed}");
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// True `n` times in a hundred.
    pub(crate) fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    /// A span up to so many milliseconds, down to the microsecond.
    pub(crate) fn millis(&mut self, max: u64) -> Duration {
        Duration::from_micros(self.below(max * 1_000 + 1))
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}
