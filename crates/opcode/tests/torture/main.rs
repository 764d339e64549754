//! The evidence on the real binary: killed at random and at every write, on disks that fail, fill and forget.
//!
//! `OPCODE_TORTURE=N` kills it N times and takes its power N times (300 unless said otherwise);
//! `OPCODE_TORTURE_SEED=S` repeats the choices of a test that printed S. The tests need `strace`, `prlimit` and, for
//! root, `setpriv`; without them they fail.
//!
//! Keeps: what was acknowledged is there afterwards; sequences have no gap; nothing completes twice, and nothing happens
//! that was not on disk before; no child outlives its master.
//! Not here: the same driver in simulated worlds (`opcode-testkit`), the store alone (`opcode-store-sqlite`).

mod acks;
mod dice;
mod disk;
mod gate;
mod history;
mod kill;
mod ledger;
mod orphans;
mod place;
mod points;
mod powercut;
mod replaced;
mod running;
mod strace;
mod trace;
mod work;
