//! Go's time layouts: `2006-01-02 15:04:05`, for writing times and for reading them.
//!
//! Keeps: a layout is read left to right, the longest piece first; what is no piece stands for itself.
//! Not here: which layouts `date` tries (`dates.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a piece that is not listed needs nothing special, whichever it is"
)]

use crate::cel::days_of;

use super::moment::{MONTHS, Time, WEEKDAYS, Zone, is_date, offset_text};

/// A piece of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    LongMonth,
    ShortMonth,
    /// Least digits.
    Month(usize),
    LongWeekday,
    ShortWeekday,
    /// Least digits, and whether a blank fills up.
    Day(usize, bool),
    YearDay(bool),
    Hour,
    /// Of twelve; least digits.
    HalfDayHour(usize),
    Minute(usize),
    Second(usize),
    LongYear,
    Year,
    UpperNoon,
    LowerNoon,
    Abbreviation,
    /// `Z` for UTC, `:` between, how many numbers.
    Offset {
        zulu: bool,
        colon: bool,
        numbers: usize,
    },
    /// Digits after a dot or comma, and whether zeros at the end vanish.
    Fraction {
        digits: usize,
        short: bool,
    },
}

/// Layout texts and what they mean; of two that fit, the one further up.
const PIECES: [(&str, Piece); 38] = [
    ("January", Piece::LongMonth),
    ("Jan", Piece::ShortMonth),
    ("Monday", Piece::LongWeekday),
    ("Mon", Piece::ShortWeekday),
    ("MST", Piece::Abbreviation),
    ("01", Piece::Month(2)),
    ("002", Piece::YearDay(false)),
    ("02", Piece::Day(2, false)),
    ("03", Piece::HalfDayHour(2)),
    ("04", Piece::Minute(2)),
    ("05", Piece::Second(2)),
    ("06", Piece::Year),
    ("15", Piece::Hour),
    ("1", Piece::Month(1)),
    ("2006", Piece::LongYear),
    ("2", Piece::Day(1, false)),
    ("__2", Piece::YearDay(true)),
    ("_2006", Piece::LongYear),
    ("_2", Piece::Day(2, true)),
    ("3", Piece::HalfDayHour(1)),
    ("4", Piece::Minute(1)),
    ("5", Piece::Second(1)),
    ("PM", Piece::UpperNoon),
    ("pm", Piece::LowerNoon),
    ("-070000", Piece::Offset { zulu: false, colon: false, numbers: 3 }),
    ("-07:00:00", Piece::Offset { zulu: false, colon: true, numbers: 3 }),
    ("-0700", Piece::Offset { zulu: false, colon: false, numbers: 2 }),
    ("-07:00", Piece::Offset { zulu: false, colon: true, numbers: 2 }),
    ("-07", Piece::Offset { zulu: false, colon: false, numbers: 1 }),
    ("Z070000", Piece::Offset { zulu: true, colon: false, numbers: 3 }),
    ("Z07:00:00", Piece::Offset { zulu: true, colon: true, numbers: 3 }),
    ("Z0700", Piece::Offset { zulu: true, colon: false, numbers: 2 }),
    ("Z07:00", Piece::Offset { zulu: true, colon: true, numbers: 2 }),
    ("Z07", Piece::Offset { zulu: true, colon: false, numbers: 1 }),
    (".0", Piece::Fraction { digits: 1, short: false }),
    (",0", Piece::Fraction { digits: 1, short: false }),
    (".9", Piece::Fraction { digits: 1, short: true }),
    (",9", Piece::Fraction { digits: 1, short: true }),
];

/// The piece a layout begins with, and how long it is.
fn piece_at(layout: &str) -> Option<(Piece, usize)> {
    for (text, piece) in PIECES {
        if !layout.starts_with(text) {
            continue;
        }
        let after = &layout[text.len()..];
        match piece {
            Piece::ShortMonth if after.starts_with(|c: char| c.is_ascii_lowercase()) => {}
            Piece::ShortWeekday if after.starts_with(|c: char| c.is_ascii_lowercase()) => {}
            Piece::LongYear if text == "_2006" => return None,
            Piece::Fraction { short, .. } => {
                let digit = if short { '9' } else { '0' };
                let more = after.len() - after.trim_start_matches(digit).len();
                if !after[more..].starts_with(|c: char| c.is_ascii_digit()) {
                    return Some((Piece::Fraction { digits: 1 + more, short }, text.len() + more));
                }
            }
            _ => return Some((piece, text.len())),
        }
    }
    None
}

/// The layout as pieces and the text between them.
fn pieces(layout: &str) -> Vec<(&str, Option<Piece>)> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < layout.len() {
        match piece_at(&layout[at..]) {
            Some((piece, len)) => {
                found.push((&layout[start..at], Some(piece)));
                at += len;
                start = at;
            }
            None => at += layout[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    found.push((&layout[start..], None));
    found
}

/// A time written by a layout.
pub(super) fn format(time: &Time, layout: &str) -> String {
    let parts = time.parts();
    let mut out = String::new();
    let name = |names: &[&'static str], at: i64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
    };
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    for (before, piece) in pieces(layout) {
        out += before;
        let Some(piece) = piece else { break };
        let half = if parts.hour % 12 == 0 { 12 } else { parts.hour % 12 };
        out += &match piece {
            Piece::LongMonth => name(&MONTHS, parts.month - 1).to_owned(),
            Piece::ShortMonth => short(name(&MONTHS, parts.month - 1)).to_owned(),
            Piece::LongWeekday => name(&WEEKDAYS, parts.weekday).to_owned(),
            Piece::ShortWeekday => short(name(&WEEKDAYS, parts.weekday)).to_owned(),
            Piece::Month(width) => format!("{:0width$}", parts.month),
            Piece::Day(width, true) => format!("{:width$}", parts.day),
            Piece::Day(width, false) => format!("{:0width$}", parts.day),
            Piece::YearDay(true) => format!("{:3}", parts.year_day),
            Piece::YearDay(false) => format!("{:03}", parts.year_day),
            Piece::Hour => format!("{:02}", parts.hour),
            Piece::HalfDayHour(width) => format!("{half:0width$}"),
            Piece::Minute(width) => format!("{:0width$}", parts.minute),
            Piece::Second(width) => format!("{:0width$}", parts.second),
            Piece::LongYear if parts.year < 0 => format!("-{:04}", -parts.year),
            Piece::LongYear => format!("{:04}", parts.year),
            Piece::Year => format!("{:02}", parts.year.rem_euclid(100)),
            Piece::UpperNoon => if parts.hour >= 12 { "PM" } else { "AM" }.to_owned(),
            Piece::LowerNoon => if parts.hour >= 12 { "pm" } else { "am" }.to_owned(),
            Piece::Abbreviation => time.abbreviation(),
            Piece::Offset { zulu: true, .. } if parts.offset == 0 => "Z".to_owned(),
            Piece::Offset { colon, numbers, .. } => {
                let text = offset_text(parts.offset, if colon { ":" } else { "" }, numbers == 3);
                if numbers == 1 { text.chars().take(3).collect() } else { text }
            }
            Piece::Fraction { digits, short } => fraction(time.nanos, digits, short),
        };
    }
    out
}

fn fraction(nanos: u32, digits: usize, short: bool) -> String {
    let all = format!("{nanos:09}");
    let kept = all.get(..digits.min(9)).unwrap_or(&all);
    let kept = if short { kept.trim_end_matches('0') } else { kept };
    if kept.is_empty() { String::new() } else { format!(".{kept}") }
}

/// What has been read of a time.
struct Reading {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    afternoon: Option<bool>,
    offset: Option<i64>,
    abbreviation: Option<String>,
}

/// Reads a time by a layout; without an offset in the text, it is one of `zone`.
pub(super) fn parse(layout: &str, text: &str, zone: &Zone) -> Option<Time> {
    let mut reading = Reading {
        year: 0,
        month: None,
        day: None,
        year_day: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        afternoon: None,
        offset: None,
        abbreviation: None,
    };
    let mut rest = text;
    let all = pieces(layout);
    for (at, (before, piece)) in all.iter().enumerate() {
        rest = skip(rest, before)?;
        let Some(piece) = piece else { break };
        let dotted = matches!(all.get(at + 1), Some((_, Some(Piece::Fraction { .. }))));
        rest = reading.take(*piece, rest, dotted)?;
    }
    if !rest.is_empty() {
        return None;
    }
    reading.finish(zone)
}

/// Passes over text that stands for itself; blanks match any number of blanks.
fn skip<'t>(mut text: &'t str, mut prefix: &str) -> Option<&'t str> {
    while let Some(letter) = prefix.chars().next() {
        if letter == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            prefix = prefix.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
            continue;
        }
        text = text.strip_prefix(letter)?;
        prefix = &prefix[letter.len_utf8()..];
    }
    Some(text)
}

/// So many digits, or fewer down to `least`.
fn digits(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    Some((text[..count].parse().ok()?, &text[count..]))
}

/// The place of the name that `text` begins with, whatever its case.
fn lookup<'t>(names: &[&str], len: Option<usize>, text: &'t str) -> Option<(i64, &'t str)> {
    for (at, name) in names.iter().enumerate() {
        let name = len.map_or(*name, |len| name.get(..len).unwrap_or(name));
        if let Some(found) = text.get(..name.len())
            && found.eq_ignore_ascii_case(name)
        {
            return Some((at as i64, &text[name.len()..]));
        }
    }
    None
}

impl Reading {
    fn take<'t>(&mut self, piece: Piece, text: &'t str, dotted: bool) -> Option<&'t str> {
        let (number, rest) = match piece {
            Piece::LongYear => digits(text, 4, 4)?,
            Piece::Year => digits(text, 2, 2)?,
            Piece::LongMonth => lookup(&MONTHS, None, text)?,
            Piece::ShortMonth => lookup(&MONTHS, Some(3), text)?,
            Piece::LongWeekday => lookup(&WEEKDAYS, None, text)?,
            Piece::ShortWeekday => lookup(&WEEKDAYS, Some(3), text)?,
            Piece::Day(_, true) => digits(text.trim_start_matches(' '), 1, 2)?,
            Piece::YearDay(true) => digits(text.trim_start_matches(' '), 1, 3)?,
            Piece::YearDay(false) => digits(text, 3, 3)?,
            Piece::Hour => digits(text, 1, 2)?,
            Piece::Month(width)
            | Piece::Day(width, false)
            | Piece::HalfDayHour(width)
            | Piece::Minute(width)
            | Piece::Second(width) => digits(text, width, 2)?,
            Piece::UpperNoon => lookup(&["AM", "PM"], None, text)?,
            Piece::LowerNoon => lookup(&["am", "pm"], None, text)?,
            Piece::Abbreviation => return self.abbreviation(text),
            Piece::Offset { zulu, colon, numbers } => {
                return self.offset(text, zulu, colon, numbers);
            }
            Piece::Fraction { digits, short } => return self.fraction(text, digits, short),
        };
        match piece {
            Piece::LongYear => self.year = number,
            Piece::Year => self.year = if number >= 69 { 1900 + number } else { 2000 + number },
            Piece::LongMonth | Piece::ShortMonth => self.month = Some(number + 1),
            Piece::Month(_) => self.month = Some(number),
            Piece::Day(..) => self.day = Some(number),
            Piece::YearDay(_) => self.year_day = Some(number),
            Piece::Hour => self.hour = number,
            Piece::HalfDayHour(_) if number > 12 => return None,
            Piece::HalfDayHour(_) => self.hour = number,
            Piece::Minute(_) => self.minute = number,
            Piece::Second(_) => {
                self.second = number;
                // A fraction may follow the seconds even if the layout has none.
                let digits = rest
                    .strip_prefix(['.', ','])
                    .map(|digits| digits.bytes().take_while(u8::is_ascii_digit).count());
                if let Some(count @ 1..) = digits.filter(|_| !dotted) {
                    return self.fraction(rest, count, false);
                }
            }
            Piece::UpperNoon | Piece::LowerNoon => self.afternoon = Some(number == 1),
            Piece::LongWeekday
            | Piece::ShortWeekday
            | Piece::Abbreviation
            | Piece::Offset { .. }
            | Piece::Fraction { .. } => {}
        }
        Some(rest)
    }

    fn abbreviation<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix("UTC") {
            self.offset = Some(0);
            return Some(rest);
        }
        if text.starts_with(['+', '-']) {
            let (_, rest) = digits(text.get(1..)?, 2, 2)?;
            self.abbreviation = Some(text[..3].to_owned());
            return Some(rest);
        }
        let len = text.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
        let known = match len {
            3 => true,
            4 => text[..4].ends_with('T') || text.starts_with("WITA"),
            5 => text[..5].ends_with('T'),
            _ => false,
        };
        if !known {
            return None;
        }
        self.abbreviation = Some(text[..len].to_owned());
        Some(&text[len..])
    }

    fn offset<'t>(
        &mut self,
        text: &'t str,
        zulu: bool,
        colon: bool,
        numbers: usize,
    ) -> Option<&'t str> {
        if zulu && let Some(rest) = text.strip_prefix('Z') {
            self.offset = Some(0);
            return Some(rest);
        }
        let negative = match text.chars().next()? {
            '+' => false,
            '-' => true,
            _ => return None,
        };
        let mut rest = &text[1..];
        let mut total = 0;
        for (at, (scale, most)) in
            [(3600, 24), (60, 60), (1, 60)].into_iter().enumerate().take(numbers)
        {
            if at > 0 && colon {
                rest = rest.strip_prefix(':')?;
            }
            let (number, after) = digits(rest, 2, 2)?;
            if number > most {
                return None;
            }
            total += number * scale;
            rest = after;
        }
        self.offset = Some(if negative { -total } else { total });
        Some(rest)
    }

    fn fraction<'t>(&mut self, text: &'t str, count: usize, short: bool) -> Option<&'t str> {
        let Some(after) = text.strip_prefix(['.', ',']) else {
            return short.then_some(text);
        };
        let found = after.bytes().take_while(u8::is_ascii_digit).count();
        if found == 0 && short {
            return Some(text);
        }
        let count = if short { found } else { count };
        if found < count {
            return None;
        }
        let nine: String = after[..count].chars().chain("000000000".chars()).take(9).collect();
        self.nanos = nine.parse().ok()?;
        Some(&after[count..])
    }

    fn finish(mut self, zone: &Zone) -> Option<Time> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let days = match self.year_day {
            Some(day) if self.month.is_none() && self.day.is_none() => {
                let first = days_of(self.year, 1, 1);
                let last = days_of(self.year + 1, 1, 1) - first;
                (1..=last).contains(&day).then_some(first + day - 1)?
            }
            _ => {
                let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
                is_date(self.year, month, day).then(|| days_of(self.year, month, day))?
            }
        };
        let local = days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second;
        let (seconds, zone) = match (self.offset, self.abbreviation) {
            (Some(offset), _) => {
                let seconds = local - offset;
                let same = zone.offset(seconds) == offset;
                let fixed = if offset == 0 { Zone::Utc } else { Zone::Fixed(offset, "".into()) };
                (seconds, if same { zone.clone() } else { fixed })
            }
            // What an abbreviation means depends on the place: it is kept, the offset is not known.
            (None, Some(name)) => (local, Zone::Fixed(0, name.into())),
            (None, None) => (zone.instant(local), zone.clone()),
        };
        Some(Time { seconds, nanos: self.nanos, zone })
    }
}
