//! CEL: cel-go's standard environment and macros, over JSON values, with a meter.
//!
//! Keeps: parsing and evaluating need little stack whatever the text; ints, uints and doubles mix.
//! Not here: `${{ … }}` (`template`), what a scope holds (`scope.rs`).

mod access;
mod arith;
mod calls;
mod catalog;
mod check;
mod compare;
mod convert;
mod eval;
mod lexer;
mod macros;
mod node;
mod parse;
mod pattern;
mod primary;
mod signature;
mod strings;
mod time;
mod trouble;
mod value;
mod zones;

pub(crate) use catalog::CATALOG;
pub(crate) use convert::double_text;
pub(crate) use eval::evaluate;
pub(crate) use node::{Access, Base, Code, Node, Op};
pub(crate) use parse::{Names, compile};
pub(crate) use primary::ROOTS;
pub(crate) use time::{date_of, days_in, days_of, parse_duration};
pub(crate) use zones::offset as zone_offset;
