//! Actions that die, and secrets that nobody can open.
//!
//! Keeps: a step fails, nothing hangs, and the engine serves everybody else.
//! Not here: actions that merely fail.

use std::time::Duration;

use opcode_model::{ErrorCode, Failure, RunStatus};
use serde_json::{Value as Json, json};

use crate::gate::Gate;
use crate::hands::Hands;
use crate::kit::{code_of, house, house_with, of, refusal, request, step, steps};

fn dies(action: &str) -> Json {
    steps(&[step("a", action, json!({"tag": "p", "panic": true}))])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_panics_fails_its_step() {
    let house = house(1).await;
    for action in ["hand.idempotent", "hand.unsafe", "hand.pure"] {
        let result = house.run(&dies(action)).await;
        assert_eq!(result.status, RunStatus::Failed, "{action}");
        assert_eq!(code_of(&result, "a"), Some(ErrorCode::Internal), "{action}: {result:?}");
        assert!(of(&result, "a").error.as_ref().unwrap().message.contains("told to"), "{result:?}");
    }
    assert_eq!(house.engine.running().await, 0, "the only slot is free again");
    let well = steps(&[step("a", "hand.idempotent", json!({"tag": "well"}))]);
    assert_eq!(house.run(&well).await.status, RunStatus::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_decides_and_dies_halts_the_process() {
    let (say, halted) = std::sync::mpsc::channel();
    let halt = move |failure: &Failure| say.send(failure.clone()).unwrap();
    let house = house_with(Gate::new(), Hands::new(), 1, halt).await;
    house.store.die();
    let refused = refusal(house.begin(request(&dies("hand.pure"))).await);
    assert_eq!(refused.code, ErrorCode::Internal, "{refused}");
    let failure = halted.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(failure.message.contains("told to die"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_without_a_vault_is_an_error_and_never_seen() {
    let house = house(1).await;
    for action in ["hand.idempotent", "hand.pure", "crypto.hash"] {
        let params = json!({"data": "Bearer ${{secrets.API_KEY}}", "tag": "s"});
        let result = house.run(&steps(&[step("a", action, params)])).await;
        assert_eq!(code_of(&result, "a"), Some(ErrorCode::Vault), "{action}: {result:?}");
        let message = of(&result, "a").error.as_ref().unwrap().message.clone();
        assert!(message.contains("API_KEY") && message.contains("no vault"), "{message}");
        let events = house.events(result.workflow_id).await;
        let started = events.iter().find(|event| event.kind.name() == "step_started").unwrap();
        let text = serde_json::to_string(started).unwrap();
        assert!(text.contains(r#"{"secret":"API_KEY"}"#), "only its name is recorded: {text}");
    }
    assert_eq!(house.hands.ledger().calls, [], "nothing was called");
}
