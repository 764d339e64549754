//! `int(x)`, `string(x)` and their siblings: one type to another, or an argument error.
//!
//! Keeps: what does not fit its new type is an error, never cut; a double's fraction is the one exception, as in CEL.
//! Not here: the syntax of times (`time.rs`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of value that is not listed is a type error, whichever it is"
)]

use std::sync::Arc;

use opcode_model::Value;

use super::calls::wanted;
use super::eval::Machine;
use super::time::{Moment, duration_text, parse_duration};
use super::trouble::{Cause, Outcome, Span};
use super::value::Cel;

const NUMERIC: &str = "a number, text, a timestamp or a duration";

pub(super) fn to_bool(value: &Cel, span: Span) -> Outcome<Cel> {
    if value.as_bool().is_some() {
        return Ok(value.clone());
    }
    let Some(text) = value.as_text() else {
        return Err(wanted("bool", "a bool or text", value).at(span));
    };
    match text.as_ref() {
        "true" | "True" | "TRUE" | "t" | "T" | "1" => Ok(true.into()),
        "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(false.into()),
        _ => Err(unreadable("bool", text, span)),
    }
}

pub(super) fn to_int(value: &Cel, span: Span) -> Outcome<Cel> {
    let overflow = || Cause::Overflow("int").at(span);
    match value {
        Cel::Json(Value::Int(_)) => Ok(value.clone()),
        Cel::Json(Value::Float(number)) => {
            let fits =
                *number > -9_223_372_036_854_775_808.0 && *number < 9_223_372_036_854_775_807.0;
            if fits { Ok((*number as i64).into()) } else { Err(overflow()) }
        }
        Cel::Uint(number) => i64::try_from(*number).map(Cel::from).map_err(|_| overflow()),
        Cel::Json(Value::String(text)) => {
            text.parse::<i64>().map(Cel::from).map_err(|_| unreadable("int", text, span))
        }
        Cel::Timestamp(moment) => Ok(moment.seconds.into()),
        Cel::Duration(nanos) => Ok((*nanos).into()),
        _ => Err(wanted("int", NUMERIC, value).at(span)),
    }
}

pub(super) fn to_uint(value: &Cel, span: Span) -> Outcome<Cel> {
    let overflow = || Cause::Overflow("uint").at(span);
    match value {
        Cel::Uint(_) => Ok(value.clone()),
        Cel::Json(Value::Int(number)) => {
            u64::try_from(*number).map(Cel::Uint).map_err(|_| overflow())
        }
        Cel::Json(Value::Float(number)) => {
            let fits = *number >= 0.0 && *number < 18_446_744_073_709_551_615.0;
            if fits { Ok(Cel::Uint(*number as u64)) } else { Err(overflow()) }
        }
        Cel::Json(Value::String(text)) => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<u64>().ok().filter(|_| digits);
            number.map(Cel::Uint).ok_or_else(|| unreadable("uint", text, span))
        }
        _ => Err(wanted("uint", "a number or text", value).at(span)),
    }
}

pub(super) fn to_double(value: &Cel, span: Span) -> Outcome<Cel> {
    match value {
        Cel::Json(Value::Float(_)) => Ok(value.clone()),
        Cel::Json(Value::Int(number)) => Ok((*number as f64).into()),
        Cel::Uint(number) => Ok((*number as f64).into()),
        Cel::Json(Value::String(text)) => {
            parse_double(text).map(Cel::from).ok_or_else(|| unreadable("double", text, span))
        }
        _ => Err(wanted("double", "a number or text", value).at(span)),
    }
}

pub(super) fn to_text(machine: &mut Machine<'_>, value: Cel, span: Span) -> Outcome<Cel> {
    let text = match &value {
        Cel::Json(Value::String(_)) => return Ok(value),
        Cel::Json(Value::Bool(flag)) => flag.to_string(),
        Cel::Json(Value::Int(number)) => number.to_string(),
        Cel::Json(Value::Float(number)) => exact_text(*number),
        Cel::Json(Value::Bytes(bytes)) => {
            machine.bytes(bytes.len(), span)?;
            let text = std::str::from_utf8(bytes);
            let bad = || Cause::Argument("string: the bytes are not UTF-8".into()).at(span);
            text.map_err(|_| bad())?.to_owned()
        }
        Cel::Uint(number) => number.to_string(),
        Cel::Timestamp(moment) => moment.to_string(),
        Cel::Duration(nanos) => duration_text(*nanos),
        _ => {
            let takes = "a bool, number, text, bytes, timestamp or duration";
            return Err(wanted("string", takes, &value).at(span));
        }
    };
    machine.bytes(text.len(), span)?;
    Ok(text.into())
}

pub(super) fn to_bytes(machine: &mut Machine<'_>, value: Cel, span: Span) -> Outcome<Cel> {
    match &value {
        Cel::Json(Value::Bytes(_)) => Ok(value),
        Cel::Json(Value::String(text)) => {
            machine.bytes(text.len(), span)?;
            Ok(Cel::Json(Value::Bytes(text.as_bytes().into())))
        }
        _ => Err(wanted("bytes", "text or bytes", &value).at(span)),
    }
}

pub(super) fn to_timestamp(value: &Cel, span: Span) -> Outcome<Cel> {
    match value {
        Cel::Timestamp(_) => Ok(value.clone()),
        Cel::Json(Value::Int(seconds)) => {
            let moment = Moment::new(i128::from(*seconds) * 1_000_000_000);
            moment.map(Cel::Timestamp).ok_or_else(|| Cause::Overflow("timestamp").at(span))
        }
        Cel::Json(Value::String(text)) => {
            let moment = Moment::parse(text);
            moment.map(Cel::Timestamp).ok_or_else(|| unreadable("timestamp", text, span))
        }
        _ => {
            Err(wanted("timestamp", "text such as 2026-11-20T15:41:07Z, or seconds", value)
                .at(span))
        }
    }
}

pub(super) fn to_duration(value: &Cel, span: Span) -> Outcome<Cel> {
    match value {
        Cel::Duration(_) => Ok(value.clone()),
        Cel::Json(Value::Int(nanos)) => Ok(Cel::Duration(*nanos)),
        Cel::Json(Value::String(text)) => parse_duration(text)
            .map(Cel::Duration)
            .ok_or_else(|| unreadable("duration", text, span)),
        _ => Err(wanted("duration", "text such as 1h30m", value).at(span)),
    }
}

fn unreadable(what: &str, text: &Arc<str>, span: Span) -> Box<super::trouble::Trouble> {
    let shown = crate::error::shorten(text, 60);
    let near = match what {
        "timestamp" => "; write it as 2026-11-20T15:41:07Z",
        "duration" => "; write it as 90s, 1m30s or 1.5h",
        _ => "",
    };
    Cause::Argument(format!("{what} cannot read \"{shown}\"{near}").into()).at(span)
}

/// Reads a double as Go does: too large a number is none, and not-a-number has no sign.
fn parse_double(text: &str) -> Option<f64> {
    let number = text.parse::<f64>().ok()?;
    let word = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_alphabetic());
    let signed = text.starts_with(['+', '-']);
    let written = if number.is_nan() { !signed } else { number.is_finite() || word };
    written.then_some(number)
}

/// A double as `string(x)` writes it, which is as Go's `%g` does: an exponent from a million on.
fn exact_text(number: f64) -> String {
    written(number, 1e6)
}

/// A double as text: no exponent where a person would not write one.
pub(crate) fn double_text(number: f64) -> String {
    written(number, 1e21)
}

/// The shortest digits that read back as `number`, with an exponent below 1e-4 and from `large` on.
fn written(number: f64, large: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = number.abs();
    if size == 0.0 || (1e-4..large).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
            format!("{digits}e{sign}{power:0>2}")
        }
        None => text,
    }
}
