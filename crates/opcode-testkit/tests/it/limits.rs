//! Limits too large to write out in a story: hitting one is a clear error with its number.
//!
//! Keeps: nothing grows without bound.
//! Not here: limits a story can show (nesting, depth of children).

use std::sync::Arc;

use opcode_engine::{Plan, Refusal, plan};
use opcode_model::limits::{
    DEFINITION_BYTES_MAX, DEFINITION_STEPS_MAX, FAN_OUT_MAX, INPUT_BYTES_MAX, LOOP_ITERATIONS_MAX,
    MAILBOX_SIGNALS_MAX, OPEN_DECISIONS_MAX, OUTPUT_BYTES_MAX,
};
use opcode_model::{
    InputKind, RunId, RunStatus, Signal, SignalKind, Start, StepIx, Timestamp, Value,
};
use opcode_testkit::story::{Stage, StoryActions};
use serde_json::{Value as Json, json};

fn planned(definition: &Json) -> Plan {
    plan(&Value::from_serde(definition), &StoryActions).expect("it can run")
}

fn problems(definition: &Json) -> String {
    let problems = plan(&Value::from_serde(definition), &StoryActions).expect_err("it cannot run");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn started(definition: &Json, inputs: Value) -> Stage {
    let plan = Arc::new(planned(definition));
    let mut stage = Stage::new(plan, RunId::derived(&["limits"]), Timestamp(0));
    let start = Start { params: inputs, ..Start::default() };
    stage.give(InputKind::Start(Box::new(start))).expect("it begins");
    stage.settle();
    assert_eq!(stage.defects, Vec::<String>::new());
    stage
}

fn error_of(stage: &Stage) -> String {
    stage.run.state.error.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn a_definition_is_limited_in_steps_bytes_and_fan_out() {
    let steps: Vec<Json> = (0..=DEFINITION_STEPS_MAX)
        .map(|i| json!({"id": format!("s{i}"), "action": "noop"}))
        .collect();
    assert!(problems(&json!({"steps": steps})).contains("limited to 10000"));
    let text = "x".repeat(DEFINITION_BYTES_MAX);
    let large = json!({"steps": [{"id": "a", "action": "noop"}], "description": text});
    assert!(problems(&large).contains("limited to 1048576"));
    let branches = vec![json!([{"id": "a", "action": "noop"}]); FAN_OUT_MAX + 1];
    let wide =
        json!({"steps": [{"id": "p", "type": "parallel", "config": {"branches": branches}}]});
    assert!(problems(&wide).contains("limited to 1000"));
}

#[test]
fn a_loop_over_more_than_the_house_allows_fails_unless_its_author_cuts_it() {
    let items = Value::list((0..=LOOP_ITERATIONS_MAX).map(Value::from));
    let inputs = Value::object([("items", items)]);
    let body = json!([{"id": "a", "action": "noop"}]);
    let whole = json!({"steps": [{"id": "l", "type": "loop",
        "config": {"over": "inputs.items", "body": body}}]});
    let stage = started(&whole, inputs.clone());
    assert_eq!(stage.run.status(), RunStatus::Failed);
    assert!(error_of(&stage).contains("limited to 100000"), "{}", error_of(&stage));
    let cut = json!({"steps": [{"id": "l", "type": "loop",
        "config": {"over": "inputs.items", "max_iter": 3, "body": body}}]});
    let stage = started(&cut, inputs);
    assert_eq!(stage.run.status(), RunStatus::Completed);
    assert!(stage.run.state.output.to_json().contains(r#""truncated":true"#));
}

#[test]
fn inputs_and_outputs_are_limited_in_bytes() {
    let definition = json!({"steps": [{"id": "a", "action": "shell.exec"}]});
    let plan = Arc::new(planned(&definition));
    let mut stage = Stage::new(plan, RunId::derived(&["limits"]), Timestamp(0));
    let params = Value::object([("x", Value::from("x".repeat(INPUT_BYTES_MAX)))]);
    let refusal = stage.give(InputKind::Start(Box::new(Start { params, ..Start::default() })));
    let Err(Refusal::Unfit(failure)) = refusal else { panic!("{refusal:?}") };
    assert!(failure.to_string().contains("limited to 4194304"), "{failure}");
    let mut stage = started(&definition, Value::Null);
    let outcome = Ok(Value::from("x".repeat(OUTPUT_BYTES_MAX + 1)));
    let (step, breakers) = (StepIx(0), Vec::new());
    stage.give(InputKind::Finished { step, attempt: 1, outcome, breakers }).unwrap();
    stage.settle();
    assert!(error_of(&stage).contains("limited to 33554432"), "{}", error_of(&stage));
}

#[test]
fn early_signals_are_limited() {
    let definition = json!({"steps": [{"id": "w", "type": "wait", "config": {"signal": "go"}}]});
    let mut stage = started(&definition, Value::Null);
    let signal = || {
        let mut signal = Signal::new(SignalKind::Data);
        signal.name = Some("other".into());
        InputKind::Signal(Box::new(signal))
    };
    for _ in 0..MAILBOX_SIGNALS_MAX {
        stage.give(signal()).unwrap();
    }
    let Err(Refusal::Unfit(failure)) = stage.give(signal()) else { panic!("it was taken") };
    assert!(failure.to_string().contains("limited to 1000"), "{failure}");
}

#[test]
fn open_questions_are_limited() {
    let items = Value::list((0..OPEN_DECISIONS_MAX + 1).map(Value::from));
    let definition = json!({"failure_mode": "branch", "steps": [
        {"id": "l", "type": "loop", "config": {"over": "inputs.items", "concurrency": 1000, "body": [
            {"id": "d", "type": "reasoning", "config": {"prompt_context": "?"}}]}},
        {"id": "last", "type": "reasoning", "config": {"prompt_context": "?"}}]});
    let stage = started(&definition, Value::object([("items", items)]));
    assert_eq!(stage.run.state.open_decisions as usize, OPEN_DECISIONS_MAX);
    let failed = stage.run.state.steps.iter().find_map(|step| step.error());
    assert!(failed.unwrap().to_string().contains("limited to 1000"));
}
