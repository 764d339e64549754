//! What can never work is found when compiling: literals of types that an operator or function does not take.
//!
//! Keeps: only what the text itself shows is judged; data of a scope has any type, and whatever evaluating allows for a
//! type by our extensions (numbers mix, a text has indexes, branches may differ) is allowed here.
//! Not here: what operators do (`arith.rs`, `compare.rs`), which types functions take (`signature.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of type that is not listed is a type error, whichever it is"
)]

use std::ops::Range;

use super::calls::{self, Ask, Function};
use super::node::{Access, Base, Code, Macro, MacroKind, Node, NodeId, Op, Operator};
use super::signature::signature;
use super::trouble::{Span, operator_message, traverse_message};
use super::value::Kind;
use crate::error::{CompileError, CompileErrorKind};

/// How deep a type is followed; what lies below is of any type.
const DEPTH_MAX: usize = 4;

/// The type of an expression, as far as its text shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Type {
    Any,
    Plain(Kind),
    List(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Optional(Box<Self>),
}

type Outcome<T> = Result<T, Box<CompileError>>;

/// Refuses code that no scope could make work.
pub(super) fn check(code: &Code) -> Outcome<()> {
    let mut checker = Checker { code, slots: vec![Type::Any; code.slots] };
    checker.of(code.root).map(drop)
}

fn refuse(message: String, span: Span) -> Box<CompileError> {
    let span = Range { start: span.0 as usize, end: span.1 as usize };
    CompileError::new(message, span).of_kind(CompileErrorKind::Type)
}

struct Checker<'a> {
    code: &'a Code,
    /// The types of the macro variables alive.
    slots: Vec<Type>,
}

impl Checker<'_> {
    fn span(&self, node: NodeId) -> Span {
        self.code.spans[node as usize]
    }

    /// The type of a node, once all below it is found possible.
    fn of(&mut self, id: NodeId) -> Outcome<Type> {
        let code = self.code;
        let span = self.span(id);
        Ok(match &code.nodes[id as usize] {
            Node::Literal(value) => Type::Plain(value.kind()),
            Node::Slot(slot) => self.slots[*slot].clone(),
            Node::Access(access) => self.access(access)?,
            Node::Chain { first, rest } => self.chain(*first, rest)?,
            Node::And(operands) => self.flags("`&&`", operands)?,
            Node::Or(operands) => self.flags("`||`", operands)?,
            Node::Choice { arms, otherwise } => {
                let mut found = self.of(*otherwise)?;
                for (condition, value) in arms {
                    self.flags("`?`", &[*condition])?;
                    found = found.join(&self.of(*value)?);
                }
                found
            }
            Node::Not { operand, .. } => self.flags("`!`", &[*operand])?,
            Node::Negate { operand, .. } => {
                let found = self.of(*operand)?;
                found.one_of(
                    "`-`",
                    &[Kind::Int, Kind::Double, Kind::Duration],
                    self.span(*operand),
                )?;
                found
            }
            Node::List(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    all.push(self.entry(item.value, item.optional)?);
                }
                Type::list(Type::joined(&all))
            }
            Node::Map(entries) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for entry in entries {
                    let key = self.of(entry.key)?;
                    let scalars = [Kind::Bool, Kind::Int, Kind::Uint, Kind::Text];
                    key.one_of("a map's key", &scalars, self.span(entry.key))?;
                    keys.push(key);
                    values.push(self.entry(entry.value, entry.optional)?);
                }
                Type::map(Type::joined(&keys), Type::joined(&values))
            }
            Node::Has(access) => {
                self.access(access)?;
                Type::Plain(Kind::Bool)
            }
            Node::Call { function, arguments } => {
                let arguments = self.all(arguments)?;
                call(*function, &arguments, span)?
            }
            Node::Matches { subject, .. } => {
                let subject = self.of(*subject)?;
                call(Function::Matches, &[(subject, span)], span)?
            }
            Node::Unknown(_) => Type::Any,
        })
    }

    fn all(&mut self, nodes: &[NodeId]) -> Outcome<Vec<(Type, Span)>> {
        nodes.iter().map(|node| Ok((self.of(*node)?, self.span(*node)))).collect()
    }

    /// Operands that must be bools, and so is the answer.
    fn flags(&mut self, what: &str, operands: &[NodeId]) -> Outcome<Type> {
        for operand in operands {
            self.of(*operand)?.one_of(what, &[Kind::Bool], self.span(*operand))?;
        }
        Ok(Type::Plain(Kind::Bool))
    }

    /// The value of an item or entry; a `?` one is an optional.
    fn entry(&mut self, value: NodeId, optional: bool) -> Outcome<Type> {
        let found = self.of(value)?;
        if !optional {
            return Ok(found);
        }
        found.one_of("a `?` entry", &[Kind::Optional], self.span(value))?;
        Ok(found.inside())
    }

    fn chain(&mut self, first: NodeId, rest: &[(Operator, NodeId)]) -> Outcome<Type> {
        let mut left = self.of(first)?;
        let start = self.span(first).0;
        for (operator, operand) in rest {
            let right = self.of(*operand)?;
            let Some(found) = apply(*operator, &left, &right) else {
                let message = operator_message(operator.text(), left.word(), right.word());
                return Err(refuse(message, (start, self.span(*operand).1)));
            };
            left = found;
        }
        Ok(left)
    }

    fn access(&mut self, access: &Access) -> Outcome<Type> {
        let mut found = match &access.base {
            Base::Node(node) => self.of(*node)?,
            Base::Now => Type::Plain(Kind::Timestamp),
            Base::Root(_)
            | Base::Steps
            | Base::StepStatus
            | Base::StepPath { .. }
            | Base::OpenPath { .. }
            | Base::RootPath { .. } => Type::Any,
        };
        for (op, to) in &access.ops {
            let to = *to;
            found = match op {
                Op::Field { key, optional } => {
                    let part = found.field(key, to)?;
                    if *optional { found.lift(part) } else { part }
                }
                Op::Index { index, optional } => {
                    let by = self.of(*index)?;
                    let part = found.index(&by, to, self.span(*index))?;
                    if *optional { found.lift(part) } else { part }
                }
                Op::Method { function, arguments } => {
                    let mut all = vec![(found, to)];
                    all.extend(self.all(arguments)?);
                    call(*function, &all, to)?
                }
                Op::Matches { .. } => call(Function::Matches, &[(found, to)], to)?,
                Op::Macro(called) => self.run_macro(called, &found, to)?,
                Op::Unknown(_) => Type::Any,
            };
        }
        Ok(found)
    }

    fn run_macro(&mut self, called: &Macro, range: &Type, span: Span) -> Outcome<Type> {
        let Macro { kind, slot, parts } = called;
        let opens = matches!(kind, MacroKind::OptMap | MacroKind::OptFlatMap);
        let (what, takes): (_, &[Kind]) = if opens {
            ("optMap", &[Kind::Optional])
        } else {
            ("a macro", &[Kind::List, Kind::Map])
        };
        range.one_of(what, takes, span)?;
        let item = match range {
            Type::List(item) | Type::Map(item, _) | Type::Optional(item) => Type::clone(item),
            Type::Any | Type::Plain(_) => Type::Any,
        };
        self.slots[*slot] = item.clone();
        let flag = Type::Plain(Kind::Bool);
        let answer = match (kind, parts.as_slice()) {
            (MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne, parts) => {
                self.flags("a macro's condition", parts)?;
                flag
            }
            (MacroKind::Filter, parts) => {
                self.flags("a macro's condition", parts)?;
                Type::list(item)
            }
            (MacroKind::Map, [condition, value]) => {
                self.flags("a macro's condition", &[*condition])?;
                Type::list(self.of(*value)?)
            }
            (MacroKind::OptFlatMap, [value, ..]) => {
                let found = self.of(*value)?;
                found.one_of("optFlatMap", &[Kind::Optional], self.span(*value))?;
                found
            }
            (MacroKind::OptMap, [value, ..]) => Type::optional(self.of(*value)?),
            (MacroKind::Map, [value, ..]) => Type::list(self.of(*value)?),
            (MacroKind::Map | MacroKind::OptMap | MacroKind::OptFlatMap, []) => Type::Any,
        };
        self.slots[*slot] = Type::Any;
        Ok(answer)
    }
}

/// The answer of a function; the receiver of a method comes first.
fn call(function: Function, arguments: &[(Type, Span)], span: Span) -> Outcome<Type> {
    let (takes, gives) = signature(function);
    for ((argument, at), kinds) in arguments.iter().zip(takes) {
        argument.one_of(&format!("`{}`", calls::name_of(function)), kinds, *at)?;
    }
    let first = arguments.first().map_or(Type::Any, |argument| argument.0.clone());
    let second = arguments.get(1).map_or(Type::Any, |argument| argument.0.clone());
    Ok(match function {
        Function::OptionalOf | Function::OptionalOfNonZero => Type::optional(first),
        Function::OptionalNone => Type::optional(Type::Any),
        Function::Optional(Ask::Value) => first.inside(),
        Function::Optional(Ask::Or) => first.join(&second),
        Function::Optional(Ask::OrValue) => first.inside().join(&second),
        Function::Part(_)
            if matches!(first, Type::Plain(Kind::Duration)) && arguments.len() > 1 =>
        {
            return Err(refuse("a duration's part takes no time zone".to_owned(), span));
        }
        _ => gives.map_or(Type::Any, Type::Plain),
    })
}

/// The answer of an operator, or `None` where it takes no such operands.
fn apply(operator: Operator, left: &Type, right: &Type) -> Option<Type> {
    use Operator as Op;
    let flag = Some(Type::Plain(Kind::Bool));
    match operator {
        Op::Equal | Op::Unequal => flag.filter(|_| left.agrees(right)),
        Op::In => flag.filter(|_| match right {
            Type::List(item) | Type::Map(item, _) => left.agrees(item),
            Type::Any => true,
            Type::Plain(_) | Type::Optional(_) => false,
        }),
        Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => {
            flag.filter(|_| left.is_ordered() && right.is_ordered() && left.agrees(right))
        }
        Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Remainder => {
            arithmetic(operator, left, right)
        }
    }
}

fn arithmetic(operator: Operator, left: &Type, right: &Type) -> Option<Type> {
    let number = |side: &Type| match operator {
        Operator::Remainder => matches!(side, Type::Plain(Kind::Int | Kind::Uint)),
        _ => side.is_number(),
    };
    let moment = |side: &Type| match operator {
        Operator::Add | Operator::Subtract => {
            matches!(side, Type::Plain(Kind::Timestamp | Kind::Duration))
        }
        _ => false,
    };
    let text = |side: &Type| {
        let joins = matches!(side, Type::Plain(Kind::Text | Kind::Bytes) | Type::List(_));
        operator == Operator::Add && joins
    };
    let takes = |side: &Type| *side == Type::Any || number(side) || moment(side) || text(side);
    if !takes(left) || !takes(right) {
        return None;
    }
    let plain = |kind| Some(Type::Plain(kind));
    match (left, right) {
        (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
        (Type::List(_), Type::List(_)) => Some(left.join(right)),
        (Type::Plain(Kind::Timestamp), Type::Plain(Kind::Timestamp)) => {
            plain(Kind::Duration).filter(|_| operator == Operator::Subtract)
        }
        (Type::Plain(Kind::Timestamp), Type::Plain(Kind::Duration)) => plain(Kind::Timestamp),
        (Type::Plain(Kind::Duration), Type::Plain(Kind::Timestamp)) => {
            plain(Kind::Timestamp).filter(|_| operator == Operator::Add)
        }
        (left, right) if left == right => Some(left.clone()),
        // An int, or a uint where no int holds the answer.
        (Type::Plain(Kind::Int), Type::Plain(Kind::Uint))
        | (Type::Plain(Kind::Uint), Type::Plain(Kind::Int)) => Some(Type::Any),
        (left, right) if number(left) && number(right) => {
            plain(Kind::Double).filter(|_| operator != Operator::Remainder)
        }
        _ => None,
    }
}

impl Type {
    fn list(item: Self) -> Self {
        Self::List(Box::new(item.cut()))
    }

    fn map(key: Self, value: Self) -> Self {
        Self::Map(Box::new(key.cut()), Box::new(value.cut()))
    }

    fn optional(inner: Self) -> Self {
        Self::Optional(Box::new(inner.cut()))
    }

    /// The type, or any where it would nest too deep inside another.
    fn cut(self) -> Self {
        if self.depth() < DEPTH_MAX { self } else { Self::Any }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Any | Self::Plain(_) => 0,
            Self::List(item) | Self::Optional(item) => 1 + item.depth(),
            Self::Map(key, value) => 1 + key.depth().max(value.depth()),
        }
    }

    /// One type for both, where there is one.
    fn join(&self, other: &Self) -> Self {
        if self == other { self.clone() } else { Self::Any }
    }

    fn joined(all: &[Self]) -> Self {
        let Some((first, rest)) = all.split_first() else { return Self::Any };
        if rest.iter().all(|other| other == first) { first.clone() } else { Self::Any }
    }

    /// What an optional holds; anything else is itself.
    fn inside(self) -> Self {
        if let Self::Optional(inner) = self { *inner } else { self }
    }

    /// A part of this as an optional; a part of an optional is one already.
    fn lift(&self, part: Self) -> Self {
        if matches!(self, Self::Optional(_)) { part } else { Self::optional(part) }
    }

    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Any => None,
            Self::Plain(kind) => Some(*kind),
            Self::List(_) => Some(Kind::List),
            Self::Map(..) => Some(Kind::Map),
            Self::Optional(_) => Some(Kind::Optional),
        }
    }

    fn word(&self) -> &'static str {
        self.kind().map_or("any", Kind::word)
    }

    fn one_of(&self, what: &str, kinds: &[Kind], span: Span) -> Outcome<()> {
        let Some(kind) = self.kind().filter(|kind| !kinds.contains(kind)) else { return Ok(()) };
        let words: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
        let wanted = match words.split_last() {
            Some((last, before)) if !before.is_empty() => {
                format!("{} or {last}", before.join(", "))
            }
            _ => words.concat(),
        };
        Err(refuse(format!("{what} takes {wanted}, got {}", kind.word()), span))
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Plain(Kind::Int | Kind::Uint | Kind::Double))
    }

    fn is_ordered(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Plain(kind) => !matches!(kind, Kind::Null | Kind::Type),
            Self::List(_) | Self::Map(..) | Self::Optional(_) => false,
        }
    }

    /// Whether values of both types can be equal at all.
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a.agrees(b),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.agrees(other_key) && value.agrees(other_value)
            }
            (Self::Plain(a), Self::Plain(b)) => {
                let nullable = |kind: &Kind| matches!(kind, Kind::Timestamp | Kind::Duration);
                a == b
                    || (self.is_number() && other.is_number())
                    || (*a == Kind::Null && nullable(b))
                    || (*b == Kind::Null && nullable(a))
            }
            _ => false,
        }
    }

    fn field(&self, key: &str, span: Span) -> Outcome<Self> {
        match self {
            Self::Any => Ok(Self::Any),
            Self::Map(_, value) => Ok(Self::clone(value)),
            Self::Optional(inner) => Ok(inner.lift(inner.field(key, span)?)),
            Self::Plain(_) | Self::List(_) => Err(refuse(traverse_message(key, self.word()), span)),
        }
    }

    fn index(&self, by: &Self, span: Span, at: Span) -> Outcome<Self> {
        const WHOLE: [Kind; 3] = [Kind::Int, Kind::Uint, Kind::Double];
        match self {
            Self::Any => Ok(Self::Any),
            Self::List(item) => {
                by.one_of("a list's index", &WHOLE, at)?;
                Ok(Self::clone(item))
            }
            Self::Plain(Kind::Text) => {
                by.one_of("a text's index", &WHOLE, at)?;
                Ok(Self::Plain(Kind::Text))
            }
            Self::Map(key, value) => {
                if !by.agrees(key) {
                    let message = format!("the map's keys are {}, got {}", key.word(), by.word());
                    return Err(refuse(message, at));
                }
                Ok(Self::clone(value))
            }
            Self::Optional(inner) => Ok(inner.lift(inner.index(by, span, at)?)),
            Self::Plain(_) => {
                let message = format!("`[…]` takes a list, a map or text, got {}", self.word());
                Err(refuse(message, span))
            }
        }
    }
}
