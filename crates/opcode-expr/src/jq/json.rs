//! Values as gojq writes them: compact, keys sorted, an integral float without its fraction.
//!
//! Keeps: not-a-number is `null`, an infinity the largest float; writing stops at its limit, so a preview costs nothing.
//! Not here: reading JSON (`opcode_model`).

use std::fmt::Write;

use opcode_model::Value;

/// A value as compact JSON.
pub(super) fn text(value: &Value) -> String {
    limited(value, usize::MAX)
}

/// A value as compact JSON, given up soon after so many bytes.
pub(super) fn limited(value: &Value, bytes_max: usize) -> String {
    let mut out = String::new();
    write(&mut out, value, bytes_max);
    out
}

/// A value's beginning, for messages: at most 30 bytes.
pub(super) fn preview(value: &Value) -> String {
    const BYTES_MAX: usize = 30;
    let mut shown = limited(value, BYTES_MAX);
    if shown.len() <= BYTES_MAX {
        return shown;
    }
    let trailing = match value {
        Value::String(_) | Value::Bytes(_) => " ...\"",
        Value::List(_) => " ...]",
        Value::Object(_) => " ...}",
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => " ...",
    };
    while shown.len() > BYTES_MAX - trailing.len() {
        shown.pop();
    }
    shown + trailing
}

fn write(out: &mut String, value: &Value, bytes_max: usize) {
    if out.len() > bytes_max {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(whole) => push(out, whole),
        Value::Float(number) => write_float(out, *number),
        Value::String(content) => write_string(out, content, bytes_max),
        Value::Bytes(_) => out.push_str(&value.to_json()),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if out.len() > bytes_max {
                    return;
                }
                write(out, item, bytes_max);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (at, (key, item)) in object.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if out.len() > bytes_max {
                    return;
                }
                write_string(out, key, bytes_max);
                out.push(':');
                write(out, item, bytes_max);
            }
            out.push('}');
        }
    }
}

/// Writing to a string cannot fail.
fn push(out: &mut String, what: impl std::fmt::Display) {
    if write!(out, "{what}").is_err() {
        out.push('?');
    }
}

fn write_float(out: &mut String, number: f64) {
    if number.is_nan() {
        return out.push_str("null");
    }
    let number = number.clamp(f64::MIN, f64::MAX);
    let size = number.abs();
    if size != 0.0 && size < 1e-6 || size >= 1e21 {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        return push(out, format_args!("{digits}e{sign}{exponent}"));
    }
    push(out, number);
}

fn write_string(out: &mut String, content: &str, bytes_max: usize) {
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in content.bytes().enumerate() {
        if out.len().saturating_add(at - plain_from) > bytes_max && content.is_char_boundary(at) {
            return out.push_str(&content[plain_from..at]);
        }
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            8 => "\\b",
            12 => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..32 | 127 => "",
            _ => continue,
        };
        out.push_str(&content[plain_from..at]);
        match escape {
            "" => push(out, format_args!("\\u00{byte:02x}")),
            escape => out.push_str(escape),
        }
        plain_from = at + 1;
    }
    out.push_str(&content[plain_from..]);
    out.push('"');
}
