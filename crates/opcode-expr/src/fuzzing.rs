//! What a fuzzer feeds: bytes in, nothing out, no panic and no endless work whatever they say.
//!
//! Keeps: small meters, so that an input is answered at once.
//! Not here: the fuzz targets themselves, and any assertion beyond "it returns".

use std::ops::ControlFlow;
use std::sync::Arc;

use opcode_model::{StepStatus, Timestamp, Value};

use crate::meter::Meter;
use crate::program::{Given, Language, Program};
use crate::scope::{Scope, StepView};
use crate::template::Template;

/// A scope with a little of everything.
struct Sample;

impl Scope for Sample {
    fn root(&self, name: &str) -> Option<Value> {
        match name {
            "inputs" => Some(Value::object([
                ("n", Value::Int(3)),
                ("text", Value::from("häuser")),
                ("list", Value::list((0..8).map(Value::Int))),
                ("object", Value::object([("a-b", 1.5)])),
            ])),
            "iter" => Some(Value::object([("index", 0)])),
            _ => None,
        }
    }

    fn step(&self, id: &str) -> Option<StepView> {
        (id == "fetch").then(|| StepView {
            status: StepStatus::Completed,
            output: Some(Value::object([("status_code", 200)])),
            error: None,
        })
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        vec!["fetch".into()]
    }

    fn now(&self) -> Timestamp {
        Timestamp(1_790_000_000_123)
    }
}

/// Compiles and evaluates the bytes as CEL.
pub fn fuzz_cel(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let declared = Program::compile(Language::Cel, text);
    let open = Program::compile_open(Language::Cel, text);
    for program in declared.into_iter().chain(open) {
        drop(program.evaluate(&Sample, &mut Meter::new(20_000, 1 << 20)));
    }
}

/// Compiles and evaluates the bytes as Expr.
pub fn fuzz_expr(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let declared = Program::compile(Language::Expr, text);
    let open = Program::compile_open(Language::Expr, text);
    let exact = Program::compile_exact(Language::Expr, text, &Sample);
    for program in declared.into_iter().chain(open).chain(exact) {
        drop(program.evaluate(&Sample, &mut Meter::new(20_000, 1 << 20)));
    }
}

/// Compiles and evaluates the bytes as jq, over a scope and over a value.
pub fn fuzz_jq(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(program) = Program::compile_jq(text, &["x".into()]) else { return };
    drop(program.evaluate(&Sample, &mut Meter::new(5_000, 1 << 20)));
    let input = Value::list([Value::Int(1), Value::from("häuser"), Value::object([("a", 1.5)])]);
    let args = [("x".into(), Value::Int(7))];
    let given = Given { input: &input, args: &args, now: Timestamp(1_790_000_000_123) };
    let mut emit = |value: Value| {
        drop(value.to_json());
        ControlFlow::Continue(())
    };
    drop(program.outputs(given, &mut Meter::new(5_000, 1 << 20), &mut emit));
}

/// Compiles and renders the bytes as a text with `${{ }}` in it.
pub fn fuzz_template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(template) = Template::compile(&Value::from(text)) {
        drop(template.render(&Sample, &mut Meter::new(20_000, 1 << 20)));
    }
}
