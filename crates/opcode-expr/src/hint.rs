//! Fixes for mistakes that authors make often: a hyphenated id written as a plain name in CEL.
//!
//! Keeps: a fix is offered only if it compiles.
//! Not here: hints that need no second try (`cel/parse.rs`, `cel/primary.rs`).

use crate::cel::{self, Names};
use crate::error::CompileError;

/// The error, with a fix if writing hyphenated names as `['…']` makes the text compile.
pub(crate) fn with_fix(error: Box<CompileError>, source: &str) -> Box<CompileError> {
    let Some(fixed) = bracket_hyphenated(source) else { return error };
    if cel::compile(&fixed, Names::Declared).is_err() {
        return error;
    }
    error
        .with_hint(format!("a name with `-` is written in brackets here: `{fixed}`"))
        .with_replacement(fixed)
}

/// `steps.a-b.c` as `steps['a-b'].c`, everywhere outside strings; `None` if there is nothing to change.
fn bracket_hyphenated(source: &str) -> Option<String> {
    let mut out = String::with_capacity(source.len() + 8);
    let mut changed = false;
    let mut quote: Option<char> = None;
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        match quote {
            Some(open) if open == letter => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            _ => {}
        }
        let len = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
            .unwrap_or(after.len());
        let name = after[..len].trim_end_matches('-');
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let follows = out.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ']');
        if letter == '.' && quote.is_none() && begins && follows && name.contains('-') {
            out += "['";
            out += name;
            out += "']";
            rest = &after[name.len()..];
            changed = true;
            continue;
        }
        out.push(letter);
        rest = after;
    }
    changed.then_some(out)
}
