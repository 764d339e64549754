//! The functions that walk a list with a predicate: `all any filter map find count sum groupBy sortBy reduce …`.
//!
//! Keeps: every item costs a step; what is kept costs its bytes; `reduce` cannot nest values without end.
//! Not here: how a predicate is checked (`check.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::Value;
use opcode_model::limits::BUILT_DEPTH_MAX;

use super::eval::{Frame, Machine};
use super::functions::Loop;
use super::node::{Body, NodeId};
use super::syntax::Operator;
use super::trouble::{Outcome, Span, Trouble};
use super::value::{Datum, Keyed};

impl Machine<'_> {
    pub(super) fn run(&mut self, body: &Body, range: Datum, span: Span) -> Outcome<Datum> {
        // A map can be walked as long as nobody asks for its items; of a text the items are bytes.
        let len = match (&range, range.count()) {
            (_, Some(count)) => count,
            (Datum::Json(Value::String(text)), None) => text.len(),
            _ => return Err(Trouble::wanted("a predicate", "an array", range.kind(), span)),
        };
        self.frames.push(Frame { range, at: 0, accumulator: Datum::NIL });
        let answer = self.walk(body, len, span);
        self.frames.pop();
        answer
    }

    fn walk(&mut self, body: &Body, len: usize, span: Span) -> Outcome<Datum> {
        match body.kind {
            Loop::All => self.search(body, len, span, false).map(|found| found.is_none().into()),
            Loop::None => self.search(body, len, span, true).map(|found| found.is_none().into()),
            Loop::Any => self.search(body, len, span, true).map(|found| found.is_some().into()),
            Loop::One => self.count(body, len, span).map(|count| (count == 1).into()),
            Loop::Count => self.count(body, len, span).map(Datum::from),
            Loop::Find { last } => match self.seek(body, len, last, span)? {
                Some(_) => self.item(span),
                None => Ok(Datum::NIL),
            },
            Loop::FindIndex { last } => {
                let found = self.seek(body, len, last, span)?;
                Ok(found.map_or(Datum::NIL, Datum::from))
            }
            Loop::Filter => self.filter(body, len, span),
            Loop::Map => self.transform(body, len, span),
            Loop::Sum => self.sum(body, len, span),
            Loop::GroupBy => self.group_by(body, len, span),
            Loop::SortBy => self.sort_by(body, len, span),
            Loop::Reduce => self.reduce(body, len, span),
        }
    }

    fn stand_at(&mut self, at: usize, span: Span) -> Outcome<()> {
        self.steps(1, span)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.at = at;
        }
        Ok(())
    }

    /// What the predicate says of the current item; the item itself without one.
    fn judge(&mut self, predicate: Option<NodeId>, span: Span) -> Outcome<Datum> {
        match predicate {
            Some(node) => self.eval(node),
            None => self.item(span),
        }
    }

    fn decides(&mut self, body: &Body, span: Span) -> Outcome<bool> {
        let said = self.judge(body.predicate, span)?;
        said.as_bool().ok_or_else(|| {
            let at = body.predicate.map_or(span, |node| self.span(node));
            Trouble::wanted("a predicate", "a bool", said.kind(), at)
        })
    }

    /// The first item of which the predicate says `wanted`.
    fn search(
        &mut self,
        body: &Body,
        len: usize,
        span: Span,
        wanted: bool,
    ) -> Outcome<Option<usize>> {
        for at in 0..len {
            self.stand_at(at, span)?;
            if self.decides(body, span)? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn seek(&mut self, body: &Body, len: usize, last: bool, span: Span) -> Outcome<Option<usize>> {
        if !last {
            return self.search(body, len, span, true);
        }
        for at in (0..len).rev() {
            self.stand_at(at, span)?;
            if self.decides(body, span)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn count(&mut self, body: &Body, len: usize, span: Span) -> Outcome<usize> {
        let mut found = 0;
        for at in 0..len {
            self.stand_at(at, span)?;
            found += usize::from(self.decides(body, span)?);
        }
        Ok(found)
    }

    fn filter(&mut self, body: &Body, len: usize, span: Span) -> Outcome<Datum> {
        let mut kept = Vec::new();
        for at in 0..len {
            self.stand_at(at, span)?;
            if self.decides(body, span)? {
                self.bytes(size_of::<Datum>(), span)?;
                kept.push(self.judge(body.map, span)?);
            }
        }
        Ok(kept.into())
    }

    fn transform(&mut self, body: &Body, len: usize, span: Span) -> Outcome<Datum> {
        let mut made = Vec::new();
        for at in 0..len {
            self.stand_at(at, span)?;
            let item = self.judge(body.predicate, span)?;
            self.bytes(size_of::<Datum>(), span)?;
            made.push(item);
        }
        Ok(made.into())
    }

    fn sum(&mut self, body: &Body, len: usize, span: Span) -> Outcome<Datum> {
        let mut total = Datum::Int(0);
        for at in 0..len {
            self.stand_at(at, span)?;
            let item = self.judge(body.predicate, span)?;
            total = self.arith(Operator::Add, &item, &total, span)?;
        }
        Ok(total)
    }

    fn group_by(&mut self, body: &Body, len: usize, span: Span) -> Outcome<Datum> {
        let mut groups: BTreeMap<_, Vec<Datum>> = BTreeMap::new();
        for at in 0..len {
            self.stand_at(at, span)?;
            let said = self.judge(body.predicate, span)?;
            let Some(key) = said.as_key() else {
                let wanted = "a key that is no array and no map";
                return Err(Trouble::wanted("groupBy", wanted, said.kind(), span));
            };
            self.bytes(size_of::<Datum>() * 2, span)?;
            let item = self.item(span)?;
            groups.entry(key).or_default().push(item);
        }
        let entries = groups.into_iter().map(|(key, items)| (key, items.into())).collect();
        Ok(Datum::Keyed(Arc::new(Keyed { entries, of_lists: true })))
    }

    fn sort_by(&mut self, body: &Body, len: usize, span: Span) -> Outcome<Datum> {
        let descending = match body.extra {
            Some(order) => {
                let order = self.eval(order)?;
                is_descending(&order, span)?
            }
            None => false,
        };
        let (mut items, mut keys) = (Vec::new(), Vec::new());
        for at in 0..len {
            self.stand_at(at, span)?;
            keys.push(self.judge(body.predicate, span)?);
            self.bytes(size_of::<Datum>() * 3, span)?;
            items.push(self.item(span)?);
        }
        let order = self.sorted(&keys, descending, span)?;
        Ok(order.into_iter().map(|at| items[at].clone()).collect::<Vec<_>>().into())
    }

    fn reduce(&mut self, body: &Body, len: usize, span: Span) -> Outcome<Datum> {
        let (first, begin) = match body.extra {
            Some(node) => (self.eval(node)?, 0),
            None => (self.item(span)?, 1),
        };
        self.accumulate(first);
        for at in begin..len {
            self.stand_at(at, span)?;
            let value = self.judge(body.predicate, span)?;
            // What is built from what was built before could nest without end.
            let visits_max = usize::try_from(self.meter.steps_left()).unwrap_or(usize::MAX);
            let (deep, visits) =
                value.is_deeper_than(BUILT_DEPTH_MAX, visits_max.saturating_mul(16));
            self.steps(visits as u64 / 16, span)?;
            if deep {
                return Err(self.too_deep(span));
            }
            self.accumulate(value);
        }
        Ok(self.frames.last().map_or(Datum::NIL, |frame| frame.accumulator.clone()))
    }

    fn accumulate(&mut self, value: Datum) {
        if let Some(frame) = self.frames.last_mut() {
            frame.accumulator = value;
        }
    }

    /// The positions of `keys` in their order, equal ones as they stood: a merge sort, since comparing may fail.
    pub(super) fn sorted(
        &mut self,
        keys: &[Datum],
        descending: bool,
        span: Span,
    ) -> Outcome<Vec<usize>> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        let mut merged = order.clone();
        let mut width = 1;
        while width < keys.len() {
            for start in (0..keys.len()).step_by(width * 2) {
                let (mut left, middle) = (start, (start + width).min(keys.len()));
                let (mut right, end) = (middle, (start + width * 2).min(keys.len()));
                for slot in merged.iter_mut().take(end).skip(start) {
                    let take_right = left >= middle
                        || (right < end && {
                            self.steps(1, span)?;
                            let (one, other) = (&keys[order[right]], &keys[order[left]]);
                            let (one, other) = if descending { (other, one) } else { (one, other) };
                            self.compare(Operator::Less, one, other, span)?
                        });
                    let from = if take_right { &mut right } else { &mut left };
                    *slot = order[*from];
                    *from += 1;
                }
            }
            std::mem::swap(&mut order, &mut merged);
            width *= 2;
        }
        Ok(order)
    }
}

/// `"asc"` or `"desc"`.
pub(super) fn is_descending(order: &Datum, span: Span) -> Outcome<bool> {
    match order.as_text().map(AsRef::as_ref) {
        Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(other) => {
            let shown = crate::error::shorten(other, 40);
            Err(Trouble::argument(
                format!("an order is \"asc\" or \"desc\", not \"{shown}\""),
                span,
            ))
        }
        None => Err(Trouble::wanted("an order", "\"asc\" or \"desc\"", order.kind(), span)),
    }
}
