//! Functions of lists and objects.
//!
//! Keeps: sorting is stable and total; what a function looks at is charged before it looks.
//! Not here: reading and writing by path (`paths.rs`, `update.rs`).

use std::cmp::Ordering;
use std::sync::Arc;

use opcode_model::{Object, Value};

use super::compare::{Visits, is_true, sorting};
use super::context::Context;
use super::paths::wrong_object;
use super::trouble::{Cause, Outcome};
use super::update::Draft;

pub(super) fn length(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    match value {
        Value::Null => Ok(Value::Int(0)),
        Value::Int(_) | Value::Float(_) => super::math::absolute(context, value),
        Value::String(text) => {
            context.scan(text.len())?;
            Ok(Value::from(text.chars().count()))
        }
        Value::List(items) => Ok(Value::from(items.len())),
        Value::Object(object) => Ok(Value::from(object.len())),
        Value::Bool(_) | Value::Bytes(_) => Err(Cause::apply("length", value)),
    }
}

pub(super) fn keys(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    match value {
        Value::List(items) => {
            context.items(items.len())?;
            Ok(Value::list((0..items.len()).map(Value::from)))
        }
        Value::Object(object) => {
            context.items(object.len())?;
            Ok(Value::list(object.keys().cloned().map(Value::String)))
        }
        other => Err(Cause::apply("keys", other)),
    }
}

/// The items of a list or the values of an object.
pub(super) fn values(context: &mut Context<'_>, value: &Value) -> Outcome<Option<Vec<Value>>> {
    let values: Vec<_> = match value {
        Value::List(items) => items.to_vec(),
        Value::Object(object) => object.iter().map(|pair| pair.1.clone()).collect(),
        _ => return Ok(None),
    };
    context.items(values.len())?;
    Ok(Some(values))
}

pub(super) fn has(_: &mut Context<'_>, value: &Value, arguments: &[Value]) -> Outcome<Value> {
    match (value, arguments) {
        (Value::List(items), [key @ (Value::Int(_) | Value::Float(_))]) => {
            let index = super::arith::to_int(key).and_then(|index| usize::try_from(index).ok());
            Ok(Value::Bool(index.is_some_and(|index| index < items.len())))
        }
        (Value::Object(object), [Value::String(key)]) => {
            Ok(Value::Bool(object.find(key).is_some()))
        }
        (Value::Null, _) => Ok(Value::Bool(false)),
        _ => Err(Cause::apply_to("has", value, arguments)),
    }
}

pub(super) fn contains(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let inner = super::natives::first(arguments);
    holds(context, value, &inner).map(Value::Bool)
}

pub(super) fn inside(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    holds(context, &super::natives::first(arguments), value).map(Value::Bool)
}

fn holds(context: &mut Context<'_>, outer: &Value, inner: &Value) -> Outcome<bool> {
    context.visits(16)?;
    match (outer, inner) {
        (Value::String(text), Value::String(part)) => {
            context.scan(text.len() + part.len())?;
            Ok(text.contains(part.as_ref()))
        }
        (Value::List(a), Value::List(b)) => {
            for wanted in b.iter() {
                let mut found = false;
                for item in a.iter() {
                    // Items of types that cannot hold each other are simply different.
                    found = match holds(context, item, wanted) {
                        Err(cause) if cause.is_final() => return Err(cause),
                        outcome => outcome.unwrap_or(false),
                    };
                    if found {
                        break;
                    }
                }
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Object(a), Value::Object(b)) => {
            for (key, wanted) in b {
                let found = match a.find(key).map(|item| holds(context, item, wanted)) {
                    Some(Err(cause)) if cause.is_final() => return Err(cause),
                    outcome => matches!(outcome, Some(Ok(true))),
                };
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_))
        | (Value::Null, Value::Null) => Ok(outer == inner),
        (Value::Bool(a), Value::Bool(b)) if a == b => Ok(true),
        _ => Err(Cause::apply_to("contains", outer, std::slice::from_ref(inner))),
    }
}

pub(super) fn add(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    match values(context, value)? {
        Some(items) => sum(context, items),
        None => Err(Cause::apply("add", value)),
    }
}

/// What a sum is so far: texts, lists and objects grow in place.
enum Sum {
    Value(Value),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(Arc<str>, Value)>),
}

impl Sum {
    fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Text(text) => Value::from(text),
            Self::List(items) => Value::from(items),
            Self::Object(pairs) => Value::Object(Object::from_pairs(pairs)),
        }
    }
}

/// All items added from the left.
pub(super) fn sum(context: &mut Context<'_>, items: Vec<Value>) -> Outcome<Value> {
    let mut sum = Sum::Value(Value::Null);
    for item in items {
        sum = match (sum, item) {
            (sum, Value::Null) => sum,
            (Sum::Value(Value::Null), Value::String(text)) => Sum::Text(text.to_string()),
            (Sum::Value(Value::Null), Value::List(items)) => Sum::List(items.to_vec()),
            (Sum::Value(Value::Null), Value::Object(object)) => {
                Sum::Object(object.iter().cloned().collect())
            }
            (Sum::Text(mut sum), Value::String(text)) => {
                context.bytes(text.len())?;
                sum += &text;
                Sum::Text(sum)
            }
            (Sum::List(mut sum), Value::List(items)) => {
                context.items(items.len())?;
                sum.extend(items.iter().cloned());
                Sum::List(sum)
            }
            (Sum::Object(mut sum), Value::Object(object)) => {
                context.pairs(object.len())?;
                sum.extend(object.iter().cloned());
                Sum::Object(sum)
            }
            (sum, item) => Sum::Value(context.add(&sum.into_value(), &item)?),
        };
    }
    Ok(sum.into_value())
}

pub(super) fn reverse(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let Value::List(items) = value else { return Err(Cause::apply("reverse", value)) };
    context.items(items.len())?;
    Ok(Value::list(items.iter().rev().cloned()))
}

pub(super) fn to_entries(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let entry = |key: Value, value: &Value| {
        Value::Object(Object::from_pairs(vec![
            ("key".into(), key),
            ("value".into(), value.clone()),
        ]))
    };
    match value {
        Value::List(items) => {
            context.pairs(items.len() * 3)?;
            let items = items.iter().enumerate();
            Ok(Value::list(items.map(|(at, item)| entry(Value::from(at), item))))
        }
        Value::Object(object) => {
            context.pairs(object.len() * 3)?;
            let pairs = object.iter();
            Ok(Value::list(pairs.map(|(key, item)| entry(Value::String(key.clone()), item))))
        }
        other => Err(Cause::apply("keys", other)),
    }
}

/// Entries under any of jq's names for a key and a value.
pub(super) fn from_entries(
    context: &mut Context<'_>,
    value: &Value,
    _: &[Value],
) -> Outcome<Value> {
    let Some(entries) = values(context, value)? else {
        return Err(Cause::wanted("cannot iterate over", value));
    };
    context.pairs(entries.len())?;
    let mut pairs = Vec::with_capacity(entries.len());
    for entry in &entries {
        let (Value::Object(_) | Value::Null) = entry else { return Err(wrong_object(entry)) };
        let key = ["key", "Key", "name", "Name"]
            .into_iter()
            .filter_map(|name| entry.find(name))
            .find(|key| is_true(key))
            .or_else(|| entry.find("Name"));
        let Some(Value::String(key)) = key else {
            let key = key.cloned().unwrap_or_default();
            return Err(Cause::wanted(super::paths::KEY, &key));
        };
        let value = entry.find("value").or_else(|| entry.find("Value")).cloned();
        pairs.push((key.clone(), value.unwrap_or_default()));
    }
    Ok(Value::Object(Object::from_pairs(pairs)))
}

pub(super) fn flatten(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let Some(items) = values(context, value)? else { return Err(Cause::apply("flatten", value)) };
    let depth = match arguments.first() {
        None => f64::INFINITY,
        Some(depth) => match depth.as_f64() {
            Some(levels) if levels < 0.0 => {
                let shown = super::json::preview(depth);
                let message = format!("flatten depth should not be negative: {shown}");
                return Err(Cause::message(message));
            }
            Some(levels) => levels,
            None => return Err(Cause::apply("flatten", depth)),
        },
    };
    let mut flat = Vec::new();
    flatten_into(context, &mut flat, &items, depth)?;
    Ok(Value::from(flat))
}

fn flatten_into(
    context: &mut Context<'_>,
    flat: &mut Vec<Value>,
    items: &[Value],
    depth: f64,
) -> Outcome<()> {
    context.items(items.len())?;
    context.visits(16)?;
    for item in items {
        match item {
            // The depth counts down past a fraction, and then goes all the way.
            Value::List(inner) if depth != 0.0 => flatten_into(context, flat, inner, depth - 1.0)?,
            other => flat.push(other.clone()),
        }
    }
    Ok(())
}

// By order.

/// A list, and the list that orders it.
fn ordered<'a>(
    context: &mut Context<'_>,
    name: &'static str,
    value: &'a Value,
    by: Option<&'a Value>,
) -> Outcome<(&'a [Value], &'a [Value])> {
    let arguments: &[Value] = by.map(std::slice::from_ref).unwrap_or_default();
    let (Value::List(items), Value::List(keys)) = (value, by.unwrap_or(value)) else {
        return Err(Cause::apply_to(name, value, arguments));
    };
    if items.len() != keys.len() {
        return Err(Cause::message("length mismatch").within(name, value, arguments));
    }
    context.items(items.len() * 2)?;
    Ok((items, keys))
}

/// The places of `keys` in their order. Every key may be looked at once for each doubling of their number.
fn order_of(context: &mut Context<'_>, keys: &[Value]) -> Outcome<Vec<usize>> {
    let doublings = u64::from(usize::BITS - keys.len().leading_zeros());
    let weight = context.weigh(keys)?;
    context.visits((weight as u64 / 8).saturating_mul(doublings + 1))?;
    let mut visits = Visits { count: 0, most: u64::MAX };
    let mut places: Vec<usize> = (0..keys.len()).collect();
    let key = |at: usize| keys.get(at).unwrap_or(&Value::Null);
    places.sort_by(|a, b| sorting(key(*a), key(*b), &mut visits));
    Ok(places)
}

pub(super) fn sort(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    by: Option<&Value>,
) -> Outcome<Value> {
    let (items, keys) = ordered(context, name, value, by)?;
    let places = order_of(context, keys)?;
    Ok(Value::list(places.into_iter().filter_map(|at| items.get(at).cloned())))
}

/// The items in order, those with equal keys together.
fn groups(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    by: Option<&Value>,
) -> Outcome<Vec<Vec<Value>>> {
    let (items, keys) = ordered(context, name, value, by)?;
    let mut groups: Vec<Vec<Value>> = Vec::new();
    let mut last: Option<&Value> = None;
    for at in order_of(context, keys)? {
        let (Some(item), Some(key)) = (items.get(at), keys.get(at)) else { continue };
        let equal = match last {
            Some(last) => context.order(last, key)?.is_eq(),
            None => false,
        };
        match groups.last_mut() {
            Some(group) if equal => group.push(item.clone()),
            _ => {
                context.meter.bytes(64)?;
                groups.push(vec![item.clone()]);
            }
        }
        last = Some(key);
    }
    Ok(groups)
}

pub(super) fn unique(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    by: Option<&Value>,
) -> Outcome<Value> {
    let groups = groups(context, name, value, by)?;
    Ok(Value::list(groups.into_iter().filter_map(|group| group.into_iter().next())))
}

pub(super) fn group(
    context: &mut Context<'_>,
    value: &Value,
    by: Option<&Value>,
) -> Outcome<Value> {
    let groups = groups(context, "group_by", value, by)?;
    Ok(Value::list(groups.into_iter().map(Value::from)))
}

/// The first of the least, or the last of the greatest.
pub(super) fn extreme(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    by: Option<&Value>,
) -> Outcome<Value> {
    let (items, keys) = ordered(context, name, value, by)?;
    let least = name.starts_with("min");
    let mut best: Option<(&Value, &Value)> = None;
    for (item, key) in items.iter().zip(keys) {
        let better = match best {
            None => true,
            Some((_, so_far)) => (context.order(so_far, key)? == Ordering::Greater) == least,
        };
        if better {
            best = Some((item, key));
        }
    }
    Ok(best.map(|(item, _)| item.clone()).unwrap_or_default())
}

pub(super) fn bsearch(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let Value::List(items) = value else {
        return Err(Cause::apply_to("bsearch", value, arguments));
    };
    let wanted = super::natives::first(arguments);
    let (mut low, mut high) = (0, items.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let item = items.get(middle).cloned().unwrap_or_default();
        if context.order(&item, &wanted)?.is_lt() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let found = match items.get(low) {
        Some(item) => context.order(item, &wanted)?.is_eq(),
        None => false,
    };
    let place = i64::try_from(low).unwrap_or(i64::MAX);
    Ok(Value::Int(if found { place } else { -place - 1 }))
}

// By place.

pub(super) fn indices(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    positions(context, "indices", value, arguments)
}

pub(super) fn index(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let found = positions(context, "index", value, arguments)?;
    Ok(found.as_list().and_then(<[Value]>::first).cloned().unwrap_or_default())
}

pub(super) fn rindex(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let found = positions(context, "rindex", value, arguments)?;
    Ok(found.as_list().and_then(<[Value]>::last).cloned().unwrap_or_default())
}

fn positions(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let wanted = super::natives::first(arguments);
    match (value, &wanted) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::List(items), Value::List(wanted)) => context.positions(items, wanted),
        (Value::List(items), wanted) => context.positions(items, std::slice::from_ref(wanted)),
        (Value::String(text), Value::String(part)) => {
            context.scan((text.len() + part.len()) * 8)?;
            let mut found = Vec::new();
            let starts = text.char_indices().filter(|_| !part.is_empty());
            for (letters, (at, _)) in starts.enumerate() {
                if text.get(at..).is_some_and(|rest| rest.starts_with(part.as_ref())) {
                    found.push(Value::from(letters));
                }
            }
            context.items(found.len())?;
            context.scan(found.len().saturating_mul(part.len()))?;
            Ok(Value::from(found))
        }
        _ => Err(Cause::apply_to(name, value, arguments)),
    }
}

pub(super) fn transpose(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let wrong = || Cause::apply("transpose", value);
    let rows: Option<Vec<&[Value]>> =
        value.as_list().and_then(|rows| rows.iter().map(Value::as_list).collect());
    let rows = rows.ok_or_else(wrong)?;
    let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    context.items(width.saturating_mul(rows.len() + 1))?;
    let column =
        |at: usize| Value::list(rows.iter().map(|row| row.get(at).cloned().unwrap_or_default()));
    Ok(Value::list((0..width).map(column)))
}

// By path.

pub(super) fn set_path(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let [Value::List(path), new] = arguments else {
        return Err(Cause::apply_to("setpath", value, arguments.get(..1).unwrap_or_default()));
    };
    let mut draft = Draft::Whole(value.clone());
    draft.set(context, path, new).map_err(|cause| cause.within("setpath", value, arguments))?;
    draft.close(context)
}

pub(super) fn delete_paths(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let [Value::List(paths)] = arguments else {
        return Err(Cause::apply_to("delpaths", value, arguments));
    };
    let mut draft = Draft::Whole(value.clone());
    for path in paths.iter() {
        let outcome = match path {
            Value::List(keys) => draft.delete(context, keys),
            other => Err(super::paths::wrong_array(other)),
        };
        outcome.map_err(|cause| cause.within("delpaths", value, arguments))?;
    }
    draft.close(context)
}

/// A match's named groups as an object.
pub(super) fn captures(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let Value::List(groups) = value else { return Err(super::paths::wrong_array(value)) };
    context.pairs(groups.len())?;
    let named = groups.iter().filter_map(|group| {
        let Some(Value::String(name)) = group.find("name") else { return None };
        Some((name.clone(), group.find("string").cloned().unwrap_or_default()))
    });
    Ok(Value::Object(Object::from_pairs(named.collect())))
}
