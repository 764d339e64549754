//! Writes the page of limits from the one file that has them.
//!
//! Keeps: a value that cannot be worked out is an error, never a missing line.
//! Not here: the limits (`opcode-model`).

use crate::generate::{NOTICE, Page};
use crate::house::House;

const SOURCE: &str = "crates/opcode-model/src/limits.rs";

const OPENING: &str = "# Limits

Nothing grows without bound. What hits a limit fails with `LIMIT_EXCEEDED`, and the message names the limit and its number.

| Limit | Value | Of what |
|---|---|---|
";

/// `docs/reference/limits.md`.
pub fn page(house: &House) -> Result<Page, String> {
    let mut text = format!("{NOTICE}{OPENING}");
    let mut docs = Vec::new();
    let mut rows = 0;
    for line in house.text(SOURCE).lines() {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim());
        } else if let Some(constant) = line.strip_prefix("pub const ") {
            let unread = || format!("could not read this line of {SOURCE}: {line}");
            text.push_str(&row(constant, &docs.join(" ")).ok_or_else(unread)?);
            docs.clear();
            rows += 1;
        }
    }
    match rows {
        0 => Err(format!("could not find a limit in {SOURCE}")),
        _ => Ok(Page { path: "docs/reference/limits.md".to_owned(), text }),
    }
}

/// `NAME: type = value;`
fn row(constant: &str, docs: &str) -> Option<String> {
    let (name, rest) = constant.split_once(": ")?;
    let value = value(rest.split_once(" = ")?.1.strip_suffix(';')?)?;
    let shown = if name.contains("BYTES") { bytes(value) } else { grouped(value) };
    let unit = if name.contains("_MS_") { " ms" } else { "" };
    Some(format!("| `{}` | {shown}{unit} | {docs} |\n", name.to_lowercase()))
}

/// A number, a product, or a number shifted left.
fn value(expression: &str) -> Option<u64> {
    if let Some((number, shift)) = expression.split_once(" << ") {
        return value(number)?.checked_shl(shift.parse().ok()?);
    }
    if let Some((left, right)) = expression.split_once(" * ") {
        return value(left)?.checked_mul(value(right)?);
    }
    expression.replace('_', "").parse().ok()
}

fn bytes(value: u64) -> String {
    match (value % (1 << 20), value % (1 << 10)) {
        (0, _) => format!("{} MiB", value >> 20),
        (_, 0) => format!("{} KiB", value >> 10),
        _ => format!("{} bytes", grouped(value)),
    }
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
