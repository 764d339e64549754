//! `crypto.uuid`: a new random UUID (version 4).
//!
//! ```json
//! {"action": "crypto.uuid"}
//! ```
//! gives
//! ```json
//! {"uuid": "9f1c2f0e-5a4b-4f7e-8a51-0c2f6d1b7a33"}
//! ```
//!
//! Keeps: what was drawn is recorded before anything outside can use it.
//! Not here: recording it (`opcode-engine`).

use opcode_model::{Answer, EffectClass, Failure, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;

pub(super) struct CryptoUuid;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {}

impl Built for CryptoUuid {
    type Params = Params;
    const PAGE: Page = Page {
        name: "crypto.uuid",
        class: EffectClass::Pure,
        source: include_str!("crypto_uuid.rs"),
        output: &[("uuid", "36 characters, lower case")],
    };

    fn compute(_params: Params) -> Result<Answer, Failure> {
        Ok(Answer::Value(Value::object([("uuid", uuid::Uuid::new_v4().to_string())])))
    }
}
