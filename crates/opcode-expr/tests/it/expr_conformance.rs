//! Expressions of the expr-lang corpus and hand-written ones, with the answers of expr v1.17.7.
//!
//! Keeps: a floor; a miss must be listed with its reason, and a listed miss that passes must be unlisted.
//! Not here: what stands in our scope and not in Go's (`expr.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_expr::{Language, Meter, ObjectScope, Program};
use opcode_model::{Timestamp, Value};

/// How many cases give a value where Go gives an error, if a whole float may stand for an int.
const ACCEPTED: usize = 189;

/// A value as Go prints it: how the vectors show what has no JSON form.
fn printed(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(" ");
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Float(number) if number.is_nan() => "NaN".to_owned(),
        Value::Float(number) if number.is_infinite() => {
            if *number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
        }
        Value::String(text) => text.to_string(),
        Value::List(items) => format!("[{}]", joined(items.iter().map(printed).collect())),
        Value::Object(object) => {
            let mut pairs: Vec<_> = object.iter().collect();
            // Go prints number keys in the order of the numbers.
            let number = |pair: &&(Arc<str>, Value)| pair.0.parse::<f64>().unwrap_or(0.0);
            pairs.sort_by(|one, other| number(one).total_cmp(&number(other)));
            let text = pairs.iter().map(|(key, value)| format!("{key}:{}", printed(value)));
            format!("map[{}]", joined(text.collect()))
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Bytes(_) => value.to_string(),
    }
}

fn agrees(wanted: &Value, go_type: &str, got: &Value) -> bool {
    match wanted.as_str() {
        Some(text) if go_type != "string" && got.as_str().is_none() => printed(got) == text,
        Some(_) | None => wanted == got,
    }
}

/// How a case is compiled.
#[derive(Clone, Copy, PartialEq)]
enum Types {
    /// As Go does it: with the types of the variables.
    Exact,
    /// As a workflow does it: a float without a fraction may stand for an int.
    Open,
}

fn passes(case: &Value, environment: &Value, types: Types) -> Result<(), String> {
    let text = |name: &str| case.find(name).and_then(Value::as_str).unwrap_or_default();
    let expression = text("expr");
    let object = environment.as_object().unwrap();
    let scope = ObjectScope::new(object, Timestamp(1_790_000_000_123));
    let compiled = match types {
        Types::Exact => Program::compile_exact(Language::Expr, expression, &scope),
        Types::Open => Program::compile_open(Language::Expr, expression),
    };
    let outcome = compiled.map_err(|error| error.to_string()).and_then(|program| {
        program.evaluate(&scope, &mut Meter::default()).map_err(|error| error.to_string())
    });
    match (case.find("error"), outcome) {
        (Some(_), Err(_)) => Ok(()),
        (None, Ok(got))
            if agrees(case.find("value").unwrap_or(&Value::Null), text("gotype"), &got) =>
        {
            Ok(())
        }
        (wanted, outcome) => {
            let wanted = wanted.or_else(|| case.find("value")).cloned().unwrap_or_default();
            let outcome = outcome.map(|value| value.to_json());
            Err(format!("{expression}\twanted {wanted}, got {outcome:?}"))
        }
    }
}

#[test]
fn expr_answers_as_go_does() {
    let environment = Value::from_json(include_str!("../data/expr.env.json")).unwrap();
    let excused: BTreeMap<&str, &str> = include_str!("../data/expr-misses.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut misses = Vec::new();
    let mut needless = Vec::new();
    for line in include_str!("../data/expr.jsonl").lines() {
        let case = Value::from_json(line).unwrap();
        let expression = case.find("expr").and_then(Value::as_str).unwrap_or_default();
        match (passes(&case, &environment, Types::Exact), excused.contains_key(expression)) {
            (Err(message), false) => misses.push(message),
            (Ok(()), true) => needless.push(expression.to_owned()),
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses.join("\n"));
    assert!(needless.is_empty(), "excused but passing: {needless:?}");
}

/// Without the types of the variables, what Go refuses because a JSON number is no int gives a value; nothing else differs.
#[test]
fn floats_that_are_whole_pass_for_ints() {
    let environment = Value::from_json(include_str!("../data/expr.env.json")).unwrap();
    let mut accepted = 0;
    for line in include_str!("../data/expr.jsonl").lines() {
        let case = Value::from_json(line).unwrap();
        let exact = passes(&case, &environment, Types::Exact);
        if let (Ok(()), Err(message)) = (exact, passes(&case, &environment, Types::Open)) {
            assert!(case.find("error").is_some(), "{message}");
            accepted += 1;
        }
    }
    assert_eq!(accepted, ACCEPTED);
}
