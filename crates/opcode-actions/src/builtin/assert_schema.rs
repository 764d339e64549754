//! `assert.schema`: fails unless an object fits a JSON Schema (2020-12, formats asserted).
//!
//! ```json
//! {"action": "assert.schema", "params": {"data": {"id": 7}, "schema": {"required": ["id"]}}}
//! ```
//! gives
//! ```json
//! {"pass": true}
//! ```
//!
//! Keeps: nothing is fetched; patterns run in linear time; every violation is listed.
//! Not here: the schemas of a workflow's own input and output (`opcode-engine`).

use jsonschema::{Draft, PatternOptions};
use opcode_model::{Answer, EffectClass, ErrorCode, Failure, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use super::assert_equals::{PASS, failed, pass};
use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct AssertSchema;

/// Violations that are listed; the rest is only counted.
const VIOLATIONS_MAX: usize = 100;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The object to check.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    data: Value,
    /// The JSON Schema.
    #[schemars(with = "serde_json::Value")]
    schema: Value,
    /// What to say if it fails.
    message: Option<Text>,
}

impl Built for AssertSchema {
    type Params = Params;
    const PAGE: Page = Page {
        name: "assert.schema",
        class: EffectClass::Pure,
        source: include_str!("assert_schema.rs"),
        output: PASS,
    };

    fn examine(params: &Params) -> Result<(), String> {
        let is_open = params.schema.to_json().contains("${{");
        if is_open { Ok(()) } else { validator(&params.schema).map(drop) }
    }

    fn compute(params: Params) -> Result<Answer, Failure> {
        let validator = validator(&params.schema)
            .map_err(|why| Failure::new(ErrorCode::Validation, format!("assert.schema: {why}")))?;
        if params.data.as_object().is_none() {
            let kind = params.data.kind();
            let message = format!("assert.schema: param 'data' must be an object, got {kind}");
            return Err(Failure::new(ErrorCode::Validation, message));
        }
        let data = params.data.to_serde();
        let mut violations = Vec::new();
        let mut count = 0_usize;
        for error in validator.iter_errors(&data) {
            count += 1;
            if count <= VIOLATIONS_MAX {
                violations.push(Value::from(format!("{}: {error}", error.instance_path())));
            }
        }
        if count == 0 {
            return Ok(pass());
        }
        let details = Value::object([
            (
                "error",
                Value::from(format!(
                    "{count} {}",
                    if count == 1 { "violation" } else { "violations" }
                )),
            ),
            ("violations", violations.into()),
        ]);
        Err(failed(params.message, "data does not match schema").with_details(details))
    }
}

fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20))
        .build(&schema.to_serde())
        .map_err(|error| format!("param 'schema': {error}"))
}
