//! Secrets at rest: sealed in the store, opened just before an effect, and kept out of everything that is told.
//!
//! Keeps: a content is in memory only while somebody uses it; what is on disk opens with the passphrase and nothing else.
//! Not here: where secrets go in (`opcode-runtime`), how people hand them over (the faces).

mod derive;
mod grant;
mod header;
mod key;
mod redact;
mod row;
mod vault;

pub use derive::Passphrase;
pub use grant::{Grant, Use};
pub use redact::Redactor;
pub use row::{LastUse, SecretInfo, check_name};
pub use vault::{Opened, Vault};
