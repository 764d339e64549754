//! JSON Schema 2020-12: compiled once per definition, asked at the start and at the end of a run.
//!
//! Keeps: linear-time patterns only; no schema is fetched from anywhere.
//! Not here: which values are checked when.

use std::fmt;

use jsonschema::error::ValidationErrorKind as Kind;
use opcode_model::{Object, Value};
use serde_json::Value as Json;

/// Bytes of one compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A compiled schema.
pub struct Schema {
    validator: jsonschema::Validator,
    defaults: Object,
}

/// Why something is no schema.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{cause}")]
pub struct SchemaError {
    /// Where in it.
    pub pointer: String,
    /// What is wrong there.
    pub cause: String,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let validator = jsonschema::options()
            .with_pattern_options(jsonschema::PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .build(&schema.to_serde())
            .map_err(|error| SchemaError {
                pointer: error.instance_path().to_string(),
                cause: error.to_string(),
            })?;
        Ok(Self { validator, defaults: defaults_of(schema) })
    }

    /// `value` with the schema's top-level defaults laid under.
    pub fn with_defaults(&self, value: &Object) -> Object {
        self.defaults.merged(value)
    }

    /// What of parameters as they stand in a definition does not fit, each with its JSON pointer; at most ten. What a
    /// `${{` may still make fit is not judged.
    pub fn misfits(&self, value: &Value) -> Vec<(String, String)> {
        let value = value.to_serde();
        let errors = self.validator.iter_errors(&value).filter(|error| {
            // What an object or a list has is known, whatever its members come to.
            let is_of_shape = matches!(
                error.kind(),
                Kind::Required { .. }
                    | Kind::AdditionalProperties { .. }
                    | Kind::UnevaluatedProperties { .. }
                    | Kind::MaxItems { .. }
                    | Kind::MinItems { .. }
                    | Kind::Type { .. }
            );
            let instance = error.instance();
            !(if is_of_shape { is_open(instance) } else { has_open(instance) })
        });
        errors
            .take(10)
            .map(|error| (error.instance_path().to_string(), error.to_string()))
            .collect()
    }

    /// What of `value` does not fit, each as `place: what`; at most ten.
    pub fn violations(&self, value: &Value) -> Vec<String> {
        let value = value.to_serde();
        self.validator
            .iter_errors(&value)
            .take(10)
            .map(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "/".to_owned() } else { place };
                format!("{place}: {error}")
            })
            .collect()
    }
}

/// Whether an expression makes all of it.
fn is_open(value: &Json) -> bool {
    value.as_str().is_some_and(|text| text.contains("${{"))
}

/// Whether an expression makes something of it.
fn has_open(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().any(has_open),
        Json::Object(members) => members.values().any(has_open),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => is_open(value),
    }
}

fn defaults_of(schema: &Value) -> Object {
    let properties = schema.find("properties").and_then(Value::as_object);
    let defaults = properties.into_iter().flatten().filter_map(|(name, property)| {
        property.find("default").map(|default| (name.clone(), default.clone()))
    });
    defaults.collect()
}
