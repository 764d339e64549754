//! Moments and spans. Moments are inputs; nothing here can ask what time it is.
//!
//! Keeps: milliseconds since 1970 in UTC; spans parse as Go writes them (`1m30s`, `1.5h`, `300ms`).
//! Not here: a clock, zones, calendars of people.

use std::fmt;
use std::time::Duration;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment and `span` later; saturates.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The span from `earlier` to here; zero if that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads `2026-11-20T15:41:07.329Z`, or with `+02:00` in place of `Z`; the fraction may be left out.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        let bytes = text.as_bytes();
        if marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
            return None;
        }
        let days = days_of(number(0..4)?, number(5..7)?, number(8..10)?)?;
        let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
        let rest = text.get(19..)?;
        let zone_at = rest.find(['Z', '+', '-'])?;
        let millis = match rest.get(..zone_at)? {
            "" => 0,
            fraction => {
                let digits: String =
                    fraction.strip_prefix('.')?.chars().chain("000".chars()).take(3).collect();
                digits.parse::<i64>().ok()?
            }
        };
        let offset = match rest.get(zone_at..)? {
            "Z" => 0,
            zone => {
                let minutes = zone.get(1..3)?.parse::<i64>().ok()? * 60
                    + zone.get(4..6)?.parse::<i64>().ok()?;
                if zone.starts_with('-') { -minutes } else { minutes }
            }
        };
        Some(Self((days * 86_400 + seconds - offset * 60) * 1000 + millis))
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, millis) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = date_of(days);
        let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
        let (second, milli) = (millis / 1000 % 60, millis % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// Days since 1970 of a civil date, after Howard Hinnant's `days_from_civil` (chrono-compatible low-level date algorithms).
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The civil date of days since 1970: `civil_from_days` of the same source.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days - era * 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Reads a span as Go's `time.ParseDuration` does, compound and with fractions: `300ms`, `1m30s`, `1.5h`.
/// Units: `ns us µs ms s m h`. Signs are refused; so is anything over 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 6e10),
        ("h", 3.6e12),
    ];
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| DurationError::Shape)?;
        rest = &rest[digits..];
        let unit_len = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit =
            UNITS.iter().find(|(name, _)| *name == &rest[..unit_len]).ok_or(DurationError::Unit)?;
        nanos += number * unit.1;
        rest = &rest[unit_len..];
    }
    if text.is_empty() {
        return Err(DurationError::Shape);
    }
    if nanos > 100.0 * 365.25 * 86_400e9 {
        return Err(DurationError::TooLong);
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
}

/// Why a span could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a number followed by a unit.
    #[error("a duration is numbers with units, such as 300ms, 90s, 1m30s or 1.5h")]
    Shape,
    /// An unknown unit, or none.
    #[error("a duration needs one of the units ns, us, ms, s, m, h")]
    Unit,
    /// More than 100 years.
    #[error("a duration is at most 100 years")]
    TooLong,
}

/// A span as Go prints it, down to milliseconds: `1h2m3.5s`, `250ms`, `0s`.
pub fn format_duration(span: Duration) -> String {
    let millis = span.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let mut text = String::new();
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if hours > 0 || minutes > 0 {
        text += &format!("{minutes}m");
    }
    let (seconds, rest) = (millis / 1000 % 60, millis % 1000);
    if rest == 0 {
        text + &format!("{seconds}s")
    } else {
        text + format!("{seconds}.{rest:03}").trim_end_matches('0') + "s"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_reads_them() {
        for (text, millis) in
            [("300ms", 300), ("1.5h", 5_400_000), ("2h45m", 9_900_000), ("1m30s", 90_000), ("0", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "5x", "-5s", "1.2.3s", "999999999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_print_as_go_prints_them() {
        for text in ["0s", "250ms", "1m30s", "1h2m3.5s", "2h0m0s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn moments_read_back_what_they_print() {
        for millis in [0, 1_790_000_000_123, -1, 951_782_400_000] {
            assert_eq!(Timestamp::parse(&Timestamp(millis).to_string()), Some(Timestamp(millis)));
        }
        assert_eq!(Timestamp::parse("1970-01-01T02:00:00+02:00"), Some(Timestamp(0)));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
