//! The public CEL conformance suite, core sections.
//!
//! Keeps: a floor; a miss must be listed with its reason, and a listed miss that passes must be unlisted.
//! Not here: what we do beyond CEL.

use std::collections::BTreeMap;

use opcode_expr::{CompileErrorKind, Language, Meter, Program};
use opcode_model::Value;

use crate::scope::Fixture;

/// Kinds of answers that JSON keeps apart.
fn agrees(kind: &str, wanted: &Value, got: &Value) -> bool {
    match (kind, got) {
        ("int" | "uint", Value::Int(_))
        | ("bool", Value::Bool(_))
        | ("string", Value::String(_))
        | ("list", Value::List(_))
        | ("map", Value::Object(_))
        | ("null", Value::Null) => wanted == got,
        ("float", Value::Float(number)) => match wanted.find("float").and_then(Value::as_str) {
            Some("inf") => *number == f64::INFINITY,
            Some("-inf") => *number == f64::NEG_INFINITY,
            Some(_) => number.is_nan(),
            None => wanted == got,
        },
        // JSON has no room for a large uint: it comes out as text, and the suite's number may have been rounded.
        ("uint", Value::String(text)) => wanted.as_f64() == text.parse().ok(),
        ("bytes", Value::Bytes(_)) => wanted.to_json() == got.to_json(),
        _ => false,
    }
}

fn passes(case: &Value) -> Result<(), String> {
    let expression = case.find("expr").and_then(Value::as_str).unwrap_or_default();
    let kind = case.find("type").and_then(Value::as_str).unwrap_or_default();
    let mut fixture = Fixture::default();
    for (name, value) in case.find("bindings").and_then(Value::as_object).into_iter().flatten() {
        fixture.roots.insert(name.to_string(), value.clone());
    }
    let outcome = Program::compile_open(Language::Cel, expression)
        .map_err(|error| error.to_string())
        .and_then(|program| {
            program.evaluate(&fixture, &mut Meter::default()).map_err(|error| error.to_string())
        });
    match (kind, outcome) {
        ("error", Err(_)) => Ok(()),
        (_, Ok(got)) if agrees(kind, case.find("value").unwrap_or(&Value::Null), &got) => Ok(()),
        (_, outcome) => Err(format!("{expression} wanted {kind}, got {outcome:?}")),
    }
}

#[test]
fn cel_answers_as_the_suite_says() {
    let excused: BTreeMap<&str, &str> = include_str!("../data/cel-misses.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut misses = Vec::new();
    let mut needless = Vec::new();
    for line in include_str!("../data/cel.jsonl").lines() {
        let case = Value::from_json(line).unwrap();
        let expression = case.find("expr").and_then(Value::as_str).unwrap_or_default();
        match (passes(&case), excused.contains_key(expression)) {
            (Err(message), false) => misses.push(message),
            (Ok(()), true) => needless.push(expression.to_owned()),
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses.join("\n"));
    assert!(needless.is_empty(), "excused but passing: {needless:?}");
}

/// The suite evaluates without checking; of what has a value there, the check refuses these and no more.
#[test]
fn the_check_refuses_little_of_what_the_suite_evaluates() {
    let mut refused = Vec::new();
    for line in include_str!("../data/cel.jsonl").lines() {
        let case = Value::from_json(line).unwrap();
        let expression = case.find("expr").and_then(Value::as_str).unwrap_or_default();
        let has_value = case.find("type").and_then(Value::as_str) != Some("error");
        if let (true, Err(error)) = (has_value, Program::compile(Language::Cel, expression))
            && error.kind == CompileErrorKind::Type
        {
            refused.push(expression.to_owned());
        }
    }
    assert_eq!(refused, ["'horses' && false", "true || 32"]);
}
