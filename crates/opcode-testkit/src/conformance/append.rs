//! Appending: what is taken, what is refused, and that a refusal is nobody else's business.
//!
//! Keeps: a refused commit leaves nothing behind.
//! Not here: messages (`inbox.rs`), large payloads and snapshots (`state.rs`).

use std::sync::Arc;

use opcode_model::commit::{CatalogKind, CatalogWrite, Commit, Position};
use opcode_model::{Effect, RunStatus, Seq, Timestamp, Value};
use opcode_store::{CommitError, RunFilter};

use super::fixtures::{
    after, append, begin, commit_of, completed, loaded, logged, message, row, run, step, take,
};
use super::{Case, Store, wait};

pub(super) const CASES: &[Case] = &[
    ("a log goes on where it ended", goes_on),
    ("values come back exactly", exact_values),
    ("a stale commit is refused alone", stale_alone),
    ("a refused commit leaves nothing", refused_leaves_nothing),
    ("a batch may hold a run twice", twice_in_a_batch),
    ("a commit may have no events", no_events),
    ("a run without a row has a blank one", blank),
    ("effects are set free by their commit only", effects),
    ("a whole batch is taken, or nothing of it", whole),
];

fn goes_on(store: &dyn Store) {
    let first = take(store, begin(run(1)));
    assert_eq!(first.seq, Seq(1));
    let events = vec![logged(2, "a", "x"), logged(3, "b", "y")];
    let second = take(store, commit_of(run(1), first, events.clone()));
    assert_eq!(second.seq, Seq(3));
    let mut ended = commit_of(run(1), second, vec![completed(4, "c", Value::Null)]);
    ended.row = Some(Box::new(row(RunStatus::Completed, 1)));
    let third = take(store, ended);
    let found = loaded(store, run(1));
    assert_eq!(found.position, third);
    assert_eq!(found.row.status, RunStatus::Completed);
    assert_eq!(found.events.len(), 4);
    assert_eq!(found.events[1..3], events);
    assert_eq!((found.snapshot, found.deliveries), (None, vec![]));
}

fn exact_values(store: &dyn Store) {
    let floats = [0.1 + 0.2, 1e-320, f64::MAX, -0.0, 5e-324, 1.0, 123_456_789.123_456_79];
    let output = Value::object([
        ("floats", Value::list(floats.map(Value::Float))),
        ("integers", Value::list([i64::MIN, i64::MAX, 0].map(Value::Int))),
        ("text", Value::from("\"\\\u{0}\u{1f600}\u{2028}é\n")),
        ("sha256:", Value::object([("$payload", Value::Null)])),
        ("", Value::list([Value::list([]), Value::Bool(true)])),
    ]);
    let mut commit = begin(run(1));
    commit.events = vec![completed(i64::MAX, "a.\"b\".\u{e9}", output.clone())].into();
    let mut row = row(RunStatus::Active, i64::MIN);
    (row.inputs, row.output) = (output.clone(), output);
    commit.row = Some(Box::new(row.clone()));
    take(store, commit.clone());
    let found = loaded(store, run(1));
    assert_eq!(found.row, row);
    assert_eq!(format!("{:?}", found.events), format!("{:?}", commit.events));
}

fn stale_alone(store: &dyn Store) {
    let ends: Vec<_> = (1..=3).map(|n| take(store, begin(run(n)))).collect();
    take(store, commit_of(run(2), ends[1], vec![logged(2, "a", "somebody else")]));
    let next = |n: usize| commit_of(run(n as u32 + 1), ends[n], vec![completed(3, "b", n as i64)]);
    let answers = wait(store.append(Arc::new((0..3).map(next).collect())));
    assert_eq!(answers[0].as_ref().map(|end| end.seq), Ok(Seq(2)));
    let (expected, actual) = (Seq(1), Seq(2));
    assert_eq!(answers[1], Err(CommitError::Stale { run: run(2), expected, actual }));
    assert_eq!(answers[2].as_ref().map(|end| end.seq), Ok(Seq(2)));
    for n in 1..=3 {
        assert_eq!(loaded(store, run(n)).events.len(), 2, "run {n}");
    }
    let ahead = append(store, commit_of(run(9), after(4), vec![logged(1, "a", "ahead")]));
    let (expected, actual) = (Seq(4), Seq(0));
    assert_eq!(ahead, Err(CommitError::Stale { run: run(9), expected, actual }));
    assert!(wait(store.load(run(9))).is_ok_and(|none| none.is_none()));
}

fn refused_leaves_nothing(store: &dyn Store) {
    let end = take(store, begin(run(1)));
    take(store, commit_of(run(1), end, vec![logged(2, "a", "x")]));
    let mut stale = commit_of(run(1), end, vec![logged(3, "a", "y")]);
    stale.row = Some(Box::new(row(RunStatus::Failed, 1)));
    stale.snapshot = Some("{}".into());
    stale.messages = vec![message(run(1), run(2))];
    stale.catalog = vec![CatalogWrite {
        kind: CatalogKind::Agent,
        key: "left-behind".into(),
        body: Some("{}".into()),
        at: Timestamp(3),
        replace: true,
    }];
    assert!(matches!(append(store, stale), Err(CommitError::Stale { .. })));
    let found = loaded(store, run(1));
    assert_eq!((found.row.status, found.snapshot), (RunStatus::Active, None));
    assert_eq!(found.events.len(), 2);
    assert!(wait(store.load(run(2))).is_ok_and(|none| none.is_none()));
    assert_eq!(wait(store.inbox(None)), Ok(vec![]));
    assert_eq!(wait(store.find(CatalogKind::Agent, "left-behind".into())), Ok(None));
}

fn twice_in_a_batch(store: &dyn Store) {
    let second = commit_of(run(1), after(1), vec![logged(2, "a", "x")]);
    let stale = commit_of(run(1), after(1), vec![logged(2, "a", "not this")]);
    let third = commit_of(run(1), after(2), vec![logged(3, "a", "y")]);
    let answers = wait(store.append(Arc::new(vec![begin(run(1)), second, stale, third])));
    let seqs: Vec<_> = answers.iter().map(|it| it.as_ref().ok().map(|end| end.seq.0)).collect();
    assert_eq!(seqs, [Some(1), Some(2), None, Some(3)]);
    let found = loaded(store, run(1));
    assert_eq!(Some(found.position), answers[3].as_ref().ok().copied());
    take(store, commit_of(run(1), found.position, vec![logged(4, "a", "z")]));
}

fn no_events(store: &dyn Store) {
    let end = take(store, begin(run(1)));
    let mut rowed = commit_of(run(1), end, vec![]);
    rowed.row = Some(Box::new(row(RunStatus::Suspended, 1)));
    assert_eq!(append(store, rowed), Ok(end));
    let found = loaded(store, run(1));
    assert_eq!((found.row.status, found.position), (RunStatus::Suspended, end));
    // Whoever only says something does not become a run by it.
    let mut saying = commit_of(run(2), Position::default(), vec![]);
    saying.messages = vec![message(run(2), run(1))];
    take(store, saying);
    assert!(wait(store.load(run(2))).is_ok_and(|none| none.is_none()));
    assert_eq!(loaded(store, run(1)).deliveries.len(), 1);
}

fn blank(store: &dyn Store) {
    take(store, commit_of(run(1), Position::default(), vec![logged(1, "a", "x")]));
    assert_eq!(loaded(store, run(1)).row, opcode_store::blank_row());
    assert_eq!(wait(store.workflows(RunFilter::default())).map(|rows| rows.len()), Ok(1));
}

fn effects(store: &dyn Store) {
    let stop = |attempt| Effect::Stop { step: step(1, "first"), attempt };
    let taken = Commit { effects: vec![stop(1), stop(2)], ..begin(run(1)) };
    let refused = Commit { effects: vec![stop(3)], after: after(7), ..begin(run(2)) };
    let batch = Arc::new(vec![taken, refused]);
    let mut answers = wait(store.commit(batch.clone()));
    assert!(matches!(answers.pop(), Some(Err(CommitError::Stale { .. }))));
    let Some(Ok(committed)) = answers.pop() else { panic!("a good commit is refused") };
    assert_eq!(committed.position, loaded(store, run(1)).position);
    assert_eq!(committed.release(), [stop(1), stop(2)]);
    // The same batch again finds its own events in the way.
    let again = wait(store.commit(batch));
    assert!(again.iter().all(|answer| matches!(answer, Err(CommitError::Stale { .. }))));
}

fn whole(store: &dyn Store) {
    take(store, begin(run(2)));
    let batch = |ns: [u32; 2]| Arc::new(ns.map(|n| begin(run(n))).to_vec());
    let refused = wait(store.append_whole(batch([1, 2])));
    assert!(matches!(refused, Err(CommitError::Stale { run: stale, .. }) if stale == run(2)));
    assert!(matches!(wait(store.load(run(1))), Ok(None)), "the first went with it");
    assert_eq!(wait(store.append_whole(batch([3, 4]))), Ok(()));
    // What goes on where another of the batch ends is taken with it.
    let next = commit_of(run(5), after(1), vec![logged(2, "a", "x")]);
    assert_eq!(wait(store.append_whole(Arc::new(vec![begin(run(5)), next]))), Ok(()));
    assert_eq!(loaded(store, run(5)).events.len(), 2);
    let end = take(store, begin(run(1)));
    assert_eq!(end.seq, Seq(1), "the writer goes on");
}
