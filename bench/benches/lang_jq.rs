//! jq over a scope of 9 KB: a path, and a filter over 100 objects; and what compiling costs.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use opcode_expr::{Language, Meter, Program, Scope, StepView};
use opcode_model::{StepStatus, Timestamp, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Inputs of 9 KB and one step.
struct Sample {
    inputs: Value,
    fetched: Value,
}

impl Sample {
    fn new() -> Self {
        let object = |n: i64| {
            Value::object([
                ("a", Value::Int(n % 10)),
                ("id", Value::Int(n)),
                ("name", Value::from(format!("object number {n}"))),
                ("tags", Value::list([Value::from("one"), Value::from("two")])),
            ])
        };
        let inputs = Value::object([
            ("items", Value::list((0..100).map(object))),
            ("priority", Value::Int(7)),
            ("text", Value::from("x".repeat(1_500))),
        ]);
        Self { inputs, fetched: Value::object([("status_code", 200)]) }
    }
}

impl Scope for Sample {
    fn root(&self, name: &str) -> Option<Value> {
        (name == "inputs").then(|| self.inputs.clone())
    }

    fn step(&self, id: &str) -> Option<StepView> {
        (id == "fetch").then(|| StepView {
            status: StepStatus::Completed,
            output: Some(self.fetched.clone()),
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

fn jq(c: &mut Criterion) {
    let sample = Sample::new();
    for (name, source) in [
        ("path", ".steps.fetch.status_code"),
        ("condition", ".steps.fetch.status_code == 200 and .inputs.priority > 5"),
        ("map_select_100", ".inputs.items | map(select(.a > 5))"),
        ("group_by_100", ".inputs.items | group_by(.a) | map({a: .[0].a, n: length})"),
        ("modify_100", ".inputs.items | .[].a |= . + 1"),
        ("reduce_100", "reduce .inputs.items[] as $item (0; . + $item.a)"),
    ] {
        let program = Program::compile(Language::Jq, source)
            .unwrap_or_else(|error| panic!("{source}: {error}"));
        c.bench_function(&format!("jq/{name}"), |b| {
            b.iter(|| black_box(&program).evaluate(&sample, &mut Meter::default()));
        });
        c.bench_function(&format!("jq/{name}/compile"), |b| {
            b.iter(|| Program::compile(Language::Jq, black_box(source)));
        });
    }
    // What the meter may cost at most.
    for (name, source) in [
        ("loop", "last(repeat(1))"),
        ("recursion", "def f: . + 1 | f; 0 | f"),
        ("reduce", "reduce range(infinite) as $i (0; . + 1)"),
        ("compare", "[range(9999)] as $l | [range(9999)] | until(. != $l; .)"),
    ] {
        let program = Program::compile(Language::Jq, source)
            .unwrap_or_else(|error| panic!("{source}: {error}"));
        c.bench_function(&format!("jq/exhausted/{name}"), |b| {
            b.iter(|| black_box(&program).evaluate(&sample, &mut Meter::default()));
        });
    }
}

criterion_group!(benches, jq);
criterion_main!(benches);
