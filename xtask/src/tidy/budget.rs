//! How long a function and a file may be.
//!
//! Keeps: counts as clippy counts, so that an `#[expect]` satisfies both; sees macro bodies and other platforms' code too.
//! Not here: the numbers (`tidy.toml`).

use toml::{Table, Value};

use crate::house::{House, table};
use crate::rust;
use crate::tidy::{CONFIG, Violation};

/// Functions and files over their budget.
pub fn check(house: &House, config: &Table) -> Vec<Violation> {
    let number = |key: &str| {
        let budget = table(config, &["budget"]).and_then(|budget| budget.get(key));
        budget.and_then(Value::as_integer).and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    };
    let empty = Table::new();
    let excused = table(config, &["budget", "files"]).unwrap_or(&empty);
    let (function_max, file_max) = (number("function_lines"), number("file_lines"));
    let mut found = Vec::new();
    for (path, text) in house.rust() {
        let long = |function: &rust::Function| {
            function.body_lines > function_max && !function.expected_long
        };
        for function in rust::functions(&rust::code(text)).into_iter().filter(long) {
            let (name, lines) = (&function.name, function.body_lines);
            let what =
                format!("`{name}` has {lines} lines of {function_max}: take a step out of it");
            found.push(Violation::new(path, function.line, "function", what));
        }
        let lines = text.lines().count();
        if lines > file_max && !excused.contains_key(path) {
            let what = format!("{lines} lines of {file_max}: split it at its second idea");
            found.push(Violation::new(path, file_max + 1, "file", what));
        }
    }
    for path in excused.keys().filter(|path| house.text(path).lines().count() <= file_max) {
        let what = format!("`{path}` needs no excuse any more: take its line out");
        found.push(Violation::new(CONFIG, 1, "file", what));
    }
    found
}
