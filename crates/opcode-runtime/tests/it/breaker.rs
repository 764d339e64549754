//! Breakers through the engine: a target that keeps failing is left alone, the others are not.
//!
//! Keeps: what a breaker does is an event of the run that met it.
//! Not here: every turn a breaker can take (`opcode-actions/tests/it/breaker.rs`), which is told the time.

use std::time::Duration;

use opcode_actions::WorldConfig;
use opcode_model::{ErrorCode, EventKind, Failure, RunStatus};
use opcode_store::MemoryStore;
use serde_json::{Value as Json, json};

use crate::hands::Hands;
use crate::kit::{code_of, house, house_in, of, step, steps};

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
async fn after_its_cooldown_one_call_tries_and_what_came_of_it_is_recorded() {
    let world =
        WorldConfig { breaker_cooldown: Duration::from_millis(1), ..WorldConfig::default() };
    let panics = |failure: &Failure| panic!("{failure}");
    let house = house_in(world, MemoryStore::new(), Hands::new(), 1, panics).await;
    let trail = async |fails: u32| {
        let run = house.run(&to("t", fails)).await.workflow_id;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let trail = house.trail(run).await;
        trail.into_iter().filter(|name| name.starts_with("circuit")).collect::<Vec<_>>()
    };
    for _ in 0..4 {
        assert_eq!(trail(6).await, [""; 0]);
    }
    assert_eq!(trail(6).await, ["circuit_breaker_open"]);
    let again = ["circuit_breaker_half_open", "circuit_breaker_open"];
    assert_eq!(trail(6).await, again, "the one that tried failed as well");
    let well = ["circuit_breaker_half_open", "circuit_breaker_closed"];
    assert_eq!(trail(6).await, well);
    assert_eq!(trail(6).await, [""; 0]);
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
        "retry": {"max": 9, "backoff": "constant", "delay": "1ms", "retry_on": ["EXECUTION_ERROR"]}})]);
    let result = house.run(&definition).await;
    assert_eq!(result.status, RunStatus::Failed);
    assert_eq!(house.hands.ledger().keys("t").len(), 5);
    let error = of(&result, "a").error.clone().unwrap();
    assert_eq!(error.code, ErrorCode::CircuitOpen, "{error}");
    assert!(error.message.contains("5 consecutive failures"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_waits_for_the_breaker_that_its_own_failures_opened() {
    let world =
        WorldConfig { breaker_cooldown: Duration::from_millis(20), ..WorldConfig::default() };
    let panics = |failure: &Failure| panic!("{failure}");
    let house = house_in(world, MemoryStore::new(), Hands::new(), 1, panics).await;
    let definition = steps(&[json!({"id": "a", "action": "hand.idempotent",
        "params": {"tag": "t", "target": "t", "fails": 6},
        "retry": {"max": 8, "delay": "1ms"}})]);
    let result = house.run(&definition).await;
    assert_eq!(result.status, RunStatus::Completed, "{result:?}");
    assert_eq!(house.hands.ledger().keys("t").len(), 7, "six that failed, one that did not");
}
