//! Timestamps and durations to the nanosecond: reading, writing, adding, taking apart.
//!
//! Keeps: timestamps lie in the years 1 to 9999; durations fit 64 bits of nanoseconds; dates are Gregorian throughout.
//! Not here: which zone has which offset (`zones.rs`), what time it is.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is a type error, whichever it is"
)]

use std::fmt;

use opcode_model::Value;

use super::calls::wanted;
use super::trouble::{Cause, Outcome, Span};
use super::value::Cel;
use super::zones;

const NANOS: i128 = 1_000_000_000;
/// 0001-01-01T00:00:00Z.
const FIRST: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;

/// A moment: whole seconds since 1970, and nanoseconds after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Moment {
    pub(crate) const EPOCH: Self = Self { seconds: 0, nanos: 0 };

    /// The moment so many nanoseconds after 1970, if in range.
    pub(crate) fn new(nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(NANOS)).ok()?;
        let nanos = u32::try_from(nanos.rem_euclid(NANOS)).ok()?;
        (FIRST..=LAST).contains(&seconds).then_some(Self { seconds, nanos })
    }

    pub(crate) fn nanos_since_epoch(self) -> i128 {
        i128::from(self.seconds) * NANOS + i128::from(self.nanos)
    }

    pub(crate) fn plus(&self, nanos: i128) -> Option<Self> {
        Self::new(self.nanos_since_epoch() + nanos)
    }

    /// Reads RFC 3339, with `Z` or an offset and up to nine digits of fraction.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
            return None;
        }
        let (year, month) = (digits(text.get(0..4)?)?, digits(text.get(5..7)?)?);
        let day = digits(text.get(8..10)?)?;
        let (hour, minute) = (digits(text.get(11..13)?)?, digits(text.get(14..16)?)?);
        let second = digits(text.get(17..19)?)?;
        let in_month = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if !in_month || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let rest = text.get(19..)?;
        let zone_at = rest.find(['Z', '+', '-'])?;
        let nanos = match rest.get(..zone_at)? {
            "" => 0,
            fraction => {
                let written = fraction.strip_prefix('.').filter(|text| !text.is_empty())?;
                if !written.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                let nine: String = written.chars().chain("000000000".chars()).take(9).collect();
                digits(&nine)?
            }
        };
        let offset = match rest.get(zone_at..)? {
            "Z" => 0,
            zone => zones::fixed(zone)?,
        };
        let seconds = days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Self::new(i128::from(seconds - offset) * NANOS + i128::from(nanos))
    }
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// RFC 3339 in UTC with as much fraction as there is.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanos > 0 {
            let fraction = format!("{:09}", self.nanos);
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Days since 1970 of a date: years counted from March, so that the leap day comes last.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of days since 1970.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

pub(crate) fn days_in(year: i64, month: i64) -> i64 {
    let next = if month == 12 { days_of(year + 1, 1, 1) } else { days_of(year, month + 1, 1) };
    next - days_of(year, month, 1)
}

/// Reads a duration as Go does: a sign, then numbers with units, fractions allowed. To nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", NANOS),
        ("m", 60 * NANOS),
        ("h", 3600 * NANOS),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_len);
        let unit_len = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let scale = UNITS.iter().find(|known| known.0 == unit)?.1;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.is_empty() {
            let whole = whole.parse::<u64>().ok()?;
            total = total.checked_add(i128::from(whole).checked_mul(scale)?)?;
        }
        total = total.checked_add(fraction_of(fraction, scale)?)?;
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

/// The digits behind a point, as nanoseconds of a unit; cut as Go cuts them, which is by way of a double.
fn fraction_of(text: &str, scale: i128) -> Option<i128> {
    let (mut number, mut power) = (0_i64, 1.0_f64);
    for byte in text.bytes() {
        let digit = i64::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        // Digits that 63 bits cannot hold do not count.
        if let Some(longer) = number.checked_mul(10).and_then(|number| number.checked_add(digit)) {
            (number, power) = (longer, power * 10.0);
        }
    }
    Some((number as f64 * (scale as f64 / power)) as i128)
}

/// A duration as cel-go writes it: its seconds as a double, without an exponent, and `s`.
pub(crate) fn duration_text(nanos: i64) -> String {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    format!("{}s", seconds as f64 + rest as f64 / 1e9)
}

/// The parts of a timestamp; hours and below also of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    FullYear,
    Month,
    DayOfYear,
    DayOfMonth,
    Date,
    DayOfWeek,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// `moment.getHours("+02:00")` and its siblings.
pub(super) fn part(part: Part, of: &Cel, zone: Option<&Cel>, span: Span) -> Outcome<Cel> {
    match of {
        Cel::Timestamp(moment) => {
            let offset = match zone {
                None => 0,
                Some(Cel::Json(Value::String(name))) => zones::offset(name, moment.seconds)
                    .ok_or_else(|| {
                        let shown = crate::error::shorten(name, 60);
                        Cause::Argument(format!("unknown time zone \"{shown}\"").into()).at(span)
                    })?,
                Some(other) => return Err(wanted("a time zone", "text", other).at(span)),
            };
            Ok(of_moment(part, *moment, offset).into())
        }
        Cel::Duration(nanos) if zone.is_none() => of_duration(part, *nanos)
            .map(Cel::from)
            .ok_or_else(|| wanted("a date's part", "a timestamp", of).at(span)),
        _ => Err(wanted("a time's part", "a timestamp or a duration", of).at(span)),
    }
}

fn of_moment(part: Part, moment: Moment, offset: i64) -> i64 {
    let local = moment.seconds + offset;
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    match part {
        Part::FullYear => year,
        Part::Month => month - 1,
        Part::DayOfYear => days - days_of(year, 1, 1),
        Part::DayOfMonth => day - 1,
        Part::Date => day,
        Part::DayOfWeek => (days + 4).rem_euclid(7),
        Part::Hours => second / 3600,
        Part::Minutes => second / 60 % 60,
        Part::Seconds => second % 60,
        Part::Milliseconds => i64::from(moment.nanos / 1_000_000),
    }
}

fn of_duration(part: Part, nanos: i64) -> Option<i64> {
    Some(match part {
        Part::Hours => nanos / 3_600_000_000_000,
        Part::Minutes => nanos / 60_000_000_000,
        Part::Seconds => nanos / 1_000_000_000,
        Part::Milliseconds => nanos / 1_000_000 % 1000,
        Part::FullYear
        | Part::Month
        | Part::DayOfYear
        | Part::DayOfMonth
        | Part::Date
        | Part::DayOfWeek => return None,
    })
}
