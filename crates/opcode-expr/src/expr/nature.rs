//! What is known of a value before it is there: enough to find mistakes when compiling.
//!
//! Keeps: what is unknown is compatible with everything; a whole float passes for an int.
//! Not here: which operator takes what (`check.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not listed does not fit, whichever it is"
)]

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
        let all = |test: &dyn Fn(&Self) -> bool| test(left) && test(right);
        // What is unknown may turn out to be what the other side is taken with.
        let either = |test: &dyn Fn(&Self) -> bool| {
            let fits = |nature: &Self| nature.is_unknown() || test(nature);
            all(test) || (fits(left) && fits(right))
        };
        let flag = |nature: &Self| *nature == Self::Bool;
        let text = |nature: &Self| *nature == Self::Text;
        match operator {
            Operator::Equal | Operator::Unequal => {
                left.is_comparable_to(right).then_some(Self::Bool)
            }
            Operator::Or | Operator::And => either(&flag).then_some(Self::Bool),
            Operator::Less | Operator::Greater | Operator::GreaterEqual | Operator::LessEqual => {
                let open = left.is_unknown() || right.is_unknown();
                let alike = open || left == right || all(&Self::is_number);
                (alike && either(&Self::is_ordered)).then_some(Self::Bool)
            }
            Operator::Matches | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
                either(&text).then_some(Self::Bool)
            }
            Operator::Range => {
                either(&|nature| nature.is_whole(exact)).then(|| Self::List(Box::new(Self::Int)))
            }
            Operator::Remainder => either(&|nature| nature.is_whole(exact)).then_some(Self::Int),
            Operator::Divide | Operator::Power => either(&Self::is_number).then_some(Self::Float),
            Operator::Add | Operator::Subtract | Operator::Multiply => {
                Self::of_sum(operator, left, right)
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

    /// Whether `<` knows what comes first.
    fn is_ordered(&self) -> bool {
        self.is_number() || matches!(self, Self::Text | Self::Time | Self::Duration)
    }

    /// What `+`, `-` and `*` give.
    fn of_sum(operator: Operator, left: &Self, right: &Self) -> Option<Self> {
        if left.is_number() && right.is_number() {
            return Some(left.promoted(right));
        }
        let taken = |nature: &Self| match nature {
            Self::Int | Self::Float | Self::Duration | Self::Unknown => true,
            Self::Time => operator != Operator::Multiply,
            Self::Text => operator == Operator::Add,
            _ => false,
        };
        Some(match (operator, left, right) {
            (_, Self::Unknown, other) | (_, other, Self::Unknown) if taken(other) => Self::Unknown,
            (Operator::Add, Self::Text, Self::Text) => Self::Text,
            (Operator::Add, Self::Duration, Self::Time) => Self::Time,
            (Operator::Add | Operator::Subtract, Self::Time, Self::Duration) => Self::Time,
            (Operator::Subtract, Self::Time, Self::Time) => Self::Duration,
            (_, Self::Duration, Self::Duration) => Self::Duration,
            (Operator::Multiply, Self::Duration, other)
            | (Operator::Multiply, other, Self::Duration)
                if other.is_number() =>
            {
                Self::Duration
            }
            _ => return None,
        })
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
