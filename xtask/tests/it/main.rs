//! Tests of the house's automation: every rule is shown a house that breaks it, and the house itself keeps them all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arrows;
mod budget;
mod dead;
mod generate;
mod guests;
mod header;
mod links;
mod marks;
mod rust;
mod words;
mod workspace;

use xtask::tidy::Violation;

/// `path:line` of each finding.
fn places(found: &[Violation]) -> Vec<String> {
    found.iter().map(|violation| format!("{}:{}", violation.path, violation.line)).collect()
}

/// The rules as this house sets them.
fn config() -> toml::Table {
    include_str!("../../tidy.toml").parse().unwrap()
}
