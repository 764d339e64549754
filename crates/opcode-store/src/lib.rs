//! The store contract, its row codec, and the memory store.
//!
//! Keeps: storage is dumb; no rule about workflows is written here or below.
//! Not here: SQLite and PostgreSQL (their own crates).

pub mod codec;
mod contract;
mod filter;
mod linger;
mod look;
mod memory;
mod original;
mod pieces;
pub mod row;

pub use contract::*;
pub use filter::blank_row;
pub use linger::linger;
pub use look::{Ask, Distant, Look};
pub use memory::MemoryStore;
pub use original::Original;
