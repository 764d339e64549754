//! Many writers at once: one transaction for all that is queued.
//!
//! Keeps: everyone is answered, and only after the commit.
//! Not here: how fast (`bench`).

use std::sync::{Arc, Barrier};
use std::thread;

use opcode_model::Position;
use opcode_store::Runs;
use opcode_testkit::conformance::{commit_of, logged, run, wait};

use crate::place::{Place, append};

#[test]
fn writers_share_transactions() {
    const WRITERS: u32 = 64;
    const COMMITS: u64 = 30;
    let place = Place::new();
    let store = place.open();
    let start = Barrier::new(WRITERS as usize);
    thread::scope(|scope| {
        for n in 0..WRITERS {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                let mut end = Position::default();
                for at in 0..COMMITS {
                    let events = vec![logged(at as i64, "a", "x")];
                    end = append(store, commit_of(run(n), end, events)).unwrap();
                }
            });
        }
    });
    let commits = store.about().commits;
    assert!(commits < u64::from(WRITERS) * COMMITS / 2, "{commits} transactions");
    let report = wait(store.verify()).unwrap();
    assert_eq!((report.runs, report.events), (u64::from(WRITERS), u64::from(WRITERS) * COMMITS));
    assert_eq!(report.damage, []);
}

#[test]
fn what_is_queued_before_a_close_is_written() {
    let place = Place::new();
    let store = place.open();
    let queue = |n| {
        let commit = commit_of(run(n), Position::default(), vec![logged(1, "a", "x")]);
        store.append(Arc::new(vec![commit]))
    };
    let pending: Vec<_> = (0..100).map(queue).collect();
    wait(store.close()).unwrap();
    assert!(pending.into_iter().all(|answer| wait(answer)[0].is_ok()));
    let late = wait(queue(200)).remove(0);
    assert!(late.is_err_and(|refused| refused.to_string().contains("closed")));
    assert!(wait(store.load(run(1))).is_err());
    // Closed, it is free for the next, though a handle is still about.
    let again = place.open();
    assert_eq!(wait(again.open()).unwrap().len(), 100);
}
