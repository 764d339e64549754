//! Each language beside the crate it replaces: the same program over the same data, compiled and evaluated.
//!
//! `ours` reads the run as it is. A crate is measured twice: over data it has in its own shape already, and with making that
//! shape of JSON values, which is what a step pays for.

use std::hint::black_box;

use bench_lang::Run;
use criterion::{Criterion, criterion_group, criterion_main};
use opcode_expr::{Language, Meter, Program};
use serde_json::Value as Json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CEL: [(&str, &str); 6] = [
    ("guard", "steps['fetch'].status_code == 200 && inputs.priority > 5"),
    ("path", "steps.fetch.items[50].name"),
    ("filter 100", "steps.fetch.items.filter(i, i.score > 0.8)"),
    ("exists 100", "steps.fetch.items.exists(i, i.name == 'item-99')"),
    ("map 100", "steps.fetch.items.map(i, i.name + '!')"),
    ("matches", "inputs.name.matches('^[a-z]+-[0-9]+$')"),
];

const EXPR: [(&str, &str); 6] = [
    ("compare", "steps['fetch'].status_code == 200 && inputs.priority > 5"),
    // The crate reads `#.score` alone, we read `.score` too.
    ("filter 100", "filter(steps.fetch.items, {#.score > 0.8})"),
    ("map 100", "map(steps.fetch.items, {#.id * 2})"),
    ("sort 100", "sortBy(steps.fetch.items, #.score)"),
    ("group 100", "groupBy(steps.fetch.items, #.kind)"),
    ("reduce 100", "reduce(steps.fetch.items, #acc + #.id, 0)"),
];

const JQ: [(&str, &str); 6] = [
    ("path", ".steps.fetch.status_code"),
    ("condition", ".steps.fetch.status_code == 200 and .inputs.priority > 5"),
    ("map(select) 100", ".steps.fetch.items | map(select(.score > 0.8))"),
    ("group_by 100", ".steps.fetch.items | group_by(.kind) | map({kind: .[0].kind, n: length})"),
    ("reduce 100", "reduce .steps.fetch.items[] as $item (0; . + $item.id)"),
    ("update 100", ".steps.fetch.items | .[].id |= . + 1"),
];

fn json(run: &Run) -> Json {
    let text = run.to_json();
    assert!((8_000..10_000).contains(&text.len()), "the scope has {} bytes", text.len());
    serde_json::from_str(&text).expect("JSON")
}

fn ours(c: &mut Criterion, language: Language, name: &str, source: &str) {
    let run = Run::new();
    let program = Program::compile(language, source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let evaluate = || program.evaluate(black_box(&run), &mut Meter::default());
    evaluate().unwrap_or_else(|e| panic!("{source}: {e}"));
    c.bench_function(&format!("{name}/ours"), |b| b.iter(evaluate));
    c.bench_function(&format!("{name}/ours, compiling"), |b| {
        b.iter(|| Program::compile(language, black_box(source)));
    });
}

fn cel(c: &mut Criterion) {
    let json = json(&Run::new());
    let context = |json: &Json| {
        let mut context = cel::Context::default();
        for name in ["inputs", "steps"] {
            context.add_variable(name, &json[name]).expect("a variable");
        }
        context
    };
    let ready = context(&json);
    for (name, source) in CEL {
        let name = format!("cel/{name}");
        ours(c, Language::Cel, &name, source);
        let program = cel::Program::compile(source).unwrap_or_else(|e| panic!("{source}: {e}"));
        program.execute(&ready).unwrap_or_else(|e| panic!("{source}: {e}"));
        c.bench_function(&format!("{name}/cel 0.15"), |b| {
            b.iter(|| program.execute(black_box(&ready)).is_ok());
        });
        c.bench_function(&format!("{name}/cel 0.15, converting"), |b| {
            b.iter(|| program.execute(&context(black_box(&json))).is_ok());
        });
        c.bench_function(&format!("{name}/cel 0.15, compiling"), |b| {
            b.iter(|| cel::Program::compile(black_box(source)));
        });
    }
}

fn expr(c: &mut Criterion) {
    let json = json(&Run::new());
    let context = |json: &Json| {
        let mut context = expr::Context::default();
        for name in ["inputs", "steps"] {
            context.insert(name, expr::to_value(&json[name]).expect("a value"));
        }
        context
    };
    let ready = context(&json);
    for (name, source) in EXPR {
        let name = format!("expr/{name}");
        ours(c, Language::Expr, &name, source);
        let program = expr::compile(source).unwrap_or_else(|e| panic!("{source}: {e}"));
        expr::run(&program, &ready).unwrap_or_else(|e| panic!("{source}: {e}"));
        c.bench_function(&format!("{name}/expr-lang 2.1"), |b| {
            b.iter(|| expr::run(&program, black_box(&ready)));
        });
        c.bench_function(&format!("{name}/expr-lang 2.1, converting"), |b| {
            b.iter(|| expr::run(&program, &context(black_box(&json))));
        });
        c.bench_function(&format!("{name}/expr-lang 2.1, compiling"), |b| {
            b.iter(|| expr::compile(black_box(source)));
        });
    }
}

type Filter = jaq_core::Filter<jaq_core::data::JustLut<jaq_json::Val>>;

fn jaq(source: &str) -> Filter {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = jaq_core::load::Arena::default();
    let file = jaq_core::load::File { code: source, path: () };
    let modules = jaq_core::load::Loader::new(defs).load(&arena, file);
    let modules = modules.unwrap_or_else(|_| panic!("{source} does not parse"));
    let compiled = jaq_core::Compiler::default().with_funs(funs).compile(modules);
    compiled.unwrap_or_else(|_| panic!("{source} does not compile"))
}

/// How many outputs there are; none may be a failure.
fn run_jaq(filter: &Filter, input: jaq_json::Val) -> usize {
    let vars = jaq_core::Vars::new([]);
    let context = jaq_core::Ctx::<jaq_core::data::JustLut<jaq_json::Val>>::new(&filter.lut, vars);
    filter.id.run((context, input)).inspect(|output| assert!(output.is_ok())).count()
}

fn jq(c: &mut Criterion) {
    let json = json(&Run::new());
    let value =
        |json: &Json| -> jaq_json::Val { serde::Deserialize::deserialize(json).expect("a value") };
    let ready = value(&json);
    for (name, source) in JQ {
        let name = format!("jq/{name}");
        ours(c, Language::Jq, &name, source);
        let filter = jaq(source);
        assert_eq!(run_jaq(&filter, ready.clone()), 1, "{source}");
        c.bench_function(&format!("{name}/jaq 3.1"), |b| {
            b.iter(|| run_jaq(&filter, black_box(&ready).clone()));
        });
        c.bench_function(&format!("{name}/jaq 3.1, converting"), |b| {
            b.iter(|| run_jaq(&filter, value(black_box(&json))));
        });
        c.bench_function(&format!("{name}/jaq 3.1, compiling"), |b| {
            b.iter(|| jaq(black_box(source)).lut);
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(600));
    targets = cel, expr, jq
}
criterion_main!(benches);
