//! The vault over a store in memory: what is on the store, who may open it, and what a crash leaves.
//!
//! Keeps: tests speak of contents and refusals, never of the form on the store but to look for plain text.
//! Not here: secrets in workflows (`crates/opcode/tests`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crash;
mod keeping;
