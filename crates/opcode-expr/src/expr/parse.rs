//! Tokens to syntax: operators by precedence, blocks, conditionals.
//!
//! Keeps: nesting, height and node count are bounded, so neither lowering nor evaluating can exhaust a stack.
//! Not here: literals, names, calls and selections (`primary.rs`), what names mean (`lower.rs`).

use opcode_model::limits::{EVALUATION_DEPTH_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX};

use super::lexer::{Outcome, Token, lex};
use super::syntax::{Ast, AstId, Link, Operator, Part, Statement, Tree, Unary};
use super::trouble::Span;
use crate::cursor::{Cursor, Reads};
use crate::error::CompileError;

/// How tightly `-x` and `+x` bind, and `not x`.
const SIGN: u16 = 90;
const NOT: u16 = 50;

/// The hint for a `#` where there is no item.
pub(super) const ITEM_OUTSIDE: &str = "`#` and `.field` stand for an item, inside a predicate only";

/// Reads `source`.
pub(super) fn parse(source: &str) -> Outcome<Tree> {
    let mut parser = Parser {
        source,
        cursor: Cursor::new(lex(source)?),
        nodes: Vec::new(),
        spans: Vec::new(),
        heights: Vec::new(),
        nesting: 0,
        closures: 0,
    };
    let root = parser.block(true)?;
    if *parser.token() != Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    Ok(Tree { nodes: parser.nodes, spans: parser.spans, root })
}

pub(super) struct Parser<'a> {
    source: &'a str,
    cursor: Cursor<Token>,
    nodes: Vec<Ast>,
    spans: Vec<Span>,
    heights: Vec<usize>,
    nesting: usize,
    /// How many predicates stand around the current token.
    pub(super) closures: usize,
}

impl Reads for Parser<'_> {
    type Token = Token;

    fn source(&self) -> &str {
        self.source
    }

    fn cursor(&self) -> &Cursor<Token> {
        &self.cursor
    }

    fn cursor_mut(&mut self) -> &mut Cursor<Token> {
        &mut self.cursor
    }

    fn unexpected(&self, expected: &str) -> Box<CompileError> {
        let error = self.surprise(expected);
        match self.token() {
            Token::Mark("=") => error.with_hint("write `==` to compare"),
            Token::Mark("&") => error.with_hint("write `&&`, or bitand(a, b)"),
            Token::Mark("#" | ".") if self.closures == 0 => error.with_hint(ITEM_OUTSIDE),
            Token::Name(word) if word.as_ref() == "null" => error.with_hint("write `nil`"),
            Token::Name(_)
            | Token::Int(_)
            | Token::Float(_)
            | Token::Text(_)
            | Token::Mark(_)
            | Token::End => error,
        }
    }
}

impl Parser<'_> {
    pub(super) fn span_from(&self, start: usize) -> Span {
        (start as u32, self.end() as u32)
    }

    /// Adds a node above `children`.
    pub(super) fn push(&mut self, node: Ast, start: usize, children: &[AstId]) -> Outcome<AstId> {
        let below = children.iter().map(|child| self.heights[*child as usize]).max();
        let (height, end) = (below.unwrap_or(0) + 1, self.end());
        if self.nodes.len() >= EXPRESSION_NODES_MAX {
            let what = "the parts of an expression";
            return Err(CompileError::limit(what, EXPRESSION_NODES_MAX, start..end));
        }
        if height > EVALUATION_DEPTH_MAX {
            return Err(CompileError::limit("nesting", EVALUATION_DEPTH_MAX, start..end));
        }
        self.nodes.push(node);
        self.spans.push((start as u32, end as u32));
        self.heights.push(height);
        Ok((self.nodes.len() - 1) as AstId)
    }

    /// The base and parts of an access, to go on with it.
    pub(super) fn reopen(&mut self, node: AstId) -> (AstId, Vec<(Part, Span)>) {
        match &mut self.nodes[node as usize] {
            Ast::Access { base, parts } => (*base, std::mem::take(parts)),
            Ast::Nil
            | Ast::Bool(_)
            | Ast::Int(_)
            | Ast::Float(_)
            | Ast::Text(_)
            | Ast::Name(_)
            | Ast::Pointer(_)
            | Ast::Unary { .. }
            | Ast::Chain { .. }
            | Ast::Choice { .. }
            | Ast::Call { .. }
            | Ast::List(_)
            | Ast::Map(_)
            | Ast::Block(_) => (node, Vec::new()),
        }
    }

    fn enter(&mut self) -> Outcome<()> {
        self.nesting += 1;
        if self.nesting > EXPRESSION_DEPTH_MAX {
            let span = self.start()..self.source.len();
            return Err(CompileError::limit("nesting", EXPRESSION_DEPTH_MAX, span));
        }
        Ok(())
    }

    /// `let a = …; …; value`. Only the outermost may end in `;`.
    pub(super) fn block(&mut self, outermost: bool) -> Outcome<AstId> {
        let start = self.start();
        let mut statements = Vec::new();
        let mut children = Vec::new();
        loop {
            if self.is("let") {
                let (statement, value) = self.declaration()?;
                statements.push(statement);
                children.push(value);
                continue;
            }
            let value = self.expression()?;
            statements.push(Statement::Value(value));
            children.push(value);
            if !self.accept(";") || (outermost && *self.token() == Token::End) {
                break;
            }
        }
        if let [Statement::Value(value)] = statements.as_slice() {
            return Ok(*value);
        }
        self.push(Ast::Block(statements), start, &children)
    }

    fn declaration(&mut self) -> Outcome<(Statement, AstId)> {
        self.advance();
        let Token::Name(name) = self.token().clone() else {
            return Err(self.unexpected("a variable's name after `let`"));
        };
        let start = self.start();
        self.advance();
        let span = self.span_from(start);
        self.expect("=", "after the variable's name")?;
        let value = self.expression()?;
        self.expect(";", "after the variable's value")?;
        Ok((Statement::Let { name, value, span }, value))
    }

    /// Anything that may stand between brackets or commas.
    pub(super) fn expression(&mut self) -> Outcome<AstId> {
        self.enter()?;
        let value = if self.is("let") {
            self.block(false)?
        } else {
            let start = self.start();
            let first =
                if self.is("if") { self.condition_if()? } else { self.operators(0, start)? };
            self.choice(first, start)?
        };
        self.nesting -= 1;
        Ok(value)
    }

    /// `if c { a } else if d { b } else { e }`.
    fn condition_if(&mut self) -> Outcome<AstId> {
        let start = self.start();
        let mut arms = Vec::new();
        let mut children = Vec::new();
        let otherwise = loop {
            self.expect("if", "here")?;
            let condition = self.expression()?;
            let value = self.braced("of the `if`")?;
            arms.push((condition, Some(value)));
            children.extend([condition, value]);
            self.expect("else", "after the `if`")?;
            if !self.is("if") {
                break self.braced("of the `else`")?;
            }
        };
        children.push(otherwise);
        self.push(Ast::Choice { arms, otherwise }, start, &children)
    }

    fn braced(&mut self, what: &str) -> Outcome<AstId> {
        self.expect("{", what)?;
        let value = self.block(false)?;
        self.expect("}", what)?;
        Ok(value)
    }

    /// `? a : b` behind `first`, as often as it stands there.
    fn choice(&mut self, first: AstId, start: usize) -> Outcome<AstId> {
        let mut condition = first;
        let mut arms = Vec::new();
        let mut children = Vec::new();
        while self.accept("?") {
            let value = if self.accept(":") {
                None
            } else {
                let value = self.expression()?;
                self.expect(":", "of the conditional")?;
                Some(value)
            };
            arms.push((condition, value));
            children.push(condition);
            children.extend(value);
            let at = self.start();
            condition = if self.is("let") {
                self.block(false)?
            } else if self.is("if") {
                self.condition_if()?
            } else {
                self.operators(0, at)?
            };
        }
        if arms.is_empty() {
            return Ok(first);
        }
        children.push(condition);
        self.push(Ast::Choice { arms, otherwise: condition }, start, &children)
    }

    /// Operators that bind at least as tightly as `least`; all of them are links of one node.
    fn operators(&mut self, least: u16, start: usize) -> Outcome<AstId> {
        let first = self.unary()?;
        let mut links = Vec::new();
        let mut children = vec![first];
        let mut coalescing = false;
        loop {
            if least == 0 && self.accept("|") {
                links.push(self.pipe(&mut children)?);
                coalescing = false;
                continue;
            }
            let negated = self.is("not");
            let mark = if negated { self.token_after(1) } else { self.token() };
            let Token::Mark(mark) = *mark else { break };
            let Some((operator, level)) = Operator::parse(mark).filter(|found| found.1 >= least)
            else {
                break;
            };
            if negated && !operator.can_be_negated() {
                break;
            }
            if coalescing && operator != Operator::Coalesce {
                let error = self.unexpected("`??` or the end of its operands");
                return Err(error.with_hint("put the `??` and its operands in parentheses"));
            }
            coalescing = operator == Operator::Coalesce;
            if operator.is_comparison() {
                links.push(self.comparisons(level, &mut children)?);
                continue;
            }
            if negated {
                self.advance();
            }
            self.advance();
            let operand = self.operand(operator, level)?;
            children.push(operand);
            links.push(Link::Binary { operator, operand, negated });
        }
        if links.is_empty() {
            return Ok(first);
        }
        self.push(Ast::Chain { first, links }, start, &children)
    }

    fn operand(&mut self, operator: Operator, level: u16) -> Outcome<AstId> {
        let start = self.start();
        if operator != Operator::Power {
            return self.operators(level + 1, start);
        }
        self.enter()?;
        let operand = self.operators(level, start)?;
        self.nesting -= 1;
        Ok(operand)
    }

    fn comparisons(&mut self, level: u16, children: &mut Vec<AstId>) -> Outcome<Link> {
        let mut compared = Vec::new();
        while let Token::Mark(mark) = *self.token()
            && let Some((operator, _)) =
                Operator::parse(mark).filter(|found| found.0.is_comparison())
        {
            self.advance();
            let start = self.start();
            let operand = self.operators(level + 1, start)?;
            children.push(operand);
            compared.push((operator, operand));
        }
        Ok(Link::Compare(compared))
    }

    fn pipe(&mut self, children: &mut Vec<AstId>) -> Outcome<Link> {
        let start = self.start();
        let Token::Name(name) = self.token().clone() else {
            return Err(self.unexpected("a function after `|`"));
        };
        self.advance();
        let arguments = self.arguments(&name, 1)?;
        children.extend(&arguments);
        Ok(Link::Pipe { name, arguments, span: self.span_from(start) })
    }

    fn unary(&mut self) -> Outcome<AstId> {
        let start = self.start();
        let operator = match self.token() {
            Token::Mark("not" | "!") => Unary::Not,
            Token::Mark("-") => Unary::Minus,
            Token::Mark("+") => Unary::Plus,
            Token::Name(_)
            | Token::Int(_)
            | Token::Float(_)
            | Token::Text(_)
            | Token::Mark(_)
            | Token::End => return self.primary(),
        };
        let mut count = 0;
        while match operator {
            Unary::Not => self.is("not") || self.is("!"),
            Unary::Minus => self.is("-"),
            Unary::Plus => self.is("+"),
        } {
            self.advance();
            count += 1;
        }
        self.enter()?;
        let level = if operator == Unary::Not { NOT } else { SIGN };
        let at = self.start();
        let operand = self.operators(level, at)?;
        self.nesting -= 1;
        let node = self.push(Ast::Unary { operator, count, operand }, start, &[operand])?;
        self.postfix(node, start)
    }
}
