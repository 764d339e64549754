//! Programs and data made to hurt: each ends with a clear limit error, on a small stack, within the meter.
//!
//! Keeps: everything runs on a 2 MiB thread in a debug build, and what was built is dropped there.
//! Not here: random texts (`jq_properties.rs`).

use std::ops::ControlFlow;

use opcode_expr::{CompileErrorKind, EvalErrorKind, Given, Meter, Program};
use opcode_model::limits::EXPRESSION_BYTES_MAX;
use opcode_model::{Timestamp, Value};

/// How many outputs there are, on a thread with the stack that a worker has.
fn on_small_stack(source: String) -> Result<usize, String> {
    let work = move || {
        let program = Program::compile_jq(&source, &[]).map_err(|error| {
            assert_eq!(error.kind, CompileErrorKind::Limit, "{}", error.message);
            error.message
        })?;
        let text = "a".repeat(9_999);
        let input = Value::object([
            ("list", Value::list((0..1000).map(Value::Int))),
            ("text", Value::from(text)),
        ]);
        let given = Given { input: &input, args: &[], now: Timestamp(0) };
        let mut count = 0;
        let outcome = program.outputs(given, &mut Meter::default(), &mut |value| {
            count += 1;
            drop(value);
            ControlFlow::Continue(())
        });
        outcome.map(|()| count).map_err(|error| {
            assert!(matches!(error.kind, EvalErrorKind::Limit { .. }), "{error}");
            error.message
        })
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap();
    thread.join().unwrap()
}

#[track_caller]
fn is_limited(source: impl Into<String>, fragment: &str) {
    let source = source.into();
    let error = on_small_stack(source.clone()).unwrap_err();
    assert!(error.contains(fragment), "{:.60}: {error}", source);
}

#[track_caller]
fn ends(source: impl Into<String>, outputs: usize) {
    let source = source.into();
    assert_eq!(on_small_stack(source.clone()), Ok(outputs), "{source:.60}");
}

#[test]
fn long_texts_are_refused_or_answered() {
    is_limited("1+".repeat(20_000) + "1", "length in bytes");
    is_limited("1+".repeat(EXPRESSION_BYTES_MAX / 2 - 1) + "1", "parts");
    ends("1+".repeat(1_900) + "1", 1);
    ends(".|".repeat(1_900) + "1", 1);
    ends("1,".repeat(1_900) + "1", 1_901);
    ends("-".repeat(8_000) + "1", 1);
    ends("null//".repeat(1_300) + "1", 1);
    ends(".".to_owned() + &"a?.".repeat(2_000) + "b", 1);
    ends("1 as $x|".repeat(900) + "$x", 1);
    ends("def f: 1; ".repeat(700) + "f", 1);
    ends("true and ".repeat(800) + "true", 1);
}

#[test]
fn deep_texts_are_refused() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("{(", "):1}"),
        ("map(", ")"),
        (".[", "]"),
        ("if 1 then ", " end"),
        ("\"\\(", ")\""),
        ("def f: ", "; f"),
        ("try ", ""),
        ("1, 1 as $x | ", ""),
        ("reduce 1 as $x (0; ", ")"),
    ] {
        is_limited(format!("{}1{}", open.repeat(300), close.repeat(300)), "nesting");
    }
    is_limited(format!(". as {}$x{} | 1", "[".repeat(500), "]".repeat(500)), "nesting");
    is_limited("(".repeat(8_000), "nesting");
    ends(format!("{}1{}", "(".repeat(60), ")".repeat(60)), 1);
    let tall = format!("{}1{}", "[[1] | map(select(. == [1, ".repeat(11), "]))]".repeat(11));
    ends(tall, 1);
}

#[test]
fn endless_work_stops_at_the_meter() {
    for source in [
        "def f: f; f",
        "def f: .+1 | f; 0 | f",
        "def f: g; def g: f; f".replace("def f: g; def g: f; f", "def f: def g: f; g; f").as_str(),
        "last(repeat(1))",
        "[limit(1; range(infinite) | select(. < 0))]",
        "reduce range(infinite) as $i (0; . + 1)",
        "last(range(1e18))",
        "0 | until(false; . + 1)",
        "last(0 | while(true; . + 1))",
        "last(recurse(0; true))",
        "label $x | repeat(1) | empty",
        "first(repeat(empty))",
        ".list[] as $a | .list[] as $b | .list[] as $c | empty",
        "[.list | combinations(3)?] | .list | [., .] | last(.. | ..  | ..)",
        ".list | map(. as $x | [range(1000)] | index([$x, $x])) | length",
        ".text as $t | .list | map($t | test(\"(a|aa)*$z\"))",
        ".text as $t | .list | map($t | [match(\"a*?b|c\"; \"g\")])",
        ".text as $t | .list | map($t | gsub(\"a\"; \"b\"))",
        ".list | . - map([.]) | . - . | [range(99999)] - [range(99999) | -.]",
        "[range(30000)] | until(false; sort)",
        ".list as $l | [range(100000)] | map($l == $l and $l < $l) | length",
        "try (def f: f; f) catch 1",
        "[range(2)] | combinations(60) | empty",
    ] {
        let error = on_small_stack(source.to_owned()).map_or_else(|error| error, |_| String::new());
        assert!(error.contains("is limited to"), "{source}: {error}");
    }
}

#[test]
fn recursion_is_bounded_by_bytes_not_by_the_stack() {
    is_limited("def f: 1 + f; f", "bytes");
    is_limited("def f: [f]; f", "bytes");
    is_limited("def f: try f catch .; f", "bytes");
    is_limited("def f($x): f($x + 1) | .; f(0)", "");
    is_limited("def f(g): f(g | g); f(.)", "");
    is_limited("def f: ., (f | f); [f]", "");
    ends("def f: if . > 200000 then . else . + 1 | f end; 0 | f", 1);
    ends("[limit(5; def f: ., f; f)]", 1);
}

#[test]
fn growth_stops_at_the_bytes() {
    is_limited("\"abc\" * 1000000000", "bytes");
    is_limited("[range(1e9)]", "");
    is_limited("reduce range(40) as $i (\"ab\"; . + .)", "bytes");
    is_limited("reduce range(40) as $i ([1]; . + .)", "bytes");
    is_limited("reduce range(1000000) as $i ({}; .[\"k\\($i)\"] = 1)", "");
    is_limited("[range(1000)] | combinations(9) | select(false)", "");
    is_limited("null | .[100000000] = 1", "");
    is_limited("null | setpath([range(2000)]; 1)", "nesting");
    is_limited(".text | [range(9000) as $i | . + \"\\($i)\"]", "");
}

#[test]
fn sharing_cannot_hide_size_or_depth() {
    let wide = "(reduce range(60) as $i ([1]; [., .]))";
    for use_ in [
        "",
        "| tojson",
        "| [..] | length",
        "| flatten | length",
        "| . == [.]",
        "| length as $n | . == . and false",
        "| contains([[[[2]]]])",
        "| [., .] | sort",
        "| unique",
        "| [paths] | length",
        "| walk(.)",
        "| . as $x | {a: $x} * {a: $x}",
        "| (.. |= .)",
        "| @json \"\\(.)\"",
        "| [leaf_paths]",
        "| tostream",
        "| group_by(.)",
        "| min_by(.)",
        "| del(..)",
    ] {
        let outcome = on_small_stack(format!("{wide} as $w | $w {use_}"));
        if let Err(error) = outcome {
            assert!(error.contains("is limited to"), "{use_}: {error}");
        }
    }
    is_limited(format!("{wide} as $w | [$w == $w]"), "steps");
    is_limited(wide, "");
    is_limited("reduce range(100000) as $i (0; [.])", "nesting of a value");
    is_limited("reduce range(100000) as $i (0; {a: .})", "nesting of a value");
    is_limited("reduce range(100000) as $i (0; . as $x | [1] | .[0] = $x)", "nesting of a value");
    is_limited("reduce range(100000) as $i ([]; [.] | group_by(.))", "nesting of a value");
    is_limited("reduce range(500) as $i (0; [.])", "nesting of a value");
    ends("reduce range(900) as $i (0; [.]) | [..] | length", 1);
    let deep = "reduce range(900) as $i (0; [.])";
    ends(
        format!(
            "({deep}) as $a | ({deep}) as $b | $a == $b, ($a | tojson | length), ([$a, $b] | sort | length), ($a | flatten)"
        ),
        4,
    );
}

#[test]
fn expensive_patterns_are_bounded() {
    for pattern in ["(\\\\w{50}){50}{50}", "((((a{9}){9}){9}){9}){9}", "\\\\pL{1000}{1000}"] {
        let program = Program::compile_jq(&format!("test(\"{pattern}\")"), &[]).unwrap();
        let given = Given { input: &Value::from("a"), args: &[], now: Timestamp(0) };
        let outcome =
            program.outputs(given, &mut Meter::default(), &mut |_| ControlFlow::Continue(()));
        assert!(outcome.unwrap_err().message.contains("invalid regular expression"));
    }
    is_limited(".text as $t | .list | map($t | test(\"(.{1,20}){3}$z\"))", "steps");
    is_limited("[range(9999)] | map(tostring as $p | \"a\" | test($p))", "steps");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of texts")]
fn odd_texts_are_errors_not_panics() {
    for text in [
        "\0",
        "\u{feff}1",
        "é",
        "\"é",
        "\"\\",
        "\"\\u12",
        "\"\\ud83d\\u0041\"",
        "1e",
        "1e+",
        ".5.",
        "1..2",
        "..",
        "...",
        "?",
        "{",
        "{1",
        "{a:",
        "[?",
        ".[",
        ".[:",
        ".[1:",
        ".[:]",
        "$",
        "$$",
        "@",
        "@x",
        "@json\"",
        "\"\\(",
        "\"\\(\"",
        "#",
        "#\\",
        "#\\\n",
        "as",
        "1 as",
        "1 as $",
        ". as [",
        ". as {",
        ". as {a}",
        ". as {$a:",
        "def",
        "def f",
        "def f(",
        "def f(g",
        "def f:",
        "def f: 1",
        "if",
        "if 1",
        "if 1 then",
        "try",
        "reduce",
        "foreach 1 as $x (1",
        "label",
        "label $x",
        "break",
        "-",
        "--",
        "+",
        "//",
        "?//",
        "1?//2",
        ". as $x ?// [$x] | $x",
        "🦀",
        "\"🦀\"[0:1]",
        "a::",
        "::a",
        "{a b}",
        "{(1)}",
        "{\"a\\(1)\"}",
        "$__loc__",
        "{$__loc__}",
        "limit(1e308; 1)",
        ".[nan] = 1",
        ".[infinite]",
        ".[-infinite:infinite]",
        "[1][nan:nan]",
        "ldexp(1; 1e300)",
        "jn(1e300; 1)",
        "yn(-1e300; 1)",
        "1e300 | gmtime",
        "-1e300 | todate",
        "[1e300] | mktime",
        "[1,2,3,4,5,nan] | mktime",
        "\"%\" | strptime(\"%\")",
        "0 | strftime(\"%\")",
        "0 | strftime(\"%-\")",
        "\"\" | strptime(\"%j\")",
        "-9223372036854775808 % -1",
        "-9223372036854775808 / -1",
        "9223372036854775807 * -2 | abs",
        "[.[]?] | implode?",
        "[-1, 1e300, 55555555] | implode",
        "splits(\"\"; \"g\")?",
        "\"x\" * 0.1",
        "[limit(3; repeat(\"a\" | ascii))]?",
        "range(0; 1; 0)",
        "[range(nan; 1)]",
        "tojson | fromjson",
        "\"[\" * 200 | fromjson?",
        "getpath([[]])?",
        "getpath([{}])?",
        "delpaths([[{}]])?",
        "setpath([{\"start\": 0, \"end\": null}]; 1)?",
        "[[1]] | .[{\"start\": null, \"end\": 1}] = [2]",
    ] {
        opcode_expr::fuzzing::fuzz_jq(text.as_bytes());
    }
}
