//! `assert.contains`: fails unless a text contains another, or a list an item.
//!
//! ```json
//! {"action": "assert.contains", "params": {"haystack": [1, 2, 3], "needle": 2}}
//! ```
//! gives
//! ```json
//! {"pass": true}
//! ```
//!
//! Keeps: items compare deeply; in text, the needle counts as its text.
//! Not here: patterns (`assert_matches.rs`).

use opcode_model::{Answer, EffectClass, ErrorCode, Failure, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use super::assert_equals::{PASS, failed, pass};
use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct AssertContains;

// They may be null, so serde has a default for them; they must be there all the same.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["haystack", "needle"]))]
pub(super) struct Params {
    /// Text or a list to look in.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    haystack: Value,
    /// What to look for.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    needle: Value,
    /// What to say if it fails.
    message: Option<Text>,
}

impl Built for AssertContains {
    type Params = Params;
    const PAGE: Page = Page {
        name: "assert.contains",
        class: EffectClass::Pure,
        source: include_str!("assert_contains.rs"),
        output: PASS,
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let Params { haystack, needle, message } = params;
        let found = match (haystack.as_str(), haystack.as_list()) {
            (Some(text), _) => text.contains(&needle.to_text()),
            (None, Some(items)) => items.contains(&needle),
            (None, None) => {
                let kind = haystack.kind();
                let message =
                    format!("assert.contains: param 'haystack' must be text or a list, got {kind}");
                return Err(Failure::new(ErrorCode::Validation, message));
            }
        };
        if found {
            return Ok(pass());
        }
        let details = Value::object([("haystack", haystack), ("needle", needle)]);
        Err(failed(message, "value not found").with_details(details))
    }
}
