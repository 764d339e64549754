//! Offsets of time zones from UTC, by the rules in force in each zone today.
//!
//! Keeps: nothing is read from the machine, so every node answers alike.
//! Not here: dates (`time.rs`), a zone's history: a date before its last reform gets today's rule.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::time::{date_of, days_in, days_of};

/// One line per rule: the POSIX rule with `_` for its abbreviations, a tab, the names of the zones that follow it.
const ZONES: &str = include_str!("zones.txt");

/// The rule of each zone, by its name.
static RULES: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let lines = ZONES.lines().filter_map(|line| line.split_once('\t'));
    lines.flat_map(|(rule, names)| names.split(' ').map(move |name| (name, rule))).collect()
});

/// Seconds east of UTC at `seconds` since 1970, for a zone's name or an offset such as `+02:00`.
pub(crate) fn offset(name: &str, seconds: i64) -> Option<i64> {
    if matches!(name, "" | "UTC") {
        return Some(0);
    }
    loose(name).or_else(|| by_rule(RULES.get(name)?, seconds))
}

/// An offset as RFC 3339 writes it: `+02:00`, `-09:30`.
pub(super) fn fixed(text: &str) -> Option<i64> {
    (text.len() == 6 && text.starts_with(['+', '-'])).then(|| loose(text)).flatten()
}

/// An offset as the accessors take it: `+02:00`, `02:00`, `-9:30`.
fn loose(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |part: &str| -> Option<i64> {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// The offset under a POSIX rule such as `_6_,M3.2.0,M11.1.0`: standard, then summer time's begin and end.
fn by_rule(rule: &str, seconds: i64) -> Option<i64> {
    let mut parts = rule.split(',');
    let mut offsets = parts.next()?.strip_prefix('_')?.split('_');
    // POSIX counts west of Greenwich.
    let standard = -clock(offsets.next()?)?;
    let Some(summer) = offsets.next() else { return Some(standard) };
    let summer = if summer.is_empty() { standard + 3600 } else { -clock(summer)? };
    let (year, _, _) = date_of((seconds + standard).div_euclid(86_400));
    let begin = change(parts.next()?, year)? - standard;
    let end = change(parts.next()?, year)? - summer;
    let in_summer = if begin < end {
        (begin..end).contains(&seconds)
    } else {
        !(end..begin).contains(&seconds)
    };
    Some(if in_summer { summer } else { standard })
}

/// `M3.2.0/2`: month, week (5 is the last), weekday, and the hour if it is not two; as local seconds since 1970.
fn change(rule: &str, year: i64) -> Option<i64> {
    let (day, time) = rule.split_once('/').unwrap_or((rule, "2"));
    let mut numbers = day.strip_prefix('M')?.split('.').map(|part| part.parse::<i64>().ok());
    let (month, week, weekday) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let first = days_of(year, month, 1);
    let mut day = (weekday - (first + 4)).rem_euclid(7) + 7 * (week - 1);
    if day >= days_in(year, month) {
        day -= 7;
    }
    Some((first + day) * 86_400 + clock(time)?)
}

/// `[-]h[:mm]` in seconds.
fn clock(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_read() {
        for line in ZONES.lines() {
            let (rule, names) = line.split_once('\t').unwrap();
            assert!(by_rule(rule, 1_790_000_000).is_some(), "{rule} {names}");
        }
    }

    #[test]
    fn zones_change_when_their_rules_say() {
        // 2026-03-29T01:00:00Z is the European change.
        assert_eq!(offset("Europe/Berlin", 1_774_745_999), Some(3600));
        assert_eq!(offset("Europe/Berlin", 1_774_746_000), Some(7200));
        assert_eq!(offset("America/New_York", 1_767_225_600), Some(-5 * 3600));
        assert_eq!(offset("Australia/Sydney", 1_767_225_600), Some(11 * 3600));
        assert_eq!(offset("Europe/Dublin", 1_767_225_600), Some(0));
        assert_eq!(offset("Asia/Kathmandu", 0), Some(20_700));
        assert_eq!(offset("Mars/Olympus", 0), None);
    }
}
