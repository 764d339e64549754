//! What functions a language has: for reference pages, completion and help.
//!
//! Keeps: every example runs as a test and gives the result beside it.
//! Not here: the entries (each language keeps its own `catalog.rs`).

use opcode_model::Language;

/// A function, explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// Its arguments and what it gives.
    pub signature: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// An expression that needs nothing but itself.
    pub example: &'static str,
    /// What the example gives, as JSON; a list if it gives several values.
    pub result: &'static str,
}

/// The functions of `language`, in order of their names.
pub fn catalog(language: Language) -> &'static [FunctionDoc] {
    match language {
        Language::Cel => &crate::cel::CATALOG,
        Language::Expr => crate::expr::CATALOG,
        Language::Jq => &crate::jq::catalog::FUNCTIONS,
    }
}
