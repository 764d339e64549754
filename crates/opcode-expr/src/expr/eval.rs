//! Walks compiled code over a scope: every node costs a step, every allocation its bytes.
//!
//! Keeps: recursion is no deeper than the code's height, which compiling bounds.
//! Not here: selections (`access.rs`), predicates (`loops.rs`), functions (`calls.rs`), operators (`arith.rs`, `compare.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a node that is not listed reads nothing by itself, whichever it is"
)]

use std::sync::Arc;

use opcode_model::Value;
use opcode_model::limits::BUILT_DEPTH_MAX;

use super::node::{Code, Link, Node, NodeId, Step};
use super::syntax::Operator;
use super::trouble::{Outcome, Span, Trouble};
use super::value::Datum;
use super::{arith, text};
use crate::error::EvalErrorKind;
use crate::meter::{Exhausted, Meter};
use crate::pattern::Met;
use crate::scope::Scope;

/// Evaluates `code`.
pub(crate) fn evaluate(code: &Code, scope: &dyn Scope, meter: &mut Meter) -> Outcome<Value> {
    let slots = vec![Datum::NIL; code.slots];
    let mut machine =
        Machine { code, scope, meter, slots, frames: Vec::new(), met: Met::default() };
    let value = machine.eval(code.root)?;
    machine.deliver(value)
}

/// A predicate at work: what it walks, and where it is.
pub(super) struct Frame {
    pub(super) range: Datum,
    pub(super) at: usize,
    pub(super) accumulator: Datum,
}

/// One evaluation.
pub(crate) struct Machine<'a> {
    pub(super) code: &'a Code,
    pub(super) scope: &'a dyn Scope,
    pub(super) meter: &'a mut Meter,
    /// The variables alive.
    slots: Vec<Datum>,
    /// The predicates at work, innermost last.
    pub(super) frames: Vec<Frame>,
    /// Patterns known only now.
    pub(super) met: Met,
}

impl<'a> Machine<'a> {
    /// The answer as JSON. What was built here is charged as if written out, since parts may be shared without end.
    fn deliver(&mut self, value: Datum) -> Outcome<Value> {
        let span = self.span(self.code.root);
        if value.is_scalar() {
            return Ok(value.into_json());
        }
        if let (Datum::Json(value), true) = (&value, self.is_read()) {
            return Ok(value.clone());
        }
        let weight = value.weight(usize::try_from(self.meter.bytes_left()).unwrap_or(usize::MAX));
        self.bytes(weight, span)?;
        self.scan(weight, span)?;
        let json = value.into_json();
        if json.depth(BUILT_DEPTH_MAX + 1) > BUILT_DEPTH_MAX {
            return Err(self.too_deep(span));
        }
        Ok(json)
    }

    /// Whether the whole expression only reads a part of the scope, so that its answer is no larger than what is there.
    fn is_read(&self) -> bool {
        let scope = |node: &Node| matches!(node, Node::Root(_));
        match self.node(self.code.root) {
            Node::Access { base, .. } => scope(self.node(*base)),
            node => scope(node),
        }
    }

    pub(super) fn too_deep(&self, span: Span) -> Box<Trouble> {
        let value = BUILT_DEPTH_MAX as u64;
        Trouble::limit(Exhausted { which: "the nesting of a value", value }, span)
    }

    pub(super) fn steps(&mut self, count: u64, span: Span) -> Outcome<()> {
        self.meter.steps(count).map_err(|exhausted| Trouble::limit(exhausted, span))
    }

    pub(super) fn scan(&mut self, count: usize, span: Span) -> Outcome<()> {
        self.meter.scan(count).map_err(|exhausted| Trouble::limit(exhausted, span))
    }

    /// Charges an allocation, and the time it takes to fill.
    pub(super) fn bytes(&mut self, count: usize, span: Span) -> Outcome<()> {
        self.meter
            .bytes(count.saturating_add(16))
            .map_err(|exhausted| Trouble::limit(exhausted, span))
    }

    /// Charges a list of so many items.
    pub(super) fn items(&mut self, count: usize, span: Span) -> Outcome<()> {
        self.scan(count.saturating_mul(16), span)?;
        self.bytes(count.saturating_mul(size_of::<Datum>()), span)
    }

    pub(super) fn span(&self, node: NodeId) -> Span {
        self.code.spans[node as usize]
    }

    pub(super) fn node(&self, node: NodeId) -> &'a Node {
        let code: &'a Code = self.code;
        &code.nodes[node as usize]
    }

    pub(super) fn eval(&mut self, id: NodeId) -> Outcome<Datum> {
        let span = self.span(id);
        self.steps(1, span)?;
        match self.node(id) {
            Node::Literal(value) => Ok(value.clone()),
            Node::Slot(slot) => Ok(self.slots[*slot].clone()),
            Node::Root(name) => Ok(self.root(name)),
            Node::Steps => self.all_steps(span),
            Node::Environment => self.environment(span),
            Node::Item => self.item(span),
            Node::Index => Ok(self.frames.last().map_or(Datum::NIL, |frame| frame.at.into())),
            Node::Accumulator => {
                Ok(self.frames.last().map_or(Datum::NIL, |frame| frame.accumulator.clone()))
            }
            Node::Access { base, ops } => self.access(*base, ops),
            Node::Chain { first, links } => self.chain(*first, links),
            Node::Not { operand, odd } => {
                let flag = self.flag(*operand, "`!`")?;
                Ok((flag != *odd).into())
            }
            Node::Negate { operand, odd } => {
                let value = self.eval(*operand)?;
                arith::negate(&value, *odd)
                    .ok_or_else(|| Trouble::wanted("`-`", "a number", value.kind(), span))
            }
            Node::Choice { arms, otherwise } => self.choice(arms, *otherwise),
            Node::List(items) => {
                self.items(items.len(), span)?;
                Ok(self.all(items)?.into())
            }
            Node::Map(entries) => self.map(entries, span),
            Node::Block(steps) => self.block(steps),
            Node::Call { function, arguments } => {
                let arguments = self.all(arguments)?;
                self.call(*function, &arguments, span)
            }
            Node::Loop { range, body } => {
                let range = self.eval(*range)?;
                self.run(body, range, span)
            }
            Node::SumOf(items) => self.sum_of(items, span),
            Node::Unknown { name, arguments } => {
                drop(self.all(arguments)?);
                Err(self.unknown(name, span))
            }
        }
    }

    pub(super) fn all(&mut self, nodes: &[NodeId]) -> Outcome<Vec<Datum>> {
        nodes.iter().map(|node| self.eval(*node)).collect()
    }

    /// A bool, for what needs one.
    pub(super) fn flag(&mut self, node: NodeId, what: &str) -> Outcome<bool> {
        let value = self.eval(node)?;
        self.as_flag(&value, what, self.span(node))
    }

    fn as_flag(&self, value: &Datum, what: &str, span: Span) -> Outcome<bool> {
        value.as_bool().ok_or_else(|| Trouble::wanted(what, "a bool", value.kind(), span))
    }

    fn unknown(&self, name: &str, span: Span) -> Box<Trouble> {
        let shown = crate::error::shorten(name, 80);
        let mut message = format!("unknown function `{shown}`");
        if let Some(hint) = super::functions::suggestion(&shown) {
            message += &format!("; {hint}");
        }
        Trouble::new(EvalErrorKind::Type, message, span)
    }

    fn chain(&mut self, first: NodeId, links: &'a [(Link, Span)]) -> Outcome<Datum> {
        let mut value = self.eval(first)?;
        for (link, span) in links {
            let span = *span;
            value = match link {
                Link::And(operand) => match self.as_flag(&value, "`and`", span)? {
                    true => self.eval(*operand)?,
                    false => value,
                },
                Link::Or(operand) => match self.as_flag(&value, "`or`", span)? {
                    true => value,
                    false => self.eval(*operand)?,
                },
                Link::Coalesce(operand) if value.is_nil() => self.eval(*operand)?,
                Link::Coalesce(_) => value,
                Link::Not => (!self.as_flag(&value, "`not`", span)?).into(),
                Link::Apply(operator, operand) => {
                    let right = self.eval(*operand)?;
                    self.apply(*operator, &value, &right, span)?
                }
                Link::Compare(compared) => self.comparisons(value, compared, span)?,
                Link::Matches(pattern) => self.matches_literal(&value, *pattern, span)?,
                Link::OneOf(words) => self.one_of(&value, words, span)?.into(),
                Link::Between(from, to) => {
                    let number = value.as_number().map(super::value::Number::truncated);
                    number.is_some_and(|number| (*from..=*to).contains(&number)).into()
                }
                Link::Call(function, arguments) => {
                    let mut all = vec![value];
                    all.extend(self.all(arguments)?);
                    self.call(*function, &all, span)?
                }
                Link::Loop(body) => self.run(body, value, span)?,
                Link::Unknown(name, arguments) => {
                    drop(self.all(arguments)?);
                    return Err(self.unknown(name, span));
                }
            };
        }
        Ok(value)
    }

    fn apply(
        &mut self,
        operator: Operator,
        left: &Datum,
        right: &Datum,
        span: Span,
    ) -> Outcome<Datum> {
        Ok(match operator {
            Operator::Equal => self.equal(left, right, span)?.into(),
            Operator::Unequal => (!self.equal(left, right, span)?).into(),
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                self.compare(operator, left, right, span)?.into()
            }
            Operator::In => self.is_in(left, right, span)?.into(),
            Operator::Matches => self.matches(left, right, span)?,
            Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
                text::find(self, operator, (left, right), span)?.into()
            }
            Operator::Range
            | Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder
            | Operator::Power => self.arith(operator, left, right, span)?,
            // These need their right side only sometimes, and have links of their own.
            Operator::Or | Operator::And | Operator::Coalesce => Datum::NIL,
        })
    }

    fn comparisons(
        &mut self,
        first: Datum,
        compared: &[(Operator, NodeId)],
        span: Span,
    ) -> Outcome<Datum> {
        let mut left = first;
        for (operator, operand) in compared {
            let right = self.eval(*operand)?;
            if !self.compare(*operator, &left, &right, span)? {
                return Ok(false.into());
            }
            left = right;
        }
        Ok(true.into())
    }

    fn one_of(&mut self, value: &Datum, words: &[Arc<str>], span: Span) -> Outcome<bool> {
        self.scan(words.len() * 16, span)?;
        match (value.as_text(), value) {
            (Some(text), _) => Ok(words.contains(text)),
            (None, Datum::Json(Value::Null)) => Ok(words.iter().any(|word| word.is_empty())),
            _ => Err(Trouble::wanted("`in` these texts", "a string", value.kind(), span)),
        }
    }

    fn choice(&mut self, arms: &[(NodeId, Option<NodeId>)], otherwise: NodeId) -> Outcome<Datum> {
        for (condition, value) in arms {
            if self.flag(*condition, "a condition")? {
                return match value {
                    Some(value) => self.eval(*value),
                    None => Ok(true.into()),
                };
            }
        }
        self.eval(otherwise)
    }

    fn map(&mut self, entries: &[(NodeId, NodeId)], span: Span) -> Outcome<Datum> {
        self.items(entries.len() * 2, span)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.eval(*key)?;
            let value = self.eval(*value)?;
            pairs.push((key, value));
        }
        let named = pairs.into_iter().map(|(key, value)| match key.as_text() {
            Some(name) => Ok((name.clone(), value)),
            None => Err(Trouble::wanted("a map's key", "a string", key.kind(), span)),
        });
        Ok(Datum::map(named.collect::<Outcome<Vec<_>>>()?))
    }

    fn block(&mut self, steps: &[Step]) -> Outcome<Datum> {
        let mut last = Datum::NIL;
        for step in steps {
            match step {
                Step::Store(slot, node) => self.slots[*slot] = self.eval(*node)?,
                Step::Value(node) => last = self.eval(*node)?,
            }
        }
        Ok(last)
    }

    /// `sum([a, b, …])`.
    fn sum_of(&mut self, items: &[NodeId], span: Span) -> Outcome<Datum> {
        let mut values = self.all(items)?;
        let mut total = values.pop().unwrap_or(Datum::Int(0));
        while let Some(value) = values.pop() {
            total = self.arith(Operator::Add, &value, &total, span)?;
        }
        Ok(total)
    }
}
