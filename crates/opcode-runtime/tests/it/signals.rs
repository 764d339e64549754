//! Signals through the facade: each kind, heard, refused, repeated.
//!
//! Keeps: when `signal` returns, it is on disk.
//! Not here: what each does in every state (`opcode-testkit`'s stories).

use opcode_model::{ErrorCode, RunId, RunStatus, Signal, SignalKind, StepStatus, Value};
use opcode_store::DecisionFilter;
use serde_json::json;

use crate::kit::{House, code_of, holding, house, of, signal, step, steps};

const ASKS: &str = r#"{"steps":[{"id":"ask","type":"reasoning","config":{"prompt_context":"Ship it?",
    "options":[{"id":"yes"},{"id":"no"}]}}]}"#;

async fn asked<S: opcode_store::Runs + opcode_store::Catalog>(house: &House<S>) -> RunId {
    let result = house.run(&serde_json::from_str(ASKS).unwrap()).await;
    assert_eq!(result.status, RunStatus::Suspended);
    result.workflow_id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_goes_on_and_is_final() {
    let house = house(1).await;
    let run = asked(&house).await;
    let open = DecisionFilter { run: Some(run), ..DecisionFilter::default() };
    assert_eq!(house.engine.reader().decisions(open.clone()).await.unwrap().len(), 1);
    let odd = signal(SignalKind::Decision, Some("ask"), json!({"choice": "maybe"}));
    assert_eq!(house.signal(run, odd).await.unwrap_err().code, ErrorCode::Validation);
    let yes = signal(SignalKind::Decision, Some("ask"), json!({"choice": "yes"}));
    house.signal(run, yes).await.unwrap();
    assert!(house.trail(run).await.contains(&"decision_resolved"), "it is on disk");
    let result = house.completed(run).await;
    assert_eq!(of(&result, "ask").output.find("choice"), Some(&Value::from("yes")));
    let no = signal(SignalKind::Decision, Some("ask"), json!({"choice": "no"}));
    assert_eq!(house.signal(run, no).await.unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(house.engine.reader().decisions(open).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_reaches_a_wait_now_or_before_it_comes() {
    let house = house(1).await;
    let definition = steps(&[
        step("first", "hand.idempotent", json!({"tag": "h", "hold": true})),
        json!({"id": "wait", "type": "wait", "config": {"signal": "go"}, "depends_on": ["first"]}),
        json!({"id": "more", "type": "wait", "config": {"signal": "go"}, "depends_on": ["wait"]}),
    ]);
    let run = house.start(&definition).await;
    house.signal(run, signal(SignalKind::Data, Some("go"), json!({"n": 1}))).await.unwrap();
    house.hands.release("h");
    house.until_event(run, "wait_completed").await;
    house.signal(run, signal(SignalKind::Data, Some("go"), json!({"n": 2}))).await.unwrap();
    let result = house.completed(run).await;
    let heard =
        |step| of(&result, step).output.find("payload").and_then(|it| it.find("n")).cloned();
    assert_eq!((heard("wait"), heard("more")), (Some(Value::Int(1)), Some(Value::Int(2))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_signal_twice_is_one() {
    let house = house(1).await;
    let run = house.start(&holding("h")).await;
    let once = Signal { id: Some("s1".into()), ..signal(SignalKind::Data, Some("go"), json!(1)) };
    house.signal(run, once.clone()).await.unwrap();
    let before = house.trail(run).await;
    house.signal(run, once).await.unwrap();
    assert_eq!(house.trail(run).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_retry_and_skip_do_what_they_say() {
    let house = house(4).await;
    let run = asked(&house).await;
    house.signal(run, signal(SignalKind::Cancel, None, json!(null))).await.unwrap();
    assert_eq!(house.settled(run).await.status, RunStatus::Cancelled);

    let run = asked(&house).await;
    house.signal(run, signal(SignalKind::Skip, Some("ask"), json!(null))).await.unwrap();
    assert_eq!(of(&house.completed(run).await, "ask").status, StepStatus::Skipped);

    let definition = steps(&[json!({"id": "a", "action": "hand.idempotent",
        "params": {"tag": "slow", "fails": 1},
        "retry": {"max": 1, "backoff": "constant", "delay": "1h"}})]);
    let run = house.start(&definition).await;
    house.until_event(run, "step_retrying").await;
    assert_eq!(house.engine.running().await, 0, "back-off holds no slot");
    house.signal(run, signal(SignalKind::Retry, Some("a"), json!(null))).await.unwrap();
    assert_eq!(of(&house.completed(run).await, "a").retries, 1);

    let run = house.start(&definition_that_fails_for_an_hour("other")).await;
    house.until_event(run, "step_retrying").await;
    house.signal(run, signal(SignalKind::Skip, Some("a"), json!(null))).await.unwrap();
    assert_eq!(of(&house.completed(run).await, "a").status, StepStatus::Skipped);
}

fn definition_that_fails_for_an_hour(tag: &str) -> serde_json::Value {
    steps(&[json!({"id": "a", "action": "hand.idempotent", "params": {"tag": tag, "fails": 9},
        "retry": {"max": 9, "backoff": "constant", "delay": "1h"}})])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let house = house(1).await;
    let nobody = RunId::derived(&["nobody"]);
    for kind in SignalKind::ALL {
        let refused = house.signal(nobody, signal(*kind, Some("a"), json!(null))).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound, "{kind:?}");
    }
    let result = house.run(&steps(&[step("a", "hand.pure", json!({}))])).await;
    let run = result.workflow_id;
    let before = house.trail(run).await;
    for kind in SignalKind::ALL {
        let refused = house.signal(run, signal(*kind, Some("a"), json!({"choice": "x"}))).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::Conflict, "{kind:?}");
    }
    assert_eq!(house.trail(run).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempts_own_limit_ends_it() {
    let house = house(1).await;
    let definition = steps(&[step(
        "a",
        "shell.exec",
        json!({"command": "sleep", "args": ["600"], "timeout": "50ms"}),
    )]);
    let result = house.run(&definition).await;
    assert_eq!(of(&result, "a").output.find("killed"), Some(&Value::Bool(true)), "{result:?}");
    let definition = steps(&[json!({"id": "a", "action": "shell.exec", "timeout": "50ms",
        "params": {"command": "sleep", "args": ["600"]}})]);
    let result = house.run(&definition).await;
    assert_eq!(code_of(&result, "a"), Some(ErrorCode::Timeout), "{result:?}");
}
