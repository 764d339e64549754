//! The methods of times, durations, zones, months and weekdays.
//!
//! Keeps: one table says what there is when compiling; calling answers the same names.
//! Not here: fields of maps (`access.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed has no methods of its own, whichever it is"
)]

use std::sync::Arc;

use opcode_model::Value;
use opcode_model::problem::nearest;

use super::eval::Machine;
use super::layout;
use super::moment::{NANOS, Time, Zone, duration_text};
use super::nature::Nature;
use super::print;
use super::trouble::{Outcome, Span, Trouble};
use super::value::Datum;

/// What taking a time apart costs: its zone is looked up.
pub(super) const DATE_STEPS: u64 = 60;

/// A method: of what, how many arguments, what it gives.
pub(super) struct Row {
    of: Nature,
    name: &'static str,
    pub(super) arguments: usize,
    pub(super) gives: Nature,
}

const fn row(of: Nature, name: &'static str, arguments: usize, gives: Nature) -> Row {
    Row { of, name, arguments, gives }
}

static TABLE: [Row; 44] = [
    row(Nature::Time, "Add", 1, Nature::Time),
    row(Nature::Time, "AddDate", 3, Nature::Time),
    row(Nature::Time, "After", 1, Nature::Bool),
    row(Nature::Time, "Before", 1, Nature::Bool),
    row(Nature::Time, "Compare", 1, Nature::Int),
    row(Nature::Time, "Day", 0, Nature::Int),
    row(Nature::Time, "Equal", 1, Nature::Bool),
    row(Nature::Time, "Format", 1, Nature::Text),
    row(Nature::Time, "Hour", 0, Nature::Int),
    row(Nature::Time, "ISOWeek", 0, Nature::Int),
    row(Nature::Time, "In", 1, Nature::Time),
    row(Nature::Time, "IsZero", 0, Nature::Bool),
    row(Nature::Time, "Local", 0, Nature::Time),
    row(Nature::Time, "Location", 0, Nature::Zone),
    row(Nature::Time, "Minute", 0, Nature::Int),
    row(Nature::Time, "Month", 0, Nature::Month),
    row(Nature::Time, "Nanosecond", 0, Nature::Int),
    row(Nature::Time, "Round", 1, Nature::Time),
    row(Nature::Time, "Second", 0, Nature::Int),
    row(Nature::Time, "String", 0, Nature::Text),
    row(Nature::Time, "Sub", 1, Nature::Duration),
    row(Nature::Time, "Truncate", 1, Nature::Time),
    row(Nature::Time, "UTC", 0, Nature::Time),
    row(Nature::Time, "Unix", 0, Nature::Int),
    row(Nature::Time, "UnixMicro", 0, Nature::Int),
    row(Nature::Time, "UnixMilli", 0, Nature::Int),
    row(Nature::Time, "UnixNano", 0, Nature::Int),
    row(Nature::Time, "Weekday", 0, Nature::Weekday),
    row(Nature::Time, "Year", 0, Nature::Int),
    row(Nature::Time, "YearDay", 0, Nature::Int),
    row(Nature::Time, "Zone", 0, Nature::Text),
    row(Nature::Duration, "Abs", 0, Nature::Duration),
    row(Nature::Duration, "Hours", 0, Nature::Float),
    row(Nature::Duration, "Microseconds", 0, Nature::Int),
    row(Nature::Duration, "Milliseconds", 0, Nature::Int),
    row(Nature::Duration, "Minutes", 0, Nature::Float),
    row(Nature::Duration, "Nanoseconds", 0, Nature::Int),
    row(Nature::Duration, "Round", 1, Nature::Duration),
    row(Nature::Duration, "Seconds", 0, Nature::Float),
    row(Nature::Duration, "String", 0, Nature::Text),
    row(Nature::Duration, "Truncate", 1, Nature::Duration),
    row(Nature::Month, "String", 0, Nature::Text),
    row(Nature::Weekday, "String", 0, Nature::Text),
    row(Nature::Zone, "String", 0, Nature::Text),
];

fn of_nature(of: &Nature) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.of == *of)
}

/// The method `name` of such a value.
pub(super) fn find(of: &Nature, name: &str) -> Option<&'static Row> {
    of_nature(of).find(|row| row.name == name)
}

/// The method that may have been meant.
pub(super) fn near(of: &Nature, name: &str) -> Option<&'static str> {
    nearest(name, of_nature(of).map(|row| row.name))
}

/// Calls a method; nothing if the value has none of this name.
pub(super) fn call(
    machine: &mut Machine<'_>,
    of: &Datum,
    name: &str,
    (arguments, span): (&[Datum], Span),
) -> Outcome<Option<Datum>> {
    let nature = match of {
        Datum::Time(_) => Nature::Time,
        Datum::Duration(_) => Nature::Duration,
        Datum::Zone(_) => Nature::Zone,
        Datum::Month(_) => Nature::Month,
        Datum::Weekday(_) => Nature::Weekday,
        Datum::Json(_)
        | Datum::Int(_)
        | Datum::Byte(_)
        | Datum::List(_)
        | Datum::NoList
        | Datum::Map(_)
        | Datum::Keyed(_) => return Ok(None),
    };
    let Some(row) = find(&nature, name) else {
        let shown = crate::error::shorten(name, 80);
        let hint = near(&nature, &shown).map(|near| format!("; did you mean `{near}`?"));
        let message =
            format!("{} has no method `{shown}`{}", nature.word(), hint.unwrap_or_default());
        return Err(Trouble::argument(message, span));
    };
    if row.arguments != arguments.len() {
        let wanted = crate::error::arguments(row.arguments);
        let message = format!("`{name}` takes {wanted}, got {}", arguments.len());
        return Err(Trouble::argument(message, span));
    }
    machine.bytes(64, span)?;
    if nature == Nature::Time {
        machine.steps(DATE_STEPS, span)?;
    }
    let given = Given { name, arguments, span };
    match of {
        Datum::Time(time) => of_time(machine, time, &given).map(Some),
        Datum::Duration(nanos) => of_duration(*nanos, &given).map(Some),
        _ => Ok(Some(print::text(of).into())),
    }
}

/// The arguments of a method.
struct Given<'g> {
    name: &'g str,
    arguments: &'g [Datum],
    span: Span,
}

impl Given<'_> {
    fn wanted(&self, wanted: &str) -> Box<Trouble> {
        let got = self.arguments.first().map_or("nothing", Datum::kind);
        Trouble::wanted(&format!("`{}`", self.name), wanted, got, self.span)
    }

    fn time(&self) -> Outcome<&Time> {
        match self.arguments.first() {
            Some(Datum::Time(time)) => Ok(time),
            _ => Err(self.wanted("a time")),
        }
    }

    fn duration(&self) -> Outcome<i64> {
        match self.arguments.first() {
            Some(Datum::Duration(nanos) | Datum::Int(nanos)) => Ok(*nanos),
            _ => Err(self.wanted("a duration")),
        }
    }

    fn whole(&self, at: usize) -> Outcome<i64> {
        let number = self.arguments.get(at).and_then(Datum::as_number);
        number.and_then(super::value::Number::as_whole).ok_or_else(|| self.wanted("whole numbers"))
    }
}

fn of_time(machine: &mut Machine<'_>, time: &Arc<Time>, given: &Given<'_>) -> Outcome<Datum> {
    let shown = |time: Time| Datum::Time(Arc::new(time));
    let nanos = |unit: i128| {
        let number = time.instant().div_euclid(unit);
        Datum::Int(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }))
    };
    let order = |other: &Time| time.instant().cmp(&other.instant());
    let parts = time.parts();
    Ok(match given.name {
        "Add" => shown(time.plus(given.duration()?.into())),
        "AddDate" => {
            let moved = time.shifted(given.whole(0)?, given.whole(1)?, given.whole(2)?);
            shown(
                moved.ok_or_else(|| {
                    Trouble::argument("`AddDate` leaves the calendar", given.span)
                })?,
            )
        }
        "After" => order(given.time()?).is_gt().into(),
        "Before" => order(given.time()?).is_lt().into(),
        "Compare" => Datum::Int(order(given.time()?) as i64),
        "Day" => Datum::Int(parts.day),
        "Equal" => order(given.time()?).is_eq().into(),
        "Format" => {
            let layout = given.arguments.first().and_then(Datum::as_text);
            let layout = layout.ok_or_else(|| given.wanted("a layout"))?;
            machine.bytes(layout.len() * 16, given.span)?;
            machine.scan(layout.len() * 512, given.span)?;
            layout::format(time, layout).into()
        }
        "Hour" => Datum::Int(parts.hour),
        "ISOWeek" => Datum::Int(time.iso_year()),
        "In" => match given.arguments.first() {
            Some(Datum::Zone(zone)) => shown(time.shown_in(zone.clone())),
            _ => return Err(given.wanted("a time zone")),
        },
        "IsZero" => (time.instant() == -62_135_596_800 * NANOS).into(),
        "Local" | "UTC" => shown(time.shown_in(Zone::Utc)),
        "Location" => Datum::Zone(time.zone.clone()),
        "Minute" => Datum::Int(parts.minute),
        "Month" => Datum::Month(parts.month),
        "Nanosecond" => Datum::Int(time.nanos.into()),
        "Round" | "Truncate" => {
            let unit = i128::from(given.duration()?);
            // Go counts from year 1.
            let since = time.instant() + 62_135_596_800 * NANOS;
            shown(time.plus(rounded(since, unit, given.name == "Round") - since))
        }
        "Second" => Datum::Int(parts.second),
        "String" => time.to_string().into(),
        "Sub" => Datum::Duration(time.since(given.time()?)),
        "Unix" => nanos(NANOS),
        "UnixMicro" => nanos(1_000),
        "UnixMilli" => nanos(1_000_000),
        "UnixNano" => nanos(1),
        "Weekday" => Datum::Weekday(parts.weekday),
        "Year" => Datum::Int(parts.year),
        "YearDay" => Datum::Int(parts.year_day),
        _ => time.abbreviation().into(),
    })
}

fn of_duration(nanos: i64, given: &Given<'_>) -> Outcome<Datum> {
    let float =
        |unit: i64| Datum::from((nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64);
    Ok(match given.name {
        "Abs" => Datum::Duration(nanos.saturating_abs()),
        "Hours" => float(3_600_000_000_000),
        "Minutes" => float(60_000_000_000),
        "Seconds" => float(1_000_000_000),
        "Milliseconds" => Datum::Int(nanos / 1_000_000),
        "Microseconds" => Datum::Int(nanos / 1_000),
        "Nanoseconds" => Datum::Int(nanos),
        "Round" | "Truncate" => {
            let (size, unit) = (i128::from(nanos), i128::from(given.duration()?));
            let rounded = rounded(size.abs(), unit, given.name == "Round") * size.signum();
            let clamped = rounded.clamp(i64::MIN.into(), i64::MAX.into());
            Datum::Duration(clamped as i64)
        }
        _ => Datum::Json(Value::from(duration_text(nanos))),
    })
}

/// A count cut to a multiple of `unit`, or rounded to the nearest, halves up.
fn rounded(count: i128, unit: i128, nearest: bool) -> i128 {
    if unit <= 0 {
        return count;
    }
    let rest = count.rem_euclid(unit);
    if nearest && rest * 2 >= unit { count - rest + unit } else { count - rest }
}
