//! Walks compiled code over a scope: every node costs a step, every allocation its bytes.
//!
//! Keeps: recursion is no deeper than the code's height, which compiling bounds; `||` and `&&` swallow errors, limits excepted.
//! Not here: selections (`access.rs`), macros (`macros.rs`), operators (`arith.rs`, `compare.rs`).

use std::collections::BTreeMap;

use opcode_model::Value;
use opcode_model::limits::BUILT_DEPTH_MAX;

use super::node::{Code, Entry, Item, Node, NodeId, Operator};
use super::trouble::{Cause, Outcome, Span, Trouble};
use super::value::{Cel, Key};
use super::{arith, compare};
use crate::meter::{Exhausted, Meter};
use crate::pattern::Met;
use crate::scope::Scope;

/// Evaluates `code`.
pub(crate) fn evaluate(
    code: &Code,
    scope: &dyn Scope,
    meter: &mut Meter,
) -> Result<Value, Box<Trouble>> {
    let slots = vec![Cel::NULL; code.slots];
    let mut machine = Machine { code, scope, meter, slots, met: Met::default() };
    let value = machine.eval(code.root)?;
    machine.deliver(value)
}

/// One evaluation.
pub(crate) struct Machine<'a> {
    pub(super) code: &'a Code,
    pub(super) scope: &'a dyn Scope,
    meter: &'a mut Meter,
    /// The macro variables alive.
    pub(super) slots: Vec<Cel>,
    /// Patterns known only now.
    pub(super) met: Met,
}

impl<'a> Machine<'a> {
    /// The answer as JSON. What was built here is charged as if written out, since parts may be shared without end.
    fn deliver(&mut self, value: Cel) -> Outcome<Value> {
        let span = self.span(self.code.root);
        if self.code.is_path() || value.is_scalar() {
            return Ok(value.into_json());
        }
        let weight = value.weight(usize::try_from(self.meter.bytes_left()).unwrap_or(usize::MAX));
        self.bytes(weight, span)?;
        self.scan(weight, span)?;
        let json = value.into_json();
        if json.depth(BUILT_DEPTH_MAX + 1) > BUILT_DEPTH_MAX {
            let value = BUILT_DEPTH_MAX as u64;
            return Err(Exhausted { which: "the nesting of a value", value }.at(span));
        }
        Ok(json)
    }

    pub(super) fn steps(&mut self, count: u64, span: Span) -> Outcome<()> {
        self.meter.steps(count).map_err(|exhausted| exhausted.at(span))
    }

    pub(super) fn scan(&mut self, count: usize, span: Span) -> Outcome<()> {
        self.meter.scan(count).map_err(|exhausted| exhausted.at(span))
    }

    /// Charges an allocation, and the time it takes to fill.
    pub(super) fn bytes(&mut self, count: usize, span: Span) -> Outcome<()> {
        self.meter.bytes(count + 16).map_err(|exhausted| exhausted.at(span))
    }

    /// Items of a list or map, 0 for anything else.
    pub(super) fn length(&self, value: &Cel) -> usize {
        match value {
            Cel::Json(Value::List(items)) => items.len(),
            Cel::Json(Value::Object(object)) => object.len(),
            Cel::List(items) => items.len(),
            Cel::Map(entries) => entries.len(),
            Cel::Json(
                Value::Null
                | Value::Bool(_)
                | Value::Int(_)
                | Value::Float(_)
                | Value::String(_)
                | Value::Bytes(_),
            )
            | Cel::Uint(_)
            | Cel::Timestamp(_)
            | Cel::Duration(_)
            | Cel::Type(_)
            | Cel::Optional(_) => 0,
        }
    }

    pub(super) fn span(&self, node: NodeId) -> Span {
        self.code.spans[node as usize]
    }

    pub(super) fn eval(&mut self, id: NodeId) -> Outcome<Cel> {
        let code: &'a Code = self.code;
        let span = code.spans[id as usize];
        self.steps(1, span)?;
        match &code.nodes[id as usize] {
            Node::Literal(value) => Ok(value.clone()),
            Node::Slot(slot) => Ok(self.slots[*slot].clone()),
            Node::Access(access) => self.access(access, span),
            Node::Chain { first, rest } => self.chain(*first, rest),
            Node::And(operands) => self.logic(operands, false),
            Node::Or(operands) => self.logic(operands, true),
            Node::Choice { arms, otherwise } => self.choice(arms, *otherwise),
            Node::Not { operand, odd } => {
                let flag = self.flag(*operand, "`!`")?;
                Ok((flag != *odd).into())
            }
            Node::Negate { operand, odd } => {
                let value = self.eval(*operand)?;
                arith::negate(value, *odd, span)
            }
            Node::List(items) => self.list(items, span),
            Node::Map(entries) => self.map(entries, span),
            Node::Has(access) => self.has(access, span),
            Node::Call { function, arguments } => {
                let arguments = self.all(arguments)?;
                self.call(*function, arguments, span)
            }
            Node::Matches { subject, pattern } => {
                let subject = self.eval(*subject)?;
                self.matches_literal(&subject, *pattern, span)
            }
            Node::Unknown(complaint) => Err(Cause::Argument(complaint.clone()).at(span)),
        }
    }

    pub(super) fn all(&mut self, nodes: &[NodeId]) -> Outcome<Vec<Cel>> {
        nodes.iter().map(|node| self.eval(*node)).collect()
    }

    /// A bool, for what needs one.
    pub(super) fn flag(&mut self, node: NodeId, what: &'static str) -> Outcome<bool> {
        let value = self.eval(node)?;
        value.as_bool().ok_or_else(|| {
            let got = value.kind().word();
            Cause::Wanted { what, wanted: "a bool", got }.at(self.span(node))
        })
    }

    fn chain(&mut self, first: NodeId, rest: &[(Operator, NodeId)]) -> Outcome<Cel> {
        let mut value = self.eval(first)?;
        let start = self.span(first).0;
        for (operator, operand) in rest {
            let right = self.eval(*operand)?;
            let span = (start, self.span(*operand).1);
            value = match operator {
                Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder => arith::apply(self, *operator, value, right, span)?,
                Operator::Equal
                | Operator::Unequal
                | Operator::Less
                | Operator::LessEqual
                | Operator::Greater
                | Operator::GreaterEqual
                | Operator::In => compare::apply(self, *operator, &value, &right, span)?.into(),
            };
        }
        Ok(value)
    }

    /// `||` with `decisive` true, `&&` with false: a decisive operand wins over errors left and right of it.
    fn logic(&mut self, operands: &[NodeId], decisive: bool) -> Outcome<Cel> {
        let what = if decisive { "`||`" } else { "`&&`" };
        let mut first_trouble = None;
        for operand in operands {
            match self.flag(*operand, what) {
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

    fn choice(&mut self, arms: &[(NodeId, NodeId)], otherwise: NodeId) -> Outcome<Cel> {
        for (condition, value) in arms {
            if self.flag(*condition, "`?`")? {
                return self.eval(*value);
            }
        }
        self.eval(otherwise)
    }

    fn list(&mut self, items: &[Item], span: Span) -> Outcome<Cel> {
        self.bytes(items.len() * size_of::<Cel>(), span)?;
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let value = self.eval(item.value)?;
            if let Some(value) = unwrap_optional(value, item.optional, span)? {
                values.push(value);
            }
        }
        Ok(Cel::list(values))
    }

    fn map(&mut self, entries: &[Entry], span: Span) -> Outcome<Cel> {
        self.bytes(entries.len() * (size_of::<Cel>() + size_of::<Key>()), span)?;
        let mut map = BTreeMap::new();
        for entry in entries {
            let key = self.eval(entry.key)?;
            let whole_double = matches!(key, Cel::Json(Value::Float(_)));
            let Some(found) = key.as_key().filter(|_| !whole_double) else {
                let got = key.kind().word();
                let wanted = "a bool, an int, a uint or text";
                return Err(Cause::Wanted { what: "a map's key", wanted, got }.at(span));
            };
            let value = self.eval(entry.value)?;
            let Some(value) = unwrap_optional(value, entry.optional, span)? else { continue };
            if map.contains_key(&found) {
                let message = format!("the key `{}` stands twice in a map", found.into_text());
                return Err(Cause::Argument(message.into()).at(span));
            }
            map.insert(found, value);
        }
        Ok(Cel::map(map))
    }
}

/// The value of a `?` item or entry: `None` if it is absent.
fn unwrap_optional(value: Cel, optional: bool, span: Span) -> Outcome<Option<Cel>> {
    if !optional {
        return Ok(Some(value));
    }
    if let Cel::Optional(inner) = value {
        return Ok(inner.map(|inner| Cel::clone(&inner)));
    }
    let got = value.kind().word();
    Err(Cause::Wanted { what: "a `?` entry", wanted: "an optional", got }.at(span))
}
