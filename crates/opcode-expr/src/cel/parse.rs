//! Tokens to code: precedence climbing, names resolved on the way, limits checked as the arena grows.
//!
//! Keeps: nesting, height and node count are bounded, so neither parsing nor evaluating can exhaust a stack.
//! Not here: primaries, selections, calls and macros (`primary.rs`).

use std::sync::Arc;

use opcode_model::Value;
use opcode_model::limits::{
    EVALUATION_DEPTH_MAX, EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX,
};

use super::calls::Function;
use super::check::check;
use super::lexer::{Token, lex};
use super::node::{Code, Node, NodeId, Operator};
use super::trouble::Span;
use super::value::Cel;
use crate::cursor::{Cursor, Reads};
use crate::error::CompileError;
use crate::pattern::Pattern;
use crate::references::{Division, References};

/// Which free names an expression may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// The workflow's roots; anything else is a mistake found now.
    Declared,
    /// Whatever the scope has when asked; only Expr's functions are known now, as no scope can have more of them.
    Functions,
    /// Whatever the scope has when asked; mistakes are found then.
    Open,
}

pub(crate) type Outcome<T> = Result<T, Box<CompileError>>;

/// Compiles `source`.
pub(crate) fn compile(source: &str, names: Names) -> Outcome<(Code, References)> {
    if source.len() > EXPRESSION_BYTES_MAX {
        let span = EXPRESSION_BYTES_MAX..source.len();
        return Err(CompileError::limit(
            "an expression's length in bytes",
            EXPRESSION_BYTES_MAX,
            span,
        ));
    }
    if source.trim().is_empty() {
        return Err(CompileError::new("the expression is empty", 0..source.len()));
    }
    let mut parser = Parser {
        source,
        cursor: Cursor::new(lex(source)?),
        names,
        nodes: Vec::new(),
        spans: Vec::new(),
        heights: Vec::new(),
        variables: Vec::new(),
        slots: 0,
        patterns: Vec::new(),
        nesting: 0,
        references: References::default(),
    };
    let root = parser.expression()?;
    if *parser.token() != Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    let Parser { nodes, spans, slots, patterns, references, .. } = parser;
    let code = Code { nodes, spans, root, slots, patterns };
    if names == Names::Declared {
        check(&code)?;
    }
    Ok((code, references))
}

pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    cursor: Cursor<Token>,
    pub(super) names: Names,
    pub(super) nodes: Vec<Node>,
    spans: Vec<Span>,
    heights: Vec<usize>,
    /// The macro variables in scope, innermost last; the position is the slot.
    pub(super) variables: Vec<Arc<str>>,
    pub(super) slots: usize,
    pub(super) patterns: Vec<Pattern>,
    nesting: usize,
    pub(super) references: References,
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
            Token::Mark("?") => {
                error.with_hint("a value in place of an absent one is `a.?b.orValue(other)`")
            }
            Token::Ident(_) if self.follows("not") => error.with_hint("write `!`"),
            Token::Ident(word) => match word.as_ref() {
                "and" => error.with_hint("write `&&`"),
                "or" => error.with_hint("write `||`"),
                "not" => error.with_hint("write `!`"),
                _ => error,
            },
            Token::Text(_) if self.cursor.before().is_some() => {
                error.with_hint("join texts with `+`")
            }
            Token::Quoted(_)
            | Token::Int(_)
            | Token::Uint(_)
            | Token::Double(_)
            | Token::Text(_)
            | Token::Bytes(_)
            | Token::Mark(_)
            | Token::End => error,
        }
    }
}

impl Parser<'_> {
    /// Whether the token before is this word.
    fn follows(&self, word: &str) -> bool {
        matches!(self.cursor.before(), Some(Token::Ident(name)) if &**name == word)
    }

    /// Adds a node above `children`.
    pub(super) fn push(
        &mut self,
        node: Node,
        span: (usize, usize),
        children: &[NodeId],
    ) -> Outcome<NodeId> {
        let below = children.iter().map(|child| self.heights[*child as usize]).max();
        self.push_at(node, span, below.unwrap_or(0) + 1)
    }

    pub(super) fn push_at(
        &mut self,
        node: Node,
        (start, end): (usize, usize),
        height: usize,
    ) -> Outcome<NodeId> {
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
        Ok((self.nodes.len() - 1) as NodeId)
    }

    pub(super) fn height(&self, node: NodeId) -> usize {
        self.heights[node as usize]
    }

    fn start_of(&self, node: NodeId) -> usize {
        self.spans[node as usize].0 as usize
    }

    pub(super) fn literal(&mut self, value: impl Into<Cel>, start: usize) -> Outcome<NodeId> {
        let end = self.end();
        self.push(Node::Literal(value.into()), (start, end), &[])
    }

    fn enter(&mut self) -> Outcome<()> {
        self.nesting += 1;
        if self.nesting > EXPRESSION_DEPTH_MAX {
            let span = self.start()..self.source.len();
            return Err(CompileError::limit("nesting", EXPRESSION_DEPTH_MAX, span));
        }
        Ok(())
    }

    /// `c ? a : b`, and everything that binds tighter.
    pub(super) fn expression(&mut self) -> Outcome<NodeId> {
        self.enter()?;
        let start = self.start();
        let mut value = self.binary(0)?;
        let mut arms = Vec::new();
        while self.accept("?") {
            let then = self.expression()?;
            self.expect(":", "of the conditional")?;
            arms.push((value, then));
            value = self.binary(0)?;
        }
        if !arms.is_empty() {
            let mut children: Vec<_> = arms.iter().flat_map(|arm| [arm.0, arm.1]).collect();
            children.push(value);
            let node = Node::Choice { arms, otherwise: value };
            value = self.push(node, (start, self.end()), &children)?;
        }
        self.nesting -= 1;
        Ok(value)
    }

    /// Operators of `level` and tighter; all operators of one level in a row become one node.
    fn binary(&mut self, level: usize) -> Outcome<NodeId> {
        let start = self.start();
        let mut value = self.unary()?;
        while let Some((found, _)) = self.operator().filter(|(found, _)| *found >= level) {
            let mut rest = Vec::new();
            while let Some((_, operator)) = self.operator().filter(|(next, _)| *next == found) {
                self.advance();
                let operand = self.binary(found + 1)?;
                self.note_division(operator, value, &rest, operand);
                rest.push((operator, operand));
            }
            value = self.chain(found, value, rest, start)?;
        }
        Ok(value)
    }

    fn chain(
        &mut self,
        level: usize,
        first: NodeId,
        rest: Vec<(Option<Operator>, NodeId)>,
        start: usize,
    ) -> Outcome<NodeId> {
        let mut children = vec![first];
        children.extend(rest.iter().map(|part| part.1));
        let node = match level {
            0 => Node::Or(children.clone()),
            1 => Node::And(children.clone()),
            _ => Node::Chain {
                first,
                rest: rest
                    .into_iter()
                    .filter_map(|(operator, operand)| Some((operator?, operand)))
                    .collect(),
            },
        };
        self.push(node, (start, self.end()), &children)
    }

    /// The operator here and how tightly it binds; `||` and `&&` are levels without an `Operator`.
    fn operator(&self) -> Option<(usize, Option<Operator>)> {
        let found = match self.token() {
            Token::Mark(mark) => match *mark {
                "||" => (0, None),
                "&&" => (1, None),
                "==" => (2, Some(Operator::Equal)),
                "!=" => (2, Some(Operator::Unequal)),
                "<" => (2, Some(Operator::Less)),
                "<=" => (2, Some(Operator::LessEqual)),
                ">" => (2, Some(Operator::Greater)),
                ">=" => (2, Some(Operator::GreaterEqual)),
                "+" => (3, Some(Operator::Add)),
                "-" => (3, Some(Operator::Subtract)),
                "*" => (4, Some(Operator::Multiply)),
                "/" => (4, Some(Operator::Divide)),
                "%" => (4, Some(Operator::Remainder)),
                _ => return None,
            },
            Token::Ident(word) if word.as_ref() == "in" => (2, Some(Operator::In)),
            Token::Ident(_)
            | Token::Quoted(_)
            | Token::Int(_)
            | Token::Uint(_)
            | Token::Double(_)
            | Token::Text(_)
            | Token::Bytes(_)
            | Token::End => return None,
        };
        Some(found)
    }

    fn unary(&mut self) -> Outcome<NodeId> {
        let start = self.start();
        let mark = if self.is("!") {
            "!"
        } else if self.is("-") {
            "-"
        } else {
            return self.postfix();
        };
        let mut count = 0_usize;
        while self.is(mark) {
            if mark == "-" && matches!(self.token_after(1), Token::Int(_) | Token::Double(_)) {
                break;
            }
            count += 1;
            self.advance();
        }
        if count == 0 {
            return self.postfix();
        }
        self.enter()?;
        let operand = self.unary()?;
        self.nesting -= 1;
        let odd = count % 2 == 1;
        let node =
            if mark == "!" { Node::Not { operand, odd } } else { Node::Negate { operand, odd } };
        self.push(node, (start, self.end()), &[operand])
    }

    /// Remembers a `/` whose operands may both be ints, for the author.
    fn note_division(
        &mut self,
        operator: Option<Operator>,
        first: NodeId,
        rest: &[(Option<Operator>, NodeId)],
        operand: NodeId,
    ) {
        let literal = |node: NodeId| matches!(self.nodes[node as usize], Node::Literal(_));
        let double = |node: NodeId| match &self.nodes[node as usize] {
            Node::Literal(value) => matches!(value, Cel::Json(Value::Float(_))),
            Node::Call { function, .. } => *function == Function::Double,
            Node::Slot(_)
            | Node::Access(_)
            | Node::Chain { .. }
            | Node::And(_)
            | Node::Or(_)
            | Node::Choice { .. }
            | Node::Not { .. }
            | Node::Negate { .. }
            | Node::List(_)
            | Node::Map(_)
            | Node::Has(_)
            | Node::Matches { .. }
            | Node::Unknown(_) => false,
        };
        if operator != Some(Operator::Divide) || literal(operand) || double(operand) {
            return;
        }
        let exact = double(first) || rest.iter().any(|part| double(part.1));
        if exact || (rest.is_empty() && literal(first)) {
            return;
        }
        let start = self.start_of(first);
        let left_end = rest.last().map_or(first, |part| part.1);
        let left_end = self.spans[left_end as usize].1 as usize;
        let right = self.start_of(operand)..self.spans[operand as usize].1 as usize;
        let (Some(left), Some(right_text)) =
            (self.source.get(start..left_end), self.source.get(right.clone()))
        else {
            return;
        };
        let suggestion = format!("double({left}) / {right_text}");
        self.references.divisions.push(Division { span: start..right.end, suggestion });
    }
}
