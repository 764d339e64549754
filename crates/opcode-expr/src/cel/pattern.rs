//! `matches`: patterns compiled once, matched in linear time, charged by what they may cost at worst.
//!
//! Keeps: a compiled pattern is bounded in size, and its size sets the price of every byte it reads.
//! Not here: the syntax of patterns (`re2.rs`).

use regex::bytes::{Regex, RegexBuilder};

use super::calls::wanted;
use super::eval::Machine;
use super::re2;
use super::trouble::{Cause, Outcome, Span};
use super::value::Cel;

/// Sizes a compiled pattern is tried at, in KiB. The smallest that fits tells how much work a byte may be.
const TIERS_KIB: [u64; 4] = [8, 64, 256, 1024];

/// The largest tier for a pattern that is known only while evaluating.
const LATE_TIER_KIB: u64 = 256;

/// What compiling such a pattern costs in steps.
const LATE_STEPS: u64 = 10_000;

/// How many such patterns one evaluation keeps.
const KEPT_MAX: usize = 8;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: Box<str>,
    regex: Regex,
    size_kib: u64,
}

impl Pattern {
    /// Compiles a literal pattern.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        Self::within(text, u64::MAX)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where among `recent` this pattern is, compiled now if it is not there; the last few are kept. `pay` is asked
    /// for the steps of compiling, `refuse` for the error of a pattern that is none.
    pub(crate) fn recall<E>(
        recent: &mut Vec<Self>,
        text: &str,
        pay: impl FnOnce(u64) -> Result<(), E>,
        refuse: impl FnOnce(String) -> E,
    ) -> Result<usize, E> {
        if let Some(at) = recent.iter().position(|known| known.text() == text) {
            return Ok(at);
        }
        pay(LATE_STEPS + text.len() as u64 * 20)?;
        let compiled = Self::within(text, LATE_TIER_KIB)
            .map_err(|reason| refuse(format!("not a regular expression: {reason}")))?;
        if recent.len() >= KEPT_MAX {
            recent.remove(0);
        }
        recent.push(compiled);
        Ok(recent.len() - 1)
    }

    pub(crate) fn is_match(&self, subject: &str) -> bool {
        self.regex.is_match(subject.as_bytes())
    }

    fn within(text: &str, tier_max: u64) -> Result<Self, String> {
        let translated = re2::translate(text)?;
        let mut reason = String::new();
        for size_kib in TIERS_KIB.into_iter().filter(|tier| *tier <= tier_max) {
            let limit = usize::try_from(size_kib << 10).unwrap_or(usize::MAX);
            match RegexBuilder::new(&translated).size_limit(limit).build() {
                Ok(regex) => return Ok(Self { text: text.into(), regex, size_kib }),
                Err(error @ regex::Error::CompiledTooBig(_)) => reason = error.to_string(),
                Err(error) => {
                    // The first lines draw the pattern; the last says what is wrong.
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    return Err(last.trim_start_matches("error: ").to_owned());
                }
            }
        }
        Err(reason)
    }

    /// Steps for reading `bytes`: at worst every part of the pattern looks at every byte.
    pub(crate) fn price(&self, bytes: usize) -> u64 {
        1 + (bytes as u64).saturating_mul(self.size_kib) / 16
    }
}

impl Machine<'_> {
    /// `matches` with a pattern known only now; the last few are kept compiled.
    pub(super) fn matches(&mut self, subject: &Cel, pattern: &Cel, span: Span) -> Outcome<Cel> {
        let (Some(subject), Some(pattern)) = (subject.as_text(), pattern.as_text()) else {
            let odd = if subject.as_text().is_some() { pattern } else { subject };
            return Err(wanted("matches", "text", odd).at(span));
        };
        self.scan(pattern.len(), span)?;
        let mut recent = std::mem::take(&mut self.recent);
        let found = Pattern::recall(
            &mut recent,
            pattern,
            |count| self.steps(count, span),
            |message| Cause::Argument(message.into()).at(span),
        );
        self.recent = recent;
        let at = found?;
        let price = self.recent[at].price(subject.len());
        self.steps(price, span)?;
        Ok(self.recent[at].is_match(subject).into())
    }

    /// `matches` with a pattern compiled beforehand.
    pub(super) fn matches_literal(
        &mut self,
        subject: &Cel,
        pattern: usize,
        span: Span,
    ) -> Outcome<Cel> {
        let Some(text) = subject.as_text() else {
            return Err(wanted("matches", "text", subject).at(span));
        };
        let pattern = &self.code.patterns[pattern];
        self.steps(pattern.price(text.len()), span)?;
        Ok(pattern.is_match(text).into())
    }
}
