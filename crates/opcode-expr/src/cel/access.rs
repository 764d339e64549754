//! Selections: from a root or a value down through fields, indexes, calls and macros.
//!
//! Keeps: constant paths through JSON are walked by reference, one clone at the end; a step is asked for by id.
//! Not here: what a step holds (the engine's scope).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is a type error, whichever it is"
)]

use std::sync::Arc;

use opcode_model::{Object, StepStatus, Value};

use super::calls::{self, wanted};
use super::eval::Machine;
use super::node::{Access, Base, Op};
use super::time::Moment;
use super::trouble::{Cause, Outcome, Span};
use super::value::{Cel, Key};
use crate::scope::StepView;

/// Where a walk has come to.
enum Place {
    Value(Cel),
    /// `inputs` itself, whose missing keys are absent inputs.
    Inputs(Object),
    Steps,
    StepStatus,
    Step(Arc<str>, StepView),
}

impl Machine<'_> {
    /// Reads an access to its end.
    pub(super) fn access(&mut self, access: &Access, span: Span) -> Outcome<Cel> {
        let (place, done) = self.begin(access, span)?;
        let place = self.walk(place, &access.ops[done..])?;
        self.settle(place, span)
    }

    /// Asks whether the last field of an access exists; what comes before it must.
    pub(super) fn has(&mut self, access: &Access, span: Span) -> Outcome<Cel> {
        let Some(((Op::Field { key, .. }, at), before)) = access.ops.split_last() else {
            return Err(Cause::Argument("has takes a field".into()).at(span));
        };
        let place = match self.begin(access, span) {
            Ok((place, done)) => match before.get(done..) {
                Some(ops) => self.walk(place, ops),
                None => return Ok(true.into()),
            },
            Err(trouble) => Err(trouble),
        };
        let place = match place {
            Ok(place) => place,
            Err(trouble) if matches!(trouble.cause, Cause::Step { .. }) => return Ok(false.into()),
            Err(trouble) => return Err(trouble),
        };
        Ok(match place {
            Place::Steps => self.scope.step(key).is_some_and(|view| view.output.is_some()),
            Place::StepStatus => self.scope.step(key).is_some(),
            Place::Inputs(object) => object.find(key).is_some(),
            Place::Step(_, view) => step_has(&view, key),
            Place::Value(value) => has_field(&value, key, *at)?,
        }
        .into())
    }

    /// The base, and how many operations it has already taken.
    fn begin(&mut self, access: &Access, span: Span) -> Outcome<(Place, usize)> {
        Ok(match &access.base {
            Base::Node(node) => (Place::Value(self.eval(*node)?), 0),
            Base::Root(name) => (self.root(name, span)?, 0),
            Base::Steps => (Place::Steps, 0),
            Base::StepStatus => (Place::StepStatus, 0),
            Base::Now => {
                let nanos = i128::from(self.scope.now().0) * 1_000_000;
                let moment = Moment::new(nanos);
                let moment = moment.ok_or_else(|| Cause::Overflow("timestamp").at(span))?;
                (Place::Value(Cel::Timestamp(moment)), 0)
            }
            Base::OpenPath { names } => {
                for (name, parts) in names {
                    if let Some(value) = self.scope.root(name) {
                        return Ok((Place::Value(value.into()), *parts));
                    }
                }
                let name = names.last().map_or_else(|| "".into(), |last| last.0.clone());
                let place = self.named(span, &name);
                return Err(Cause::Variable(name).at(place));
            }
            Base::StepPath { ids } => {
                for (id, parts) in ids {
                    if let Some(view) = self.scope.step(id) {
                        return Ok((Place::Step(id.clone(), view), *parts));
                    }
                }
                let id = ids.last().map_or_else(|| "".into(), |last| last.0.clone());
                return Err(Cause::Step { id, status: None }.at(span));
            }
            Base::RootPath { name, remainder } => {
                let place = self.root(name, span)?;
                let literal = match &place {
                    Place::Inputs(object) => object.find(remainder),
                    Place::Value(Cel::Json(value)) => value.find(remainder),
                    Place::Value(_) | Place::Steps | Place::StepStatus | Place::Step(..) => None,
                };
                match literal {
                    Some(value) => (Place::Value(value.clone().into()), access.ops.len()),
                    None => (place, 0),
                }
            }
        })
    }

    fn root(&mut self, name: &Arc<str>, span: Span) -> Outcome<Place> {
        match (name.as_ref(), self.scope.root(name)) {
            ("inputs", Some(Value::Object(object))) => Ok(Place::Inputs(object)),
            ("inputs", None | Some(Value::Null)) => Ok(Place::Inputs(Object::default())),
            ("workflow" | "context", None | Some(Value::Null)) => {
                Ok(Place::Value(Cel::Json(Value::Object(Object::default()))))
            }
            (_, Some(value)) => Ok(Place::Value(value.into())),
            (_, None) => Err(Cause::Variable(name.clone()).at(self.named(span, name))),
        }
    }

    /// The name alone, of an access that begins with it.
    fn named(&self, span: Span, name: &str) -> Span {
        let len = u32::try_from(name.len()).unwrap_or(u32::MAX);
        (span.0, span.0.saturating_add(len).min(span.1))
    }

    fn walk(&mut self, mut place: Place, ops: &[(Op, Span)]) -> Outcome<Place> {
        let mut at = 0;
        while let Some((op, span)) = ops.get(at) {
            if let Place::Value(Cel::Json(value)) = &place {
                let (found, taken) = fields_of(value, &ops[at..]);
                if taken > 0 {
                    self.steps(taken as u64, *span)?;
                    place = Place::Value(found.clone().into());
                    at += taken;
                    continue;
                }
            }
            self.steps(1, *span)?;
            place = self.apply(place, op, *span)?;
            at += 1;
        }
        Ok(place)
    }

    /// The place as a value: a step is its output, `steps` is all outputs.
    fn settle(&mut self, place: Place, span: Span) -> Outcome<Cel> {
        match place {
            Place::Value(value) => Ok(value),
            Place::Inputs(object) => Ok(Cel::Json(Value::Object(object))),
            Place::Step(id, view) => step_output(&id, &view, span).map(Cel::Json),
            Place::Steps | Place::StepStatus => {
                let ids = self.scope.step_ids();
                self.steps(ids.len() as u64 * 2, span)?;
                self.bytes(ids.len() * 2 * size_of::<Cel>(), span)?;
                let status = matches!(place, Place::StepStatus);
                let mut pairs = Vec::with_capacity(ids.len());
                for id in ids {
                    let Some(view) = self.scope.step(&id) else { continue };
                    let value = if status {
                        Value::from(view.status.text())
                    } else {
                        view.output.unwrap_or(Value::Null)
                    };
                    pairs.push((id, value));
                }
                Ok(Cel::Json(Value::Object(Object::from_pairs(pairs))))
            }
        }
    }

    fn apply(&mut self, place: Place, op: &Op, span: Span) -> Outcome<Place> {
        match op {
            Op::Field { key, optional } => self.field(place, key, *optional, span),
            Op::Index { index, optional } => {
                let index = self.eval(*index)?;
                match (&place, index.as_text()) {
                    (Place::Value(_), _) | (_, None) => {
                        let value = self.settle(place, span)?;
                        self.index(&value, &index, *optional, span).map(Place::Value)
                    }
                    (_, Some(key)) => self.field(place, key, *optional, span),
                }
            }
            Op::Method { function, arguments } => {
                let receiver = self.settle(place, span)?;
                if let Some(answer) = calls::decided(*function, &receiver) {
                    return Ok(Place::Value(answer));
                }
                let mut all = vec![receiver];
                all.extend(self.all(arguments)?);
                self.call(*function, all, span).map(Place::Value)
            }
            Op::Matches { pattern } => {
                let subject = self.settle(place, span)?;
                self.matches_literal(&subject, *pattern, span).map(Place::Value)
            }
            Op::Macro(called) => {
                let range = self.settle(place, span)?;
                self.run_macro(called, range, span).map(Place::Value)
            }
            Op::Unknown(complaint) => Err(Cause::Argument(complaint.clone()).at(span)),
        }
    }

    fn field(
        &mut self,
        place: Place,
        key: &Arc<str>,
        optional: bool,
        span: Span,
    ) -> Outcome<Place> {
        if optional {
            let known = match &place {
                Place::Steps | Place::StepStatus => self.scope.step(key).is_some(),
                Place::Inputs(object) => object.find(key).is_some(),
                Place::Step(_, view) => step_has(view, key),
                Place::Value(value) => return optional_field(value, key, span).map(Place::Value),
            };
            if !known {
                return Ok(Place::Value(Cel::none()));
            }
            let place = self.field(place, key, false, span)?;
            return Ok(Place::Value(self.settle(place, span)?.some()));
        }
        match place {
            Place::Steps => match self.scope.step(key) {
                Some(view) => Ok(Place::Step(key.clone(), view)),
                None => Err(Cause::Step { id: key.clone(), status: None }.at(span)),
            },
            Place::StepStatus => match self.scope.step(key) {
                Some(view) => Ok(Place::Value(view.status.text().into())),
                None => Err(Cause::Step { id: key.clone(), status: None }.at(span)),
            },
            Place::Inputs(object) => match object.find(key) {
                Some(value) => Ok(Place::Value(value.clone().into())),
                None => Err(Cause::Input { key: key.clone(), inputs: object }.at(span)),
            },
            Place::Step(id, view) => {
                step_field(&id, &view, key, span).map(|value| Place::Value(value.into()))
            }
            Place::Value(value) => field_of(&value, key, span).map(Place::Value),
        }
    }

    fn index(&mut self, of: &Cel, index: &Cel, optional: bool, span: Span) -> Outcome<Cel> {
        if let Cel::Optional(inner) = of {
            let Some(inner) = inner else { return Ok(Cel::none()) };
            return self.index(inner, index, true, span);
        }
        let found = self.lookup(of, index, span);
        if !optional {
            return found;
        }
        match found {
            Ok(value) => Ok(value.some()),
            Err(trouble) => match trouble.cause {
                Cause::Key { .. } | Cause::Index { .. } => Ok(Cel::none()),
                Cause::Step { .. }
                | Cause::Input { .. }
                | Cause::Variable(_)
                | Cause::Traverse { .. }
                | Cause::Operator { .. }
                | Cause::Wanted { .. }
                | Cause::Overflow(_)
                | Cause::Zero
                | Cause::Argument(_)
                | Cause::Limit(_) => Err(trouble),
            },
        }
    }

    fn lookup(&mut self, of: &Cel, index: &Cel, span: Span) -> Outcome<Cel> {
        let key = index.as_key();
        match (of, key) {
            (Cel::Json(Value::Object(_)), Some(Key::Text(key))) => field_of(of, &key, span),
            (Cel::Json(Value::Object(_)) | Cel::Map(_), Some(key)) => {
                let found = of.find(&key);
                found.ok_or_else(|| Cause::Key { key: key.into_text(), of: of.clone() }.at(span))
            }
            (Cel::Json(Value::List(_)) | Cel::List(_), Some(Key::Number(whole))) => {
                let len = self.length(of);
                let at = usize::try_from(whole.number).ok();
                at.and_then(|at| of.item(at)).ok_or_else(|| {
                    let index = i64::try_from(whole.number).unwrap_or(i64::MAX);
                    Cause::Index { index, len }.at(span)
                })
            }
            (Cel::Json(Value::String(text)), Some(Key::Number(whole))) => {
                self.scan(text.len(), span)?;
                let at = usize::try_from(whole.number).ok();
                let letter = at.and_then(|at| text.chars().nth(at));
                letter.map(|letter| Cel::from(letter.encode_utf8(&mut [0; 4]) as &str)).ok_or_else(
                    || {
                        let index = i64::try_from(whole.number).unwrap_or(i64::MAX);
                        Cause::Index { index, len: text.chars().count() }.at(span)
                    },
                )
            }
            (Cel::Json(Value::List(_)) | Cel::List(_), _) => {
                Err(wanted("a list's index", "an int", index).at(span))
            }
            (Cel::Json(Value::Object(_)) | Cel::Map(_), None) => {
                Err(wanted("a map's key", "a bool, a number or text", index).at(span))
            }
            _ => Err(wanted("`[…]`", "a list, a map or text", of).at(span)),
        }
    }
}

/// Follows plain fields through JSON objects as far as they exist.
fn fields_of<'v>(mut value: &'v Value, ops: &[(Op, Span)]) -> (&'v Value, usize) {
    let mut taken = 0;
    for (op, _) in ops {
        let Op::Field { key, optional: false } = op else { break };
        let Some(next) = value.find(key) else { break };
        value = next;
        taken += 1;
    }
    (value, taken)
}

fn field_of(value: &Cel, key: &Arc<str>, span: Span) -> Outcome<Cel> {
    match value {
        Cel::Json(Value::Object(object)) => object
            .find(key)
            .map(|found| Cel::Json(found.clone()))
            .ok_or_else(|| Cause::Key { key: key.clone(), of: value.clone() }.at(span)),
        Cel::Map(map) => map
            .get(&Key::Text(key.clone()))
            .cloned()
            .ok_or_else(|| Cause::Key { key: key.clone(), of: value.clone() }.at(span)),
        Cel::Optional(None) => Ok(Cel::none()),
        Cel::Optional(Some(inner)) => optional_field(inner, key, span),
        Cel::Json(Value::List(items)) if key.bytes().all(|byte| byte.is_ascii_digit()) => {
            let index = key.parse().unwrap_or(i64::MAX);
            let found = usize::try_from(index).ok().and_then(|at| items.get(at));
            let missing = || Cause::Index { index, len: items.len() }.at(span);
            found.map(|item| Cel::Json(item.clone())).ok_or_else(missing)
        }
        _ => {
            let kind = value.kind().word();
            Err(Cause::Traverse { key: key.clone(), kind }.at(span))
        }
    }
}

/// `value.?key`: an optional, empty where the key is missing.
fn optional_field(value: &Cel, key: &Arc<str>, span: Span) -> Outcome<Cel> {
    if let Cel::Optional(inner) = value {
        return inner.as_ref().map_or(Ok(Cel::none()), |inner| optional_field(inner, key, span));
    }
    match field_of(value, key, span) {
        Ok(found) => Ok(found.some()),
        Err(trouble) if matches!(trouble.cause, Cause::Key { .. }) => Ok(Cel::none()),
        Err(trouble) => Err(trouble),
    }
}

fn has_field(value: &Cel, key: &Arc<str>, span: Span) -> Outcome<bool> {
    match value {
        Cel::Json(Value::Object(object)) => Ok(object.find(key).is_some()),
        Cel::Map(map) => Ok(map.contains_key(&Key::Text(key.clone()))),
        Cel::Optional(None) => Ok(false),
        Cel::Optional(Some(inner)) => has_field(inner, key, span),
        _ => {
            let kind = value.kind().word();
            Err(Cause::Traverse { key: key.clone(), kind }.at(span))
        }
    }
}

/// Field `key` of a step: of its output if that has one, else the step's own.
fn step_field(id: &Arc<str>, view: &StepView, key: &Arc<str>, span: Span) -> Outcome<Value> {
    if let Some(found) = view.output.as_ref().and_then(|output| output.find(key)) {
        return Ok(found.clone());
    }
    match key.as_ref() {
        "output" => step_output(id, view, span),
        "status" => Ok(view.status.text().into()),
        "error" => Ok(view.error.clone().unwrap_or(Value::Null)),
        _ => {
            let output = Cel::Json(step_output(id, view, span)?);
            Err(match output {
                Cel::Json(Value::Object(_)) => Cause::Key { key: key.clone(), of: output },
                _ => Cause::Traverse { key: key.clone(), kind: output.kind().word() },
            }
            .at(span))
        }
    }
}

fn step_has(view: &StepView, key: &str) -> bool {
    view.output.as_ref().is_some_and(|output| output.find(key).is_some())
        || match key {
            "output" => view.output.is_some(),
            "status" => true,
            "error" => view.error.is_some(),
            _ => false,
        }
}

fn step_output(id: &Arc<str>, view: &StepView, span: Span) -> Outcome<Value> {
    match (&view.output, view.status) {
        (Some(output), _) => Ok(output.clone()),
        (None, StepStatus::Completed) => Ok(Value::Null),
        (None, status) => Err(Cause::Step { id: id.clone(), status: Some(status) }.at(span)),
    }
}

impl Cel {
    /// Item `at` of a list.
    pub(super) fn item(&self, at: usize) -> Option<Self> {
        match self {
            Self::Json(Value::List(items)) => items.get(at).cloned().map(Self::Json),
            Self::List(items) => items.get(at).cloned(),
            _ => None,
        }
    }

    /// The keys of a map.
    pub(super) fn keys(&self) -> Vec<Key> {
        match self {
            Self::Json(Value::Object(object)) => object.keys().cloned().map(Key::Text).collect(),
            Self::Map(entries) => entries.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// The value under a map's key.
    pub(super) fn find(&self, key: &Key) -> Option<Self> {
        match (self, key) {
            (Self::Json(Value::Object(object)), Key::Text(key)) => {
                object.find(key).cloned().map(Self::Json)
            }
            (Self::Map(entries), key) => entries.get(key).cloned(),
            _ => None,
        }
    }
}
