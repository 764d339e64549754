//! Bodies, out and in: encoded as the author asks, read up to a limit, parsed if they say they are JSON.
//!
//! Keeps: what is cut says so; what is not text comes as base64 and says so.
//! Not here: sending (`exchange.rs`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opcode_model::Value;
use opcode_model::limits::VALUE_DEPTH_MAX;
use reqwest::{Response, Url};
use schemars::JsonSchema;
use serde::Deserialize;

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Body {
    #[default]
    Json,
    Form,
    Text,
    Raw,
}

impl Body {
    /// The bytes, and what they are. `None` if the value does not fit the encoding.
    pub(crate) fn encode(self, value: &Value) -> Option<(Vec<u8>, Option<&'static str>)> {
        match self {
            Self::Json => Some((value.to_json().into_bytes(), Some("application/json"))),
            Self::Text => Some((value.to_text().into_bytes(), Some("text/plain"))),
            Self::Raw => Some((value.to_text().into_bytes(), None)),
            Self::Form => {
                let mut form = Url::parse("http://form/").ok()?;
                let object = value.as_object()?;
                let pairs = object.iter().map(|(name, value)| (name.as_ref(), value.to_text()));
                form.query_pairs_mut().extend_pairs(pairs);
                let text = form.query().unwrap_or_default().to_owned();
                Some((text.into_bytes(), Some("application/x-www-form-urlencoded")))
            }
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Received {
    /// The body as a value; null if there was none.
    pub value: Value,
    /// Whether it was cut.
    pub truncated: bool,
    /// Whether it is base64, because it was not text.
    pub base64: bool,
}

impl Received {
    /// Reads a body, keeping at most `bytes_max`.
    pub(crate) async fn read(
        mut response: Response,
        is_json: bool,
        bytes_max: usize,
    ) -> Result<Self, reqwest::Error> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut truncated = false;
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            let room = bytes_max - bytes.len();
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                truncated = true;
                break;
            }
        }
        Ok(Self::of(bytes, is_json, truncated))
    }

    fn of(bytes: Vec<u8>, is_json: bool, truncated: bool) -> Self {
        let plain = |value| Self { value, truncated, base64: false };
        if bytes.is_empty() {
            return plain(Value::Null);
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            // A cut may fall into the middle of a character.
            Err(error) if truncated && error.utf8_error().error_len().is_none() => {
                let whole = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(whole);
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Err(error) => {
                let value = STANDARD.encode(error.as_bytes()).into();
                return Self { value, truncated, base64: true };
            }
        };
        let parsed = if is_json && !truncated { Value::from_json(&text).ok() } else { None };
        let fits = |value: &Value| value.depth(VALUE_DEPTH_MAX + 1) <= VALUE_DEPTH_MAX;
        plain(parsed.filter(fits).unwrap_or_else(|| text.into()))
    }
}
