//! Selections, checked and lowered: fields, methods, indexes, slices.
//!
//! Keeps: which steps and inputs a constant path names is remembered for `plan`.
//! Not here: how they are read (`access.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not listed has no fields, whichever it is"
)]

use std::sync::Arc;

use super::lexer::Outcome;
use super::lower::{Lowered, Lowering, bytes, mismatch};
use super::methods;
use super::nature::Nature;
use super::node::{Node, NodeId, Op};
use super::syntax::{Ast, AstId, Part};
use super::trouble::Span;
use crate::references::StepReference;

impl Lowering<'_> {
    pub(super) fn access(
        &mut self,
        base: AstId,
        parts: &[(Part, Span)],
        span: Span,
    ) -> Outcome<Lowered> {
        let (base, mut nature, taken) = self.base(base, parts)?;
        let mut ops = Vec::with_capacity(parts.len() - taken);
        let environment = matches!(self.node(base), Node::Environment);
        for (at_part, (part, at)) in parts[taken..].iter().enumerate() {
            // What `$env` is asked for, and what nobody knows how to call is given, is not checked.
            let method = matches!(part, Part::Method { .. }) && nature.is_unknown();
            let unchecked = usize::from(method || (environment && at_part == 0));
            self.unchecked += unchecked;
            let lowered = self.part(part, &nature, *at);
            self.unchecked -= unchecked;
            let (op, given) = lowered?;
            ops.push((op, *at));
            nature = given;
        }
        self.note_reads(base, &ops);
        if ops.is_empty() {
            return Ok((base, nature));
        }
        Ok((self.push(Node::Access { base, ops }, span), nature))
    }

    /// The base, and how many parts it took: `$env.name` is the variable `name`.
    fn base(&mut self, base: AstId, parts: &[(Part, Span)]) -> Outcome<(NodeId, Nature, usize)> {
        let environment = matches!(self.ast(base), Ast::Name(name) if name.as_ref() == "$env");
        let named = match parts.first() {
            Some((Part::Field { name, .. }, at)) => Some((name.clone(), *at)),
            Some((Part::Index { index, .. }, at)) => self.text_of(*index).map(|name| (name, *at)),
            _ => None,
        };
        if environment && let Some((name, at)) = named {
            let (node, nature) = self.root(&name, at)?;
            return Ok((node, nature, 1));
        }
        if let Ast::Name(name) = self.ast(base)
            && name.as_ref() == "steps"
            && !self.is_variable(name)
        {
            let (name, at) = (name.clone(), self.span(base));
            let (node, nature) = self.root(&name, at)?;
            return Ok((node, nature, 0));
        }
        let (node, nature) = self.lower(base)?;
        Ok((node, nature, 0))
    }

    fn part(&mut self, part: &Part, of: &Nature, span: Span) -> Outcome<(Op, Nature)> {
        match part {
            Part::Field { name, optional } => {
                let nature = field(name, of, span)?;
                Ok((Op::Field { name: name.clone(), optional: *optional }, nature))
            }
            Part::Method { name, arguments, optional } => {
                let mut nodes = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    nodes.push(self.lower(*argument)?.0);
                }
                let nature = method(name, nodes.len(), of, span)?;
                let op = Op::Method { name: name.clone(), arguments: nodes, optional: *optional };
                Ok((op, nature))
            }
            Part::Index { index, optional } => {
                if let Some(name) = self.text_of(*index) {
                    let nature = field(&name, of, span)?;
                    return Ok((
                        Op::Index { index: self.lower(*index)?.0, optional: *optional },
                        nature,
                    ));
                }
                let (index, key) = self.lower(*index)?;
                let nature = indexed(of, &key, self.types.is_some(), span)?;
                Ok((Op::Index { index, optional: *optional }, nature))
            }
            Part::Slice { from, to } => {
                let sliceable = matches!(of, Nature::Unknown | Nature::Text | Nature::List(_));
                if !sliceable {
                    return Err(mismatch(format!("cannot slice {}", of.word()), span));
                }
                let from = self.limit(*from, of)?;
                let to = self.limit(*to, of)?;
                Ok((Op::Slice { from, to }, of.clone()))
            }
        }
    }

    /// One end of a slice.
    fn limit(&mut self, end: Option<AstId>, of: &Nature) -> Outcome<Option<NodeId>> {
        let Some(id) = end else { return Ok(None) };
        let span = self.span(id);
        let (node, nature) = self.lower(id)?;
        if !of.is_unknown() && !nature.is_whole(self.types.is_some()) && !nature.is_unknown() {
            let message = format!("a slice takes whole numbers, got {}", nature.word());
            return Err(mismatch(message, span));
        }
        Ok(Some(node))
    }

    /// Remembers which step or input a path names.
    fn note_reads(&mut self, base: NodeId, ops: &[(Op, Span)]) {
        let key = |op: Option<&(Op, Span)>| match op {
            Some((Op::Field { name, .. }, span)) => Some((name.clone(), bytes(*span))),
            Some((Op::Index { index, .. }, span)) => match self.node(*index) {
                Node::Literal(value) => value.as_text().map(|key| (key.clone(), bytes(*span))),
                _ => None,
            },
            _ => None,
        };
        let (first, second) = (key(ops.first()), key(ops.get(1)));
        match (self.node(base), first) {
            (Node::Steps, Some((id, span))) => {
                let status_only = second.is_some_and(|(name, _)| name.as_ref() == "status");
                let reference = StepReference { ids: vec![id], span, status_only };
                self.references.steps.push(reference);
            }
            (Node::Steps, None) => self.references.dynamic_steps = true,
            (Node::Root(name), Some(input)) if name.as_ref() == "inputs" => {
                self.references.inputs.push(input);
            }
            _ => {}
        }
    }
}

fn field(name: &Arc<str>, of: &Nature, span: Span) -> Outcome<Nature> {
    match of {
        Nature::Unknown | Nature::Object | Nature::AnyMap => Ok(Nature::Unknown),
        Nature::Group => Ok(of.element()),
        _ => {
            let shown = crate::error::shorten(name, 80);
            let error = mismatch(format!("{} has no field `{shown}`", of.word()), span);
            Err(match methods::find(of, name) {
                Some(_) => error.with_hint(format!("write .{shown}(…)")),
                None => error,
            })
        }
    }
}

fn method(name: &Arc<str>, count: usize, of: &Nature, span: Span) -> Outcome<Nature> {
    if matches!(of, Nature::Unknown | Nature::Object | Nature::AnyMap) {
        return Ok(Nature::Unknown);
    }
    let shown = crate::error::shorten(name, 80);
    match methods::find(of, name) {
        Some(row) if row.arguments == count => Ok(row.gives.clone()),
        Some(row) => {
            let wanted = crate::error::arguments(row.arguments);
            let message = format!("`{shown}` takes {wanted}, got {count}");
            Err(mismatch(message, span))
        }
        None => {
            let error = mismatch(format!("{} has no method `{shown}`", of.word()), span);
            Err(match methods::near(of, &shown) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => error.with_hint(format!("write {shown}(x), or x | {shown}()")),
            })
        }
    }
}

fn indexed(of: &Nature, key: &Nature, exact: bool, span: Span) -> Outcome<Nature> {
    let fits = match of {
        Nature::Unknown => return Ok(Nature::Unknown),
        Nature::List(_) => key.is_whole(exact) || key.is_unknown(),
        Nature::Object => matches!(key, Nature::Text | Nature::Unknown),
        Nature::Group | Nature::AnyMap => true,
        _ => return Err(mismatch(format!("cannot index {}", of.word()), span)),
    };
    if fits {
        return Ok(of.element());
    }
    Err(mismatch(format!("cannot index {} with {}", of.word(), key.word()), span))
}
