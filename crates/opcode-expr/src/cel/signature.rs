//! Which types a function takes and gives, for the check when compiling.
//!
//! Keeps: as wide as evaluating is; an argument that is not listed takes anything.
//! Not here: names and counts of arguments (`calls.rs`), optionals' inner types (`check.rs`).

use super::calls::{Ask, Function};
use super::time::Part;
use super::value::Kind;

type Signature = (&'static [&'static [Kind]], Option<Kind>);

const TEXT: &[Kind] = &[Kind::Text];
const NUMBER: &[Kind] = &[Kind::Int, Kind::Uint, Kind::Double, Kind::Text];

/// The kinds each argument may have, the receiver first, and the kind of the answer if it is always the same.
pub(super) fn signature(function: Function) -> Signature {
    use Kind::{
        Bool, Bytes, Double, Duration, Int, List, Map, Optional, Text, Timestamp, Type, Uint,
    };
    match function {
        Function::Size => (&[&[Text, Bytes, List, Map]], Some(Int)),
        Function::Find(_) | Function::Matches => (&[TEXT, TEXT], Some(Bool)),
        Function::Bool => (&[&[Bool, Text]], Some(Bool)),
        Function::Int => (&[&[Int, Uint, Double, Text, Timestamp, Duration]], Some(Int)),
        Function::Uint => (&[NUMBER], Some(Uint)),
        Function::Double => (&[NUMBER], Some(Double)),
        Function::Text => {
            (&[&[Text, Bool, Int, Uint, Double, Bytes, Timestamp, Duration, Type]], Some(Text))
        }
        Function::Bytes => (&[&[Bytes, Text]], Some(Bytes)),
        Function::Dyn => (&[], None),
        Function::Type => (&[], Some(Type)),
        Function::Timestamp => (&[&[Timestamp, Int, Text]], Some(Timestamp)),
        Function::Duration => (&[&[Duration, Int, Text]], Some(Duration)),
        Function::Part(Part::Hours | Part::Minutes | Part::Seconds | Part::Milliseconds) => {
            (&[&[Timestamp, Duration], TEXT], Some(Int))
        }
        Function::Part(_) => (&[&[Timestamp], TEXT], Some(Int)),
        Function::OptionalOf | Function::OptionalOfNonZero | Function::OptionalNone => {
            (&[], Some(Optional))
        }
        Function::Optional(Ask::HasValue) => (&[&[Optional]], Some(Bool)),
        Function::Optional(Ask::Or) => (&[&[Optional], &[Optional]], None),
        Function::Optional(Ask::Value | Ask::OrValue) => (&[&[Optional]], None),
    }
}
