//! Breakers through the engine: a target that keeps failing is left alone, the others are not.
//!
//! Keeps: what a breaker does is an event of the run that met it.
//! Not here: cooldown and probe (`opcode-actions/tests/it/breaker.rs`), which are told the time.

use opcode_model::{ErrorCode, EventKind, RunStatus};
use serde_json::{Value as Json, json};

use crate::kit::{code_of, house, of, step, steps};

fn to(target: &str, fails: u32) -> Json {
    let params = json!({"tag": target, "target": target, "fails": fails});
    steps(&[step("a", "hand.idempotent", params)])
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_close_the_way_to_one_target_only() {
    let house = house(2).await;
    for _ in 0..4 {
        let result = house.run(&to("bad", 99)).await;
        assert!(!house.trail(result.workflow_id).await.contains(&"circuit_breaker_open"));
    }
    let fifth = house.run(&to("bad", 99)).await.workflow_id;
    let opened = house.events(fifth).await.into_iter().find_map(|event| {
        let EventKind::CircuitBreakerOpen(step, breaker) = event.kind else { return None };
        Some((step, breaker))
    });
    let (at, breaker) = opened.expect("the run that opened it says so");
    assert_eq!((at.path.as_ref(), breaker.target.as_ref()), ("a", "bad"));
    assert_eq!((breaker.consecutive_failures, breaker.cooldown_ms), (5, 30_000));
    let sixth = house.run(&to("bad", 99)).await;
    assert_eq!(sixth.status, RunStatus::Failed);
    assert_eq!(code_of(&sixth, "a"), Some(ErrorCode::CircuitOpen), "{sixth:?}");
    assert_eq!(house.hands.ledger().keys("bad").len(), 5, "the sixth was held back");
    assert_eq!(house.run(&to("good", 0)).await.status, RunStatus::Completed);
    let other = step("a", "hand.unsafe", json!({"tag": "other", "target": "bad"}));
    assert_eq!(house.run(&steps(&[other])).await.status, RunStatus::Completed, "another action");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_in_between_starts_the_count_again() {
    let house = house(1).await;
    for _ in 0..4 {
        house.run(&to("flaky", 4)).await;
    }
    assert_eq!(house.run(&to("flaky", 4)).await.status, RunStatus::Completed);
    for _ in 0..4 {
        house.run(&to("flaky", 8)).await;
    }
    let result = house.run(&to("flaky", 8)).await;
    assert_eq!(result.status, RunStatus::Completed, "{result:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_are_held_back_as_well_and_the_error_says_for_how_long() {
    let house = house(1).await;
    let definition = steps(&[json!({"id": "a", "action": "hand.idempotent",
        "params": {"tag": "t", "target": "t", "fails": 99},
        "retry": {"max": 9, "backoff": "constant", "delay": "1ms"}})]);
    let result = house.run(&definition).await;
    assert_eq!(result.status, RunStatus::Failed);
    assert_eq!(house.hands.ledger().keys("t").len(), 5);
    let error = of(&result, "a").error.clone().unwrap();
    assert_eq!(error.code, ErrorCode::CircuitOpen, "{error}");
    assert!(error.message.contains("5 consecutive failures"), "{error}");
}
