//! Reading parts of values: `.[key]`, `.[from:to]`, `getpath`.
//!
//! Keeps: what is not there is null; a text is indexed and cut by letters; fractions are cut, a slice's end is rounded up.
//! Not here: writing (`update.rs`).

use std::ops::Range;
use std::sync::Arc;

use opcode_model::Value;

use super::arith::to_int;
use super::context::Context;
use super::trouble::{Cause, Outcome};

const OBJECT: &str = "expected an object but got";
const ARRAY: &str = "expected an array but got";
pub(super) const KEY: &str = "expected a string for object key but got";
const NUMBER: &str = "expected a number for indexing an array but got";
const LETTER: &str = "expected a number for indexing a string but got";
const START_END: &str = "expected \"start\" and \"end\" for slicing but got";

/// What a path's part asks for.
pub(super) enum Part<'a> {
    Key(&'a Arc<str>),
    Item(i64),
    Slice(&'a Value, &'a Value),
}

pub(super) fn wrong_object(of: &Value) -> Box<Cause> {
    Cause::wanted(OBJECT, of)
}

pub(super) fn wrong_array(of: &Value) -> Box<Cause> {
    Cause::wanted(ARRAY, of)
}

/// A path's part for reading or writing `of`.
pub(super) fn part<'a>(of: &Value, key: &'a Value) -> Outcome<Part<'a>> {
    match key {
        Value::String(key) => Ok(Part::Key(key)),
        Value::Int(_) | Value::Float(_) => Ok(Part::Item(to_int(key).unwrap_or(0))),
        Value::Object(slice) => match (slice.find("start"), slice.find("end")) {
            (Some(start), Some(end)) => Ok(Part::Slice(start, end)),
            _ => Err(Cause::wanted(START_END, key)),
        },
        Value::Null | Value::Bool(_) | Value::Bytes(_) | Value::List(_) => Err(Cause::wanted(
            match of {
                Value::List(_) => NUMBER,
                Value::String(_) => LETTER,
                _ => KEY,
            },
            key,
        )),
    }
}

/// The item's place among `len`, counted from the end if negative.
pub(super) fn place(index: i64, len: usize) -> Option<usize> {
    let from_start = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
    usize::try_from(from_start).ok()
}

/// The places from `start` to `end` among `len`.
pub(super) fn range(
    start: &Value,
    end: &Value,
    len: usize,
    wanted: &'static str,
) -> Outcome<Range<usize>> {
    let clamp = |index: i64, least: usize| match place(index, len) {
        Some(at) => at.clamp(least, len.max(least)),
        None => least,
    };
    let from = match start {
        Value::Null => 0,
        start => clamp(to_int(start).ok_or_else(|| Cause::wanted(wanted, start))?, 0),
    };
    let from = from.min(len);
    let to = match end {
        Value::Null => len,
        Value::Float(number) => clamp(to_int(&Value::Float(number.ceil())).unwrap_or(0), from),
        end => clamp(to_int(end).ok_or_else(|| Cause::wanted(wanted, end))?, from),
    };
    Ok(from..to.max(from))
}

/// The places of a slice of an array, for writing.
pub(super) fn array_range(start: &Value, end: &Value, len: usize) -> Outcome<Range<usize>> {
    range(start, end, len, NUMBER)
}

impl Context<'_> {
    /// `of[key]`.
    pub(super) fn index(&mut self, of: &Value, key: &Value) -> Outcome<Value> {
        if let (Value::Null | Value::List(_), Value::List(wanted)) = (of, key) {
            return match of {
                Value::List(items) => self.positions(items, wanted),
                _ => Ok(Value::Null),
            };
        }
        if let Value::List(_) = key {
            return Err(wrong_array(of));
        }
        match (part(of, key)?, of) {
            (_, Value::Null) => Ok(Value::Null),
            (Part::Key(key), of) => field(of, key),
            (Part::Item(index), Value::List(items)) => Ok(place(index, items.len())
                .and_then(|at| items.get(at))
                .cloned()
                .unwrap_or_default()),
            (Part::Item(index), Value::String(text)) => {
                self.scan(text.len() * 8)?;
                let letters = if index < 0 { text.chars().count() } else { 0 };
                let letter = place(index, letters).and_then(|at| text.chars().nth(at));
                Ok(letter.map(|letter| Value::from(letter.to_string())).into())
            }
            (Part::Item(_), of) => Err(wrong_array(of)),
            (Part::Slice(start, end), of) => self.slice(of, start, end),
        }
    }

    /// `of[start:end]`.
    pub(super) fn slice(&mut self, of: &Value, start: &Value, end: &Value) -> Outcome<Value> {
        match of {
            Value::Null => Ok(Value::Null),
            Value::List(items) => {
                let range = range(start, end, items.len(), NUMBER)?;
                if range.len() == items.len() {
                    return Ok(of.clone());
                }
                self.items(range.len())?;
                Ok(Value::list(items.get(range).unwrap_or_default().iter().cloned()))
            }
            Value::String(text) => {
                self.scan(text.len() * 8)?;
                let range = range(start, end, text.chars().count(), LETTER)?;
                let piece = letters(text, range);
                self.bytes(piece.len())?;
                Ok(Value::from(piece))
            }
            _ => Err(wrong_array(of)),
        }
    }

    /// Where `wanted` begins in `items`.
    pub(super) fn positions(&mut self, items: &[Value], wanted: &[Value]) -> Outcome<Value> {
        let mut found = Vec::new();
        if wanted.is_empty() {
            return Ok(Value::from(found));
        }
        for (at, window) in items.windows(wanted.len()).enumerate() {
            if self.same(window, wanted)? {
                found.push(Value::from(at));
            }
        }
        self.items(found.len())?;
        Ok(Value::from(found))
    }

    pub(super) fn same(&mut self, left: &[Value], right: &[Value]) -> Outcome<bool> {
        self.steps(1)?;
        for (left, right) in left.iter().zip(right) {
            if self.order(left, right)?.is_ne() {
                return Ok(false);
            }
        }
        Ok(left.len() == right.len())
    }

    /// The value at the end of a path.
    pub(super) fn get_path(&mut self, of: &Value, path: &Value) -> Outcome<Value> {
        let wrong = || Cause::apply_to("getpath", of, std::slice::from_ref(path));
        let Value::List(keys) = path else { return Err(wrong()) };
        self.visits(keys.len() as u64)?;
        let mut value = of.clone();
        for key in keys.iter() {
            if !matches!(value, Value::Null | Value::List(_) | Value::Object(_)) {
                return Err(wrong());
            }
            value = self
                .index(&value, key)
                .map_err(|cause| cause.within("getpath", of, std::slice::from_ref(path)))?;
        }
        Ok(value)
    }
}

/// `of.key`.
pub(super) fn field(of: &Value, key: &str) -> Outcome<Value> {
    match of {
        Value::Object(object) => Ok(object.find(key).cloned().unwrap_or_default()),
        Value::Null => Ok(Value::Null),
        _ => Err(wrong_object(of)),
    }
}

/// The letters of a text from one place to another.
pub(super) fn letters(text: &str, range: Range<usize>) -> &str {
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let from = ends.nth(range.start).unwrap_or(text.len());
    let to = match range.len() {
        0 => from,
        len => ends.nth(len - 1).unwrap_or(text.len()),
    };
    text.get(from..to).unwrap_or_default()
}
