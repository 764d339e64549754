//! The embedded store: one SQLite file, one writer, group commit without added delay.
//!
//! Keeps: an acknowledged commit is on disk as `Durability` says; one packed row a commit; people read it with `sqlite3`.
//! Not here: the contract and the codec (`opcode-store`), any rule about workflows.

mod audits;
mod backup;
mod checkpoint;
mod fault;
mod lists;
mod load;
mod lock;
mod migrations;
mod open;
mod original;
mod pack;
mod prune;
mod readers;
mod reply;
mod rows;
mod store;
mod tails;
mod verify;
mod write;
mod writer;

pub use backup::{CopyError, backup, kept_as, restore};
pub use open::{OpenError, SqliteConfig};
pub use original::{Takeover, original_as};
pub use store::SqliteStore;
