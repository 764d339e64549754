//! A process that ends without a word: the next one goes on by itself.
//!
//! Keeps: an attempt is repeated under the key it had; an unsafe one only as its author said.
//! Not here: real `kill -9` (`opcode/tests`), crashes between any two commands (`cargo sim`).

use std::sync::Arc;

use opcode_model::commit::Commit;
use opcode_model::event::Logged;
use opcode_model::{
    ErrorCode, Event, EventKind, RunId, RunStatus, SignalKind, StepIx, StepRef, Timestamp, Value,
};
use opcode_store::Runs;
use opcode_store_sqlite::SqliteStore;
use serde_json::{Value as Json, json};

use crate::hands::Hands;
use crate::kit::{Disk, House, code_of, of, signal, step, steps, until};

fn held(action: &str, policy: &str) -> Json {
    let mut definition = steps(&[
        step("a", action, json!({"tag": "h", "hold": true})),
        json!({"id": "b", "action": "hand.pure", "params": {"tag": "${{steps.a.tag}}"},
               "depends_on": ["a"]}),
    ]);
    definition["on_interrupted"] = json!(policy);
    definition
}

/// Starts it, waits until it is out in the world, and lets the process go; then another opens the store.
async fn interrupted(disk: &Disk, definition: &Json) -> (House<SqliteStore>, RunId) {
    let house = disk.house(Hands::new(), 2).await;
    let run = house.start(definition).await;
    house.hands.until_called("h", 1).await;
    let hands = house.abandon().await;
    hands.until("its attempt is dead", |ledger| ledger.running == 0).await;
    hands.release_all();
    (disk.house(hands, 2).await, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotent_attempt_runs_again_under_its_key() {
    for policy in ["retry", "fail", "ask"] {
        let disk = Disk::new();
        let (house, run) = interrupted(&disk, &held("hand.idempotent", policy)).await;
        let result = house.completed(run).await;
        assert_eq!(of(&result, "b").output.find("tag"), Some(&Value::from("h")));
        let ledger = house.hands.ledger();
        let keys = ledger.keys("h");
        assert_eq!(keys.len(), 2, "{policy}: nobody had to ask for it");
        assert_eq!(keys[0], keys[1]);
        assert_eq!(keys[0], opcode_model::idempotency_key(run, "a", 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_attempt_is_repeated_by_default() {
    let disk = Disk::new();
    let (house, run) = interrupted(&disk, &held("hand.unsafe", "retry")).await;
    house.completed(run).await;
    let ledger = house.hands.ledger();
    assert_eq!(ledger.keys("h").len(), 2);
    assert_eq!(ledger.keys("h")[0], ledger.keys("h")[1]);
    assert!(house.trail(run).await.contains(&"step_interrupted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_attempt_may_fail_instead() {
    let disk = Disk::new();
    let (house, run) = interrupted(&disk, &held("hand.unsafe", "fail")).await;
    let result = house.settled(run).await;
    assert_eq!(result.status, RunStatus::Failed);
    assert_eq!(code_of(&result, "a"), Some(ErrorCode::InDoubt));
    assert_eq!(house.hands.ledger().keys("h").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_attempt_may_be_asked_about() {
    for (answer, calls) in [("retry", 2), ("done", 1), ("fail", 1)] {
        let disk = Disk::new();
        let (house, run) = interrupted(&disk, &held("hand.unsafe", "ask")).await;
        assert_eq!(house.settled(run).await.status, RunStatus::Suspended);
        let open = house.engine.reader().status(run).await.unwrap().decisions;
        let known: Vec<&str> = open[0].request.options.iter().map(|it| it.id.as_ref()).collect();
        assert!(known.contains(&answer), "{known:?}");
        let payload = json!({"choice": answer, "data": {"tag": "by hand"}});
        house.signal(run, signal(SignalKind::Decision, Some("a"), payload)).await.unwrap();
        let result = house.settled(run).await;
        let ended = if answer == "fail" { RunStatus::Failed } else { RunStatus::Completed };
        assert_eq!(result.status, ended, "{answer}: {result:?}");
        assert_eq!(house.hands.ledger().keys("h").len(), calls, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_waiting_goes_on_after_a_restart() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 2).await;
    let timer = house
        .start(&steps(&[json!({"id": "w", "type": "wait", "config": {"duration": "300ms"}})]))
        .await;
    let listens = house
        .start(&steps(&[json!({"id": "w", "type": "wait", "config": {"signal": "go"}})]))
        .await;
    let asks = steps(&[json!({"id": "q", "type": "reasoning", "config": {"prompt_context": "?"}})]);
    house.define("asks", &asks).await;
    let parent =
        house.start(&steps(&[step("c", "workflow.run", json!({"template_name": "asks"}))])).await;
    house.settled(parent).await;
    let backs_off = house
        .start(&steps(&[json!({"id": "a", "action": "hand.idempotent",
            "params": {"tag": "f", "fails": 1},
            "retry": {"max": 1, "backoff": "constant", "delay": "300ms"}})]))
        .await;
    house.until_event(backs_off, "step_retrying").await;
    let house = disk.house(house.abandon().await, 2).await;
    house.completed(timer).await;
    house.completed(backs_off).await;
    house.signal(listens, signal(SignalKind::Data, Some("go"), json!(1))).await.unwrap();
    house.completed(listens).await;
    let child = house.engine.reader().status(parent).await.unwrap().decisions[0].run;
    let answer = signal(SignalKind::Decision, Some("q"), json!({"choice": "on"}));
    house.signal(child, answer).await.unwrap();
    house.completes(parent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_signal_survives() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 1).await;
    let definition = steps(&[
        step("a", "hand.idempotent", json!({"tag": "h", "hold": true})),
        json!({"id": "w", "type": "wait", "config": {"signal": "go"}, "depends_on": ["a"]}),
    ]);
    let run = house.start(&definition).await;
    house.signal(run, signal(SignalKind::Data, Some("go"), json!("early"))).await.unwrap();
    let house = disk.house(house.abandon().await, 1).await;
    house.hands.release_all();
    let result = house.completed(run).await;
    assert_eq!(of(&result, "w").output.find("payload"), Some(&Value::from("early")));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_go_on_at_once() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 4).await;
    let mut runs = Vec::new();
    for n in 0..100 {
        let tag = format!("t{n}");
        let params = json!({"tag": tag, "hold": true});
        runs.push(house.start(&steps(&[step("a", "hand.idempotent", params)])).await);
    }
    house.hands.until("the pool is full", |ledger| ledger.running == 4).await;
    let house = disk.house(house.abandon().await, 4).await;
    house.hands.release_all();
    for run in &runs {
        house.completed(*run).await;
    }
    let ledger = house.hands.ledger();
    assert_eq!(ledger.most, 4);
    for n in 0..100 {
        let keys = ledger.keys(&format!("t{n}")).len();
        assert!((1..=2).contains(&keys), "t{n} was called {keys} times");
    }
    until("none is open", async || {
        house.engine.reader().open().await.unwrap().is_empty().then_some(())
    })
    .await;
    assert_eq!(house.engine.reader().verify().await.unwrap().damage, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_state_that_cannot_be_read_costs_nothing_but_time() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 1).await;
    let definition = steps(&[
        step("a", "hand.pure", json!({"tag": "a"})),
        json!({"id": "q", "type": "reasoning", "config": {"prompt_context": "?"},
               "depends_on": ["a"]}),
    ]);
    let run = house.start(&definition).await;
    assert_eq!(house.settled(run).await.status, RunStatus::Suspended);
    house.abandon().await;
    let store = disk.open().await;
    let after = store.load(run).await.unwrap().unwrap().position;
    let logged = Logged { level: "info".into(), message: "kept".into(), data: Value::Null };
    let kind =
        EventKind::MessageLogged(StepRef { ix: StepIx(0), path: "a".into() }, Box::new(logged));
    let commit = Commit {
        run,
        agent_id: None,
        after,
        events: vec![Event { at: Timestamp(1), kind }].into(),
        row: None,
        decisions: Vec::new(),
        messages: Vec::new(),
        consumed: Vec::new(),
        catalog: Vec::new(),
        snapshot: Some("{}".into()),
        effects: Vec::new(),
    };
    store.append(Arc::new(vec![commit])).await.remove(0).unwrap();
    assert!(store.load(run).await.unwrap().unwrap().snapshot.is_some());
    store.close().await.unwrap();
    let house = disk.house(Hands::new(), 1).await;
    let answer = signal(SignalKind::Decision, Some("q"), json!({"choice": "y"}));
    house.signal(run, answer).await.unwrap();
    house.completed(run).await;
}
