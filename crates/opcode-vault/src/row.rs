//! One secret as it is stored, and what may be told of it.
//!
//! Keeps: name and version are sealed with the content, so that two rows cannot change places; the content is in no text.
//! Not here: the keys (`header.rs`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opcode_model::{ErrorCode, Failure, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::grant::Grant;
use crate::header::Unlocked;
use crate::key::{NoDice, Shut};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 128;

/// A secret as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Which of the vault's keys sealed it; 0 is the original system's, made of the passphrase.
    pub(crate) key: u32,
    pub(crate) version: u64,
    pub(crate) sealed: String,
    pub(crate) set_at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) grants: Vec<Grant>,
}

/// What may be told of a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecretInfo {
    /// What workflows call it.
    pub name: String,
    /// How often it was set.
    pub version: u64,
    /// When it was set first.
    pub created_at: Timestamp,
    /// When it was set last.
    pub set_at: Timestamp,
    /// Its last use, as far as it is known.
    pub last_use: Option<LastUse>,
    /// Who may use it; anybody, if nobody is named.
    pub grants: Vec<Grant>,
}

/// When and where a secret was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// By which workflow.
    pub workflow_id: String,
    /// Of which template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// By which action.
    pub action: String,
}

/// Names are what `${{secrets.NAME}}` can hold.
///
/// # Errors
/// `VALIDATION_ERROR`, saying what a name is.
pub fn check_name(name: &str) -> Result<(), Failure> {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.len() <= NAME_CHARS_MAX && name.chars().all(is_fit) {
        return Ok(());
    }
    let message = format!(
        "a secret's name is a letter or `_`, then letters, digits, `_`, `-` and `.`, at most {NAME_CHARS_MAX}"
    );
    Err(Failure::new(ErrorCode::Validation, message))
}

impl Row {
    /// Seals a content as the version that `vault` has for it.
    pub(crate) fn seal(
        vault: &Unlocked,
        name: &str,
        content: &[u8],
        grants: Vec<Grant>,
        set_at: Timestamp,
    ) -> Result<Self, NoDice> {
        let (key, cipher) = vault.newest();
        let version = vault.version(name);
        let sealed = STANDARD.encode(cipher.seal(&place(name, version), content)?);
        Ok(Self { key, version, sealed, set_at, grants })
    }

    /// Opens it.
    pub(crate) fn open(&self, vault: &Unlocked, name: &str) -> Result<Zeroizing<Vec<u8>>, Shut> {
        let sealed = STANDARD.decode(&self.sealed).map_err(|_| Shut)?;
        if self.version != vault.version(name) {
            return Err(Shut);
        }
        vault.key(self.key).ok_or(Shut)?.open(&place(name, self.version), &sealed)
    }
}

/// What a secret is sealed under.
fn place(name: &str, version: u64) -> Vec<u8> {
    format!("opcode vault 1 secret {name} {version}").into_bytes()
}
