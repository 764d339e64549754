//! Ending in good order: nothing new, effects within the grace, the rest at the next start.
//!
//! Keeps: what is not done when the grace is over is done later, under the same key.
//! Not here: signals of the operating system (`opcode/tests`).

use std::time::Duration;

use opcode_driver::{Command, Incoming};
use opcode_model::{ErrorCode, Failure, RunStatus, SignalKind};
use opcode_store_sqlite::SqliteStore;
use serde_json::json;

use crate::bench::{Bench, run_id};
use crate::hands::Hands;
use crate::kit::{
    Disk, House, holding, house, refusal, request, signal, step, steps, until, within,
};

const LONG: Duration = Duration::from_secs(60);

/// Waits until nothing new begins.
async fn until_it_drains(house: &House<SqliteStore>) {
    let pure = steps(&[step("a", "hand.pure", json!({}))]);
    let failure = until("nothing new begins", async || house.begin(request(&pure)).await.err());
    let failure = refusal::<()>(Err(failure.await));
    assert_eq!(failure.code, ErrorCode::Conflict, "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_may_end_within_the_grace() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 2).await;
    let definition = steps(&[
        step("a", "hand.idempotent", json!({"tag": "h", "hold": true})),
        json!({"id": "b", "action": "hand.idempotent", "params": {"tag": "next"},
               "depends_on": ["a"]}),
    ]);
    let run = house.start(&definition).await;
    house.hands.until_called("h", 1).await;
    let engine = house.engine.clone();
    let ending = tokio::spawn(async move { engine.shutdown(LONG).await });
    until_it_drains(&house).await;
    house.hands.release("h");
    within(ending).await.unwrap().unwrap();
    let hands = house.abandon().await;
    assert_eq!(hands.ledger().tags(), ["h"], "what comes next waits for the next start");
    let house = disk.house(hands, 2).await;
    house.completed(run).await;
    assert_eq!(house.hands.ledger().tags(), ["h", "next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_longer_is_told_to_stop_and_goes_on_later() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 2).await;
    let run = house.start(&holding("h")).await;
    house.hands.until_called("h", 1).await;
    within(house.engine.shutdown(Duration::from_millis(20))).await.unwrap();
    house.hands.until("it was told", |ledger| ledger.stopped.contains("h")).await;
    assert_eq!(house.engine.run(request(&holding("x"))).await.map_err(|_| ()).err(), Some(()));
    let hands = house.abandon().await;
    hands.release_all();
    let house = disk.house(hands, 2).await;
    let result = house.completed(run).await;
    assert_eq!(result.status, RunStatus::Completed);
    let ledger = house.hands.ledger();
    assert_eq!(ledger.keys("h").len(), 2);
    assert_eq!(ledger.keys("h")[0], ledger.keys("h")[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_step_that_never_went_out_is_not_in_doubt() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 2).await;
    let mut definition = steps(&[
        step("a", "hand.unsafe", json!({"tag": "h", "hold": true})),
        json!({"id": "b", "action": "hand.unsafe", "params": {"tag": "next"}, "depends_on": ["a"]}),
    ]);
    definition["on_interrupted"] = json!("fail");
    let run = house.start(&definition).await;
    house.hands.until_called("h", 1).await;
    let engine = house.engine.clone();
    let ending = tokio::spawn(async move { engine.shutdown(LONG).await });
    until_it_drains(&house).await;
    house.hands.release("h");
    within(ending).await.unwrap().unwrap();
    let house = disk.house(house.abandon().await, 2).await;
    house.completed(run).await;
    assert_eq!(house.hands.ledger().tags(), ["h", "next"]);
}

#[test]
fn a_back_off_that_ends_meanwhile_begins_nothing() {
    let mut bench = Bench::new();
    let retry = json!({"max": 3, "delay": "1s", "backoff": "constant"});
    let flaky =
        json!({"id": "a", "action": "http.request", "params": {"url": "http://x"}, "retry": retry});
    bench.start(run_id(1), &steps(&[flaky]));
    while bench.commit(0).is_some() {}
    let Some(Command::Perform(key)) = bench.asked.pop() else { panic!("{:?}", bench.asked) };
    let outcome = Err(Failure::new(ErrorCode::Execution, "not now"));
    bench.tell(Incoming::Finished { key, outcome, breakers: Vec::new() });
    assert!(bench.commit(0).is_some(), "that it failed is written");
    bench.tell(Incoming::Drain);
    let begun = bench.commit(5_000);
    assert!(begun.is_none(), "it would be in doubt at the next start: {begun:?}");
    assert_eq!(bench.driver.next_due(), None);
    bench.signal(run_id(1), signal(SignalKind::Retry, Some("a"), json!(null)));
    assert!(bench.commit(0).is_none());
    assert_eq!(bench.refused().last().map(|it| it.code), Some(ErrorCode::Conflict));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_engine_ends_at_once_and_twice() {
    let house = house(1).await;
    let waits = steps(&[json!({"id": "w", "type": "wait", "config": {"duration": "1h"}})]);
    house.start(&waits).await;
    within(house.engine.shutdown(LONG)).await.unwrap();
    within(house.engine.shutdown(LONG)).await.unwrap();
    assert_eq!(house.engine.running().await, 0);
    assert_eq!(
        house.engine.wait(opcode_model::RunId([1; 16]), None).await.unwrap_err().code,
        ErrorCode::Internal
    );
}
