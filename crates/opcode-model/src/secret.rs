//! Text that must not be seen: it does not print, and where it goes in is recorded by name only.
//!
//! Keeps: a secret's content is never in an event, a log or an error; only `SecretSlot`s are.
//! Not here: opening secrets (the vault).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A value that `Debug` and `Display` do not show.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `content`.
    pub fn new(content: T) -> Self {
        Self(content)
    }

    /// The content. Every call is a place to audit.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A place in an action's parameters that secrets go into, just before the effect and never earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretSlot {
    /// JSON pointer of the text in the parameters.
    pub pointer: String,
    /// The text in pieces, in order; joined after the secrets are opened, and never scanned again.
    pub pieces: Vec<Piece>,
}

/// One piece of a text with secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// Text as it is.
    Text(Arc<str>),
    /// The content of the secret of this name.
    Secret(Arc<str>),
}
