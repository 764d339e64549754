//! What texts are asked: contains, begins with, ends with.
//!
//! Keeps: reading long texts is charged by their length.
//! Not here: patterns (`pattern.rs`), conversions (`convert.rs`).

use super::calls::wanted;
use super::eval::Machine;
use super::trouble::{Outcome, Span};
use super::value::Cel;

/// Where a part is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    Start,
    End,
}

/// `text.contains(part)` and its siblings.
pub(super) fn find(
    machine: &mut Machine<'_>,
    place: Place,
    (text, part): (&Cel, &Cel),
    span: Span,
) -> Outcome<Cel> {
    let name = match place {
        Place::Anywhere => "contains",
        Place::Start => "startsWith",
        Place::End => "endsWith",
    };
    let Some(whole) = text.as_text() else { return Err(wanted(name, "text", text).at(span)) };
    let Some(part) = part.as_text() else { return Err(wanted(name, "text", part).at(span)) };
    // Searching is slower than comparing.
    let read = if place == Place::Anywhere { (whole.len() + part.len()) * 4 } else { part.len() };
    machine.scan(read, span)?;
    Ok(match place {
        Place::Anywhere => whole.contains(&**part),
        Place::Start => whole.starts_with(&**part),
        Place::End => whole.ends_with(&**part),
    }
    .into())
}
