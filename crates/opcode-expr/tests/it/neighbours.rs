//! What stands beside the published vectors: every corner of the three languages that their suites are likely to look into.
//!
//! Keeps: a line is an expression, a tab and its outputs as JSON, `error` at the end if it fails; `<<` changes the input.
//! Not here: the published vectors (`conformance.rs` and its siblings).

use std::ops::ControlFlow;

use opcode_expr::{Given, Language, Meter, ObjectScope, Program, Scope};
use opcode_model::{Object, Timestamp, Value};

/// The outputs as JSON, one after the other, and `error` if it does not end well.
fn answer(language: Language, source: &str, input: &Value) -> String {
    let nothing = Object::default();
    let scope =
        ObjectScope::new(input.as_object().unwrap_or(&nothing), Timestamp(1_790_000_000_123));
    let program = match language {
        Language::Cel => Program::compile_open(language, source),
        Language::Expr => Program::compile_exact(language, source, &scope),
        Language::Jq => Program::compile_jq(source, &[]),
    };
    let Ok(program) = program else { return "error".to_owned() };
    let mut outputs: Vec<String> = Vec::new();
    let mut emit = |value: Value| {
        outputs.push(value.to_json());
        ControlFlow::Continue(())
    };
    let given = Given { input, args: &[], now: scope.now() };
    let ended = match language {
        Language::Jq => program.outputs(given, &mut Meter::default(), &mut emit),
        Language::Cel | Language::Expr => {
            program.outputs_in(&scope, &[], &mut Meter::default(), &mut emit)
        }
    };
    outputs.extend(ended.is_err().then(|| "error".to_owned()));
    outputs.join(" ")
}

fn check(language: Language, cases: &str, input: &str) {
    let mut input = Value::from_json(input).unwrap();
    let mut misses = Vec::new();
    for line in cases.lines().filter(|line| !line.starts_with("# ")) {
        if let Some(next) = line.strip_prefix("<<") {
            input = Value::from_json(next).unwrap();
            continue;
        }
        let (source, wanted) = line.split_once('\t').unwrap_or_else(|| panic!("no tab: {line}"));
        let got = answer(language, source, &input);
        if got != wanted {
            misses.push(format!("{source}\n  wanted {wanted}\n  got    {got}"));
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn cel_beside_its_vectors() {
    check(Language::Cel, include_str!("../data/cel-neighbours.txt"), "{}");
}

#[test]
fn expr_beside_its_vectors() {
    let environment = include_str!("../data/expr.env.json");
    check(Language::Expr, include_str!("../data/expr-neighbours.txt"), environment);
}

#[test]
fn jq_beside_its_vectors() {
    check(Language::Jq, include_str!("../data/jq-neighbours.txt"), "{}");
}
