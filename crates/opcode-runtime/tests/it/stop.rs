//! Cancelling: it reaches what runs, down to the last process of a shell's tree.
//!
//! Keeps: a run is over only when everything it started is.
//! Not here: how a tree is held (`opcode-sandbox`).

use opcode_model::{RunStatus, SignalKind, StepStatus};
use serde_json::json;
use tempfile::TempDir;

use crate::kit::{holding, house, of, signal, step, steps, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_action_out_in_the_world_is_told() {
    let house = house(1).await;
    let run = house.start(&holding("h")).await;
    house.hands.until_called("h", 1).await;
    house.signal(run, signal(SignalKind::Cancel, None, json!(null))).await.unwrap();
    let result = house.settled(run).await;
    assert_eq!(result.status, RunStatus::Cancelled);
    assert_eq!(of(&result, "a").status, StepStatus::Skipped);
    assert!(house.hands.ledger().stopped.contains("h"));
    assert_eq!(house.hands.ledger().running, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_listen_is_awaited() {
    let house = house(1).await;
    let params = json!({"tag": "h", "hold": true, "deaf": true});
    let run = house.start(&steps(&[step("a", "hand.unsafe", params)])).await;
    house.hands.until_called("h", 1).await;
    house.signal(run, signal(SignalKind::Cancel, None, json!(null))).await.unwrap();
    let status = house.engine.reader().status(run).await.unwrap();
    assert!(!status.result.status.is_terminal(), "it is not over while something is out");
    house.hands.release("h");
    let result = house.settled(run).await;
    assert_eq!(result.status, RunStatus::Cancelled);
    assert_eq!(of(&result, "a").status, StepStatus::Completed, "what happened is recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_slot_never_goes_out() {
    let house = house(1).await;
    let first = house.start(&holding("h")).await;
    house.hands.until_called("h", 1).await;
    let second = house.start(&holding("late")).await;
    house.signal(second, signal(SignalKind::Cancel, None, json!(null))).await.unwrap();
    assert_eq!(house.settled(second).await.status, RunStatus::Cancelled);
    house.hands.release("h");
    house.completed(first).await;
    assert_eq!(house.hands.ledger().tags(), ["h"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shells_whole_tree_dies() {
    let house = house(1).await;
    let dir = TempDir::new().unwrap();
    let script = "sleep 600 & echo $! > pids; (sleep 600 & echo $! >> pids; wait) & \
                  until [ $(wc -l < pids) = 2 ]; do sleep 0.01; done; touch ready; wait";
    let params = json!({"command": script, "shell": true, "cwd": dir.path(), "timeout": "600s"});
    let run = house.start(&steps(&[step("a", "shell.exec", params)])).await;
    until("the tree stands", async || dir.path().join("ready").exists().then_some(())).await;
    house.signal(run, signal(SignalKind::Cancel, None, json!(null))).await.unwrap();
    assert_eq!(house.settled(run).await.status, RunStatus::Cancelled);
    for pid in std::fs::read_to_string(dir.path().join("pids")).unwrap().lines() {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "process {pid} lives: {state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_without_effects_can_be_cancelled() {
    let house = house(1).await;
    let endless = json!({"steps": [{"id": "l", "type": "loop", "config": {"mode": "while",
        "condition": "true", "max_iter": 100_000,
        "body": [step("x", "hand.pure", json!({}))]}}]});
    let run = house.start(&endless).await;
    house.signal(run, signal(SignalKind::Cancel, None, json!(null))).await.unwrap();
    let result = house.settled(run).await;
    assert_eq!(result.status, RunStatus::Cancelled);
    assert!(result.steps.len() < 100_000, "it was cancelled on its way");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_parent_reaches_its_childrens_effects() {
    let house = house(2).await;
    house.define("child", &holding("deep")).await;
    let call = |id: &str| step(id, "workflow.run", json!({"template_name": "child"}));
    let run = house.start(&steps(&[call("one"), call("two")])).await;
    house.hands.until_called("deep", 2).await;
    house.signal(run, signal(SignalKind::Cancel, None, json!(null))).await.unwrap();
    assert_eq!(house.settled(run).await.status, RunStatus::Cancelled);
    house.hands.until("both have stopped", |ledger| ledger.running == 0).await;
    assert!(house.hands.ledger().stopped.contains("deep"));
    let what = "every run is over";
    until(what, async || house.engine.reader().open().await.unwrap().is_empty().then_some(()))
        .await;
}
