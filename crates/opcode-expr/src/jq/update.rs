//! A value being written to: opened only where paths lead, closed once at the end.
//!
//! Keeps: writing many paths into a large value costs the value once, not once a path; deleted parts go at the end, so places hold still.
//! Not here: which paths (`machine.rs` walks them).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use opcode_model::{Object, Value};

use super::context::{Context, NESTING_MAX, too_deep};
use super::paths::{Part, array_range, part, place, wrong_array, wrong_object};
use super::trouble::{Cause, Outcome};

/// More items than this no path may ask for.
const INDEX_MAX: usize = 0x2000_0000;

/// A value, opened as far as it was written to.
#[derive(Debug)]
pub(super) enum Draft {
    Whole(Value),
    List(Vec<Self>),
    Object(BTreeMap<Arc<str>, Self>),
    /// To be left out at the end.
    Deleted,
}

/// What a path's end becomes.
#[derive(Clone, Copy)]
enum End<'a> {
    Value(&'a Value),
    Deleted,
}

impl Draft {
    /// Writes `value` at the end of `path`.
    pub(super) fn set(
        &mut self,
        context: &mut Context<'_>,
        path: &[Value],
        value: &Value,
    ) -> Outcome<()> {
        context.nest(value)?;
        context.nestings += path.len();
        self.update(context, path, End::Value(value))
    }

    /// Marks what is at the end of `path`.
    pub(super) fn delete(&mut self, context: &mut Context<'_>, path: &[Value]) -> Outcome<()> {
        self.update(context, path, End::Deleted)
    }

    fn update(&mut self, context: &mut Context<'_>, path: &[Value], end: End<'_>) -> Outcome<()> {
        if path.len() > NESTING_MAX {
            return Err(too_deep().into());
        }
        context.visits(path.len() as u64)?;
        let Some((key, rest)) = path.split_first() else {
            *self = match end {
                End::Value(value) => Self::Whole(value.clone()),
                End::Deleted => Self::Deleted,
            };
            return Ok(());
        };
        if matches!(self, Self::Deleted) {
            return Ok(());
        }
        let deleting = matches!(end, End::Deleted);
        match (part(self.kind(), key)?, self.kind()) {
            (_, Value::Null) if deleting => Ok(()),
            (Part::Key(key), Value::Null | Value::Object(_)) => {
                let fields = self.open_object(context)?;
                if !fields.contains_key(key) {
                    if deleting {
                        return Ok(());
                    }
                    context.pairs(2)?;
                }
                let field = fields.entry(key.clone()).or_insert(Self::Whole(Value::Null));
                field.update(context, rest, end)
            }
            (Part::Item(index), Value::Null | Value::List(_)) => {
                self.update_item(context, index, rest, end)
            }
            (Part::Slice(start, to), Value::Null | Value::List(_)) => {
                let items = self.open_list(context)?;
                let range = array_range(start, to, items.len())?;
                update_slice(context, items, range, (rest, end))
            }
            (Part::Key(_), _) => Err(wrong_object(&self.close_copy(context)?)),
            _ => Err(wrong_array(&self.close_copy(context)?)),
        }
    }

    fn update_item(
        &mut self,
        context: &mut Context<'_>,
        index: i64,
        rest: &[Value],
        end: End<'_>,
    ) -> Outcome<()> {
        let items = self.open_list(context)?;
        let at = place(index, items.len());
        if let Some(item) = at.and_then(|at| items.get_mut(at)) {
            return item.update(context, rest, end);
        }
        if matches!(end, End::Deleted) {
            return Ok(());
        }
        let Some(at) = at else {
            return Err(Cause::message(format!("array index should not be negative: {index}")));
        };
        if at >= INDEX_MAX {
            return Err(Cause::message(format!("array index too large: {index}")));
        }
        context.items((at + 1 - items.len()) * 2)?;
        items.resize_with(at + 1, || Self::Whole(Value::Null));
        match items.last_mut() {
            Some(item) => item.update(context, rest, end),
            None => Ok(()),
        }
    }

    /// A value of the same type, for telling what may be done with it.
    fn kind(&self) -> &Value {
        static LIST: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| Vec::new().into());
        static OBJECT: std::sync::LazyLock<Value> =
            std::sync::LazyLock::new(|| Object::default().into());
        match self {
            Self::Whole(value) => value,
            Self::List(_) => &LIST,
            Self::Object(_) => &OBJECT,
            Self::Deleted => &Value::Null,
        }
    }

    fn open_list(&mut self, context: &mut Context<'_>) -> Outcome<&mut Vec<Self>> {
        if let Self::Whole(value) = self {
            let items = value.as_list().unwrap_or_default();
            context.items(items.len() * 2)?;
            *self = Self::List(items.iter().cloned().map(Self::Whole).collect());
        }
        match self {
            Self::List(items) => Ok(items),
            Self::Whole(_) | Self::Object(_) | Self::Deleted => {
                Err(Cause::message("expected an array"))
            }
        }
    }

    fn open_object(&mut self, context: &mut Context<'_>) -> Outcome<&mut BTreeMap<Arc<str>, Self>> {
        if let Self::Whole(value) = self {
            let pairs = value.as_object().into_iter().flatten();
            context.pairs(value.as_object().map_or(0, Object::len) * 2)?;
            let wrap = |pair: &(Arc<str>, Value)| (pair.0.clone(), Self::Whole(pair.1.clone()));
            *self = Self::Object(pairs.map(wrap).collect());
        }
        match self {
            Self::Object(fields) => Ok(fields),
            Self::Whole(_) | Self::List(_) | Self::Deleted => {
                Err(Cause::message("expected an object"))
            }
        }
    }

    /// What is at the end of `path` now.
    pub(super) fn get(&self, context: &mut Context<'_>, path: &[Value]) -> Outcome<Value> {
        context.visits(path.len() as u64)?;
        let mut draft = self;
        let mut rest = path;
        while let Some((key, after)) = rest.split_first() {
            let inner = match (draft, key) {
                (Self::List(items), Value::Int(index)) => {
                    place(*index, items.len()).and_then(|at| items.get(at))
                }
                (Self::Object(fields), Value::String(key)) => fields.get(key),
                _ => break,
            };
            let Some(inner) = inner else { return Ok(Value::Null) };
            (draft, rest) = (inner, after);
        }
        let value = match draft {
            Self::Deleted => Value::Null,
            other => other.close_copy(context)?,
        };
        match rest {
            [] => Ok(value),
            rest => context.get_path(&value, &Value::list(rest.iter().cloned())),
        }
    }

    fn close_copy(&self, context: &mut Context<'_>) -> Outcome<Value> {
        Ok(match self {
            Self::Whole(value) => value.clone(),
            Self::Deleted => Value::Null,
            Self::List(items) => {
                context.items(items.len())?;
                let items: Outcome<Vec<_>> =
                    items.iter().map(|item| item.close_copy(context)).collect();
                Value::from(items?)
            }
            Self::Object(fields) => {
                context.pairs(fields.len())?;
                let mut pairs = Vec::with_capacity(fields.len());
                for (key, field) in fields {
                    pairs.push((key.clone(), field.close_copy(context)?));
                }
                Value::Object(Object::from_pairs(pairs))
            }
        })
    }

    /// The value, without what was deleted.
    pub(super) fn close(self, context: &mut Context<'_>) -> Outcome<Value> {
        Ok(match self {
            Self::Whole(value) => value,
            Self::Deleted => Value::Null,
            Self::List(items) => {
                context.items(items.len())?;
                let kept = items.into_iter().filter(|item| !matches!(item, Self::Deleted));
                let items: Outcome<Vec<_>> = kept.map(|item| item.close(context)).collect();
                Value::from(items?)
            }
            Self::Object(fields) => {
                context.pairs(fields.len())?;
                let mut pairs = Vec::with_capacity(fields.len());
                for (key, field) in fields {
                    if !matches!(field, Self::Deleted) {
                        pairs.push((key, field.close(context)?));
                    }
                }
                Value::Object(Object::from_pairs(pairs))
            }
        })
    }
}

/// Writes into some of the items, of which there may then be more or fewer.
fn update_slice(
    context: &mut Context<'_>,
    items: &mut Vec<Draft>,
    range: Range<usize>,
    (rest, end): (&[Value], End<'_>),
) -> Outcome<()> {
    if range.is_empty() && matches!(end, End::Deleted) {
        return Ok(());
    }
    context.items(range.len() * 2)?;
    let taken = items.get_mut(range.clone()).unwrap_or_default().iter_mut();
    let mut piece =
        Draft::List(taken.map(|item| std::mem::replace(item, Draft::Deleted)).collect());
    piece.update(context, rest, end)?;
    if let (Draft::Deleted, true) = (&piece, matches!(end, End::Deleted)) {
        return Ok(());
    }
    let Value::List(_) = piece.kind() else { return Err(wrong_array(piece.kind())) };
    let piece = std::mem::take(piece.open_list(context)?);
    if piece.len() != range.len() {
        context.visits(items.len() as u64)?;
    }
    items.splice(range, piece);
    Ok(())
}
