//! `crypto.hash`: the digest of a text, in lower-case hex.
//!
//! ```json
//! {"action": "crypto.hash", "params": {"data": "hello"}}
//! ```
//! gives
//! ```json
//! {"algorithm": "sha256", "hash": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}
//! ```
//!
//! Keeps: numbers and truth values are hashed as their text.
//! Not here: keyed digests (`crypto_hmac.rs`).

use md5::Md5;
use opcode_model::{Answer, EffectClass, Failure, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct CryptoHash;

/// The digests there are.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Algorithm {
    #[default]
    Sha256,
    Sha512,
    Sha384,
    Md5,
    Sha1,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// What to hash.
    data: Text,
    /// Which digest; `sha256` unless given.
    #[serde(default)]
    algorithm: Algorithm,
}

impl Built for CryptoHash {
    type Params = Params;
    const PAGE: Page = Page {
        name: "crypto.hash",
        class: EffectClass::Pure,
        source: include_str!("crypto_hash.rs"),
        output: &[("algorithm", "the digest used"), ("hash", "the digest, in lower-case hex")],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let data = params.data.0.as_bytes();
        let hash = match params.algorithm {
            Algorithm::Sha256 => hex(&Sha256::digest(data)),
            Algorithm::Sha384 => hex(&Sha384::digest(data)),
            Algorithm::Sha512 => hex(&Sha512::digest(data)),
            Algorithm::Md5 => hex(&Md5::digest(data)),
            Algorithm::Sha1 => hex(&Sha1::digest(data)),
        };
        let algorithm = Value::from(params.algorithm.name());
        Ok(Answer::Value(Value::object([("algorithm", algorithm), ("hash", hash.into())])))
    }
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
        }
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
