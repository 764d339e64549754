//! Finished runs go as they are told to, whole and with all below them.
//!
//! Keeps: what is not over, and what belongs to it, stays as it is.
//! Not here: whether a disk gets its space back (beside the stores that have one).

use opcode_model::commit::{CatalogKind, CatalogWrite, Commit, RunRow};
use opcode_model::event::Parent;
use opcode_model::limits::PAYLOAD_INLINE_BYTES_MAX;
use opcode_model::{DefinitionHash, RunId, RunStatus, Timestamp};
use opcode_store::{CommitError, Pruned, Pruning, RunFilter};

use super::fixtures::{
    append, commit_of, completed, loaded, logged, message, row, run, step, take,
};
use super::{Case, Store, wait};

pub(super) const CASES: &[Case] = &[
    ("each kind of end has its own time", ends),
    ("a family goes as one", families),
    ("what others refer to stays", shared),
    ("pruning goes step by step", steps),
    ("a definition goes with the last run that has it", definitions),
];

/// Takes in a run that was over at a moment, or is not over.
fn begin(store: &dyn Store, n: u32, status: RunStatus, more: impl FnOnce(&mut RunRow)) {
    let large = "x".repeat(PAYLOAD_INLINE_BYTES_MAX + 1);
    let events = vec![logged(1, "a", "x"), completed(2, "a", large.as_str())];
    let mut row = row(status, 1);
    row.completed_at = status.is_terminal().then_some(Timestamp(i64::from(n)));
    more(&mut row);
    let first = commit_of(run(n), Default::default(), events);
    take(store, Commit { row: Some(Box::new(row)), snapshot: Some("{}".into()), ..first });
}

fn below(parent: u32) -> impl FnOnce(&mut RunRow) {
    move |row| row.parent = Some(Parent { run: run(parent), step: step(1, "child") })
}

fn prune(store: &dyn Store, which: Pruning) -> Pruned {
    let pruned = wait(store.prune(which));
    let report = wait(store.verify()).unwrap_or_else(|fault| panic!("{fault}"));
    let of_rows = |what: &str| !what.contains("definition");
    let damage: Vec<_> = report.damage.iter().filter(|it| of_rows(&it.what)).collect();
    assert!(damage.is_empty(), "{damage:?}");
    pruned.unwrap_or_else(|fault| panic!("{fault}"))
}

fn before(moment: i64) -> Pruning {
    let before = Some(Timestamp(moment));
    Pruning { over_before: before, failed_before: before, limit: 100, ..Pruning::default() }
}

fn left(store: &dyn Store) -> Vec<RunId> {
    let all = wait(store.workflows(RunFilter { limit: 100, ..RunFilter::default() }));
    all.unwrap_or_default().into_iter().rev().map(|it| it.run).collect()
}

fn ends(store: &dyn Store) {
    use RunStatus::{Active, Cancelled, Completed, Failed, Suspended};
    for (n, status) in
        [Completed, Failed, Cancelled, Active, Suspended, Completed].iter().enumerate()
    {
        begin(store, n as u32 + 1, *status, |_| {});
    }
    assert_eq!(prune(store, Pruning { limit: 100, ..Pruning::default() }).runs, 0);
    let over = Pruning { failed_before: None, ..before(6) };
    assert_eq!(prune(store, over).runs, 2);
    assert_eq!(left(store), [2, 4, 5, 6].map(run), "the end itself is not before it");
    let named = Pruning { templates: vec!["t".into()], ..before(100) };
    assert_eq!(prune(store, named.clone()).runs, 0);
    begin(store, 7, Failed, |row| row.template_name = Some("t".into()));
    let spared = Pruning { but: vec!["t".into()], ..named.clone() };
    assert_eq!(prune(store, spared).runs, 0);
    assert_eq!(prune(store, named).runs, 1);
    assert_eq!(prune(store, before(100)).runs, 2);
    assert_eq!(left(store), [4, 5].map(run));
    assert!(matches!(wait(store.load(run(1))), Ok(None)));
    // Whoever still knows a run that went cannot go on writing it.
    let late = commit_of(run(1), loaded(store, run(4)).position, vec![logged(9, "a", "late")]);
    assert!(matches!(append(store, late), Err(CommitError::Stale { .. })));
    begin(store, 1, Completed, |_| {});
    assert_eq!(loaded(store, run(1)).events.len(), 0, "its snapshot is its own");
}

fn families(store: &dyn Store) {
    begin(store, 9, RunStatus::Failed, |_| {});
    begin(store, 1, RunStatus::Completed, below(9));
    begin(store, 2, RunStatus::Completed, below(1));
    assert_eq!(prune(store, before(5)).runs, 0, "never before the one above");
    begin(store, 20, RunStatus::Completed, |_| {});
    begin(store, 21, RunStatus::Completed, below(20));
    begin(store, 22, RunStatus::Suspended, below(21));
    begin(store, 3, RunStatus::Completed, below(50));
    let hears = Commit { messages: vec![message(run(22), run(2))], ..wake(store) };
    take(store, hears);
    assert_eq!(prune(store, before(100)).runs, 4, "one whose parent went long ago goes by itself");
    assert_eq!(left(store), [20, 21, 22].map(run));
    assert!(wait(store.inbox(None)).is_ok_and(|all| all.is_empty()));
    assert!(wait(store.open()).is_ok_and(|open| open.len() == 1));
}

/// A commit of the run that is not over.
fn wake(store: &dyn Store) -> Commit {
    commit_of(run(22), loaded(store, run(22)).position, vec![logged(3, "a", "on")])
}

fn shared(store: &dyn Store) {
    begin(store, 1, RunStatus::Completed, |_| {});
    begin(store, 2, RunStatus::Active, |_| {});
    assert_eq!(prune(store, before(100)).runs, 1);
    // `prune` has found each payload where it is referred to.
    assert_eq!(left(store), [2].map(run));
}

fn steps(store: &dyn Store) {
    (1..=5).for_each(|n| begin(store, n, RunStatus::Completed, |_| {}));
    let two = Pruning { limit: 2, ..before(100) };
    let (mut done, mut calls) = (0, 0);
    loop {
        let pruned = prune(store, two.clone());
        (done, calls) = (done + pruned.runs, calls + 1);
        assert!(pruned.runs <= 2 && calls < 10);
        if !pruned.more {
            break;
        }
    }
    assert_eq!((done, left(store).len()), (5, 0));
}

fn definitions(store: &dyn Store) {
    let hash = DefinitionHash::of("{}");
    let is_there = || {
        let found = store.find(CatalogKind::Definition, hash.to_string().into());
        wait(found).is_ok_and(|found| found.is_some())
    };
    let begin = |n| {
        let mut row = row(RunStatus::Completed, 1);
        (row.definition, row.completed_at) = (hash, Some(Timestamp(i64::from(n))));
        let definition = CatalogWrite {
            kind: CatalogKind::Definition,
            key: hash.to_string().into(),
            body: Some("{}".into()),
            at: Timestamp(1),
            replace: false,
        };
        let first = commit_of(run(n), Default::default(), vec![logged(1, "a", "x")]);
        take(store, Commit { row: Some(Box::new(row)), catalog: vec![definition], ..first });
    };
    [1, 2].into_iter().for_each(begin);
    assert_eq!(prune(store, before(2)).runs, 1);
    assert!(is_there(), "another run has it");
    assert_eq!(prune(store, before(100)).runs, 1);
    assert!(!is_there());
    begin(3);
    assert!(is_there(), "it comes again with the next run");
}
