//! A compiled expression: a flat arena of nodes with every name resolved.
//!
//! Keeps: chains of operators and pipes are one node with many links, so depth is nesting alone.
//! Not here: how it is built (`lower.rs`), what it means (`eval.rs`).

use std::sync::Arc;

use super::functions::{Function, Loop};
use super::syntax::Operator;
use super::trouble::Span;
use super::value::Datum;
use crate::pattern::Pattern;

/// Where a node is in its arena.
pub(crate) type NodeId = u32;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Code {
    pub(super) nodes: Vec<Node>,
    pub(super) spans: Vec<Span>,
    pub(super) root: NodeId,
    /// How many variables are alive at once, at most.
    pub(super) slots: usize,
    /// The literal patterns of `matches`, compiled.
    pub(super) patterns: Vec<Pattern>,
    /// Whether no float may stand for an int, as in Go.
    pub(super) exact: bool,
}

/// One node.
#[derive(Debug)]
pub(super) enum Node {
    Literal(Datum),
    /// A variable of `let`.
    Slot(usize),
    /// A variable of the scope; nil if there is none.
    Root(Arc<str>),
    Steps,
    /// `$env`: all variables as one map.
    Environment,
    /// `#`.
    Item,
    /// `#index`.
    Index,
    /// `#acc`.
    Accumulator,
    Access {
        base: NodeId,
        ops: Vec<(Op, Span)>,
    },
    Chain {
        first: NodeId,
        links: Vec<(Link, Span)>,
    },
    /// `!`, an odd number of times or an even one.
    Not {
        operand: NodeId,
        odd: bool,
    },
    /// `-`, an odd number of times or an even one.
    Negate {
        operand: NodeId,
        odd: bool,
    },
    /// An arm without a value has its condition's.
    Choice {
        arms: Vec<(NodeId, Option<NodeId>)>,
        otherwise: NodeId,
    },
    List(Vec<NodeId>),
    Map(Vec<(NodeId, NodeId)>),
    Block(Vec<Step>),
    Call {
        function: Function,
        arguments: Vec<NodeId>,
    },
    Loop {
        range: NodeId,
        body: Body,
    },
    /// `sum([a, b, …])`: added from the right, without a zero.
    SumOf(Vec<NodeId>),
    /// A function nobody knows, where that may be found out late.
    Unknown {
        name: Arc<str>,
        arguments: Vec<NodeId>,
    },
}

/// A part of a block.
#[derive(Debug)]
pub(super) enum Step {
    Store(usize, NodeId),
    Value(NodeId),
}

/// What is done with the value so far.
#[derive(Debug)]
pub(super) enum Link {
    /// An operator that needs both its operands.
    Apply(Operator, NodeId),
    And(NodeId),
    Or(NodeId),
    Coalesce(NodeId),
    Not,
    /// `< b <= c`: each operand is compared with the one before it.
    Compare(Vec<(Operator, NodeId)>),
    /// `matches` with the literal pattern of this number.
    Matches(usize),
    /// `in` a literal list of texts.
    OneOf(Vec<Arc<str>>),
    /// `in` a literal range.
    Between(i64, i64),
    /// A piped call: the value so far is the first argument.
    Call(Function, Vec<NodeId>),
    Loop(Body),
    Unknown(Arc<str>, Vec<NodeId>),
}

/// What a function does with the items of its first argument.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) kind: Loop,
    pub(super) predicate: Option<NodeId>,
    /// The order of `sortBy`, the beginning of `reduce`.
    pub(super) extra: Option<NodeId>,
    /// What a `filter` makes of what it keeps, where a `map` follows it.
    pub(super) map: Option<NodeId>,
    /// Whether the predicate asks for `#index`.
    pub(super) indexed: bool,
}

/// One thing read from the value so far.
#[derive(Debug)]
pub(super) enum Op {
    Field { name: Arc<str>, optional: bool },
    Method { name: Arc<str>, arguments: Vec<NodeId>, optional: bool },
    Index { index: NodeId, optional: bool },
    Slice { from: Option<NodeId>, to: Option<NodeId> },
}
