//! What the sandbox promises, tried on real processes.
//!
//! Keeps: tests wait for levels (a pipe's end, a process's end), never for a while.
//! Not here: actions (`opcode-actions`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kit;
mod outcome;
mod tree;
