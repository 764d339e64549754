//! The reference page of all actions, generated from what each action's file says.
//!
//! Keeps: nothing is written here that an action's file does not say.
//! Not here: writing the page to disk (`xtask`).

use std::fmt::Write;

use opcode_model::EffectClass;
use serde_json::Value as Json;

use crate::action::Action;
use crate::page::Page;

/// All actions, one section each.
pub(crate) fn markdown<'a>(actions: impl Iterator<Item = &'a dyn Action>) -> String {
    let mut text = String::from("# Actions\n");
    for (action, page) in actions.filter_map(|action| Some((action, action.page()?))) {
        text.push_str(&section(action, page));
    }
    text
}

fn section(action: &dyn Action, page: &Page) -> String {
    let mut text = format!("\n## {}\n\n{}.\n\n", action.name(), capital(action.summary()));
    text += &format!("Effect: {}.\n\n", effect(action.class()));
    text += &parameters(action.schema());
    if page.output.is_empty() {
        text += "Output: none.\n\n";
    } else {
        text += "| output | holds |\n|---|---|\n";
        for (name, holds) in page.output {
            text += &format!("| `{name}` | {holds} |\n");
        }
        text += "\n";
    }
    let (before, after) = (page.before(), page.after());
    text += &format!("```json\n{before}\n```\n\ngives\n\n```json\n{after}\n```\n");
    text
}

fn effect(class: EffectClass) -> &'static str {
    match class {
        EffectClass::Pure => "pure; computed in line",
        EffectClass::Idempotent => "idempotent; runs again after a crash",
        EffectClass::Unsafe => "unsafe; in doubt after a crash, see `on_interrupted`",
    }
}

fn parameters(schema: &Json) -> String {
    let rows = rows("", schema);
    if rows.is_empty() {
        return "No parameters.\n\n".to_owned();
    }
    format!("| parameter | type | required | meaning |\n|---|---|---|---|\n{}\n", rows.concat())
}

/// A row for each member, what must be there first, each with its own members after it.
fn rows(within: &str, schema: &Json) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut rows: Vec<String> = Vec::with_capacity(properties.len());
    for must in [true, false] {
        for (name, expected) in properties {
            if required.contains(&name.as_str()) == must {
                let name = format!("{within}{name}");
                rows.push(row(&name, expected, must));
                rows.extend(self::rows(&format!("{name}."), expected));
            }
        }
    }
    rows
}

fn row(name: &str, schema: &Json, must: bool) -> String {
    let meaning = schema["description"].as_str().unwrap_or_default().replace('\n', " ");
    let must = if must { "yes" } else { "" };
    format!("| `{name}` | {} | {must} | {} |\n", kind(schema), meaning.replace('|', "\\|"))
}

fn kind(schema: &Json) -> String {
    let options = schema["oneOf"].as_array().into_iter().flatten().map(|option| &option["const"]);
    let names: Vec<String> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(options)
        .filter_map(Json::as_str)
        .map(|name| format!("`{name}`"))
        .collect();
    if !names.is_empty() {
        return names.join(" ");
    }
    let mut text = match &schema["type"] {
        Json::String(only) => only.clone(),
        Json::Array(several) if several.len() == 3 => "text".to_owned(),
        Json::Array(several) => {
            several.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" or ")
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => "any".to_owned(),
    };
    if let Some(format) = schema["format"].as_str() {
        write!(text, " ({format})").unwrap_or_default();
    }
    if let Some(item) = schema.get("items") {
        write!(text, " of {}", kind(item)).unwrap_or_default();
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
