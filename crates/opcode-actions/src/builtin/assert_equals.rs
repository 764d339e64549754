//! `assert.equals`: fails unless two values are equal.
//!
//! ```json
//! {"action": "assert.equals", "params": {"expected": "200", "actual": 200}}
//! ```
//! gives
//! ```json
//! {"pass": true}
//! ```
//!
//! Keeps: deep equality; a number or a truth value equals its canonical text; numbers compare by value.
//! Not here: containment (`assert_contains.rs`), shapes (`assert_schema.rs`).

use opcode_model::{Answer, EffectClass, ErrorCode, Failure, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::{Text, scalar_text};

pub(super) struct AssertEquals;

/// The output of every assertion that holds.
pub(super) const PASS: &[(&str, &str)] =
    &[("pass", "always `true`; a failed assertion fails the step")];

// They may be null, so serde has a default for them; they must be there all the same.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["expected", "actual"]))]
pub(super) struct Params {
    /// What it should be.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    expected: Value,
    /// What it is.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    actual: Value,
    /// What to say if it fails.
    message: Option<Text>,
}

impl Built for AssertEquals {
    type Params = Params;
    const PAGE: Page = Page {
        name: "assert.equals",
        class: EffectClass::Pure,
        source: include_str!("assert_equals.rs"),
        output: PASS,
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        let Params { expected, actual, message } = params;
        if equal(&expected, &actual) {
            return Ok(pass());
        }
        let details = Value::object([("expected", expected), ("actual", actual)]);
        Err(failed(message, "values are not equal").with_details(details))
    }
}

/// Equal, or a scalar and its text.
fn equal(a: &Value, b: &Value) -> bool {
    let texts = matches!(a, Value::String(_)) != matches!(b, Value::String(_));
    a == b || (texts && scalar_text(a).is_some_and(|text| scalar_text(b) == Some(text)))
}

/// `{"pass": true}`.
pub(super) fn pass() -> Answer {
    Answer::Value(Value::object([("pass", true)]))
}

/// `ASSERTION_FAILED` in the author's words, or in ours.
pub(super) fn failed(message: Option<Text>, ours: &str) -> Failure {
    let said = message.map(|text| text.0).filter(|text| !text.is_empty());
    let message = said.unwrap_or_else(|| format!("assertion failed: {ours}"));
    Failure::new(ErrorCode::AssertionFailed, message)
}
