//! Draws which crate names which into `ARCHITECTURE.md`.
//!
//! Keeps: an arrow that follows from two others is not drawn; the machine-readable table keeps them all.
//! Not here: whether the crates obey (`tidy/arrows.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use toml::Table;

use crate::generate::Page;
use crate::house::{House, strings, table};
use crate::markdown;
use crate::tidy::guests;

const PATH: &str = "ARCHITECTURE.md";

/// `ARCHITECTURE.md` with the diagram in its block.
pub fn page(house: &House) -> Result<Page, String> {
    let root = house.toml("Cargo.toml")?;
    let text = markdown::with_block(house.text(PATH), "arrows", &diagram(&root));
    let text =
        text.ok_or("could not find `<!-- gen:arrows -->` … `<!-- /gen -->` in ARCHITECTURE.md")?;
    Ok(Page { path: PATH.to_owned(), text })
}

/// The diagram, as a fenced block of Mermaid.
pub fn diagram(root: &Table) -> String {
    let empty = Table::new();
    let arrows = table(root, &["workspace", "metadata", "arrows"]).unwrap_or(&empty);
    let ships = |name: &str| name.starts_with("opcode");
    let all: Vec<&str> = arrows.keys().map(String::as_str).filter(|name| ships(name)).collect();
    let library = |name: &&&str| !matches!(**name, "opcode" | "opcode-testkit");
    let direct: BTreeMap<&str, BTreeSet<&str>> = all
        .iter()
        .map(|name| match strings(arrows.get(*name)).as_slice() {
            ["*"] => (*name, all.iter().filter(library).copied().collect()),
            named => (*name, named.iter().copied().collect()),
        })
        .collect();
    let mut text = String::from("```mermaid\nflowchart BT\n");
    for (from, targets) in &direct {
        let below: BTreeSet<&str> = targets.iter().flat_map(|name| reach(&direct, name)).collect();
        let line = if *from == "opcode-testkit" { "-.->" } else { "-->" };
        for to in targets.iter().filter(|to| !below.contains(*to)) {
            write_line(&mut text, &format!("  {from} {line} {to}"));
        }
    }
    let pure = guests::pure(root).join(",");
    write_line(&mut text, "  classDef pure stroke-width:3px");
    write_line(&mut text, &format!("  class {pure} pure"));
    text.push_str("```\n");
    text
}

fn reach<'a>(direct: &BTreeMap<&'a str, BTreeSet<&'a str>>, name: &str) -> BTreeSet<&'a str> {
    let below = direct.get(name).into_iter().flatten();
    below.flat_map(|next| reach(direct, next).into_iter().chain([*next])).collect()
}

/// Writing to a `String` cannot fail.
fn write_line(text: &mut String, line: &str) {
    let written = writeln!(text, "{line}");
    debug_assert!(written.is_ok());
}
