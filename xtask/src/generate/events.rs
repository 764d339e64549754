//! Writes the page of events: every name, when it is recorded, and what it carries.
//!
//! Keeps: names come from the one table that stores and shows them; a payload that cannot be found is an error.
//! Not here: the table and the payloads (`opcode-model`).

use std::collections::BTreeMap;

use crate::generate::source::{self, Item, Part};
use crate::generate::{NOTICE, Page};
use crate::house::House;

const MODEL: &str = "crates/opcode-model/src";

const OPENING: &str = "# Events

What happened in a run, in order, without a gap in its sequence: the only truth there is. `opcode query events` lists them;
so does the `events` view of the database. A field in *italics* may be absent.
";

type Items = BTreeMap<String, Item>;

/// `docs/reference/events.md`.
pub fn page(house: &House) -> Result<Page, String> {
    let files = house.files.iter().filter(|(path, _)| path.starts_with(MODEL));
    let items = files.flat_map(|(_, text)| source::items(text));
    let items: Items = items.map(|item| (item.name.clone(), item)).collect();
    let source = house.text(&format!("{MODEL}/event.rs"));
    let table = source.split_once("\nevents! {\n").and_then(|(_, rest)| rest.split_once("\n}\n"));
    let (table, _) = table.ok_or("could not find `events!` in event.rs")?;
    let mut text = format!("{NOTICE}{OPENING}");
    for line in table.lines().map(str::trim) {
        match line {
            "run {" => text.push_str("\n## Of a run\n"),
            "step {" => text.push_str("\n## Of a step\n\nEach names its step by its full path.\n"),
            "}" => {}
            row => text.push_str(&section(row, &items)?),
        }
    }
    Ok(Page { path: "docs/reference/events.md".to_owned(), text })
}

/// `Variant(Payload) = "name",`
fn section(row: &str, items: &Items) -> Result<String, String> {
    let unread = || format!("could not read this row of `events!`: {row}");
    let (variant, name) = row.split_once(" = ").ok_or_else(unread)?;
    let name = name.trim_matches(['"', ',']);
    let payload = variant.split_once('(').ok_or_else(unread)?.1.trim_end_matches(')');
    let payload = payload.trim_start_matches("Box<").trim_end_matches('>');
    if payload == "Nothing" {
        return Ok(format!("\n### `{name}`\n\nCarries nothing.\n"));
    }
    let item = items.get(payload).ok_or_else(|| format!("could not find the payload {payload}"))?;
    let fields: String = item.parts.iter().map(|part| field(part, items)).collect();
    Ok(format!("\n### `{name}`\n\n{}\n\n{fields}", item.docs))
}

fn field(part: &Part, items: &Items) -> String {
    let name =
        if part.optional { format!("*`{}`*", part.name) } else { format!("`{}`", part.name) };
    format!("- {name} ({}): {}\n", type_words(&part.ty, items), part.docs)
}

/// A type in the words of its reader.
fn type_words(ty: &str, items: &Items) -> String {
    let inner = |prefix: &str| ty.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
    if let Some(inner) = inner("Option<").or_else(|| inner("Box<")) {
        return type_words(inner, items);
    }
    if let Some(inner) = inner("Vec<") {
        return format!("list of {}", type_words(inner, items));
    }
    let name = ty.rsplit("::").next().unwrap_or(ty);
    match name {
        "Arc<str>" | "String" => "text".to_owned(),
        "u32" | "u64" | "i64" => "number".to_owned(),
        "bool" => "true or false".to_owned(),
        "Value" => "any JSON".to_owned(),
        "Timestamp" => "moment".to_owned(),
        "RunId" => "workflow id".to_owned(),
        "StepRef" => "step".to_owned(),
        "DefinitionHash" => "hash".to_owned(),
        "Failure" => "error".to_owned(),
        _ => items.get(name).map_or("object".to_owned(), |item| {
            let names: Vec<String> =
                item.parts.iter().map(|part| format!("`{}`", part.name)).collect();
            let plain = item.parts.iter().all(|part| part.ty.is_empty());
            format!("{}{}", if plain { "" } else { "object of " }, names.join(", "))
        }),
    }
}
