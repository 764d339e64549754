//! What CEL knows beyond JSON: uints, timestamps, durations, types, optionals, maps with any scalar key.
//!
//! Keeps: whatever JSON can say is a plain `Value`, so that JSON data is never converted on the way in.
//! Not here: operators (`arith.rs`, `compare.rs`), text conversions (`convert.rs`).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::{Object, Value};

use super::time::{Moment, duration_text};

/// A value during evaluation.
#[derive(Clone, Debug)]
pub(crate) enum Cel {
    /// Anything JSON can say.
    Json(Value),
    Uint(u64),
    /// A list with at least one item that JSON cannot say.
    List(Arc<[Self]>),
    /// A map with at least one key or value that a JSON object cannot hold.
    Map(Arc<BTreeMap<Key, Self>>),
    Timestamp(Moment),
    /// Nanoseconds.
    Duration(i64),
    Type(Kind),
    Optional(Option<Arc<Self>>),
}

/// A map's key. Whole numbers are one kind of key, whatever their type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Bool(bool),
    /// The number, and whether it was written as a uint; that does not take part in the order.
    Number(Whole),
    Text(Arc<str>),
}

/// An int or uint as a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) number: i128,
    pub(crate) unsigned: bool,
}

impl PartialEq for Whole {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Whole {}
impl PartialOrd for Whole {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Whole {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

/// CEL's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    List,
    Map,
    Timestamp,
    Duration,
    Type,
    Optional,
}

impl Kind {
    /// The type a plain name stands for.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "null_type" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::Uint,
            "double" => Self::Double,
            "string" => Self::Text,
            "bytes" => Self::Bytes,
            "list" => Self::List,
            "map" => Self::Map,
            "google.protobuf.Timestamp" => Self::Timestamp,
            "google.protobuf.Duration" => Self::Duration,
            "type" => Self::Type,
            "optional_type" => Self::Optional,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Map => "map",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Type => "type",
            Self::Optional => "optional_type",
        }
    }

    /// The type's name in a message.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Optional => "optional",
            Self::Bool
            | Self::Int
            | Self::Uint
            | Self::Double
            | Self::Text
            | Self::Bytes
            | Self::List
            | Self::Map
            | Self::Type => self.name(),
        }
    }
}

impl From<Value> for Cel {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}
impl From<bool> for Cel {
    fn from(flag: bool) -> Self {
        Self::Json(Value::Bool(flag))
    }
}
impl From<i64> for Cel {
    fn from(number: i64) -> Self {
        Self::Json(Value::Int(number))
    }
}
impl From<f64> for Cel {
    fn from(number: f64) -> Self {
        Self::Json(Value::Float(number))
    }
}
impl From<&str> for Cel {
    fn from(text: &str) -> Self {
        Self::Json(Value::String(text.into()))
    }
}
impl From<String> for Cel {
    fn from(text: String) -> Self {
        Self::Json(Value::String(text.into()))
    }
}

impl Cel {
    pub(crate) const NULL: Self = Self::Json(Value::Null);

    /// A list; a plain JSON one if its items allow it.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        if items.iter().all(|item| matches!(item, Self::Json(_))) {
            return Self::Json(Value::List(
                items.into_iter().map(|item| item.into_json()).collect(),
            ));
        }
        Self::List(items.into())
    }

    /// A map; a plain JSON object if its keys and values allow it.
    pub(crate) fn map(entries: BTreeMap<Key, Self>) -> Self {
        let plain = entries
            .iter()
            .all(|(key, value)| matches!((key, value), (Key::Text(_), Self::Json(_))));
        if !plain {
            return Self::Map(Arc::new(entries));
        }
        let pairs = entries.into_iter().map(|(key, value)| (key.into_text(), value.into_json()));
        Self::Json(Value::Object(Object::from_pairs(pairs.collect())))
    }

    pub(crate) fn none() -> Self {
        Self::Optional(None)
    }

    pub(crate) fn some(self) -> Self {
        Self::Optional(Some(Arc::new(self)))
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let Self::Json(Value::Bool(flag)) = self { Some(*flag) } else { None }
    }

    pub(crate) fn as_text(&self) -> Option<&Arc<str>> {
        if let Self::Json(Value::String(text)) = self { Some(text) } else { None }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Json(value) => match value {
                Value::Null => Kind::Null,
                Value::Bool(_) => Kind::Bool,
                Value::Int(_) => Kind::Int,
                Value::Float(_) => Kind::Double,
                Value::String(_) => Kind::Text,
                Value::Bytes(_) => Kind::Bytes,
                Value::List(_) => Kind::List,
                Value::Object(_) => Kind::Map,
            },
            Self::Uint(_) => Kind::Uint,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Timestamp(_) => Kind::Timestamp,
            Self::Duration(_) => Kind::Duration,
            Self::Type(_) => Kind::Type,
            Self::Optional(_) => Kind::Optional,
        }
    }

    /// The value as JSON says it: large uints, timestamps, durations and types as text, keys as text.
    pub(crate) fn into_json(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::Uint(number) => {
                i64::try_from(number).map_or_else(|_| Value::from(number.to_string()), Value::Int)
            }
            Self::List(items) => {
                Value::List(items.iter().map(|item| item.clone().into_json()).collect())
            }
            Self::Map(entries) => Value::Object(Object::from_pairs(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone().into_text(), value.clone().into_json()))
                    .collect(),
            )),
            Self::Timestamp(moment) => Value::from(moment.to_string()),
            Self::Duration(nanos) => Value::from(duration_text(nanos)),
            Self::Type(kind) => Value::from(kind.name()),
            Self::Optional(inner) => {
                inner.map_or(Value::Null, |inner| Self::clone(&inner).into_json())
            }
        }
    }

    /// Roughly how many bytes the value would take written out, shared parts counted each time; stops past `limit`.
    pub(crate) fn weight(&self, limit: usize) -> usize {
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
                Self::Map(entries) => {
                    open.extend(entries.values());
                    entries.len() * 16 + 8
                }
                Self::Optional(inner) => {
                    open.extend(inner.as_deref());
                    8
                }
                Self::Uint(_) | Self::Timestamp(_) | Self::Duration(_) | Self::Type(_) => 24,
            };
        }
        total
    }

    /// Whether this holds no other values.
    pub(crate) fn is_scalar(&self) -> bool {
        match self {
            Self::Json(Value::List(_) | Value::Object(_))
            | Self::List(_)
            | Self::Map(_)
            | Self::Optional(_) => false,
            Self::Json(
                Value::Null
                | Value::Bool(_)
                | Value::Int(_)
                | Value::Float(_)
                | Value::String(_)
                | Value::Bytes(_),
            )
            | Self::Uint(_)
            | Self::Timestamp(_)
            | Self::Duration(_)
            | Self::Type(_) => true,
        }
    }

    /// The key this value is, if it can be one; a whole double counts when looking up.
    pub(crate) fn as_key(&self) -> Option<Key> {
        match self {
            Self::Json(Value::Bool(flag)) => Some(Key::Bool(*flag)),
            Self::Json(Value::Int(number)) => Some(Key::int(*number)),
            Self::Json(Value::String(text)) => Some(Key::Text(text.clone())),
            Self::Json(Value::Float(number)) => {
                let whole = number.fract() == 0.0 && number.abs() < 2e19;
                whole.then_some(Key::Number(Whole { number: *number as i128, unsigned: false }))
            }
            Self::Uint(number) => {
                Some(Key::Number(Whole { number: i128::from(*number), unsigned: true }))
            }
            Self::Json(_)
            | Self::List(_)
            | Self::Map(_)
            | Self::Timestamp(_)
            | Self::Duration(_)
            | Self::Type(_)
            | Self::Optional(_) => None,
        }
    }

    /// Whether this is what CEL calls a zero value: false, 0, empty, null.
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Json(value) => match value {
                Value::Null => true,
                Value::Bool(flag) => !flag,
                Value::Int(number) => *number == 0,
                Value::Float(number) => *number == 0.0,
                Value::String(text) => text.is_empty(),
                Value::Bytes(bytes) => bytes.is_empty(),
                Value::List(items) => items.is_empty(),
                Value::Object(object) => object.is_empty(),
            },
            Self::Uint(number) => *number == 0,
            Self::Duration(nanos) => *nanos == 0,
            Self::Timestamp(moment) => *moment == Moment::EPOCH,
            Self::Optional(inner) => inner.is_none(),
            Self::List(_) | Self::Map(_) | Self::Type(_) => false,
        }
    }
}

impl Key {
    pub(crate) fn int(number: i64) -> Self {
        Self::Number(Whole { number: i128::from(number), unsigned: false })
    }

    /// The key as a JSON object has it.
    pub(crate) fn into_text(self) -> Arc<str> {
        match self {
            Self::Bool(flag) => flag.to_string().into(),
            Self::Number(whole) => whole.number.to_string().into(),
            Self::Text(text) => text,
        }
    }

    /// The key as a value, as a macro over a map meets it.
    pub(crate) fn into_value(self) -> Cel {
        match self {
            Self::Bool(flag) => flag.into(),
            Self::Number(whole) if whole.unsigned => {
                Cel::Uint(u64::try_from(whole.number).unwrap_or(u64::MAX))
            }
            Self::Number(whole) => i64::try_from(whole.number).unwrap_or(i64::MAX).into(),
            Self::Text(text) => Cel::Json(Value::String(text)),
        }
    }
}
