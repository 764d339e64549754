//! `assert.matches`: fails unless a text matches a regular expression somewhere.
//!
//! ```json
//! {"action": "assert.matches", "params": {"value": "order 4711", "pattern": "[0-9]+"}}
//! ```
//! gives
//! ```json
//! {"matches": "4711", "pass": true}
//! ```
//!
//! Keeps: matching takes time linear in the text; the pattern is not anchored.
//! Not here: plain containment (`assert_contains.rs`).

use opcode_model::{Answer, EffectClass, ErrorCode, Failure, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use super::assert_equals::failed;
use crate::action::Built;
use crate::page::Page;
use crate::params::{Pattern, Text};

pub(super) struct AssertMatches;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The text.
    value: Text,
    /// Regular expression, RE2 syntax, not anchored.
    pattern: Pattern,
    /// What to say if it fails.
    message: Option<Text>,
}

impl Built for AssertMatches {
    type Params = Params;
    const PAGE: Page = Page {
        name: "assert.matches",
        class: EffectClass::Pure,
        source: include_str!("assert_matches.rs"),
        output: &[("matches", "the first match"), ("pass", "always `true`")],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let (value, pattern) = (params.value.0, params.pattern.0.0);
        let regex =
            regex::RegexBuilder::new(&pattern).size_limit(1 << 20).build().map_err(|error| {
                let message =
                    format!("assert.matches: param 'pattern': invalid regex pattern: {error}");
                Failure::new(ErrorCode::Validation, message)
            })?;
        match regex.find(&value) {
            Some(found) => {
                let matches = Value::from(found.as_str());
                Ok(Answer::Value(Value::object([("matches", matches), ("pass", true.into())])))
            }
            None => {
                let details = Value::object([("value", value), ("pattern", pattern)]);
                Err(failed(params.message, "value does not match pattern").with_details(details))
            }
        }
    }
}
