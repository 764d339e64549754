//! How HTTP actions speak HTTP: pooled clients, redirects that keep secrets at home, bodies with a limit.
//!
//! Keeps: one connection pool a server; the environment's proxies are never used.
//! Not here: the actions and their parameters (`builtin/http_*.rs`).

mod body;
mod clients;
mod exchange;
mod policy;
mod retry_after;

pub(crate) use body::{Body, Received};
pub(crate) use clients::Clients;
pub(crate) use exchange::{Exchange, Trouble, exchange};
pub(crate) use policy::{Policy, admit};
pub(crate) use retry_after::retry_after_ms;
