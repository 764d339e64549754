//! What Expr knows beyond JSON: ints apart from floats, bytes, times, durations, zones, maps with any key.
//!
//! Keeps: JSON data is never converted on the way in; a JSON number is a float, but one without a fraction stays exact.
//! Not here: operators (`arith.rs`, `compare.rs`), text (`print.rs`, `json.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is not what is asked for, whichever it is"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::{Object, Value};

use super::moment::{Time, Zone};

/// A value during evaluation.
#[derive(Clone, Debug)]
pub(crate) enum Datum {
    /// Anything JSON can say. A whole number here came from JSON: a float without a fraction.
    Json(Value),
    /// A whole number that was written or counted here.
    Int(i64),
    /// One byte of a text.
    Byte(u8),
    Time(Arc<Time>),
    /// Nanoseconds.
    Duration(i64),
    Zone(Zone),
    /// 1 is January.
    Month(i64),
    /// 0 is Sunday.
    Weekday(i64),
    /// A list made here.
    List(Arc<[Self]>),
    /// An empty list that counts as nil.
    NoList,
    /// A map made here; keys in order.
    Map(Arc<[(Arc<str>, Self)]>),
    /// What `groupBy` and `fromPairs` make.
    Keyed(Arc<Keyed>),
}

/// A map whose keys may be anything that is no container.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) entries: BTreeMap<Key, Datum>,
    /// Whether every value is a list, so that a missing one is an empty list.
    pub(crate) of_lists: bool,
}

/// A key of any kind; an int and a float are different keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Nil,
    Int(i64),
    Byte(u8),
    Month(i64),
    Weekday(i64),
    Duration(i64),
    /// By the order of the numbers.
    Float(OrderedFloat),
    Text(Arc<str>),
    Bool(bool),
    Time(i64, u32, Zone),
}

/// A float as a key: equal numbers are one key, not-a-number is its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderedFloat(pub(crate) f64);

impl PartialEq for OrderedFloat {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for OrderedFloat {}
impl PartialOrd for OrderedFloat {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for OrderedFloat {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Adding zero makes the two zeros one.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

/// A number, as operators see it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Int(i64),
    /// A float that is whole, exact to 64 bits.
    Whole(i64),
    Float(f64),
}

impl Number {
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int(number) | Self::Whole(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// The whole number this is, if it has no fraction.
    pub(super) fn as_whole(self) -> Option<i64> {
        match self {
            Self::Int(number) | Self::Whole(number) => Some(number),
            Self::Float(number) => {
                (number.fract() == 0.0 && number.abs() < 9.2e18).then_some(number as i64)
            }
        }
    }

    /// What is left without the fraction.
    pub(super) fn truncated(self) -> i64 {
        match self {
            Self::Int(number) | Self::Whole(number) => number,
            Self::Float(number) if number.abs() < 9_223_372_036_854_775_808.0 => number as i64,
            Self::Float(_) => i64::MIN,
        }
    }
}

impl From<Number> for Datum {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(number) => Self::Int(number),
            Number::Whole(number) => Self::Json(Value::Int(number)),
            Number::Float(number) => Self::Json(Value::Float(number)),
        }
    }
}
impl From<bool> for Datum {
    fn from(flag: bool) -> Self {
        Self::Json(Value::Bool(flag))
    }
}
impl From<f64> for Datum {
    fn from(number: f64) -> Self {
        Self::Json(Value::Float(number))
    }
}
impl From<usize> for Datum {
    fn from(count: usize) -> Self {
        Self::Int(count as i64)
    }
}
impl From<Arc<str>> for Datum {
    fn from(text: Arc<str>) -> Self {
        Self::Json(Value::String(text))
    }
}
impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Json(Value::String(text.into()))
    }
}
impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::Json(Value::String(text.into()))
    }
}
impl From<Vec<Self>> for Datum {
    fn from(items: Vec<Self>) -> Self {
        Self::List(items.into())
    }
}

impl Datum {
    pub(crate) const NIL: Self = Self::Json(Value::Null);

    /// A map from pairs; of two equal keys the first wins.
    pub(super) fn map(mut pairs: Vec<(Arc<str>, Self)>) -> Self {
        pairs.sort_by(|one, other| one.0.cmp(&other.0));
        pairs.dedup_by(|later, kept| later.0 == kept.0);
        Self::Map(pairs.into())
    }

    /// Whether this is nil, or a list that counts as nil.
    pub(super) fn is_nil(&self) -> bool {
        matches!(self, Self::Json(Value::Null) | Self::NoList)
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        if let Self::Json(Value::Bool(flag)) = self { Some(*flag) } else { None }
    }

    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        if let Self::Json(Value::String(text)) = self { Some(text) } else { None }
    }

    /// The number this is; durations and calendar numbers are none.
    pub(super) fn as_number(&self) -> Option<Number> {
        match self {
            Self::Int(number) => Some(Number::Int(*number)),
            Self::Byte(byte) => Some(Number::Int(i64::from(*byte))),
            Self::Json(Value::Int(number)) => Some(Number::Whole(*number)),
            Self::Json(Value::Float(number)) => Some(Number::Float(*number)),
            _ => None,
        }
    }

    /// The number underneath: also that of a duration, a month or a weekday.
    pub(super) fn as_underlying(&self) -> Option<Number> {
        match self {
            Self::Duration(number) | Self::Month(number) | Self::Weekday(number) => {
                Some(Number::Int(*number))
            }
            _ => self.as_number(),
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::Json(Value::List(_)) | Self::List(_) | Self::NoList)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Self::Json(Value::Object(_)) | Self::Map(_) | Self::Keyed(_))
    }

    /// How many items or keys; nothing for what has none.
    pub(super) fn count(&self) -> Option<usize> {
        match self {
            Self::Json(Value::List(items)) => Some(items.len()),
            Self::Json(Value::Object(object)) => Some(object.len()),
            Self::List(items) => Some(items.len()),
            Self::NoList => Some(0),
            Self::Map(pairs) => Some(pairs.len()),
            Self::Keyed(keyed) => Some(keyed.entries.len()),
            _ => None,
        }
    }

    /// The item of a list.
    pub(super) fn item(&self, at: usize) -> Option<Self> {
        match self {
            Self::Json(Value::List(items)) => items.get(at).cloned().map(Self::Json),
            Self::List(items) => items.get(at).cloned(),
            _ => None,
        }
    }

    /// The value under a text key of a map; nothing for what is no map.
    pub(super) fn under(&self, key: &str) -> Option<Self> {
        match self {
            Self::Json(Value::Object(object)) => object.find(key).cloned().map(Self::Json),
            Self::Map(pairs) => {
                let at = pairs.binary_search_by(|pair| pair.0.as_ref().cmp(key)).ok()?;
                Some(pairs[at].1.clone())
            }
            Self::Keyed(keyed) => keyed.entries.get(&Key::Text(key.into())).cloned(),
            _ => None,
        }
    }

    /// Keys and values of a map, in order.
    pub(super) fn pairs(&self) -> Vec<(Self, Self)> {
        match self {
            Self::Json(Value::Object(object)) => object
                .iter()
                .map(|(key, value)| (key.clone().into(), Self::Json(value.clone())))
                .collect(),
            Self::Map(pairs) => {
                pairs.iter().map(|(key, value)| (key.clone().into(), value.clone())).collect()
            }
            Self::Keyed(keyed) => keyed
                .entries
                .iter()
                .map(|(key, value)| (key.clone().into_datum(), value.clone()))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// This value as a key of a map of anything.
    pub(super) fn as_key(&self) -> Option<Key> {
        Some(match self {
            Self::Json(Value::Null) => Key::Nil,
            Self::Json(Value::Bool(flag)) => Key::Bool(*flag),
            Self::Json(Value::Int(number)) => Key::Float(OrderedFloat(*number as f64)),
            Self::Json(Value::Float(number)) => Key::Float(OrderedFloat(*number)),
            Self::Json(Value::String(text)) => Key::Text(text.clone()),
            Self::Int(number) => Key::Int(*number),
            Self::Byte(byte) => Key::Byte(*byte),
            Self::Duration(nanos) => Key::Duration(*nanos),
            Self::Month(number) => Key::Month(*number),
            Self::Weekday(number) => Key::Weekday(*number),
            Self::Time(time) => Key::Time(time.seconds, time.nanos, time.zone.clone()),
            Self::Json(Value::Bytes(_) | Value::List(_) | Value::Object(_))
            | Self::Zone(_)
            | Self::List(_)
            | Self::NoList
            | Self::Map(_)
            | Self::Keyed(_) => return None,
        })
    }

    /// The name of its type, as `type` gives it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Json(value) => match value {
                Value::Null => "nil",
                Value::Bool(_) => "bool",
                Value::Int(_) | Value::Float(_) => "float",
                Value::String(_) => "string",
                Value::Bytes(_) | Value::List(_) => "array",
                Value::Object(_) => "map",
            },
            Self::Int(_) => "int",
            Self::Byte(_) => "uint",
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Zone(_) => "time.Location",
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
            Self::List(_) | Self::NoList => "array",
            Self::Map(_) | Self::Keyed(_) => "map",
        }
    }

    /// The value as JSON says it: numbers without a fraction as whole ones, times as text, durations as nanoseconds.
    pub(super) fn into_json(self) -> Value {
        match self {
            Self::Json(Value::Float(number)) if is_plain(number) => Value::Int(number as i64),
            Self::Json(value) => value,
            Self::Int(number)
            | Self::Duration(number)
            | Self::Month(number)
            | Self::Weekday(number) => Value::Int(number),
            Self::Byte(byte) => Value::Int(byte.into()),
            Self::Time(time) => Value::from(time.rfc3339()),
            Self::Zone(_) => Value::Object(Object::default()),
            Self::NoList => Value::Null,
            Self::List(items) => {
                items.iter().map(|item| item.clone().into_json()).collect::<Vec<_>>().into()
            }
            Self::Map(pairs) => Value::Object(Object::from_pairs(
                pairs.iter().map(|(key, value)| (key.clone(), value.clone().into_json())).collect(),
            )),
            Self::Keyed(keyed) => Value::Object(Object::from_pairs(
                keyed
                    .entries
                    .iter()
                    .map(|(key, value)| {
                        let key = super::print::text(&key.clone().into_datum());
                        (key.into(), value.clone().into_json())
                    })
                    .collect(),
            )),
        }
    }

    /// Roughly how many bytes the value would take written out, shared parts counted each time; stops past `limit`.
    pub(super) fn weight(&self, limit: usize) -> usize {
        let mut total = 0_usize;
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            if total > limit {
                break;
            }
            total += match value {
                Self::Json(value) => value.weight(limit - total),
                Self::List(items) => {
                    open.extend(items.iter());
                    8
                }
                Self::Map(pairs) => {
                    open.extend(pairs.iter().map(|pair| &pair.1));
                    pairs.iter().map(|pair| pair.0.len() + 4).sum::<usize>() + 8
                }
                Self::Keyed(keyed) => {
                    open.extend(keyed.entries.values());
                    keyed.entries.len() * 16 + 8
                }
                // Looking up a zone and writing a date takes as long as copying this much.
                Self::Time(_) => 4_096,
                Self::Int(_)
                | Self::Byte(_)
                | Self::Duration(_)
                | Self::Zone(_)
                | Self::Month(_)
                | Self::Weekday(_)
                | Self::NoList => 24,
            };
        }
        total
    }

    /// Whether lists and maps made here stand deeper inside each other than `limit`, and how many values were looked at.
    pub(super) fn is_deeper_than(&self, limit: usize, visits_max: usize) -> (bool, usize) {
        let mut visits = 0;
        let mut open = vec![(self, 0)];
        while let Some((value, depth)) = open.pop() {
            visits += 1;
            if depth > limit {
                return (true, visits);
            }
            if visits > visits_max {
                break;
            }
            let inner = depth + 1;
            match value {
                Self::List(items) => open.extend(items.iter().map(|item| (item, inner))),
                Self::Map(pairs) => open.extend(pairs.iter().map(|pair| (&pair.1, inner))),
                Self::Keyed(keyed) => {
                    open.extend(keyed.entries.values().map(|value| (value, inner)));
                }
                _ => {}
            }
        }
        (false, visits)
    }

    /// Whether this holds no other values.
    pub(super) fn is_scalar(&self) -> bool {
        !self.is_list() && !self.is_map()
    }
}

/// Whether a float without a fraction is small enough to be read back as it is.
fn is_plain(number: f64) -> bool {
    number.fract() == 0.0
        && number.abs() < 9_007_199_254_740_992.0
        && !(number == 0.0 && number.is_sign_negative())
}

impl Key {
    pub(super) fn into_datum(self) -> Datum {
        match self {
            Self::Nil => Datum::NIL,
            Self::Int(number) => Datum::Int(number),
            Self::Byte(byte) => Datum::Byte(byte),
            Self::Month(number) => Datum::Month(number),
            Self::Weekday(number) => Datum::Weekday(number),
            Self::Duration(nanos) => Datum::Duration(nanos),
            Self::Float(OrderedFloat(number)) if is_plain(number) => {
                Datum::Json(Value::Int(number as i64))
            }
            Self::Float(OrderedFloat(number)) => number.into(),
            Self::Text(text) => text.into(),
            Self::Bool(flag) => flag.into(),
            Self::Time(seconds, nanos, zone) => {
                Datum::Time(Arc::new(Time { seconds, nanos, zone }))
            }
        }
    }
}
