//! Expr: the dialect of expr-lang 1.17, over JSON values, with a meter.
//!
//! Keeps: ints, floats, times and zones behave as Go's do; parsing and evaluating need little stack whatever the text.
//! Not here: what a scope holds (`scope.rs`), patterns, zones and dates, which CEL has too (`cel`).

mod access;
mod arith;
mod calls;
mod catalog;
mod check;
mod compare;
mod dates;
mod eval;
mod functions;
mod json;
mod layout;
mod lexer;
mod lists;
mod loops;
mod lower;
mod methods;
mod moment;
mod nature;
mod node;
mod numbers;
mod parse;
mod primary;
mod print;
mod select;
mod syntax;
mod text;
mod trouble;
mod value;

pub(crate) use catalog::CATALOG;
pub(crate) use eval::evaluate;
pub(crate) use lower::compile;
pub(crate) use node::Code;
