//! CEL over a scope of 9 KB: compiling, a guard, a path, a filter over a hundred objects, a pattern.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use opcode_expr::{Language, Meter, Program, Scope, StepView};
use opcode_model::{StepStatus, Timestamp, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GUARD: &str = "steps['fetch'].status_code == 200 && inputs.priority > 5";

const CASES: [(&str, &str); 6] = [
    ("guard", GUARD),
    ("path", "steps.fetch.body.items[50].name"),
    ("arithmetic", "double(inputs.priority) * 1.5 + 2 > 10.0"),
    ("filter/100", "steps.fetch.body.items.filter(i, i.id > 90)"),
    ("exists/100", "steps.fetch.body.items.exists(i, i.name == 'item-99')"),
    ("matches", "inputs.name.matches('^[a-z]+-[0-9]+$')"),
];

struct Run {
    inputs: Value,
    fetch: StepView,
}

impl Scope for Run {
    fn root(&self, name: &str) -> Option<Value> {
        (name == "inputs").then(|| self.inputs.clone())
    }

    fn step(&self, id: &str) -> Option<StepView> {
        (id == "fetch").then(|| self.fetch.clone())
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        vec!["fetch".into()]
    }

    fn now(&self) -> Timestamp {
        Timestamp(1_790_000_000_000)
    }
}

fn run() -> Run {
    let item = |id: i64| {
        let note = format!("a note on item {id}, of some length");
        Value::object([
            ("id", Value::Int(id)),
            ("name", Value::from(format!("item-{id}"))),
            ("note", Value::from(note)),
        ])
    };
    let body = Value::object([("items", Value::list((0..100).map(item)))]);
    let output = Value::object([("status_code", Value::Int(200)), ("body", body)]);
    let inputs = Value::object([("priority", Value::Int(7)), ("name", Value::from("job-42"))]);
    let fetch = StepView { status: StepStatus::Completed, output: Some(output), error: None };
    Run { inputs, fetch }
}

fn cel(c: &mut Criterion) {
    let run = run();
    c.bench_function("cel/compile", |b| {
        b.iter(|| Program::compile(Language::Cel, black_box(GUARD)));
    });
    for (name, source) in CASES {
        let program = Program::compile(Language::Cel, source)
            .unwrap_or_else(|error| panic!("{source}: {error}"));
        c.bench_function(&format!("cel/{name}"), |b| {
            b.iter(|| {
                let answer = program.evaluate(black_box(&run), &mut Meter::default());
                answer.unwrap_or_else(|error| panic!("{error}"))
            });
        });
    }
}

criterion_group!(benches, cel);
criterion_main!(benches);
