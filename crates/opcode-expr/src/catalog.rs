//! What each language offers, as data: for the reference, for `opcode eval` and for agents.
//!
//! Keeps: every entry's example runs in a test and gives the result that stands beside it.
//! Not here: the entries themselves (`cel/catalog.rs` and its siblings).

use crate::cel;
use crate::program::Language;

/// A function, macro or operator of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionDoc {
    /// What it is called.
    pub name: &'static str,
    /// How it is written, with the types it takes and gives.
    pub signature: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// An expression that uses it and needs no data.
    pub example: &'static str,
    /// What the example gives, as JSON.
    pub result: &'static str,
}

/// Everything worth knowing of a language, by topic.
pub fn catalog(language: Language) -> &'static [FunctionDoc] {
    match language {
        Language::Cel => &cel::CATALOG,
    }
}
