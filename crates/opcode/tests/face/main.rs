//! The doors of the real binary, from outside: MCP over each transport, the HTTP API, and who gets in.
//!
//! Keeps: raw JSON over raw HTTP, so that what is on the wire is what is asserted; each test has a server of its own.
//! Not here: what workflows mean (`opcode-testkit`'s stories), the other commands (`tests/it`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod asking;
mod audit;
mod beside;
mod carry;
mod crowd;
mod dev;
mod diagram;
mod gate;
mod hostile;
mod http;
mod keeping;
#[path = "../it/kit.rs"]
#[expect(dead_code, reason = "the other binary uses the rest")]
mod kit;
mod legacy;
mod mcp;
mod modern;
mod plugins;
mod quotas;
mod rogue;
mod secrets;
mod serve;
mod server;
mod settings;
mod skill;
mod sse;
mod stdio;
mod tokens;
mod traces;
mod update;
