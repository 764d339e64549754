//! The macros: `all exists exists_one map filter` over lists and maps, `optMap optFlatMap` over optionals.
//!
//! Keeps: `all` and `exists` swallow an item's error if another item decides; every item costs a step.
//! Not here: `has` (`access.rs`).

use opcode_model::Value;

use super::calls::wanted;
use super::eval::Machine;
use super::node::{Macro, MacroKind, NodeId};
use super::trouble::{Outcome, Span};
use super::value::{Cel, Key};

impl Machine<'_> {
    pub(super) fn run_macro(&mut self, called: &Macro, range: Cel, span: Span) -> Outcome<Cel> {
        let Macro { kind, slot, parts } = called;
        let slot = *slot;
        let range = match (kind, range) {
            (MacroKind::OptMap | MacroKind::OptFlatMap, of) => {
                return self.open_optional(called, of, span);
            }
            (_, range @ (Cel::Json(Value::List(_)) | Cel::List(_))) => range,
            (_, map @ (Cel::Json(Value::Object(_)) | Cel::Map(_))) => {
                let len = self.length(&map);
                self.steps(len as u64, span)?;
                self.bytes(len * size_of::<Cel>(), span)?;
                Cel::list(map.keys().into_iter().map(Key::into_value).collect())
            }
            (_, other) => return Err(wanted("a macro", "a list or a map", &other).at(span)),
        };
        let answer = match kind {
            MacroKind::All => self.search(slot, parts[0], &range, false),
            MacroKind::Exists => self.search(slot, parts[0], &range, true),
            MacroKind::ExistsOne => self.exists_one(slot, parts[0], &range, span),
            MacroKind::Map | MacroKind::OptMap | MacroKind::OptFlatMap => {
                self.transform(slot, parts, &range, span)
            }
            MacroKind::Filter => self.filter(slot, parts[0], &range, span),
        };
        self.slots[slot] = Cel::NULL;
        answer
    }

    /// `exists` with `decisive` true, `all` with false.
    fn search(&mut self, slot: usize, part: NodeId, range: &Cel, decisive: bool) -> Outcome<Cel> {
        let what = if decisive { "exists" } else { "all" };
        let mut first_trouble = None;
        for at in 0..self.length(range) {
            self.slots[slot] = range.item(at).unwrap_or(Cel::NULL);
            match self.flag(part, what) {
                Ok(flag) if flag == decisive => return Ok(decisive.into()),
                Ok(_) => {}
                Err(trouble) if trouble.is_final() => return Err(trouble),
                Err(trouble) => {
                    first_trouble.get_or_insert(trouble);
                }
            }
        }
        first_trouble.map_or_else(|| Ok((!decisive).into()), Err)
    }

    fn exists_one(&mut self, slot: usize, part: NodeId, range: &Cel, span: Span) -> Outcome<Cel> {
        let mut found = 0_usize;
        for at in 0..self.length(range) {
            self.steps(1, span)?;
            self.slots[slot] = range.item(at).unwrap_or(Cel::NULL);
            found += usize::from(self.flag(part, "exists_one")?);
        }
        Ok((found == 1).into())
    }

    fn filter(&mut self, slot: usize, part: NodeId, range: &Cel, span: Span) -> Outcome<Cel> {
        let mut kept = Vec::new();
        for at in 0..self.length(range) {
            let item = range.item(at).unwrap_or(Cel::NULL);
            self.slots[slot] = item.clone();
            if self.flag(part, "filter")? {
                self.bytes(size_of::<Cel>(), span)?;
                kept.push(item);
            }
        }
        Ok(Cel::list(kept))
    }

    /// `map(x, value)` or `map(x, condition, value)`.
    fn transform(
        &mut self,
        slot: usize,
        parts: &[NodeId],
        range: &Cel,
        span: Span,
    ) -> Outcome<Cel> {
        let (condition, value) = match parts {
            [condition, value] => (Some(*condition), *value),
            _ => (None, parts[0]),
        };
        let mut made = Vec::new();
        for at in 0..self.length(range) {
            self.slots[slot] = range.item(at).unwrap_or(Cel::NULL);
            if let Some(condition) = condition
                && !self.flag(condition, "map")?
            {
                continue;
            }
            let item = self.eval(value)?;
            self.bytes(size_of::<Cel>(), span)?;
            made.push(item);
        }
        Ok(Cel::list(made))
    }

    fn open_optional(&mut self, called: &Macro, of: Cel, span: Span) -> Outcome<Cel> {
        let Cel::Optional(inner) = of else {
            return Err(wanted("optMap", "an optional", &of).at(span));
        };
        let Some(inner) = inner else { return Ok(Cel::none()) };
        self.slots[called.slot] = Cel::clone(&inner);
        let value = self.eval(called.parts[0])?;
        match (called.kind, value) {
            (MacroKind::OptFlatMap, value @ Cel::Optional(_)) => Ok(value),
            (MacroKind::OptFlatMap, other) => {
                Err(wanted("optFlatMap", "an optional", &other).at(span))
            }
            (_, value) => Ok(value.some()),
        }
    }
}
