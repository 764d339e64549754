//! The document: JSON lines, each with a hash over itself and all lines before it.
//!
//! Keeps: no byte can change and no line go missing without its place being found.
//! Not here: which lines there are, and in which order (`export.rs`, `import.rs`).

use opcode_model::{DefinitionHash, ErrorCode, Event, Failure, RunId, Timestamp};
use opcode_store::codec;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::templates::Template;

/// What a document calls itself.
pub(super) const FORMAT: &str = "opcode-export";
/// What is written, and the newest that can be read.
pub(super) const VERSION: u32 = 1;
/// Hex digits of a hash.
const DIGITS: usize = 64;

/// One line; it has one of these.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Line {
    /// The first: what this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) export: Option<Head>,
    /// A definition, before the first run that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) definition: Option<Definition>,
    /// The template that such a definition came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) template: Option<Template>,
    /// A run begins; parents come before their children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) workflow: Option<Begin>,
    /// Its next events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<Vec<Event>>,
    /// The last: how much it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<End>,
}

/// What a document is.
#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) format: String,
    pub(super) version: u32,
    /// The run that was asked for; all others are below it.
    pub(super) workflow: RunId,
    pub(super) at: Timestamp,
    /// The program that wrote it.
    pub(super) by: String,
}

/// A definition, in the very text that its hash is of.
#[derive(Serialize, Deserialize)]
pub(super) struct Definition {
    pub(super) hash: DefinitionHash,
    pub(super) body: Box<RawValue>,
}

/// Which run, and how many events follow.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Begin {
    pub(super) id: RunId,
    pub(super) definition: DefinitionHash,
    pub(super) events: u64,
}

/// How much it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) workflows: u64,
    pub(super) events: u64,
}

/// What holds the lines together.
#[derive(Default)]
pub(super) struct Chain([u8; 32]);

impl Chain {
    /// A line as it is written.
    pub(super) fn seal(&mut self, line: &Line) -> Result<String, Failure> {
        let unfit = |cause: serde_json::Error| Failure::new(ErrorCode::Internal, cause.to_string());
        let mut text = serde_json::to_string(line).map_err(unfit)?;
        // The hash stands inside of the object, as its last member.
        text.pop();
        self.0 = codec::line(&self.0, &text);
        text.push_str(&format!(r#","chain":"{}"}}"#, codec::hex(&self.0)));
        text.push('\n');
        Ok(text)
    }

    /// Reads a line, without its end. What is wrong with it, if it is not the one that was written here.
    pub(super) fn open(&mut self, line: &str) -> Result<Line, String> {
        let parts = || {
            let rest = line.strip_suffix("\"}")?;
            let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
            Some((rest.strip_suffix(r#","chain":""#)?, hash))
        };
        let (text, hash) = parts().ok_or("it does not end with its hash")?;
        self.0 = codec::line(&self.0, text);
        if codec::hex(&self.0) != hash {
            return Err("it is not as it was written: its hash does not match".to_owned());
        }
        serde_json::from_str(line).map_err(|cause| cause.to_string())
    }
}
