//! Syntax to code: names resolved, types checked as far as they are known, constants folded.
//!
//! Keeps: what a name is and whether types can fit is found here, once; a fold never changes a value.
//! Not here: calls and predicates (`check.rs`), selections (`select.rs`), what operators take (`nature.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a node that is not listed is not constant, whichever it is"
)]

use std::ops::Range;
use std::sync::Arc;

use opcode_model::limits::EXPRESSION_BYTES_MAX;
use opcode_model::problem::nearest;

use super::arith;
use super::functions;
use super::lexer::Outcome;
use super::nature::Nature;
use super::node::{Code, Link, Node, NodeId, Step};
use super::parse::parse;
use super::syntax::{self, Ast, AstId, Operator, Statement, Tree, Unary};
use super::trouble::Span;
use super::value::Datum;
use crate::cel::Names;
use crate::error::{CompileError, CompileErrorKind};
use crate::pattern::Pattern;
use crate::references::References;
use crate::scope::Scope;

/// The variables of a workflow.
pub(crate) const ROOTS: [&str; 7] =
    ["steps", "inputs", "workflow", "context", "iter", "loop", "error"];

/// Literal patterns one expression may have: each costs time to compile.
const PATTERNS_MAX: usize = 16;

/// Compiles `source`. Where `types` are given, the variables are those of this scope, and types are checked as Go does.
pub(crate) fn compile(
    source: &str,
    names: Names,
    types: Option<&dyn Scope>,
) -> Outcome<(Code, References)> {
    if source.len() > EXPRESSION_BYTES_MAX {
        let span = EXPRESSION_BYTES_MAX..source.len();
        let what = "an expression's length in bytes";
        return Err(CompileError::limit(what, EXPRESSION_BYTES_MAX, span));
    }
    if source.trim().is_empty() {
        return Err(CompileError::new("the expression is empty", 0..source.len()));
    }
    let tree = parse(source)?;
    let mut lowering = Lowering {
        tree: &tree,
        names,
        types,
        unchecked: 0,
        indexes: 0,
        nodes: Vec::with_capacity(tree.nodes.len()),
        spans: Vec::with_capacity(tree.nodes.len()),
        variables: Vec::new(),
        slots: 0,
        predicates: Vec::new(),
        patterns: Vec::new(),
        references: References::default(),
    };
    let (root, _) = lowering.lower(tree.root)?;
    let Lowering { nodes, spans, slots, patterns, references, .. } = lowering;
    let exact = types.is_some();
    Ok((Code { nodes, spans, root, slots, patterns, exact }, references))
}

/// A predicate that stands around what is being lowered.
pub(super) struct Predicate {
    pub(super) range: Nature,
    pub(super) has_index: bool,
    pub(super) has_accumulator: bool,
}

pub(super) struct Lowering<'a> {
    tree: &'a Tree,
    pub(super) names: Names,
    /// The scope whose variables there are, if it is known.
    pub(super) types: Option<&'a dyn Scope>,
    /// How many calls of nobody stand around what is being lowered.
    pub(super) unchecked: usize,
    /// How often `#index` was asked for so far.
    pub(super) indexes: usize,
    nodes: Vec<Node>,
    spans: Vec<Span>,
    /// The variables in scope, innermost last; the position is the slot.
    variables: Vec<(Arc<str>, Nature)>,
    slots: usize,
    pub(super) predicates: Vec<Predicate>,
    patterns: Vec<Pattern>,
    pub(super) references: References,
}

/// A node, and what is known of its value.
pub(super) type Lowered = (NodeId, Nature);

pub(super) fn bytes((start, end): Span) -> Range<usize> {
    start as usize..end as usize
}

/// Types that do not fit.
pub(super) fn mismatch(message: String, span: Span) -> Box<CompileError> {
    CompileError::new(message, bytes(span))
}

impl Lowering<'_> {
    pub(super) fn push(&mut self, node: Node, span: Span) -> NodeId {
        self.nodes.push(node);
        self.spans.push(span);
        (self.nodes.len() - 1) as NodeId
    }

    pub(super) fn node_span(&self, id: NodeId) -> Span {
        self.spans[id as usize]
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    pub(super) fn span(&self, id: AstId) -> Span {
        self.tree.spans[id as usize]
    }

    pub(super) fn ast(&self, id: AstId) -> &Ast {
        &self.tree.nodes[id as usize]
    }

    fn literal(&mut self, value: Datum, nature: Nature, span: Span) -> Lowered {
        (self.push(Node::Literal(value), span), nature)
    }

    pub(super) fn lower(&mut self, id: AstId) -> Outcome<Lowered> {
        let (node, nature) = self.lower_checked(id)?;
        Ok((node, if self.unchecked > 0 { Nature::Unknown } else { nature }))
    }

    fn lower_checked(&mut self, id: AstId) -> Outcome<Lowered> {
        let tree = self.tree;
        let span = self.span(id);
        Ok(match &tree.nodes[id as usize] {
            Ast::Nil => self.literal(Datum::NIL, Nature::Nil, span),
            Ast::Bool(flag) => self.literal((*flag).into(), Nature::Bool, span),
            Ast::Int(number) => self.literal(Datum::Int(*number), Nature::Int, span),
            Ast::Float(number) => self.literal((*number).into(), Nature::Float, span),
            Ast::Text(text) => self.literal(text.clone().into(), Nature::Text, span),
            Ast::Name(name) => self.name(name, span)?,
            Ast::Pointer(name) => self.pointer(name, span)?,
            Ast::Unary { operator, count, operand } => {
                self.unary(*operator, *count, *operand, span)?
            }
            Ast::Chain { first, links } => self.chain(*first, links, span)?,
            Ast::Choice { arms, otherwise } => self.choice(arms, *otherwise, span)?,
            Ast::Access { base, parts } => self.access(*base, parts, span)?,
            Ast::Call { name, arguments } => self.call(name, arguments, span)?,
            Ast::List(items) => self.list(items, span)?,
            Ast::Map(entries) => self.map(entries, span)?,
            Ast::Block(statements) => self.block(statements, span)?,
        })
    }

    fn name(&mut self, name: &Arc<str>, span: Span) -> Outcome<Lowered> {
        if let Some(slot) = self.variables.iter().rposition(|known| known.0 == *name) {
            let nature = self.variables[slot].1.clone();
            return Ok((self.push(Node::Slot(slot), span), nature));
        }
        if name.as_ref() == "$env" {
            self.references.dynamic_steps = true;
            return Ok((self.push(Node::Environment, span), Nature::Unknown));
        }
        if name.as_ref() == "steps" {
            self.references.dynamic_steps = true;
        }
        self.root(name, span)
    }

    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|known| known.0.as_ref() == name)
    }

    /// A variable of the scope.
    pub(super) fn root(&mut self, name: &Arc<str>, span: Span) -> Outcome<Lowered> {
        let name: Arc<str> = if name.as_ref() == "loop" { "iter".into() } else { name.clone() };
        if !ROOTS.contains(&name.as_ref()) {
            if self.names == Names::Declared {
                return Err(self.unknown_variable(&name, span));
            }
            self.references.names.push((name.clone(), bytes(span)));
        }
        self.references.roots.insert(name.clone());
        let steps = name.as_ref() == "steps";
        let value = self.types.and_then(|scope| scope.root(&name));
        let nature = value.as_ref().map_or(Nature::Unknown, Nature::of_value);
        Ok((self.push(if steps { Node::Steps } else { Node::Root(name) }, span), nature))
    }

    fn unknown_variable(&self, name: &str, span: Span) -> Box<CompileError> {
        let shown = crate::error::shorten(name, 80);
        let mut known: Vec<&str> = ROOTS.into_iter().filter(|root| *root != "loop").collect();
        known.extend(self.variables.iter().map(|known| known.0.as_ref()));
        known.sort_unstable();
        let listed = crate::error::listed(known.iter().copied());
        let message = format!("unknown variable `{shown}`; available: {listed}");
        let error = CompileError::new(message, bytes(span)).of_kind(CompileErrorKind::Unknown);
        if name == "secrets" {
            return CompileError::new("a secret cannot be part of an expression", bytes(span))
                .of_kind(CompileErrorKind::Secret)
                .with_hint("write ${{secrets.NAME}} in an action's parameters");
        }
        if name == "null" {
            return error.with_hint("write `nil`");
        }
        if functions::names().contains(&name) {
            return error.with_hint(format!("`{shown}` is a function: write {shown}(…)"));
        }
        match nearest(&shown, known) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    fn pointer(&mut self, name: &str, span: Span) -> Outcome<Lowered> {
        let Some(predicate) = self.predicates.last() else {
            return Err(mismatch("`#` stands inside a predicate only".to_owned(), span));
        };
        let (node, nature) = match name {
            "" => (Node::Item, predicate.range.element()),
            "index" if predicate.has_index => {
                self.indexes += 1;
                (Node::Index, Nature::Int)
            }
            "acc" if predicate.has_accumulator => (Node::Accumulator, Nature::Unknown),
            _ => {
                let message = format!("`#{}` does not exist here", crate::error::shorten(name, 40));
                let error = mismatch(message, span).of_kind(CompileErrorKind::Unknown);
                return Err(error.with_hint(
                    "`#index` exists in map and reduce, `#acc` in reduce; `#` is the item",
                ));
            }
        };
        Ok((self.push(node, span), nature))
    }

    fn unary(
        &mut self,
        operator: Unary,
        count: usize,
        operand: AstId,
        span: Span,
    ) -> Outcome<Lowered> {
        let (operand, nature) = self.lower(operand)?;
        let odd = count % 2 == 1;
        let text = match operator {
            Unary::Not => "!",
            Unary::Minus => "-",
            Unary::Plus => "+",
        };
        let fits = match operator {
            Unary::Not => nature == Nature::Bool,
            Unary::Minus | Unary::Plus => nature.is_number(),
        };
        if !fits && !nature.is_unknown() {
            return Err(mismatch(format!("cannot apply `{text}` to {}", nature.word()), span));
        }
        let folded = match (operator, self.node(operand)) {
            (Unary::Plus, _) => return Ok((operand, nature)),
            (Unary::Not, Node::Literal(value)) => {
                value.as_bool().map(|flag| Datum::from(flag != odd))
            }
            (Unary::Minus, Node::Literal(value)) => arith::negate(value, odd),
            _ => None,
        };
        let nature = if operator == Unary::Not { Nature::Bool } else { nature };
        let node = match (folded, operator) {
            (Some(value), _) => Node::Literal(value),
            (None, Unary::Not) => Node::Not { operand, odd },
            (None, _) => Node::Negate { operand, odd },
        };
        Ok((self.push(node, span), nature))
    }

    fn chain(&mut self, first: AstId, links: &[syntax::Link], span: Span) -> Outcome<Lowered> {
        let start = span.0;
        let (mut first, mut nature) = self.lower(first)?;
        let mut done: Vec<(Link, Span)> = Vec::new();
        for link in links {
            match link {
                syntax::Link::Pipe { name, arguments, span } => {
                    let at = (start, span.1);
                    nature = self.pipe((name, arguments), (&mut first, nature), &mut done, at)?;
                }
                syntax::Link::Compare(compared) => {
                    let mut left = nature;
                    let mut rest = Vec::with_capacity(compared.len());
                    let mut end = span.1;
                    for (operator, operand) in compared {
                        end = self.span(*operand).1;
                        let (node, right) = self.lower(*operand)?;
                        self.fits(*operator, &left, &right, (start, end))?;
                        rest.push((*operator, node));
                        left = right;
                    }
                    done.push((Link::Compare(rest), (start, end)));
                    nature = Nature::Bool;
                }
                syntax::Link::Binary { operator, operand, negated } => {
                    let at = (start, self.span(*operand).1);
                    let (node, right) = self.lower(*operand)?;
                    let given = self.fits(*operator, &nature, &right, at)?;
                    self.binary(*operator, (&mut first, &nature), node, (&mut done, at))?;
                    if *negated {
                        done.push((Link::Not, at));
                    }
                    nature = given;
                }
            }
        }
        if done.is_empty() {
            return Ok((first, nature));
        }
        Ok((self.push(Node::Chain { first, links: done }, span), nature))
    }

    fn fits(
        &self,
        operator: Operator,
        left: &Nature,
        right: &Nature,
        span: Span,
    ) -> Outcome<Nature> {
        if self.unchecked > 0 {
            return Ok(Nature::Unknown);
        }
        Nature::of_operator(operator, left, right, self.types.is_some()).ok_or_else(|| {
            let (one, other) = (left.word(), right.word());
            let error =
                mismatch(format!("cannot apply `{}` to {one} and {other}", operator.text()), span);
            let text = *left == Nature::Text || *right == Nature::Text;
            match operator {
                Operator::Add if text => error.with_hint("convert with string(x) or int(x)"),
                Operator::In if *right == Nature::Text => {
                    error.with_hint("`a contains b` looks for text in text")
                }
                _ => error,
            }
        })
    }

    /// Adds an operator to a chain, folding what is constant.
    fn binary(
        &mut self,
        operator: Operator,
        (first, left): (&mut NodeId, &Nature),
        operand: NodeId,
        (done, span): (&mut Vec<(Link, Span)>, Span),
    ) -> Outcome<()> {
        let link = match operator {
            Operator::And | Operator::Or => {
                let absorbing = operator == Operator::Or;
                let known = |node: NodeId| match self.node(node) {
                    Node::Literal(value) => value.as_bool(),
                    _ => None,
                };
                let (one, other) = (known(*first).filter(|_| done.is_empty()), known(operand));
                if one == Some(!absorbing) {
                    *first = operand;
                    return Ok(());
                }
                if other == Some(!absorbing) {
                    return Ok(());
                }
                if one.is_some() || other.is_some() {
                    done.clear();
                    *first = self.push(Node::Literal(absorbing.into()), span);
                    return Ok(());
                }
                if absorbing { Link::Or(operand) } else { Link::And(operand) }
            }
            Operator::Coalesce => Link::Coalesce(operand),
            Operator::Matches => self.matches(operand)?,
            Operator::In => self.is_in(left, operand),
            _ => {
                if done.is_empty()
                    && let (Node::Literal(one), Node::Literal(other)) =
                        (self.node(*first), self.node(operand))
                    && let Some(value) = arith::fold(operator, one, other)
                        .map_err(|message| mismatch(message.to_owned(), span))?
                {
                    *first = self.push(Node::Literal(value), span);
                    return Ok(());
                }
                Link::Apply(operator, operand)
            }
        };
        done.push((link, span));
        Ok(())
    }

    /// Both of two predicates, folded if one is constant.
    pub(super) fn both(&mut self, first: NodeId, second: NodeId, span: Span) -> NodeId {
        let known = |node: NodeId| match self.node(node) {
            Node::Literal(value) => value.as_bool(),
            _ => None,
        };
        match (known(first), known(second)) {
            (Some(true), _) => second,
            (_, Some(true)) => first,
            (Some(false), _) | (_, Some(false)) => self.push(Node::Literal(false.into()), span),
            (None, None) => {
                let links = vec![(Link::And(second), span)];
                self.push(Node::Chain { first, links }, span)
            }
        }
    }

    fn matches(&mut self, operand: NodeId) -> Outcome<Link> {
        let Node::Literal(value) = self.node(operand) else {
            return Ok(Link::Apply(Operator::Matches, operand));
        };
        let Some(text) = value.as_text() else {
            return Ok(Link::Apply(Operator::Matches, operand));
        };
        let span = bytes(self.spans[operand as usize]);
        if self.patterns.len() >= PATTERNS_MAX {
            return Err(CompileError::limit("the patterns of an expression", PATTERNS_MAX, span));
        }
        let pattern = Pattern::compile(text).map_err(|reason| {
            CompileError::new(format!("not a regular expression: {reason}"), span)
        })?;
        self.patterns.push(pattern);
        Ok(Link::Matches(self.patterns.len() - 1))
    }

    /// `in` a literal list of texts takes text alone; `in` a literal range builds no list.
    fn is_in(&self, left: &Nature, operand: NodeId) -> Link {
        let text = |id: &NodeId| match self.node(*id) {
            Node::Literal(value) => value.as_text().cloned(),
            _ => None,
        };
        if let Node::List(items) = self.node(operand)
            && !items.is_empty()
            && let Some(words) = items.iter().map(text).collect()
        {
            return Link::OneOf(words);
        }
        if *left == Nature::Int
            && let Node::Chain { first, links } = self.node(operand)
            && let [(Link::Apply(Operator::Range, last), _)] = links.as_slice()
            && let (Node::Literal(Datum::Int(from)), Node::Literal(Datum::Int(to))) =
                (self.node(*first), self.node(*last))
        {
            return Link::Between(*from, *to);
        }
        Link::Apply(Operator::In, operand)
    }

    fn choice(
        &mut self,
        arms: &[(AstId, Option<AstId>)],
        otherwise: AstId,
        span: Span,
    ) -> Outcome<Lowered> {
        let mut lowered = Vec::with_capacity(arms.len());
        let mut natures = Vec::with_capacity(arms.len());
        for (condition, value) in arms {
            let at = self.span(*condition);
            let (condition, nature) = self.lower(*condition)?;
            if nature != Nature::Bool && !nature.is_unknown() {
                let message = format!("a condition is a bool, got {}", nature.word());
                return Err(mismatch(message, at));
            }
            let (value, given) = match value {
                Some(value) => {
                    let (value, nature) = self.lower(*value)?;
                    (Some(value), nature)
                }
                None => (None, nature),
            };
            lowered.push((condition, value));
            natures.push(given);
        }
        let (otherwise, nature) = self.lower(otherwise)?;
        let nature = natures.iter().rev().fold(nature, |rest, given| given.or(&rest));
        Ok((self.push(Node::Choice { arms: lowered, otherwise }, span), nature))
    }

    fn list(&mut self, items: &[AstId], span: Span) -> Outcome<Lowered> {
        let mut nodes = Vec::with_capacity(items.len());
        let mut before: Option<Nature> = None;
        let mut alike = true;
        for item in items {
            let (node, nature) = self.lower(*item)?;
            alike &= before.as_ref().is_none_or(|before| before.is_like(&nature));
            before = Some(nature);
            nodes.push(node);
        }
        let item = before.filter(|_| alike).unwrap_or(Nature::Unknown);
        Ok((self.push(Node::List(nodes), span), Nature::List(Box::new(item))))
    }

    fn map(&mut self, entries: &[(AstId, AstId)], span: Span) -> Outcome<Lowered> {
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let (key, _) = self.lower(*key)?;
            let (value, _) = self.lower(*value)?;
            pairs.push((key, value));
        }
        Ok((self.push(Node::Map(pairs), span), Nature::Object))
    }

    fn block(&mut self, statements: &[Statement], span: Span) -> Outcome<Lowered> {
        let outside = self.variables.len();
        let mut steps = Vec::with_capacity(statements.len());
        let mut last = Nature::Nil;
        for statement in statements {
            match statement {
                Statement::Let { name, value, span } => {
                    self.may_declare(name, *span)?;
                    let (node, nature) = self.lower(*value)?;
                    steps.push(Step::Store(self.variables.len(), node));
                    self.variables.push((name.clone(), nature));
                    self.slots = self.slots.max(self.variables.len());
                }
                Statement::Value(value) => {
                    let (node, nature) = self.lower(*value)?;
                    steps.push(Step::Value(node));
                    last = nature;
                }
            }
        }
        self.variables.truncate(outside);
        Ok((self.push(Node::Block(steps), span), last))
    }

    fn may_declare(&self, name: &Arc<str>, span: Span) -> Outcome<()> {
        let what = if functions::names().contains(&name.as_ref()) {
            "function"
        } else if self.is_variable(name)
            || (self.names == Names::Declared && ROOTS.contains(&name.as_ref()))
            || self.types.is_some_and(|scope| scope.root(name).is_some())
        {
            "variable"
        } else {
            return Ok(());
        };
        let shown = crate::error::shorten(name, 80);
        Err(mismatch(format!("`{shown}` is a {what} already"), span))
    }
}
