//! A tool's arguments, read one by one.
//!
//! Keeps: an object may also come as text with JSON in it, as old clients send it; what is missing or wrong is named.
//! Not here: which arguments a tool has (`tools/`).

use std::sync::Arc;
use std::time::Duration;

use opcode_model::problem::nearest;
use opcode_model::time::parse_duration;
use opcode_model::{ErrorCode, Failure, RunId, Value};
use serde_json::{Map, Value as Json};

/// How long a call waits for a run, unless told otherwise. Most hosts give up after a minute.
const WAIT: Duration = Duration::from_secs(50);
/// The longest a call may wait.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// A tool's arguments.
pub(crate) struct Args(Map<String, Json>);

fn wrong(message: String) -> Failure {
    Failure::new(ErrorCode::Validation, message)
}

impl Args {
    pub(crate) fn new(given: Option<Map<String, Json>>) -> Self {
        Self(given.unwrap_or_default())
    }

    /// Refuses a name that is nearly one of these.
    pub(crate) fn check(&self, known: &Map<String, Json>) -> Result<(), Failure> {
        let others = self.0.keys().filter(|name| !known.contains_key(*name));
        let mut meant = others.filter_map(|name| {
            let like = |known: &&String| plain(known) == plain(name);
            let same = known.keys().find(like).map(String::as_str);
            Some((name, same.or_else(|| nearest(name, known.keys().map(String::as_str)))?))
        });
        match meant.next() {
            Some((name, meant)) => {
                Err(wrong(format!("there is no `{name}`; did you mean `{meant}`?")))
            }
            None => Ok(()),
        }
    }

    /// The one that is there and not null.
    pub(crate) fn find(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<Arc<str>>, Failure> {
        match self.find(name) {
            None => Ok(None),
            Some(Json::String(text)) if text.is_empty() => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.as_str().into())),
            Some(other) => Err(wrong(format!("{name} must be text, not {}", kind(other)))),
        }
    }

    pub(crate) fn needed(&self, name: &str) -> Result<Arc<str>, Failure> {
        self.text(name)?.ok_or_else(|| wrong(format!("{name} is required")))
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text.as_ref()) {
            return Ok(Some(*meaning));
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint =
            nearest(&text, all.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
        let all = all.join(", ");
        Err(wrong(format!("{name} must be one of {all}, not `{text}`{}", hint.unwrap_or_default())))
    }

    /// One of a few words, which must be there.
    pub(crate) fn needed_word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<T, Failure> {
        self.word(name, words)?.ok_or_else(|| wrong(format!("{name} is required")))
    }

    /// An object, or text with an object in it. Absent is null.
    pub(crate) fn object(&self, name: &str) -> Result<Value, Failure> {
        let value = match self.find(name) {
            None => return Ok(Value::Null),
            Some(Json::String(text)) if text.trim().is_empty() => return Ok(Value::Null),
            Some(Json::String(text)) => Value::from_json(text)
                .map_err(|cause| wrong(format!("{name} is text that is not JSON: {cause}")))?,
            Some(other) => Value::from_serde(other),
        };
        if value.as_object().is_none() {
            return Err(wrong(format!("{name} must be an object, not {}", value.kind())));
        }
        Ok(value)
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.find(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(Json::String(text)) => Ok(text != "false"),
            Some(other) => Err(wrong(format!("{name} must be true or false, not {}", kind(other)))),
        }
    }

    /// A number of things; text with a number in it will do.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>, Failure> {
        let number = match self.find(name) {
            None => return Ok(None),
            Some(Json::Number(number)) => number.as_f64(),
            Some(Json::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        match number.filter(|n| n.fract() == 0.0 && *n >= 0.0 && *n < 1e9) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "looked at above"
            )]
            Some(number) => Ok(Some(number as usize)),
            None => Err(wrong(format!("{name} must be a whole number from 0"))),
        }
    }

    pub(crate) fn workflow(&self, name: &str) -> Result<RunId, Failure> {
        let text = self.needed(name)?;
        RunId::parse(&text.to_lowercase())
            .ok_or_else(|| wrong(format!("{name} must be a workflow id (a UUID), not `{text}`")))
    }

    /// How long to wait: `50s` unless given, `0s` not at all.
    pub(crate) fn wait(&self) -> Result<Duration, Failure> {
        let Some(text) = self.text("wait")? else { return Ok(WAIT) };
        let span = parse_duration(&text)
            .map_err(|error| wrong(format!("wait `{text}` is not a duration: {error}")))?;
        Ok(span.min(WAIT_MAX))
    }
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
