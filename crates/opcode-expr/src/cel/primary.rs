//! The tight parts of the grammar: literals, names, selections, calls, macros.
//!
//! Keeps: a name is a macro variable, a type, a root or a mistake, and it is known here which.
//! Not here: operators (`parse.rs`), what functions do (`calls.rs`).

use std::sync::Arc;

use opcode_model::Value;
use opcode_model::problem::nearest;

use super::calls::{self, Function};
use super::lexer::Token;
use super::node::{Access, Base, Entry, Item, Macro, MacroKind, Node, NodeId, Op};
use super::parse::{Names, Outcome, Parser};
use super::trouble::Span;
use super::value::{Cel, Kind};
use crate::cursor::Reads;
use crate::error::{CompileError, CompileErrorKind};
use crate::pattern::Pattern;
use crate::references::StepReference;

/// The variables of a workflow.
pub(crate) const ROOTS: [&str; 9] =
    ["steps", "inputs", "workflow", "context", "iter", "loop", "step_status", "error", "now"];

/// Words that are never names, not even of fields.
const CONSTANTS: [&str; 4] = ["true", "false", "null", "in"];

const RESERVED: [&str; 16] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Literal patterns one expression may have: each costs time to compile.
const PATTERNS_MAX: usize = 16;

/// What a selection is built on, before it is known whether there is one.
struct Growing {
    base: Base,
    ops: Vec<(Op, Span)>,
    height: usize,
    start: usize,
}

impl Parser<'_> {
    /// A primary and the selections, calls and macros behind it, as one flat node.
    pub(super) fn postfix(&mut self) -> Outcome<NodeId> {
        let start = self.start();
        let base = self.primary()?;
        let height = if let Base::Node(node) = &base { self.height(*node) } else { 0 };
        let mut access = Growing { base, ops: Vec::new(), height, start };
        loop {
            if self.accept(".") {
                self.member(&mut access)?;
            } else if self.accept("[") {
                let optional = self.accept("?");
                let index = self.expression()?;
                self.expect("]", "after the index")?;
                let names = access.ops.is_empty() && !matches!(access.base, Base::Node(_));
                self.grow(&mut access, &[index], |parser| parser.index_op(index, optional, names));
            } else if self.is("{") && matches!(access.base, Base::Root(_)) {
                return Err(self.unexpected("an operator (messages cannot be built here)"));
            } else {
                break;
            }
        }
        self.finish(access)
    }

    fn finish(&mut self, access: Growing) -> Outcome<NodeId> {
        let Growing { base, ops, height, start } = access;
        if let (Base::Node(node), true) = (&base, ops.is_empty()) {
            return Ok(*node);
        }
        self.note_reads(&base, &ops);
        let base = self.open_path(base, &ops);
        self.push_at(Node::Access(Access { base, ops }), (start, self.end()), height + 1)
    }

    fn grow(
        &mut self,
        access: &mut Growing,
        children: &[NodeId],
        op: impl FnOnce(&mut Self) -> Op,
    ) {
        for child in children {
            access.height = access.height.max(self.height(*child));
        }
        let op = op(self);
        access.ops.push((op, (access.start as u32, self.end() as u32)));
    }

    /// A constant text reads a field; one of digits might index a list, and only a root is surely none.
    fn index_op(&self, index: NodeId, optional: bool, names: bool) -> Op {
        if let Node::Literal(Cel::Json(Value::String(key))) = &self.nodes[index as usize]
            && (names || key.bytes().any(|byte| !byte.is_ascii_digit()))
        {
            return Op::Field { key: key.clone(), optional };
        }
        Op::Index { index, optional }
    }

    /// What follows a dot: a field, a call or a macro.
    fn member(&mut self, access: &mut Growing) -> Outcome<()> {
        let optional = self.accept("?");
        let name = match self.token() {
            Token::Ident(name) | Token::Quoted(name) => name.clone(),
            Token::Int(_)
            | Token::Uint(_)
            | Token::Double(_)
            | Token::Text(_)
            | Token::Bytes(_)
            | Token::Mark(_)
            | Token::End => return Err(self.unexpected("a field name after `.`")),
        };
        let quoted = matches!(self.token(), Token::Quoted(_));
        if !quoted && CONSTANTS.contains(&name.as_ref()) {
            let error = self.unexpected("a field name after `.`");
            return Err(error.with_hint(format!("write ['{name}']")));
        }
        let name_at = self.start();
        self.advance();
        if !self.is("(") || optional || quoted {
            self.grow(access, &[], |_| Op::Field { key: name, optional });
            return Ok(());
        }
        self.advance();
        match MacroKind::parse(&name) {
            Some(kind) => self.macro_call(access, kind, &name),
            None => {
                let arguments = self.arguments()?;
                self.method(access, &name, arguments, name_at)
            }
        }
    }

    fn method(
        &mut self,
        access: &mut Growing,
        name: &Arc<str>,
        arguments: Vec<NodeId>,
        name_at: usize,
    ) -> Outcome<()> {
        let function = match calls::find_method(name, arguments.len()) {
            Ok(function) => function,
            Err(complaint) if self.names == Names::Open => {
                self.grow(access, &arguments, |_| Op::Unknown(complaint.told()));
                return Ok(());
            }
            Err(complaint) => return Err(complaint.at(name_at..name_at + name.len())),
        };
        if function == Function::Matches
            && let Some(pattern) = self.literal_pattern(arguments[0])?
        {
            self.grow(access, &[], |_| Op::Matches { pattern });
            return Ok(());
        }
        let children = arguments.clone();
        self.grow(access, &children, |_| Op::Method { function, arguments });
        Ok(())
    }

    /// A macro after its `(`: a variable, then one or two expressions that may use it.
    fn macro_call(&mut self, access: &mut Growing, kind: MacroKind, name: &str) -> Outcome<()> {
        let variable = match (self.token(), self.token_after(1)) {
            (Token::Ident(variable), Token::Mark(",")) => variable.clone(),
            _ => {
                let expected = format!("a variable and a comma: `{name}(x, …)`");
                return Err(self.unexpected(&expected));
            }
        };
        if CONSTANTS.contains(&variable.as_ref()) || RESERVED.contains(&variable.as_ref()) {
            let error = self.unexpected("a variable's name");
            return Err(error.with_hint(format!("`{variable}` is a reserved word")));
        }
        self.advance();
        self.advance();
        let slot = self.variables.len();
        self.variables.push(variable);
        self.slots = self.slots.max(slot + 1);
        let mut parts = vec![self.expression()?];
        if kind == MacroKind::Map && self.accept(",") {
            parts.push(self.expression()?);
        }
        self.variables.pop();
        self.expect(")", &format!("after the arguments of {name}"))?;
        let children = parts.clone();
        self.grow(access, &children, |_| Op::Macro(Macro { kind, slot, parts }));
        Ok(())
    }

    /// Arguments after a `(`, and the `)`.
    fn arguments(&mut self) -> Outcome<Vec<NodeId>> {
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if self.accept(")") {
                return Ok(arguments);
            }
            self.expect(",", "or `)` in the arguments")?;
        }
    }

    fn primary(&mut self) -> Outcome<Base> {
        let start = self.start();
        let negative = self.accept("-");
        let token = self.token().clone();
        let node = match token {
            Token::Int(number) => {
                self.advance();
                let signed = if negative { -i128::from(number) } else { i128::from(number) };
                let Ok(number) = i64::try_from(signed) else {
                    let message = "the number does not fit a 64-bit int";
                    return Err(CompileError::new(message, start..self.end()));
                };
                self.literal(number, start)?
            }
            Token::Double(number) => {
                self.advance();
                self.literal(if negative { -number } else { number }, start)?
            }
            Token::Uint(number) => {
                self.advance();
                self.literal(Cel::Uint(number), start)?
            }
            Token::Text(text) => {
                self.advance();
                self.literal(Cel::Json(Value::String(text)), start)?
            }
            Token::Bytes(bytes) => {
                self.advance();
                self.literal(Cel::Json(Value::Bytes(bytes)), start)?
            }
            Token::Ident(name) => return self.name(&name, start, true),
            Token::Mark("(") => {
                self.advance();
                let node = self.expression()?;
                self.expect(")", "to close the parenthesis")?;
                node
            }
            Token::Mark("[") => self.list(start)?,
            Token::Mark("{") => self.map(start)?,
            Token::Mark(mark) => {
                // A name behind a leading dot is never a macro's variable.
                let Token::Ident(name) = self.token_after(1).clone() else {
                    return Err(self.unexpected("a value"));
                };
                if mark != "." || CONSTANTS.contains(&name.as_ref()) {
                    return Err(self.unexpected("a value"));
                }
                self.advance();
                return self.name(&name, self.start(), false);
            }
            Token::Quoted(_) | Token::End => return Err(self.unexpected("a value")),
        };
        Ok(Base::Node(node))
    }

    fn list(&mut self, start: usize) -> Outcome<NodeId> {
        self.advance();
        let mut items = Vec::new();
        while !self.accept("]") {
            let optional = self.accept("?");
            let value = self.expression()?;
            items.push(Item { value, optional });
            if !self.is("]") {
                self.expect(",", "or `]` in the list")?;
            }
        }
        let children: Vec<_> = items.iter().map(|item| item.value).collect();
        self.push(Node::List(items), (start, self.end()), &children)
    }

    fn map(&mut self, start: usize) -> Outcome<NodeId> {
        self.advance();
        let mut entries = Vec::new();
        while !self.accept("}") {
            let optional = self.accept("?");
            let key = self.expression()?;
            self.expect(":", "after the key")?;
            let value = self.expression()?;
            entries.push(Entry { key, value, optional });
            if !self.is("}") {
                self.expect(",", "or `}` in the map")?;
            }
        }
        let children: Vec<_> = entries.iter().flat_map(|entry| [entry.key, entry.value]).collect();
        self.push(Node::Map(entries), (start, self.end()), &children)
    }

    /// A name: a constant, a variable, a type, a function's, or a mistake.
    fn name(&mut self, name: &Arc<str>, start: usize, local: bool) -> Outcome<Base> {
        let constant = match name.as_ref() {
            "true" => Some(Cel::from(true)),
            "false" => Some(Cel::from(false)),
            "null" => Some(Cel::NULL),
            _ => None,
        };
        if let Some(constant) = constant {
            self.advance();
            return Ok(Base::Node(self.literal(constant, start)?));
        }
        let variable = self.variables.iter().rposition(|variable| variable == name);
        let called = *self.token_after(1) == Token::Mark("(");
        if let Some(slot) = variable.filter(|_| local && !called) {
            self.advance();
            let end = self.end();
            return Ok(Base::Node(self.push(Node::Slot(slot), (start, end), &[])?));
        }
        if name.as_ref() == "in" || RESERVED.contains(&name.as_ref()) {
            let error = self.unexpected("a value");
            return Err(error.with_hint(match name.as_ref() {
                "if" | "else" => "write `condition ? one : other`".to_owned(),
                _ => format!("`{name}` is a reserved word"),
            }));
        }
        if called {
            self.advance();
            self.advance();
            return self.call(name, start).map(Base::Node);
        }
        if let Some(node) = self.qualified(name, start)? {
            return Ok(Base::Node(node));
        }
        self.advance();
        self.root(name, start)
    }

    fn root(&mut self, name: &Arc<str>, start: usize) -> Outcome<Base> {
        let known = ROOTS.contains(&name.as_ref());
        if !known {
            if let Some(kind) = Kind::parse(name) {
                return Ok(Base::Node(self.literal(Cel::Type(kind), start)?));
            }
            if self.names == Names::Declared {
                return Err(self.undeclared(name, start));
            }
            self.references.names.push((name.clone(), start..start + name.len()));
        }
        let name: Arc<str> = if name.as_ref() == "loop" { "iter".into() } else { name.clone() };
        self.references.roots.insert(name.clone());
        Ok(match name.as_ref() {
            "steps" => Base::Steps,
            "step_status" => Base::StepStatus,
            "now" => Base::Now,
            _ => Base::Root(name),
        })
    }

    fn undeclared(&self, name: &str, start: usize) -> Box<CompileError> {
        let span = start..start + name.len();
        if name == "secrets" {
            let error = CompileError::new("a secret cannot be part of an expression", span);
            return error
                .with_hint("write the plain path ${{secrets.NAME}} in an action's parameters")
                .of_kind(CompileErrorKind::Secret);
        }
        let variables = self.variables.iter().map(AsRef::as_ref);
        let mut available: Vec<&str> = ROOTS.iter().copied().chain(variables).collect();
        available.sort_unstable();
        let message = format!(
            "unknown variable `{}`; available: {}",
            crate::error::shorten(name, 80),
            crate::error::listed(available.iter().copied())
        );
        let error = CompileError::new(message, span).of_kind(CompileErrorKind::Unknown);
        match name {
            "and" => return error.with_hint("write `&&`"),
            "or" => return error.with_hint("write `||`"),
            "not" => return error.with_hint("write `!`"),
            "None" | "nil" | "undefined" => return error.with_hint("write `null`"),
            _ => {}
        }
        match nearest(name, available) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error.with_hint("put text in quotes"),
        }
    }

    /// `google.protobuf.Timestamp` as a type, and `optional.of(…)` and its siblings.
    fn qualified(&mut self, name: &str, start: usize) -> Outcome<Option<NodeId>> {
        if name == "google" {
            let parts: Vec<&str> = (0..5).map(|ahead| self.token_after(ahead).word()).collect();
            let Some(kind) = Kind::parse(&parts.concat()) else { return Ok(None) };
            (0..5).for_each(|_| self.advance());
            return self.literal(Cel::Type(kind), start).map(Some);
        }
        let Token::Ident(member) = self.token_after(2) else { return Ok(None) };
        let called =
            *self.token_after(1) == Token::Mark(".") && *self.token_after(3) == Token::Mark("(");
        if name != "optional" || !called {
            return Ok(None);
        }
        let full: Arc<str> = format!("optional.{member}").into();
        (0..4).for_each(|_| self.advance());
        self.call(&full, start).map(Some)
    }

    /// A global function after its `(`.
    fn call(&mut self, name: &Arc<str>, start: usize) -> Outcome<NodeId> {
        let arguments = self.arguments()?;
        let span = (start, self.end());
        if name.as_ref() == "has" {
            return self.has(&arguments, span);
        }
        let function = match calls::find_global(name, arguments.len()) {
            Ok(function) => function,
            Err(complaint) if self.names == Names::Open => {
                let named = (start, start + name.len());
                return self.push(Node::Unknown(complaint.told()), named, &[]);
            }
            Err(complaint) => return Err(complaint.at(start..start + name.len())),
        };
        if function == Function::Matches
            && let Some(pattern) = self.literal_pattern(arguments[1])?
        {
            let subject = arguments[0];
            return self.push(Node::Matches { subject, pattern }, span, &[subject]);
        }
        let children = arguments.clone();
        self.push(Node::Call { function, arguments }, span, &children)
    }

    /// `has(e.f)`: the access node gives up its parts to a node that asks instead of reading.
    fn has(&mut self, arguments: &[NodeId], span: (usize, usize)) -> Outcome<NodeId> {
        let complaint = || {
            let error = CompileError::new("`has` takes one field selection", span.0..span.1);
            error.with_hint("write has(inputs.name) or has(steps['id'].field)")
        };
        let [argument] = arguments else { return Err(complaint()) };
        let node = &mut self.nodes[*argument as usize];
        let asks_field = matches!(node, Node::Access(access)
            if matches!(access.ops.last(), Some((Op::Field { .. }, _))));
        if !asks_field {
            return Err(complaint());
        }
        let Node::Access(access) = std::mem::replace(node, Node::Literal(Cel::NULL)) else {
            return Err(complaint());
        };
        let height = self.height(*argument);
        self.push_at(Node::Has(access), span, height)
    }

    fn literal_pattern(&mut self, node: NodeId) -> Outcome<Option<usize>> {
        let Node::Literal(Cel::Json(Value::String(text))) = &self.nodes[node as usize] else {
            return Ok(None);
        };
        let text = text.clone();
        if let Some(same) = self.patterns.iter().position(|known| known.text() == &*text) {
            return Ok(Some(same));
        }
        let end = self.end();
        let span = end.saturating_sub(text.len() + 2)..end;
        if self.patterns.len() >= PATTERNS_MAX {
            return Err(CompileError::limit("patterns in one expression", PATTERNS_MAX, span));
        }
        let compiled = Pattern::compile(&text).map_err(|reason| {
            CompileError::new(format!("not a regular expression: {reason}"), span)
        })?;
        self.patterns.push(compiled);
        Ok(Some(self.patterns.len() - 1))
    }

    /// With open names, `a.b.c` may be one variable with dots in its name; the longest wins.
    fn open_path(&self, base: Base, ops: &[(Op, Span)]) -> Base {
        let Base::Root(name) = &base else { return base };
        if self.names == Names::Declared || ROOTS.contains(&name.as_ref()) {
            return base;
        }
        let mut full = name.to_string();
        let mut names = vec![(name.clone(), 0)];
        for (at, (op, _)) in ops.iter().enumerate() {
            let Op::Field { key, optional: false } = op else { break };
            full = format!("{full}.{key}");
            names.push((full.as_str().into(), at + 1));
        }
        names.reverse();
        Base::OpenPath { names }
    }

    /// Remembers which steps and inputs an access reads.
    fn note_reads(&mut self, base: &Base, ops: &[(Op, Span)]) {
        let first = match ops.first() {
            Some((Op::Field { key, .. }, span)) => {
                Some((key.clone(), span.0 as usize..span.1 as usize))
            }
            _ => None,
        };
        let own_status = |op: Option<&(Op, Span)>| matches!(op, Some((Op::Field { key, .. }, _)) if key.as_ref() == "status");
        match (base, first) {
            (Base::Steps | Base::StepStatus, Some((key, span))) => {
                let status_only = matches!(base, Base::StepStatus) || own_status(ops.get(1));
                let reference = StepReference { ids: vec![key], span, status_only };
                self.references.steps.push(reference);
            }
            (Base::Steps | Base::StepStatus, None) => self.references.dynamic_steps = true,
            (Base::Root(name), Some((key, span))) if name.as_ref() == "inputs" => {
                self.references.inputs.push((key, span));
            }
            (
                Base::Node(_)
                | Base::Root(_)
                | Base::Now
                | Base::StepPath { .. }
                | Base::RootPath { .. }
                | Base::OpenPath { .. },
                _,
            ) => {}
        }
    }
}
