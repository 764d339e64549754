//! Moments as numbers of seconds, as lists of their parts, and as texts; always UTC.
//!
//! Keeps: no clock and no zone of the machine; `%Z` and `localtime` know UTC alone.
//! Not here: what time it is (`now` is an input).

use opcode_model::Value;

use super::arith::to_int;
use super::context::Context;
use super::natives;
use super::trouble::{Cause, Outcome};
use crate::calendar::{MONTHS, WEEKDAYS};
use crate::cel::{date_of, days_of};

/// Seconds since 1970 that still make a date.
const SECONDS_MAX: f64 = 1e13;

/// A moment: whole seconds since 1970, and nanoseconds after them.
#[derive(Clone, Copy, Debug)]
struct Moment {
    seconds: i64,
    nanos: i64,
}

/// A moment's parts.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// 0 is Sunday.
    weekday: i64,
    /// 0 is the first of January.
    yearday: i64,
}

impl Moment {
    fn of_number(number: f64) -> Option<Self> {
        let fits = number.abs() <= SECONDS_MAX;
        let nanos = ((number - number.floor()) * 1e9) as i64;
        fits.then_some(Self { seconds: number.floor() as i64, nanos })
    }

    fn number(self) -> f64 {
        self.seconds as f64 + self.nanos as f64 / 1e9
    }

    fn parts(self) -> Parts {
        let (days, second) = (self.seconds.div_euclid(86_400), self.seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Parts {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            weekday: (days + 4).rem_euclid(7),
            yearday: days - days_of(year, 1, 1),
        }
    }

    /// Parts in any amount: the 14th month is February of the next year.
    fn of_parts([year, month, day, hour, minute, second]: [i64; 6], nanos: i64) -> Option<Self> {
        let small = |part: i64| part.unsigned_abs() <= 1_000_000_000;
        let fits = [year, month, day, hour, minute, second].into_iter().all(small);
        if !fits || year.unsigned_abs() > 300_000 {
            return None;
        }
        let (years, month) = (month.div_euclid(12), month.rem_euclid(12));
        let days = days_of(year + years, month + 1, 1) + day - 1;
        Some(Self { seconds: days * 86_400 + hour * 3600 + minute * 60 + second, nanos })
    }
}

/// `gmtime`, `localtime`.
pub(super) fn gmtime(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
) -> Outcome<Value> {
    match value.as_f64().and_then(Moment::of_number) {
        Some(moment) => Ok(broken_down(context, moment)),
        None => Err(Cause::apply(name, value)),
    }
}

fn broken_down(context: &mut Context<'_>, moment: Moment) -> Value {
    let parts = moment.parts();
    let second = context.number(parts.second as f64 + moment.nanos as f64 / 1e9);
    let whole = Value::Int;
    Value::list([
        whole(parts.year),
        whole(parts.month - 1),
        whole(parts.day),
        whole(parts.hour),
        whole(parts.minute),
        second,
        whole(parts.weekday),
        whole(parts.yearday),
    ])
}

/// A moment from its parts; parts that are missing are nothing.
fn of_list(items: &[Value]) -> Option<Moment> {
    let mut parts = [0; 6];
    let mut nanos = 0;
    for (at, item) in items.iter().enumerate().take(8) {
        let number = item.as_f64()?;
        if at == 5 {
            nanos = ((number - number.floor()) * 1e9) as i64;
        }
        if let Some(part) = parts.get_mut(at) {
            *part = to_int(item)?;
        }
    }
    Moment::of_parts(parts, nanos)
}

const EIGHT: &str = "expected an array of 8 numbers";

pub(super) fn mktime(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let Value::List(items) = value else { return Err(Cause::apply("mktime", value)) };
    match of_list(items) {
        Some(moment) => Ok(context.number(moment.number())),
        None => Err(Cause::message(EIGHT).within("mktime", value, &[])),
    }
}

pub(super) fn strftime(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let wrong = || Cause::apply_to(name, value, arguments);
    let moment = match value {
        Value::Int(_) | Value::Float(_) => value.as_f64().and_then(Moment::of_number),
        Value::List(items) => {
            let wrong = || Cause::message(EIGHT).within(name, value, arguments);
            Some(of_list(items).ok_or_else(wrong)?)
        }
        _ => None,
    };
    let (Some(moment), Some(Value::String(format))) = (moment, arguments.first()) else {
        return Err(wrong());
    };
    context.bytes(format.len() * 16)?;
    let mut out = String::new();
    write(&mut out, moment, format);
    Ok(Value::from(out))
}

/// What a letter after `%` stands for in terms of others.
fn compound(letter: char) -> Option<&'static str> {
    Some(match letter {
        'D' | 'x' => "%m/%d/%y",
        'F' => "%Y-%m-%d",
        'v' => "%e-%b-%Y",
        'R' => "%H:%M",
        'r' => "%I:%M:%S %p",
        'T' | 'X' => "%H:%M:%S",
        'c' => "%a %b %e %H:%M:%S %Y",
        '+' => "%a %b %e %H:%M:%S %Z %Y",
        _ => return None,
    })
}

fn write(out: &mut String, moment: Moment, format: &str) {
    let parts = moment.parts();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut plain = false;
        let mut wanted = letters.next();
        if wanted == Some('-') {
            plain = true;
            wanted = letters.next();
        }
        let Some(wanted) = wanted else {
            out.push('%');
            continue;
        };
        if let Some(format) = compound(wanted) {
            write(out, moment, format);
            continue;
        }
        match number_of(&parts, moment, wanted) {
            Some((number, _, _)) if plain => *out += &number.to_string(),
            Some((number, width, '0')) => *out += &format!("{number:0width$}"),
            Some((number, width, _)) => *out += &format!("{number:width$}"),
            None => out.push_str(&name_of(&parts, wanted)),
        }
    }
}

/// A numeric part: its value, its width and what fills it up.
fn number_of(parts: &Parts, moment: Moment, letter: char) -> Option<(i64, usize, char)> {
    let twelve = (parts.hour + 11) % 12 + 1;
    Some(match letter {
        'Y' => (parts.year, 4, '0'),
        'y' => (parts.year.rem_euclid(100), 2, '0'),
        'C' => (parts.year.div_euclid(100), 2, '0'),
        'm' => (parts.month, 2, '0'),
        'd' => (parts.day, 2, '0'),
        'e' => (parts.day, 2, ' '),
        'j' => (parts.yearday + 1, 3, '0'),
        'H' => (parts.hour, 2, '0'),
        'k' => (parts.hour, 2, ' '),
        'I' => (twelve, 2, '0'),
        'l' => (twelve, 2, ' '),
        'M' => (parts.minute, 2, '0'),
        'S' => (parts.second, 2, '0'),
        'f' => (moment.nanos / 1000, 6, '0'),
        'w' => (parts.weekday, 1, '0'),
        'u' => ((parts.weekday + 6) % 7 + 1, 1, '0'),
        'U' => ((parts.yearday + 7 - parts.weekday) / 7, 2, '0'),
        'W' => ((parts.yearday + 7 - (parts.weekday + 6) % 7) / 7, 2, '0'),
        'G' => (iso_week(parts).0, 4, '0'),
        'g' => (iso_week(parts).0.rem_euclid(100), 2, '0'),
        'V' => (iso_week(parts).1, 2, '0'),
        's' => (moment.seconds, 1, '0'),
        _ => return None,
    })
}

/// The year and week that ISO 8601 counts a day to: those of its Thursday.
fn iso_week(parts: &Parts) -> (i64, i64) {
    let thursday = parts.yearday + 3 - (parts.weekday + 6) % 7;
    let days = days_of(parts.year, 1, 1) + thursday;
    let (year, _, _) = date_of(days);
    (year, (days - days_of(year, 1, 1)) / 7 + 1)
}

fn name_of(parts: &Parts, letter: char) -> String {
    let month = usize::try_from(parts.month - 1).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"");
    let day = usize::try_from(parts.weekday).ok().and_then(|at| WEEKDAYS.get(at)).unwrap_or(&"");
    match letter {
        'B' => (*month).to_owned(),
        'b' | 'h' => month.chars().take(3).collect(),
        'A' => (*day).to_owned(),
        'a' => day.chars().take(3).collect(),
        'p' => if parts.hour < 12 { "AM" } else { "PM" }.to_owned(),
        'P' => if parts.hour < 12 { "am" } else { "pm" }.to_owned(),
        'Z' => "UTC".to_owned(),
        'z' => "+0000".to_owned(),
        't' => "\t".to_owned(),
        'n' => "\n".to_owned(),
        '%' => "%".to_owned(),
        other => format!("%{other}"),
    }
}

// Reading.

/// What a text has told so far.
struct Reader<'a> {
    rest: &'a str,
    year: i64,
    century: Option<i64>,
    month: i64,
    day: i64,
    yearday: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    afternoon: Option<bool>,
    /// Seconds east of UTC.
    offset: i64,
    /// All of it at once.
    epoch: Option<i64>,
}

pub(super) fn strptime(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let (Value::String(text), Some(Value::String(format))) = (value, arguments.first()) else {
        return Err(Cause::apply_to("strptime", value, arguments));
    };
    context.scan((text.len() + format.len()) * 8)?;
    let mut reader = Reader {
        rest: text,
        year: 1900,
        century: None,
        month: 1,
        day: 1,
        yearday: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        afternoon: None,
        offset: 0,
        epoch: None,
    };
    let moment = match reader.read(format) {
        Some(()) if reader.rest.is_empty() => reader.moment(),
        _ => None,
    };
    match moment {
        Some(moment) => Ok(broken_down(context, moment)),
        None => {
            let format = super::json::text(&natives::first(arguments));
            let message = format!("failed to parse {} with {format}", super::json::preview(value));
            Err(Cause::message(message).within("strptime", value, arguments))
        }
    }
}

impl Reader<'_> {
    fn moment(&self) -> Option<Moment> {
        if let Some(seconds) = self.epoch {
            return Moment::of_number(seconds as f64);
        }
        let year = match self.century {
            Some(century) => century * 100 + self.year.rem_euclid(100),
            None => self.year,
        };
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.yearday {
            Some(day) => (1, day),
            None => (self.month, self.day),
        };
        let parts = [year, month - 1, day, hour, self.minute, self.second - self.offset];
        Moment::of_parts(parts, self.nanos)
    }

    fn read(&mut self, format: &str) -> Option<()> {
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                self.rest = self.rest.strip_prefix(letter)?;
                continue;
            }
            let mut wanted = letters.next()?;
            if wanted == '-' {
                wanted = letters.next()?;
            }
            match compound(wanted) {
                Some(format) => self.read(format)?,
                None => self.part(wanted)?,
            }
        }
        Some(())
    }

    fn part(&mut self, letter: char) -> Option<()> {
        match letter {
            'Y' => self.year = self.number(4)?,
            'y' => {
                let short = self.number(2)?;
                self.year = short + if short < 69 { 2000 } else { 1900 };
            }
            'C' => self.century = Some(self.number(2)?),
            'm' => self.month = self.number_in(2, 1, 12)?,
            'd' => self.day = self.number_in(2, 1, 31)?,
            'e' => {
                self.blank();
                self.day = self.number_in(2, 1, 31)?;
            }
            'j' => self.yearday = Some(self.number_in(3, 1, 366)?),
            'H' => self.hour = self.number_in(2, 0, 24)?,
            'k' => {
                self.blank();
                self.hour = self.number_in(2, 0, 24)?;
            }
            'I' => self.hour = self.number_in(2, 1, 12)?,
            'l' => {
                self.blank();
                self.hour = self.number_in(2, 1, 12)?;
            }
            'M' => self.minute = self.number_in(2, 0, 59)?,
            'S' => self.second = self.number_in(2, 0, 60)?,
            'f' => {
                let before = self.rest.len();
                let number = self.number(9)?;
                let width = u32::try_from(before - self.rest.len()).ok()?;
                self.nanos = number * 10_i64.checked_pow(9_u32.checked_sub(width)?)?;
            }
            's' => self.epoch = Some(self.number(15)?),
            'w' => drop(self.number_in(1, 0, 6)?),
            'u' => drop(self.number_in(1, 1, 7)?),
            'U' | 'W' | 'V' => drop(self.number_in(2, 0, 53)?),
            'G' => drop(self.number(4)?),
            'g' => drop(self.number(2)?),
            'p' | 'P' => self.afternoon = Some(self.name(&["AM", "PM"], 2)? == 1),
            'B' | 'b' | 'h' => {
                self.month = self.name(&MONTHS, 20).or_else(|| self.name(&MONTHS, 3))? + 1;
            }
            'A' | 'a' => drop(self.name(&WEEKDAYS, 20).or_else(|| self.name(&WEEKDAYS, 3))?),
            'z' => self.offset = self.zone()?,
            'Z' => {
                let letters = |c: char| c.is_ascii_uppercase();
                let name = self.rest.split(|c| !letters(c)).next()?;
                if !matches!(name, "UTC" | "GMT" | "Z") {
                    return None;
                }
                self.rest = self.rest.get(name.len()..)?;
            }
            't' => self.rest = self.rest.strip_prefix('\t')?,
            'n' => self.rest = self.rest.strip_prefix('\n')?,
            '%' => self.rest = self.rest.strip_prefix('%')?,
            _ => return None,
        }
        Some(())
    }

    fn blank(&mut self) {
        self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
    }

    fn number(&mut self, width: usize) -> Option<i64> {
        let digits = self.rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        let number = number.parse().ok()?;
        self.rest = rest;
        Some(number)
    }

    fn number_in(&mut self, width: usize, least: i64, most: i64) -> Option<i64> {
        self.number(width).filter(|number| (least..=most).contains(number))
    }

    /// Which of the names, or of their first letters, comes next.
    fn name(&mut self, names: &[&str], letters: usize) -> Option<i64> {
        for (at, name) in names.iter().enumerate() {
            let name = name.get(..letters.min(name.len()))?;
            let Some(head) = self.rest.get(..name.len()) else { continue };
            if head.eq_ignore_ascii_case(name) {
                self.rest = self.rest.get(name.len()..)?;
                return i64::try_from(at).ok();
            }
        }
        None
    }

    /// `Z`, `+0200` or `+02:00`.
    fn zone(&mut self) -> Option<i64> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(0);
        }
        let sign = match self.rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.rest = self.rest.get(1..)?;
        let hours = self.number_in(2, 0, 24)?;
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        let minutes = self.number_in(2, 0, 59)?;
        Some(sign * (hours * 3600 + minutes * 60))
    }
}
