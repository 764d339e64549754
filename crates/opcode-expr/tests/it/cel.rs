//! CEL over a workflow's scope: steps, inputs, absence, messages, references.
//!
//! Keeps: what guards and conditions of existing workflows rely on.
//! Not here: the language itself (`conformance.rs`).

use opcode_expr::{CompileErrorKind, EvalErrorKind, Language, Meter, Program};
use opcode_model::{ErrorCode, StepStatus, Value};

use crate::scope::{Fixture, value};

fn fixture() -> Fixture {
    Fixture::default()
        .root("inputs", r#"{"count":5,"enabled":true,"name":"ada","price":2.5,"tags":["a","b"]}"#)
        .root("workflow", r#"{"run_id":"r1"}"#)
        .root("context", r#"{"intent":"deploy"}"#)
        .done("fetch", r#"{"status_code":200,"body":{"items":[1,2,3]},"status":"mine"}"#)
        .done("fetch-data", r#"{"body":{"count":5}}"#)
        .done("l.iter_0.h", r#"{"hash":"abc"}"#)
        .done("plain", r#""text""#)
        .step("skipped", StepStatus::Skipped)
        .step("later", StepStatus::Pending)
        .step("broken", StepStatus::Failed)
}

#[track_caller]
fn answers(source: &str, json: &str) {
    assert_eq!(fixture().cel(source), Ok(value(json)), "{source}");
}

#[track_caller]
fn fails(source: &str, kind: EvalErrorKind, fragment: &str) {
    let error = fixture().cel(source).unwrap_err();
    assert_eq!(error.kind, kind, "{source}: {error}");
    assert!(error.to_string().contains(fragment), "{source}: {error}");
    assert!(error.to_string().contains(source), "{source}: {error}");
}

#[test]
fn everyday_conditions_answer() {
    answers("1 + 2", "3");
    answers("'he' + 'llo'", r#""hello""#);
    answers("inputs.enabled == true && inputs.count > 3", "true");
    answers("workflow.run_id == 'r1' && context.intent == 'deploy'", "true");
    answers("inputs.count > 9 ? 'high' : inputs.count > 3 ? 'good' : 'low'", r#""good""#);
    answers("'a' in inputs.tags && !('z' in inputs.tags)", "true");
    answers("has(inputs.count) && !has(inputs.missing)", "true");
    answers("size(inputs.tags) + inputs.tags.size()", "4");
    answers("steps.fetch.body.items.filter(x, x > 1).map(x, x * 10)", "[20,30]");
    answers("steps['l.iter_0.h'].hash", r#""abc""#);
    answers("inputs.name[0] + inputs.name[2]", r#""aa""#);
    answers("{'a': inputs.count, 'b': [1u, null]}", r#"{"a":5,"b":[1,null]}"#);
    answers("steps.plain + '!'", r#""text!""#);
}

#[test]
fn numbers_mix() {
    answers("inputs.count + 1", "6");
    answers("inputs.count * inputs.price", "12.5");
    answers("inputs.count + 1u == 6", "true");
    answers("1 < 1.5 && 2u > 1 && 1.0 == 1", "true");
    answers("7 / 2", "3");
    answers("double(7) / 2", "3.5");
    answers("18446744073709551615u", r#""18446744073709551615""#);
    fails("9223372036854775807 + 1", EvalErrorKind::Overflow, "int out of range");
    fails("-(-9223372036854775808)", EvalErrorKind::Overflow, "int out of range");
    fails("1 / 0", EvalErrorKind::DivisionByZero, "division by zero");
    fails("inputs.count + 'a'", EvalErrorKind::Type, "convert with string(x)");
    fails("inputs.price % 2", EvalErrorKind::Type, "int(x)");
}

#[test]
fn what_json_cannot_say_comes_out_as_text() {
    answers("timestamp('2026-11-20T15:41:07.5Z')", r#""2026-11-20T15:41:07.5Z""#);
    answers("duration('90m') + duration('1ms')", r#""5400.001s""#);
    answers("type(1)", r#""int""#);
    answers("{1: 'a', true: 'b'}", r#"{"1":"a","true":"b"}"#);
    answers("optional.of(3)", "3");
    answers("[optional.none()]", "[null]");
    answers("b'abc' == bytes('abc')", "true");
    answers("now - timestamp('2026-09-21T14:13:20Z') < duration('1h')", "true");
    answers("now.getFullYear()", "2026");
}

#[test]
fn a_step_is_its_output_and_its_own_fields_stand_behind_it() {
    answers("steps.fetch.status_code == 200", "true");
    answers("steps.fetch.output.status_code == 200", "true");
    answers("steps.fetch.status", r#""mine""#);
    answers("steps['fetch-data'].status", r#""completed""#);
    answers("step_status['fetch']", r#""completed""#);
    answers("step_status.skipped", r#""skipped""#);
    answers("steps['fetch-data'].error", "null");
    answers("steps.skipped.status", r#""skipped""#);
    answers("steps['fetch-data']", r#"{"body":{"count":5}}"#);
    answers("steps[inputs.name == 'ada' ? 'fetch' : 'x'].status_code", "200");
    answers("'fetch' in steps && size(steps) == 4", "true");
    answers("steps.exists(id, id == 'plain')", "true");
}

#[test]
fn absence_is_told_from_mistakes() {
    fails("steps.skipped.x == 1", EvalErrorKind::AbsentStep, "was skipped");
    fails("steps.later.x == 1", EvalErrorKind::AbsentStep, "no output yet (it is pending)");
    fails("steps.fetsh.x == 1", EvalErrorKind::AbsentStep, "did you mean `fetch`?");
    fails("steps.broken.x == 1", EvalErrorKind::MissingKey, "failed");
    fails("inputs.cuont > 1", EvalErrorKind::AbsentInput, "did you mean `count`?");
    fails("inputs.name.first", EvalErrorKind::Type, "only objects have fields");
    fails("steps.fetch.body.itms", EvalErrorKind::MissingKey, "did you mean `items`?");
    fails("iter.item", EvalErrorKind::AbsentVariable, "only inside a loop");
    fails("error.code", EvalErrorKind::AbsentVariable, "on_error");
    fails("inputs.tags[2]", EvalErrorKind::OutOfRange, "no item 2 in a list of 2");
    answers("has(steps.skipped.x) || has(steps.nothing.x) || has(steps.later)", "false");
    answers("has(steps.fetch.body) && has(steps.fetch)", "true");
    answers("steps.skipped.x == 1 || true", "true");
    assert!(fixture().cel("steps.skipped.x").unwrap_err().kind.is_absence());
    assert!(fixture().cel("inputs.nothing").unwrap_err().kind.is_absence());
    let nothing = Fixture::default();
    assert_eq!(nothing.cel("inputs.x").unwrap_err().kind, EvalErrorKind::AbsentInput);
    assert_eq!(nothing.cel("size(context) + size(inputs)"), Ok(Value::Int(0)));
}

#[test]
fn failures_carry_code_expression_and_place() {
    let failure = fixture().cel("1 + inputs.nothing").unwrap_err().to_failure();
    assert_eq!(failure.code, ErrorCode::Execution);
    assert_eq!(
        failure.details.find("expression").and_then(Value::as_str),
        Some("1 + inputs.nothing")
    );
    assert_eq!(failure.details.find("start"), Some(&Value::Int(4)));
    let program = Program::compile(Language::Cel, "[1,2,3].map(x, x)").unwrap();
    let error = program.evaluate(&fixture(), &mut Meter::new(3, 1000)).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Limit { which: "evaluation steps", value: 3 });
    assert_eq!(error.to_failure().code, ErrorCode::LimitExceeded);
}

#[track_caller]
fn refuses(source: &str, kind: CompileErrorKind, fragments: &[&str]) {
    let error = Program::compile(Language::Cel, source).unwrap_err();
    let text = format!("{} ({})", error.message, error.hint.clone().unwrap_or_default());
    assert_eq!(error.kind, kind, "{source}: {text}");
    for fragment in fragments {
        assert!(text.contains(fragment), "{source}: {text}");
    }
    assert!(error.to_failure(source).message.contains(&error.message));
}

#[test]
fn mistakes_in_the_text_are_explained() {
    use CompileErrorKind::{Secret, Syntax, Unknown};
    refuses("", Syntax, &["empty"]);
    refuses("   ", Syntax, &["empty"]);
    refuses("inputs >>> 1", Syntax, &["expected a value", "`>`"]);
    refuses("invalid >>>", Unknown, &["unknown variable `invalid`"]);
    refuses("inputs.a = 1", Syntax, &["`==`"]);
    refuses("inputs.a and inputs.b", Syntax, &["`&&`"]);
    refuses("os.env", Unknown, &["unknown variable `os`", "inputs, iter"]);
    refuses("input.x", Unknown, &["did you mean `inputs`?"]);
    refuses("len(inputs)", Unknown, &["write size(x)"]);
    refuses("inputs.x.startswith('a')", Unknown, &["did you mean `startsWith`?"]);
    refuses("inputs.x.contains()", Unknown, &["takes 1 argument, got 0"]);
    refuses("secrets.KEY == 'x'", Secret, &["${{secrets.NAME}}"]);
    refuses("inputs.list.map(1, 2)", Syntax, &["map(x, …)"]);
    refuses("has(1)", Syntax, &["has(inputs.name)"]);
    refuses("(1 + 2", Syntax, &["expected `)`", "the end"]);
    refuses("'abc", Syntax, &["unclosed string"]);
    refuses(r"'\q'", Syntax, &["escape"]);
    refuses("'a'.matches('(')", Syntax, &["not a regular expression"]);
    refuses("[1,2].all(loop, true", Syntax, &[]);
    refuses("let x", Syntax, &["reserved"]);
    refuses("99999999999999999999", Syntax, &["64 bits"]);
    refuses("1 2", Syntax, &["an operator or the end"]);
    refuses("steps.fetch-data.body.count > 5", Unknown, &["steps['fetch-data'].body.count > 5"]);
    let error = Program::compile(Language::Cel, "steps.a-b.c == 'x.y-z'").unwrap_err();
    assert_eq!(error.replacement.as_deref(), Some("steps['a-b'].c == 'x.y-z'"));
}

#[test]
fn references_show_what_is_read() {
    let program = Program::compile(
        Language::Cel,
        "steps['a-b'].x / steps.c.y > inputs.n && steps.all(s, s != '') && step_status.d == 'x' && loop.index > 0",
    )
    .unwrap();
    let references = program.references();
    let ids: Vec<_> = references.steps.iter().map(|step| step.resolve(|_| true).0).collect();
    assert_eq!(ids, ["a-b", "c", "d"]);
    assert!(references.steps[2].status_only && !references.steps[0].status_only);
    assert!(references.dynamic_steps);
    assert_eq!(references.inputs[0].0.as_ref(), "n");
    let roots: Vec<_> = references.roots.iter().map(AsRef::as_ref).collect();
    assert_eq!(roots, ["inputs", "iter", "step_status", "steps"]);
    assert_eq!(references.divisions.len(), 1);
    assert_eq!(references.divisions[0].suggestion, "double(steps['a-b'].x) / steps.c.y");
    for exact in ["inputs.a / 2", "double(inputs.a) / inputs.b", "1.0 * inputs.a / inputs.b"] {
        let program = Program::compile(Language::Cel, exact).unwrap();
        assert!(program.references().divisions.is_empty(), "{exact}");
    }
}

#[test]
fn programs_are_shared_between_threads() {
    let program = Program::compile(Language::Cel, "inputs.count * 2").unwrap();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                let fixture = fixture();
                for _ in 0..50 {
                    let value = program.evaluate(&fixture, &mut Meter::default());
                    assert_eq!(value, Ok(Value::Int(10)));
                }
            });
        }
    });
}
