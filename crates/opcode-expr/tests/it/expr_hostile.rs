//! Expr made to hurt: each text ends with a clear error, on a small stack, within the meter.
//!
//! Keeps: everything runs on a 2 MiB thread in a debug build.
//! Not here: random texts (`expr_properties.rs`).

use opcode_expr::{CompileErrorKind, Language, Meter, Program};
use opcode_model::Value;
use opcode_model::limits::EXPRESSION_BYTES_MAX;

use crate::scope::Fixture;
use crate::small_stack;

/// Texts that end too early, or hold what no one expects.
const ODD: [&str; 80] = [
    "\0",
    "\u{feff}1",
    "é",
    "'é",
    "'\\",
    "'\\u12",
    "'\\u{110000}'",
    "'\\u{'",
    "'\\xé'",
    "0x",
    "0b2",
    "1e",
    "1e+",
    ".5",
    "1..2",
    "..",
    "?",
    "a?b",
    "{",
    "{1",
    "{1:",
    "{(",
    "[",
    "x.",
    "x?.",
    "x?.[",
    "`",
    "```",
    "/*",
    "/**",
    "//",
    "1 // é",
    "\u{85}",
    "1_",
    "_",
    "-",
    "--",
    "!-",
    "not",
    "not in",
    "in",
    "1 in",
    "#",
    "#acc",
    "map(1,",
    "map([1], #",
    "map([1], .",
    "reduce()",
    "let",
    "let x",
    "let x = 1",
    "let x = 1;",
    "if",
    "if true",
    "if true {",
    "::",
    "::len",
    "|",
    "1 |",
    "1 | len",
    "$env",
    "$env.",
    "$env[",
    "🦀",
    "'🦀'[0]",
    ";",
    "1;",
    "1;;",
    "a ?? b + c",
    "x[:",
    "x[::]",
    "matches",
    "1 matches '('",
    "'a' matches '(?P<'",
    "'a' matches '\\\\Qa'",
    "'[' matches '[[]'",
    "'a' matches '[\\\\d&&a]'",
    "'a' matches '{'",
    "'a' matches 'a{1'",
    "'\\\\' matches '\\\\\\\\'",
];

fn on_small_stack(source: String) -> Result<Value, String> {
    small_stack::evaluate(Language::Expr, source)
}

#[track_caller]
fn is_limited(source: impl Into<String>, fragment: &str) {
    let error = on_small_stack(source.into()).unwrap_err();
    assert!(error.contains(fragment), "{error}");
}

#[test]
fn size_and_nesting_are_limited() {
    is_limited(format!("1{}", "+1".repeat(20_000)), "length in bytes");
    is_limited(format!("1{}", "+1".repeat(4_090)), "parts of an expression");
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("-(", ")"),
        ("!(", ")"),
        ("len(", ")"),
        ("map([1],", ")"),
        ("if true {1} else {", "}"),
        ("1 ** (", ")"),
        ("1 ?? (", ")"),
        ("inputs[", "]"),
        ("true ? (", ") : 1"),
        ("(let a = 1; ", ")"),
        ("foo(", ")"),
        ("inputs?.f(", ")"),
    ] {
        is_limited(open.repeat(200), "nesting");
        is_limited(format!("{}1{}", open.repeat(200), close.repeat(200)), "nesting");
    }
    is_limited("1 ** ".repeat(1_000) + "1", "nesting");
    is_limited("- + ".repeat(1_000) + "1", "nesting");
    is_limited("true ? let a = 1; ".repeat(300), "nesting");
    let flat = EXPRESSION_BYTES_MAX / 4 - 100;
    for long in [
        format!("0{}", "+1".repeat(flat)),
        format!("true{}", " && true".repeat(900)),
        format!("nil{}", " ?? nil".repeat(900)),
        format!("inputs{}", "?.a".repeat(2_000)),
        format!("{}1", "true ? 1 : ".repeat(700)),
        format!("{}{{1}}", "if true {1} else ".repeat(400)),
        format!("[1]{}", " | map(#)".repeat(800)),
        format!("{}true", "!".repeat(8_000)),
        format!("1{}", " < 2 < 3".repeat(900)),
        format!("{}1", (0..500).map(|n| format!("let v{n} = {n}; ")).collect::<String>()),
    ] {
        let shown = long.get(..60).unwrap_or_default().to_owned();
        assert!(on_small_stack(long).is_ok(), "{shown}");
    }
}

#[test]
fn the_tallest_code_that_compiles_fits_the_stack() {
    for (open, close) in [
        ("(1==1||1<2&&1+2*", ")"),
        ("map([1], # + ", ")[0]"),
        ("(true ? [{a: 1 .. 2 ** -", "}] : 1)"),
        ("filter([1, 2], {let x = #; x > 0 && ", " > 0})"),
    ] {
        let tallest = (1..64)
            .rev()
            .map(|n| format!("{}1{}", open.repeat(n), close.repeat(n)))
            .find(|source| Program::compile_open(Language::Expr, source).is_ok());
        let Some(tallest) = tallest else { continue };
        let work = move || {
            let program = Program::compile_open(Language::Expr, &tallest).unwrap();
            drop(program.evaluate(&Fixture::default(), &mut Meter::default()));
        };
        std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
    }
}

#[test]
fn endless_work_stops_at_the_meter() {
    let mut nested = "true".to_owned();
    for _ in 0..10 {
        nested = format!("all(0..9, {nested})");
    }
    is_limited(nested, "evaluation steps");
    is_limited(format!("{}1{}", "map(0..999, ".repeat(5), ")".repeat(5)), "evaluation");
    is_limited("1..1000000000", "evaluation bytes");
    is_limited("1..9223372036854775807", "evaluation bytes");
    is_limited("-9223372036854775807 .. 9223372036854775807", "evaluation bytes");
    is_limited("all(inputs.list, all(inputs.list, inputs.list == inputs.list))", "steps");
    is_limited("all(inputs.list, all(inputs.list, {not (7 in inputs.list)}))", "steps");
    is_limited("all(inputs.list, all(inputs.list, {not (inputs.text contains \"aab\")}))", "steps");
    is_limited("all(inputs.list, {inputs.text not matches \"(a|aa)*$z\"})", "steps");
    is_limited(
        "all(1..99999, {let p = \"a\" + string(#) + inputs.text[:99]; \"a\" not matches p})",
        "steps",
    );
    is_limited("uniq(1..9999)", "steps");
    is_limited("all(1..9999, len(inputs.text) > 0)", "steps");
    is_limited("all(1..9999, {len(sort(inputs.list)) > 0})", "evaluation");
    is_limited("all(1..9999, {max(inputs.list) > 0})", "evaluation");
    is_limited("map(1..9999, inputs.list)| flatten() | flatten() | len()", "evaluation");
}

#[test]
fn growing_texts_stop_at_the_bytes() {
    is_limited("reduce(1..99, #acc + #acc, inputs.text)", "evaluation");
    is_limited("repeat(inputs.text, 1000000)", "evaluation");
    is_limited("repeat(\"ab\", 9223372036854775807)", "evaluation");
    is_limited("reduce(1..99, replace(#acc, \"a\", \"aaaaaaaa\"), inputs.text)", "evaluation");
    is_limited("reduce(1..99, replace(#acc, \"\", inputs.text), \"a\")", "evaluation");
    is_limited("reduce(1..99, join([#acc, #acc], #acc), inputs.text)", "evaluation");
    is_limited("reduce(1..99, toJSON([#acc, #acc]), inputs.text)", "evaluation");
    is_limited("reduce(1..99, string([#acc, #acc]), inputs.text)", "evaluation");
    is_limited("reduce(1..99, toBase64(#acc + #acc), inputs.text)", "evaluation");
    is_limited("reduce(1..999999, concat(#acc, #acc), [1])", "evaluation");
    is_limited("reduce(1..99, split(#acc + #acc, \"\") | join(), inputs.text)", "evaluation");
    is_limited("now().Format(repeat(\"2006 January\", 500000))", "evaluation");
    let fixed = "let d = \"aaaaaaaaaaaaaaaa\"; ".to_owned();
    is_limited(
        fixed + &"[".repeat(0) + "reduce(1..99, upper(#acc) + lower(#acc), d)",
        "evaluation",
    );
}

#[test]
fn sharing_cannot_hide_size_or_depth() {
    is_limited("reduce(1..200, [#acc, #acc], [1])", "evaluation");
    is_limited("reduce(1..60, [#acc, #acc], [1])", "evaluation");
    is_limited("reduce(1..100000, [#acc], [1])", "nesting of a value");
    is_limited("reduce(1..100000, {{a: #acc}}, {a: 1})", "nesting of a value");
    is_limited("reduce(1..100000, groupBy([#acc], 1), 1)", "nesting of a value");
    is_limited("reduce(1..100000, fromPairs([[1, #acc]]), 1)", "nesting of a value");
    is_limited("string(reduce(1..60, [#acc, #acc], [1]))", "evaluation");
    is_limited("toJSON(reduce(1..60, [#acc, #acc], [1]))", "evaluation");
    is_limited("flatten(reduce(1..60, [#acc, #acc], [1]))", "evaluation");
    is_limited("max(reduce(1..60, [#acc, #acc], [1]))", "evaluation");
    is_limited(
        "let a = reduce(1..60, [#acc, #acc], [1]); a == reduce(1..60, [#acc, #acc], [1])",
        "evaluation",
    );
    let lets: String = (1..200).map(|n| format!("let v{n} = [v{}, v{}]; ", n - 1, n - 1)).collect();
    is_limited(format!("let v0 = [1]; {lets} v199"), "evaluation");
    let nested: String = (1..300).map(|n| format!("let v{n} = [v{}]; ", n - 1)).collect();
    is_limited(format!("let v0 = [1]; {nested} v299"), "nesting of a value");
    let nested: String = (1..300).map(|n| format!("let v{n} = [v{}]; ", n - 1)).collect();
    assert_eq!(
        on_small_stack(format!("let v0 = [1]; {nested} v299 == v299")),
        Ok(Value::Bool(true))
    );
}

#[test]
fn expensive_patterns_are_bounded() {
    let error = Program::compile(Language::Expr, r#""a" matches "(\\w{50}){50}{50}""#).unwrap_err();
    assert!(error.message.contains("not a regular expression"), "{}", error.message);
    is_limited(r#"all(inputs.list, {inputs.text not matches "(.{1,100}){3}$z"})"#, "steps");
    let many: Vec<_> = (0..40).map(|n| format!("\"a\" matches \"a{n}\"")).collect();
    let error = Program::compile(Language::Expr, &many.join("||")).unwrap_err();
    assert_eq!(error.kind, CompileErrorKind::Limit);
}

#[test]
fn odd_numbers_and_dates_are_values_or_errors() {
    let fixture = Fixture::default();
    for source in [
        "9223372036854775807 + 1",
        "-9223372036854775807 - 9",
        "int(1e300)",
        "int(0/0)",
        "(0 - 9223372036854775807 - 1) % -1",
        "abs(0 - 9223372036854775807 - 1)",
        "bitshl(1, 9223372036854775807)",
        "bitshr(-1, 200)",
        "[1][-9223372036854775807]",
        "\"abc\"[9223372036854775807:-9223372036854775807]",
        "date(\"2024-02-30\")",
        "date(\"9999-12-31\").AddDate(9223372036854775807, 0, 0)",
        "date(\"9999-12-31\").AddDate(0, -9223372036854775807, 9)",
        "reduce(1..200, #acc.AddDate(9999999, 0, 0), now())",
        "reduce(1..99, #acc + duration(\"2562047h\"), now()).Year()",
        "now().Round(duration(\"1ns\") * -1)",
        "duration(\"99999999999999h\")",
        "duration(\"2562047h\") * duration(\"2562047h\")",
        "sort([0/0, 1, 0/0, -1, 1/0, 0/0])",
        "sortBy(1..100, # % 3 == 0 ? 0/0 : #)",
        "median([0/0, 1])",
        "groupBy([0/0, 0/0, 1], #)",
        "date(\"1\", \"Jan _2 __2 .000 Z07:00\")",
        "now().Format(\".000000000000000000000000 ,999\")",
        "\"é\"[0:1] + \"é\"[1:]",
        "split(\"é\", \"\")[0]",
        "trim(\"ééé\", \"é\")",
        "take([1], 9223372036854775807)",
        "timezone(\"../../etc/passwd\")",
        "fromJSON(repeat(\"[\", 500))",
        "fromBase64(\"é\")",
    ] {
        let program = Program::compile_open(Language::Expr, source)
            .unwrap_or_else(|error| panic!("{source}: {error:?}"));
        drop(program.evaluate(&fixture, &mut Meter::default()));
    }
}

#[test]
fn odd_texts_are_errors_not_panics() {
    for text in ODD {
        opcode_expr::fuzzing::fuzz_expr(text.as_bytes());
    }
}
