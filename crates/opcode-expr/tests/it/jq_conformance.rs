//! gojq's own tests: what its filters give over their inputs.
//!
//! Keeps: a floor; a miss must be listed with its reason, and a listed miss that passes must be unlisted.
//! Not here: what we do beyond gojq.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use opcode_expr::{Given, Meter, Program};
use opcode_model::{Timestamp, Value};

/// The outputs over all inputs, and the failure that ended them.
fn run(filter: &str, inputs: &[Value]) -> (Vec<Value>, Option<String>) {
    let program = match Program::compile_jq(filter, &[]) {
        Ok(program) => program,
        Err(error) => return (Vec::new(), Some(error.message)),
    };
    let mut outputs = Vec::new();
    for input in inputs {
        let given = Given { input, args: &[], now: Timestamp(1_790_000_000_123) };
        let mut meter = Meter::default();
        let outcome = program.outputs(given, &mut meter, &mut |value| {
            outputs.push(value);
            ControlFlow::Continue(())
        });
        if let Err(error) = outcome {
            return (outputs, Some(error.message));
        }
    }
    (outputs, None)
}

fn passes(case: &Value) -> Result<(), String> {
    let list = |name| case.find(name).and_then(Value::as_list).unwrap_or_default();
    let filter = case.find("filter").and_then(Value::as_str).unwrap_or_default();
    let fails = case.find("error").and_then(Value::as_bool).unwrap_or(false);
    let (outputs, failure) = run(filter, list("inputs"));
    // Through JSON, as the outputs are meant to go.
    let outputs: Vec<_> =
        outputs.iter().map(|value| Value::from_json(&value.to_json()).unwrap()).collect();
    if outputs.as_slice() == list("outputs") && failure.is_some() == fails {
        return Ok(());
    }
    let wanted = Value::list(list("outputs").iter().cloned());
    let got = Value::from(outputs);
    Err(format!("{filter}\n  wanted {wanted} fails={fails}\n  got    {got} {failure:?}"))
}

#[test]
fn jq_answers_as_gojq_does() {
    let excused: BTreeMap<&str, &str> = include_str!("../data/jq-misses.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut misses = Vec::new();
    let mut needless = Vec::new();
    for line in include_str!("../data/jq.jsonl").lines() {
        // JSON has no word for what gojq writes as the largest number.
        let outcome = match Value::from_json(&line.replace("Infinity", "1.7976931348623157e308")) {
            Ok(case) => {
                let name = case.find("name").and_then(Value::as_str).unwrap_or_default();
                (name.to_owned(), passes(&case))
            }
            Err(error) => ("unreadable".to_owned(), Err(format!("{line}: {error}"))),
        };
        match outcome {
            (name, Err(message)) if !excused.contains_key(name.as_str()) => {
                misses.push(format!("{name}: {message}"));
            }
            (name, Ok(())) if excused.contains_key(name.as_str()) => needless.push(name),
            (_, Ok(()) | Err(_)) => {}
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses.join("\n"));
    assert!(needless.is_empty(), "excused but passing: {needless:?}");
}
