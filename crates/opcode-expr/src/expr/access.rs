//! Selections: from a variable or a value down through fields, methods, indexes and slices.
//!
//! Keeps: constant paths through JSON are walked by reference, one clone at the end; a step is asked for by id.
//! Not here: the methods themselves (`methods.rs`), `get` (`lists.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value or node that is not listed has no short cut, whichever it is"
)]

use std::sync::Arc;

use opcode_model::problem::nearest;
use opcode_model::{Object, Value};

use super::eval::Machine;
use super::methods;
use super::node::{Node, NodeId, Op};
use super::trouble::{Outcome, Span, Trouble};
use super::value::Datum;
use crate::error::{EvalErrorKind, listed, shorten};
use crate::scope::StepView;

impl<'a> Machine<'a> {
    /// A variable; nil if the scope has none of this name.
    pub(super) fn root(&self, name: &str) -> Datum {
        self.scope.root(name).map_or(Datum::NIL, Datum::Json)
    }

    /// The item a predicate looks at.
    pub(super) fn item(&mut self, span: Span) -> Outcome<Datum> {
        let Some(frame) = self.frames.last() else { return Ok(Datum::NIL) };
        if let Datum::Json(Value::String(text)) = &frame.range {
            return Ok(text.as_bytes().get(frame.at).map_or(Datum::NIL, |byte| Datum::Byte(*byte)));
        }
        let (range, at) = (&frame.range, frame.at);
        match range.item(at) {
            Some(item) => Ok(item),
            None if range.is_list() => {
                Err(out_of_range(at as i64, range.count().unwrap_or(0), span))
            }
            None => Err(Trouble::wanted("`#`", "an array to walk", range.kind(), span)),
        }
    }

    /// The outputs of all steps that have one.
    pub(super) fn all_steps(&mut self, span: Span) -> Outcome<Datum> {
        let ids = self.scope.step_ids();
        self.steps(ids.len() as u64 * 2, span)?;
        self.items(ids.len() * 2, span)?;
        let output = |id: Arc<str>| {
            let value = self.scope.step(&id)?.output?;
            Some((id, value))
        };
        let pairs = ids.into_iter().filter_map(output).collect();
        Ok(Datum::Json(Value::Object(Object::from_pairs(pairs))))
    }

    /// All variables as one map.
    pub(super) fn environment(&mut self, span: Span) -> Outcome<Datum> {
        let names = self.scope.root_names();
        self.items(names.len() * 2 + 2, span)?;
        let mut pairs: Vec<(Arc<str>, Value)> = Vec::with_capacity(names.len() + 1);
        if !self.scope.step_ids().is_empty()
            && let Datum::Json(steps) = self.all_steps(span)?
        {
            pairs.push(("steps".into(), steps));
        }
        for name in names {
            let value = self.scope.root(&name).unwrap_or(Value::Null);
            pairs.push((name, value));
        }
        Ok(Datum::Json(Value::Object(Object::from_pairs(pairs))))
    }

    /// The trouble with what is read of `base`, told of its name if nothing is called so.
    fn misnamed(&self, base: NodeId, trouble: Box<Trouble>) -> Box<Trouble> {
        let Node::Root(name) = &self.code.nodes[base as usize] else { return trouble };
        if self.scope.root(name).is_some() {
            return trouble;
        }
        let names = self.scope.root_names();
        let near = nearest(name, names.iter().map(AsRef::as_ref));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is {}", listed(names.iter().map(AsRef::as_ref))),
        };
        let message = format!("nothing here is called `{}`; {hint}", shorten(name, 80));
        Trouble::new(EvalErrorKind::AbsentVariable, message, self.code.spans[base as usize])
    }

    /// Reads an access to its end. An optional part on nil gives nil, and so do the fields and methods behind it.
    pub(super) fn access(&mut self, base: NodeId, ops: &'a [(Op, Span)]) -> Outcome<Datum> {
        let (mut value, mut at) = self.begin(base, ops)?;
        let mut skipping = false;
        while let Some((op, span)) = ops.get(at) {
            self.steps(1, *span)?;
            at += 1;
            let optional = match op {
                Op::Field { optional, .. } | Op::Method { optional, .. } => *optional,
                Op::Index { optional, .. } => {
                    skipping = false;
                    *optional
                }
                Op::Slice { .. } => {
                    skipping = false;
                    false
                }
            };
            skipping |= optional && value.is_nil();
            if skipping {
                if let Op::Method { arguments, .. } = op {
                    drop(self.all(arguments)?);
                }
                value = Datum::NIL;
                continue;
            }
            value = self.apply_op(&value, op, *span).map_err(|trouble| match (at, op) {
                (1, Op::Field { .. }) => self.misnamed(base, trouble),
                _ => trouble,
            })?;
        }
        let chained = |(op, _): &(Op, Span)| {
            matches!(
                op,
                Op::Field { optional: true, .. }
                    | Op::Method { optional: true, .. }
                    | Op::Index { optional: true, .. }
            )
        };
        Ok(if value.is_nil() && ops.iter().any(chained) { Datum::NIL } else { value })
    }

    /// The base with as many parts as can be read by reference, and how many those are.
    fn begin(&mut self, base: NodeId, ops: &'a [(Op, Span)]) -> Outcome<(Datum, usize)> {
        let nodes = &self.code.nodes;
        let key = |at: usize| match ops.get(at) {
            Some((Op::Field { name, .. }, _)) => Some(name),
            Some((Op::Index { index, .. }, _)) => match &nodes[*index as usize] {
                Node::Literal(value) => value.as_text(),
                _ => None,
            },
            _ => None,
        };
        match self.node(base) {
            Node::Steps => {
                let id = match (key(0), ops.first()) {
                    (Some(id), _) => Some(id.clone()),
                    (None, Some((Op::Index { index, .. }, _))) => {
                        self.eval(*index)?.as_text().cloned()
                    }
                    _ => None,
                };
                let Some(id) = id else { return Ok((self.eval(base)?, 0)) };
                let Some(view) = self.scope.step(&id) else { return Ok((Datum::NIL, 1)) };
                let own = key(1).and_then(|name| own_field(&view, name));
                let (value, taken) = match own {
                    Some(value) => (value, 2),
                    None => (view.output.unwrap_or(Value::Null), 1),
                };
                let (value, more) = fields_of(&value, &ops[taken..]);
                Ok((Datum::Json(value.clone()), taken + more))
            }
            Node::Environment => {
                if let Some((Op::Index { index, .. }, span)) = ops.first() {
                    let name = self.eval(*index)?;
                    return match (name.as_text(), &name) {
                        (Some(name), _) => Ok((self.variable(name, *span)?, 1)),
                        (None, Datum::Json(Value::Null)) => Ok((self.variable("", *span)?, 1)),
                        _ => Err(Trouble::wanted("a map's key", "a string", name.kind(), *span)),
                    };
                }
                Ok((self.eval(base)?, 0))
            }
            Node::Root(name) => {
                let Some(value) = self.scope.root(name) else { return Ok((Datum::NIL, 0)) };
                let (value, taken) = fields_of(&value, ops);
                Ok((Datum::Json(value.clone()), taken))
            }
            Node::Item => {
                if let Some(frame) = self.frames.last()
                    && let Datum::Json(Value::List(items)) = &frame.range
                    && let Some(item) = items.get(frame.at)
                {
                    let (value, taken) = fields_of(item, ops);
                    return Ok((Datum::Json(value.clone()), taken));
                }
                Ok((self.eval(base)?, 0))
            }
            _ => Ok((self.eval(base)?, 0)),
        }
    }

    fn variable(&mut self, name: &str, span: Span) -> Outcome<Datum> {
        match name {
            "steps" if !self.scope.step_ids().is_empty() => self.all_steps(span),
            _ => Ok(self.root(name)),
        }
    }

    fn apply_op(&mut self, of: &Datum, op: &Op, span: Span) -> Outcome<Datum> {
        match op {
            Op::Field { name, .. } => self.field(of, name, span),
            Op::Index { index, .. } => {
                let index = self.eval(*index)?;
                self.fetch(of, &index, span)
            }
            Op::Method { name, arguments, .. } => {
                let arguments = self.all(arguments)?;
                if let Some(value) = methods::call(self, of, name, (&arguments, span))? {
                    return Ok(value);
                }
                let found = self.field(of, name, span)?;
                let shown = shorten(name, 80);
                let message = match found.is_nil() {
                    true => format!("{} has no method `{shown}`", of.kind()),
                    false => format!("`{shown}` is {}, not a method", found.kind()),
                };
                let mut error = message;
                if super::functions::names().contains(&name.as_ref()) {
                    error += &format!("; write {shown}(x), or x | {shown}()");
                }
                Err(Trouble::new(EvalErrorKind::Type, error, span))
            }
            Op::Slice { from, to } => {
                let to = to.map(|node| self.eval(node)).transpose()?;
                let from = from.map(|node| self.eval(node)).transpose()?;
                self.slice(of, from.as_ref(), to.as_ref(), span)
            }
        }
    }

    fn field(&mut self, of: &Datum, name: &str, span: Span) -> Outcome<Datum> {
        if of.is_map() {
            return Ok(of.under(name).unwrap_or_else(|| missing(of)));
        }
        let shown = shorten(name, 80);
        if of.is_nil() {
            let message = format!(
                "cannot read `{shown}` of nil; `?.{shown}` gives nil where there is nothing"
            );
            return Err(Trouble::new(EvalErrorKind::MissingKey, message, span));
        }
        let message = format!("cannot read `{shown}` of {}: only maps have fields", of.kind());
        Err(Trouble::new(EvalErrorKind::Type, message, span))
    }

    /// `of[index]`.
    pub(super) fn fetch(&mut self, of: &Datum, index: &Datum, span: Span) -> Outcome<Datum> {
        if let Datum::Keyed(keyed) = of {
            let Some(key) = index.as_key() else {
                return Err(Trouble::wanted(
                    "a map's key",
                    "no array and no map",
                    index.kind(),
                    span,
                ));
            };
            return Ok(keyed.entries.get(&key).cloned().unwrap_or_else(|| missing(of)));
        }
        if of.is_map() {
            return match (index.as_text(), index) {
                (Some(name), _) => self.field(of, name, span),
                (None, Datum::Json(Value::Null)) => self.field(of, "", span),
                _ => Err(Trouble::wanted("a map's key", "a string", index.kind(), span)),
            };
        }
        let len = match of {
            Datum::Json(Value::String(text)) => text.len(),
            _ if of.is_list() && !matches!(of, Datum::NoList) => of.count().unwrap_or(0),
            Datum::NoList => 0,
            _ => {
                let name = index.as_text().map_or("[…]", |name| name);
                return self.field(of, name, span);
            }
        };
        let Some(number) = index.as_number() else {
            return Err(Trouble::wanted("an index", "a whole number", index.kind(), span));
        };
        let index = number.truncated();
        match position(index, len) {
            Some(at) => Ok(at_position(of, at)),
            None => Err(out_of_range(index, len, span)),
        }
    }

    fn slice(
        &mut self,
        of: &Datum,
        from: Option<&Datum>,
        to: Option<&Datum>,
        span: Span,
    ) -> Outcome<Datum> {
        let len = match of {
            Datum::Json(Value::String(text)) => text.len(),
            _ if of.is_list() => of.count().unwrap_or(0),
            _ => return Err(Trouble::wanted("`[:]`", "an array or a string", of.kind(), span)),
        };
        let end = |limit: Option<&Datum>, default: usize| -> Outcome<usize> {
            let Some(limit) = limit else { return Ok(default) };
            let Some(number) = limit.as_number() else {
                return Err(Trouble::wanted("a slice", "whole numbers", limit.kind(), span));
            };
            let at = number.truncated();
            let at = if at < 0 { at.saturating_add(len as i64).max(0) } else { at };
            Ok(usize::try_from(at).unwrap_or(usize::MAX).min(len))
        };
        let (to, from) = (end(to, len)?, end(from, 0)?);
        let from = from.min(to);
        if let Datum::Json(Value::String(text)) = of {
            self.bytes(to - from, span)?;
            let bytes = text.as_bytes().get(from..to).unwrap_or_default();
            return Ok(String::from_utf8_lossy(bytes).into_owned().into());
        }
        self.items(to - from, span)?;
        Ok((from..to).map(|at| at_position(of, at)).collect::<Vec<_>>().into())
    }
}

/// Where an index points to, counted from the end if it is negative.
pub(super) fn position(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// What stands at a position that exists: a byte of a text, an item of a list.
pub(super) fn at_position(of: &Datum, at: usize) -> Datum {
    match of {
        Datum::Json(Value::String(text)) => {
            text.as_bytes().get(at).map_or(Datum::NIL, |byte| Datum::Byte(*byte))
        }
        _ => of.item(at).unwrap_or(Datum::NIL),
    }
}

fn out_of_range(index: i64, len: usize, span: Span) -> Box<Trouble> {
    let message =
        format!("no item {index} in an array of {len}; `get` gives nil where there is none");
    Trouble::new(EvalErrorKind::OutOfRange, message, span)
}

/// What a key that is not there gives.
pub(super) fn missing(of: &Datum) -> Datum {
    match of {
        Datum::Keyed(keyed) if keyed.of_lists => Datum::NoList,
        _ => Datum::NIL,
    }
}

/// `output`, `status` and `error` of a step, where its output has no field of that name.
fn own_field(view: &StepView, name: &str) -> Option<Value> {
    if view.output.as_ref().is_some_and(|output| output.find(name).is_some()) {
        return None;
    }
    match name {
        "output" => Some(view.output.clone().unwrap_or(Value::Null)),
        "status" => Some(view.status.text().into()),
        "error" => Some(view.error.clone().unwrap_or(Value::Null)),
        _ => None,
    }
}

/// Follows plain fields through JSON objects as far as they exist.
fn fields_of<'v>(mut value: &'v Value, ops: &[(Op, Span)]) -> (&'v Value, usize) {
    let mut taken = 0;
    for (op, _) in ops {
        let Op::Field { name, .. } = op else { break };
        let Some(next) = value.find(name) else { break };
        value = next;
        taken += 1;
    }
    (value, taken)
}
