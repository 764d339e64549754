//! Regular expressions: compiled once an evaluation, matched in linear time, charged by what they may cost at worst.
//!
//! Keeps: classes such as `\d` are ASCII as in RE2; positions count letters; a compiled pattern is bounded in size.
//! Not here: what `sub` puts in place of a match (`prelude.jq` asks, `splice` puts it together).

use std::sync::Arc;

use opcode_model::{Object, Value};
use regex::{Captures, Regex, RegexBuilder};

use super::context::Context;
use super::natives;
use super::paths::letters;
use super::trouble::{Cause, Outcome};

/// Sizes a compiled pattern is tried at, in KiB. The smallest that fits tells how much work a byte may be.
const TIERS_KIB: [usize; 3] = [8, 64, 256];

/// How many patterns one evaluation keeps.
const KEPT_MAX: usize = 8;

/// What compiling a pattern costs in steps.
const COMPILE_STEPS: u64 = 2_000;

/// A compiled pattern and what it was compiled from.
pub(super) struct Pattern {
    source: Arc<str>,
    flags: Flags,
    regex: Regex,
    size_kib: usize,
}

/// How to match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    global: bool,
    ignore_case: bool,
    extended: bool,
    dot_all: bool,
    skip_empty: bool,
}

impl Flags {
    fn parse(text: &str) -> Option<Self> {
        let mut flags = Self::default();
        for letter in text.chars() {
            match letter {
                'g' => flags.global = true,
                'i' => flags.ignore_case = true,
                'x' => flags.extended = true,
                's' | 'm' | 'p' => flags.dot_all = true,
                'n' => flags.skip_empty = true,
                // Matches are found leftmost first; there is no other way to find them.
                'l' => {}
                _ => return None,
            }
        }
        Some(flags)
    }
}

impl Pattern {
    fn compile(source: &Arc<str>, flags: Flags) -> Outcome<Self> {
        let mut reason = String::new();
        for size_kib in TIERS_KIB {
            let built = RegexBuilder::new(&to_ascii_classes(source))
                .case_insensitive(flags.ignore_case)
                .ignore_whitespace(flags.extended)
                .dot_matches_new_line(flags.dot_all)
                .size_limit(size_kib << 10)
                .build();
            match built {
                Ok(regex) => return Ok(Self { source: source.clone(), flags, regex, size_kib }),
                Err(error @ regex::Error::CompiledTooBig(_)) => reason = error.to_string(),
                Err(error) => {
                    // The first lines draw the pattern; the last says what is wrong.
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    reason = last.trim_start_matches("error: ").to_owned();
                    break;
                }
            }
        }
        let source = super::json::preview(&Value::String(source.clone()));
        Err(Cause::message(format!("invalid regular expression {source}: {reason}")))
    }

    /// Steps for reading `bytes`: at worst every part of the pattern looks at every byte.
    fn price(&self, bytes: usize, groups: bool) -> u64 {
        let each = self.size_kib as u64 * if groups { 2 } else { 1 };
        1 + (bytes as u64).saturating_mul(each) / 32
    }
}

/// `\d`, `\s`, `\w` and `\b` as RE2 means them, and what only this engine gives a meaning inside brackets made plain.
fn to_ascii_classes(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut letters = source.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let next = letters.next();
                match (next, in_class) {
                    (Some('d'), _) => out.push_str("[0-9]"),
                    (Some('D'), _) => out.push_str("[^0-9]"),
                    (Some('w'), _) => out.push_str("[0-9A-Za-z_]"),
                    (Some('W'), _) => out.push_str("[^0-9A-Za-z_]"),
                    (Some('s'), _) => out.push_str("[\\t\\n\\f\\r ]"),
                    (Some('S'), _) => out.push_str("[^\\t\\n\\f\\r ]"),
                    (Some('b'), false) => out.push_str("(?-u:\\b)"),
                    (Some('B'), false) => out.push_str("(?-u:\\B)"),
                    (next, _) => out.extend(['\\'].into_iter().chain(next)),
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if letters.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            '[' if letters.peek() == Some(&':') => {
                // A named class, up to its `:]`.
                out.push('[');
                for letter in letters.by_ref() {
                    out.push(letter);
                    if letter == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', letter]),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}

/// The text and the place of the compiled pattern among those kept.
fn prepare<'a>(
    context: &mut Context<'_>,
    name: &'static str,
    value: &'a Value,
    arguments: &[Value],
) -> Outcome<(&'a Arc<str>, usize)> {
    let wrong = || Cause::apply_to(name, value, arguments);
    let (Value::String(text), [Value::String(source), flags]) = (value, arguments) else {
        return Err(wrong());
    };
    let written = match flags {
        Value::Null => "",
        Value::String(flags) => flags.as_ref(),
        _ => return Err(wrong()),
    };
    let Some(flags) = Flags::parse(written) else {
        let shown = super::json::preview(&Value::from(written));
        return Err(Cause::message(format!("unsupported regular expression flag: {shown}")));
    };
    let known = |known: &Pattern| known.source == *source && known.flags == flags;
    context.scan(source.len())?;
    if let Some(at) = context.patterns.iter().position(known) {
        return Ok((text, at));
    }
    context.steps(COMPILE_STEPS + source.len() as u64 * 20)?;
    let compiled = Pattern::compile(source, flags)?;
    if context.patterns.len() >= KEPT_MAX {
        context.patterns.remove(0);
    }
    context.patterns.push(compiled);
    Ok((text, context.patterns.len() - 1))
}

pub(super) fn test(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let (text, at) = prepare(context, "test", value, arguments)?;
    let Some(pattern) = context.patterns.get(at) else { return Ok(Value::Null) };
    let price = pattern.price(text.len(), false);
    let found = pattern.regex.clone();
    let skip_empty = pattern.flags.skip_empty;
    context.steps(price)?;
    let is_match = match skip_empty {
        true => found.find_iter(text).any(|found| !found.is_empty()),
        false => found.is_match(text),
    };
    Ok(Value::Bool(is_match))
}

/// Letters before a place, counted on from the place before.
#[derive(Default)]
struct Counter {
    byte: usize,
    letters: usize,
}

impl Counter {
    fn letters_before(&mut self, text: &str, byte: usize) -> usize {
        let (from, to) = (self.byte.min(byte), self.byte.max(byte));
        let between = text.get(from..to).unwrap_or_default().chars().count();
        self.letters =
            if byte < self.byte { self.letters - between } else { self.letters + between };
        self.byte = byte;
        self.letters
    }
}

/// Calls `each` for every match that the flags ask for.
fn matches(
    context: &mut Context<'_>,
    text: &str,
    at: usize,
    mut each: impl FnMut(&mut Context<'_>, &Regex, Captures<'_>) -> Outcome<()>,
) -> Outcome<()> {
    let Some(pattern) = context.patterns.get(at) else { return Ok(()) };
    let (price, flags, regex) =
        (pattern.price(text.len(), true), pattern.flags, pattern.regex.clone());
    context.steps(price)?;
    for found in regex.captures_iter(text) {
        if flags.skip_empty && found.get(0).is_some_and(|all| all.is_empty()) {
            continue;
        }
        context.steps(1)?;
        each(context, &regex, found)?;
        if !flags.global {
            break;
        }
    }
    Ok(())
}

fn object<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::Object(Object::from_pairs(
        pairs.into_iter().map(|(key, value)| (key.into(), value)).collect(),
    ))
}

/// Every match with where it is, its text and its groups.
pub(super) fn find(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let (text, at) = prepare(context, "match", value, arguments)?;
    let mut found = Vec::new();
    let mut counter = Counter::default();
    matches(context, text, at, |context, regex, captures| {
        let groups = regex.capture_names().enumerate().skip(1);
        context.bytes((captures.len() + 1) * 300)?;
        let mut place = |group: Option<regex::Match<'_>>| match group {
            None => (Value::Int(-1), Value::Int(0), Value::Null),
            Some(group) => {
                let start = counter.letters_before(text, group.start());
                let end = counter.letters_before(text, group.end());
                (Value::from(start), Value::from(end - start), Value::from(group.as_str()))
            }
        };
        let (offset, length, string) = place(captures.get(0));
        let mut captured = Vec::new();
        for (index, name) in groups {
            let (offset, length, string) = place(captures.get(index));
            captured.push(object([
                ("length", length),
                ("name", name.map_or(Value::Null, Value::from)),
                ("offset", offset),
                ("string", string),
            ]));
        }
        context.scan(text.len())?;
        found.push(object([
            ("captures", Value::from(captured)),
            ("length", length),
            ("offset", offset),
            ("string", string),
        ]));
        Ok(())
    })?;
    Ok(Value::from(found))
}

/// The text of every match, or of its groups if the pattern has any.
pub(super) fn scan(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let arguments = globally(context, arguments)?;
    let (text, at) = prepare(context, "match", value, &arguments)?;
    let mut found = Vec::new();
    matches(context, text, at, |context, _, captures| {
        context.bytes(captures.len() * 64 + captures.get(0).map_or(0, |all| all.len()))?;
        let text = |group: Option<regex::Match<'_>>| {
            group.map_or(Value::Null, |group| Value::from(group.as_str()))
        };
        found.push(match captures.len() {
            1 => text(captures.get(0)),
            _ => Value::list(captures.iter().skip(1).map(text)),
        });
        Ok(())
    })?;
    Ok(Value::from(found))
}

/// The arguments with `g` among the flags.
fn globally(context: &mut Context<'_>, arguments: &[Value]) -> Outcome<Vec<Value>> {
    let flags = arguments.get(1).cloned().unwrap_or_default();
    let flags = context.add(&flags, &Value::from("g"))?;
    Ok(vec![natives::first(arguments), flags])
}

/// The pieces of a text between matches.
pub(super) fn split(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let arguments = globally(context, arguments)?;
    let (text, at) = prepare(context, "match", value, &arguments)?;
    let mut pieces = Vec::new();
    let mut from = 0;
    matches(context, text, at, |context, _, captures| {
        if let Some(all) = captures.get(0) {
            let piece = text.get(from..all.start()).unwrap_or_default();
            context.bytes(piece.len() + 48)?;
            pieces.push(Value::from(piece));
            from = all.end();
        }
        Ok(())
    })?;
    let rest = text.get(from..).unwrap_or_default();
    context.bytes(rest.len() + 48)?;
    pieces.push(Value::from(rest));
    Ok(Value::from(pieces))
}

/// A text with matches replaced: the input is the text, the argument pairs of a match and what may stand in its place.
/// There is an answer for every first, second, … replacement.
pub(super) fn splice(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let edits = natives::first(arguments);
    let (Value::String(text), Some(edits)) = (value, edits.as_list()) else {
        return Err(Cause::apply("sub", value));
    };
    let mut answers: Vec<Value> = Vec::new();
    let mut counter = (0_usize, text.as_ref());
    let mut cut = |to: usize| {
        let piece = letters(counter.1, 0..to.saturating_sub(counter.0));
        counter = (to.max(counter.0), counter.1.get(piece.len()..).unwrap_or_default());
        piece
    };
    let number = |of: Option<&Value>, name: &str| {
        let number = of.and_then(|found| found.find(name)).and_then(Value::as_i64);
        usize::try_from(number.unwrap_or(0)).unwrap_or(0)
    };
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for edit in edits {
        let edit = edit.as_list().unwrap_or_default();
        let offset = number(edit.first(), "offset");
        let gap = Value::from(cut(offset));
        cut(offset + number(edit.first(), "length"));
        let insertions = edit.get(1).and_then(Value::as_list).unwrap_or_default();
        for (at, insertion) in insertions.iter().enumerate() {
            if parts.len() <= at {
                parts.push(Vec::new());
            }
            if let Some(parts) = parts.get_mut(at) {
                context.items(2)?;
                parts.extend([gap.clone(), insertion.clone()]);
            }
        }
    }
    let rest = Value::from(cut(usize::MAX));
    context.scan(text.len() * 4)?;
    for mut parts in parts {
        for part in &parts {
            if !matches!(part, Value::String(_) | Value::Null) {
                return Err(Box::new(Cause::Operator {
                    verb: "add",
                    left: value.clone(),
                    right: part.clone(),
                }));
            }
        }
        parts.push(rest.clone());
        answers.push(super::lists::sum(context, parts)?);
    }
    if answers.is_empty() {
        answers.push(value.clone());
    }
    Ok(Value::from(answers))
}
