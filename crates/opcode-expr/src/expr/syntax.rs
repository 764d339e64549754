//! The syntax tree: a flat arena of what was written, names not yet resolved.
//!
//! Keeps: operators in a row are one node with many links, so depth is nesting alone.
//! Not here: how it is read (`parse.rs`), what names mean (`lower.rs`).

use std::sync::Arc;

use super::trouble::Span;

/// Where a node of the syntax is in its arena.
pub(super) type AstId = u32;

/// What was written.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Ast>,
    pub(super) spans: Vec<Span>,
    pub(super) root: AstId,
}

/// One node of the syntax.
#[derive(Debug)]
pub(super) enum Ast {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Name(Arc<str>),
    /// `#`, `#index`, `#acc`; the bare one has an empty name.
    Pointer(Arc<str>),
    /// The same unary operator so many times.
    Unary {
        operator: Unary,
        count: usize,
        operand: AstId,
    },
    /// A value and the operators and pipes behind it, applied from the left.
    Chain {
        first: AstId,
        links: Vec<Link>,
    },
    /// `c ? v : c ? v : otherwise`; an arm without a value is `c ?: …`.
    Choice {
        arms: Vec<(AstId, Option<AstId>)>,
        otherwise: AstId,
    },
    Access {
        base: AstId,
        parts: Vec<(Part, Span)>,
    },
    /// A call of a name that stands alone.
    Call {
        name: Arc<str>,
        arguments: Vec<AstId>,
    },
    List(Vec<AstId>),
    Map(Vec<(AstId, AstId)>),
    /// `let a = …; …; value`.
    Block(Vec<Statement>),
}

/// A part of a block. What is declared is known to the parts behind it.
#[derive(Debug)]
pub(super) enum Statement {
    Let { name: Arc<str>, value: AstId, span: Span },
    Value(AstId),
}

/// What stands before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
}

/// What is done with the value so far.
#[derive(Debug)]
pub(super) enum Link {
    Binary {
        operator: Operator,
        operand: AstId,
        negated: bool,
    },
    /// `a < b <= c`: each operand is compared with the one before it.
    Compare(Vec<(Operator, AstId)>),
    /// `| name(…)`: the value so far is the first argument.
    Pipe {
        name: Arc<str>,
        arguments: Vec<AstId>,
        span: Span,
    },
}

/// What is read from a value.
#[derive(Debug)]
pub(super) enum Part {
    Field { name: Arc<str>, optional: bool },
    Method { name: Arc<str>, arguments: Vec<AstId>, optional: bool },
    Index { index: AstId, optional: bool },
    Slice { from: Option<AstId>, to: Option<AstId> },
}

/// Operators between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    Greater,
    GreaterEqual,
    LessEqual,
    In,
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    Range,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Coalesce,
}

impl Operator {
    /// The operator written so, and how tightly it binds.
    pub(super) fn parse(text: &str) -> Option<(Self, u16)> {
        Some(match text {
            "or" | "||" => (Self::Or, 10),
            "and" | "&&" => (Self::And, 15),
            "==" => (Self::Equal, 20),
            "!=" => (Self::Unequal, 20),
            "<" => (Self::Less, 20),
            ">" => (Self::Greater, 20),
            ">=" => (Self::GreaterEqual, 20),
            "<=" => (Self::LessEqual, 20),
            "in" => (Self::In, 20),
            "matches" => (Self::Matches, 20),
            "contains" => (Self::Contains, 20),
            "startsWith" => (Self::StartsWith, 20),
            "endsWith" => (Self::EndsWith, 20),
            ".." => (Self::Range, 25),
            "+" => (Self::Add, 30),
            "-" => (Self::Subtract, 30),
            "*" => (Self::Multiply, 60),
            "/" => (Self::Divide, 60),
            "%" => (Self::Remainder, 60),
            "**" | "^" => (Self::Power, 100),
            "??" => (Self::Coalesce, 500),
            _ => return None,
        })
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::LessEqual => "<=",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Range => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "**",
            Self::Coalesce => "??",
        }
    }

    /// Whether `not` may stand before it.
    pub(super) fn can_be_negated(self) -> bool {
        matches!(
            self,
            Self::In | Self::Matches | Self::Contains | Self::StartsWith | Self::EndsWith
        )
    }

    /// Whether several of them in a row compare each operand with the one before.
    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Self::Less | Self::Greater | Self::GreaterEqual | Self::LessEqual)
    }
}
