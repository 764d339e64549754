//! The SQLite store before the common suite, and what only a store with a file can get wrong.
//!
//! Keeps: one binary a crate; every test has a directory of its own.
//! Not here: the common cases (`opcode-testkit`).

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the answer")]

mod child;
mod conform;
mod crash;
mod damage;
mod full;
mod group;
mod opening;
mod place;
mod views;
