//! The shell from outside: the `Engine` over real stores, with actions that do as they are told.
//!
//! Keeps: a test waits for a state, never for time to pass; every wait has an end.
//! Not here: what workflows mean (`opcode-testkit`'s stories), the driver in seeded worlds (`cargo sim`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod breaker;
mod children;
mod full;
mod gate;
mod hands;
mod hub;
mod keeping;
mod kit;
mod limits;
mod memory;
mod mounted;
mod original;
mod panics;
mod recovery;
mod runs;
mod shutdown;
mod signals;
mod slots;
mod stop;
