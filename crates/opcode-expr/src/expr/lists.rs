//! Functions of lists and maps.
//!
//! Keeps: what is copied is charged; equality and order are charged pair by pair.
//! Not here: functions with predicates (`loops.rs`), extremes and means (`numbers.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is a type error, whichever it is"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::Value;

use super::access::{at_position, missing, position};
use super::calls::Arguments;
use super::eval::Machine;
use super::functions::Function;
use super::loops::is_descending;
use super::trouble::Outcome;
use super::value::{Datum, Keyed};

/// Letters of a text, items of a list, keys of a map.
pub(super) fn len(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let value = given.value(0);
    if let Some(text) = value.as_text() {
        machine.scan(text.len(), given.span)?;
        return Ok(text.chars().count().into());
    }
    match value.count() {
        Some(count) => Ok(count.into()),
        None => Err(given.wanted("a string, an array or a map", value)),
    }
}

/// The first or last of what has an order; nil for everything else.
pub(super) fn end(of: &Datum, index: i64) -> Datum {
    let len = match of {
        Datum::Json(Value::String(text)) => text.len(),
        Datum::Keyed(keyed) => {
            let found = Datum::Int(index).as_key().and_then(|key| keyed.entries.get(&key).cloned());
            return found.unwrap_or_else(|| missing(of));
        }
        _ if of.is_list() => of.count().unwrap_or(0),
        _ => return Datum::NIL,
    };
    position(index, len).map_or(Datum::NIL, |at| at_position(of, at))
}

/// `get(from, key)`: nil where `from[key]` finds nothing.
pub(super) fn get(given: &Arguments<'_>) -> Outcome<Datum> {
    let (from, key) = (given.value(0), given.value(1));
    let len = match from {
        Datum::Json(Value::String(text)) => text.len(),
        Datum::Keyed(keyed) => {
            let Some(key) = key.as_key() else {
                return Err(given.wanted("a key that is no array and no map", key));
            };
            return Ok(keyed.entries.get(&key).cloned().unwrap_or(Datum::NIL));
        }
        _ if from.is_list() => from.count().unwrap_or(0),
        _ if from.is_map() => {
            return match (key.as_text(), key) {
                (Some(name), _) => Ok(from.under(name).unwrap_or(Datum::NIL)),
                (None, Datum::Json(Value::Null)) => Ok(from.under("").unwrap_or(Datum::NIL)),
                _ => Err(given.wanted("a string as key of a map", key)),
            };
        }
        _ => return Ok(Datum::NIL),
    };
    let number = key.as_number().ok_or_else(|| given.wanted("a whole number as index", key))?;
    Ok(position(number.truncated(), len).map_or(Datum::NIL, |at| at_position(from, at)))
}

/// The items of a list as they are, charged as a copy.
fn copied(machine: &mut Machine<'_>, list: &Datum, given: &Arguments<'_>) -> Outcome<Vec<Datum>> {
    let len = list.count().unwrap_or(0);
    machine.items(len, given.span)?;
    Ok((0..len).filter_map(|at| list.item(at)).collect())
}

pub(super) fn take(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let list = given.list(0)?;
    let Ok(count) = usize::try_from(given.whole(1)?) else {
        return Err(given.refuse("takes a count of 0 or more"));
    };
    let mut items = copied(machine, list, given)?;
    items.truncate(count);
    Ok(items.into())
}

pub(super) fn concat(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let mut all = Vec::new();
    for at in 0..given.values.len() {
        all.extend(copied(machine, given.list(at)?, given)?);
    }
    Ok(if all.is_empty() { Datum::NoList } else { all.into() })
}

pub(super) fn flatten(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let mut flat = Vec::new();
    let mut open = vec![(given.list(0)?.clone(), 0)];
    while let Some((list, at)) = open.pop() {
        let Some(item) = list.item(at) else { continue };
        machine.steps(1, given.span)?;
        open.push((list, at + 1));
        machine.bytes(size_of::<Datum>(), given.span)?;
        if item.is_list() {
            open.push((item, 0));
        } else {
            flat.push(item);
        }
    }
    Ok(flat.into())
}

pub(super) fn reverse(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let mut items = copied(machine, given.list(0)?, given)?;
    items.reverse();
    Ok(items.into())
}

/// A sorted copy; what is no list sorts to an empty one, as in Go.
pub(super) fn sort(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let descending = match given.values.get(1) {
        Some(order) => is_descending(order, given.span)?,
        None => false,
    };
    let list = given.value(0);
    if !list.is_list() {
        return Ok(Datum::NoList);
    }
    let items = copied(machine, list, given)?;
    let order = machine.sorted(&items, descending, given.span)?;
    machine.items(order.len(), given.span)?;
    Ok(order.into_iter().map(|at| items[at].clone()).collect::<Vec<_>>().into())
}

pub(super) fn uniq(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let mut kept: Vec<Datum> = Vec::new();
    for item in copied(machine, given.list(0)?, given)? {
        let mut known = false;
        for other in &kept {
            known = machine.equal(&item, other, given.span)?;
            if known {
                break;
            }
        }
        if !known {
            kept.push(item);
        }
    }
    Ok(kept.into())
}

/// `keys`, `values` and `toPairs`, in the order of the keys.
pub(super) fn of_map(
    machine: &mut Machine<'_>,
    function: Function,
    given: &Arguments<'_>,
) -> Outcome<Datum> {
    let map = given.map(0)?;
    machine.items(map.count().unwrap_or(0) * 3, given.span)?;
    let pairs = map.pairs().into_iter();
    Ok(match function {
        Function::Keys => pairs.map(|pair| pair.0).collect::<Vec<_>>(),
        Function::Values => pairs.map(|pair| pair.1).collect(),
        _ => pairs.map(|(key, value)| Datum::from(vec![key, value])).collect(),
    }
    .into())
}

pub(super) fn from_pairs(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let mut entries = BTreeMap::new();
    for pair in copied(machine, given.list(0)?, given)? {
        machine.bytes(size_of::<Datum>() * 2, given.span)?;
        let (Some(2), Some(key), Some(value)) = (pair.count(), pair.item(0), pair.item(1)) else {
            return Err(given.wanted("pairs: arrays of a key and a value", &pair));
        };
        let Some(key) = key.as_key() else {
            return Err(given.wanted("keys that are no arrays and no maps", &key));
        };
        entries.insert(key, value);
    }
    Ok(Datum::Keyed(Arc::new(Keyed { entries, of_lists: false })))
}
