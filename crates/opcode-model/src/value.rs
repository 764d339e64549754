//! The one value of the house: what JSON can say, shared by reference count, cheap to clone.
//!
//! Keeps: 24 bytes; object keys sorted and unique; integers stay integers.
//! Not here: JSON text (`json.rs`), what only one language knows (its evaluator's own enum).

use std::cmp::Ordering;
use std::sync::Arc;

/// Null, bool, 64-bit integer, float, text, bytes, list or object. Cloning copies at most a pointer.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// JSON `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 bits; it never becomes a float by itself.
    Int(i64),
    /// Any other number. Not-a-number and the infinities render as `null` in JSON.
    Float(f64),
    /// UTF-8 text.
    String(Arc<str>),
    /// Raw bytes; renders as base64 text in JSON.
    Bytes(Arc<[u8]>),
    /// An ordered list.
    List(Arc<[Self]>),
    /// Keys to values, sorted by key.
    Object(Object),
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Value>() == 24);

/// Keys to values, sorted by key, each key once.
#[derive(Clone, Debug, Default)]
pub struct Object(Arc<[(Arc<str>, Value)]>);

impl Object {
    /// Builds an object from pairs in any order; the last of two equal keys wins.
    pub fn from_pairs(mut pairs: Vec<(Arc<str>, Value)>) -> Self {
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            let mut unique: Vec<(Arc<str>, Value)> = Vec::with_capacity(pairs.len());
            for pair in pairs {
                match unique.last_mut() {
                    Some(last) if last.0 == pair.0 => *last = pair,
                    _ => unique.push(pair),
                }
            }
            pairs = unique;
        }
        Self(pairs.into())
    }

    /// The value under `key`.
    pub fn find(&self, key: &str) -> Option<&Value> {
        self.0.binary_search_by(|pair| pair.0.as_ref().cmp(key)).ok().map(|at| &self.0[at].1)
    }

    /// Pairs in key order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Arc<str>, Value)> {
        self.0.iter()
    }

    /// Keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().map(|pair| &pair.0)
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy with `other`'s pairs laid over these.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        Self::from_pairs(self.iter().chain(other.iter()).cloned().collect())
    }

    /// A copy with one key set.
    #[must_use]
    pub fn with(&self, key: &str, value: Value) -> Self {
        let mut pairs: Vec<_> = self.0.to_vec();
        pairs.push((key.into(), value));
        Self::from_pairs(pairs)
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = &'a (Arc<str>, Value);
    type IntoIter = std::slice::Iter<'a, (Arc<str>, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Into<Arc<str>>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self::from_pairs(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

impl Value {
    /// An object from pairs, for building answers by hand.
    pub fn object<K: Into<Arc<str>>, V: Into<Self>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::Object(pairs.into_iter().collect())
    }

    /// A list from items.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The whole number; an integral float counts.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 9.0e18 => Some(*f as i64),
            Self::Null
            | Self::Bool(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Bytes(_)
            | Self::List(_)
            | Self::Object(_) => None,
        }
    }

    /// The number as a float, if this is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::Float(f) => Some(*f),
            Self::Null
            | Self::Bool(_)
            | Self::String(_)
            | Self::Bytes(_)
            | Self::List(_)
            | Self::Object(_) => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// What is at a JSON pointer (RFC 6901); `""` is the whole.
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |value, token| match value.as_list() {
            Some(items) => items.get(token.parse::<usize>().ok()?),
            None => value.find(&token.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// The member `key` of an object; `None` for anything else.
    pub fn find(&self, key: &str) -> Option<&Self> {
        self.as_object().and_then(|object| object.find(key))
    }

    /// `null`, `bool`, `int`, `float`, `string`, `bytes`, `list` or `object`, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// Nesting: 0 for a scalar, 1 for a flat list. Stops counting at `limit`, so it is safe on any value.
    pub fn depth(&self, limit: usize) -> usize {
        if limit == 0 {
            return 0;
        }
        match self {
            Self::List(items) => {
                1 + items.iter().map(|item| item.depth(limit - 1)).max().unwrap_or(0)
            }
            Self::Object(object) => {
                1 + object.iter().map(|pair| pair.1.depth(limit - 1)).max().unwrap_or(0)
            }
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Bytes(_) => 0,
        }
    }

    /// Roughly how many bytes this holds, shared parts counted each time; stops counting past `limit`.
    pub fn weight(&self, limit: usize) -> usize {
        let mut total = 0;
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            total += match value {
                Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 8,
                Self::String(text) => text.len() + 2,
                Self::Bytes(bytes) => bytes.len() + 2,
                Self::List(items) => {
                    open.extend(items.iter());
                    8
                }
                Self::Object(object) => {
                    open.extend(object.iter().map(|pair| &pair.1));
                    object.keys().map(|key| key.len() + 4).sum::<usize>() + 8
                }
            };
            if total > limit {
                break;
            }
        }
        total
    }
}

/// Equality of JSON: numbers compare by value across int and float, everything else by kind and content.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => {
                compare_int_float(*a, *b) == Some(Ordering::Equal)
            }
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            (
                Self::Null
                | Self::Bool(_)
                | Self::Int(_)
                | Self::Float(_)
                | Self::String(_)
                | Self::Bytes(_)
                | Self::List(_)
                | Self::Object(_),
                _,
            ) => false,
        }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

/// Exact order of an integer and a float, without rounding the integer. `None` for not-a-number.
pub fn compare_int_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if float < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    match int.cmp(&(whole as i64)) {
        Ordering::Equal => 0.0_f64.partial_cmp(&(float - whole)),
        decided @ (Ordering::Less | Ordering::Greater) => Some(decided),
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<i32> for Value {
    fn from(n: i32) -> Self {
        Self::Int(n.into())
    }
}
impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Int(n.into())
    }
}
impl From<usize> for Value {
    fn from(n: usize) -> Self {
        i64::try_from(n).map_or(Self::Float(n as f64), Self::Int)
    }
}
impl From<u64> for Value {
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or(Self::Float(n as f64), Self::Int)
    }
}
impl From<f64> for Value {
    fn from(f: f64) -> Self {
        Self::Float(f)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}
impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::String(text)
    }
}
impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}
impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::List(items.into())
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(maybe: Option<T>) -> Self {
        maybe.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins() {
        let object: Object = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        assert_eq!(object.len(), 2);
        assert_eq!(object.find("b"), Some(&Value::Int(3)));
    }

    #[test]
    fn numbers_compare_by_value_without_rounding() {
        assert_eq!(Value::Int(1), Value::Float(1.0));
        assert_ne!(Value::Int(9_007_199_254_740_993), Value::Float(9_007_199_254_740_992.0));
        assert_eq!(compare_int_float(i64::MAX, 9.3e18), Some(Ordering::Less));
        assert_eq!(compare_int_float(-1, -1.5), Some(Ordering::Greater));
    }
}
