//! The functions there are: their names, what arguments they take, what they give.
//!
//! Keeps: one table; an unknown name, a wrong count or an impossible type is found when compiling.
//! Not here: what a function does (`calls.rs` and the files it sends to), predicates (`loops.rs`).

use opcode_model::problem::nearest;

use super::nature::Nature;

/// A function by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Bit(Bit),
    Ceil,
    Concat,
    Date,
    Duration,
    First,
    Flatten,
    Float,
    Floor,
    FromBase64,
    FromJson,
    FromPairs,
    Get,
    HasPrefix,
    HasSuffix,
    IndexOf,
    Int,
    Join,
    Keys,
    Last,
    LastIndexOf,
    Len,
    Lower,
    Max,
    Mean,
    Median,
    Min,
    Now,
    Repeat,
    Replace,
    Reverse,
    Round,
    Sort,
    Split,
    SplitAfter,
    String,
    Take,
    Timezone,
    ToBase64,
    ToJson,
    ToPairs,
    Trim,
    TrimPrefix,
    TrimSuffix,
    Type,
    Uniq,
    Upper,
    Values,
}

/// What is done with the bits of one or two ints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bit {
    And,
    Or,
    Xor,
    AndNot,
    Not,
    Left,
    Right,
    RightUnsigned,
}

/// The functions with a predicate as their second argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loop {
    All,
    None,
    Any,
    One,
    Filter,
    Map,
    Find { last: bool },
    FindIndex { last: bool },
    Count,
    Sum,
    GroupBy,
    SortBy,
    Reduce,
}

/// What an argument may be, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Anything,
    Text,
    /// A whole number, a whole float included.
    Whole,
    /// Any number, and what is a number underneath.
    Number,
    NumberOrText,
    List,
    Map,
    /// Text, a list or a map.
    Measurable,
}

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Unknown,
    Int,
    Float,
    Bool,
    Text,
    List,
    Texts,
    AnyMap,
    Duration,
    Zone,
    Time,
    /// What its first argument is.
    Same,
    /// An item of its first argument.
    Element,
}

/// How the arguments of a function are checked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// These, of which the last so many may be left out.
    Plain(&'static [Takes], usize),
    /// One or more of these.
    Many(Takes),
    /// Numbers, or lists of them, in any number.
    Aggregate,
    /// `now()`, `now(zone)`.
    Now,
    /// `date([zone,] text [, layout [, zone name]])`.
    Date,
    /// `get(from, key)`.
    Get,
}

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) shape: Shape,
    pub(super) gives: Gives,
}

const fn row(name: &'static str, function: Function, shape: Shape, gives: Gives) -> Row {
    Row { name, function, shape, gives }
}

const ONE_TEXT: Shape = Shape::Plain(&[Takes::Text], 0);
const TWO_TEXTS: Shape = Shape::Plain(&[Takes::Text, Takes::Text], 0);
const ONE_OR_TWO_TEXTS: Shape = Shape::Plain(&[Takes::Text, Takes::Text], 1);
const PARTS: Shape = Shape::Plain(&[Takes::Text, Takes::Text, Takes::Whole], 1);
const ONE_LIST: Shape = Shape::Plain(&[Takes::List], 0);
const LIST_AND_TEXT: Shape = Shape::Plain(&[Takes::List, Takes::Text], 1);
const ONE_MAP: Shape = Shape::Plain(&[Takes::Map], 0);
const ONE_NUMBER: Shape = Shape::Plain(&[Takes::Number], 0);
const NUMBER_OR_TEXT: Shape = Shape::Plain(&[Takes::NumberOrText], 0);
const ANYTHING: Shape = Shape::Plain(&[Takes::Anything], 0);
const WHOLE: Shape = Shape::Plain(&[Takes::Whole], 0);
const TWO_WHOLES: Shape = Shape::Plain(&[Takes::Whole, Takes::Whole], 0);

pub(super) static TABLE: [Row; 56] = [
    row("abs", Function::Abs, ONE_NUMBER, Gives::Same),
    row("bitand", Function::Bit(Bit::And), TWO_WHOLES, Gives::Int),
    row("bitnand", Function::Bit(Bit::AndNot), TWO_WHOLES, Gives::Int),
    row("bitnot", Function::Bit(Bit::Not), WHOLE, Gives::Int),
    row("bitor", Function::Bit(Bit::Or), TWO_WHOLES, Gives::Int),
    row("bitshl", Function::Bit(Bit::Left), TWO_WHOLES, Gives::Int),
    row("bitshr", Function::Bit(Bit::Right), TWO_WHOLES, Gives::Int),
    row("bitushr", Function::Bit(Bit::RightUnsigned), TWO_WHOLES, Gives::Int),
    row("bitxor", Function::Bit(Bit::Xor), TWO_WHOLES, Gives::Int),
    row("ceil", Function::Ceil, ONE_NUMBER, Gives::Float),
    row("concat", Function::Concat, Shape::Many(Takes::List), Gives::List),
    row("date", Function::Date, Shape::Date, Gives::Time),
    row("duration", Function::Duration, ONE_TEXT, Gives::Duration),
    row("first", Function::First, ONE_LIST, Gives::Element),
    row("flatten", Function::Flatten, ONE_LIST, Gives::List),
    row("float", Function::Float, NUMBER_OR_TEXT, Gives::Float),
    row("floor", Function::Floor, ONE_NUMBER, Gives::Float),
    row("fromBase64", Function::FromBase64, ONE_TEXT, Gives::Text),
    row("fromJSON", Function::FromJson, ONE_TEXT, Gives::Unknown),
    row("fromPairs", Function::FromPairs, ONE_LIST, Gives::AnyMap),
    row("get", Function::Get, Shape::Get, Gives::Unknown),
    row("hasPrefix", Function::HasPrefix, TWO_TEXTS, Gives::Bool),
    row("hasSuffix", Function::HasSuffix, TWO_TEXTS, Gives::Bool),
    row("indexOf", Function::IndexOf, TWO_TEXTS, Gives::Int),
    row("int", Function::Int, NUMBER_OR_TEXT, Gives::Int),
    row("join", Function::Join, LIST_AND_TEXT, Gives::Text),
    row("keys", Function::Keys, ONE_MAP, Gives::List),
    row("last", Function::Last, ONE_LIST, Gives::Element),
    row("lastIndexOf", Function::LastIndexOf, TWO_TEXTS, Gives::Int),
    row("len", Function::Len, Shape::Plain(&[Takes::Measurable], 0), Gives::Int),
    row("lower", Function::Lower, ONE_TEXT, Gives::Text),
    row("max", Function::Max, Shape::Aggregate, Gives::Same),
    row("mean", Function::Mean, Shape::Aggregate, Gives::Same),
    row("median", Function::Median, Shape::Aggregate, Gives::Same),
    row("min", Function::Min, Shape::Aggregate, Gives::Same),
    row("now", Function::Now, Shape::Now, Gives::Time),
    row("repeat", Function::Repeat, Shape::Plain(&[Takes::Text, Takes::Whole], 0), Gives::Text),
    row(
        "replace",
        Function::Replace,
        Shape::Plain(&[Takes::Text, Takes::Text, Takes::Text, Takes::Whole], 1),
        Gives::Text,
    ),
    row("reverse", Function::Reverse, ONE_LIST, Gives::List),
    row("round", Function::Round, ONE_NUMBER, Gives::Float),
    row("sort", Function::Sort, LIST_AND_TEXT, Gives::List),
    row("split", Function::Split, PARTS, Gives::Texts),
    row("splitAfter", Function::SplitAfter, PARTS, Gives::Texts),
    row("string", Function::String, ANYTHING, Gives::Text),
    row("take", Function::Take, Shape::Plain(&[Takes::List, Takes::Whole], 0), Gives::Same),
    row("timezone", Function::Timezone, ONE_TEXT, Gives::Zone),
    row("toBase64", Function::ToBase64, ONE_TEXT, Gives::Text),
    row("toJSON", Function::ToJson, ANYTHING, Gives::Text),
    row("toPairs", Function::ToPairs, ONE_MAP, Gives::List),
    row("trim", Function::Trim, ONE_OR_TWO_TEXTS, Gives::Text),
    row("trimPrefix", Function::TrimPrefix, ONE_OR_TWO_TEXTS, Gives::Text),
    row("trimSuffix", Function::TrimSuffix, ONE_OR_TWO_TEXTS, Gives::Text),
    row("type", Function::Type, ANYTHING, Gives::Text),
    row("uniq", Function::Uniq, ONE_LIST, Gives::List),
    row("upper", Function::Upper, ONE_TEXT, Gives::Text),
    row("values", Function::Values, ONE_MAP, Gives::List),
];

/// Name, meaning, least and most arguments.
const LOOPS: [(&str, Loop, usize, usize); 15] = [
    ("all", Loop::All, 2, 2),
    ("any", Loop::Any, 2, 2),
    ("count", Loop::Count, 1, 2),
    ("filter", Loop::Filter, 2, 2),
    ("find", Loop::Find { last: false }, 2, 2),
    ("findIndex", Loop::FindIndex { last: false }, 2, 2),
    ("findLast", Loop::Find { last: true }, 2, 2),
    ("findLastIndex", Loop::FindIndex { last: true }, 2, 2),
    ("groupBy", Loop::GroupBy, 2, 2),
    ("map", Loop::Map, 2, 2),
    ("none", Loop::None, 2, 2),
    ("one", Loop::One, 2, 2),
    ("reduce", Loop::Reduce, 2, 3),
    ("sortBy", Loop::SortBy, 2, 3),
    ("sum", Loop::Sum, 1, 2),
];

/// Whether the second argument of `name` is a predicate.
pub(super) fn is_predicate(name: &str) -> bool {
    find_loop(name).is_some()
}

pub(super) fn find_loop(name: &str) -> Option<&'static (&'static str, Loop, usize, usize)> {
    LOOPS.iter().find(|known| known.0 == name)
}

pub(super) fn find_function(name: &str) -> Option<&'static Row> {
    TABLE.binary_search_by(|row| row.name.cmp(name)).ok().map(|at| &TABLE[at])
}

/// Every function's name, in order.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = LOOPS.iter().map(|row| row.0).collect();
    names.extend(TABLE.iter().map(|row| row.name));
    names.sort_unstable();
    names
}

/// What to write instead of a function that does not exist.
pub(super) fn suggestion(name: &str) -> Option<String> {
    let written = match name {
        "length" | "size" => "len(x)",
        "contains" | "includes" => "`a contains b` for text, `a in list` for lists",
        "startsWith" => "`a startsWith b`",
        "endsWith" => "`a endsWith b`",
        "matches" => "`a matches \"…\"`",
        "str" | "toString" => "string(x)",
        "number" | "toNumber" => "int(x) or float(x)",
        "some" | "exists" => "any(list, …)",
        "every" => "all(list, …)",
        "avg" | "average" => "mean(list)",
        _ => {
            return nearest(name, names()).map(|near| format!("did you mean `{near}`?"));
        }
    };
    Some(format!("write {written}"))
}

impl Takes {
    /// Whether an argument of this nature may be given.
    pub(super) fn accepts(self, nature: &Nature, exact: bool) -> bool {
        let number = nature.is_number();
        let underneath =
            number || matches!(nature, Nature::Duration | Nature::Month | Nature::Weekday);
        nature.is_unknown()
            || match self {
                Self::Anything => true,
                Self::Text => *nature == Nature::Text,
                Self::Whole => nature.is_whole(exact),
                Self::Number => underneath,
                Self::NumberOrText => underneath || *nature == Nature::Text,
                Self::List => nature.is_list(),
                Self::Map => nature.is_map(),
                Self::Measurable => nature.is_list() || nature.is_map() || *nature == Nature::Text,
            }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Text => "a string",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::NumberOrText => "a number or a string",
            Self::List => "an array",
            Self::Map => "a map",
            Self::Measurable => "a string, an array or a map",
        }
    }
}

impl Gives {
    pub(super) fn nature(self, first: Option<&Nature>) -> Nature {
        match self {
            Self::Unknown => Nature::Unknown,
            Self::Int => Nature::Int,
            Self::Float => Nature::Float,
            Self::Bool => Nature::Bool,
            Self::Text => Nature::Text,
            Self::List => Nature::list_of_anything(),
            Self::Texts => Nature::List(Box::new(Nature::Text)),
            Self::AnyMap => Nature::AnyMap,
            Self::Duration => Nature::Duration,
            Self::Zone => Nature::Zone,
            Self::Time => Nature::Time,
            Self::Same => first.cloned().unwrap_or(Nature::Unknown),
            Self::Element => first.map_or(Nature::Unknown, Nature::element),
        }
    }
}

/// The name a function is written by.
pub(super) fn name_of(function: Function) -> &'static str {
    TABLE.iter().find(|row| row.function == function).map_or("", |row| row.name)
}
