//! Snapshots, large payloads, and what a store says of its own health.
//!
//! Keeps: what is large comes back like what is small.
//! Not here: damage (beside the stores that have bytes).

use std::sync::Arc;

use opcode_model::commit::{Commit, RunRow};
use opcode_model::limits::PAYLOAD_INLINE_BYTES_MAX;
use opcode_model::{RunStatus, Seq, Value};
use opcode_store::{EventFilter, RunFilter};

use super::fixtures::{begin, commit_of, completed, loaded, logged, row, run, take};
use super::{Case, Store, wait};

pub(super) const CASES: &[Case] = &[
    ("a snapshot stands in for what is before it", snapshot),
    ("large payloads come back", large_payloads),
    ("large columns of a row come back", large_row),
    ("what is stored is counted by agent", stored),
    ("a whole store verifies", verifies),
    ("a store says what it is", about),
];

fn snapshot(store: &dyn Store) {
    let mut first = begin(run(1));
    first.snapshot = Some("one".into());
    let end = take(store, first);
    let found = loaded(store, run(1));
    assert_eq!((found.snapshot, found.events.len()), (Some((Seq(1), "one".into())), 0));
    let events = vec![logged(2, "a", "x"), logged(3, "a", "y")];
    let end = take(store, commit_of(run(1), end, events.clone()));
    let found = loaded(store, run(1));
    assert_eq!((found.snapshot, &found.events), (Some((Seq(1), "one".into())), &events));
    assert_eq!(found.position, end);
    let later = commit_of(run(1), end, vec![logged(4, "a", "z")]);
    let end = take(store, Commit { snapshot: Some("two".into()), ..later });
    let found = loaded(store, run(1));
    assert_eq!((found.snapshot, found.events), (Some((Seq(4), "two".into())), vec![]));
    assert_eq!(found.position, end);
    // Without events it stands at the end as it is.
    let last = commit_of(run(1), end, vec![]);
    take(store, Commit { snapshot: Some("three".into()), ..last });
    assert_eq!(loaded(store, run(1)).snapshot, Some((Seq(4), "three".into())));
    let all = EventFilter { run: Some(run(1)), ..EventFilter::default() };
    assert_eq!(wait(store.events(all)).map(|events| events.len()), Ok(4));
}

fn stored(store: &dyn Store) {
    let count = || wait(store.stored()).unwrap_or_default();
    assert!(count().is_empty());
    take(store, begin(run(1)));
    let mut first = begin(run(2));
    let agent_id = Some("ann".into());
    first.row = first.row.map(|row| Box::new(RunRow { agent_id, ..*row }));
    let end = take(store, first);
    let before = count();
    assert_eq!(before.keys().map(AsRef::as_ref).collect::<Vec<_>>(), ["", "ann"]);
    assert!(before.values().all(|bytes| (20..2_000).contains(bytes)), "{before:?}");
    let noise = (0..40_000_u64).map(|n| (n * n * 7_919 + n).to_string()).collect::<String>();
    take(store, commit_of(run(2), end, vec![completed(2, "large", noise.as_str())]));
    let after = count();
    assert_eq!(before.get(""), after.get(""));
    assert!(after.get("ann").is_some_and(|bytes| *bytes > 100_000), "{after:?}");
}

fn large(seed: &str) -> Value {
    Value::object([("text", seed.repeat(PAYLOAD_INLINE_BYTES_MAX / seed.len() + 1))])
}

fn large_payloads(store: &dyn Store) {
    let events = vec![
        completed(1, "small", 1),
        completed(2, "large", large("n\u{e9}\"\n")),
        completed(3, "null", Value::Null),
        completed(4, "same", large("n\u{e9}\"\n")),
        completed(5, "other", large("x")),
        completed(6, "nearly", "y".repeat(PAYLOAD_INLINE_BYTES_MAX - 200).as_str()),
    ];
    let mut commit = begin(run(1));
    commit.events = events.clone().into();
    let end = take(store, commit);
    take(store, commit_of(run(1), end, vec![events[1].clone()]));
    let found = loaded(store, run(1));
    assert_eq!(found.events[..6], events);
    assert_eq!(found.events[6], events[1]);
    let steps = EventFilter { step_id: Some("large".into()), ..EventFilter::default() };
    let listed = wait(store.events(steps)).unwrap_or_default();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|record| record.event == events[1]));
    assert_eq!(wait(store.verify()).map(|report| report.damage), Ok(vec![]));
}

fn large_row(store: &dyn Store) {
    let mut columns = row(RunStatus::Completed, 1);
    (columns.inputs, columns.output) = (large("in"), large("out"));
    let mut commit = begin(run(1));
    commit.row = Some(Box::new(columns.clone()));
    take(store, commit);
    assert_eq!(loaded(store, run(1)).row, columns);
    let listed = wait(store.workflows(RunFilter::default())).unwrap_or_default();
    assert_eq!(listed[0].row, columns);
}

fn verifies(store: &dyn Store) {
    let batch: Vec<Commit> = (1..=5).map(|n| begin(run(n))).collect();
    let ends = wait(store.append(Arc::new(batch)));
    let end = ends[0].as_ref().copied().unwrap_or_default();
    let mut more = commit_of(run(1), end, vec![logged(2, "a", "x"), completed(3, "b", large("z"))]);
    more.snapshot = Some("{}".into());
    take(store, more);
    let report = wait(store.verify()).unwrap_or_default();
    assert_eq!((report.runs, report.events, report.damage), (5, 7, vec![]));
}

fn about(store: &dyn Store) {
    let before = store.about();
    take(store, begin(run(1)));
    let after = store.about();
    assert_eq!((before.backend, &before.version), (after.backend, &after.version));
    assert_eq!(after.commits, before.commits + 1);
}
