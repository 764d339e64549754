//! Texts and data made to hurt: each ends with a clear limit error, on a small stack, within the meter.
//!
//! Keeps: everything runs on a 2 MiB thread in a debug build.
//! Not here: random texts (`properties.rs`).

use opcode_expr::{CompileErrorKind, EvalErrorKind, Language, Meter, Program, Template};
use opcode_model::Value;
use opcode_model::limits::EXPRESSION_BYTES_MAX;

use crate::scope::Fixture;
use crate::small_stack;

fn on_small_stack(source: String) -> Result<Value, String> {
    small_stack::evaluate(Language::Cel, source)
}

#[track_caller]
fn is_limited(source: String, fragment: &str) {
    let error = on_small_stack(source).unwrap_err();
    assert!(error.contains(fragment), "{error}");
}

#[test]
fn long_texts_are_refused_or_answered() {
    is_limited("1+".repeat(20_000) + "1", "length in bytes");
    is_limited("1+".repeat(EXPRESSION_BYTES_MAX / 2 - 1) + "1", "parts");
    assert_eq!(on_small_stack("1+".repeat(1_900) + "1"), Ok(Value::Int(1_901)));
    assert_eq!(on_small_stack("true&&".repeat(1_000) + "true"), Ok(Value::Bool(true)));
    assert_eq!(on_small_stack("false?1:".repeat(600) + "2"), Ok(Value::Int(2)));
    assert_eq!(on_small_stack("!".repeat(8_000) + "true"), Ok(Value::Bool(true)));
    assert_eq!(on_small_stack("-".repeat(8_001) + "1"), Ok(Value::Int(-1)));
}

#[test]
fn deep_texts_are_refused() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("size(", ")"), ("[1].map(x,", ")")]
    {
        let source = format!("{}1{}", open.repeat(700), close.repeat(700));
        is_limited(source, "nesting");
    }
    is_limited("!-".repeat(4_000) + "1", "nesting");
    is_limited("true?".repeat(500) + "1" + &":1".repeat(500), "nesting");
    is_limited("(".repeat(8_000), "nesting");
    let deepest = format!("{}1{}", "(".repeat(62), ")".repeat(62));
    assert_eq!(on_small_stack(deepest), Ok(Value::Int(1)));
    let mixed = "(1==1||1<2&&1+2*-(".repeat(31) + "1" + &"))".repeat(31);
    let outcome = Program::compile(Language::Cel, &mixed);
    assert!(outcome.is_err() || on_small_stack(mixed).is_ok());
}

#[test]
fn the_tallest_code_that_compiles_fits_the_stack() {
    for (open, close) in [
        ("(1==1||1<2&&1+2*", ")"),
        ("[1].map(x, x + ", ")[0]"),
        ("[[1].filter(y, true).size() + ", "][0]"),
        ("{'k': ", "}.k"),
        ("[?optional.of(", ")][0]"),
        ("(inputs.a ? [inputs.b].map(x, x + ", ") : [1])[0]"),
        ("size(string(", "))"),
    ] {
        let tallest = (1..64)
            .rev()
            .map(|n| format!("{}1{}", open.repeat(n), close.repeat(n)))
            .find(|source| Program::compile_open(Language::Cel, source).is_ok())
            .unwrap();
        let work = move || {
            let program = Program::compile_open(Language::Cel, &tallest).unwrap();
            drop(Program::compile(Language::Cel, &tallest));
            drop(program.evaluate(&Fixture::default(), &mut Meter::default()));
        };
        std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
    }
}

#[test]
fn endless_work_stops_at_the_meter() {
    let list = "[0,1,2,3,4,5,6,7,8,9]";
    let mut nested = "true".to_owned();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        nested = format!("{list}.all({name}, {nested})");
    }
    is_limited(nested, "evaluation steps");
    let maps = format!("{}1{}", "inputs.list.map(x, ".repeat(5), ")".repeat(5));
    is_limited(maps, "evaluation");
    is_limited(
        "inputs.list.all(x, inputs.list.all(y, inputs.list == inputs.list))".into(),
        "steps",
    );
    is_limited("inputs.list.all(x, inputs.list.all(y, !(7 in inputs.list)))".into(), "steps");
    is_limited(
        "inputs.list.all(x, inputs.list.all(y, !inputs.text.contains('aab')))".into(),
        "steps",
    );
    is_limited("inputs.list.all(x, inputs.text.matches('(a|aa)*$'))".into(), "steps");
    is_limited("inputs.list.all(x, 'a'.matches('a' + string(x) + inputs.text))".into(), "steps");
    is_limited("inputs.list.all(x, inputs.list.all(y, size(inputs.text) > 0))".into(), "steps");
    is_limited(
        "inputs.list.map(x, inputs.text + inputs.text).map(t, t + t).map(t, t + t)".into(),
        "bytes",
    );
    is_limited("inputs.list.map(x, inputs.list + inputs.list + inputs.list)".into(), "bytes");
    // Errors that are swallowed a million times are cheap, and a limit is never swallowed.
    is_limited(
        "inputs.list.all(x, inputs.list.all(y, steps.nothing.x == 1)) || true".into(),
        "steps",
    );
}

#[test]
fn doubling_stops_at_the_bytes() {
    let mut source = "inputs.text".to_owned();
    for _ in 0..24 {
        source = format!("[{source}].map(t, t + t)[0]");
    }
    is_limited(source, "evaluation bytes");
}

#[test]
fn a_shared_value_is_not_charged_as_if_copied_but_its_text_is() {
    let fixture =
        Fixture::default().root("inputs", &format!(r#"{{"t":"{}"}}"#, "x".repeat(1 << 20)));
    let text = Value::from("${{inputs.t}}".repeat(80));
    let error =
        Template::compile(&text).unwrap().render(&fixture, &mut Meter::default()).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Limit { which: "evaluation bytes", value: 64 << 20 });
}

#[test]
fn sharing_cannot_hide_size_or_depth() {
    for first in ["inputs.list", "[1u]", "optional.of(1)"] {
        let doubled = format!("[{first}]{}", ".map(a,[a,a])".repeat(200));
        is_limited(doubled, "evaluation bytes");
        let deep = format!("[{first}]{}", ".map(a,[a])".repeat(600));
        is_limited(deep, "nesting of a value");
        let same = format!("[{first}]{}", ".map(a,[a])".repeat(300));
        assert_eq!(on_small_stack(format!("{same} == {same}")), Ok(Value::Bool(true)), "{first}");
    }
    let fixture =
        Fixture::default().root("inputs", &format!(r#"{{"t":"{}"}}"#, "x".repeat(1 << 20)));
    let many = Value::list((0..80).map(|_| Value::from("${{inputs.t}}")));
    let template = Template::compile(&many).unwrap();
    let error = template.render(&fixture, &mut Meter::default()).unwrap_err();
    assert_eq!(error.to_failure().code, opcode_model::ErrorCode::LimitExceeded);
    let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(60), "]".repeat(60));
    let fixture = Fixture::default().root("inputs", &format!(r#"{{"t":{}}}"#, nested("1")));
    let error = fixture.render(&nested(r#""${{inputs.t}}""#)).unwrap_err();
    assert!(error.to_string().contains("nesting of parameters"), "{error}");
}

#[test]
fn unclosed_strings_are_found_at_once() {
    let text = Value::from("${{ ''' }} ".repeat(9_001));
    assert!(Template::compile(&text).is_err());
    let text = Value::from("${{ 1 // }} ".repeat(2_000));
    assert!(Template::compile(&text).is_ok());
}

#[test]
fn expensive_patterns_are_bounded() {
    let source = r"'a'.matches('(\\w{50}){50}{50}')";
    let error = Program::compile(Language::Cel, source).unwrap_err();
    assert!(error.message.contains("not a regular expression"), "{}", error.message);
    let word = "inputs.list.all(x, !inputs.text.matches('(.{1,100}){3}$z'))".to_owned();
    is_limited(word, "evaluation steps");
    let source = "inputs.text.matches('a' + 'b|[a-z]+@[a-z]+')".to_owned();
    assert_eq!(on_small_stack(source), Ok(Value::Bool(false)));
    let many: Vec<_> = (0..40).map(|n| format!("'a'.matches('a{n}')")).collect();
    let error = Program::compile(Language::Cel, &many.join("||")).unwrap_err();
    assert_eq!(error.kind, CompileErrorKind::Limit);
}

#[test]
fn patterns_of_any_make_end_at_once() {
    let deep = "(".repeat(2_000) + "a" + &")".repeat(2_000);
    let patterns = [
        deep,
        "(a{100}){100}{100}".to_owned(),
        "(((a{99}){99}){99}){99}".to_owned(),
        "[".repeat(7_000),
        r"[[:alpha:]\pL]".repeat(500),
        r"\pL".repeat(2_000),
        r"\p{".repeat(2_000),
        "a|".repeat(3_900),
        "(a?)".repeat(1_500) + "{1000}",
        r"\Q".to_owned() + &"(".repeat(7_000),
        ".*".repeat(3_000) + "x",
    ];
    for pattern in patterns {
        for source in [
            format!("inputs.text.matches(r'{pattern}')"),
            format!("inputs.text.matches('' + r'{pattern}')"),
        ] {
            // Compiled or refused, matched or stopped: each is an answer.
            let work = move || {
                let fixture = Fixture::default()
                    .root("inputs", &format!(r#"{{"text":"{}"}}"#, "a".repeat(9_999)));
                if let Ok(program) = Program::compile(Language::Cel, &source) {
                    drop(program.evaluate(&fixture, &mut Meter::default()));
                }
            };
            std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
        }
    }
    is_limited("inputs.list.all(x, !inputs.text.matches(inputs.text + string(x)))".into(), "steps");
}

#[test]
fn huge_numbers_are_refused_not_cut() {
    let long = "9".repeat(7_000);
    for source in [
        long.clone(),
        format!("{long}u"),
        format!("{long}.0"),
        format!("1e{long}"),
        format!("0x{}", "f".repeat(7_000)),
        format!("int('{long}')"),
        format!("uint('{long}')"),
        format!("double('{long}')"),
        format!("duration('{long}h')"),
        format!("timestamp('{long}-01-01T00:00:00Z')"),
        format!("[1][{long}u]"),
        "[1][9223372036854775807]".to_owned(),
        "[1][18446744073709551615u]".to_owned(),
        "[1][dyn(1e300)]".to_owned(),
        "timestamp(9223372036854775807)".to_owned(),
        "timestamp(0) + duration(9223372036854775807)".to_owned(),
        "timestamp(0) - duration('-9223372036854775808ns')".to_owned(),
    ] {
        let outcome = Program::compile_open(Language::Cel, &source)
            .map_err(|error| error.to_string())
            .map(|program| program.evaluate(&Fixture::default(), &mut Meter::default()));
        let shown = &source[..source.len().min(60)];
        let moved = shown.starts_with("timestamp(0) ");
        assert_eq!(matches!(outcome, Ok(Ok(_))), moved, "{shown}: {outcome:?}");
    }
}

#[test]
fn odd_texts_are_errors_not_panics() {
    let odd = [
        "\0",
        "\u{feff}1",
        "é",
        "'é",
        "'\\",
        "'\\u12",
        "b'\\xf",
        "0x",
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
        "[?",
        "x.?",
        "r'",
        "rb''",
        "br\"\"\"",
        "`",
        "``",
        "a.``",
        "//",
        "1 // é",
        "\u{85}",
        "1u1",
        "-",
        "--",
        "!-",
        "in",
        "1 in",
        "has()",
        "has(a.b",
        "x.map()",
        "x.map(y)",
        "optional.",
        "optional.of(",
        "google.protobuf.Any",
        "steps.",
        "steps[",
        "🦀",
        "'🦀'[0]",
        "\"\\U0011ffff\"",
    ];
    for text in odd {
        opcode_expr::fuzzing::fuzz_cel(text.as_bytes());
        for wrapped in
            [format!("${{{{{text}}}}}"), format!("${{{{{text}"), format!("{text}${{{{ {text} }}}}")]
        {
            opcode_expr::fuzzing::fuzz_template(wrapped.as_bytes());
        }
    }
}
