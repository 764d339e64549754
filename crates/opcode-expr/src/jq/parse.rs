//! Tokens to nodes: pipes, commas, operators, definitions, bindings.
//!
//! Keeps: nesting and node count are bounded, so neither parsing nor what follows can exhaust a stack.
//! Not here: terms and what is read from them (`terms.rs`), names (`compile.rs`).

use std::sync::Arc;

use opcode_model::limits::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX};

use super::lexer::{Outcome, Token, lex};
use super::syntax::{Definition, Id, Key, Node, Operator, Parameter, Pattern, Segment, Syntax};
use super::trouble::Span;
use crate::error::{CompileError, shorten};

/// Reads a whole program.
pub(super) fn parse(source: &str) -> Outcome<Syntax> {
    if source.len() > EXPRESSION_BYTES_MAX {
        let span = EXPRESSION_BYTES_MAX..source.len();
        let what = "an expression's length in bytes";
        return Err(CompileError::limit(what, EXPRESSION_BYTES_MAX, span));
    }
    if source.trim().is_empty() {
        return Err(CompileError::new("the expression is empty", 0..source.len()));
    }
    let mut parser = Parser::new(source, EXPRESSION_NODES_MAX)?;
    parser.syntax.root = match parser.peek() {
        Token::End => parser.add(Node::Identity, (0, 0))?,
        _ => parser.pipe()?,
    };
    match parser.peek() {
        Token::End => Ok(parser.syntax),
        _ => parser.unexpected("an operator or the end"),
    }
}

/// Reads nothing but definitions: the language's own.
pub(super) fn parse_definitions(source: &str) -> Outcome<(Syntax, Vec<Definition>)> {
    let mut parser = Parser::new(source, usize::MAX)?;
    let mut definitions = Vec::new();
    while parser.peek() != &Token::End {
        definitions.push(parser.definition()?);
    }
    Ok((parser.syntax, definitions))
}

pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    pub(super) syntax: Syntax,
    nodes_max: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str, nodes_max: usize) -> Outcome<Self> {
        let tokens = lex(source)?;
        Ok(Self { source, tokens, at: 0, syntax: Syntax::default(), nodes_max, nesting: 0 })
    }

    // Tokens.

    pub(super) fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |token| &token.0)
    }

    /// Where the next token is.
    pub(super) fn here(&self) -> Span {
        self.tokens.get(self.at).map(|token| token.1).unwrap_or_default()
    }

    /// From `start` to the end of what was read last.
    pub(super) fn since(&self, start: Span) -> Span {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        (start.0, last.map_or(start.1, |token| token.1.1))
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Keyword(found) if *found == keyword);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_sign(&mut self, sign: &'static str) -> Outcome<()> {
        if self.take_sign(sign) { Ok(()) } else { self.unexpected(&format!("`{sign}`")) }
    }

    pub(super) fn expect_keyword(&mut self, keyword: &'static str) -> Outcome<()> {
        if self.take_keyword(keyword) { Ok(()) } else { self.unexpected(&format!("`{keyword}`")) }
    }

    pub(super) fn variable(&mut self) -> Outcome<Arc<str>> {
        let Token::Variable(name) = self.peek().clone() else {
            return self.unexpected("a variable such as `$x`");
        };
        self.at += 1;
        Ok(name)
    }

    pub(super) fn unexpected<T>(&self, expected: &str) -> Outcome<T> {
        let (from, to) = (self.here().0 as usize, self.here().1 as usize);
        let shown = match self.source.get(from..to) {
            None | Some("") => "the end of the expression".to_owned(),
            Some(text) => format!("`{}`", shorten(text, 40)),
        };
        let error = CompileError::new(format!("expected {expected}, found {shown}"), from..to);
        let before = self.source.get(..from).unwrap_or_default();
        Err(match shown.as_str() {
            "`|`" if before.ends_with('|') => error.with_hint("write `or`"),
            "`=`" if before.ends_with("==") => error.with_hint("write `==`"),
            _ => error,
        })
    }

    /// Reads `?//` in an expression as `?` and then `//`.
    pub(super) fn split_optional_alternative(&mut self) {
        if let Some((token, span)) = self.tokens.get_mut(self.at) {
            *token = Token::Sign("//");
            span.0 += 1;
        }
    }

    // Nodes.

    pub(super) fn add(&mut self, node: Node, span: Span) -> Outcome<Id> {
        if self.syntax.nodes.len() >= self.nodes_max {
            let span = span.0 as usize..span.1 as usize;
            return Err(CompileError::limit("an expression's parts", self.nodes_max, span));
        }
        self.syntax.nodes.push(node);
        self.syntax.spans.push(span);
        Ok(u32::try_from(self.syntax.nodes.len() - 1).unwrap_or(u32::MAX))
    }

    /// Reads one level deeper.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.nesting >= EXPRESSION_DEPTH_MAX {
            let span = self.here().0 as usize..self.here().1 as usize;
            return Err(CompileError::limit("an expression's nesting", EXPRESSION_DEPTH_MAX, span));
        }
        self.nesting += 1;
        let outcome = read(self);
        self.nesting -= 1;
        outcome
    }

    /// `a | b | …`, with definitions, labels and bindings between.
    pub(super) fn pipe(&mut self) -> Outcome<Id> {
        self.nested(|parser| parser.pipe_after(Vec::new()))
    }

    fn pipe_after(&mut self, mut segments: Vec<Segment>) -> Outcome<Id> {
        let start = self.here();
        loop {
            match self.peek() {
                Token::Keyword("def") => {
                    segments.push(Segment::Define(self.definition()?));
                    // A program, and nothing else, may be definitions alone.
                    if self.nesting == 1 && self.peek() == &Token::End {
                        break;
                    }
                    continue;
                }
                Token::Keyword("label") => {
                    self.at += 1;
                    segments.push(Segment::Label(self.variable()?));
                    self.expect_sign("|")?;
                    continue;
                }
                _ => {}
            }
            let first = self.expression()?;
            if self.take_keyword("as") {
                segments.push(self.binding(first)?);
                continue;
            }
            segments.push(Segment::Query(self.commas(first, start)?));
            if !self.take_sign("|") {
                break;
            }
        }
        match segments.as_slice() {
            [Segment::Query(only)] => Ok(*only),
            _ => self.add(Node::Pipe(segments), self.since(start)),
        }
    }

    /// The rest of `a, b, …`. A binding, label or definition among them takes everything to its right.
    fn commas(&mut self, first: Id, start: Span) -> Outcome<Id> {
        let mut items = vec![first];
        while self.take_sign(",") {
            if matches!(self.peek(), Token::Keyword("def" | "label")) {
                items.push(self.pipe()?);
                break;
            }
            let item = self.expression()?;
            if self.take_keyword("as") {
                let bound = self.binding(item)?;
                items.push(self.nested(|parser| parser.pipe_after(vec![bound]))?);
                break;
            }
            items.push(item);
        }
        match items.as_slice() {
            [only] => Ok(*only),
            _ => self.add(Node::Comma(items), self.since(start)),
        }
    }

    /// What follows `source as`.
    fn binding(&mut self, source: Id) -> Outcome<Segment> {
        let mut patterns = vec![self.pattern()?];
        while self.take_sign("?//") {
            patterns.push(self.pattern()?);
        }
        self.expect_sign("|")?;
        Ok(Segment::Bind { source, patterns })
    }

    pub(super) fn pattern(&mut self) -> Outcome<Pattern> {
        self.nested(|parser| {
            if parser.take_sign("[") {
                let mut items = vec![parser.pattern()?];
                while parser.take_sign(",") {
                    items.push(parser.pattern()?);
                }
                parser.expect_sign("]")?;
                return Ok(Pattern::List(items));
            }
            if parser.take_sign("{") {
                let mut entries = vec![parser.pattern_entry()?];
                while parser.take_sign(",") {
                    entries.push(parser.pattern_entry()?);
                }
                parser.expect_sign("}")?;
                return Ok(Pattern::Object(entries));
            }
            match parser.peek() {
                Token::Variable(_) => Ok(Pattern::Variable(parser.variable()?)),
                _ => parser.unexpected("a variable, or a pattern such as `[$a]` or `{$a}`"),
            }
        })
    }

    fn pattern_entry(&mut self) -> Outcome<(Key, Option<Pattern>)> {
        let key = self.key()?;
        let alone = matches!(key, Key::Variable(_)) && !self.is_sign(":");
        if alone {
            return Ok((key, None));
        }
        self.expect_sign(":")?;
        Ok((key, Some(self.pattern()?)))
    }

    fn definition(&mut self) -> Outcome<Definition> {
        self.expect_keyword("def")?;
        let Token::Name(name) = self.peek().clone() else {
            return self.unexpected("a function's name");
        };
        self.at += 1;
        let mut parameters = Vec::new();
        if self.take_sign("(") {
            loop {
                parameters.push(match self.next() {
                    Token::Name(name) => Parameter { name, is_value: false },
                    Token::Variable(name) => Parameter { name, is_value: true },
                    _ => {
                        self.at -= 1;
                        return self.unexpected("a parameter such as `f` or `$x`");
                    }
                });
                if !self.take_sign(";") {
                    break;
                }
            }
            self.expect_sign(")")?;
        }
        self.expect_sign(":")?;
        let body = self.pipe()?;
        self.expect_sign(";")?;
        Ok(Definition { name, parameters, body })
    }

    // Operators, loosest first.

    /// `a // b // …`.
    pub(super) fn expression(&mut self) -> Outcome<Id> {
        let start = self.here();
        let mut items = vec![self.assignment()?];
        while self.take_sign("//") {
            items.push(self.assignment()?);
        }
        match items.as_slice() {
            [only] => Ok(*only),
            _ => self.add(Node::Alternative(items), self.since(start)),
        }
    }

    fn assignment(&mut self) -> Outcome<Id> {
        let start = self.here();
        let left = self.either()?;
        let Token::Sign(sign) = *self.peek() else { return Ok(left) };
        let operator = match sign {
            "=" | "|=" => None,
            "+=" => Some(Operator::Add),
            "-=" => Some(Operator::Subtract),
            "*=" => Some(Operator::Multiply),
            "/=" => Some(Operator::Divide),
            "%=" => Some(Operator::Modulo),
            "//=" => Some(Operator::Alternative),
            _ => return Ok(left),
        };
        self.at += 1;
        let right = self.either()?;
        let node = match (operator, sign) {
            (Some(operator), _) => Node::Update { operator, left, right },
            (None, "=") => Node::Assign { left, right },
            (None, _) => Node::Modify { left, right },
        };
        self.add(node, self.since(start))
    }

    fn either(&mut self) -> Outcome<Id> {
        let start = self.here();
        let mut items = vec![self.both()?];
        while self.take_keyword("or") {
            items.push(self.both()?);
        }
        match items.as_slice() {
            [only] => Ok(*only),
            _ => self.add(Node::Or(items), self.since(start)),
        }
    }

    fn both(&mut self) -> Outcome<Id> {
        let start = self.here();
        let mut items = vec![self.comparison()?];
        while self.take_keyword("and") {
            items.push(self.comparison()?);
        }
        match items.as_slice() {
            [only] => Ok(*only),
            _ => self.add(Node::And(items), self.since(start)),
        }
    }

    fn comparison(&mut self) -> Outcome<Id> {
        let start = self.here();
        let first = self.chain(0)?;
        let Token::Sign(sign) = *self.peek() else { return Ok(first) };
        let operator = match sign {
            "==" => Operator::Equal,
            "!=" => Operator::Unequal,
            "<" => Operator::Less,
            "<=" => Operator::LessEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterEqual,
            _ => return Ok(first),
        };
        self.at += 1;
        let rest = vec![(operator, self.chain(0)?)];
        self.add(Node::Chain { first, rest }, self.since(start))
    }

    /// `+ -` at level 0, `* / %` at level 1.
    fn chain(&mut self, level: usize) -> Outcome<Id> {
        let start = self.here();
        let operand = |parser: &mut Self| match level {
            0 => parser.chain(1),
            _ => parser.signed(),
        };
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Token::Sign(sign) = *self.peek() {
            let operator = match (level, sign) {
                (0, "+") => Operator::Add,
                (0, "-") => Operator::Subtract,
                (1, "*") => Operator::Multiply,
                (1, "/") => Operator::Divide,
                (1, "%") => Operator::Modulo,
                _ => break,
            };
            self.at += 1;
            rest.push((operator, operand(self)?));
        }
        match rest.is_empty() {
            true => Ok(first),
            false => self.add(Node::Chain { first, rest }, self.since(start)),
        }
    }

    /// A term with any number of `-` and `+` before it.
    pub(super) fn signed(&mut self) -> Outcome<Id> {
        let start = self.here();
        let mut negative = Vec::new();
        while let Token::Sign(sign @ ("-" | "+")) = *self.peek() {
            self.at += 1;
            negative.push(sign == "-");
        }
        let operand = self.postfix()?;
        match negative.is_empty() {
            true => Ok(operand),
            false => self.add(Node::Signs { negative, operand }, self.since(start)),
        }
    }
}
