//! The pool: never more effects out than it allows, fair between runs, held by nobody who only waits.
//!
//! Keeps: a run with many effects does not starve a run with one.
//! Not here: the order within one run.

use opcode_model::{RunStatus, SignalKind, Value};
use serde_json::{Value as Json, json};

use crate::kit::{house, of, signal, step, steps};

/// Effects side by side, each with a tag of its own.
fn wide(prefix: &str, count: usize, hold: bool) -> Json {
    let one = |n: usize| {
        let params = json!({"tag": format!("{prefix}{n}"), "hold": hold});
        step(&format!("s{n}"), "hand.idempotent", params)
    };
    steps(&(0..count).map(one).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_effects_are_out_than_the_pool_allows() {
    let house = house(3).await;
    let mut runs = Vec::new();
    for prefix in ["a", "b", "c"] {
        runs.push(house.start(&wide(prefix, 20, true)).await);
    }
    house.hands.until("the pool is full", |ledger| ledger.running == 3).await;
    assert_eq!(house.engine.running().await, 3);
    house.hands.release_all();
    for run in runs {
        house.completed(run).await;
    }
    let ledger = house.hands.ledger();
    assert_eq!((ledger.calls.len(), ledger.most), (60, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_fifty_does_not_starve_a_run_with_one() {
    let house = house(1).await;
    let many = house.start(&wide("a", 50, true)).await;
    house.hands.until("the first is out", |ledger| ledger.running == 1).await;
    let one = house.start(&wide("b", 1, false)).await;
    house.hands.release_all();
    house.completed(one).await;
    house.completed(many).await;
    let ledger = house.hands.ledger();
    let place = ledger.tags().iter().position(|tag| *tag == "b0").unwrap();
    assert!(place <= 2, "it was number {place} of {:?}", ledger.tags());
    assert_eq!(ledger.most, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_waits_holds_no_slot() {
    let house = house(1).await;
    let idle = [
        steps(&[json!({"id": "w", "type": "wait", "config": {"duration": "1h"}})]),
        steps(&[json!({"id": "w", "type": "wait", "config": {"signal": "never"}})]),
        steps(&[json!({"id": "w", "type": "reasoning", "config": {"prompt_context": "?"}})]),
        steps(&[
            json!({"id": "w", "action": "hand.idempotent", "params": {"tag": "f", "fails": 1},
            "retry": {"max": 1, "backoff": "constant", "delay": "1h"}}),
        ]),
    ];
    for definition in &idle {
        house.start(definition).await;
    }
    house.hands.until_called("f", 1).await;
    house.run(&wide("x", 3, false)).await;
    assert_eq!(house.engine.running().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_leaves_the_only_slot_to_its_children() {
    let house = house(1).await;
    house
        .define("leaf", &steps(&[step("a", "hand.unsafe", json!({"tag": "${{inputs.tag}}"}))]))
        .await;
    let call = |tag: &str| json!({"template_name": "leaf", "params": {"tag": tag}});
    house.define("middle", &steps(&[step("m", "workflow.run", call("${{inputs.tag}}"))])).await;
    let parents: Vec<Json> = (0..12)
        .map(|n| {
            let params = json!({"template_name": "middle", "params": {"tag": format!("t{n}")}});
            step(&format!("p{n}"), "workflow.run", params)
        })
        .collect();
    let result = house.run(&steps(&parents)).await;
    assert_eq!(result.status, RunStatus::Completed, "{result:?}");
    let ledger = house.hands.ledger();
    assert_eq!((ledger.calls.len(), ledger.most), (12, 1));
    let pointer = ["m", "a", "tag"];
    let output = pointer
        .iter()
        .fold(&of(&result, "p7").output, |value, key| value.find(key).unwrap_or(value));
    assert_eq!(output, &Value::from("t7"), "{:?}", of(&result, "p7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_childs_question_holds_no_slot_either() {
    let house = house(1).await;
    let asks = json!({"id": "q", "type": "reasoning", "config": {"prompt_context": "?"}});
    house.define("asks", &steps(&[asks])).await;
    let parent = steps(&[step("c", "workflow.run", json!({"template_name": "asks"}))]);
    let result = house.run(&parent).await;
    assert_eq!(result.status, RunStatus::Suspended, "it says so through its parent");
    house.run(&wide("x", 2, false)).await;
    let status = house.engine.reader().status(result.workflow_id).await.unwrap();
    let child = status.decisions[0].run;
    let answer = signal(SignalKind::Decision, Some("q"), json!({"choice": "on"}));
    house.signal(child, answer).await.unwrap();
    house.completes(result.workflow_id).await;
}
