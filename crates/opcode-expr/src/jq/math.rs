//! Mathematical functions, the same to the last bit on every machine.
//!
//! Keeps: an integer goes in as a float; what comes out whole is an integer again.
//! Not here: `+ - * / %` (`arith.rs`).

use opcode_model::Value;

use super::context::Context;
use super::natives::Native;
use super::trouble::{Cause, Outcome};

type Of1 = fn(f64) -> f64;
type Of2 = fn(f64, f64) -> f64;

fn of1(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    function: Of1,
) -> Outcome<Value> {
    match value.as_f64() {
        Some(number) => Ok(context.number(function(number))),
        None => Err(Cause::apply(name, value)),
    }
}

fn of2(
    context: &mut Context<'_>,
    name: &'static str,
    arguments: &[Value],
    function: Of2,
) -> Outcome<Value> {
    let [x, y] = numbers(name, arguments)?;
    Ok(context.number(function(x, y)))
}

fn numbers<const N: usize>(name: &'static str, arguments: &[Value]) -> Outcome<[f64; N]> {
    let mut numbers = [0.0; N];
    for (number, argument) in numbers.iter_mut().zip(arguments) {
        *number = argument.as_f64().ok_or_else(|| Cause::apply(name, argument))?;
    }
    Ok(numbers)
}

/// A function of one number, under its name.
macro_rules! one {
    ($name:literal, $function:expr) => {
        Native {
            name: $name,
            arity: 0,
            run: |context, value, _| of1(context, $name, value, $function),
            ignores_input: false,
            nests: false,
        }
    };
}

/// A function of two numbers, under its name.
macro_rules! two {
    ($name:literal, $function:expr) => {
        Native {
            name: $name,
            arity: 2,
            run: |context, _, arguments| of2(context, $name, arguments, $function),
            ignores_input: true,
            nests: false,
        }
    };
}

macro_rules! order {
    ($name:literal, $function:expr) => {
        Native {
            name: $name,
            arity: 2,
            run: |context, _, arguments| of_order(context, $name, arguments, $function),
            ignores_input: true,
            nests: false,
        }
    };
}

macro_rules! other {
    ($name:literal, $arity:literal, $run:expr) => {
        Native { name: $name, arity: $arity, run: $run, ignores_input: false, nests: false }
    };
}

pub(super) static NATIVES: [Native; 67] = [
    one!("sin", libm::sin),
    one!("cos", libm::cos),
    one!("tan", libm::tan),
    one!("asin", libm::asin),
    one!("acos", libm::acos),
    one!("atan", libm::atan),
    one!("sinh", libm::sinh),
    one!("cosh", libm::cosh),
    one!("tanh", libm::tanh),
    one!("asinh", libm::asinh),
    one!("acosh", libm::acosh),
    one!("atanh", libm::atanh),
    one!("floor", libm::floor),
    one!("round", libm::round),
    one!("nearbyint", libm::rint),
    one!("rint", libm::rint),
    one!("ceil", libm::ceil),
    one!("trunc", libm::trunc),
    one!("significand", significand),
    one!("fabs", libm::fabs),
    one!("sqrt", libm::sqrt),
    one!("cbrt", libm::cbrt),
    one!("exp", libm::exp),
    one!("exp10", |x| libm::pow(10.0, x)),
    one!("exp2", libm::exp2),
    one!("expm1", libm::expm1),
    one!("log", libm::log),
    one!("log10", libm::log10),
    one!("log1p", libm::log1p),
    one!("log2", libm::log2),
    one!("logb", logb),
    one!("gamma", tgamma),
    one!("tgamma", tgamma),
    one!("lgamma", libm::lgamma),
    one!("erf", libm::erf),
    one!("erfc", libm::erfc),
    one!("j0", libm::j0),
    one!("j1", libm::j1),
    one!("y0", libm::y0),
    one!("y1", libm::y1),
    two!("atan2", libm::atan2),
    two!("copysign", libm::copysign),
    two!("drem", drem),
    two!("fdim", libm::fdim),
    two!("fmax", libm::fmax),
    two!("fmin", libm::fmin),
    two!("fmod", libm::fmod),
    two!("hypot", libm::hypot),
    order!("jn", libm::jn),
    order!("yn", libm::yn),
    two!("nextafter", libm::nextafter),
    two!("nexttoward", libm::nextafter),
    two!("remainder", libm::remainder),
    two!("ldexp", scale),
    two!("scalb", scale),
    two!("scalbln", scale),
    two!("pow", libm::pow),
    other!("fma", 3, fma),
    other!("abs", 0, |context, value, _| absolute(context, value)),
    other!("frexp", 0, frexp),
    other!("modf", 0, modf),
    other!("infinite", 0, |context, _, _| Ok(context.number(f64::INFINITY))),
    other!("nan", 0, |context, _, _| Ok(context.number(f64::NAN))),
    other!("isinfinite", 0, |_, value, _| {
        Ok(Value::Bool(value.as_f64().is_some_and(f64::is_infinite)))
    }),
    other!("isfinite", 0, |_, value, _| {
        Ok(Value::Bool(value.as_f64().is_some_and(|number| !number.is_infinite())))
    }),
    other!("isnan", 0, |_, value, _| match value {
        Value::Null => Ok(Value::Bool(false)),
        other => match other.as_f64() {
            Some(number) => Ok(Value::Bool(number.is_nan())),
            None => Err(Cause::apply("isnan", other)),
        },
    }),
    other!("isnormal", 0, |_, value, _| {
        Ok(Value::Bool(value.as_f64().is_some_and(f64::is_normal)))
    }),
];

/// `abs`, and a number's `length`.
pub(super) fn absolute(context: &mut Context<'_>, value: &Value) -> Outcome<Value> {
    match value {
        Value::Int(whole) => Ok(match whole.checked_abs() {
            Some(size) => Value::Int(size),
            None => context.number((*whole as f64).abs()),
        }),
        Value::Float(number) => Ok(context.number(number.abs())),
        other => Err(Cause::apply("abs", other)),
    }
}

fn fma(context: &mut Context<'_>, _: &Value, arguments: &[Value]) -> Outcome<Value> {
    let [x, y, z] = numbers("fma", arguments)?;
    Ok(context.number(libm::fma(x, y, z)))
}

/// The fraction between a half and one, and the power of two it is multiplied with.
fn parts(number: f64) -> (f64, i32) {
    if number == 0.0 || !number.is_finite() { (number, 0) } else { libm::frexp(number) }
}

fn frexp(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let number = value.as_f64().ok_or_else(|| Cause::apply("frexp", value))?;
    let (fraction, exponent) = parts(number);
    Ok(Value::list([context.number(fraction), Value::from(exponent)]))
}

fn modf(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let number = value.as_f64().ok_or_else(|| Cause::apply("modf", value))?;
    let whole = libm::trunc(number);
    let fraction = if number.is_infinite() { 0.0 } else { libm::copysign(number - whole, number) };
    // A whole negative number has no negative nothing left over.
    let fraction = if fraction == 0.0 { 0.0 } else { fraction };
    Ok(Value::list([context.number(fraction), context.number(whole)]))
}

fn significand(number: f64) -> f64 {
    let (fraction, _) = parts(number);
    if number.is_finite() { fraction * 2.0 } else { number }
}

fn logb(number: f64) -> f64 {
    if number == 0.0 {
        f64::NEG_INFINITY
    } else if number.is_nan() {
        number
    } else if number.is_infinite() {
        f64::INFINITY
    } else {
        f64::from(parts(number).1 - 1)
    }
}

fn tgamma(number: f64) -> f64 {
    libm::tgamma(number)
}

fn drem(a: f64, b: f64) -> f64 {
    let remainder = libm::remainder(a, b);
    if remainder == 0.0 { libm::copysign(remainder, a) } else { remainder }
}

fn scale(number: f64, power: f64) -> f64 {
    libm::ldexp(number, power as i32)
}

/// A Bessel function of an order: it takes a turn an order, and beyond the highest it is nothing to speak of.
fn of_order(
    context: &mut Context<'_>,
    name: &'static str,
    arguments: &[Value],
    function: fn(i32, f64) -> f64,
) -> Outcome<Value> {
    let [order, x] = numbers(name, arguments)?;
    let order = order.clamp(-10_000.0, 10_000.0) as i32;
    context.steps(u64::from(order.unsigned_abs()) / 16)?;
    Ok(context.number(function(order, x)))
}
