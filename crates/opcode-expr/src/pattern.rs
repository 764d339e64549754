//! Regular expressions of all three languages: RE2's syntax, linear time, charged by what they may cost at worst.
//!
//! Keeps: a compiled pattern is bounded in size, and its size sets the price of every byte it reads; a price never depends
//! on what was compiled before.
//! Not here: RE2's syntax (`re2.rs`), what a language makes of a match.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::re2;
use crate::recent::Recent;

/// Sizes a compiled pattern is tried at, in KiB. The smallest that fits tells how much work a byte may be.
const TIERS_KIB: [u32; 4] = [8, 64, 256, 1024];

/// The largest tier for a pattern that is known only while evaluating.
const LATE_TIER_KIB: u32 = 256;

/// What compiling such a pattern costs in steps, and each byte of its text, and each KiB it comes to.
const LATE_STEPS: u64 = 500;
const LATE_STEPS_A_BYTE: u64 = 20;
const LATE_STEPS_A_KIB: u64 = 50;

/// How many such patterns one evaluation keeps.
const MET_MAX: usize = 8;

/// How many the process keeps, and how many KiB of them.
const RECENT_MAX: usize = 64;
const RECENT_KIB_MAX: usize = 2_048;

static RECENT: Recent<Written, Arc<Pattern>> = Recent::new(RECENT_MAX, RECENT_KIB_MAX);

/// What a pattern is compiled from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Written {
    text: Box<str>,
    options: Options,
}

/// How to match, beyond what the pattern itself says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Options {
    pub(crate) ignore_case: bool,
    /// Blanks and comments in the pattern mean nothing.
    pub(crate) extended: bool,
    /// `.` matches a newline too.
    pub(crate) dot_all: bool,
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: Box<str>,
    regex: Regex,
    size_kib: u32,
}

impl Pattern {
    /// Compiles a literal pattern.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        Self::within(text, Options::default(), u32::MAX)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn regex(&self) -> &Regex {
        &self.regex
    }

    pub(crate) fn is_match(&self, subject: &str) -> bool {
        self.regex.is_match(subject)
    }

    /// Steps for reading `bytes`: at worst every part of the pattern looks at every byte.
    pub(crate) fn price(&self, bytes: usize) -> u64 {
        1 + (bytes as u64).saturating_mul(self.size_kib.into()) / 16
    }

    fn within(text: &str, options: Options, tier_max: u32) -> Result<Self, String> {
        let translated = match options.extended {
            true => re2::translate(&re2::without_blanks(text))?,
            false => re2::translate(text)?,
        };
        let mut reason = String::new();
        for size_kib in TIERS_KIB.into_iter().filter(|tier| *tier <= tier_max) {
            let built = RegexBuilder::new(&translated)
                .case_insensitive(options.ignore_case)
                .dot_matches_new_line(options.dot_all)
                .size_limit((size_kib as usize) << 10)
                .build();
            match built {
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
}

/// The last patterns that one evaluation met while running: each is paid for when it is met.
#[derive(Debug, Default)]
pub(crate) struct Met(Vec<(Written, Arc<Pattern>)>);

impl Met {
    /// The pattern `text`. `pay` is asked for the steps of compiling, `refuse` for the error of a pattern that is none.
    pub(crate) fn recall<E>(
        &mut self,
        text: &str,
        options: Options,
        mut pay: impl FnMut(u64) -> Result<(), E>,
        refuse: impl FnOnce(String) -> E,
    ) -> Result<Arc<Pattern>, E> {
        let same = |known: &Written| &*known.text == text && known.options == options;
        if let Some((_, pattern)) = self.0.iter().find(|(known, _)| same(known)) {
            return Ok(pattern.clone());
        }
        pay(LATE_STEPS + text.len() as u64 * LATE_STEPS_A_BYTE)?;
        let written = Written { text: text.into(), options };
        let pattern = RECENT.recall(written.clone(), |written| {
            let pattern = Pattern::within(&written.text, options, LATE_TIER_KIB);
            pattern.map(|pattern| {
                let kib = pattern.size_kib as usize + text.len() / 1024;
                (Arc::new(pattern), kib)
            })
        });
        let size_kib = pattern.as_ref().map_or(LATE_TIER_KIB, |pattern| pattern.size_kib);
        pay(u64::from(size_kib) * LATE_STEPS_A_KIB)?;
        let pattern = pattern.map_err(refuse)?;
        if self.0.len() >= MET_MAX {
            self.0.remove(0);
        }
        self.0.push((written, pattern.clone()));
        Ok(pattern)
    }
}
