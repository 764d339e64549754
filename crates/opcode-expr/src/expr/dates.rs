//! `date`, `duration`, `now`, `timezone`.
//!
//! Keeps: now is the scope's; `Local` is UTC.
//! Not here: layouts (`layout.rs`), methods of times (`methods.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is no zone, whichever it is"
)]

use std::sync::Arc;

use super::calls::Arguments;
use super::eval::Machine;
use super::layout;
use super::moment::{Time, Zone};
use super::trouble::Outcome;
use super::value::Datum;
use crate::cel::parse_duration;
use crate::error::shorten;

/// What `date` tries with a single text.
const LAYOUTS: [&str; 7] = [
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
];

/// `date([zone,] text [, layout [, zone name]])`.
pub(super) fn date(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let (zone, at) = match given.value(0) {
        Datum::Zone(zone) => (zone.clone(), 1),
        _ => (Zone::Utc, 0),
    };
    let text = given.text(at)?;
    machine.steps(super::methods::DATE_STEPS * 4 + text.len() as u64, given.span)?;
    let found = match given.values.len() - at {
        0 | 1 => LAYOUTS.iter().find_map(|layout| layout::parse(layout, text, &zone)),
        2 => layout::parse(given.text(at + 1)?, text, &zone),
        _ => layout::parse(given.text(at + 1)?, text, &find_zone(given, at + 2)?),
    };
    found.map(|time| Datum::Time(Arc::new(time))).ok_or_else(|| {
        let shown = shorten(text, 60);
        given.refuse(&format!(
            "cannot read \"{shown}\"; write it as 2026-11-20T15:41:07Z, or give a layout"
        ))
    })
}

pub(super) fn duration(given: &Arguments<'_>) -> Outcome<Datum> {
    let text = given.text(0)?;
    parse_duration(text).map(Datum::Duration).ok_or_else(|| {
        let shown = shorten(text, 60);
        given.refuse(&format!("cannot read \"{shown}\"; write it as 90s, 1m30s or 1.5h"))
    })
}

pub(super) fn now(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let zone = match given.values.first() {
        None => Zone::Utc,
        Some(Datum::Zone(zone)) => zone.clone(),
        Some(other) => return Err(given.wanted("a time zone", other)),
    };
    let nanos = i128::from(machine.scope.now().0) * 1_000_000;
    Ok(Datum::Time(Arc::new(Time::new(nanos, zone))))
}

pub(super) fn timezone(given: &Arguments<'_>) -> Outcome<Datum> {
    find_zone(given, 0).map(Datum::Zone)
}

fn find_zone(given: &Arguments<'_>, at: usize) -> Outcome<Zone> {
    let name = given.text(at)?;
    Zone::find(name).ok_or_else(|| {
        given.refuse(&format!("does not know the time zone \"{}\"", shorten(name, 60)))
    })
}
