//! What a database of the original OPCODE holds, as a store of ours.
//!
//! Keeps: what cannot be taken over, or not as it was, is named; a run of the original is over here, and folds to where
//! it ended.
//! Not here: reading its file and putting the store in its place (`opcode-store-sqlite`).

mod cells;
mod history;
mod runs;
mod take_over;

pub use take_over::{TakenOver, take_over};
