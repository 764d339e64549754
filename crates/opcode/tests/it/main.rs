//! The real binary from outside: every command, every exit code, every refusal.
//!
//! Keeps: a test waits for a state, never for time to pass; each has a home of its own.
//! Not here: what workflows mean (`opcode-testkit`'s stories), crashes by the thousand (`tests/torture`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod background;
mod bench;
mod carry;
mod crash;
mod diagram;
mod eval;
mod help;
mod holder;
mod keeping;
mod kit;
mod original;
mod problems;
mod query;
mod refused;
mod run;
mod sandbox;
mod signal;
mod terminal;
