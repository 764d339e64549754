//! Calls and predicates, checked and lowered.
//!
//! Keeps: the number of arguments and their kinds are right as far as the text shows it.
//! Not here: the table of functions (`functions.rs`), what they do (`calls.rs`, `loops.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not listed does not fit, whichever it is"
)]

use std::sync::Arc;

use super::functions::{self, Function, Loop, Row, Shape, Takes};
use super::lexer::Outcome;
use super::lower::{Lowered, Lowering, Predicate, bytes, mismatch};
use super::nature::Nature;
use super::node::{Body, Link, Node, NodeId};
use super::syntax::{Ast, AstId};
use super::trouble::Span;
use crate::cel::Names;
use crate::error::{CompileError, CompileErrorKind};

/// A call with its arguments lowered, the piped one not among them.
enum Called {
    Function(Function, Vec<NodeId>),
    Loop(Body),
    Unknown(Arc<str>, Vec<NodeId>),
}

impl Lowering<'_> {
    /// `name(arguments)`.
    pub(super) fn call(
        &mut self,
        name: &Arc<str>,
        arguments: &[AstId],
        span: Span,
    ) -> Outcome<Lowered> {
        // Of what is given to nobody, nothing is known to be wrong.
        let known =
            functions::find_loop(name).is_some() || functions::find_function(name).is_some();
        self.unchecked += usize::from(!known);
        let (first, rest) = match arguments.split_first() {
            Some((first, rest)) => (self.lower(*first).map(Some), rest),
            None => (Ok(None), arguments),
        };
        let called = first.and_then(|first| {
            let (called, nature) = self.called(name, first.as_ref(), rest, span)?;
            Ok((first, called, nature))
        });
        self.unchecked -= usize::from(!known);
        let (first, called, nature) = called?;
        let node = self.call_node(called, first.map(|first| first.0), span);
        Ok((node, nature))
    }

    /// `… | name(arguments)` behind `first` and the links already made.
    pub(super) fn pipe(
        &mut self,
        (name, arguments): (&Arc<str>, &[AstId]),
        (first, nature): (&mut NodeId, Nature),
        done: &mut Vec<(Link, Span)>,
        span: Span,
    ) -> Outcome<Nature> {
        let given = (*first, nature);
        let (called, nature) = self.called(name, Some(&given), arguments, span)?;
        if done.is_empty() {
            *first = self.call_node(called, Some(*first), span);
            return Ok(nature);
        }
        let link = match called {
            Called::Function(function, rest) => Link::Call(function, rest),
            Called::Loop(body) => Link::Loop(body),
            Called::Unknown(name, rest) => Link::Unknown(name, rest),
        };
        done.push((link, span));
        Ok(nature)
    }

    fn call_node(&mut self, called: Called, first: Option<NodeId>, span: Span) -> NodeId {
        let node = match (called, first) {
            (Called::Function(function, rest), first) => {
                if let Some(node) = first.and_then(|first| self.of_filtered(function, first, span))
                {
                    return node;
                }
                let arguments = first.into_iter().chain(rest).collect();
                Node::Call { function, arguments }
            }
            (Called::Unknown(name, rest), first) => {
                Node::Unknown { name, arguments: first.into_iter().chain(rest).collect() }
            }
            (Called::Loop(body), Some(range)) => {
                let (range, body) = match self.merged(range, body) {
                    Ok(node) => return node,
                    Err(apart) => apart,
                };
                if let (Loop::Sum, None, Some(items)) =
                    (body.kind, body.predicate, self.items_to_add(range))
                {
                    return self.push(Node::SumOf(items), span);
                }
                Node::Loop { range, body }
            }
            (Called::Loop(_), None) => Node::Literal(super::value::Datum::NIL),
        };
        self.push(node, span)
    }

    /// A loop over what a `filter` leaves, as one loop: so that what is filtered out is never asked for.
    fn merged(&mut self, range: NodeId, body: Body) -> Result<NodeId, (NodeId, Body)> {
        let span = self.node_span(range);
        let Node::Loop { range: inner, body: filter } = self.node(range) else {
            return Err((range, body));
        };
        let (inner, first, mapped) = (*inner, filter.predicate, filter.map.is_some());
        let (Loop::Filter, Some(first), Some(second)) = (filter.kind, first, body.predicate) else {
            return Err((range, body));
        };
        let merged = match body.kind {
            Loop::Filter if !mapped => {
                let predicate = self.both(first, second, span);
                Body { predicate: Some(predicate), ..body }
            }
            Loop::Map if !mapped && !body.indexed => {
                Body { kind: Loop::Filter, predicate: Some(first), map: Some(second), ..body }
            }
            _ => return Err((range, body)),
        };
        Ok(self.push(Node::Loop { range: inner, body: merged }, span))
    }

    /// `len`, `first` and `last` of what a `filter` leaves.
    fn of_filtered(&mut self, function: Function, list: NodeId, span: Span) -> Option<NodeId> {
        let Node::Loop { range, body } = self.node(list) else { return None };
        let kind = match function {
            Function::Len => Loop::Count,
            Function::First => Loop::Find { last: false },
            Function::Last => Loop::Find { last: true },
            _ => return None,
        };
        if body.kind != Loop::Filter || body.map.is_some() {
            return None;
        }
        let (range, predicate) = (*range, body.predicate);
        let body = Body { kind, predicate, extra: None, map: None, indexed: false };
        Some(self.push(Node::Loop { range, body }, span))
    }

    /// The items of a literal list that is not constant as a whole.
    fn items_to_add(&self, range: NodeId) -> Option<Vec<NodeId>> {
        let Node::List(items) = self.node(range) else { return None };
        let constant =
            |id: &NodeId| matches!(self.node(*id), Node::Literal(value) if !value.is_nil());
        (items.len() > 1 && !items.iter().all(constant)).then(|| items.clone())
    }

    fn called(
        &mut self,
        name: &Arc<str>,
        first: Option<&Lowered>,
        rest: &[AstId],
        span: Span,
    ) -> Outcome<(Called, Nature)> {
        if let Some((known, kind, least, most)) = functions::find_loop(name) {
            let count = rest.len() + usize::from(first.is_some());
            if !(*least..=*most).contains(&count) {
                return Err(wrong_count(known, *least, *most, count, span));
            }
            let range = first.map_or(Nature::Unknown, |first| first.1.clone());
            let (body, nature) = self.body((name, *kind), range, rest, span)?;
            return Ok((Called::Loop(body), nature));
        }
        let mut nodes = Vec::with_capacity(rest.len());
        let mut natures: Vec<Nature> = first.iter().map(|first| first.1.clone()).collect();
        for argument in rest {
            let (node, nature) = self.lower(*argument)?;
            nodes.push(node);
            natures.push(nature);
        }
        if let Some(row) = functions::find_function(name) {
            let nature = self.check(row, &natures, span)?;
            return Ok((Called::Function(row.function, nodes), nature));
        }
        if self.names != Names::Open {
            return Err(unknown_function(name, span));
        }
        Ok((Called::Unknown(name.clone(), nodes), Nature::Unknown))
    }

    /// The predicate and what follows it.
    fn body(
        &mut self,
        (name, kind): (&str, Loop),
        range: Nature,
        rest: &[AstId],
        span: Span,
    ) -> Outcome<(Body, Nature)> {
        if !range.is_list() && !range.is_unknown() {
            let message = format!("`{name}` takes an array, got {}", range.word());
            return Err(mismatch(message, span));
        }
        self.predicates.push(Predicate {
            range: range.clone(),
            has_index: matches!(kind, Loop::Map | Loop::Reduce),
            has_accumulator: kind == Loop::Reduce,
        });
        let before = self.indexes;
        let predicate = rest.first().map(|id| self.lower(*id)).transpose();
        let indexed = self.indexes > before;
        self.predicates.pop();
        let predicate = predicate?;
        let extra = rest.get(1).map(|id| self.lower(*id)).transpose()?;
        if let Some((_, given)) = &predicate {
            let at = rest.first().map_or(span, |id| self.span(*id));
            let decides = matches!(
                kind,
                Loop::All
                    | Loop::None
                    | Loop::Any
                    | Loop::One
                    | Loop::Filter
                    | Loop::Find { .. }
                    | Loop::FindIndex { .. }
                    | Loop::Count
            );
            let bad = self.unchecked == 0
                && (*given == Nature::Nil
                    || (decides && *given != Nature::Bool && !given.is_unknown()));
            if bad {
                let wanted = if decides { "a bool" } else { "a value" };
                let message =
                    format!("the predicate of `{name}` gives {wanted}, got {}", given.word());
                return Err(mismatch(message, at));
            }
        }
        let given = predicate.as_ref().map(|predicate| predicate.1.clone());
        let body = Body {
            kind,
            predicate: predicate.map(|it| it.0),
            extra: extra.map(|it| it.0),
            map: None,
            indexed,
        };
        Ok((body, result(kind, range, given)))
    }

    pub(super) fn text_of(&self, id: AstId) -> Option<Arc<str>> {
        match self.ast(id) {
            Ast::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// What a loop over `range` gives, if its predicate gives `given`.
fn result(kind: Loop, range: Nature, given: Option<Nature>) -> Nature {
    match kind {
        Loop::All | Loop::None | Loop::Any | Loop::One => Nature::Bool,
        Loop::Count | Loop::FindIndex { .. } => Nature::Int,
        Loop::Filter => Nature::List(Box::new(range.element())),
        Loop::Map => Nature::List(Box::new(given.unwrap_or(Nature::Unknown))),
        Loop::Find { .. } => range.element(),
        Loop::Sum => given.unwrap_or_else(|| range.element()),
        Loop::GroupBy => Nature::Group,
        Loop::SortBy => range,
        Loop::Reduce => given.unwrap_or(Nature::Unknown),
    }
}

impl Lowering<'_> {
    /// Checks the arguments of `row`; what it gives.
    fn check(&self, row: &Row, natures: &[Nature], span: Span) -> Outcome<Nature> {
        if self.unchecked > 0 {
            return Ok(Nature::Unknown);
        }
        let exact = self.types.is_some();
        let count = natures.len();
        let first = natures.first();
        match row.shape {
            Shape::Plain(takes, optional) => {
                counted(row.name, takes.len() - optional, takes.len(), count, span)?;
                for (takes, nature) in takes.iter().zip(natures) {
                    accepted(row.name, *takes, (nature, exact), span)?;
                }
            }
            Shape::Many(takes) => {
                counted(row.name, 1, usize::MAX, count, span)?;
                for nature in natures {
                    accepted(row.name, takes, (nature, exact), span)?;
                }
            }
            Shape::Aggregate => {
                counted(row.name, 1, usize::MAX, count, span)?;
                for nature in natures {
                    if nature.is_list() || nature.is_unknown() {
                        return Ok(Nature::Unknown);
                    }
                    accepted(row.name, Takes::Number, (nature, exact), span)?;
                }
            }
            Shape::Now => {
                counted(row.name, 0, 1, count, span)?;
                if first.is_some_and(|zone| !matches!(zone, Nature::Zone | Nature::Unknown)) {
                    return Err(mismatch("`now` takes a time zone".to_owned(), span));
                }
            }
            Shape::Date => {
                let zoned = usize::from(first == Some(&Nature::Zone));
                counted(row.name, 1 + zoned, 3 + zoned, count, span)?;
            }
            Shape::Get => {
                counted(row.name, 2, 2, count, span)?;
                if let [from, key] = natures {
                    return get(from, key, exact, span);
                }
            }
        }
        Ok(row.gives.nature(first))
    }
}

fn get(from: &Nature, key: &Nature, exact: bool, span: Span) -> Outcome<Nature> {
    let fits = match from {
        Nature::Unknown => return Ok(Nature::Unknown),
        Nature::List(_) => key.is_whole(exact) || key.is_unknown(),
        Nature::Object => matches!(key, Nature::Text | Nature::Unknown),
        Nature::Group | Nature::AnyMap => true,
        _ => {
            return Err(mismatch(format!("`get` cannot read from {}", from.word()), span));
        }
    };
    if fits {
        return Ok(from.element());
    }
    Err(mismatch(format!("`get` cannot use {} as a key of {}", key.word(), from.word()), span))
}

fn accepted(name: &str, takes: Takes, (nature, exact): (&Nature, bool), span: Span) -> Outcome<()> {
    if takes.accepts(nature, exact) {
        return Ok(());
    }
    Err(mismatch(format!("`{name}` takes {}, got {}", takes.word(), nature.word()), span))
}

fn counted(name: &str, least: usize, most: usize, count: usize, span: Span) -> Outcome<()> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(wrong_count(name, least, most, count, span))
}

fn wrong_count(
    name: &str,
    least: usize,
    most: usize,
    count: usize,
    span: Span,
) -> Box<CompileError> {
    let wanted = match most {
        _ if least == most => format!("{least}"),
        usize::MAX => format!("{least} or more"),
        _ => format!("{least} to {most}"),
    };
    CompileError::new(
        format!("`{name}` takes {}, got {count}", crate::error::arguments(wanted)),
        bytes(span),
    )
    .of_kind(CompileErrorKind::Unknown)
}

fn unknown_function(name: &str, span: Span) -> Box<CompileError> {
    let shown = crate::error::shorten(name, 80);
    let listed = crate::error::listed(functions::names().into_iter());
    let message = format!("unknown function `{shown}`; available: {listed}");
    let error = CompileError::new(message, bytes(span)).of_kind(CompileErrorKind::Unknown);
    match functions::suggestion(&shown) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
