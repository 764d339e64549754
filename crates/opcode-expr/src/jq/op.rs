//! A compiled program: flat operations over a stack whose top is the value at hand.
//!
//! Keeps: names are resolved to slots, calls to functions, jumps to places; nothing is looked up by text while running.
//! Not here: how it is made (`compile.rs`), what it does (`machine.rs`).

use std::sync::Arc;

use opcode_model::Value;

use super::natives::Native;
use super::syntax::Operator;
use super::trouble::Span;

/// A compiled program.
#[derive(Debug)]
pub(crate) struct Code {
    pub(super) ops: Vec<Op>,
    /// Where each operation comes from; `None` for what the language itself defines.
    pub(super) spans: Vec<Option<Span>>,
    pub(super) functions: Vec<Function>,
    /// The names of the values it takes, in the order of the first slots.
    pub(super) arguments: Vec<Arc<str>>,
    /// Whether its answers may be made rather than found in its input.
    pub(super) builds: bool,
    /// Whether a literal is a number that JSON cannot say.
    pub(super) odd: bool,
}

/// A function's beginning, and how many slots its frame has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Function {
    pub(super) entry: usize,
    pub(super) slots: usize,
}

/// A slot of a frame so many levels out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) up: u32,
    pub(super) slot: usize,
}

/// A function given to a function.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    /// One written here, seeing the caller's frame.
    Closure(usize),
    /// One that the caller was given itself.
    Passed(Place),
}

/// One operation. "The top" is the top of the stack.
#[derive(Debug)]
pub(super) enum Op {
    /// Puts a value on top.
    Push(Value),
    /// Puts a value in place of the top.
    Constant(Value),
    Pop,
    Duplicate,
    Swap,
    /// Puts a slot's value on top.
    Load(Place),
    /// Takes the top into a slot of this frame.
    Store(usize),
    /// The top becomes true or false.
    ToBool,
    Not,
    Field {
        key: Arc<str>,
        optional: bool,
    },
    /// The value on top, and its key below.
    Index {
        optional: bool,
    },
    /// A key that is a number known beforehand.
    Item {
        index: Value,
        optional: bool,
    },
    /// An item of what must be a list or null.
    ListItem(Value),
    /// The value on top, then its end and its start.
    Slice {
        optional: bool,
    },
    Each {
        optional: bool,
    },
    /// The left on top, the right below.
    Operate(Operator),
    OperateConstant(Operator, Value),
    Negate,
    Plus,
    /// So many texts, the first on top.
    Concatenate(usize),
    /// Values and unknown keys, the last on top.
    Object(Box<[Option<Arc<str>>]>),
    /// A list to be filled, in a slot.
    ListBegin(usize),
    ListAdd(usize),
    ListEnd(usize),
    Call {
        function: usize,
        up: u32,
        arguments: Box<[Argument]>,
    },
    /// A call without arguments that is the last thing a function does.
    CallLast {
        function: usize,
        up: u32,
    },
    CallArgument(Place),
    Return,
    /// The input on top, then the arguments, the first first.
    Native(&'static Native),
    GetPath,
    /// Step on top, then end, then start.
    Range,
    Jump(usize),
    JumpUnless(usize),
    JumpIf(usize),
    /// Goes on elsewhere when what follows is exhausted.
    Fork(usize),
    /// Goes on elsewhere when what follows fails.
    Alternative(usize),
    TryBegin(usize),
    TryEnd,
    Backtrack,
    /// A label whose number goes into a slot.
    Label(usize),
    Break(Place),
    /// Notes in a slot how many forks there are.
    Mark(usize),
    /// Forgets the forks since the mark.
    Cut(usize),
    /// What follows is no part of a path.
    AsideBegin,
    AsideEnd,
    PathBegin,
    /// Puts the path walked since the beginning in place of the top.
    PathEnd,
    /// Takes the top to be written to.
    DraftBegin(usize),
    /// Puts on top what is at the path in the second slot.
    DraftRead(usize, usize),
    /// Takes the top to the path in the second slot.
    DraftWrite(usize, usize),
    DraftDelete(usize, usize),
    /// Puts what was written in place of the top.
    DraftEnd(usize),
}
