//! What a language's functions are, for reference pages, completion and tests.
//!
//! Keeps: every example runs, and gives the result beside it.
//! Not here: the tables themselves (each language keeps its own).

use crate::program::Language;

/// A function of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// A whole expression that uses it.
    pub example: &'static str,
    /// What the example gives, as JSON; a list if it gives several values.
    pub result: &'static str,
}

/// The functions of a language that has a table of them.
pub fn catalog(language: Language) -> &'static [FunctionDoc] {
    match language {
        Language::Cel => &[],
        Language::Jq => &crate::jq::catalog::FUNCTIONS,
    }
}
