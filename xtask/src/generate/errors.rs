//! Writes the page of error codes from the one table that has them.
//!
//! Keeps: a row of the table that cannot be read is an error, never a missing line.
//! Not here: the table (`opcode-model`).

use crate::generate::{NOTICE, Page};
use crate::house::House;

const SOURCE: &str = "crates/opcode-model/src/error.rs";

const OPENING: &str = "# Errors

Every failure that a workflow, a tool, a command or a route can answer has one of these codes.
*Retryable* says whether trying again may help; `retry` leaves the others alone. The HTTP status is what a route answers with.

| Code | HTTP | Retryable | What happened | What to do |
|---|---|---|---|---|
";

/// `docs/reference/errors.md`.
pub fn page(house: &House) -> Result<Page, String> {
    let source = house.text(SOURCE);
    let rows =
        source.split_once("\nerror_codes! {\n").and_then(|(_, rest)| rest.split_once("\n}\n"));
    let (rows, _) = rows.ok_or_else(|| format!("could not find `error_codes!` in {SOURCE}"))?;
    let mut text = format!("{NOTICE}{OPENING}");
    let mut docs = Vec::new();
    for line in rows.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("///") {
            Some(doc) => docs.push(doc.trim()),
            None => {
                let unread = || format!("could not read this row of {SOURCE}: {line}");
                text.push_str(&row(line, &docs.join(" ")).ok_or_else(unread)?);
                docs.clear();
            }
        }
    }
    Ok(Page { path: "docs/reference/errors.md".to_owned(), text })
}

/// `Name = "CODE", status, retryable, "hint";`
fn row(line: &str, docs: &str) -> Option<String> {
    let (_, facts) = line.split_once(" = ")?;
    let mut facts = facts.strip_suffix("\";")?.splitn(4, ", ");
    let code = facts.next()?.trim_matches('"');
    let (status, retryable, hint) = (facts.next()?, facts.next()?, facts.next()?);
    let retryable = if retryable == "true" { "yes" } else { "no" };
    let hint = hint.strip_prefix('"')?.replace('|', "\\|");
    Some(format!("| `{code}` | {status} | {retryable} | {docs} | {hint} |\n"))
}
