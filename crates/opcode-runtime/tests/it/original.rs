//! Histories of the original that nobody could have written, taken over all the same.
//!
//! Keeps: whatever the events say, the run is over as its row says, and every row follows from its events.
//! Not here: a database of the original as it is (the binary's tests).

use std::sync::Arc;

use opcode_actions::Registry;
use opcode_model::{Object, RunId, RunStatus, Value};
use opcode_runtime::{Actor, Caller, Reader, take_over};
use opcode_store::{Fault, MemoryStore, Original, RunFilter};

const RUNS: i64 = 300;

/// Every kind of body, one inside another.
const DEFINITION: &str = r#"{"steps":[
  {"id":"a","action":"workflow.log","params":{"message":"m"},
    "on_error":{"strategy":"fallback_step","fallback_step":"f"}},
  {"id":"f","action":"workflow.log","params":{"message":"m"}},
  {"id":"l","type":"loop","depends_on":["a"],"config":{"over":"[1,2,3]","max_iter":3,"body":[
    {"id":"p","type":"parallel","config":{"branches":[
      [{"id":"x","action":"workflow.log","params":{"message":"m"}}],
      [{"id":"c","type":"condition","config":{"expression":"true","branches":{
        "true":[{"id":"y","type":"wait","config":{"signal":"s"}}]},"default":[]}}]]}}]}}]}"#;
const STEPS: [&str; 10] = [
    "a",
    "f",
    "l",
    "l.iter_0.p",
    "l.iter_1.p",
    "l.iter_0.p.branch_0.x",
    "l.iter_0.p.branch_1.c",
    "l.iter_0.p.branch_1.c.true.y",
    "l.iter_1.p.branch_0.x",
    "",
];
const TYPES: [(&str, &str); 12] = [
    ("step_started", "null"),
    ("step_started", "{}"),
    ("step_suspended", ""),
    ("condition_evaluated", "{\"expression\":1,\"result\":true}"),
    ("condition_evaluated", "{\"result\":\"other\"}"),
    ("loop_iter_started", "{\"iteration\":0}"),
    ("loop_iter_started", "{\"iteration\":1,\"item\":[]}"),
    ("parallel_started", "{\"mode\":\"race\",\"branches\":99}"),
    ("workflow_started", "[]"),
    ("step_completed", "{\"output\":1}"),
    ("step_failed", "{\"error\":\"e\"}"),
    ("step_skipped", "7"),
];
/// How many of these end a step: the last ones.
const ENDS: usize = 3;

/// A database whose events are dice.
struct Dice;

/// The `n`th number of a run, below `limit`.
fn dice(run: i64, n: usize, limit: usize) -> usize {
    let mut x = (run as u64).wrapping_mul(1_000_003).wrapping_add(n as u64).wrapping_add(1);
    for _ in 0..3 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    usize::try_from(x % limit as u64).unwrap()
}

fn text(pairs: &[(&str, &str)]) -> Object {
    pairs.iter().map(|(name, text)| (*name, *text)).collect()
}

impl Original for Dice {
    fn workflows(&self) -> Result<Vec<(i64, Value)>, Fault> {
        Ok((1..=RUNS)
            .map(|n| (n, RunId((n as u128).to_be_bytes()).to_string().as_str().into()))
            .collect())
    }

    fn rows(
        &self,
        table: &'static str,
        column: Option<(&'static str, &Value)>,
    ) -> Result<Vec<Object>, Fault> {
        let Some((_, key)) = column else { return Ok(Vec::new()) };
        let run = key.as_i64().unwrap_or_else(|| {
            let id = RunId::parse(key.as_str().unwrap()).unwrap();
            i64::try_from(u128::from_be_bytes(id.0)).unwrap()
        });
        let status = ["completed", "failed", "cancelled", "active", "?"][dice(run, 0, 5)];
        Ok(match table {
            "workflows" => vec![text(&[("definition", DEFINITION), ("status", status)])],
            "events" => (0..200)
                .map(|n| {
                    let step = STEPS[dice(run, 2 * n + 1, STEPS.len())];
                    // In every other run nothing ends for long, so that it comes deep.
                    let kinds = TYPES.len() - if run % 2 == 0 && n < 150 { ENDS } else { 0 };
                    let (kind, payload) = TYPES[dice(run, 2 * n + 2, kinds)];
                    text(&[("event_type", kind), ("step_id", step), ("payload", payload)])
                })
                .collect(),
            "step_state" => STEPS
                .iter()
                .enumerate()
                .map(|(n, step)| {
                    let status =
                        ["completed", "failed", "skipped", "running", "?"][dice(run, 1_000 + n, 5)];
                    text(&[("step_id", step), ("status", status), ("output", "{"), ("error", "5")])
                })
                .collect(),
            _ => Vec::new(),
        })
    }
}

#[tokio::test]
async fn no_history_is_too_wild() {
    let (store, tools) = (Arc::new(MemoryStore::default()), Arc::new(Registry::builtin()));
    let actor = Actor::new(&Caller::local(), "cli");
    let done = take_over(&Dice, store.clone(), tools.clone(), &actor).await.unwrap();
    assert_eq!((done.runs, done.notes), (300, vec![]));
    let reader = Reader::new(store, tools);
    let report = reader.verify().await.unwrap();
    assert_eq!((report.runs, report.damage), (300, vec![]));
    let filter = RunFilter { limit: 1_000, ..RunFilter::default() };
    let all = reader.workflows(filter).await.unwrap();
    assert!(all.iter().all(|one| one.row.status.is_terminal()));
    let count = |status| all.iter().filter(|one| one.row.status == status).count();
    assert!(count(RunStatus::Completed) > 30 && count(RunStatus::Failed) > 90);
    let mut nested = 0;
    for one in &all {
        let steps = reader.status(one.run).await.unwrap().result.steps;
        nested += steps.keys().filter(|path| path.ends_with(".y")).count();
    }
    assert!(nested > 0, "none came as deep as there is");
}
