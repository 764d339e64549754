//! Times in a zone, durations, calendar names, as Go's `time` has them.
//!
//! Keeps: a time is an instant to the nanosecond and the zone it is shown in; nothing is read from the machine.
//! Not here: layouts (`layout.rs`), methods (`methods.rs`), what time it is.

use std::fmt;
use std::sync::Arc;

pub(super) use crate::calendar::{MONTHS, WEEKDAYS};
use crate::cel::{date_of, days_in, days_of, zone_offset};

pub(super) const NANOS: i128 = 1_000_000_000;

/// The name at this place; what has none is printed as Go prints it.
pub(super) fn named(names: &[&str], at: i64, what: &str) -> String {
    let name = usize::try_from(at).ok().and_then(|at| names.get(at));
    name.map_or_else(|| format!("%!{what}({at})"), |name| (*name).to_owned())
}

/// Where a time is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Zone {
    Utc,
    /// By its name, with the rule in force today.
    Named(Arc<str>),
    /// Seconds east of UTC, and an abbreviation that may be empty.
    Fixed(i64, Arc<str>),
}

impl Zone {
    /// The zone of this name, if it is known.
    pub(super) fn find(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" | "Local" => Some(Self::Utc),
            _ if !name.starts_with(|c: char| c.is_ascii_alphabetic()) => None,
            _ => zone_offset(name, 0).map(|_| Self::Named(name.into())),
        }
    }

    /// Seconds east of UTC at an instant.
    pub(super) fn offset(&self, seconds: i64) -> i64 {
        match self {
            Self::Utc => 0,
            Self::Named(name) => zone_offset(name, seconds).unwrap_or(0),
            Self::Fixed(offset, _) => *offset,
        }
    }

    /// The instant that reads so in this zone.
    pub(super) fn instant(&self, local: i64) -> i64 {
        let guess = local - self.offset(local);
        let offset = self.offset(guess);
        // Around a change the first guess may lie on its other side.
        if self.offset(local - offset) == offset { local - offset } else { guess }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Named(name) | Self::Fixed(_, name) => name,
        }
    }

    fn abbreviation(&self, seconds: i64) -> String {
        match self {
            Self::Utc => "UTC".to_owned(),
            Self::Fixed(_, name) if !name.is_empty() => name.to_string(),
            Self::Fixed(..) => offset_text(self.offset(seconds), "", false),
            Self::Named(_) => {
                let offset = self.offset(seconds);
                let full = offset_text(offset, "", false);
                full.strip_suffix("00").map_or(full.clone(), str::to_owned)
            }
        }
    }
}

/// `+0200`, with `colon` between hours and minutes and the seconds if wanted.
pub(super) fn offset_text(offset: i64, colon: &str, seconds: bool) -> String {
    let (sign, size) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    let text = format!("{sign}{:02}{colon}{:02}", size / 3600, size / 60 % 60);
    if seconds { format!("{text}{colon}{:02}", size % 60) } else { text }
}

/// An instant, and where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    /// Whole seconds since 1970.
    pub(crate) seconds: i64,
    /// Nanoseconds after them.
    pub(crate) nanos: u32,
    pub(crate) zone: Zone,
}

/// A time taken apart, as it is shown.
pub(super) struct Parts {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// 1 is the first of January.
    pub(super) year_day: i64,
    /// 0 is Sunday.
    pub(super) weekday: i64,
    pub(super) offset: i64,
}

impl Time {
    pub(super) fn new(nanos_since_epoch: i128, zone: Zone) -> Self {
        let seconds = nanos_since_epoch.div_euclid(NANOS);
        let nanos = u32::try_from(nanos_since_epoch.rem_euclid(NANOS)).unwrap_or(0);
        // Wide enough for any sum of durations, narrow enough for dates.
        let seconds = seconds.clamp(-(1 << 55), 1 << 55) as i64;
        Self { seconds, nanos, zone }
    }

    /// Nanoseconds since 1970.
    pub(super) fn instant(&self) -> i128 {
        i128::from(self.seconds) * NANOS + i128::from(self.nanos)
    }

    pub(super) fn plus(&self, nanos: i128) -> Self {
        Self::new(self.instant() + nanos, self.zone.clone())
    }

    /// The span from `earlier` to here, as long as 64 bits allow.
    pub(super) fn since(&self, earlier: &Self) -> i64 {
        let span = self.instant() - earlier.instant();
        span.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    pub(super) fn shown_in(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    pub(super) fn abbreviation(&self) -> String {
        self.zone.abbreviation(self.seconds)
    }

    pub(super) fn parts(&self) -> Parts {
        let offset = self.zone.offset(self.seconds);
        let local = self.seconds + offset;
        let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Parts {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            year_day: days - days_of(year, 1, 1) + 1,
            weekday: (days + 4).rem_euclid(7),
            offset,
        }
    }

    /// The week of the ISO calendar and its year.
    pub(super) fn iso_year(&self) -> i64 {
        let parts = self.parts();
        // The year of a week is that of its Thursday.
        let days = days_of(parts.year, parts.month, parts.day);
        date_of(days + 3 - (parts.weekday + 6) % 7).0
    }

    /// A date shifted by whole years, months and days, days that do not exist rolling over.
    pub(super) fn shifted(&self, years: i64, months: i64, days: i64) -> Option<Self> {
        let parts = self.parts();
        let small = |number: i64| (-10_000_000..=10_000_000).contains(&number);
        if !small(years) || !small(months) || !small(days) || !small(parts.year) {
            return None;
        }
        let month = parts.month - 1 + months;
        let year = parts.year + years + month.div_euclid(12);
        let days = days_of(year, month.rem_euclid(12) + 1, 1) + parts.day - 1 + days;
        let clock = parts.hour * 3600 + parts.minute * 60 + parts.second;
        let seconds = self.zone.instant(days * 86_400 + clock);
        Some(Self { seconds, ..self.clone() })
    }

    /// RFC 3339 with as much fraction as there is.
    pub(super) fn rfc3339(&self) -> String {
        super::layout::format(self, "2006-01-02T15:04:05.999999999Z07:00")
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::layout::format(self, "2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

/// Whether a month has such a day.
pub(super) fn is_date(year: i64, month: i64, day: i64) -> bool {
    (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)
}

/// A duration as Go prints it: `1h2m3.5s`, `250ms`, `0s`.
pub(super) fn duration_text(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let with_fraction = |unit: u64, name: &str| {
        let digits = unit.ilog10() as usize;
        let fraction = format!("{:0digits$}", size % unit);
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() || digits == 0 { "" } else { "." };
        let fraction = if digits == 0 { "" } else { fraction };
        format!("{sign}{}{dot}{fraction}{name}", size / unit)
    };
    match size {
        0 => "0s".to_owned(),
        1..1_000 => with_fraction(1, "ns"),
        1_000..1_000_000 => with_fraction(1_000, "µs"),
        1_000_000..1_000_000_000 => with_fraction(1_000_000, "ms"),
        _ => {
            let seconds = size / 1_000_000_000;
            let fraction = format!("{:09}", size % 1_000_000_000);
            let fraction = fraction.trim_end_matches('0');
            let dot = if fraction.is_empty() { "" } else { "." };
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let hours_text = if hours > 0 { format!("{hours}h") } else { String::new() };
            let minutes_text = if seconds >= 60 { format!("{minutes}m") } else { String::new() };
            format!("{sign}{hours_text}{minutes_text}{}{dot}{fraction}s", seconds % 60)
        }
    }
}
