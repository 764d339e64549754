//! The shell: the tokio pump of the driver, the performing of effects, and the `Engine` that every face calls.
//!
//! Keeps: the only place that knows what time it is and where tasks are spawned.
//! Not here: decisions (`opcode-engine`), rows (`opcode-store*`), how things look (the faces).

mod agents;
mod audit;
mod caller;
mod carry;
mod check;
mod clock;
mod document;
mod engine;
mod fill;
mod hub;
mod keeping;
mod keys;
mod original;
mod perform;
mod plans;
mod pump;
mod quotas;
mod reader;
mod rest;
mod secrets;
pub mod shapes;
mod templates;
mod tokens;
mod told;
mod tools;
mod verify;

pub use audit::{Actor, Audit, Deed};
pub use caller::{Caller, Role};
pub use carry::{Export, Import, Imported};
pub use clock::now;
pub use document::{BESIDE, Document};
pub use engine::{Engine, EngineConfig, EngineError, RunAnswer, RunRequest, Source, Wait};
pub use hub::{Hub, Note, Progress};
pub use keeping::{Keep, Keeping, Retention, days};
pub use keys::Keys;
pub use opcode_sandbox::is_no_step;
pub use opcode_vault::{Grant, LastUse, Passphrase, Redactor, SecretInfo, Use};
pub use original::{TakenOver, take_over};
pub use plans::Plans;
pub use quotas::Quotas;
pub use reader::{Reader, StatusView, WaitView};
pub use secrets::{OnWrong, SecretUse, Secrets};
pub use templates::{DefineRequest, Defined, Template, define};
pub use tokens::{Token, TokenRequest, Tokens};
pub use tools::Tools;
