//! Marks of what was left for later, or looked away from.
//!
//! Keeps: code alone is read; strings and comments may speak of anything.
//! Not here: what clippy sees by itself (`dbg!`, `unwrap`).

use crate::house::House;
use crate::rust;
use crate::tidy::Violation;

/// A mark, whether it offends in tests only, and how to mend it.
const MARKS: &[(&str, bool, &str)] = &[
    ("#[ignore", false, "a test runs or is deleted: pin the wrong behaviour, or mend it"),
    ("#[allow(", false, "write `#[expect(…, reason = \"…\")]`"),
    ("#![allow(", false, "write `#![expect(…, reason = \"…\")]`"),
    ("todo!(", false, "do it, or do not promise it"),
    ("unimplemented!(", false, "do it, or do not promise it"),
    ("thread::sleep", true, "tests do not sleep: wait for a state, or use virtual time"),
];

/// The one file that may say `unsafe`.
const FENCE: &str = "crates/opcode-sandbox/src/linux/sys.rs";

/// Marks in Rust files.
pub fn check(house: &House) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in house.rust() {
        let code = rust::code(text);
        let tests = tests_begin(path, &code);
        for (at, _) in code.match_indices("unsafe_code").filter(|_| path != FENCE) {
            let what = format!("`unsafe_code`: only {FENCE} may say `unsafe`");
            found.push(Violation::new(path, rust::line_of(&code, at), "mark", what));
        }
        for (mark, tests_only, mend) in MARKS {
            let offends = |at: &usize| !tests_only || *at >= tests;
            for at in code.match_indices(mark).map(|(at, _)| at).filter(offends) {
                let what = format!("`{}`: {mend}", mark.trim_end_matches('('));
                found.push(Violation::new(path, rust::line_of(&code, at), "mark", what));
            }
        }
    }
    found
}

/// Where a file's tests begin: at once in a file of tests, at `#[cfg(test)]` in another.
fn tests_begin(path: &str, code: &str) -> usize {
    let whole = path.contains("/tests/") || path.ends_with("/tests.rs");
    if whole { 0 } else { code.find("#[cfg(test)]").unwrap_or(code.len()) }
}
