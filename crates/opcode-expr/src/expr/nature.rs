//! What is known of a value before it is there: enough to find mistakes when compiling.
//!
//! Keeps: what is unknown is compatible with everything; a whole float passes for an int.
//! Not here: which operator takes what (`check.rs`).

use opcode_model::Value;

use super::syntax::Operator;

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Nature {
    Unknown,
    Nil,
    Bool,
    Int,
    Float,
    Text,
    /// A list of such items.
    List(Box<Self>),
    /// Keys are text.
    Object,
    /// Keys are anything, values are lists: what `groupBy` gives.
    Group,
    /// Keys and values are anything: what `fromPairs` gives.
    AnyMap,
    Time,
    Duration,
    Zone,
    Month,
    Weekday,
}

impl Nature {
    pub(super) fn list_of_anything() -> Self {
        Self::List(Box::new(Self::Unknown))
    }

    pub(super) fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }

    /// Whether this may count or index; to be exact, no float may.
    pub(super) fn is_whole(&self, exact: bool) -> bool {
        *self == Self::Int || (!exact && *self == Self::Float)
    }

    /// What is known of a variable whose value is there.
    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) | Value::Float(_) => Self::Float,
            Value::String(_) => Self::Text,
            Value::Bytes(_) | Value::List(_) => Self::list_of_anything(),
            Value::Object(_) => Self::Object,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Self::Object | Self::Group | Self::AnyMap)
    }

    /// An item of a list, a value of a map.
    pub(super) fn element(&self) -> Self {
        match self {
            Self::List(item) => Self::clone(item),
            Self::Group => Self::list_of_anything(),
            Self::Unknown
            | Self::Nil
            | Self::Bool
            | Self::Int
            | Self::Float
            | Self::Text
            | Self::Object
            | Self::AnyMap
            | Self::Time
            | Self::Duration
            | Self::Zone
            | Self::Month
            | Self::Weekday => Self::Unknown,
        }
    }

    /// Whether both are of one kind, whatever they hold.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(_), Self::List(_)) => true,
            (Self::Nil | Self::Unknown, Self::Nil | Self::Unknown) => true,
            _ => (self.is_map() && other.is_map()) || self == other,
        }
    }

    pub(super) fn is_assignable_to(&self, to: &Self) -> bool {
        match (self, to) {
            (Self::Nil, to) => to.is_list() || to.is_map() || *to == Self::Zone,
            (Self::Unknown, _) | (_, Self::Unknown) => false,
            (Self::List(_), Self::List(_)) => true,
            (from, to) => from == to,
        }
    }

    pub(super) fn is_comparable_to(&self, to: &Self) -> bool {
        let open = |nature: &Self| matches!(nature, Self::Unknown | Self::Nil);
        open(self) || open(to) || (self.is_number() && to.is_number()) || self.is_assignable_to(to)
    }

    /// What two numbers add up to.
    pub(super) fn promoted(&self, other: &Self) -> Self {
        if *self == Self::Float || *other == Self::Float { Self::Float } else { Self::Int }
    }

    /// Its name in a message.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "anything",
            Self::Nil => "nil",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Text => "string",
            Self::List(_) => "array",
            Self::Object | Self::Group | Self::AnyMap => "map",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Zone => "time zone",
            Self::Month => "month",
            Self::Weekday => "weekday",
        }
    }

    /// What `operator` gives for these two, or nothing if it does not take them.
    pub(super) fn of_operator(
        operator: Operator,
        left: &Self,
        right: &Self,
        exact: bool,
    ) -> Option<Self> {
        let both = |test: fn(&Self) -> bool| test(left) && test(right);
        let maybe = |test: &dyn Fn(&Self) -> bool| {
            let (no_left, no_right) = (left.is_unknown(), right.is_unknown());
            (no_left && no_right) || (no_left && test(right)) || (no_right && test(left))
        };
        let text = |nature: &Self| *nature == Self::Text;
        let is = |one: Self, other: Self| *left == one && *right == other;
        match operator {
            Operator::Equal | Operator::Unequal => {
                left.is_comparable_to(right).then_some(Self::Bool)
            }
            Operator::Or | Operator::And => {
                let flag = |nature: &Self| *nature == Self::Bool;
                ((flag(left) && flag(right)) || maybe(&flag)).then_some(Self::Bool)
            }
            Operator::Less | Operator::Greater | Operator::GreaterEqual | Operator::LessEqual => {
                let ordered = |nature: &Self| {
                    nature.is_number() || matches!(nature, Self::Text | Self::Time | Self::Duration)
                };
                let same = both(Self::is_number) || (ordered(left) && left == right);
                (same || maybe(&ordered)).then_some(Self::Bool)
            }
            Operator::Matches | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
                ((text(left) && text(right)) || maybe(&text)).then_some(Self::Bool)
            }
            Operator::Range | Operator::Remainder => {
                let whole = |nature: &Self| nature.is_whole(exact);
                let fits = (whole(left) && whole(right)) || maybe(&whole);
                let item = Self::Int;
                fits.then(|| match operator {
                    Operator::Range => Self::List(Box::new(item)),
                    _ => item,
                })
            }
            Operator::Divide | Operator::Power => {
                (both(Self::is_number) || maybe(&Self::is_number)).then_some(Self::Float)
            }
            _ if matches!(operator, Operator::Add | Operator::Subtract | Operator::Multiply)
                && both(Self::is_number) =>
            {
                Some(left.promoted(right))
            }
            Operator::Add => {
                let addable = |nature: &Self| {
                    nature.is_number() || matches!(nature, Self::Text | Self::Time | Self::Duration)
                };
                match () {
                    () if is(Self::Text, Self::Text) => Some(Self::Text),
                    () if is(Self::Time, Self::Duration) => Some(Self::Time),
                    () if is(Self::Duration, Self::Time) => Some(Self::Time),
                    () if is(Self::Duration, Self::Duration) => Some(Self::Duration),
                    () => maybe(&addable).then_some(Self::Unknown),
                }
            }
            Operator::Subtract => {
                let less = |nature: &Self| {
                    nature.is_number() || matches!(nature, Self::Time | Self::Duration)
                };
                match () {
                    () if is(Self::Time, Self::Time) => Some(Self::Duration),
                    () if is(Self::Time, Self::Duration) => Some(Self::Time),
                    () if is(Self::Duration, Self::Duration) => Some(Self::Duration),
                    () => maybe(&less).then_some(Self::Unknown),
                }
            }
            Operator::Multiply => {
                let times = |nature: &Self| nature.is_number() || *nature == Self::Duration;
                if times(left) && times(right) {
                    return Some(Self::Duration);
                }
                maybe(&times).then_some(Self::Unknown)
            }
            Operator::In => Self::of_in(left, right),
            Operator::Coalesce => Some(match (left, right) {
                (Self::Nil, right) => right.clone(),
                (left, Self::Nil) => left.clone(),
                (left, right) if right.is_assignable_to(left) => left.clone(),
                _ => Self::Unknown,
            }),
        }
    }

    fn of_in(left: &Self, right: &Self) -> Option<Self> {
        let fits = match right {
            Self::Unknown => true,
            Self::Object => matches!(left, Self::Unknown | Self::Text),
            Self::Group | Self::AnyMap => true,
            Self::List(item) => left.is_comparable_to(item),
            Self::Text => left.is_unknown(),
            Self::Time => matches!(left, Self::Unknown | Self::Text),
            Self::Nil
            | Self::Bool
            | Self::Int
            | Self::Float
            | Self::Duration
            | Self::Zone
            | Self::Month
            | Self::Weekday => false,
        };
        fits.then_some(Self::Bool)
    }

    /// What `a ? self : other` gives.
    pub(super) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Nil, other) => other.clone(),
            (one, Self::Nil) => one.clone(),
            (Self::List(one), Self::List(two)) => {
                let alike = one.is_assignable_to(two) && two.is_assignable_to(one);
                if alike { self.clone() } else { Self::list_of_anything() }
            }
            (one, two) if one.is_assignable_to(two) => one.clone(),
            _ => Self::Unknown,
        }
    }
}
