//! Starting and waiting: to the end, for a while, under a key.
//!
//! Keeps: an answer is given only for what is on disk.
//! Not here: signals (`signals.rs`).

use std::time::Duration;

use opcode_model::{ErrorCode, RunId, RunStatus, StepStatus, Value};
use opcode_runtime::{EngineError, RunAnswer, RunRequest, Source, Wait};
use serde_json::json;

use crate::hands::Hands;
use crate::kit::{Disk, code, holding, house, of, refusal, request, step, steps, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_to_its_end_on_both_stores() {
    let definition = json!({"steps": [
        step("a", "hand.pure", json!({"tag": "${{inputs.who}}"})),
        {"id": "b", "action": "hand.unsafe", "params": {"tag": "${{steps.a.tag}}!"}, "depends_on": ["a"]}],
        "inputs": {"who": "x"}, "output": "${{steps.b.tag}}"});
    let house = house(4).await;
    let result = house.run(&definition).await;
    assert_eq!((result.status, result.output), (RunStatus::Completed, Value::from("x!")));
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 4).await;
    let result = house.run(&definition).await;
    assert_eq!((result.status, result.output), (RunStatus::Completed, Value::from("x!")));
    let at_rest = house.engine.reader().status(result.workflow_id).await.unwrap();
    assert_eq!(at_rest.result.status, RunStatus::Completed);
    assert_eq!(house.hands.ledger().tags(), ["x!"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_wait_is_told_that_it_began() {
    let house = house(1).await;
    let run = house.start(&holding("h")).await;
    assert_eq!(house.trail(run).await, ["workflow_started", "step_started"], "it is on disk");
    house.hands.until_called("h", 1).await;
    assert_eq!(house.engine.running().await, 1);
    house.hands.release("h");
    house.completed(run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_while_sees_how_far_it_is() {
    let house = house(2).await;
    let definition = json!({"steps": [
        step("first", "hand.pure", json!({"tag": "done"})),
        {"id": "second", "action": "hand.unsafe", "params": {"tag": "h", "hold": true},
         "depends_on": ["first"]}]});
    let wait = Wait::Settled(Some(Duration::from_millis(20)));
    let answer = within(house.engine.run(RunRequest { wait, ..request(&definition) })).await;
    let Ok(RunAnswer::Ongoing(so_far)) = answer else { panic!("{answer:?}") };
    assert_eq!(so_far.status, RunStatus::Active);
    assert_eq!(of(&so_far, "first").status, StepStatus::Completed);
    assert_eq!(of(&so_far, "second").status, StepStatus::Running);
    let again = house.engine.wait(so_far.workflow_id, Some(Duration::ZERO)).await;
    assert!(matches!(again, Ok(RunAnswer::Ongoing(_))), "{again:?}");
    house.hands.release("h");
    house.completed(so_far.workflow_id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_names_one_run_for_ever() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 2).await;
    let definition = steps(&[step("a", "hand.unsafe", json!({"tag": "once"}))]);
    let keyed = |definition: &serde_json::Value| RunRequest {
        idempotency_key: Some("order-7".into()),
        ..request(definition)
    };
    let run = house.begin(keyed(&definition)).await.unwrap();
    house.completed(run).await;
    assert_eq!(house.begin(keyed(&definition)).await.unwrap(), run);
    let waited = within(house.engine.run(keyed(&definition))).await;
    let Ok(RunAnswer::Settled(result)) = waited else { panic!("{waited:?}") };
    assert_eq!(result.workflow_id, run, "one that waits gets the same run's result");
    let other = steps(&[step("a", "hand.unsafe", json!({"tag": "twice"}))]);
    assert_eq!(refusal(house.begin(keyed(&other)).await).code, ErrorCode::Conflict);
    let params = Value::object([("n", 1)]);
    let other = house.begin(RunRequest { params, ..keyed(&definition) }).await;
    assert_eq!(refusal(other).code, ErrorCode::Conflict);
    let other = house.begin(RunRequest { agent_id: Some("x".into()), ..keyed(&definition) }).await;
    assert_eq!(refusal(other).code, ErrorCode::Conflict);
    let hands = house.abandon().await;
    let house = disk.house(hands, 2).await;
    assert_eq!(house.begin(keyed(&definition)).await.unwrap(), run, "after a restart too");
    assert_eq!(house.hands.ledger().tags(), ["once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_under_one_key_are_one_run() {
    let house = house(8).await;
    let definition = steps(&[step("a", "hand.unsafe", json!({"tag": "once"}))]);
    let all = (0..32).map(|_| {
        let request = RunRequest { idempotency_key: Some("k".into()), ..request(&definition) };
        house.begin(request)
    });
    let all: Vec<RunId> =
        futures_util::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
    assert!(all.iter().all(|run| *run == all[0]), "{all:?}");
    house.completed(all[0]).await;
    assert_eq!(house.hands.ledger().tags(), ["once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_leaves_nothing_behind() {
    let house = house(1).await;
    let problems =
        house.begin(request(&json!({"steps": [{"id": "a", "action": "no.such"}]}))).await;
    assert!(matches!(&problems, Err(EngineError::Problems(all)) if all.len() == 1), "{problems:?}");
    let source = Source::Template { name: "nothing".into(), version: None };
    let missing = house.begin(RunRequest { source, ..request(&json!({})) }).await;
    assert_eq!(refusal(missing).code, ErrorCode::NotFound);
    let unfit = json!({"steps": [step("a", "hand.pure", json!({}))],
        "input_schema": {"type": "object", "required": ["n"]}});
    assert_eq!(refusal(house.begin(request(&unfit)).await).code, ErrorCode::Validation);
    let filter = opcode_store::RunFilter::default();
    assert_eq!(house.engine.reader().workflows(filter).await.unwrap(), []);
    let unknown = RunId::derived(&["nobody"]);
    assert_eq!(house.engine.wait(unknown, None).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(house.engine.in_memory().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_fails_its_run() {
    let house = house(1).await;
    let retry = json!({"max": 1, "backoff": "constant", "delay": "1ms"});
    let flaky = |fails: u32, tag: &str| {
        json!({"steps": [{"id": "a", "action": "hand.idempotent", "retry": retry,
            "params": {"tag": tag, "fails": fails}}]})
    };
    let result = house.run(&flaky(1, "once")).await;
    assert_eq!((result.status, of(&result, "a").retries), (RunStatus::Completed, 1));
    let result = house.run(&flaky(2, "twice")).await;
    assert_eq!(
        (result.status, code(&result)),
        (RunStatus::Failed, Some(ErrorCode::RetryExhausted))
    );
    let ledger = house.hands.ledger();
    let keys = ledger.keys("twice");
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1], "one key over retries");
}
