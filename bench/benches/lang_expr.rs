//! Expr as a workflow uses it: a comparison over a scope of 9 KB, a filter over 100 objects.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use opcode_expr::{Language, Meter, Program, Scope, StepView};
use opcode_model::{StepStatus, Timestamp, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A run with ten steps, of which one has fetched a hundred items.
struct Run {
    inputs: Value,
    fetch: Value,
}

impl Run {
    fn new() -> Self {
        let item = |n: i64| {
            Value::object([
                ("id", Value::Int(n)),
                ("name", Value::from(format!("item number {n}"))),
                ("score", Value::Float((n % 10) as f64 / 10.0)),
                ("note", Value::from("checked by hand")),
                ("tags", Value::list([Value::from("a"), Value::from("b")])),
            ])
        };
        let fetch = Value::object([
            ("status_code", Value::Int(200)),
            ("items", Value::list((0..100).map(item))),
        ]);
        let inputs = Value::object([("priority", Value::Int(7)), ("threshold", Value::Float(0.8))]);
        Self { inputs, fetch }
    }
}

impl Scope for Run {
    fn root(&self, name: &str) -> Option<Value> {
        (name == "inputs").then(|| self.inputs.clone())
    }

    fn step(&self, id: &str) -> Option<StepView> {
        let output = Some(self.fetch.clone());
        (id == "fetch").then_some(StepView { status: StepStatus::Completed, output, error: None })
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        vec!["fetch".into()]
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

fn expr(c: &mut Criterion) {
    let run = Run::new();
    let size = run.fetch.to_json().len();
    assert!((7_000..12_000).contains(&size), "the scope has {size} bytes");
    for (name, source) in [
        ("compare", "steps['fetch'].status_code == 200 && inputs.priority > 5"),
        ("filter/100", "filter(steps.fetch.items, {.score >= inputs.threshold})"),
        ("filter-map/100", "steps.fetch.items | filter(.score > 0.5) | map(.name)"),
        ("sort/100", "sortBy(steps.fetch.items, .score) | first()"),
    ] {
        let program = Program::compile(Language::Expr, source)
            .unwrap_or_else(|error| panic!("{source}: {error}"));
        c.bench_function(&format!("expr/{name}"), |b| {
            b.iter(|| black_box(&program).evaluate(&run, &mut Meter::default()));
        });
    }
    let source = "filter(steps.fetch.items, {.score >= inputs.threshold})";
    c.bench_function("expr/compile", |b| {
        b.iter(|| Program::compile(Language::Expr, black_box(source)));
    });
    for (name, source) in [
        ("loops", "all(0..999, all(0..999, true))"),
        ("bytes", "reduce(1..9999, concat(#acc, #acc), [1])"),
        ("equal", "let a = 1..9999; all(a, a == a)"),
        ("search", "let t = repeat('a', 99999); all(1..9999, not (t contains 'aab'))"),
        ("pattern", "let t = repeat('a', 99999); all(1..9999, t not matches '(a|aa)*z')"),
        ("sort", "all(1..9999, len(sortBy(1..999, -#)) > 0)"),
        ("format", "all(1..9999, len(now().Format('2006-01-02T15:04:05Z07:00')) > 0)"),
        ("dates", "all(1..9999, date('Fri, 14 Aug 2026 10:00:00 GMT') != nil)"),
        ("zones", "let z = timezone('US/Samoa'); all(1..99999, now().In(z).Year() > 0)"),
        ("json", "let l = 1..999; all(1..9999, len(fromJSON(toJSON(l))) > 0)"),
        ("case", "let t = repeat('ä', 9999); all(1..9999, len(upper(t)) > 0)"),
    ] {
        let program = Program::compile_open(Language::Expr, source)
            .unwrap_or_else(|error| panic!("{source}: {error}"));
        assert!(program.evaluate(&run, &mut Meter::default()).is_err(), "{name} ends");
        c.bench_function(&format!("expr/exhausting/{name}"), |b| {
            b.iter(|| black_box(&program).evaluate(&run, &mut Meter::default()));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = expr
}
criterion_main!(benches);
