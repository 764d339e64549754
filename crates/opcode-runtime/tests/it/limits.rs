//! Limits that a process from outside would take too long to reach, each hit in the machine that keeps it.
//!
//! Keeps: a limit's failure names it and its number.
//! Not here: limits the real binary shows quickly (`opcode/tests/limits.rs`, where the table of all of them stands).

use opcode_driver::{Command, Incoming};
use opcode_engine::{Run, apply, decide};
use opcode_model::limits::{
    FLUSH_BYTES_MAX, FLUSH_EVENTS_MAX, FLUSH_MS_MAX, MAILBOX_SIGNALS_MAX, OPEN_DECISIONS_MAX,
    PAYLOAD_INLINE_BYTES_MAX, QUEUE_INPUTS_MAX, QUEUE_RUNS_MAX, RUN_EVENTS_MAX, TURN_WORK_MAX,
};
use opcode_model::{
    ErrorCode, Input, InputKind, RunId, RunStatus, Seq, SignalKind, Timestamp, Value,
};
use serde_json::{Value as Json, json};

use crate::bench::{Bench, planned, run_id};
use crate::hands::Hands;
use crate::kit::{Disk, code, house, signal, step, steps};

fn endless(body: Json) -> Json {
    steps(&[json!({"id": "l", "type": "loop",
        "config": {"mode": "while", "condition": "true", "max_iter": 100_000, "body": [body]}})])
}

#[test]
fn runs_in_memory_are_limited() {
    let mut bench = Bench::new();
    for n in 0..QUEUE_RUNS_MAX {
        bench.tell(Incoming::Poke(run_id(n)));
    }
    assert_eq!(bench.driver.in_memory(), QUEUE_RUNS_MAX);
    bench.start(RunId([255; 16]), &steps(&[step("a", "crypto.uuid", json!({}))]));
    while bench.ask().is_some() {}
    let refused = bench.refused();
    assert_eq!(refused[0].code, ErrorCode::LimitExceeded);
    assert_eq!(&*refused[0].message, format!("workflows in memory is limited to {QUEUE_RUNS_MAX}"));
}

#[test]
fn inputs_in_line_are_limited_also_while_their_run_is_read() {
    let limit = format!("inputs in line for a workflow is limited to {QUEUE_INPUTS_MAX}");
    for in_memory in [true, false] {
        let mut bench = Bench::new();
        if in_memory {
            bench.start(run_id(1), &steps(&[step("a", "crypto.uuid", json!({}))]));
        }
        for _ in 0..QUEUE_INPUTS_MAX + 5 {
            bench.signal(run_id(1), signal(SignalKind::Data, Some("go"), json!(1)));
        }
        match bench.ask() {
            Some(Command::Load(_)) => while bench.ask().is_some() {},
            other => assert!(in_memory, "{other:?}"),
        }
        let refused: Vec<_> =
            bench.refused().into_iter().filter(|it| *it.message == *limit).cloned().collect();
        assert_eq!(refused.len(), 5, "in memory: {in_memory}");
        assert_eq!(refused[0].code, ErrorCode::SignalFailed, "as documented: try again later");
    }
}

#[test]
fn a_commit_is_forced_by_events_bytes_and_time() {
    let mut bench = Bench::new();
    bench.start(run_id(1), &endless(step("a", "crypto.hash", json!({"data": "x"}))));
    let events = bench.commit(0).unwrap().events.len();
    assert!((FLUSH_EVENTS_MAX..FLUSH_EVENTS_MAX + 16).contains(&events), "{events} events");

    let large = PAYLOAD_INLINE_BYTES_MAX;
    let params = json!({"message": "m", "data": "x".repeat(large)});
    let mut bench = Bench::new();
    bench.start(run_id(1), &endless(step("a", "workflow.log", params)));
    let commit = bench.commit(0).unwrap();
    let bytes = serde_json::to_string(&commit.events).unwrap().len();
    assert!(bytes < 4 * FLUSH_BYTES_MAX && bytes > FLUSH_BYTES_MAX / 2, "{bytes} bytes");
    assert!(commit.events.len() < FLUSH_EVENTS_MAX);

    let mut bench = Bench::new();
    bench.start(run_id(1), &endless(step("a", "crypto.hash", json!({"data": "x"}))));
    let commit = bench.commit(FLUSH_MS_MAX).unwrap();
    assert!(commit.events.len() < FLUSH_EVENTS_MAX, "{} events", commit.events.len());
}

#[test]
fn a_turn_ends_by_the_work_of_its_expressions() {
    let list = |n: usize| (0..n).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    // Each look at the condition walks the square of the list: about an eighth of a turn's work.
    let walks = (TURN_WORK_MAX / 8).isqrt() as usize / 2;
    let costly = format!("[{0}].all(x, [{0}].all(y, x + y >= 0))", list(walks));
    let definition = steps(&[json!({"id": "l", "type": "loop", "config":
        {"mode": "while", "condition": costly, "max_iter": 100_000, "body": [step("a", "crypto.hash", json!({"data": "x"}))]}})]);
    let per_commit = |definition: &Json| {
        let mut bench = Bench::new();
        bench.start(run_id(1), definition);
        // The first says that it began, and no more.
        bench.commit(FLUSH_MS_MAX).unwrap();
        bench.commit(FLUSH_MS_MAX).unwrap().events.len()
    };
    let dear = per_commit(&definition);
    let cheap = per_commit(&endless(step("a", "crypto.hash", json!({"data": "x"}))));
    assert!(dear * 3 / 2 < cheap, "{dear} events of costly decisions, {cheap} of cheap ones");
}

#[test]
fn events_of_a_run_are_limited() {
    let plan = planned(&endless(step("a", "crypto.hash", json!({"data": "x"}))));
    let mut run = Run::new(run_id(1), &plan);
    let give = |run: &mut Run, kind: InputKind| {
        let input = Input { at: Timestamp(0), kind };
        let decision = decide(&plan, run, &input).unwrap();
        decision.events.iter().for_each(|event| apply(run, event));
    };
    give(&mut run, InputKind::Start(Box::default()));
    run.state.seq = Seq(RUN_EVENTS_MAX + 1);
    while run.is_ready() {
        give(&mut run, InputKind::Proceed);
    }
    assert_eq!(run.status(), RunStatus::Failed);
    let error = run.state.error.unwrap();
    assert_eq!(error.code, ErrorCode::LimitExceeded);
    assert_eq!(&*error.message, format!("events of a run is limited to {RUN_EVENTS_MAX}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn early_signals_are_limited() {
    let house = house(1).await;
    let waits = steps(&[json!({"id": "w", "type": "wait", "config": {"signal": "go"}})]);
    let run = house.start(&waits).await;
    let early = |n: usize| signal(SignalKind::Data, Some("other"), json!(n));
    for n in 0..MAILBOX_SIGNALS_MAX {
        house.signal(run, early(n)).await.unwrap();
    }
    let failure = house.signal(run, early(0)).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::SignalFailed, "as documented: try again later");
    let limit = format!("early signals of a run is limited to {MAILBOX_SIGNALS_MAX}");
    assert_eq!(*failure.message, *limit);
    house.signal(run, signal(SignalKind::Data, Some("go"), json!(1))).await.unwrap();
    house.completed(run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_decisions_are_limited() {
    let house = house(1).await;
    let ask = json!({"id": "q", "type": "reasoning", "config": {"prompt_context": "?"}});
    let items: Vec<usize> = (0..=OPEN_DECISIONS_MAX).collect();
    let asks = |ids: &[&str]| -> Vec<Json> {
        let one = |id: &&str| {
            json!({"id": id, "type": "loop", "config": {
            "over": format!("inputs.{id}"), "concurrency": 1000, "body": [ask]}})
        };
        ids.iter().map(one).collect()
    };
    let definition = json!({"steps": asks(&["a", "b"]), "inputs": {
        "a": items[..600], "b": items[600..]}});
    let result = house.run(&definition).await;
    assert_eq!(result.status, RunStatus::Failed);
    let message = &result.error.as_ref().unwrap().message;
    let limit = format!("open decisions of a run is limited to {OPEN_DECISIONS_MAX}");
    assert!(message.contains(&limit), "{:?} {message}", code(&result));
    let error = serde_json::to_string(&result.error).unwrap();
    assert!(error.contains("LIMIT_EXCEEDED"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_payload_stands_apart_and_comes_back() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 1).await;
    let text = "x".repeat(PAYLOAD_INLINE_BYTES_MAX);
    let run = house.run(&steps(&[step("a", "hand.idempotent", json!({"tag": text}))])).await;
    let written = std::fs::metadata(house.store.path()).unwrap().len()
        + std::fs::metadata(house.store.path().with_extension("db-wal")).unwrap().len();
    assert!(written < 20 * PAYLOAD_INLINE_BYTES_MAX as u64, "{written}");
    let house = disk.house(house.abandon().await, 1).await;
    let status = house.engine.reader().status(run.workflow_id).await.unwrap();
    let output = status.result.steps["a"].output.find("tag").cloned();
    assert_eq!(output, Some(Value::from(text)));
    assert_eq!(house.engine.reader().verify().await.unwrap().damage, []);
}
