//! jq through the door: a scope read lazily, arguments, outputs, messages, references, the table of functions.
//!
//! Keeps: what the language means is gojq's tests' business (`jq_conformance.rs`).
//! Not here: hostile programs (`jq_hostile.rs`).

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

use opcode_expr::{EvalErrorKind, Given, Language, Meter, Program, Scope, StepView, catalog};
use opcode_model::{StepStatus, Timestamp, Value};

use crate::scope::{Fixture, value};

fn compile(source: &str) -> Program {
    Program::compile(Language::Jq, source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

/// All outputs over a value, as JSON texts, and the message of what ended them.
fn run(source: &str, input: &str) -> (Vec<String>, Option<String>) {
    let (mut outputs, input) = (Vec::new(), value(input));
    let given = Given { input: &input, args: &[], now: Timestamp(1_790_000_000_123) };
    let outcome = compile(source).outputs(given, &mut Meter::default(), &mut |value| {
        outputs.push(value.to_json());
        ControlFlow::Continue(())
    });
    (outputs, outcome.err().map(|error| error.message))
}

#[track_caller]
fn gives(source: &str, input: &str, wanted: &[&str]) {
    assert_eq!(run(source, input), (wanted.iter().map(|text| (*text).to_owned()).collect(), None));
}

#[track_caller]
fn fails(source: &str, input: &str, message: &str) {
    assert_eq!(run(source, input).1.as_deref(), Some(message), "{source}");
}

#[track_caller]
fn refused(source: &str, fragment: &str, span: std::ops::Range<usize>) {
    let error = Program::compile(Language::Jq, source).unwrap_err();
    assert!(error.message.contains(fragment), "{}", error.message);
    assert_eq!(error.span, span, "{}", error.message);
}

fn fixture() -> Fixture {
    Fixture::default()
        .root("inputs", r#"{"n":3,"items":[{"a":1},{"a":7}]}"#)
        .root("workflow", r#"{"name":"w"}"#)
        .done("fetch", r#"{"status":200}"#)
        .step("late", StepStatus::Pending)
}

#[test]
fn a_scope_is_the_input() {
    let over = |source: &str| compile(source).evaluate(&fixture(), &mut Meter::default()).unwrap();
    assert_eq!(over(".inputs.n"), Value::Int(3));
    assert_eq!(over(".steps.fetch.status + .inputs.n"), Value::Int(203));
    assert_eq!(over(r#".steps["fetch"].status"#), Value::Int(200));
    assert_eq!(
        over(".steps.late.x, .steps.nobody, .context, .iter"),
        value("[null,null,null,null]")
    );
    assert_eq!(over(".inputs.items | map(select(.a > 5))"), value(r#"[{"a":7}]"#));
    assert_eq!(over(". | keys"), value(r#"["inputs","steps","workflow"]"#));
    assert_eq!(over(".steps"), value(r#"{"fetch":{"status":200}}"#));
    assert_eq!(over(". as $all | $all.workflow.name"), Value::from("w"));
    assert_eq!(over("[path(.steps.fetch.status)]"), value(r#"[["steps","fetch","status"]]"#));
    assert_eq!(over(".inputs.n |= . + 1 | .inputs.n"), Value::Int(4));
    assert_eq!(over("now | todate"), Value::from("2026-09-21T14:13:20Z"));
}

#[test]
fn one_output_is_itself_several_are_a_list_none_is_null() {
    let over = |source: &str| compile(source).evaluate(&fixture(), &mut Meter::default()).unwrap();
    assert_eq!(over("[1]"), value("[1]"));
    assert_eq!(over("1, [2]"), value("[1,[2]]"));
    assert_eq!(over("empty"), Value::Null);
}

/// A scope that counts what it is asked for.
#[derive(Default)]
struct Counting {
    roots: Cell<usize>,
    steps: Cell<usize>,
    walks: Cell<usize>,
}

impl Scope for Counting {
    fn root(&self, name: &str) -> Option<Value> {
        self.roots.set(self.roots.get() + 1);
        (name == "inputs").then(|| value(r#"{"x":1}"#))
    }

    fn step(&self, _: &str) -> Option<StepView> {
        self.steps.set(self.steps.get() + 1);
        None
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        self.walks.set(self.walks.get() + 1);
        Vec::new()
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

#[test]
fn a_path_asks_for_what_it_names_and_no_more() {
    let asked = |source: &str| {
        let scope = Counting::default();
        compile(source).evaluate(&scope, &mut Meter::default()).unwrap();
        (scope.roots.get(), scope.steps.get(), scope.walks.get())
    };
    assert_eq!(asked(".inputs.x"), (1, 0, 0));
    assert_eq!(asked(".steps.a.b"), (0, 1, 0));
    assert_eq!(asked("if .inputs.x > 0 then .steps.a else .steps.b end"), (1, 1, 0));
    assert_eq!(asked("1 + 1"), (0, 0, 0));
    assert_eq!(asked("length").2, 1);
}

#[test]
fn arguments_are_variables() {
    let program = Program::compile_jq("$n + .x, $text", &["n".into(), "text".into()]).unwrap();
    let input = value(r#"{"x":1}"#);
    let args: [(Arc<str>, Value); 2] = [("text".into(), "t".into()), ("n".into(), Value::Int(2))];
    let given = Given { input: &input, args: &args, now: Timestamp(0) };
    let mut outputs = Vec::new();
    let mut take = |value| {
        outputs.push(value);
        ControlFlow::Continue(())
    };
    program.outputs(given, &mut Meter::default(), &mut take).unwrap();
    assert_eq!(Value::from(outputs), value(r#"[3,"t"]"#));
    refused("$nn", "variable not defined: $nn", 0..3);
    let error = Program::compile_jq("$number", &["numbers".into()]).unwrap_err();
    assert!(error.message.contains("did you mean `$numbers`?"), "{}", error.message);
}

#[test]
fn outputs_stop_when_they_are_no_longer_wanted() {
    let given = Given { input: &Value::Null, args: &[], now: Timestamp(0) };
    let mut count = 0;
    let outcome = compile("repeat(1)").outputs(given, &mut Meter::default(), &mut |_| {
        count += 1;
        if count < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!((outcome, count), (Ok(()), 3));
}

#[test]
fn cel_gives_its_one_output_over_the_members_of_the_input() {
    let program = Program::compile_open(Language::Cel, "x + n").unwrap();
    let input = value(r#"{"x":1}"#);
    let args: [(Arc<str>, Value); 1] = [("n".into(), Value::Int(2))];
    let given = Given { input: &input, args: &args, now: Timestamp(0) };
    let mut output = Value::Null;
    let mut take = |value| {
        output = value;
        ControlFlow::Continue(())
    };
    program.outputs(given, &mut Meter::default(), &mut take).unwrap();
    assert_eq!((output, program.language()), (Value::Int(3), Language::Cel));
}

#[test]
fn failures_speak_as_gojq_does() {
    fails(".a.b", r#"{"a":5}"#, "expected an object but got: number (5)");
    fails(".[0]", "{}", "expected an array but got: object ({})");
    fails(".[]", "5", "cannot iterate over: number (5)");
    fails("{} + 1", "null", "cannot add: object ({}) and number (1)");
    fails("1 / 0", "null", "cannot divide number (1) by: number (0)");
    fails("error(\"out of paper\")", "null", "error: out of paper");
    fails("error({a: 1})", "null", r#"error: {"a":1}"#);
    fails("error(null)", "null", "error: null");
    fails("ltrimstr(1)", "\"a\"", "ltrimstr(1) cannot be applied to: string (\"a\")");
    let long = r#""aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd""#;
    fails(
        "tonumber",
        long,
        "tonumber cannot be applied to \"aaaaaaaaaabbbbbbbbbbcccc ...\": invalid number",
    );
    fails("path({} | .a)", "{}", "invalid path against: object ({})");
    fails(
        "setpath([-1]; 1)",
        "[]",
        "setpath([-1]; 1) cannot be applied to []: array index should not be negative: -1",
    );
    let error = compile("1 + (.x | .y)")
        .evaluate(&Fixture::default().root("x", "1"), &mut Meter::default());
    assert_eq!(error, Ok(Value::Int(1)), "what a scope does not have is null");
    let error = compile(".inputs.n.deep").evaluate(&fixture(), &mut Meter::default()).unwrap_err();
    assert_eq!((error.kind, error.span), (EvalErrorKind::Type, 9..14));
    let error = compile(".inputs | walk(.x)").evaluate(&fixture(), &mut Meter::default());
    assert_eq!(error.unwrap_err().span, 15..17, "the place is the program's own, whoever calls it");
}

#[test]
fn mistakes_are_found_when_compiling() {
    refused(".a |", "expected a term, found the end", 4..4);
    refused("foo(1)", "function not defined: foo/1", 0..6);
    refused("mapp(.a)", "did you mean `map`?", 0..8);
    refused("map", "`map` takes 1 argument", 0..3);
    refused("def double: . * 2; doubel", "did you mean `double`?", 19..25);
    refused("input", "there is one input", 0..5);
    refused("import \"a\" as a; .", "modules are not available", 0..6);
    refused("a::b", "modules are not available", 0..1);
    refused("\"abc", "is never closed", 0..4);
    refused("\"\\(1\"", "is never closed", 4..5);
    refused("break $x", "label not defined: $x", 0..8);
    refused(". += 1 -= 2", "expected an operator or the end, found `-=`", 7..9);
    refused("{a: 1", "expected `}`", 5..5);
    refused(" ", "the expression is empty", 0..1);
}

#[test]
fn big_numbers_keep_their_digits_as_far_as_64_bits() {
    gives(". + 1", "9007199254740993", &["9007199254740994"]);
    gives("-. | tojson", "9223372036854775807", &["\"-9223372036854775807\""]);
    gives(". * 2", "9223372036854775807", &["1.8446744073709552e+19"]);
    gives(
        "1e3, 1.0, 0.1, 6 / 2, 7 / 2, (10 | sqrt | floor)",
        "null",
        &["1000.0", "1.0", "0.1", "3", "3.5", "3"],
    );
    gives("[1e3, 1.5, 1e-7, 1e21] | tojson", "null", &["\"[1000,1.5,1e-7,1e+21]\""]);
    gives("[infinite, nan]", "null", &["[1.7976931348623157e+308,null]"]);
    gives("1".repeat(310).as_str(), "null", &["1.7976931348623157e+308"]);
}

#[test]
fn readings_are_optional_one_by_one() {
    gives("[.a.b?]", r#"{"a":5}"#, &["[]"]);
    gives("[.[] | .a?]", r#"[1,{"a":2}]"#, &["[2]"]);
    gives(".a?//\"none\"", "5", &["\"none\""]);
    gives("[.[.k]?]", r#"{"k":"x","x":1}"#, &["[1]"]);
    gives("[.a[.k]?, .a[\"z\"]?]", r#"{"k":"x","a":{"x":1}}"#, &["[1,null]"]);
    fails(".[].a?", "5", "cannot iterate over: number (5)");
    fails("(1, 2)? | error(\"later\")", "null", "error: later");
}

#[test]
fn patterns_are_re2s() {
    gives(r#"[match("\\w+"; "g").string]"#, "\"aä b\"", &[r#"["a","b"]"#]);
    gives(r#"test("^[[:alpha:]\\d]+$"), test("[[]")"#, "\"ab1\"", &["true", "false"]);
    gives(r#"[match("ä"; "g") | .offset, .length]"#, "\"xäyä\"", &["[1,1,3,1]"]);
    gives(
        r#"test("A B"; "ix"), test("a.b"; "s"), [match(""; "gn").offset]"#,
        "\"ab\"",
        &["true", "false", "[]"],
    );
    gives(r#"gsub("(?<l>[a-z])"; "\(.l | ascii_upcase)")"#, "\"abc1\"", &["\"ABC1\""]);
    gives(r#"gsub(""; "-"), gsub("x*"; "-")"#, "\"ab\"", &["\"-a-b-\"", "\"-a-b-\""]);
    gives(r#"[splits(", *")]"#, "\"a,b,  c\"", &[r#"["a","b","c"]"#]);
    fails(r#"test("a"; "q")"#, "\"a\"", "unsupported regular expression flag: \"q\"");
}

#[test]
fn the_first_parameter_varies_slowest_and_the_last_operand_too() {
    gives("[(1, 2) + (10, 20)]", "null", &["[11,12,21,22]"]);
    gives("[range(0, 1; 2, 3)]", "null", &["[0,1,0,1,2,1,1,2]"]);
    gives("[\"\\(1, 2)\\(3, 4)\"]", "null", &[r#"["13","23","14","24"]"#]);
    gives("[test(\"A\", \"b\"; null, \"i\")]", "\"a\"", &["[false,true,false,false]"]);
    gives("[{a: (1, 2), b: (3, 4)}] | map(.a, .b)", "null", &["[1,3,1,4,2,3,2,4]"]);
}

#[test]
fn a_pattern_takes_what_it_names_and_refuses_the_rest() {
    gives(". as [$a, {b: $c, $d}] | [$a, $c, $d]", r#"[1,{"b":2,"d":3}]"#, &["[1,2,3]"]);
    gives("[.[] as [$a] ?// {$a} ?// $a | $a]", r#"[[1],{"a":2},"x"]"#, &[r#"[1,2,"x"]"#]);
    gives(". as [$a] | $a", "null", &["null"]);
    fails(". as [$a] | $a", "\"x\"", "expected an array but got: string (\"x\")");
    fails(". as {$a} | $a", "[1]", "expected an object but got: array ([1])");
}

#[test]
fn references_are_seen_before_running() {
    let references = |source: &str| compile(source).references().clone();
    let found = references(".steps.fetch.rows[] | select(.steps) | {x: .inputs}");
    assert_eq!(found.steps.len(), 1);
    assert_eq!(found.steps[0].ids.as_slice(), ["fetch".into()]);
    assert_eq!(found.steps[0].span, 0..12);
    assert!(!found.dynamic_steps);
    let found = references(
        r#"[.inputs.a, .inputs["b"]] as [$a] | if .steps["x-y"] then $a else .loop.item end"#,
    );
    let inputs: Vec<_> = found.inputs.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(inputs, ["a", "b"]);
    assert_eq!(found.steps[0].ids.as_slice(), ["x-y".into()]);
    let roots: Vec<_> = found.roots.iter().map(AsRef::as_ref).collect();
    assert_eq!(roots, ["inputs", "iter", "steps"]);
    for whole in
        [".", ".steps", "keys", ". as $all | $all.x", ".steps[.inputs.id]", "{steps}", ".a = 1"]
    {
        assert!(references(whole).dynamic_steps, "{whole}");
    }
    for known in ["1", ".inputs", "now", "[range(3)] | keys", "first(.steps.a)"] {
        assert!(!references(known).dynamic_steps, "{known}");
    }
}

#[test]
fn every_function_has_an_example_that_holds() {
    let mut shown = Vec::new();
    for doc in catalog(Language::Jq) {
        let result = compile(doc.example).evaluate(&Fixture::default(), &mut Meter::default());
        assert_eq!(
            result.map(|value| value.to_json()),
            Ok(value(doc.result).to_json()),
            "{}",
            doc.example
        );
        let arity = match doc.signature.split_once('(') {
            Some((_, parameters)) => parameters.matches(';').count() + 1,
            None => 0,
        };
        assert!(doc.example.contains(doc.name), "{}", doc.signature);
        shown.push(format!("{}/{arity}", doc.name));
    }
    let builtins =
        compile("builtins").evaluate(&Fixture::default(), &mut Meter::default()).unwrap();
    let builtins: Vec<_> = builtins.as_list().unwrap().iter().map(Value::to_text).collect();
    shown.sort_unstable();
    assert_eq!(shown, builtins);
}
