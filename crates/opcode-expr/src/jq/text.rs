//! Functions of texts, and of values as texts.
//!
//! Keeps: positions count letters, not bytes; blanks are Unicode's.
//! Not here: patterns (`pattern.rs`), formats such as `@csv` (`formats.rs`).

use std::sync::Arc;

use opcode_model::Value;

use super::arith::to_int;
use super::context::Context;
use super::json;
use super::lexer::{is_number, parse_number};
use super::lists;
use super::trouble::{Cause, Outcome};

pub(super) fn byte_length(_: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    match value {
        Value::String(text) => Ok(Value::from(text.len())),
        other => Err(Cause::apply("utf8bytelength", other)),
    }
}

pub(super) fn to_boolean(_: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::String(text) => match text.as_ref() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(Cause::message("invalid boolean").within("toboolean", value, &[])),
        },
        other => Err(Cause::apply("toboolean", other)),
    }
}

pub(super) fn to_number(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    match value {
        Value::Int(_) | Value::Float(_) => Ok(value.clone()),
        Value::String(text) => {
            context.scan(text.len() * 8)?;
            if !is_number(text) {
                return Err(Cause::message("invalid number").within("tonumber", value, &[]));
            }
            let number = parse_number(text);
            context.odd |= number.as_f64().is_some_and(f64::is_infinite);
            Ok(number)
        }
        other => Err(Cause::apply("tonumber", other)),
    }
}

/// A text as it is, anything else as JSON.
pub(super) fn to_string(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    match value {
        Value::String(_) => Ok(value.clone()),
        other => to_json(context, other, &[]),
    }
}

pub(super) fn to_json(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let most = context.affordable_bytes();
    let text = json::limited(value, most);
    if text.len() > most {
        return context.too_much();
    }
    context.bytes(text.len())?;
    context.scan(text.len().saturating_mul(3))?;
    Ok(Value::from(text))
}

pub(super) fn from_json(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let Value::String(text) = value else { return Err(Cause::apply("fromjson", value)) };
    // An item takes two letters at least.
    context.bytes(text.len() * 16)?;
    Value::from_json(text)
        .map_err(|error| Cause::message(error.to_string()).within("fromjson", value, &[]))
}

pub(super) fn explode(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let Value::String(text) = value else { return Err(Cause::apply("explode", value)) };
    context.items(text.len())?;
    Ok(Value::list(text.chars().map(|letter| Value::from(u32::from(letter)))))
}

pub(super) fn implode(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let wrong = || Cause::apply("implode", value);
    let Value::List(items) = value else { return Err(wrong()) };
    context.bytes(items.len() * 4)?;
    let letter = |item: &Value| {
        let code = to_int(item).ok_or_else(wrong)?;
        Ok(u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'))
    };
    Ok(Value::from(items.iter().map(letter).collect::<Outcome<String>>()?))
}

pub(super) fn split(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let Value::String(text) = value else { return Err(Cause::apply("split", value)) };
    match arguments {
        [Value::String(separator)] if text.is_empty() && !separator.is_empty() => {
            Ok(Value::list([value.clone()]))
        }
        [Value::String(separator)] => context.split(text, separator),
        _ => Err(Cause::apply("split", &super::natives::first(arguments))),
    }
}

/// Texts with a separator between; numbers and booleans become texts, null is empty.
pub(super) fn join(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let Some(items) = lists::values(context, value)? else {
        return Err(Cause::apply_to("join", value, arguments));
    };
    if items.is_empty() {
        return Ok(Value::from(""));
    }
    let separator = super::natives::first(arguments);
    let mut parts = Vec::with_capacity(items.len() * 2);
    for (at, item) in items.into_iter().enumerate() {
        parts.push(if at == 0 { Value::from("") } else { separator.clone() });
        parts.push(match item {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => to_json(context, &item, &[])?,
            other => other,
        });
    }
    context.items(parts.len())?;
    lists::sum(context, parts)
}

fn two_texts<'a>(
    name: &'static str,
    value: &'a Value,
    arguments: &'a [Value],
) -> Outcome<(&'a Arc<str>, &'a Arc<str>)> {
    match (value, arguments) {
        (Value::String(text), [Value::String(part)]) => Ok((text, part)),
        _ => Err(Cause::apply_to(name, value, arguments)),
    }
}

pub(super) fn starts_with(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let (text, part) = two_texts("startswith", value, arguments)?;
    context.scan(part.len())?;
    Ok(Value::Bool(text.starts_with(part.as_ref())))
}

pub(super) fn ends_with(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let (text, part) = two_texts("endswith", value, arguments)?;
    context.scan(part.len())?;
    Ok(Value::Bool(text.ends_with(part.as_ref())))
}

/// Takes a text off the beginning, the end, or both.
pub(super) fn trim_text(
    name: &'static str,
    value: &Value,
    arguments: &[Value],
    (left, right): (bool, bool),
) -> Outcome<Value> {
    let (text, part) = two_texts(name, value, arguments)?;
    let mut rest = text.as_ref();
    if left {
        rest = rest.strip_prefix(part.as_ref()).unwrap_or(rest);
    }
    if right {
        rest = rest.strip_suffix(part.as_ref()).unwrap_or(rest);
    }
    Ok(if rest.len() == text.len() { value.clone() } else { Value::from(rest) })
}

/// Takes blanks off the beginning, the end, or both.
pub(super) fn trim(
    name: &'static str,
    value: &Value,
    (left, right): (bool, bool),
) -> Outcome<Value> {
    let Value::String(text) = value else { return Err(Cause::apply(name, value)) };
    let mut rest = text.as_ref();
    if left {
        rest = rest.trim_start();
    }
    if right {
        rest = rest.trim_end();
    }
    Ok(if rest.len() == text.len() { value.clone() } else { Value::from(rest) })
}

pub(super) fn map(
    context: &mut Context<'_>,
    name: &'static str,
    value: &Value,
    change: fn(&str) -> String,
) -> Outcome<Value> {
    let Value::String(text) = value else { return Err(Cause::apply(name, value)) };
    context.bytes(text.len())?;
    Ok(Value::from(change(text)))
}
