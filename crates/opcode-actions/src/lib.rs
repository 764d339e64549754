//! The actions a step can name: one file each under `builtin/`, found by name in the `Registry`.
//!
//! Keeps: an action's schema, listing, reference page and tests all come from its one file.
//! Not here: when an action runs, retries, decisions (`opcode-engine`); performing after the commit (`opcode-runtime`).

mod action;
pub mod breaker;
mod builtin;
mod files;
mod limit;
mod page;
mod params;
mod reference;
mod registry;
mod splice;
mod web;
mod world;

pub use action::{Action, Performing};
pub use files::FileRules;
pub use opcode_sandbox::{Stop, Stopper};
pub use page::Page;
pub use registry::Registry;
pub use world::{World, WorldConfig, WorldFault};
