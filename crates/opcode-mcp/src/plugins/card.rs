//! One tool of a plugin as we keep it: its name, what it takes, what it does outside.
//!
//! Keeps: two cards with one mark are the same tool; what the plugin says of it is text for people, cut and cleaned.
//! Not here: calling it (`tool.rs`).

use opcode_model::{DefinitionHash, EffectClass};
use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Characters of a tool's name.
const NAME_CHARS_MAX: usize = 128;
/// Characters of what is said of it.
const ABOUT_CHARS_MAX: usize = 1_000;
/// Bytes of its parameters' schema.
const SCHEMA_BYTES_MAX: usize = 256 << 10;

/// One tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Card {
    pub name: String,
    /// What the plugin says of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// JSON Schema of its parameters.
    pub schema: Json,
    #[serde(default)]
    pub read_only: bool,
    #[serde(default)]
    pub idempotent: bool,
}

impl Card {
    /// As a plugin tells it.
    ///
    /// # Errors
    /// Why it cannot be an action.
    pub(super) fn of(tool: &Tool) -> Result<Self, String> {
        let name = tool.name.to_string();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(is_plain) {
            let shown: String = name.escape_debug().take(40).collect();
            return Err(format!("a tool cannot be called `{shown}`"));
        }
        let schema = Json::Object(tool.input_schema.as_ref().clone());
        if schema.to_string().len() > SCHEMA_BYTES_MAX {
            return Err(format!("the schema of `{name}` has more than {SCHEMA_BYTES_MAX} bytes"));
        }
        let hints = tool.annotations.as_ref();
        Ok(Self {
            about: cleaned(tool.description.as_deref().or(tool.title.as_deref())),
            read_only: hints.and_then(|hints| hints.read_only_hint).unwrap_or_default(),
            idempotent: hints.and_then(|hints| hints.idempotent_hint).unwrap_or_default(),
            name,
            schema,
        })
    }

    /// What tells it from any other, also from what it was before.
    pub(super) fn mark(&self) -> String {
        DefinitionHash::of(&serde_json::to_string(self).unwrap_or_default()).to_string()
    }

    /// What recovery may do, as far as the plugin's word goes.
    pub(super) fn class(&self) -> EffectClass {
        if self.read_only || self.idempotent {
            EffectClass::Idempotent
        } else {
            EffectClass::Unsafe
        }
    }
}

/// A stranger's text without what could play tricks on a terminal.
fn cleaned(text: Option<&str>) -> String {
    let is_trick = |it: &char| {
        it.is_control()
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let spaced = text.unwrap_or_default().replace(['\n', '\t'], " ");
    spaced.chars().filter(|it| !is_trick(it)).take(ABOUT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card(tool: Json) -> Result<Card, String> {
        Card::of(&serde_json::from_value(tool).unwrap())
    }

    #[test]
    fn annotations_say_what_recovery_may_do() {
        let tool = |hints: Json| {
            card(json!({"name": "t", "inputSchema": {}, "annotations": hints})).unwrap().class()
        };
        assert_eq!(tool(json!({})), EffectClass::Unsafe);
        assert_eq!(tool(json!({"destructiveHint": false})), EffectClass::Unsafe);
        assert_eq!(tool(json!({"readOnlyHint": true})), EffectClass::Idempotent);
        assert_eq!(tool(json!({"idempotentHint": true})), EffectClass::Idempotent);
    }

    #[test]
    fn every_change_changes_the_mark_and_tricks_are_cleaned_away() {
        let one = card(
            json!({"name": "t", "description": "say\u{1b}[2J \u{202e}hi\nho", "inputSchema": {}}),
        );
        let one = one.unwrap();
        assert_eq!(one.about, "say[2J hi ho");
        let other = Card { about: "say it".to_owned(), ..one.clone() };
        assert_ne!(one.mark(), other.mark());
        assert_ne!(one.mark(), Card { read_only: true, ..one.clone() }.mark());
        assert!(card(json!({"name": "a b", "inputSchema": {}})).is_err());
    }
}
