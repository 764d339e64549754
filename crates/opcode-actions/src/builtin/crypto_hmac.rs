//! `crypto.hmac`: the keyed digest (HMAC) of a text, in lower-case hex.
//!
//! ```json
//! {"action": "crypto.hmac", "params": {"data": "hello", "key": "secret"}}
//! ```
//! gives
//! ```json
//! {"algorithm": "sha256", "hmac": "88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b"}
//! ```
//!
//! Keeps: numbers and truth values count as their text.
//! Not here: plain digests (`crypto_hash.rs`).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use opcode_model::{Answer, EffectClass, ErrorCode, Failure, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::crypto_hash::{Algorithm, hex};
use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct CryptoHmac;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// What to sign.
    data: Text,
    /// The key.
    key: Text,
    /// Which digest; `sha256` unless given.
    #[serde(default)]
    algorithm: Algorithm,
}

impl Built for CryptoHmac {
    type Params = Params;
    const PAGE: Page = Page {
        name: "crypto.hmac",
        class: EffectClass::Pure,
        source: include_str!("crypto_hmac.rs"),
        output: &[
            ("algorithm", "the digest used"),
            ("hmac", "the keyed digest, in lower-case hex"),
        ],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let (key, data) = (params.key.0.as_bytes(), params.data.0.as_bytes());
        let hmac = match params.algorithm {
            Algorithm::Sha256 => sign::<Hmac<Sha256>>(key, data),
            Algorithm::Sha384 => sign::<Hmac<Sha384>>(key, data),
            Algorithm::Sha512 => sign::<Hmac<Sha512>>(key, data),
            Algorithm::Md5 => sign::<Hmac<Md5>>(key, data),
            Algorithm::Sha1 => sign::<Hmac<Sha1>>(key, data),
        }?;
        let algorithm = Value::from(params.algorithm.name());
        Ok(Answer::Value(Value::object([("algorithm", algorithm), ("hmac", hmac.into())])))
    }
}

fn sign<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Result<String, Failure> {
    let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|error| {
        Failure::new(ErrorCode::Validation, format!("crypto.hmac: param 'key': {error}"))
    })?;
    mac.update(data);
    Ok(hex(&mac.finalize().into_bytes()))
}
