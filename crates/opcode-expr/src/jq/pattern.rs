//! Functions of regular expressions: what matches and where, pieces between matches, texts put in their place.
//!
//! Keeps: positions count letters; nothing is read before it is paid for.
//! Not here: patterns themselves (`pattern.rs` of the crate), what `sub` puts in place of a match (`prelude.jq` asks, `splice` puts it together).

use std::sync::Arc;

use opcode_model::{Object, Value};
use regex::{Captures, Match};

use super::context::Context;
use super::natives;
use super::paths::letters;
use super::trouble::{Cause, Outcome};
use crate::pattern::{Options, Pattern};

/// A pattern and how it is to be used.
struct Prepared<'a> {
    text: &'a Arc<str>,
    pattern: Arc<Pattern>,
    flags: Flags,
}

/// Which matches are wanted, and how to match.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    global: bool,
    skip_empty: bool,
    options: Options,
}

impl Flags {
    fn parse(text: &str) -> Option<Self> {
        let mut flags = Self::default();
        for letter in text.chars() {
            match letter {
                'g' => flags.global = true,
                'i' => flags.options.ignore_case = true,
                'x' => flags.options.extended = true,
                's' | 'm' | 'p' => flags.options.dot_all = true,
                'n' => flags.skip_empty = true,
                // Matches are found leftmost first; there is no other way to find them.
                'l' => {}
                _ => return None,
            }
        }
        Some(flags)
    }
}

/// The text, the pattern and its flags.
fn prepare<'a>(
    context: &mut Context<'_>,
    name: &'static str,
    value: &'a Value,
    arguments: &[Value],
) -> Outcome<Prepared<'a>> {
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
    context.scan(source.len())?;
    let mut met = std::mem::take(&mut context.met);
    let pattern = met.recall(
        source,
        flags.options,
        |count| context.steps(count),
        |reason| {
            let source = super::json::preview(&Value::String(source.clone()));
            Cause::message(format!("invalid regular expression {source}: {reason}"))
        },
    );
    context.met = met;
    Ok(Prepared { text, pattern: pattern?, flags })
}

pub(super) fn test(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let Prepared { text, pattern, flags } = prepare(context, "test", value, arguments)?;
    context.steps(pattern.price(text.len()))?;
    let is_match = match flags.skip_empty {
        true => pattern.regex().find_iter(text).any(|found| !found.is_empty()),
        false => pattern.is_match(text),
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
    Prepared { text, pattern, flags }: &Prepared<'_>,
    mut each: impl FnMut(&mut Context<'_>, Captures<'_>) -> Outcome<()>,
) -> Outcome<()> {
    // Finding groups takes about twice the work of finding a match.
    context.steps(pattern.price(text.len()) * 2)?;
    for found in pattern.regex().captures_iter(text) {
        if flags.skip_empty && found.get(0).is_some_and(|all| all.is_empty()) {
            continue;
        }
        context.steps(1)?;
        each(context, found)?;
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
    let prepared = prepare(context, "match", value, arguments)?;
    let Prepared { text, pattern, .. } = &prepared;
    let mut found = Vec::new();
    let mut counter = Counter::default();
    matches(context, &prepared, |context, captures| {
        let groups = pattern.regex().capture_names().enumerate().skip(1);
        context.bytes((captures.len() + 1) * 300)?;
        let mut place = |group: Option<Match<'_>>| match group {
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
    let prepared = prepare(context, "match", value, &arguments)?;
    let mut found = Vec::new();
    matches(context, &prepared, |context, captures| {
        context.bytes(captures.len() * 64 + captures.get(0).map_or(0, |all| all.len()))?;
        let text = |group: Option<Match<'_>>| {
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
    let prepared = prepare(context, "match", value, &arguments)?;
    let text = prepared.text;
    let mut pieces = Vec::new();
    let mut from = 0;
    matches(context, &prepared, |context, captures| {
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
