//! JSON Schema 2020-12: compiled once per definition, asked at the start and at the end of a run.
//!
//! Keeps: linear-time patterns only; no schema is fetched from anywhere.
//! Not here: which values are checked when.

use std::fmt;

use opcode_model::{Object, Value};

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
            .with_pattern_options(jsonschema::PatternOptions::regex())
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

fn defaults_of(schema: &Value) -> Object {
    let properties = schema.find("properties").and_then(Value::as_object);
    let defaults = properties.into_iter().flatten().filter_map(|(name, property)| {
        property.find("default").map(|default| (name.clone(), default.clone()))
    });
    defaults.collect()
}
