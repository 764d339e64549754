//! What exhausting the meter takes, for the worst programs we can think of: at most 250 ms each.

use std::hint::black_box;

use bench_lang::Run;
use criterion::{Criterion, criterion_group, criterion_main};
use opcode_expr::{Language, Meter, Program};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DIGITS: &str = "[0,1,2,3,4,5,6,7,8,9]";

/// A CEL expression for a hundred million turns.
fn turns(body: &str) -> String {
    (b'a'..=b'h').rev().fold(body.to_owned(), |inner, variable| {
        format!("{DIGITS}.all({}, {inner})", char::from(variable))
    })
}

const EXPR: [(&str, &str); 14] = [
    ("loops", "all(0..999, all(0..999, true))"),
    ("bytes", "reduce(1..9999, concat(#acc, #acc), [1])"),
    ("equal", "let a = 1..9999; all(a, a == a)"),
    ("search", "let t = repeat('a', 99999); all(1..9999, not (t contains 'aab'))"),
    ("pattern", "let t = repeat('a', 99999); all(1..9999, t not matches '(a|aa)*z')"),
    ("patterns", r"all(1..9999, 'x' not matches ('\\pL{2}' + string(#)))"),
    ("sort", "all(1..9999, len(sortBy(1..999, -#)) > 0)"),
    ("group", "all(1..9999, len(groupBy(1..999, # % 100)) > 0)"),
    ("format", "all(1..9999, len(now().Format('2006-01-02T15:04:05Z07:00')) > 0)"),
    ("dates", "all(1..9999, date('Fri, 14 Aug 2026 10:00:00 GMT') != nil)"),
    ("zones", "let z = timezone('US/Samoa'); all(1..99999, now().In(z).Year() > 0)"),
    ("json", "let l = 1..999; all(1..9999, len(fromJSON(toJSON(l))) > 0)"),
    ("case", "let t = repeat('ä', 9999); all(1..9999, len(upper(t)) > 0)"),
    ("split", "let t = repeat('a,', 9999); all(1..9999, len(split(t, ',')) > 0)"),
];

const JQ: [(&str, &str); 14] = [
    ("loop", "last(repeat(1))"),
    ("recursion", "def f: . + 1 | f; 0 | f"),
    ("deep", "def f: [f]; f"),
    ("reduce", "reduce range(infinite) as $i (0; . + 1)"),
    ("bytes", "[range(infinite)]"),
    ("compare", "[range(9999)] as $l | [range(9999)] | until(. != $l; .)"),
    ("sort", "[range(999)] as $l | until(false; $l | sort_by(-.))"),
    ("group", "[range(999)] as $l | until(false; $l | group_by(. % 100))"),
    ("pattern", "\"a\" * 99999 | until(test(\"(a|aa)*z\"); .)"),
    ("patterns", r#"last(range(infinite) | "\\pL{2}\(.)" as $p | "x" | test($p))"#),
    ("matches", "\"a\" * 9999 | until(false; [match(\"a\"; \"g\")] | \"a\" * 9999)"),
    ("text", "[range(999)] | until(false; tojson | fromjson)"),
    ("paths", "[range(999)] | until(false; [paths] | map(.[0]))"),
    ("order", "last(range(infinite) | jn(1000000; .))"),
];

fn exhaust(c: &mut Criterion, language: Language, name: &str, source: &str) {
    let run = Run::new();
    let program =
        Program::compile_open(language, source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let evaluate = || program.evaluate(black_box(&run), &mut Meter::default());
    assert!(evaluate().is_err(), "{source} ends");
    c.bench_function(name, |b| b.iter(evaluate));
}

fn cel(c: &mut Criterion) {
    let patterns = r"!'x'.matches(string(a) + string(b) + string(c) + string(d) + '\\pL{9}')";
    for (name, body) in [
        ("loops", "true"),
        ("texts", "size('a' + string(a) + string(b)) > 0"),
        ("pattern", "!'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches('(a|aa)*z')"),
        ("patterns", patterns),
        ("maps", "{a: b, 'x': [c, d]} == {a: b, 'x': [c, d]}"),
        ("zones", "timestamp(a).getHours('America/New_York') >= 0"),
        ("times", "timestamp('2026-08-14T10:00:00.5Z') > timestamp(a)"),
        ("numbers", "double('1.2345678901234567e-300') > 0.0"),
    ] {
        exhaust(c, Language::Cel, &format!("meter/cel/{name}"), &turns(body));
    }
}

fn expr(c: &mut Criterion) {
    for (name, source) in EXPR {
        exhaust(c, Language::Expr, &format!("meter/expr/{name}"), source);
    }
}

fn jq(c: &mut Criterion) {
    for (name, source) in JQ {
        exhaust(c, Language::Jq, &format!("meter/jq/{name}"), source);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(std::time::Duration::from_millis(1))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = cel, expr, jq
}
criterion_main!(benches);
