//! The engine without a disk: driver, verbs and memory store on one thread.

use std::hint::black_box;
use std::sync::Arc;

use bench::{Local, Noop, chain, parallel, pure_loop};
use criterion::{Criterion, criterion_group, criterion_main};
use opcode_engine::{Plan, plan};
use opcode_model::{RunStatus, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn planned(definition: &Value) -> Arc<Plan> {
    Arc::new(plan(definition, &Noop::default()).unwrap_or_else(|problems| panic!("{problems:?}")))
}

fn measure(c: &mut Criterion, name: &str, definition: &Value, params: &Value) {
    let plan = planned(definition);
    let mut local = Local::default();
    c.bench_function(name, |b| {
        b.iter(|| {
            assert_eq!(local.run(black_box(&plan), params.clone()), RunStatus::Completed);
        });
    });
}

fn engine(c: &mut Criterion) {
    measure(c, "memory/parallel/10", &parallel(10, "noop"), &Value::Null);
    measure(c, "memory/parallel/500", &parallel(500, "noop"), &Value::Null);
    measure(c, "memory/sequential/50", &chain(50, "noop"), &Value::Null);
    let items = Value::object([("items", Value::list((0..1000).map(Value::from)))]);
    measure(c, "memory/loop/1000", &pure_loop(1000), &items);
}

criterion_group!(benches, engine);
criterion_main!(benches);
