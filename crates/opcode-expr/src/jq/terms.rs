//! Terms: literals, constructions, control, calls, and what is read from them.
//!
//! Keeps: a `?` after a reading makes that reading optional; after anything else it is a `try`.
//! Not here: operators and pipes (`parse.rs`).

use std::sync::Arc;

use opcode_model::{Object, Value};

use super::lexer::{Outcome, Token};
use super::parse::Parser;
use super::syntax::{Entry, Id, Key, Node, Part, Suffix, SuffixKind};
use super::trouble::Span;
use crate::error::{CompileError, CompileErrorKind};

/// The variable that says where it stands.
const PLACE: &str = "__loc__";

impl Parser<'_> {
    /// A term and what is read from it.
    pub(super) fn postfix(&mut self) -> Outcome<Id> {
        let start = self.here();
        let mut base = self.term()?;
        let mut suffixes = Vec::new();
        loop {
            let from = self.here();
            let optional = match self.peek() {
                Token::Sign("?") => {
                    self.next();
                    true
                }
                Token::Sign("?//") => {
                    self.split_optional_alternative();
                    true
                }
                _ => false,
            };
            if optional {
                match suffixes.last_mut() {
                    Some(Suffix { optional, .. }) => *optional = true,
                    None => {
                        let node = Node::Try { body: base, handler: None };
                        base = self.add(node, self.since(start))?;
                    }
                }
                continue;
            }
            let kind = match self.peek().clone() {
                Token::Field(name) => {
                    self.next();
                    SuffixKind::Field(name)
                }
                Token::Sign("[") => self.bracket()?,
                Token::Sign(".") => {
                    self.next();
                    self.after_dot()?
                }
                _ => break,
            };
            suffixes.push(Suffix { kind, optional: false, span: self.since(from) });
        }
        match suffixes.is_empty() {
            true => Ok(base),
            false => self.add(Node::Postfix { base, suffixes }, self.since(start)),
        }
    }

    /// What may follow a `.` that is not the beginning of a name.
    fn after_dot(&mut self) -> Outcome<SuffixKind> {
        match self.peek() {
            Token::Sign("[") => self.bracket(),
            Token::TextStart => {
                let span = self.here();
                let text = self.text(None)?;
                Ok(match self.syntax.node(text) {
                    Node::Constant(Value::String(name)) => SuffixKind::Field(name.clone()),
                    _ => SuffixKind::Index(
                        self.add(Node::Pipe(vec![super::syntax::Segment::Query(text)]), span)?,
                    ),
                })
            }
            _ => self.unexpected("a name, a string or `[` after `.`"),
        }
    }

    fn bracket(&mut self) -> Outcome<SuffixKind> {
        self.expect_sign("[")?;
        if self.take_sign("]") {
            return Ok(SuffixKind::Each);
        }
        let start = if self.is_sign(":") { None } else { Some(self.pipe()?) };
        if !self.take_sign(":") {
            self.expect_sign("]")?;
            return match start {
                Some(index) => Ok(SuffixKind::Index(index)),
                None => self.unexpected("an index"),
            };
        }
        let end = match start.is_some() && self.is_sign("]") {
            true => None,
            false => Some(self.pipe()?),
        };
        self.expect_sign("]")?;
        Ok(SuffixKind::Slice(start, end))
    }

    fn term(&mut self) -> Outcome<Id> {
        let start = self.here();
        let node = match self.peek().clone() {
            Token::Field(_) => return self.add(Node::Identity, start),
            Token::Number(value) => self.taken(Node::Constant(value)),
            Token::Variable(name) if &*name == PLACE => {
                let place = self.place(start);
                self.taken(Node::Constant(place))
            }
            Token::Variable(name) => self.taken(Node::Variable(name)),
            Token::Name(name) => self.call(name)?,
            Token::Format(name) => {
                self.next();
                if self.peek() == &Token::TextStart {
                    return self.text(Some(name));
                }
                Node::Format(name)
            }
            Token::TextStart => return self.text(None),
            Token::Keyword(keyword) => return self.control(keyword, start),
            Token::Sign("..") => self.taken(Node::Recurse),
            Token::Sign(".") => return self.dot(start),
            Token::Sign("(") => {
                self.next();
                let inner = self.pipe()?;
                self.expect_sign(")")?;
                // Its own node, so that what it binds ends here.
                Node::Pipe(vec![super::syntax::Segment::Query(inner)])
            }
            Token::Sign("[") => {
                self.next();
                let inner = if self.is_sign("]") { None } else { Some(self.pipe()?) };
                self.expect_sign("]")?;
                Node::Array(inner)
            }
            Token::Sign("{") => self.object()?,
            Token::Sign(_)
            | Token::Text(_)
            | Token::QueryStart
            | Token::QueryEnd
            | Token::TextEnd
            | Token::End => return self.unexpected("a term"),
        };
        self.add(node, self.since(start))
    }

    fn taken(&mut self, node: Node) -> Node {
        self.next();
        node
    }

    /// `.` alone, or before what it is read with.
    fn dot(&mut self, start: Span) -> Outcome<Id> {
        self.next();
        let identity = self.add(Node::Identity, start)?;
        if self.peek() != &Token::TextStart {
            return Ok(identity);
        }
        let kind = self.after_dot()?;
        let span = self.since(start);
        let suffixes = vec![Suffix { kind, optional: self.take_sign("?"), span }];
        self.add(Node::Postfix { base: identity, suffixes }, span)
    }

    fn call(&mut self, name: Arc<str>) -> Outcome<Node> {
        self.next();
        let mut arguments = Vec::new();
        if self.take_sign("(") {
            arguments.push(self.pipe()?);
            while self.take_sign(";") {
                arguments.push(self.pipe()?);
            }
            self.expect_sign(")")?;
        }
        Ok(Node::Call { name, arguments })
    }

    /// A string; a format applies to the queries in it.
    fn text(&mut self, format: Option<Arc<str>>) -> Outcome<Id> {
        let start = self.here();
        self.next();
        let mut parts = Vec::new();
        loop {
            match self.next() {
                Token::Text(text) => parts.push(Part::Text(text)),
                Token::QueryStart => {
                    parts.push(Part::Query(self.pipe()?));
                    if self.next() != Token::QueryEnd {
                        return self.unexpected("`)`");
                    }
                }
                _ => break,
            }
        }
        let node = match parts.as_slice() {
            [] => Node::Constant(Value::from("")),
            [Part::Text(text)] => Node::Constant(Value::String(text.clone())),
            _ => Node::Text { format, parts },
        };
        self.add(node, self.since(start))
    }

    fn object(&mut self) -> Outcome<Node> {
        self.expect_sign("{")?;
        let mut entries = Vec::new();
        while !self.is_sign("}") {
            let start = self.here();
            let mut key = self.key()?;
            let is_text =
                matches!(key, Key::Query(id) if !matches!(self.syntax.node(id), Node::Pipe(_)));
            let value = if self.take_sign(":") {
                Some(self.object_value()?)
            } else if matches!(key, Key::Query(_)) && !is_text {
                return self.unexpected("`:`");
            } else if matches!(&key, Key::Variable(name) if &**name == PLACE) {
                key = Key::Name(PLACE.into());
                let place = Node::Constant(self.place(start));
                Some(self.add(place, start)?)
            } else {
                None
            };
            entries.push(Entry { key, value });
            if !self.take_sign(",") {
                break;
            }
        }
        self.expect_sign("}")?;
        Ok(Node::Object(entries))
    }

    /// What `$__loc__` is.
    fn place(&self, at: Span) -> Value {
        let before = self.source.get(..at.0 as usize).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Value::object([("file", Value::from("<top-level>")), ("line", Value::from(line))])
    }

    /// An object's value: a pipe without commas.
    fn object_value(&mut self) -> Outcome<Id> {
        let start = self.here();
        let mut segments = vec![super::syntax::Segment::Query(self.nested(Self::expression)?)];
        while self.take_sign("|") {
            segments.push(super::syntax::Segment::Query(self.nested(Self::expression)?));
        }
        self.add(Node::Pipe(segments), self.since(start))
    }

    /// A key of an object or of a pattern.
    pub(super) fn key(&mut self) -> Outcome<Key> {
        match self.peek().clone() {
            Token::Name(name) => {
                self.next();
                Ok(Key::Name(name))
            }
            Token::Keyword(keyword) => {
                self.next();
                Ok(Key::Name(keyword.into()))
            }
            Token::Variable(name) => {
                self.next();
                Ok(Key::Variable(name))
            }
            Token::TextStart => {
                let text = self.text(None)?;
                Ok(match self.syntax.node(text) {
                    Node::Constant(Value::String(name)) => Key::Name(name.clone()),
                    _ => Key::Query(text),
                })
            }
            Token::Sign("(") => {
                let start = self.here();
                self.next();
                let inner = self.pipe()?;
                self.expect_sign(")")?;
                let segments = vec![super::syntax::Segment::Query(inner)];
                Ok(Key::Query(self.add(Node::Pipe(segments), self.since(start))?))
            }
            _ => self.unexpected("a key: a name, a string, a variable or `(…)`"),
        }
    }

    fn control(&mut self, keyword: &'static str, start: Span) -> Outcome<Id> {
        self.next();
        let node = match keyword {
            "null" => Node::Constant(Value::Null),
            "true" => Node::Constant(Value::Bool(true)),
            "false" => Node::Constant(Value::Bool(false)),
            "if" => self.condition()?,
            "try" => self.nested(Self::attempt)?,
            "reduce" | "foreach" => self.fold(keyword)?,
            "break" => Node::Break(self.variable()?),
            "import" | "include" | "module" => {
                let message = format!("`{keyword}`: modules are not available here");
                let span = start.0 as usize..start.1 as usize;
                return Err(CompileError::new(message, span).of_kind(CompileErrorKind::Unknown));
            }
            _ => {
                let message = format!("expected a term, found `{keyword}`");
                return Err(CompileError::new(message, start.0 as usize..start.1 as usize));
            }
        };
        self.add(node, self.since(start))
    }

    fn condition(&mut self) -> Outcome<Node> {
        let mut arms = Vec::new();
        loop {
            let condition = self.pipe()?;
            self.expect_keyword("then")?;
            arms.push((condition, self.pipe()?));
            if !self.take_keyword("elif") {
                break;
            }
        }
        let otherwise = if self.take_keyword("else") { Some(self.pipe()?) } else { None };
        self.expect_keyword("end")?;
        Ok(Node::If { arms, otherwise })
    }

    fn attempt(&mut self) -> Outcome<Node> {
        let body = self.signed()?;
        let handler = if self.take_keyword("catch") { Some(self.signed()?) } else { None };
        Ok(Node::Try { body, handler })
    }

    fn fold(&mut self, keyword: &str) -> Outcome<Node> {
        let source = self.nested(Self::expression)?;
        self.expect_keyword("as")?;
        let pattern = self.pattern()?;
        self.expect_sign("(")?;
        let start = self.pipe()?;
        self.expect_sign(";")?;
        let update = self.pipe()?;
        let extract = match keyword == "foreach" && self.take_sign(";") {
            true => Some(self.pipe()?),
            false => None,
        };
        self.expect_sign(")")?;
        Ok(match keyword {
            "reduce" => Node::Reduce { source, pattern, start, update },
            _ => Node::Foreach { source, pattern, start, update, extract },
        })
    }
}

/// An object without members.
pub(super) fn empty_object() -> Value {
    Value::Object(Object::default())
}
