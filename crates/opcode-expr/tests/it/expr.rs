//! Expr over a workflow's scope and over a plain object: values, messages, references, times.
//!
//! Keeps: what `expr.eval` of existing workflows relies on.
//! Not here: the language as a whole (`expr_conformance.rs`).

use opcode_expr::{
    CompileErrorKind, EvalError, EvalErrorKind, Language, Meter, ObjectScope, Program,
};
use opcode_model::{ErrorCode, StepStatus, Timestamp, Value};

use crate::scope::{Fixture, value};

fn fixture() -> Fixture {
    Fixture::default()
        .root("inputs", r#"{"count":5,"threshold":0.8,"name":"ada","tags":["a","b"],"big":9007199254740993}"#)
        .root("workflow", r#"{"run_id":"r1"}"#)
        .done("fetch", r#"{"status_code":200,"items":[{"id":1,"score":0.9},{"id":2,"score":0.5}],"status":"mine"}"#)
        .done("fetch-data", r#"{"body":{"count":5}}"#)
        .step("skipped", StepStatus::Skipped)
}

fn evaluate(source: &str) -> Result<Value, EvalError> {
    let program = Program::compile(Language::Expr, source)
        .unwrap_or_else(|error| panic!("{source}: {error:?}"));
    program.evaluate(&fixture(), &mut Meter::default())
}

#[track_caller]
fn answers(source: &str, json: &str) {
    assert_eq!(evaluate(source), Ok(value(json)), "{source}");
}

#[track_caller]
fn fails(source: &str, kind: EvalErrorKind, fragment: &str) {
    let error = evaluate(source).unwrap_err();
    assert_eq!(error.kind, kind, "{source}: {error}");
    assert!(error.to_string().contains(fragment), "{source}: {error}");
}

#[test]
fn everyday_expressions_answer() {
    answers("steps.fetch.status_code == 200 && inputs.count > 3", "true");
    answers("filter(steps.fetch.items, {.score >= inputs.threshold}) | map(.id)", "[1]");
    answers("steps['fetch-data'].body.count + inputs.count", "10");
    answers("inputs.count > 10 ? 'bulk' : 'standard'", r#""standard""#);
    answers("let total = inputs.count * 2; total + 1", "11");
    answers("if inputs.name in ['ada', 'bob'] { 'known' } else { 'new' }", r#""known""#);
    answers("inputs.missing ?? 'default'", r#""default""#);
    answers("inputs.user?.name ?? 'Anonymous'", r#""Anonymous""#);
    answers(
        "{'name': upper(inputs.name), tags: inputs.tags | join('+')}",
        r#"{"name":"ADA","tags":"a+b"}"#,
    );
    answers("reduce(inputs.tags, #acc + # + string(#index), '')", r#""a0b1""#);
    answers("sum(steps.fetch.items, .score) > 1.3", "true");
    answers(
        "groupBy(steps.fetch.items, .score > 0.8 ? 'good' : 'bad') | keys()",
        r#"["bad","good"]"#,
    );
    answers("inputs.name[1:] + 'x' /* a comment */ // and another", r#""dax""#);
    answers("1 < 2 < 3 and not (3 < 2 < 1)", "true");
    answers("2 ** 3 ** 2 + -2 ^ 2", "508");
    answers(r#""a.b" matches "^a\\.b$" and "x1" not matches `\D$`"#, "true");
}

#[test]
fn whole_numbers_stay_exact_and_count_as_ints() {
    answers("inputs.big", "9007199254740993");
    answers("inputs.big + 1", "9007199254740994");
    answers("inputs.count % 2", "1");
    answers("inputs.tags[inputs.count - 4]", r#""b""#);
    answers("1..inputs.count | len()", "5");
    answers("bitand(inputs.count, 4)", "4");
    answers("10 / 4", "2.5");
    answers("10 / 5", "2");
    answers("9223372036854775807 + 1", "-9223372036854775808");
    fails("inputs.threshold % 2", EvalErrorKind::Type, "whole numbers");
    fails("inputs.count % 0", EvalErrorKind::DivisionByZero, "division by zero");
}

#[test]
fn absent_things_are_nil_and_reading_nil_fails() {
    answers("steps.nothing", "null");
    answers("steps.skipped?.x ?? 1", "1");
    answers("steps.skipped.status", r#""skipped""#);
    answers(
        "[steps.fetch.status, steps['fetch-data'].status, steps['fetch-data'].output.body.count]",
        r#"["mine","completed",5]"#,
    );
    answers("'fetch' in steps and len(steps) == 2", "true");
    answers("iter", "null");
    answers("keys($env)", r#"["inputs","steps","workflow"]"#);
    answers("$env.inputs.count + $env['inputs']['count']", "10");
    fails("inputs.user.name", EvalErrorKind::MissingKey, "?.name");
    fails("inputs.tags[2]", EvalErrorKind::OutOfRange, "no item 2 in an array of 2");
    fails("inputs.name.first", EvalErrorKind::Type, "only maps have fields");
    fails("inputs.name + 1", EvalErrorKind::Type, "string(x)");
    fails("inputs.tags.len()", EvalErrorKind::Type, "");
    fails("sort([1, 'a'])", EvalErrorKind::Type, "cannot apply `<`");
}

#[test]
fn times_and_durations() {
    answers("date('2026-08-14')", r#""2026-08-14T00:00:00Z""#);
    answers("date('2026-08-14') - date('2026-08-13')", "86400000000000");
    answers("duration('90m')", "5400000000000");
    answers("string(duration('90m') * 2)", r#""3h0m0s""#);
    answers("string(duration('1.5ms'))", r#""1.5ms""#);
    answers(
        "(date('2026-02-27') + duration('48h')).Format('Mon Jan _2 15:04:05 2006')",
        r#""Sun Mar  1 00:00:00 2026""#,
    );
    answers("date('14/08/2026 15:04 PM', '02/01/2006 15:04 PM').Unix()", "1786719840");
    answers("date('2026-01-31').AddDate(0, 1, 0).Day()", "3");
    answers(
        "string(date('2026-08-14').Month()) + ' ' + string(date('2026-08-14').Weekday())",
        r#""August Friday""#,
    );
    answers(
        "date('2026-07-01 12:00:00', '2006-01-02 15:04:05', 'Europe/Berlin')",
        r#""2026-07-01T12:00:00+02:00""#,
    );
    answers("date('2026-08-14T10:00:00+05:30').UTC()", r#""2026-08-14T04:30:00Z""#);
    answers("date('Fri, 14 Aug 2026 10:00:00 GMT').Hour()", "10");
    answers("now().UnixMilli()", "1790000000123");
    answers("string(date('2026-08-14 10:00:00'))", r#""2026-08-14 10:00:00 +0000 UTC""#);
    answers("max(duration('1s'), duration('2s')).Seconds()", "2");
    answers("date('2026-08-14').YearDay()", "226");
    answers("date('2026-08-14T10:11:12.5Z').Truncate(duration('1h'))", r#""2026-08-14T10:00:00Z""#);
    fails("date('soon')", EvalErrorKind::Argument, "2026-11-20T15:41:07Z");
    fails("timezone('Mars/Olympus')", EvalErrorKind::Argument, "Mars/Olympus");
}

#[test]
fn a_plain_object_is_an_environment() {
    let data = value(r#"{"items":[{"p":1},{"p":2}],"steps":{"a":{"x":1}},"inputs":{"mine":true}}"#);
    let data = data.as_object().unwrap();
    let alone = ObjectScope::new(data, Timestamp(0));
    let program = Program::compile_open(Language::Expr, "sum(items, .p) + steps.a.x").unwrap();
    assert_eq!(program.evaluate(&alone, &mut Meter::default()), Ok(Value::Int(4)));
    let workflow = fixture();
    let both = ObjectScope::beneath(data, &workflow);
    let program = Program::compile_open(
        Language::Expr,
        "[len(items), inputs.count, steps.fetch.status_code, inputs.mine, nobody]",
    )
    .unwrap();
    assert_eq!(program.evaluate(&both, &mut Meter::default()), Ok(value("[2,5,200,null,null]")));
    assert!(Program::compile_exact(Language::Expr, "items + 1", &alone).is_err());
    assert!(Program::compile_exact(Language::Expr, "items[0].p % 2", &alone).is_ok());
}

#[track_caller]
fn refuses(source: &str, kind: CompileErrorKind, fragments: &[&str]) {
    let error = Program::compile(Language::Expr, source).unwrap_err();
    let text = format!("{} ({})", error.message, error.hint.clone().unwrap_or_default());
    assert_eq!(error.kind, kind, "{source}: {text}");
    for fragment in fragments {
        assert!(text.contains(fragment), "{source}: {text}");
    }
    assert!(error.span.end <= source.len().max(1), "{source}: {:?}", error.span);
}

#[test]
fn mistakes_in_the_text_are_explained() {
    use CompileErrorKind::{Secret, Syntax, Unknown};
    refuses("", Syntax, &["empty"]);
    refuses("][invalid", Syntax, &["expected a value", "`]`"]);
    refuses("input.x", Unknown, &["unknown variable `input`", "did you mean `inputs`?"]);
    refuses("size(inputs)", Unknown, &["unknown function `size`", "len(x)"]);
    refuses("fliter(inputs.tags, true)", Unknown, &["did you mean `filter`?"]);
    refuses("len", Unknown, &["write len(…)"]);
    refuses("null == inputs.x", Unknown, &["`nil`"]);
    refuses("inputs.a = 1", Syntax, &["`==`"]);
    refuses("'a' + 1", Syntax, &["cannot apply `+` to string and int", "string(x)"]);
    refuses("'a' in 'abc'", Syntax, &["contains"]);
    refuses("trim()", Unknown, &["takes 1 to 2 arguments, got 0"]);
    refuses("filter(inputs.tags, 1)", Syntax, &["gives a bool, got int"]);
    refuses("filter('abc', true)", Syntax, &["takes an array, got string"]);
    refuses("#", Syntax, &["inside a predicate"]);
    refuses("filter(inputs.tags, #acc)", Unknown, &["`#acc` in reduce"]);
    refuses("inputs.a ?? 1 + 2", Syntax, &["parentheses"]);
    refuses("secrets.KEY", Secret, &["${{secrets.NAME}}"]);
    refuses("date('x').Yaer()", Syntax, &["did you mean `Year`?"]);
    refuses("let len = 1; len", Syntax, &["`len` is a function already"]);
    refuses("'abc", Syntax, &["unclosed string"]);
    refuses("'\\q'", Syntax, &["escape"]);
    refuses("1 % 0", Syntax, &["division by zero"]);
    refuses("'a' matches '('", Syntax, &["not a regular expression"]);
    refuses("99999999999999999999", Syntax, &["64 bits"]);
    let failure = evaluate("inputs.a.b").unwrap_err().to_failure();
    assert_eq!(failure.code, ErrorCode::Execution);
}

#[test]
fn references_show_what_is_read() {
    let source = "steps['a-b'].x + steps.c.status + inputs.n + len(filter(steps | values(), inputs['m'] > loop.index))";
    let program = Program::compile(Language::Expr, source).unwrap();
    let references = program.references();
    let ids: Vec<_> = references.steps.iter().map(|step| step.resolve(|_| true).0).collect();
    assert_eq!(ids, ["a-b", "c"]);
    assert!(references.steps[1].status_only && !references.steps[0].status_only);
    assert!(references.dynamic_steps);
    let inputs: Vec<_> = references.inputs.iter().map(|input| input.0.as_ref()).collect();
    assert_eq!(inputs, ["n", "m"]);
    let roots: Vec<_> = references.roots.iter().map(AsRef::as_ref).collect();
    assert_eq!(roots, ["inputs", "iter", "steps"]);
    assert_eq!(program.language(), Language::Expr);
}
