//! The small types parameters are made of: text that takes numbers, spans, modes, patterns.
//!
//! Keeps: a number or a truth value where text is expected is taken as its canonical text.
//! Not here: which parameters there are.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use opcode_model::Value;
use opcode_model::time::parse_duration;
use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Text; numbers and truth values count as their text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(pub String);

/// A span of time, such as `30s` or `1m30s`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub Duration);

/// Permission bits: a number, or text of octal digits such as `"0644"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode(pub u32);

/// A regular expression; linear-time syntax (RE2's).
#[derive(Clone, Debug)]
pub(crate) struct Pattern(pub Text);

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }
    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }
    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(text))
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Text, E> {
        Ok(Text(flag.to_string()))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Text, E> {
        Ok(Text(n.to_string()))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Text, E> {
        Ok(Text(n.to_string()))
    }
    fn visit_f64<E>(self, f: f64) -> Result<Text, E> {
        Ok(Text(scalar_text(&Value::Float(f)).unwrap_or_default()))
    }
}

/// The canonical text of text, a number or a truth value; whole floats read as integers.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(_) | Value::Int(_) => Some(value.to_json()),
        Value::Float(_) => {
            Some(value.as_i64().map_or_else(|| value.to_json(), |whole| whole.to_string()))
        }
        Value::Null | Value::Bytes(_) | Value::List(_) | Value::Object(_) => None,
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        parse_duration(&text.0).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let bits = match value.as_str() {
            Some(octal) => u32::from_str_radix(octal.trim_start_matches("0o"), 8).ok(),
            None => value.as_i64().and_then(|bits| u32::try_from(bits).ok()),
        };
        match bits.filter(|bits| *bits <= 0o7777) {
            Some(bits) => Ok(Self(bits)),
            None => Err(D::Error::custom("expected permission bits up to 0o7777")),
        }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": "string", "format": "duration"})
    }
}

impl JsonSchema for Mode {
    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": ["integer", "string"]})
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": ["string", "number", "boolean"], "format": "regex"})
    }
}
