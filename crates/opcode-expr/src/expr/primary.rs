//! The tight parts of the grammar: literals, names, calls, predicates, selections.
//!
//! Keeps: `#` and `.field` are read inside predicates only.
//! Not here: operators (`parse.rs`).

use std::sync::Arc;

use opcode_model::problem::nearest;

use super::functions::{self, is_predicate};
use super::lexer::{Outcome, Token};
use super::parse::{ITEM_OUTSIDE, Parser};
use super::syntax::{Ast, AstId, Part};
use crate::cursor::Reads;
use crate::error::CompileError;

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Outcome<AstId> {
        let start = self.start();
        let node = match self.token().clone() {
            Token::Int(number) => return self.literal(Ast::Int(number)),
            Token::Float(number) => return self.literal(Ast::Float(number)),
            Token::Text(text) => self.literal(Ast::Text(text))?,
            Token::Name(name) => match name.as_ref() {
                "true" => return self.literal(Ast::Bool(true)),
                "false" => return self.literal(Ast::Bool(false)),
                "nil" => return self.literal(Ast::Nil),
                _ => {
                    self.advance();
                    if self.is("(") { self.call(name, start)? } else { self.name(name, start)? }
                }
            },
            Token::Mark("(") => {
                self.advance();
                let inner = self.block(false)?;
                self.expect(")", "to close the parenthesis")?;
                inner
            }
            Token::Mark("[") => self.list(start)?,
            Token::Mark("{") => self.map(start)?,
            Token::Mark("#") if self.closures > 0 => self.pointer(start)?,
            Token::Mark(".") if self.closures > 0 => {
                self.push(Ast::Pointer("".into()), start, &[])?
            }
            Token::Mark("::") => {
                self.advance();
                let Token::Name(name) = self.token().clone() else {
                    return Err(self.unexpected("a function after `::`"));
                };
                self.advance();
                self.call(name, start)?
            }
            Token::Mark(_) | Token::End => return Err(self.unexpected("a value")),
        };
        self.postfix(node, start)
    }

    fn literal(&mut self, node: Ast) -> Outcome<AstId> {
        let start = self.start();
        self.advance();
        self.push(node, start, &[])
    }

    fn name(&mut self, name: Arc<str>, start: usize) -> Outcome<AstId> {
        self.push(Ast::Name(name), start, &[])
    }

    fn pointer(&mut self, start: usize) -> Outcome<AstId> {
        self.advance();
        let name = match self.token().clone() {
            Token::Name(name) => {
                self.advance();
                name
            }
            Token::Int(_) | Token::Float(_) | Token::Text(_) | Token::Mark(_) | Token::End => {
                "".into()
            }
        };
        self.push(Ast::Pointer(name), start, &[])
    }

    fn call(&mut self, name: Arc<str>, start: usize) -> Outcome<AstId> {
        let arguments = self.arguments(&name, 0)?;
        let children = arguments.clone();
        self.push(Ast::Call { name, arguments }, start, &children)
    }

    /// The arguments of `name` in parentheses, of which `given` stand elsewhere; the second of some is a predicate.
    pub(super) fn arguments(&mut self, name: &str, given: usize) -> Outcome<Vec<AstId>> {
        self.expect("(", &format!("and arguments after `{name}`"))?;
        let predicate = is_predicate(name);
        let mut arguments = Vec::new();
        while !self.is(")") {
            if !arguments.is_empty() {
                self.expect(",", "or `)` in the arguments")?;
                if self.is(")") {
                    break;
                }
            }
            let argument = if predicate && arguments.len() + given == 1 {
                self.predicate()?
            } else {
                self.expression().map_err(|error| mistaken(name, error))?
            };
            arguments.push(argument);
        }
        self.advance();
        Ok(arguments)
    }

    fn predicate(&mut self) -> Outcome<AstId> {
        self.closures += 1;
        let node = if self.accept("{") {
            let node = self.block(false)?;
            self.expect("}", "to close the predicate")?;
            node
        } else {
            let node = self.expression()?;
            if self.is(";") {
                let error = self.unexpected("`,` or `)`");
                return Err(error.with_hint("put the predicate in braces: { …; … }"));
            }
            node
        };
        self.closures -= 1;
        Ok(node)
    }

    fn list(&mut self, start: usize) -> Outcome<AstId> {
        self.advance();
        let mut items = Vec::new();
        while !self.is("]") {
            if !items.is_empty() {
                self.expect(",", "or `]` in the list")?;
                if self.is("]") {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        self.advance();
        let children = items.clone();
        self.push(Ast::List(items), start, &children)
    }

    fn map(&mut self, start: usize) -> Outcome<AstId> {
        self.advance();
        let mut entries = Vec::new();
        let mut children = Vec::new();
        while !self.is("}") {
            if !entries.is_empty() {
                self.expect(",", "or `}` in the map")?;
                if self.is("}") {
                    break;
                }
            }
            let key = self.key()?;
            self.expect(":", "after the key")?;
            let value = self.expression()?;
            entries.push((key, value));
            children.extend([key, value]);
        }
        self.advance();
        self.push(Ast::Map(entries), start, &children)
    }

    /// A key: a name, a string, a number as it is written, or an expression in parentheses.
    fn key(&mut self) -> Outcome<AstId> {
        match self.token().clone() {
            Token::Name(text) | Token::Text(text) => self.literal(Ast::Text(text)),
            Token::Int(_) | Token::Float(_) => {
                let text = self.token_text().into();
                self.literal(Ast::Text(text))
            }
            Token::Mark("(") => self.expression(),
            Token::Mark(_) | Token::End => {
                Err(self.unexpected("a key: a name, a string, a number or `(…)`"))
            }
        }
    }

    /// Fields, calls, indexes and slices behind a value, as one flat node.
    pub(super) fn postfix(&mut self, node: AstId, start: usize) -> Outcome<AstId> {
        if !(self.is(".") || self.is("?.") || self.is("[")) {
            return Ok(node);
        }
        let (base, mut parts) = self.reopen(node);
        let mut children = vec![node];
        loop {
            let optional = self.is("?.");
            let part = if optional || self.is(".") {
                self.advance();
                if optional && self.is("[") {
                    self.index(true, &mut children)?
                } else {
                    self.member(optional, &mut children)?
                }
            } else if self.is("[") {
                self.index(false, &mut children)?
            } else {
                break;
            };
            let span = self.span_from(start);
            parts.push((part, span));
        }
        self.push(Ast::Access { base, parts }, start, &children)
    }

    fn member(&mut self, optional: bool, children: &mut Vec<AstId>) -> Outcome<Part> {
        let name: Arc<str> = match self.token() {
            Token::Name(name) => name.clone(),
            Token::Mark(word) if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                (*word).into()
            }
            Token::Int(_) | Token::Float(_) | Token::Text(_) | Token::Mark(_) | Token::End => {
                return Err(self.unexpected("a field's name after the dot"));
            }
        };
        self.advance();
        if !self.is("(") {
            return Ok(Part::Field { name, optional });
        }
        let arguments = self.arguments("", 0)?;
        children.extend(&arguments);
        Ok(Part::Method { name, arguments, optional })
    }

    fn index(&mut self, optional: bool, children: &mut Vec<AstId>) -> Outcome<Part> {
        self.advance();
        let mut from = None;
        if !self.is(":") {
            let index = self.expression()?;
            children.push(index);
            if !self.is(":") {
                self.expect("]", "after the index")?;
                return Ok(Part::Index { index, optional });
            }
            from = Some(index);
        }
        self.advance();
        let mut to = None;
        if !self.is("]") {
            let index = self.expression()?;
            children.push(index);
            to = Some(index);
        }
        self.expect("]", "after the slice")?;
        Ok(Part::Slice { from, to })
    }
}

/// A `#` among the arguments of a function nobody knows: its name may be what is wrong.
fn mistaken(name: &str, error: Box<CompileError>) -> Box<CompileError> {
    if error.hint.as_deref() != Some(ITEM_OUTSIDE) || functions::names().contains(&name) {
        return error;
    }
    match nearest(name, functions::names()) {
        Some(near) => error.with_hint(format!("did you mean `{near}` for `{name}`?")),
        None => error,
    }
}
