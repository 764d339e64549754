//! A compiled expression: a flat arena of nodes with every name resolved.
//!
//! Keeps: chains (`a + b + …`, `a.b.c…`, `a ? b : c ? …`) are one node with many parts, so depth is nesting alone.
//! Not here: how it is built (`parse.rs`), what it means (`eval.rs`).

use std::sync::Arc;

use super::calls::Function;
use super::trouble::Span;
use super::value::Cel;
use crate::pattern::Pattern;

/// Where a node is in its arena.
pub(crate) type NodeId = u32;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) nodes: Vec<Node>,
    pub(crate) spans: Vec<Span>,
    pub(crate) root: NodeId,
    /// How many macro variables are alive at once, at most.
    pub(crate) slots: usize,
    /// The literal patterns of `matches`, compiled.
    pub(crate) patterns: Vec<Pattern>,
}

impl Code {
    /// Whether it only reads a part of the scope, so that its answer is no larger than what is there.
    pub(crate) fn is_path(&self) -> bool {
        let Node::Access(access) = &self.nodes[self.root as usize] else { return false };
        let reads = |op: &Op| matches!(op, Op::Field { .. } | Op::Index { .. });
        !matches!(access.base, Base::Node(_)) && access.ops.iter().all(|(op, _)| reads(op))
    }
}

/// One node.
#[derive(Debug)]
pub(crate) enum Node {
    Literal(Cel),
    /// A macro's variable.
    Slot(usize),
    /// A value and what is read from it or called on it, in order.
    Access(Access),
    /// Operators of one precedence, applied from the left.
    Chain {
        first: NodeId,
        rest: Vec<(Operator, NodeId)>,
    },
    And(Vec<NodeId>),
    Or(Vec<NodeId>),
    /// `c ? v : c ? v : otherwise`.
    Choice {
        arms: Vec<(NodeId, NodeId)>,
        otherwise: NodeId,
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
    List(Vec<Item>),
    Map(Vec<Entry>),
    /// `has(…)`: the operand is an access whose last part is a field.
    Has(Access),
    Call {
        function: Function,
        arguments: Vec<NodeId>,
    },
    /// `matches` with the literal pattern of this number.
    Matches {
        subject: NodeId,
        pattern: usize,
    },
    /// A function nobody knows, where that may be found out late: what is said then.
    Unknown(Box<str>),
}

/// An item of a list; an optional one may be absent.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) value: NodeId,
    pub(crate) optional: bool,
}

/// An entry of a map; an optional one may be absent.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: NodeId,
    pub(crate) value: NodeId,
    pub(crate) optional: bool,
}

/// A value and what is read from it.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) base: Base,
    pub(crate) ops: Vec<(Op, Span)>,
}

/// Where an access begins.
#[derive(Debug)]
pub(crate) enum Base {
    Node(NodeId),
    /// `inputs workflow context iter error`, and whatever else a scope may have.
    Root(Arc<str>),
    Steps,
    StepStatus,
    Now,
    /// A plain path below `steps`: ids to try, longest first, and how many parts each takes.
    StepPath {
        ids: Vec<(Arc<str>, usize)>,
    },
    /// Names with dots to try, longest first, and how many parts each takes.
    OpenPath {
        names: Vec<(Arc<str>, usize)>,
    },
    /// A plain path below a root whose remainder may be one key with dots.
    RootPath {
        name: Arc<str>,
        remainder: Arc<str>,
    },
}

/// One thing done to the value so far.
#[derive(Debug)]
pub(crate) enum Op {
    Field {
        key: Arc<str>,
        optional: bool,
    },
    Index {
        index: NodeId,
        optional: bool,
    },
    Method {
        function: Function,
        arguments: Vec<NodeId>,
    },
    Matches {
        pattern: usize,
    },
    Macro(Macro),
    /// A method nobody knows: what is said then.
    Unknown(Box<str>),
}

/// A call of a macro: its variable's slot, and the expressions that may use it.
#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) kind: MacroKind,
    pub(crate) slot: usize,
    pub(crate) parts: Vec<NodeId>,
}

/// The macros that walk a list or map, or open an optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacroKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    OptMap,
    OptFlatMap,
}

impl MacroKind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "exists" => Self::Exists,
            "exists_one" | "existsOne" => Self::ExistsOne,
            "map" => Self::Map,
            "filter" => Self::Filter,
            "optMap" => Self::OptMap,
            "optFlatMap" => Self::OptFlatMap,
            _ => return None,
        })
    }
}

/// Operators that take two values and need both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}
