//! Lets serde walk a `Value` in place, as it would walk JSON text.
//!
//! Keeps: `null` members of the outermost object are absent, unless they are said to take it; whole floats may stand for integers.
//! Not here: what fits (`schema.rs` says it in words).

use opcode_model::{Object, Value};
use serde::Deserializer;
use serde::de::value::{Error, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The outermost object of parameters, with the names of those that take `null`; `null` stands for an empty one.
pub(super) struct Params<'a>(pub &'a Value, pub &'a [&'a str]);

/// Any value within.
struct Walk<'a>(&'a Value);

struct Members<'a> {
    rest: std::slice::Iter<'a, (std::sync::Arc<str>, Value)>,
    value: Option<(&'a str, &'a Value)>,
    /// Those that take `null`; `None` where all do.
    nullable: Option<&'a [&'a str]>,
}

impl<'de> Deserializer<'de> for Params<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let empty = Object::default();
        let object = match self.0.as_object() {
            Some(object) => object,
            None if self.0.is_null() => &empty,
            None => {
                let kind = self.0.kind();
                return Err(Error::custom(format!("params must be an object, got {kind}")));
            }
        };
        visitor.visit_map(Members { rest: object.iter(), value: None, nullable: Some(self.1) })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> Deserializer<'de> for Walk<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Int(n) => visitor.visit_i64(*n),
            Value::Float(f) => visitor.visit_f64(*f),
            Value::String(text) => visitor.visit_str(text),
            Value::Bytes(_) => visitor.visit_string(self.0.to_text().trim_matches('"').to_owned()),
            Value::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Walk))),
            Value::Object(object) => {
                visitor.visit_map(Members { rest: object.iter(), value: None, nullable: None })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name = self.0.as_str().ok_or_else(|| Error::custom("expected text"))?;
        visitor.visit_enum(IntoDeserializer::<Error>::into_deserializer(name))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // Arithmetic elsewhere makes floats of whole numbers.
        match self.0.as_i64() {
            Some(whole) => visitor.visit_i64(whole),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Walk<'_> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        for (key, value) in self.rest.by_ref() {
            let is_taken = self.nullable.is_none_or(|names| names.contains(&key.as_ref()));
            if is_taken || !value.is_null() {
                self.value = Some((key, value));
                return seed.deserialize(StrDeserializer::new(key)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (key, value) = self.value.take().unwrap_or(("", &Value::Null));
        let named = |error: Error| match self.nullable {
            Some(_) => Error::custom(format!("param '{key}': {error}")),
            None => Error::custom(format!("{key}: {error}")),
        };
        seed.deserialize(Walk(value)).map_err(named)
    }
}
