//! Properties over random jq: compiling never panics, whatever compiles ends within its meter, and always alike.
//!
//! Keeps: texts are random in three ways: letters, pieces of the grammar, and trees that mostly compile.
//! Not here: fixed hostile texts (`jq_hostile.rs`).

use std::ops::ControlFlow;

use opcode_expr::fuzzing::fuzz_jq;
use opcode_expr::{Given, Meter, Program};
use opcode_model::{Timestamp, Value};
use proptest::prelude::*;

use crate::scope::value;

const PIECES: [&str; 72] = [
    "1",
    "0.5",
    "\"a\"",
    "\"\\(",
    ")\"",
    "null",
    "true",
    ".",
    "..",
    ".a",
    ".[0]",
    ".[]",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "|",
    ",",
    ":",
    ";",
    "+",
    "-",
    "*",
    "/",
    "%",
    "//",
    "==",
    "<",
    " and ",
    " or ",
    " not",
    "=",
    "|=",
    "+=",
    "//=",
    "?",
    "?//",
    " as ",
    "$x",
    "[$x]",
    "{$x}",
    "def f: ",
    "f",
    "def g(h): ",
    "g(",
    "h",
    "if ",
    " then ",
    " else ",
    " end",
    "try ",
    " catch ",
    "reduce ",
    "foreach ",
    "label $x | ",
    "break $x",
    "map(",
    "select(",
    "path(",
    "del(",
    "first(",
    "limit(2; ",
    "range(3)",
    "recurse",
    "@json",
    "tojson",
    "error",
    "empty",
    "input",
    "# x\n",
];

#[expect(clippy::too_many_lines, reason = "one line for every way to combine programs")]
fn tree() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "2.5",
        "\"a\"",
        "true",
        "null",
        "[1, 2]",
        "{\"k\": 1}",
        ".",
        ".a",
        ".list",
        ".list[]",
        ".text",
        "..",
        "empty",
        "$x",
        "range(3)",
        "error(\"e\")",
        ".[\"a\"]?",
        "nan",
        "infinite",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 48, 3, |inner| {
        let operators = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "<", "and", "or", "//", "|", ",",
        ]);
        let writes = prop::sample::select(vec!["=", "|=", "+=", "//="]);
        let functions = prop::sample::select(vec![
            "map",
            "select",
            "path",
            "del",
            "first",
            "last",
            "isempty",
            "any",
            "all",
            "sort_by",
            "group_by",
            "unique_by",
            "recurse",
            "walk",
            "add",
            "paths",
            "with_entries",
            "map_values",
            "limit(2; .) | first",
            "to_entries | map",
        ]);
        let plain = prop::sample::select(vec![
            "length",
            "keys",
            "tojson",
            "tostring",
            "type",
            "add",
            "sort",
            "unique",
            "flatten",
            "reverse",
            "not",
            "tostream",
            "min",
            "to_entries",
            "from_entries",
            "@csv",
            "@html",
            "explode",
            "floor",
            "todate",
            "transpose",
            "paths",
        ]);
        prop_oneof![
            (inner.clone(), inner.clone(), operators)
                .prop_map(|(a, b, o)| format!("({a} {o} {b})")),
            (inner.clone(), inner.clone(), writes).prop_map(|(a, b, o)| format!("({a} {o} {b})")),
            (inner.clone(), functions).prop_map(|(a, f)| format!("({f}({a}))")),
            (inner.clone(), plain).prop_map(|(a, f)| format!("({a} | {f})")),
            inner.clone().prop_map(|a| format!("[{a}]")),
            inner.clone().prop_map(|a| format!("{{k: {a}}}")),
            inner.clone().prop_map(|a| format!("\"<\\({a})>\"")),
            inner.clone().prop_map(|a| format!("(try {a} catch .)")),
            inner.clone().prop_map(|a| format!("(.list[{a}]?)")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(.list[{a}:{b}])")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} as $x | {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} as [$x] ?// $x | {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("reduce {a} as $x (0; {b})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("foreach {a} as $x (0; {b}; [., $x])")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("(label $l | {a} | if . then {b} else break $l end)")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("(def f(g): g | g; f({a}) | {b})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("(if {a} then {b} else {c} end)")),
        ]
    })
}

/// The outputs and the failure, written out.
fn run(program: &Program, meter: &mut Meter) -> (Vec<String>, Option<String>) {
    let input = value(r#"{"a":3,"list":[1,[2,"x"],{"b":null}],"text":"häuser"}"#);
    let args = [("x".into(), Value::Int(7))];
    let given = Given { input: &input, args: &args, now: Timestamp(1_790_000_000_123) };
    let mut outputs = Vec::new();
    let outcome = program.outputs(given, meter, &mut |value| {
        let text = value.to_json();
        assert_eq!(Value::from_json(&text).unwrap().to_json(), text, "JSON reads back as it was");
        outputs.push(text);
        ControlFlow::Continue(())
    });
    (outputs, outcome.err().map(|error| error.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_says_why(text in "\\PC{0,60}") {
        fuzz_jq(text.as_bytes());
    }

    #[test]
    fn any_pieces_compile_or_say_why(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..24)) {
        fuzz_jq(pieces.concat().as_bytes());
    }

    #[test]
    fn what_compiles_ends_within_its_meter_and_always_alike(source in tree()) {
        let compile = || Program::compile_jq(&source, &["x".into()]);
        let program = compile().unwrap();
        let mut once = Meter::new(20_000, 4 << 20);
        let mut twice = once.clone();
        let first = run(&program, &mut once);
        prop_assert_eq!(&first, &run(&compile().unwrap(), &mut twice));
        prop_assert_eq!(once.steps_used(), twice.steps_used());
        prop_assert_eq!(once.bytes_used(), twice.bytes_used());
        let mut small = Meter::new(once.steps_used().saturating_sub(1), 4 << 20);
        let (_, failure) = run(&program, &mut small);
        prop_assert!(failure.is_some_and(|failure| failure.contains("is limited to")), "{}", source);
    }

    #[test]
    fn data_passes_through_untouched(text in "\\PC{0,40}", whole in any::<i64>(), number in -1e15..1e15) {
        let input = Value::object([("t", Value::from(text)), ("i", Value::Int(whole)), ("f", Value::Float(number))]);
        for source in [".", "fromjson? // .", "tojson | fromjson", ". as $x | $x", "[tostream] | fromstream(.[])", "with_entries(.)",
            "to_entries | from_entries", "map_values(.)", "(.. |= .)", "walk(.)", "@json | fromjson", "[.] | add", "{t, i, f}"] {
            let program = Program::compile_jq(source, &[]).unwrap();
            let given = Given { input: &input, args: &[], now: Timestamp(0) };
            let mut output = Value::Null;
            let mut take = |value| { output = value; ControlFlow::Continue(()) };
            prop_assert_eq!(program.outputs(given, &mut Meter::default(), &mut take), Ok(()));
            prop_assert_eq!(&output, &input, "{}", source);
        }
    }
}
