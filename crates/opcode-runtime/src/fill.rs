//! Secrets filled into an attempt's parameters, just before it runs.
//!
//! Keeps: what is filled in is never scanned again; a text with several pieces is joined once.
//! Not here: opening secrets (`opcode-vault`), where they stand (`SecretSlot`, made when the step began).

use std::collections::BTreeSet;
use std::sync::Arc;

use opcode_model::secret::{Piece, SecretSlot};
use opcode_model::{Object, Value};
use opcode_vault::Opened;

/// The secrets that slots name, each once.
pub(crate) fn names(slots: &[SecretSlot]) -> BTreeSet<Arc<str>> {
    let pieces = slots.iter().flat_map(|slot| &slot.pieces);
    let name = |piece: &Piece| match piece {
        Piece::Secret(name) => Some(name.clone()),
        Piece::Text(_) => None,
    };
    pieces.filter_map(name).collect()
}

/// The parameters with every slot filled.
pub(crate) fn filled(params: &Value, slots: &[SecretSlot], opened: &Opened) -> Value {
    slots.iter().fold(params.clone(), |params, slot| {
        let pieces = slot.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Secret(name) => opened.content(name).unwrap_or_default(),
        });
        let text: String = pieces.collect();
        let path: Vec<String> = slot.pointer.split('/').skip(1).map(unescaped).collect();
        placed(&params, &path, Value::from(text))
    })
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The same value with another at the end of a path; a path that leads nowhere changes nothing.
fn placed(value: &Value, path: &[String], new: Value) -> Value {
    let Some((first, rest)) = path.split_first() else { return new };
    match value {
        Value::Object(object) => {
            let at = |(name, item): &(Arc<str>, Value)| {
                let item = match **name == **first {
                    true => placed(item, rest, new.clone()),
                    false => item.clone(),
                };
                (name.clone(), item)
            };
            Value::Object(object.iter().map(at).collect::<Object>())
        }
        Value::List(items) => {
            let mut items = items.to_vec();
            if let Some(item) = first.parse().ok().and_then(|at: usize| items.get_mut(at)) {
                *item = placed(item, rest, new);
            }
            Value::list(items)
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Bytes(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_followed_through_lists_and_escaped_names() {
        let value = Value::from_json(r#"{"a/b":[{"x":1},{"x":2}],"c":3}"#).unwrap();
        let path: Vec<String> = "/a~1b/1/x".split('/').skip(1).map(unescaped).collect();
        let told = placed(&value, &path, Value::from("new")).to_json();
        assert_eq!(told, r#"{"a/b":[{"x":1},{"x":"new"}],"c":3}"#);
        let nowhere: Vec<String> = ["c", "d"].map(str::to_owned).into();
        assert_eq!(placed(&value, &nowhere, Value::Null), value);
    }
}
