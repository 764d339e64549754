//! The house's test kit: what stories, simulations and stores are tested with.
//!
//! Keeps: it stops at the store, so that the engine's stories build without a runtime.
//! Not here: anything that ships.

pub mod conformance;
pub mod fuzz;
pub mod sim;
pub mod story;
