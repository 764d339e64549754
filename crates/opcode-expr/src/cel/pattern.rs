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
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        Self::within(text, u64::MAX)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
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
    fn price(&self, bytes: usize) -> u64 {
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
        let known = self.recent.iter().position(|known| known.text() == &**pattern);
        let at = match known {
            Some(at) => at,
            None => {
                self.steps(LATE_STEPS + pattern.len() as u64 * 20, span)?;
                let compiled = Pattern::within(pattern, LATE_TIER_KIB).map_err(|reason| {
                    let message = format!("not a regular expression: {reason}");
                    Cause::Argument(message.into()).at(span)
                })?;
                if self.recent.len() >= KEPT_MAX {
                    self.recent.remove(0);
                }
                self.recent.push(compiled);
                self.recent.len() - 1
            }
        };
        let price = self.recent[at].price(subject.len());
        self.steps(price, span)?;
        Ok(self.recent[at].regex.is_match(subject.as_bytes()).into())
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
        Ok(pattern.regex.is_match(text.as_bytes()).into())
    }
}
