//! What the sandbox promises, tried on real processes.
//!
//! Keeps: tests wait for levels (a pipe's end, a process's end), never for a while.
//! Not here: actions (`opcode-actions`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod detached;
mod isolated;
mod kit;
mod limits;
mod outcome;
mod session;
mod tree;
mod user;
