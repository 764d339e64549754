//! Values as text, as Go prints them: `[1 2]`, `map[a:1]`, `1m30s`, `<nil>`.
//!
//! Keeps: a JSON number without a fraction prints as the whole number it is; recursion is as deep as values may nest.
//! Not here: JSON text (`json.rs`), times (`moment.rs`).

use opcode_model::Value;

use super::calls::Arguments;
use super::eval::Machine;
use super::moment::{MONTHS, WEEKDAYS, duration_text, named};
use super::trouble::Outcome;
use super::value::Datum;

/// `string(x)`.
pub(super) fn string(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let value = given.value(0);
    if value.as_text().is_some() {
        return Ok(value.clone());
    }
    let limit = usize::try_from(machine.meter.bytes_left()).unwrap_or(usize::MAX);
    let weight = value.weight(limit).saturating_mul(2);
    machine.bytes(weight, given.span)?;
    machine.scan(weight, given.span)?;
    Ok(text(value).into())
}

/// A value as text; not charged.
pub(super) fn text(value: &Datum) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Datum) {
    match value {
        Datum::Json(value) => write_json(out, value),
        Datum::Int(number) => *out += &number.to_string(),
        Datum::Byte(byte) => *out += &byte.to_string(),
        Datum::Time(time) => *out += &time.to_string(),
        Datum::Duration(nanos) => *out += &duration_text(*nanos),
        Datum::Zone(zone) => *out += zone.name(),
        Datum::Month(number) => *out += &named(&MONTHS, number - 1, "Month"),
        Datum::Weekday(number) => *out += &named(&WEEKDAYS, *number, "Weekday"),
        Datum::NoList => *out += "[]",
        Datum::List(items) => write_list(out, items.iter(), write),
        Datum::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| (key.to_string(), value));
            write_map(out, pairs, write);
        }
        Datum::Keyed(keyed) => {
            let entries = keyed.entries.iter();
            let pairs = entries.map(|(key, value)| (text(&key.clone().into_datum()), value));
            write_map(out, pairs, write);
        }
    }
}

fn write_json(out: &mut String, value: &Value) {
    match value {
        Value::Null => *out += "<nil>",
        Value::Bool(flag) => *out += if *flag { "true" } else { "false" },
        Value::Int(number) => *out += &number.to_string(),
        Value::Float(number) => *out += &float_text(*number),
        Value::String(text) => *out += text,
        Value::Bytes(bytes) => {
            let items: Vec<Value> = bytes.iter().map(|byte| Value::Int((*byte).into())).collect();
            write_list(out, items.iter(), write_json);
        }
        Value::List(items) => write_list(out, items.iter(), write_json),
        Value::Object(object) => {
            let pairs = object.iter().map(|(key, value)| (key.to_string(), value));
            write_map(out, pairs, write_json);
        }
    }
}

fn write_list<'v, T: 'v>(
    out: &mut String,
    items: impl Iterator<Item = &'v T>,
    write: fn(&mut String, &T),
) {
    out.push('[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(' ');
        }
        write(out, item);
    }
    out.push(']');
}

fn write_map<'v, T: 'v>(
    out: &mut String,
    pairs: impl Iterator<Item = (String, &'v T)>,
    write: fn(&mut String, &T),
) {
    *out += "map[";
    for (at, (key, value)) in pairs.enumerate() {
        if at > 0 {
            out.push(' ');
        }
        *out += &key;
        out.push(':');
        write(out, value);
    }
    out.push(']');
}

/// The shortest digits that read back as the same float; with an exponent from a million on.
fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    with_exponent(number, |power| !(-4..6).contains(&power), 2)
}

/// A finite float in digits, or with an exponent of at least so many digits where `wanted` says so of the power of ten.
pub(super) fn with_exponent(number: f64, wanted: fn(i32) -> bool, digits_min: usize) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, power)) = scientific.split_once('e') else { return scientific };
    if number == 0.0 || !power.parse().is_ok_and(wanted) {
        return format!("{number}");
    }
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>digits_min$}")
}
