//! Child workflows over the catalog: which version they run, and what becomes of their parent.
//!
//! Keeps: a child's version is pinned when it starts.
//! Not here: cancelling (`stop.rs`), slots (`slots.rs`).

use opcode_model::{ErrorCode, EventKind, RunId, RunStatus, Value};
use opcode_runtime::DefineRequest;
use opcode_store::{Catalog, RunFilter, Runs};
use serde_json::{Value as Json, json};

use crate::hands::Hands;
use crate::kit::{Disk, House, code_of, house, of, step, steps};

fn says(word: &str, hold: bool) -> Json {
    let mut definition = steps(&[step("a", "hand.idempotent", json!({"tag": word, "hold": hold}))]);
    definition["output"] = json!("${{steps.a.tag}}");
    definition
}

fn calls(params: Json) -> Json {
    steps(&[step("c", "workflow.run", params)])
}

async fn child_of<S: Runs + Catalog>(house: &House<S>, run: RunId) -> RunId {
    let filter = RunFilter { parent: Some(run), ..RunFilter::default() };
    house.engine.reader().workflows(filter).await.unwrap()[0].run
}

async fn version_of<S: Runs + Catalog>(house: &House<S>, run: RunId) -> Option<String> {
    house.events(run).await.iter().find_map(|event| {
        let EventKind::WorkflowStarted(started) = &event.kind else { return None };
        started.template_version.as_ref().map(ToString::to_string)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_asked_for_runs_or_else_the_latest() {
    let house = house(1).await;
    assert_eq!(house.define("say", &says("one", false)).await, "v1");
    assert_eq!(house.define("say", &says("two", false)).await, "v2");
    let result = house.run(&calls(json!({"template_name": "say", "version": "v1"}))).await;
    assert_eq!(of(&result, "c").output.to_json(), r#""one""#, "{result:?}");
    let result = house.run(&calls(json!({"template_name": "say"}))).await;
    assert_eq!(of(&result, "c").output, Value::from("two"));
    let child = child_of(&house, result.workflow_id).await;
    assert_eq!(version_of(&house, child).await.as_deref(), Some("v2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_pinned_over_a_restart() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 1).await;
    house.define("say", &says("old", true)).await;
    let run = house.start(&calls(json!({"template_name": "say"}))).await;
    house.hands.until_called("old", 1).await;
    house.define("say", &says("new", false)).await;
    let house = disk.house(house.abandon().await, 1).await;
    house.hands.release_all();
    let result = house.completed(run).await;
    assert_eq!(of(&result, "c").output, Value::from("old"));
    let child = child_of(&house, run).await;
    assert_eq!(version_of(&house, child).await.as_deref(), Some("v1"));
    assert_eq!(house.hands.ledger().keys("new"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_not_there_fails_the_parent() {
    let house = house(1).await;
    house.define("say", &says("x", false)).await;
    for params in [
        json!({"template_name": "nothing"}),
        json!({"template_name": "say", "version": "v9"}),
        json!({"template_name": "sai"}),
    ] {
        let result = house.run(&calls(params)).await;
        assert_eq!(result.status, RunStatus::Failed);
        assert_eq!(code_of(&result, "c"), Some(ErrorCode::NotFound), "{result:?}");
        let text = result.error.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(
            text.contains("[NOT_FOUND] template `") && !text.contains("child workflow"),
            "{text}"
        );
    }
    assert!(house.engine.reader().open().await.unwrap().is_empty(), "nothing is left behind");
    assert_eq!(house.engine.in_memory().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_not_there_is_warned_of_when_its_caller_is_defined() {
    let house = house(1).await;
    house.define("say", &says("x", false)).await;
    let warned = async |params: Json| {
        let request = DefineRequest {
            name: "caller".into(),
            definition: Value::from_serde(&calls(params)),
            dry_run: true,
            ..DefineRequest::default()
        };
        let defined = house.engine.define(request).await.unwrap();
        defined.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for (params, said) in [
        (json!({"template_name": "sai"}), "template `sai` does not exist; did you mean `say`?"),
        (json!({"template_name": "say", "version": "v9"}), "has no version `v9`"),
    ] {
        let warnings = warned(params).await;
        assert!(warnings.len() == 1 && warnings[0].contains(said), "{warnings:?}");
        assert!(warnings[0].contains("/steps/0/params/template_name"), "{warnings:?}");
    }
    for params in [
        json!({"template_name": "say"}),
        json!({"template_name": "caller"}),
        json!({"template_name": "${{ inputs.which }}"}),
    ] {
        assert_eq!(warned(params).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_cannot_begin_or_fails_fails_its_parent() {
    let house = house(1).await;
    let mut strict = says("x", false);
    strict["input_schema"] = json!({"type": "object", "required": ["n"]});
    house.define("strict", &strict).await;
    let result = house.run(&calls(json!({"template_name": "strict"}))).await;
    assert_eq!(code_of(&result, "c"), Some(ErrorCode::Validation), "{result:?}");
    let fails = step("a", "hand.idempotent", json!({"tag": "f", "fails": 9}));
    house.define("fails", &steps(&[fails])).await;
    let result = house.run(&calls(json!({"template_name": "fails"}))).await;
    assert_eq!(result.status, RunStatus::Failed, "{result:?}");
    assert!(code_of(&result, "c").is_some());
}
