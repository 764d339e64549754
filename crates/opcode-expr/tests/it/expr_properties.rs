//! Properties of Expr over random texts: compiling never panics, and whatever compiles ends within its meter.
//!
//! Keeps: texts are random in three ways: letters, pieces of the grammar, and trees that mostly compile.
//! Not here: fixed hostile texts (`expr_hostile.rs`).

use opcode_expr::fuzzing::fuzz_expr;
use opcode_expr::{Language, Meter, Program};
use opcode_model::Value;
use proptest::prelude::*;

use crate::scope::Fixture;

const PIECES: [&str; 70] = [
    "1",
    "0.5",
    "'a'",
    "`b`",
    "\"é\"",
    "true",
    "nil",
    "inputs",
    "steps",
    "$env",
    "now()",
    ".n",
    ".text",
    "?.list",
    "['fetch']",
    "?.[0]",
    "[0]",
    "[1:]",
    "[:-1]",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ";",
    "?",
    "??",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "..",
    "==",
    "<",
    ">=",
    " and ",
    " or ",
    "!",
    " not ",
    " in ",
    " matches ",
    " contains ",
    "|",
    " | map(",
    " | filter(",
    "reduce(",
    "sortBy(",
    "groupBy(",
    "#",
    "#acc",
    "#index",
    ".score",
    "len(",
    "string(",
    "toJSON(",
    "date(",
    "duration('1s')",
    ".Year()",
    "let x = ",
    "x",
    "if true {",
    "} else {",
    "split(",
    "sum(",
    "first(",
];

fn tree() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "2.5",
        "'a'",
        "true",
        "nil",
        "[1, 2]",
        "{k: 1}",
        "inputs.n",
        "inputs.list",
        "inputs.text",
        "steps.fetch.status_code",
        "inputs.missing",
        "duration('1m')",
        "now()",
        "1..3",
        "0 / 0",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(6, 64, 3, |inner| {
        let operators = vec![
            "+", "-", "*", "/", "%", "**", "==", "<", "in", "&&", "||", "??", "..", "contains",
            "not in",
        ];
        let functions = vec![
            "type", "string", "toJSON", "len", "max", "flatten", "sort", "uniq", "reverse", "keys",
            "int", "abs", "upper", "first", "concat", "median", "toPairs", "sum", "float", "round",
        ];
        prop_oneof![
            (inner.clone(), inner.clone(), prop::sample::select(operators))
                .prop_map(|(a, b, operator)| format!("({a} {operator} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("map({a}, [#, #index, {b}])")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("filter({a}, # == {b})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("reduce({a}, [#acc, #], {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("groupBy({a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("sortBy({a}, {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(let x = {a}; [x, {b}])")),
            (inner.clone(), prop::sample::select(functions))
                .prop_map(|(a, name)| format!("{name}({a})")),
            inner.clone().prop_map(|a| format!("{{k: {a}}}?.k")),
            inner.clone().prop_map(|a| format!("{a}?.[0]")),
            inner.prop_map(|a| format!("!{a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_says_why(text in "\\PC{0,60}") {
        fuzz_expr(text.as_bytes());
    }

    #[test]
    fn any_pieces_compile_or_say_why(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..24)) {
        fuzz_expr(pieces.concat().as_bytes());
        fuzz_expr(pieces.join(" ").as_bytes());
    }

    #[test]
    fn what_compiles_ends_within_its_meter_and_always_alike(source in tree()) {
        let fixture = Fixture::default()
            .root("inputs", r#"{"n":3,"list":[1,2,3],"text":"abc"}"#)
            .done("fetch", r#"{"status_code":200}"#);
        if let Ok(program) = Program::compile(Language::Expr, &source) {
            let (mut once, mut twice) = (Meter::default(), Meter::default());
            let first = program.evaluate(&fixture, &mut once);
            let again = Program::compile(Language::Expr, &source).unwrap();
            prop_assert_eq!(format!("{first:?}"), format!("{:?}", again.evaluate(&fixture, &mut twice)));
            prop_assert_eq!(once.steps_used(), twice.steps_used());
            prop_assert_eq!(once.bytes_used(), twice.bytes_used());
            let mut small = Meter::new(once.steps_used().saturating_sub(1), 1 << 30);
            prop_assert!(program.evaluate(&fixture, &mut small).is_err());
        }
    }

    #[test]
    fn json_goes_out_and_comes_back(text in "\\PC{0,40}", number in any::<i64>(), float in -1e15..1e15_f64) {
        let value = Value::object([
            ("text", Value::from(text)),
            ("numbers", Value::list([Value::Int(number), Value::Float(float)])),
        ]);
        let mut fixture = Fixture::default();
        fixture.roots.insert("inputs".to_owned(), value.clone());
        for source in ["inputs", "fromJSON(toJSON(inputs))", "{text: inputs.text, numbers: inputs.numbers}", "[inputs][0]"] {
            let program = Program::compile(Language::Expr, source).unwrap();
            prop_assert_eq!(program.evaluate(&fixture, &mut Meter::default()), Ok(value.clone()), "{}", source);
        }
    }
}
