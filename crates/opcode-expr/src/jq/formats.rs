//! `@csv`, `@html` and the other formats.
//!
//! Keeps: a value that is no text is written as JSON first; rows take scalars only.
//! Not here: `@text` and `@json` (`text.rs`).

use opcode_model::Value;
use opcode_model::problem::nearest;

use super::context::Context;
use super::natives;
use super::text::to_string;
use super::trouble::{Cause, Outcome, type_name};

/// `format("csv")`.
pub(super) fn format(
    context: &mut Context<'_>,
    value: &Value,
    arguments: &[Value],
) -> Outcome<Value> {
    let Some(Value::String(name)) = arguments.first() else {
        return Err(Cause::apply("format", &natives::first(arguments)));
    };
    match native(name) {
        Some(native) => (native.run)(context, value, &[]),
        None => {
            let near = nearest(name, NAMES).map(|near| format!("; did you mean `@{near}`?"));
            let hint = near.unwrap_or_else(|| format!("; there is @{}", NAMES.join(" @")));
            Err(Cause::message(format!("format not defined: @{name}{hint}")))
        }
    }
}

const NAMES: [&str; 12] = [
    "text", "json", "html", "uri", "urid", "csv", "tsv", "sh", "base64", "base64d", "base32",
    "base32d",
];

/// The function behind `@name`.
pub(super) fn native(name: &str) -> Option<&'static natives::Native> {
    NAMES.contains(&name).then(|| natives::find(&format!("_{name}"), 0)).flatten()
}

fn text_of(context: &mut Context<'_>, value: &Value) -> Outcome<String> {
    let text = to_string(context, value, &[])?;
    let text = text.as_str().unwrap_or_default();
    // The longest any format makes of a letter is six.
    context.bytes(text.len() * 6)?;
    Ok(text.to_owned())
}

/// Every letter replaced by what stands for it.
fn escape(text: &str, of: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match of(letter) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(letter),
        }
    }
    out
}

pub(super) fn html(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let text = text_of(context, value)?;
    Ok(Value::from(escape(&text, |letter| match letter {
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '&' => Some("&amp;"),
        '\'' => Some("&apos;"),
        '"' => Some("&quot;"),
        _ => None,
    })))
}

pub(super) fn uri(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let text = text_of(context, value)?;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    Ok(Value::from(out))
}

pub(super) fn urid(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let text = text_of(context, value)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let plain = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(code) = plain.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            let shown =
                String::from_utf8_lossy(after.get(..after.len().min(2)).unwrap_or_default());
            let message = format!("invalid URL escape \"%{shown}\"");
            return Err(Cause::message(message).within("@urid", value, &[]));
        };
        out.push(code);
        rest = after.get(2..).unwrap_or_default();
    }
    Ok(Value::from(String::from_utf8_lossy(&out).into_owned()))
}

pub(super) fn csv(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\"").replace('\0', "\\0"));
    row(context, ("csv", ","), value, quoted)
}

pub(super) fn tsv(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let escaped = |text: &str| {
        escape(text, |letter| match letter {
            '\t' => Some("\\t"),
            '\r' => Some("\\r"),
            '\n' => Some("\\n"),
            '\\' => Some("\\\\"),
            '\0' => Some("\\0"),
            _ => None,
        })
    };
    row(context, ("tsv", "\t"), value, escaped)
}

pub(super) fn sh(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''").replace('\0', "\\0"));
    match value {
        Value::List(_) => row(context, ("sh", " "), value, quoted),
        other => row(context, ("sh", " "), &Value::list([other.clone()]), quoted),
    }
}

fn row(
    context: &mut Context<'_>,
    (name, separator): (&'static str, &str),
    value: &Value,
    quote: impl Fn(&str) -> String,
) -> Outcome<Value> {
    let Value::List(items) = value else {
        let name = match name {
            "csv" => "@csv",
            "tsv" => "@tsv",
            _ => "@sh",
        };
        return Err(Cause::apply(name, value));
    };
    let mut cells = Vec::with_capacity(items.len());
    context.items(items.len())?;
    for item in items.iter() {
        cells.push(match item {
            Value::List(_) | Value::Object(_) => {
                let shown = format!("{} ({})", type_name(item), super::json::preview(item));
                let message = format!("@{name} cannot format an array including: {shown}");
                return Err(Cause::message(message));
            }
            Value::String(text) => {
                context.bytes(text.len() * 4)?;
                quote(text)
            }
            other => match super::json::text(other) {
                null if null == "null" && name != "sh" => String::new(),
                text => text,
            },
        });
    }
    Ok(Value::from(cells.join(separator)))
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes in letters of so many bits, filled up with `=` to whole groups.
fn encode(bytes: &[u8], letters: &[u8], bits: u32, group: usize) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    let (mut held, mut count) = (0_u32, 0_u32);
    let letter = |index: u32| letters.get(index as usize).map_or('=', |byte| char::from(*byte));
    let mask = (1 << bits) - 1;
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xffff;
        count += 8;
        while count >= bits {
            count -= bits;
            out.push(letter(held >> count & mask));
        }
    }
    if count > 0 {
        out.push(letter(held << (bits - count) & mask));
    }
    while !out.len().is_multiple_of(group) {
        out.push('=');
    }
    out
}

fn decode(text: &str, letters: &[u8], bits: u32) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len());
    let (mut held, mut count) = (0_u32, 0_u32);
    let mut taken = 0_u32;
    for (at, byte) in text.trim_end_matches('=').bytes().enumerate() {
        if byte == b'\n' || byte == b'\r' {
            continue;
        }
        let index = letters.iter().position(|letter| *letter == byte).ok_or(at)?;
        held = (held << bits | index as u32) & 0xffff;
        count += bits;
        taken += 1;
        if count >= 8 {
            count -= 8;
            out.push((held >> count & 0xff) as u8);
        }
    }
    // A last letter that does not make up a byte was cut off.
    if taken > 0 && count >= bits { Err(text.len()) } else { Ok(out) }
}

pub(super) fn base64(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    Ok(Value::from(encode(text_of(context, value)?.as_bytes(), BASE64, 6, 4)))
}

pub(super) fn base32(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    Ok(Value::from(encode(text_of(context, value)?.as_bytes(), BASE32, 5, 8)))
}

pub(super) fn base64d(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    decoded(context, value, "@base64d", (BASE64, 6))
}

pub(super) fn base32d(context: &mut Context<'_>, value: &Value, _: &[Value]) -> Outcome<Value> {
    decoded(context, value, "@base32d", (BASE32, 5))
}

fn decoded(
    context: &mut Context<'_>,
    value: &Value,
    name: &'static str,
    (letters, bits): (&[u8], u32),
) -> Outcome<Value> {
    let text = text_of(context, value)?;
    let text = text.split_once('=').map_or(text.as_str(), |(before, _)| before);
    match decode(text, letters, bits) {
        Ok(bytes) => Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned())),
        Err(at) => {
            let message = format!("illegal base64 data at input byte {at}");
            Err(Cause::message(message).within(name, value, &[]))
        }
    }
}
