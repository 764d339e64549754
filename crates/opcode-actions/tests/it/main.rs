//! The stories of the actions.
//!
//! Keeps: nothing here talks to anything but 127.0.0.1 and a directory of its own.
//! Not here: process trees (`opcode-sandbox`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod breaker;
mod files;
mod http;
mod kit;
mod pages;
mod params;
mod pure;
mod roots;
mod shell;
