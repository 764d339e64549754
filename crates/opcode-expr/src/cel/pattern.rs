//! `matches`: the pattern known beforehand or only now, and what it costs to look.
//!
//! Keeps: nothing is read before it is paid for.
//! Not here: patterns themselves (`pattern.rs` of the crate).

use super::calls::wanted;
use super::eval::Machine;
use super::trouble::{Cause, Outcome, Span};
use super::value::Cel;
use crate::pattern::{Options, Pattern};

impl Machine<'_> {
    /// `matches` with a pattern known only now.
    pub(super) fn matches(&mut self, subject: &Cel, pattern: &Cel, span: Span) -> Outcome<Cel> {
        let (Some(subject), Some(pattern)) = (subject.as_text(), pattern.as_text()) else {
            let odd = if subject.as_text().is_some() { pattern } else { subject };
            return Err(wanted("matches", "text", odd).at(span));
        };
        self.scan(pattern.len(), span)?;
        let mut met = std::mem::take(&mut self.met);
        let pattern = met.recall(
            pattern,
            Options::default(),
            |count| self.steps(count, span),
            |reason| Cause::Argument(format!("not a regular expression: {reason}").into()).at(span),
        );
        self.met = met;
        self.is_match(&*pattern?, subject, span)
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
        self.is_match(&self.code.patterns[pattern], text, span)
    }

    fn is_match(&mut self, pattern: &Pattern, text: &str, span: Span) -> Outcome<Cel> {
        self.steps(pattern.price(text.len()), span)?;
        Ok(pattern.is_match(text).into())
    }
}
