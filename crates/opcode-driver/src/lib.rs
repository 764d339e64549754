//! The loop around the verbs, as a synchronous machine: what to load, when to commit, what to perform;
//! slots, timers, inbox, recovery. The tokio shell and the simulator are two thin pumps of it.
//!
//! Keeps: no clock, no IO, no threads; an effect is asked for only after its commit was answered.
//! Not here: decisions (`opcode-engine`), performing (`opcode-runtime`).

mod callers;
mod children;
mod driver;
mod live;
mod slots;
mod words;
mod writes;

pub use driver::Driver;
pub use words::{
    AttemptKey, Batch, Command, CommitRefused, Incoming, LoadedRun, OpenRun, Reply, Resolved,
    Settings, StartRun, Ticket,
};
