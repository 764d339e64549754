//! Properties over random texts: compiling never panics, and whatever compiles ends within its meter.
//!
//! Keeps: texts are random in three ways: letters, pieces of the grammar, and trees that mostly compile.
//! Not here: fixed hostile texts (`hostile.rs`).

use opcode_expr::fuzzing::{fuzz_cel, fuzz_template};
use opcode_expr::{Language, Meter, Program, Template};
use opcode_model::Value;
use proptest::prelude::*;

use crate::scope::Fixture;

const PIECES: [&str; 54] = [
    "1",
    "2u",
    "0.5",
    "'a'",
    "\"b\"",
    "r'\\d'",
    "b'x'",
    "true",
    "null",
    "inputs",
    "steps",
    "iter",
    "now",
    "error",
    "step_status",
    ".n",
    ".text",
    ".list",
    "['fetch']",
    "[0]",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "?",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "<",
    ">=",
    "&&",
    "||",
    "!",
    " in ",
    ".map(x, ",
    ".all(x, ",
    "x",
    "size(",
    "has(",
    "int(",
    ".matches(",
    "duration('1s')",
    "type(",
    ".?a",
    "${{",
    "}}",
    "secrets.K",
];

const PATTERN_PIECES: [&str; 40] = [
    "a",
    "é",
    "0",
    "(",
    "(?:",
    "(?i)",
    "(?P<n>",
    ")",
    "[",
    "[^",
    "]",
    "-",
    "a-z",
    "[:alpha:]",
    "[:no:]",
    "*",
    "+",
    "?",
    "{2}",
    "{2,}",
    "{,2}",
    "{2,1}",
    "{1001}",
    "|",
    ".",
    "^",
    "$",
    "\\",
    "\\d",
    "\\W",
    "\\b",
    "\\B",
    "\\pL",
    "\\p{^Greek}",
    "\\x41",
    "\\x{110000}",
    "\\101",
    "\\Q",
    "\\E",
    "&&",
];

/// JSON as CEL can write it.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::num::f64::NORMAL.prop_map(Value::Float),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            prop::collection::btree_map("[a-z\n\"]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn tree() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "2.5",
        "3u",
        "'a'",
        "true",
        "null",
        "[1, 2]",
        "{'k': 1}",
        "inputs.n",
        "inputs.list",
        "inputs.text",
        "steps.fetch.status_code",
        "inputs.missing",
        "iter.index",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(6, 64, 3, |inner| {
        prop_oneof![
            (
                inner.clone(),
                inner.clone(),
                prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "<", "in", "&&", "||"])
            )
                .prop_map(|(a, b, operator)| format!("({a} {operator} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}].map(x, {b})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("inputs.list.exists(x, x == {a} || {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("type({a})")),
            inner.clone().prop_map(|a| format!("string({a})")),
            inner.clone().prop_map(|a| format!("{{'k': {a}}}.k")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("size({a})")),
            inner.clone().prop_map(|a| format!("{a}[0]")),
            inner.clone().prop_map(|a| format!("optional.of({a}).value()")),
            inner.clone().prop_map(|a| format!("optional.of({{'k': {a}}}).k")),
            inner.clone().prop_map(|a| format!("[{a}].map(x, [x, -x])")),
            inner.clone().prop_map(|a| format!("{a}.value()")),
            inner.prop_map(|a| format!("{a}.k")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_says_why(text in "\\PC{0,60}") {
        fuzz_cel(text.as_bytes());
        fuzz_template(text.as_bytes());
        fuzz_template(format!("${{{{{text}}}}}").as_bytes());
    }

    #[test]
    fn any_pieces_compile_or_say_why(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..24)) {
        let text = pieces.concat();
        fuzz_cel(text.as_bytes());
        fuzz_template(text.as_bytes());
        fuzz_template(format!("a ${{{{ {text} }}}}").as_bytes());
    }

    #[test]
    fn what_compiles_ends_within_its_meter_and_always_alike(source in tree()) {
        let fixture = Fixture::default()
            .root("inputs", r#"{"n":3,"list":[1,2,3],"text":"abc"}"#)
            .done("fetch", r#"{"status_code":200}"#);
        if let Ok(program) = Program::compile_open(Language::Cel, &source) {
            let again = Program::compile_open(Language::Cel, &source).unwrap();
            prop_assert_eq!(
                format!("{:?}", program.evaluate(&fixture, &mut Meter::default())),
                format!("{:?}", again.evaluate(&fixture, &mut Meter::default()))
            );
            let (mut once, mut twice) = (Meter::default(), Meter::default());
            let first = program.evaluate(&fixture, &mut once);
            prop_assert_eq!(format!("{first:?}"), format!("{:?}", program.evaluate(&fixture, &mut twice)));
            prop_assert_eq!(once.steps_used(), twice.steps_used());
            prop_assert_eq!(once.bytes_used(), twice.bytes_used());
            let mut small = Meter::new(once.steps_used().saturating_sub(1), 1 << 30);
            prop_assert!(program.evaluate(&fixture, &mut small).is_err());
        }
    }

    #[test]
    fn what_the_check_refuses_never_works(source in tree()) {
        let undecided = ["==", " in ", "&&", "||", "?", "exists"];
        let fixture = Fixture::default()
            .root("inputs", r#"{"n":3,"list":[1,2,3],"text":"abc","missing":1}"#)
            .root("iter", r#"{"index":0}"#)
            .done("fetch", r#"{"status_code":200}"#);
        if let Err(error) = Program::compile(Language::Cel, &source) {
            prop_assert!(source.get(error.span.clone()).is_some_and(|place| !place.is_empty()));
            let open = Program::compile_open(Language::Cel, &source).unwrap();
            let outcome = open.evaluate(&fixture, &mut Meter::default());
            // Behind an optional, a key that no map has is an absence.
            let absent = source.contains("optional") && error.message.contains("the map's keys");
            let may_work = absent || undecided.iter().any(|operator| source.contains(operator));
            prop_assert!(outcome.is_err() || may_work, "{}: {}", source, error.message);
        }
    }

    #[test]
    fn json_is_cel(value in json()) {
        let program = Program::compile_open(Language::Cel, &value.to_json()).unwrap();
        let got = program.evaluate(&Fixture::default(), &mut Meter::default()).unwrap();
        prop_assert_eq!(got.to_json(), value.to_json());
        let mut fixture = Fixture::default();
        fixture.roots.insert("inputs".to_owned(), Value::object([("x", value.clone())]));
        let read = fixture.cel("[inputs.x].map(x, {'a': [x]})[0].a[0]").unwrap();
        prop_assert_eq!(read.to_json(), value.to_json());
        prop_assert_eq!(Value::from_json(&read.to_json()).unwrap().to_json(), value.to_json());
        prop_assert!(fixture.cel("inputs.x == inputs.x && inputs.x in [inputs.x]").unwrap() == Value::Bool(true));
    }

    #[test]
    fn any_pattern_matches_or_says_why(
        pieces in prop::collection::vec(prop::sample::select(PATTERN_PIECES.to_vec()), 0..16),
        text in "\\PC{0,12}",
    ) {
        let mut fixture = Fixture::default();
        let inputs = [("p", Value::from(pieces.concat())), ("t", Value::from(text))];
        fixture.roots.insert("inputs".to_owned(), Value::object(inputs));
        drop(fixture.cel("inputs.t.matches(inputs.p) || inputs.p.matches(inputs.t)"));
    }

    #[test]
    fn a_text_without_expressions_is_itself(text in "[^$]{0,40}") {
        let value = Value::from(text);
        let template = Template::compile(&value).unwrap();
        prop_assert!(template.is_literal());
        prop_assert_eq!(template.render(&Fixture::default(), &mut Meter::default()).unwrap().value, value);
    }

    #[test]
    fn data_passes_through_untouched(text in "\\PC{0,40}") {
        let mut fixture = Fixture::default();
        fixture.roots.insert("inputs".to_owned(), Value::object([("x", Value::from(text.as_str()))]));
        let whole = Template::compile(&Value::from("${{inputs.x}}")).unwrap();
        let rendered = whole.render(&fixture, &mut Meter::default()).unwrap();
        prop_assert_eq!(rendered.value.as_str(), Some(text.as_str()));
        let inside = Template::compile(&Value::from("<${{ inputs['x'] }}>")).unwrap();
        let rendered = inside.render(&fixture, &mut Meter::default()).unwrap();
        let expected = format!("<{text}>");
        prop_assert_eq!(rendered.value.as_str(), Some(expected.as_str()));
    }
}
