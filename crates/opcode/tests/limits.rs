//! Every limit of the house: each is hit by a test that knows its name and number; and texts made to hurt.
//!
//! Keeps: hitting a limit is an answer, never an end of the process; a limit without a test fails the table.
//! Not here: what is within the limits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "it/kit.rs"]
#[expect(dead_code, reason = "the kit serves more tests than these")]
mod kit;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use opcode_model::limits::{
    BUILT_DEPTH_MAX, CAPTURE_BYTES_MAX, CHILD_DEPTH_MAX, DEFINITION_BYTES_MAX,
    DEFINITION_STEPS_MAX, EVALUATION_BYTES_MAX, EVALUATION_DEPTH_MAX, EVALUATION_STEPS_MAX,
    EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX, FAN_OUT_MAX, FILE_BYTES_MAX,
    ID_CHARS_MAX, INPUT_BYTES_MAX, JSON_DEPTH_MAX, LOOP_CONCURRENCY_MAX, LOOP_ITERATIONS_MAX,
    NESTING_DEPTH_MAX, OUTPUT_BYTES_MAX, RETRIES_MAX, RUN_STEPS_MAX, TEXT_BYTES_MAX,
    VALUE_DEPTH_MAX, WORKFLOW_OUTPUT_BYTES_MAX,
};
use serde_json::{Value as Json, json};

use crate::kit::{Home, Said};

/// A guard against hanging, not a measure of speed.
const HANGS: Duration = Duration::from_secs(5);

const HERE: &str = "opcode/tests/limits.rs";
const SHELL: &str = "opcode-runtime/tests/it/limits.rs";
const VIEW: &str = "opcode-view/src/diagram/layout/tests.rs";

/// Each limit, and the test that hits it: in which file of `crates/`, by which name.
const TABLE: &[(&str, &str, &str)] = &[
    ("TEXT_BYTES_MAX", HERE, "texts_are_limited"),
    ("JSON_DEPTH_MAX", HERE, "texts_are_limited"),
    ("DEFINITION_BYTES_MAX", HERE, "definitions_are_limited"),
    ("DEFINITION_STEPS_MAX", HERE, "definitions_are_limited"),
    ("NESTING_DEPTH_MAX", HERE, "definitions_are_limited"),
    ("FAN_OUT_MAX", HERE, "definitions_are_limited"),
    ("LOOP_ITERATIONS_MAX", HERE, "loops_are_limited"),
    ("LOOP_CONCURRENCY_MAX", HERE, "loops_are_limited"),
    ("RETRIES_MAX", HERE, "definitions_are_limited"),
    ("RUN_STEPS_MAX", HERE, "steps_of_a_run_are_limited"),
    ("RUN_EVENTS_MAX", SHELL, "events_of_a_run_are_limited"),
    ("OPEN_DECISIONS_MAX", SHELL, "open_decisions_are_limited"),
    ("MAILBOX_SIGNALS_MAX", SHELL, "early_signals_are_limited"),
    ("CHILD_DEPTH_MAX", HERE, "workflows_inside_workflows_are_limited"),
    ("INPUT_BYTES_MAX", HERE, "inputs_and_signals_are_limited"),
    ("OUTPUT_BYTES_MAX", HERE, "outputs_are_limited"),
    ("WORKFLOW_OUTPUT_BYTES_MAX", HERE, "outputs_are_limited"),
    ("CAPTURE_BYTES_MAX", HERE, "what_is_cut_says_so"),
    ("FILE_BYTES_MAX", HERE, "what_is_cut_says_so"),
    ("VALUE_DEPTH_MAX", HERE, "inputs_and_signals_are_limited"),
    ("BUILT_DEPTH_MAX", HERE, "outputs_are_limited"),
    ("ID_CHARS_MAX", HERE, "definitions_are_limited"),
    ("EXPRESSION_BYTES_MAX", HERE, "expressions_are_limited"),
    ("EXPRESSION_DEPTH_MAX", HERE, "expressions_are_limited"),
    ("EXPRESSION_NODES_MAX", HERE, "expressions_are_limited"),
    ("EVALUATION_STEPS_MAX", HERE, "evaluations_are_limited"),
    ("EVALUATION_DEPTH_MAX", HERE, "expressions_are_limited"),
    ("EVALUATION_BYTES_MAX", HERE, "evaluations_are_limited"),
    ("FLUSH_EVENTS_MAX", SHELL, "a_commit_is_forced_by_events_bytes_and_time"),
    ("FLUSH_BYTES_MAX", SHELL, "a_commit_is_forced_by_events_bytes_and_time"),
    ("FLUSH_MS_MAX", SHELL, "a_commit_is_forced_by_events_bytes_and_time"),
    ("TURN_WORK_MAX", SHELL, "a_turn_ends_by_the_work_of_its_expressions"),
    ("PAYLOAD_INLINE_BYTES_MAX", SHELL, "a_large_payload_stands_apart_and_comes_back"),
    ("QUEUE_RUNS_MAX", SHELL, "runs_in_memory_are_limited"),
    ("QUEUE_INPUTS_MAX", SHELL, "inputs_in_line_are_limited_also_while_their_run_is_read"),
    ("WAL_BYTES_MAX", "opcode-store-sqlite/tests/it/full.rs", "the_log_stays_short"),
    ("EXPORT_BYTES_MAX", "opcode/tests/it/carry.rs", "a_document_that_is_too_large_is_refused"),
    ("DIAGRAM_STEPS_MAX", VIEW, "what_no_picture_can_show_is_refused_and_its_texts_are_not"),
    ("DIAGRAM_LINES_MAX", VIEW, "what_no_picture_can_show_is_refused_and_its_texts_are_not"),
    ("DIAGRAM_PIXELS_MAX", VIEW, "what_no_picture_can_show_is_refused_and_its_texts_are_not"),
];

#[test]
fn every_limit_is_hit_by_a_test_that_names_it() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let limits = fs::read_to_string(crates.join("opcode-model/src/limits.rs")).unwrap();
    let written = limits.lines().filter_map(|line| line.strip_prefix("pub const "));
    let written: BTreeSet<&str> = written.map(|rest| rest.split_once(':').unwrap().0).collect();
    let tested: BTreeSet<&str> = TABLE.iter().map(|(limit, ..)| *limit).collect();
    assert_eq!(written, tested, "the table and limits.rs disagree");
    for (limit, file, test) in TABLE {
        let text = fs::read_to_string(crates.join(file)).unwrap();
        let (_, body) = text.split_once(&format!("fn {test}()")).unwrap_or_else(|| {
            panic!("there is no test {test} in {file}");
        });
        let body = body.split("\n}\n").next().unwrap();
        assert!(body.contains(limit), "{test} in {file} does not name {limit}");
    }
}

#[test]
fn texts_are_limited() {
    let home = Home::new();
    let refused = |text: &str, what: &str, limit: usize| {
        let file = home.file("t.json", text);
        let said = home.opcode(&["define", &file, "--dry-run", "--json"]).ended(2).json();
        assert_eq!(said["error"]["code"], "LIMIT_EXCEEDED");
        let message = said["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(message, format!("{what} is limited to {limit}"));
    };
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    refused(&nested(JSON_DEPTH_MAX + 1), "nesting of t.json", JSON_DEPTH_MAX);
    refused(&" ".repeat(TEXT_BYTES_MAX + 1), "bytes of t.json", TEXT_BYTES_MAX);
    let file = home.file("t.json", &nested(JSON_DEPTH_MAX));
    let said = home.opcode(&["define", &file, "--dry-run"]).ended(2);
    assert!(!said.err.contains("limited"), "{said:?}");
}

fn hash(id: &str) -> Json {
    json!({"id": id, "action": "crypto.hash", "params": {"data": "x"}})
}

fn shell(id: &str, script: &str) -> Json {
    json!({"id": id, "action": "shell.exec", "params": {"command": script, "shell": true}})
}

fn steps(steps: &[Json]) -> Json {
    json!({ "steps": steps })
}

fn condition(expression: &str) -> Json {
    let config = json!({"expression": expression, "branches": {}});
    steps(&[json!({"id": "c", "type": "condition", "config": config})])
}

fn loop_over(config: Json) -> Json {
    steps(&[json!({"id": "l", "type": "loop", "config": config})])
}

fn deep(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

fn numbers(count: usize) -> Json {
    json!({ "l": (0..count).collect::<Vec<_>>() })
}

/// Runs a definition, with inputs from a file; the process must come to an end by itself.
fn run_text(home: &Home, definition: &str, params: &str) -> Said {
    let (definition, params) = (home.file("w.json", definition), home.file("p.json", params));
    let begun = Instant::now();
    let said = home.opcode(&["run", &definition, "--json", "--params", &format!("@{params}")]);
    assert!((0..=5).contains(&said.code), "it ended badly: {} {}", said.code, said.err);
    let took = begun.elapsed();
    assert!(took < 4 * HANGS, "it took {took:?}");
    said
}

fn run(home: &Home, definition: &Json, params: &Json) -> Said {
    run_text(home, &definition.to_string(), &params.to_string())
}

/// The definition is refused: with this code, these words and this number.
#[track_caller]
fn is_refused(definition: &Json, code: &str, what: &str, number: usize) {
    let said = run(&Home::new(), definition, &json!({})).ended(2);
    let problems = said.json()["problems"].clone();
    let problem = problems.as_array().unwrap().iter().find(|it| it["code"] == code);
    let message = problem.unwrap_or_else(|| panic!("{problems}"))["message"].as_str().unwrap();
    assert!(message.contains(what) && message.contains(&number.to_string()), "{message}");
}

/// The workflow fails: its error, or the cause of it, is this limit.
#[track_caller]
fn is_exceeded(definition: &Json, params: &Json, what: &str, number: u64) {
    fails(&run(&Home::new(), definition, params), what, number);
}

#[track_caller]
fn fails(said: &Said, what: &str, number: u64) {
    assert_eq!(said.code, 1, "{said:?}");
    let error = said.json()["error"].clone();
    let cause = if error["code"] == "LIMIT_EXCEEDED" { &error } else { &error["details"]["cause"] };
    assert_eq!(cause["code"], "LIMIT_EXCEEDED", "{error}");
    assert_eq!(cause["details"]["limit"], what, "{error}");
    assert_eq!(cause["details"]["value"], number, "{error}");
    let message = cause["message"].as_str().unwrap();
    assert!(message.ends_with(&format!("{what} is limited to {number}")), "{message}");
}

const LIMIT: &str = "LIMIT_EXCEEDED";

#[test]
fn definitions_are_limited() {
    let mut large = steps(&[hash("a")]);
    large["description"] = "x".repeat(DEFINITION_BYTES_MAX).into();
    is_refused(&large, LIMIT, "bytes of a definition is limited to", DEFINITION_BYTES_MAX);
    let many: Vec<Json> = (0..=DEFINITION_STEPS_MAX).map(|n| hash(&format!("s{n}"))).collect();
    is_refused(&steps(&many), LIMIT, "steps of a definition is limited to", DEFINITION_STEPS_MAX);
    let mut body = json!([hash("a")]);
    for n in 0..NESTING_DEPTH_MAX {
        let config = json!({"branches": [body]});
        body = json!([{"id": format!("p{n}"), "type": "parallel", "config": config}]);
    }
    let nested = json!({ "steps": body });
    is_refused(&nested, LIMIT, "bodies inside bodies is limited to", NESTING_DEPTH_MAX);
    let branches = vec![json!([hash("a")]); FAN_OUT_MAX + 1];
    let named: serde_json::Map<String, Json> =
        branches.iter().enumerate().map(|(n, body)| (n.to_string(), body.clone())).collect();
    for config in [json!({"branches": branches}), json!({"expression": "1", "branches": named})] {
        let kind = if config.get("expression").is_some() { "condition" } else { "parallel" };
        let wide = steps(&[json!({"id": "p", "type": kind, "config": config})]);
        is_refused(&wide, LIMIT, "branches of a step is limited to", FAN_OUT_MAX);
    }
    let mut retried = hash("a");
    retried["retry"] = json!({"max": RETRIES_MAX + 1});
    let what = "`max` must be from 0 to";
    is_refused(&steps(&[retried]), "VALIDATION_ERROR", what, RETRIES_MAX as usize);
    let long = steps(&[hash(&"i".repeat(ID_CHARS_MAX + 1))]);
    is_refused(&long, "VALIDATION_ERROR", "must be 1 to", ID_CHARS_MAX);
    let longest = steps(&[hash(&"i".repeat(ID_CHARS_MAX))]);
    run(&Home::new(), &longest, &json!({})).ended(0);
}

#[test]
fn loops_are_limited() {
    let max = LOOP_ITERATIONS_MAX;
    let body = json!([hash("a")]);
    let inputs = numbers(max as usize + 1);
    let whole = loop_over(json!({"over": "inputs.l", "body": body}));
    is_exceeded(&whole, &inputs, "iterations of a loop", max.into());
    let cut = json!({"over": "inputs.l", "body": body, "max_iter": max + 1});
    let what = "`max_iter` must be from 1 to";
    is_refused(&loop_over(cut), "VALIDATION_ERROR", what, max as usize);
    let wide = json!({"over": "inputs.l", "body": body, "concurrency": LOOP_CONCURRENCY_MAX + 1});
    let what = "`concurrency` must be from 1 to";
    is_refused(&loop_over(wide), "VALIDATION_ERROR", what, LOOP_CONCURRENCY_MAX as usize);
}

#[test]
fn steps_of_a_run_are_limited() {
    let wait = json!({"id": "w", "type": "wait", "config": {"signal": "never"}});
    let mut body = vec![wait];
    body.extend((1..DEFINITION_STEPS_MAX - 1).map(|n| hash(&format!("s{n}"))));
    let wide = loop_over(json!({"over": "inputs.l", "concurrency": 1000, "body": body}));
    let inputs = numbers(RUN_STEPS_MAX / DEFINITION_STEPS_MAX + 1);
    is_exceeded(&wide, &inputs, "steps of a run", RUN_STEPS_MAX as u64);
}

#[test]
fn workflows_inside_workflows_are_limited() {
    let home = Home::new();
    let params = json!({"template_name": "again"});
    let again = steps(&[json!({"id": "a", "action": "workflow.run", "params": params})]);
    let file = home.file("again.json", &again.to_string());
    home.opcode(&["define", &file, "--name", "again"]).ended(0);
    let said = home.opcode(&["run", "again", "--json"]).ended(1);
    let error = said.json()["error"].to_string();
    let limit = format!("workflows inside workflows is limited to {CHILD_DEPTH_MAX}");
    assert!(error.contains(&limit) && error.contains(LIMIT), "{error}");
    let all = home.opcode(&["query", "workflows", "--json", "--limit", "100"]).ended(0).json();
    let all = all["workflows"].as_array().unwrap();
    assert_eq!(all.len(), CHILD_DEPTH_MAX as usize + 1);
    assert!(all.iter().all(|workflow| workflow["status"] == "failed"));
}

#[test]
fn inputs_and_signals_are_limited() {
    let one = steps(&[hash("a")]);
    let large = json!({"t": "x".repeat(INPUT_BYTES_MAX)}).to_string();
    let nested = format!(r#"{{"t":{}}}"#, deep(VALUE_DEPTH_MAX));
    let bytes = format!("is limited to {INPUT_BYTES_MAX}");
    let depth = format!("is limited to {VALUE_DEPTH_MAX}");
    for (params, what, number) in
        [(&large, "bytes of inputs", &bytes), (&nested, "nesting of inputs", &depth)]
    {
        let error =
            run_text(&Home::new(), &one.to_string(), params).ended(2).json()["error"].clone();
        assert_eq!(error["code"], LIMIT);
        assert_eq!(error["message"], format!("{what} {number}"));
    }
    let deepest = format!(r#"{{"t":{}}}"#, deep(VALUE_DEPTH_MAX - 1));
    run_text(&Home::new(), &one.to_string(), &deepest).ended(0);

    let home = Home::new();
    let waits = steps(&[json!({"id": "w", "type": "wait", "config": {"signal": "go"}})]);
    let id = run(&home, &waits, &json!({})).ended(3).json()["workflow_id"].clone();
    for (payload, what, number) in
        [(&large, "bytes of a signal", &bytes), (&nested, "nesting of a signal", &depth)]
    {
        let file = format!("@{}", home.file("payload.json", payload));
        let id = id.as_str().unwrap();
        let args = ["signal", id, "data", "--name", "go", "--payload", &file, "--json"];
        let error = home.opcode(&args).ended(2).json()["error"].clone();
        assert_eq!(error["code"], LIMIT, "{error}");
        assert_eq!(error["message"], format!("{what} {number}"));
    }
}

#[test]
fn a_failure_keeps_its_word_when_its_facts_are_too_much() {
    let around = |inner: &str| -> Json {
        let text = format!("{}\"{inner}\"{}", r#"{"x":"#.repeat(40), "}".repeat(40));
        serde_json::from_str(&text).unwrap()
    };
    let params = json!({"expected": around("${{inputs.t}}"), "actual": around("nothing")});
    let differs = steps(&[json!({"id": "a", "action": "assert.equals", "params": params})]);
    let inputs: Json = serde_json::from_str(&format!(r#"{{"t":{}}}"#, deep(62))).unwrap();
    let home = Home::new();
    let said = run(&home, &differs, &inputs).ended(1).json();
    let cause = &said["error"]["details"]["cause"];
    assert_eq!(cause["code"], "ASSERTION_FAILED", "{said}");
    assert_eq!(cause["details"], json!({"omitted": "nested too deep"}));
    assert_eq!(home.status(said["workflow_id"].as_str().unwrap())["status"], "failed");
    home.opcode(&["verify"]).ended(0);
}

/// Writes a file of so many letters.
fn writes(bytes: usize) -> Json {
    shell("write", &format!("head -c {bytes} /dev/zero | tr '\\0' x > big"))
}

fn reads(id: &str) -> Json {
    json!({"id": id, "action": "fs.read", "params": {"path": "big"}, "depends_on": ["write"]})
}

#[test]
fn outputs_are_limited() {
    let mut read = reads("r");
    read.as_object_mut().unwrap().remove("depends_on");
    // A file is read up to its own limit; so many of those are more than one output may hold.
    let many = OUTPUT_BYTES_MAX / FILE_BYTES_MAX + 1;
    let over = format!("{:?}", (0..many).collect::<Vec<_>>());
    let config = json!({"over": over, "body": [read]});
    let gathers = json!({"id": "l", "type": "loop", "config": config, "depends_on": ["write"]});
    let gathers = steps(&[writes(FILE_BYTES_MAX), gathers]);
    is_exceeded(&gathers, &json!({}), "bytes of a step's output", OUTPUT_BYTES_MAX as u64);

    let fact = |n: usize| (format!("f{n}"), json!("${{steps.r.content}}"));
    let facts: Json = (0..many).map(fact).collect::<serde_json::Map<_, _>>().into();
    let asks = json!({"id": "ask", "type": "reasoning", "depends_on": ["r"],
        "config": {"prompt_context": "Well?", "data_inject": facts}});
    let asks = steps(&[writes(FILE_BYTES_MAX), reads("r"), asks]);
    is_exceeded(&asks, &json!({}), "bytes of a question's facts", OUTPUT_BYTES_MAX as u64);

    let each = FILE_BYTES_MAX;
    let mut all = vec![writes(each)];
    all.extend((0..=WORKFLOW_OUTPUT_BYTES_MAX / each).map(|n| reads(&format!("r{n}"))));
    let max = WORKFLOW_OUTPUT_BYTES_MAX as u64;
    is_exceeded(&steps(&all), &json!({}), "bytes of a workflow's output", max);

    let context =
        |id: &str, params: Json| json!({"id": id, "action": "workflow.context", "params": params});
    let mut looks = context("b", json!({"action": "read"}));
    looks["depends_on"] = json!(["a"]);
    let keeps = context("a", json!({"action": "update", "data": {"x": {"y": "${{inputs.t}}"}}}));
    let inputs: Json = serde_json::from_str(&format!(r#"{{"t":{}}}"#, deep(62))).unwrap();
    let max = VALUE_DEPTH_MAX as u64;
    is_exceeded(&steps(&[keeps, looks]), &inputs, "nesting of a step's output", max);

    let built = format!("{}\"${{{{inputs.t}}}}\"{}", r#"{"x":"#.repeat(60), "}".repeat(60));
    let built: Json = serde_json::from_str(&built).unwrap();
    let built = context("a", json!({"action": "update", "data": built}));
    is_exceeded(&steps(&[built]), &inputs, "the nesting of parameters", BUILT_DEPTH_MAX as u64);
}

#[test]
fn what_is_cut_says_so() {
    let loud = format!("head -c {} /dev/zero | tr '\\0' x >&2", CAPTURE_BYTES_MAX + 1);
    let mut captured = steps(&[shell("a", &loud)]);
    captured["output"] =
        json!({"cut": "${{steps.a.truncated}}", "kept": "${{size(steps.a.stderr)}}"});
    let output = run(&Home::new(), &captured, &json!({})).ended(0).json()["output"].clone();
    assert_eq!(output, json!({"cut": true, "kept": CAPTURE_BYTES_MAX}));

    let mut read = steps(&[writes(FILE_BYTES_MAX + 1), reads("r")]);
    read["output"] = json!({"cut": "${{steps.r.truncated}}", "kept": "${{steps.r.size}}"});
    let output = run(&Home::new(), &read, &json!({})).ended(0).json()["output"].clone();
    assert_eq!(output, json!({"cut": true, "kept": FILE_BYTES_MAX}));

    let binary = shell("write", &format!("head -c {} /dev/zero > big", FILE_BYTES_MAX + 1));
    let mut read = steps(&[binary, reads("r")]);
    read["output"] = json!({"cut": "${{steps.r.truncated}}", "as": "${{steps.r.encoding}}"});
    let output = run(&Home::new(), &read, &json!({})).ended(0).json()["output"].clone();
    assert_eq!(output, json!({"cut": true, "as": "base64"}), "also what is longer as text");
}

#[test]
fn expressions_are_limited() {
    let long = format!("\"{}\"", "x".repeat(EXPRESSION_BYTES_MAX));
    let what = "length in bytes is limited to";
    is_refused(&condition(&long), LIMIT, what, EXPRESSION_BYTES_MAX);
    let mut template = hash("a");
    template["params"]["data"] = format!("${{{{ {long} }}}}").into();
    is_refused(&steps(&[template]), LIMIT, what, EXPRESSION_BYTES_MAX);
    let around = |open: &str, close: &str, times: usize| {
        condition(&format!("{}1{}", open.repeat(times), close.repeat(times)))
    };
    let parens = around("(", ")", EXPRESSION_DEPTH_MAX + 1);
    is_refused(&parens, LIMIT, "nesting is limited to", EXPRESSION_DEPTH_MAX);
    let tall = around("(1==1||1<2&&1+2*", ")", 40);
    is_refused(&tall, LIMIT, "nesting is limited to", EVALUATION_DEPTH_MAX);
    let terms = condition(&format!("{}1", "1+".repeat(EXPRESSION_NODES_MAX)));
    is_refused(&terms, LIMIT, "parts of an expression is limited to", EXPRESSION_NODES_MAX);
}

#[test]
fn evaluations_are_limited() {
    let endless = condition("inputs.l.all(x, inputs.l.all(y, inputs.l.all(z, true)))");
    is_exceeded(&endless, &numbers(1000), "evaluation steps", EVALUATION_STEPS_MAX);
    let mut inputs = numbers(1000);
    inputs["t"] = "x".repeat(100_000).into();
    let large = condition("inputs.l.map(x, inputs.t + inputs.t).size()");
    is_exceeded(&large, &inputs, "evaluation bytes", EVALUATION_BYTES_MAX);
}

/// A hostile definition and its inputs, what it must end with, and a word of why.
type Hostile = (Json, Json, i32, &'static str);

fn hostile_expressions() -> Vec<Hostile> {
    let nothing = || json!({});
    let mut text = numbers(1000);
    text["t"] = "a".repeat(9_999).into();
    let maps = "inputs.l.map(a, inputs.l.map(b, inputs.l.map(c, a + b + c)))";
    let bomb = r"((\w{50}){50}){50}";
    let mut in_a_template = hash("a");
    in_a_template["params"]["data"] = format!("${{{{ {}1 }}}}", "1+".repeat(20_000)).into();
    let mut inputs = text.clone();
    inputs["p"] = bomb.into();
    vec![
        (condition(&("1+".repeat(20_000) + "1")), nothing(), 2, "length in bytes"),
        (steps(&[in_a_template]), nothing(), 2, "length in bytes"),
        (condition(&"(".repeat(100_000)), nothing(), 2, "length in bytes"),
        (
            condition(&format!("{}1{}", "[".repeat(4_000), "]".repeat(4_000))),
            nothing(),
            2,
            "nesting",
        ),
        (condition(&("!-".repeat(4_000) + "1")), nothing(), 2, "nesting"),
        (condition(&"9".repeat(8_000)), nothing(), 2, "does not fit 64 bits"),
        (condition(maps), numbers(1000), 1, "evaluation steps is limited"),
        (
            condition(&format!("['x']{}", ".map(a, [a, a])".repeat(200))),
            nothing(),
            1,
            "evaluation bytes is limited",
        ),
        (
            condition(&format!("['x']{}", ".map(a, [a])".repeat(600))),
            nothing(),
            1,
            "nesting of a value is limited",
        ),
        (
            condition("inputs.l.all(x, inputs.t.matches('(a|aa)*$'))"),
            text.clone(),
            1,
            "evaluation steps is limited",
        ),
        (condition(&format!("'a'.matches(r'{bomb}')")), nothing(), 2, "exceeds size limit"),
        (condition("inputs.t.matches(inputs.p)"), inputs, 1, "exceeds size limit"),
    ]
}

/// Programs in jq and Expr that would never end, or end everything.
fn hostile_programs() -> Vec<Hostile> {
    let jq = |filter: &str| {
        steps(&[
            json!({"id": "a", "action": "transform.jq", "params": {"filter": filter, "data": null}}),
        ])
    };
    let expr = |text: &str| {
        steps(&[json!({"id": "a", "action": "expr.eval", "params": {"expression": text}})])
    };
    let (steps_out, bytes_out) = ("evaluation steps is limited", "evaluation bytes is limited");
    let jq_cases = [
        ("[range(1e9)]", 1, bytes_out),
        ("last(range(1e12))", 1, steps_out),
        ("def f: f; f", 1, steps_out),
        ("def f: f | f; f", 1, bytes_out),
        ("def f: [f]; f", 1, bytes_out),
        ("repeat(.) | empty", 1, steps_out),
        ("until(false; .)", 1, steps_out),
        ("reduce range(1e6) as $i ([]; [.])", 1, "nesting of a value is limited"),
        ("reduce range(40) as $i (\"xx\"; . + .)", 1, bytes_out),
        ("\"x\" * 1e9", 1, bytes_out),
        ("[range(3000)] | combinations(3) | empty", 1, "is limited"),
        ("\"a\" | test(\"((\\\\w{50}){50}){50}\")", 1, "exceeds size limit"),
    ];
    let expr_cases = [
        ("map(1..1000000, map(1..1000000, #))", 1, bytes_out),
        ("count(1..50000, any(1..50000, # < 0))", 1, steps_out),
        ("repeat('abc', 1000000000)", 1, bytes_out),
        ("reduce(1..40, #acc + #acc, 'xx')", 1, bytes_out),
        ("reduce(1..5000, [#acc], 0)", 1, "is limited"),
        ("1..9000000000000000000", 1, "is limited"),
    ];
    let mut cases: Vec<Hostile> = Vec::new();
    cases.extend(jq_cases.map(|(text, code, why)| (jq(text), json!({}), code, why)));
    cases.extend(expr_cases.map(|(text, code, why)| (expr(text), json!({}), code, why)));
    for (long, why) in
        [("1+".repeat(20_000) + "1", "length in bytes"), ("(".repeat(8_000), "nesting")]
    {
        cases.push((jq(&long), json!({}), 2, why));
        cases.push((expr(&long), json!({}), 2, why));
    }
    cases
}

fn hostile_steps() -> Vec<Hostile> {
    let bomb = r"(\w{50}){50}{50}";
    let matches = |value: &str, pattern: &str| {
        let params = json!({"value": value, "pattern": pattern});
        steps(&[json!({"id": "a", "action": "assert.matches", "params": params})])
    };
    let with_data = |data: String| {
        let mut step = hash("a");
        step["params"]["data"] = data.into();
        steps(&[step])
    };
    let long = json!({"t": "a".repeat(99_999) + "!"});
    let circle: Vec<Json> = (0..5_000)
        .map(|n| {
            let mut step = hash(&format!("a{n}"));
            step["depends_on"] = json!([format!("a{}", (n + 1) % 5_000)]);
            step
        })
        .collect();
    let mut pattern = steps(&[hash("a")]);
    pattern["input_schema"] = json!({"properties": {"t": {"pattern": "^(a+)+$"}}});
    let spells = json!({"id": "w", "type": "wait", "config": {"duration": "9".repeat(400) + "h"}});
    vec![
        (matches("a", bomb), json!({}), 2, "exceeds size limit"),
        (matches("${{inputs.t}}", "(a+)+$"), long.clone(), 1, "ASSERTION_FAILED"),
        (pattern, long.clone(), 2, "does not match"),
        (with_data("${{inputs.t}}".repeat(5_000)), long, 1, "evaluation bytes is limited"),
        (with_data("${{".repeat(20_000)), json!({}), 2, "INTERPOLATION_ERROR"),
        (steps(&circle), json!({}), 2, "CYCLE_DETECTED"),
        (steps(&[spells]), json!({}), 2, "VALIDATION_ERROR"),
    ]
}

#[test]
fn hostile_workflows_end_soon_and_with_a_word() {
    let all = hostile_expressions().into_iter().chain(hostile_programs()).chain(hostile_steps());
    for (definition, params, code, why) in all {
        let home = Home::new();
        let begun = Instant::now();
        let said = run(&home, &definition, &params);
        let took = begun.elapsed();
        let shown: String = definition.to_string().chars().take(200).collect();
        assert_eq!(said.code, code, "{shown}: {}", said.err);
        assert!(said.out.contains(why), "{shown}: not a word of `{why}`: {}", said.err);
        assert!(took < HANGS, "{shown} took {took:?}");
    }
}

#[test]
fn one_process_outlives_all_hostile_programs() {
    let mut all = Vec::new();
    for (n, (definition, ..)) in hostile_programs().into_iter().filter(|it| it.2 == 1).enumerate() {
        let mut step = definition["steps"][0].clone();
        step["id"] = json!(format!("a{n}"));
        step["on_error"] = json!({"strategy": "ignore"});
        all.push(step);
    }
    let names: Vec<Json> = all.iter().map(|step| step["id"].clone()).collect();
    let mut last = hash("last");
    last["depends_on"] = json!(names);
    all.push(last);
    let mut definition = steps(&all);
    definition["output"] = json!("${{steps.last.hash}}");
    let result = run(&Home::new(), &definition, &json!({})).ended(0).json();
    assert_eq!(result["output"].as_str().map(str::len), Some(64), "{result}");
    for name in names {
        let step = &result["steps"][name.as_str().unwrap()];
        assert!(step["output"]["error"]["code"].is_string(), "{step}");
    }
}

#[test]
fn hostile_json_is_refused_before_anything_is_made_of_it() {
    let nested_params =
        format!(r#"{{"steps":[{{"id":"a","action":"x","params":{}}}]}}"#, deep(50_000));
    for text in ["[".repeat(1_000_000), r#"{"steps":"#.repeat(100_000), nested_params] {
        let home = Home::new();
        let said = run_text(&home, &text, "{}").ended(2);
        assert!(said.out.contains("LIMIT_EXCEEDED"), "{}", said.err);
        assert!(!home.db().exists(), "nothing was made");
    }
    let one = steps(&[hash("a")]).to_string();
    run_text(&Home::new(), &one, &format!(r#"{{"t":{}}}"#, deep(100_000))).ended(2);
}
