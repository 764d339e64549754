//! Reads documented items out of our own Rust source: structs with their fields, enums with their variants, constants.
//!
//! Keeps: relies on nothing but rustfmt's layout (one field or variant a line, docs above it).
//! Not here: which of them a page shows.

/// A documented struct, enum or constant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Its doc comment, in one line.
    pub docs: String,
    /// Its fields or variants.
    pub parts: Vec<Part>,
    /// What `rename_all` says.
    pub rename_all: Option<String>,
}

/// A field or a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its name as it travels.
    pub name: String,
    /// Its doc comment, in one line.
    pub docs: String,
    /// Its type; empty for a variant.
    pub ty: String,
    /// Whether it may be left out.
    pub optional: bool,
}

/// Every struct, enum and `payload!` of a file; an enum whose variants carry fields is read up to the first of those.
pub fn items(text: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let mut open: Option<Item> = None;
    let (mut docs, mut attributes) = (String::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            let gap = if docs.is_empty() { "" } else { " " };
            docs = format!("{docs}{gap}{}", doc.trim());
            continue;
        }
        if line.starts_with("#[") {
            attributes.push_str(line);
            continue;
        }
        if let Some(item) = &mut open {
            match part(line, &docs, &attributes) {
                Some(part) => item.parts.push(part),
                None if line.starts_with('}') => found.extend(open.take()),
                None => {}
            }
        } else if let Some(name) = opened(line) {
            let rename_all = quoted(&attributes, "rename_all = ").map(str::to_owned);
            open = Some(Item { name, docs: docs.clone(), parts: vec![], rename_all });
        }
        docs.clear();
        attributes.clear();
    }
    found.iter_mut().for_each(rename);
    found
}

/// The name of the item whose body this line opens.
fn opened(line: &str) -> Option<String> {
    let head = line.strip_suffix('{')?.trim();
    let name = ["pub struct ", "pub enum "].iter().find_map(|kind| head.strip_prefix(kind));
    let name = name.unwrap_or(head);
    let plain = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| name.to_owned())
}

/// A field (`name: Type,`) or a variant (`Name,` or `Name = "text",`).
fn part(line: &str, docs: &str, attributes: &str) -> Option<Part> {
    let body = line.strip_suffix(',')?;
    let body = body.strip_prefix("pub ").unwrap_or(body);
    let (name, ty) = body.split_once(": ").unwrap_or((body, ""));
    let (name, text) = name.split_once(" = ").unwrap_or((name, ""));
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then_some(())?;
    let travels = quoted(attributes, "rename = ").or_else(|| text.split('"').nth(1));
    let name = travels.unwrap_or(name);
    Some(Part {
        name: name.to_owned(),
        docs: docs.to_owned(),
        ty: ty.to_owned(),
        optional: attributes.contains("default") && ty != "bool",
    })
}

fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split('"').nth(1)
}

fn rename(item: &mut Item) {
    let Some(style) = &item.rename_all else { return };
    for part in &mut item.parts {
        part.name = match style.as_str() {
            "snake_case" => snake(&part.name),
            _ => part.name.to_lowercase(),
        };
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
