//! Functions of numbers: rounding, converting, bits, extremes, means.
//!
//! Keeps: lists in lists are walked without recursion, every number at a step.
//! Not here: operators (`arith.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function or value that is not listed is a type error, whichever it is"
)]

use opcode_model::Value;

use super::calls::Arguments;
use super::compare::order;
use super::eval::Machine;
use super::functions::{Bit, Function};
use super::trouble::{Outcome, Trouble};
use super::value::{Datum, Number};

pub(super) fn abs(given: &Arguments<'_>) -> Outcome<Datum> {
    let value = given.value(0);
    let number = value.as_number().ok_or_else(|| given.wanted("a number", value))?;
    let negative = order(number, Number::Int(0)).is_some_and(std::cmp::Ordering::is_lt);
    if !negative {
        return Ok(value.clone());
    }
    Ok(super::arith::negate(value, true).unwrap_or(Datum::NIL))
}

/// `ceil`, `floor` and `round`: floats all of them.
pub(super) fn round(function: Function, given: &Arguments<'_>) -> Outcome<Datum> {
    let value = given.value(0);
    Ok(match value.as_number() {
        Some(Number::Int(number) | Number::Whole(number)) => Datum::Json(Value::Int(number)),
        Some(Number::Float(number)) => match function {
            Function::Ceil => number.ceil(),
            Function::Floor => number.floor(),
            _ => number.round(),
        }
        .into(),
        None => return Err(given.wanted("a number", value)),
    })
}

pub(super) fn int(given: &Arguments<'_>) -> Outcome<Datum> {
    let value = given.value(0);
    if let Some(number) = value.as_underlying() {
        return Ok(Datum::Int(number.truncated()));
    }
    let Some(text) = value.as_text() else {
        return Err(given.wanted("a number or a string", value));
    };
    text.parse().map(Datum::Int).map_err(|_| unreadable(given, text))
}

pub(super) fn float(given: &Arguments<'_>) -> Outcome<Datum> {
    let value = given.value(0);
    match (value.as_number(), value.as_text()) {
        (Some(Number::Int(number)), _) => Ok(Datum::Json(Value::Int(number))),
        (Some(_), _) => Ok(value.clone()),
        (None, Some(text)) => {
            let named = text.contains(['i', 'I']);
            let number = text.parse::<f64>().ok().filter(|number| named || !number.is_infinite());
            number.map(Datum::from).ok_or_else(|| unreadable(given, text))
        }
        (None, None) => Err(given.wanted("a number or a string", value)),
    }
}

fn unreadable(given: &Arguments<'_>, text: &str) -> Box<Trouble> {
    given.refuse(&format!("cannot read \"{}\"", crate::error::shorten(text, 60)))
}

pub(super) fn bit(bit: Bit, given: &Arguments<'_>) -> Outcome<Datum> {
    let one = given.whole(0)?;
    let other = if bit == Bit::Not { 0 } else { given.whole(1)? };
    let shift = u32::try_from(other);
    let shifts = matches!(bit, Bit::Left | Bit::Right | Bit::RightUnsigned);
    if shifts && other < 0 {
        return Err(given.refuse(&format!("cannot shift by {other}")));
    }
    let by = shift.unwrap_or(u32::MAX);
    Ok(Datum::Int(match bit {
        Bit::And => one & other,
        Bit::Or => one | other,
        Bit::Xor => one ^ other,
        Bit::AndNot => one & !other,
        Bit::Not => !one,
        Bit::Left => one.checked_shl(by).unwrap_or(0),
        Bit::Right => one >> by.min(63),
        Bit::RightUnsigned => (one as u64).checked_shr(by).unwrap_or(0) as i64,
    }))
}

/// `max` and `min`. A single argument that is neither a number nor a list is its own extreme.
pub(super) fn extreme(
    machine: &mut Machine<'_>,
    function: Function,
    given: &Arguments<'_>,
) -> Outcome<Datum> {
    let operator = if function == Function::Max {
        super::syntax::Operator::Less
    } else {
        super::syntax::Operator::Greater
    };
    let mut best: Option<Datum> = None;
    for value in given.values {
        if value.is_list() {
            let mut inner = Vec::new();
            numbers_of(machine, value, given, &mut |number| inner.push(number.clone()))?;
            for number in inner {
                take_better(machine, &mut best, number, operator, given)?;
            }
        } else if value.as_underlying().is_some() {
            take_better(machine, &mut best, value.clone(), operator, given)?;
        } else if given.values.len() == 1 {
            return Ok(value.clone());
        } else {
            return Err(given.wanted("numbers", value));
        }
    }
    Ok(best.unwrap_or(Datum::NIL))
}

fn take_better(
    machine: &mut Machine<'_>,
    best: &mut Option<Datum>,
    value: Datum,
    operator: super::syntax::Operator,
    given: &Arguments<'_>,
) -> Outcome<()> {
    let better = match best {
        Some(best) => machine.compare(operator, best, &value, given.span)?,
        None => true,
    };
    if better {
        *best = Some(value);
    }
    Ok(())
}

/// The numbers in a list and the lists in it, in order.
fn numbers_of(
    machine: &mut Machine<'_>,
    list: &Datum,
    given: &Arguments<'_>,
    each: &mut dyn FnMut(&Datum),
) -> Outcome<()> {
    let mut open = vec![(list.clone(), 0)];
    while let Some((list, at)) = open.pop() {
        let Some(item) = list.item(at) else { continue };
        machine.steps(1, given.span)?;
        open.push((list, at + 1));
        if item.is_list() {
            let extreme = matches!(given.function, Function::Max | Function::Min);
            if extreme && item.count() == Some(0) {
                return Err(given.wanted("numbers", &Datum::NIL));
            }
            open.push((item, 0));
        } else if item.as_number().is_some() {
            each(&item);
        } else {
            return Err(given.wanted("numbers", &item));
        }
    }
    Ok(())
}

/// All numbers of the arguments as floats.
fn floats(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Vec<f64>> {
    let mut numbers = Vec::new();
    for value in given.values {
        if value.is_list() {
            numbers_of(machine, value, given, &mut |number| {
                numbers.extend(number.as_number().map(Number::as_f64));
            })?;
        } else {
            let number = value.as_underlying().ok_or_else(|| given.wanted("numbers", value))?;
            numbers.push(number.as_f64());
        }
    }
    Ok(numbers)
}

pub(super) fn mean(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let numbers = floats(machine, given)?;
    if numbers.is_empty() {
        return Ok(0.0.into());
    }
    Ok((numbers.iter().sum::<f64>() / numbers.len() as f64).into())
}

pub(super) fn median(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let mut numbers = floats(machine, given)?;
    machine.steps(numbers.len() as u64, given.span)?;
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    Ok(match (numbers.get(middle), middle.checked_sub(1).and_then(|at| numbers.get(at))) {
        (Some(high), Some(low)) if numbers.len() % 2 == 0 => ((low + high) / 2.0).into(),
        (Some(number), _) => (*number).into(),
        (None, _) => 0.0.into(),
    })
}
