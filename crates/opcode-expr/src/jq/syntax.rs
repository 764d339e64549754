//! What a text says, as a flat arena of nodes; names are not resolved yet.
//!
//! Keeps: chains (`a | b | …`, `a, b, …`, `a + b + …`, `.a.b…`) are one node with many parts, so depth is nesting alone.
//! Not here: how it is read (`parse.rs`), what it becomes (`compile.rs`).

use std::sync::Arc;

use opcode_model::Value;

use super::trouble::Span;

/// Where a node is in its arena.
pub(super) type Id = u32;

/// A text's nodes.
#[derive(Debug, Default)]
pub(super) struct Syntax {
    pub(super) nodes: Vec<Node>,
    pub(super) spans: Vec<Span>,
    pub(super) root: Id,
}

impl Syntax {
    pub(super) fn node(&self, id: Id) -> &Node {
        self.nodes.get(id as usize).unwrap_or(&Node::Identity)
    }

    pub(super) fn span(&self, id: Id) -> Span {
        self.spans.get(id as usize).copied().unwrap_or_default()
    }
}

/// One node.
#[derive(Debug)]
pub(super) enum Node {
    Identity,
    /// `..`
    Recurse,
    Constant(Value),
    /// `@name` alone.
    Format(Arc<str>),
    /// A string with queries in it; `format` escapes what they give.
    Text {
        format: Option<Arc<str>>,
        parts: Vec<Part>,
    },
    Call {
        name: Arc<str>,
        arguments: Vec<Id>,
    },
    Variable(Arc<str>),
    Object(Vec<Entry>),
    Array(Option<Id>),
    /// `-` and `+` before a term, outermost first.
    Signs {
        negative: Vec<bool>,
        operand: Id,
    },
    If {
        arms: Vec<(Id, Id)>,
        otherwise: Option<Id>,
    },
    Try {
        body: Id,
        handler: Option<Id>,
    },
    Reduce {
        source: Id,
        pattern: Pattern,
        start: Id,
        update: Id,
    },
    Foreach {
        source: Id,
        pattern: Pattern,
        start: Id,
        update: Id,
        extract: Option<Id>,
    },
    Break(Arc<str>),
    /// A term and what is read from it.
    Postfix {
        base: Id,
        suffixes: Vec<Suffix>,
    },
    /// Operators of one precedence, applied from the left.
    Chain {
        first: Id,
        rest: Vec<(Operator, Id)>,
    },
    And(Vec<Id>),
    Or(Vec<Id>),
    /// `a // b // c`
    Alternative(Vec<Id>),
    /// `left = right`.
    Assign {
        left: Id,
        right: Id,
    },
    /// `left |= right`.
    Modify {
        left: Id,
        right: Id,
    },
    /// `left += right` and its siblings.
    Update {
        operator: Operator,
        left: Id,
        right: Id,
    },
    Comma(Vec<Id>),
    Pipe(Vec<Segment>),
}

/// A part of a string.
#[derive(Debug)]
pub(super) enum Part {
    Text(Arc<str>),
    Query(Id),
}

/// An entry of an object: its key, and its value unless the key alone says it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Option<Id>,
}

/// A key of an object or of a pattern.
#[derive(Debug)]
pub(super) enum Key {
    Name(Arc<str>),
    Variable(Arc<str>),
    Query(Id),
}

/// What is read from a value.
#[derive(Debug)]
pub(super) struct Suffix {
    pub(super) kind: SuffixKind,
    /// Whether a failure of this reading alone is no output rather than an error.
    pub(super) optional: bool,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum SuffixKind {
    Field(Arc<str>),
    Index(Id),
    Slice(Option<Id>, Option<Id>),
    Each,
}

/// One stage of a pipe; all but a query hold for the stages after it.
#[derive(Debug)]
pub(super) enum Segment {
    Query(Id),
    Bind { source: Id, patterns: Vec<Pattern> },
    Label(Arc<str>),
    Define(Definition),
}

/// `def name(parameters): body;`
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: Arc<str>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Id,
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: Arc<str>,
    /// Written `$name`: evaluated once, also known as a variable.
    pub(super) is_value: bool,
}

/// What a value is taken apart into.
#[derive(Debug)]
pub(super) enum Pattern {
    Variable(Arc<str>),
    List(Vec<Self>),
    Object(Vec<(Key, Option<Self>)>),
}

impl Pattern {
    /// The variables it sets, in order.
    pub(super) fn variables<'a>(&'a self, into: &mut Vec<&'a Arc<str>>) {
        match self {
            Self::Variable(name) => into.push(name),
            Self::List(items) => items.iter().for_each(|item| item.variables(into)),
            Self::Object(entries) => {
                for (key, value) in entries {
                    if let Key::Variable(name) = key {
                        into.push(name);
                    }
                    value.iter().for_each(|value| value.variables(into));
                }
            }
        }
    }
}

/// Operators that take two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// The left if it is neither false nor null, else the right; only in `//=`.
    Alternative,
}
