//! What people hand in: a bare definition, or one wrapped with a name and schemas.
//!
//! Keeps: schemas and triggers of the wrapper become part of the definition, unless it has its own.
//! Not here: whether the definition is any good (`opcode-engine`'s `plan`).

use std::sync::Arc;

use opcode_model::{Object, Value};

/// Members of a definition that may stand beside it in its wrapper.
pub const BESIDE: [&str; 3] = ["input_schema", "output_schema", "triggers"];

/// A definition, and what its wrapper says of it.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its name, if the wrapper gives one.
    pub name: Option<Arc<str>>,
    /// What it is for, if the wrapper says.
    pub description: Option<Arc<str>>,
    /// The definition.
    pub definition: Value,
}

impl Document {
    /// Takes a wrapper apart; anything else is a bare definition.
    pub fn read(value: &Value) -> Self {
        let Some((wrapper, definition)) =
            value.as_object().and_then(|object| Some((object, object.find("definition")?)))
        else {
            return Self { name: None, description: None, definition: value.clone() };
        };
        let text = |key: &str| wrapper.find(key).and_then(Value::as_str).map(Into::into);
        Self {
            name: text("name"),
            description: text("description"),
            definition: with_members(definition, wrapper),
        }
    }
}

/// A definition with those members that stand beside it, unless it has its own.
pub(crate) fn with_members(definition: &Value, wrapper: &Object) -> Value {
    let Some(own) = definition.as_object() else { return definition.clone() };
    let given = BESIDE.into_iter().filter_map(|key| {
        let member = wrapper.find(key).filter(|member| !member.is_null())?;
        Some((key, member.clone()))
    });
    let given: Object = given.collect();
    Value::Object(given.merged(own))
}
