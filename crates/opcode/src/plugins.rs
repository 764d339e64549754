//! The setting `plugins`, and its flag: MCP servers by name.
//!
//! Keeps: what stands there is read by the same reader as what `opcode plugins add` is given.
//! Not here: what comes of it (`opcode-mcp`'s `plugins`).

use std::collections::BTreeMap;

use opcode_mcp::plugins::PluginConfig;
use opcode_model::problem::pointer;
use opcode_model::{ErrorCode, Problem, Value};

/// Plugins by name.
pub(crate) type Entries = BTreeMap<String, PluginConfig>;

/// What the setting says. An error's place is below it.
pub(crate) fn entries(value: &Value) -> Result<Entries, Problem> {
    let object = value.as_object().ok_or_else(|| {
        Problem::error(ErrorCode::Validation, "", "an object is needed")
            .hint(r#"write {"name": {"command": "program", "args": []}}"#)
    })?;
    let entry = |(name, config): (&std::sync::Arc<str>, &Value)| {
        let below = |problem: Problem| {
            let path = pointer("", name) + &problem.path;
            Problem { path, ..problem }
        };
        Ok((name.to_string(), PluginConfig::read(config).map_err(below)?))
    };
    object.iter().map(|(name, config)| entry((name, config))).collect()
}

/// A flag's word: JSON.
pub(crate) fn flag(text: &str) -> Result<Entries, String> {
    let value = Value::from_json(text).map_err(|error| error.to_string())?;
    entries(&value).map_err(|problem| {
        let hint = problem.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{}: {}{hint}", problem.path, problem.message)
    })
}
