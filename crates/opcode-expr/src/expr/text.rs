//! Functions and operators of texts: finding, patterns, trimming, splitting, joining, base64.
//!
//! Keeps: reading is charged by length, making by bytes; positions are bytes, as in Go.
//! Not here: compiling patterns (`pattern.rs` of the crate), values as text (`print.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function of texts that is not listed is the last of its kind"
)]

use std::sync::Arc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::calls::Arguments;
use super::eval::Machine;
use super::functions::Function;
use super::syntax::Operator;
use super::trouble::{Outcome, Span, Trouble};
use super::value::Datum;
use crate::pattern::{Options, Pattern};

/// Padding is needed; what is left over in the last letter is not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// `contains`, `startsWith`, `endsWith`; false if either side is nil.
pub(super) fn find(
    machine: &mut Machine<'_>,
    operator: Operator,
    (whole, part): (&Datum, &Datum),
    span: Span,
) -> Outcome<bool> {
    if whole.is_nil() || part.is_nil() {
        return Ok(false);
    }
    let (Some(text), Some(part)) = (whole.as_text(), part.as_text()) else {
        return Err(super::arith::does_not_take(operator, whole, part, span));
    };
    machine.scan(searched(text, part), span)?;
    Ok(match operator {
        Operator::StartsWith => text.starts_with(&**part),
        Operator::EndsWith => text.ends_with(&**part),
        _ => text.contains(&**part),
    })
}

/// What looking for a part costs, in bytes read: searching is slower than comparing.
fn searched(text: &str, part: &str) -> usize {
    (text.len() + part.len()) * 4
}

impl Machine<'_> {
    /// `matches` with a pattern known only now; false if either side is nil.
    pub(super) fn matches(
        &mut self,
        subject: &Datum,
        pattern: &Datum,
        span: Span,
    ) -> Outcome<Datum> {
        if subject.is_nil() || pattern.is_nil() {
            return Ok(false.into());
        }
        let (Some(text), Some(pattern)) = (subject.as_text(), pattern.as_text()) else {
            return Err(super::arith::does_not_take(Operator::Matches, subject, pattern, span));
        };
        self.scan(pattern.len() * 8, span)?;
        let mut met = std::mem::take(&mut self.met);
        let pattern = met.recall(
            pattern,
            Options::default(),
            |count| self.steps(count, span),
            |reason| Trouble::argument(format!("not a regular expression: {reason}"), span),
        );
        self.met = met;
        self.is_match(&*pattern?, text, span)
    }

    /// `matches` with a pattern compiled beforehand.
    pub(super) fn matches_literal(
        &mut self,
        subject: &Datum,
        pattern: usize,
        span: Span,
    ) -> Outcome<Datum> {
        if subject.is_nil() {
            return Ok(false.into());
        }
        let Some(text) = subject.as_text() else {
            return Err(Trouble::wanted("`matches`", "a string", subject.kind(), span));
        };
        self.is_match(&self.code.patterns[pattern], text, span)
    }

    fn is_match(&mut self, pattern: &Pattern, text: &str, span: Span) -> Outcome<Datum> {
        self.steps(pattern.price(text.len()), span)?;
        Ok(pattern.is_match(text).into())
    }
}

/// `hasPrefix`, `hasSuffix`, `indexOf`, `lastIndexOf`.
pub(super) fn ask(
    machine: &mut Machine<'_>,
    function: Function,
    given: &Arguments<'_>,
) -> Outcome<Datum> {
    let (text, part) = (given.text(0)?, given.text(1)?);
    machine.scan(searched(text, part), given.span)?;
    let place = |found: Option<usize>| found.map_or(Datum::Int(-1), Datum::from);
    Ok(match function {
        Function::HasPrefix => text.starts_with(&**part).into(),
        Function::HasSuffix => text.ends_with(&**part).into(),
        Function::IndexOf => place(text.find(&**part)),
        _ => place(text.rfind(&**part)),
    })
}

/// `lower` and `upper`, letter by letter: what would become several letters stays one.
pub(super) fn case(
    machine: &mut Machine<'_>,
    function: Function,
    given: &Arguments<'_>,
) -> Outcome<Datum> {
    let text = given.text(0)?;
    machine.bytes(text.len() * 2, given.span)?;
    machine.scan(text.len() * if text.is_ascii() { 4 } else { 24 }, given.span)?;
    let changed = |letter: char| {
        let only =
            |mut letters: Box<dyn Iterator<Item = char>>| match (letters.next(), letters.next()) {
                (Some(first), None) => first,
                _ => letter,
            };
        match (function, letter) {
            (Function::Lower, 'İ') => 'i',
            (Function::Lower, _) => only(Box::new(letter.to_lowercase())),
            _ => only(Box::new(letter.to_uppercase())),
        }
    };
    let simple = |letter: char| match (letter.is_ascii(), function) {
        (true, Function::Lower) => letter.to_ascii_lowercase(),
        (true, _) => letter.to_ascii_uppercase(),
        (false, _) => changed(letter),
    };
    Ok(text.chars().map(simple).collect::<String>().into())
}

pub(super) fn trim(
    machine: &mut Machine<'_>,
    function: Function,
    given: &Arguments<'_>,
) -> Outcome<Datum> {
    let text = given.text(0)?;
    machine.bytes(text.len(), given.span)?;
    let part = given.text_or(1, " ")?;
    let left = match function {
        Function::TrimPrefix => text.strip_prefix(part).unwrap_or(text),
        Function::TrimSuffix => text.strip_suffix(part).unwrap_or(text),
        _ if given.values.len() < 2 => text.trim(),
        _ => {
            machine
                .steps((text.len() as u64).saturating_mul(part.len() as u64) / 64, given.span)?;
            text.trim_matches(|letter| part.contains(letter))
        }
    };
    Ok(left.into())
}

pub(super) fn repeat(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let (text, count) = (given.text(0)?, given.count(1)?);
    let Ok(count) = usize::try_from(count) else {
        return Err(given.refuse("takes a count of 0 or more"));
    };
    machine.bytes(text.len().saturating_mul(count), given.span)?;
    Ok(text.repeat(if text.is_empty() { 0 } else { count }).into())
}

pub(super) fn replace(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let (text, old, new) = (given.text(0)?, given.text(1)?, given.text(2)?);
    let most = usize::try_from(given.count_or(3, -1)?).unwrap_or(usize::MAX);
    machine.scan(searched(text, old), given.span)?;
    let found = text.matches(&**old).take(most).count();
    machine.bytes(text.len().saturating_add(found.saturating_mul(new.len())), given.span)?;
    Ok(text.replacen(&**old, new, most).into())
}

/// `split` and `splitAfter`; without a separator, letter by letter.
pub(super) fn split(
    machine: &mut Machine<'_>,
    function: Function,
    given: &Arguments<'_>,
) -> Outcome<Datum> {
    let (text, separator) = (given.text(0)?, given.text(1)?);
    let most = given.count_or(2, -1)?;
    if most == 0 {
        return Ok(Datum::NoList);
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    machine.scan(searched(text, separator), given.span)?;
    let keep = if function == Function::SplitAfter { separator.len() } else { 0 };
    let mut parts: Vec<Datum> = Vec::new();
    let mut rest: &str = text;
    while parts.len() + 1 < most {
        let cut = if separator.is_empty() {
            let first = rest.chars().next().map(char::len_utf8);
            first.filter(|len| *len < rest.len()).map(|len| (len, len))
        } else {
            rest.find(&**separator).map(|at| (at + keep, at + separator.len()))
        };
        let Some((end, next)) = cut else { break };
        machine.bytes(size_of::<Datum>() + end, given.span)?;
        parts.push(rest[..end].into());
        rest = &rest[next..];
    }
    machine.bytes(size_of::<Datum>() + rest.len(), given.span)?;
    if !(separator.is_empty() && rest.is_empty()) {
        parts.push(rest.into());
    }
    Ok(parts.into())
}

pub(super) fn join(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let list = given.list(0)?;
    let glue = given.text_or(1, "")?;
    let mut joined = String::new();
    for at in 0..list.count().unwrap_or(0) {
        let item = list.item(at).unwrap_or(Datum::NIL);
        let Some(text) = item.as_text() else {
            return Err(given.wanted("an array of strings", &item));
        };
        machine.bytes(text.len() + glue.len(), given.span)?;
        if at > 0 {
            joined += glue;
        }
        joined += text;
    }
    Ok(joined.into())
}

pub(super) fn to_base64(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let text = given.text(0)?;
    machine.bytes(text.len() * 4 / 3 + 4, given.span)?;
    Ok(BASE64.encode(text.as_bytes()).into())
}

pub(super) fn from_base64(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let text: &Arc<str> = given.text(0)?;
    machine.bytes(text.len() * 2, given.span)?;
    let bare: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    match BASE64.decode(bare) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned().into()),
        Err(error) => Err(given.refuse(&format!("cannot read this: {error}"))),
    }
}
