//! Bytes that changed behind the store's back: found, named, and nobody else's loss.
//!
//! Keeps: an altered event is never handed out as if it were whole; no bytes make the store panic.
//! Not here: files that are no stores at all (`opening.rs`).

use std::collections::BTreeMap;

use opcode_model::limits::PAYLOAD_INLINE_BYTES_MAX;
use opcode_model::{Event, RunId, RunStatus, Seq, Value};
use opcode_store::{Report, RunFilter, Runs};
use opcode_store_sqlite::SqliteStore;
use opcode_testkit::conformance::{commit_of, completed, logged, row, run, wait};

use crate::place::{Place, append, history, open};

const RUNS: u32 = 12;

/// A store with a dozen runs, closed; and what they hold.
fn filled(place: &Place) -> BTreeMap<RunId, Vec<Event>> {
    let store = place.open();
    for n in 0..RUNS {
        let commits = (0..6)
            .map(|at| vec![logged(at, "a", &format!("run {n} at {at}")), completed(at, "b", at)]);
        let end = history(&store, run(n), vec![completed(0, "c", Value::Null)], commits.collect());
        let mut last = commit_of(run(n), end, vec![completed(9, "last", "end")]);
        last.row = Some(Box::new(row(RunStatus::Suspended, 1)));
        append(&store, last).unwrap();
    }
    let large = "large ".repeat(PAYLOAD_INLINE_BYTES_MAX);
    history(&store, run(RUNS), vec![completed(1, "large", large.as_str())], vec![]);
    let load = |n| wait(store.load(run(n))).unwrap().unwrap().events;
    let content = (0..=RUNS).map(|n| (run(n), load(n))).collect();
    wait(store.close()).unwrap();
    content
}

/// Runs that are not handed out as they were.
fn not_whole(store: &SqliteStore, content: &BTreeMap<RunId, Vec<Event>>) -> Vec<RunId> {
    let mut missing = Vec::new();
    for (run, events) in content {
        match wait(store.load(*run)) {
            Ok(Some(found)) => assert!(found.events == *events, "{run} was handed out altered"),
            Ok(None) => missing.push(*run),
            Err(fault) => {
                assert!(fault.to_string().contains(&run.to_string()), "{fault}");
                missing.push(*run);
            }
        }
    }
    missing
}

#[test]
fn every_flipped_bit_that_matters_is_reported() {
    const FLIPS: usize = 200;
    let place = Place::new();
    let content = filled(&place);
    let bytes = std::fs::read(place.database()).unwrap();
    let bent = place.file("bent.db");
    let mut dice = 7_u64;
    let (mut hurt, mut named) = (0, 0);
    for n in 0..FLIPS {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bit = (dice >> 20) as usize % (bytes.len() * 8);
        let mut copy = bytes.clone();
        copy[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&bent, &copy).unwrap();
        let Ok(store) = SqliteStore::open_read_only(&bent) else {
            hurt += 1;
            continue;
        };
        let missing = not_whole(&store, &content);
        let Report { damage, .. } = wait(store.verify()).unwrap_or_default();
        if !missing.is_empty() {
            hurt += 1;
            assert!(
                !damage.is_empty(),
                "flip {n} of bit {bit} hurt {missing:?} and is not reported"
            );
            let is_named = |run| damage.iter().any(|it| it.run == Some(run) || it.run.is_none());
            assert!(missing.iter().all(|run| is_named(*run)), "{missing:?}: {damage:?}");
            named +=
                usize::from(missing.iter().all(|run| damage.iter().any(|it| it.run == Some(*run))));
        }
        wait(store.workflows(RunFilter::default())).ok();
        wait(store.open()).ok();
        drop(store);
        // Every tenth is also opened for good: it may be refused, it may not panic.
        if n % 10 == 0
            && let Ok(store) = open(bent.clone())
        {
            not_whole(&store, &content);
        }
    }
    assert!(hurt > FLIPS / 10, "only {hurt} of {FLIPS} flips hurt a run");
    assert!(named * 2 > hurt, "{named} of {hurt} named their run");
}

#[test]
fn every_flipped_bit_of_an_event_is_reported_with_its_place() {
    let place = Place::new();
    let content = filled(&place);
    let bytes = std::fs::read(place.database()).unwrap();
    let bent = place.file("bent.db");
    let word = b"run 7 at 3";
    let at = bytes.windows(word.len()).position(|window| window == word).unwrap();
    for bit in 0..word.len() * 8 {
        let mut copy = bytes.clone();
        copy[at + bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&bent, &copy).unwrap();
        let store = SqliteStore::open_read_only(&bent).unwrap();
        assert_eq!(not_whole(&store, &content), [run(7)]);
        let damage = wait(store.verify()).unwrap().damage;
        let places: Vec<_> = damage.iter().map(|it| (it.run, it.seq)).collect();
        assert_eq!(places, [(Some(run(7)), Some(Seq(8)))], "{damage:?}");
    }
}

/// What `verify` says after `statements` were done to a filled store, which must open.
fn after(statements: &str) -> (Vec<RunId>, Report) {
    let place = Place::new();
    let content = filled(&place);
    place.sql().execute_batch(statements).unwrap();
    let store = place.open();
    (not_whole(&store, &content), wait(store.verify()).unwrap())
}

#[test]
fn what_is_cut_moved_or_forged_is_found() {
    let of = |n: u32| format!("run = (SELECT id FROM runs WHERE uuid = '{}')", run(n));
    let one = |n, seq| (vec![run(n)], Some(Seq(seq)));
    let cases = [
        (format!("DELETE FROM commits WHERE {} AND first = 14", of(3)), one(3, 14)),
        (format!("DELETE FROM commits WHERE {} AND first = 4", of(3)), one(3, 4)),
        (format!("DELETE FROM commits WHERE {}", of(3)), one(3, 1)),
        // The row was last written before the end.
        (
            format!(
                "DELETE FROM commits WHERE {} AND first = 14;
                 UPDATE runs SET last_seq = c.last, head = c.hash FROM commits c
                 WHERE c.run = runs.id AND c.first = 4 AND runs.uuid = '{}'",
                of(3),
                run(3)
            ),
            one(3, 14),
        ),
        (format!("UPDATE commits SET last = last + 1 WHERE {} AND first = 2", of(4)), one(4, 2)),
        (format!("UPDATE commits SET payloads = '{{}}' WHERE {} AND first = 2", of(4)), one(4, 2)),
        (format!("UPDATE commits SET hash = x'00' WHERE {} AND first = 6", of(5)), one(5, 6)),
        ("DELETE FROM payloads".to_owned(), one(RUNS, 1)),
        ("UPDATE payloads SET body = substr(body, 1, 90)".to_owned(), one(RUNS, 1)),
        (format!("UPDATE runs SET status = 'odd' WHERE uuid = '{}'", run(2)), (vec![run(2)], None)),
    ];
    for (statements, (hurt, seq)) in cases {
        let (missing, report) = after(&statements);
        assert_eq!(missing, hurt, "{statements}");
        let found = report.damage.iter().any(|it| it.run == Some(hurt[0]) && it.seq == seq);
        assert!(found, "{statements}: {:?}", report.damage);
        assert!(report.damage.iter().all(|it| it.run == Some(hurt[0])), "{:?}", report.damage);
    }
    let (missing, report) = after(&format!("DELETE FROM runs WHERE uuid = '{}'", run(1)));
    assert_eq!(missing, [run(1)]);
    assert_eq!(report.damage.len(), 8, "{:?}", report.damage);
    assert!(report.damage.iter().all(|it| it.what.contains("has no row")));
}

#[test]
fn a_run_that_is_damaged_hides_no_other() {
    let place = Place::new();
    let content = filled(&place);
    let of = format!("(SELECT id FROM runs WHERE uuid = '{}')", run(6));
    place
        .sql()
        .execute_batch(&format!(
            "UPDATE commits SET body = 'not json' WHERE run = {of} AND first = 4;
         UPDATE runs SET inputs = 'not json' WHERE uuid = '{}';
         INSERT INTO catalog VALUES ('definition', 'abc', 1, 1, '{{}}');",
            run(8)
        ))
        .unwrap();
    let store = place.open();
    assert_eq!(not_whole(&store, &content).len(), 2);
    assert_eq!(wait(store.workflows(RunFilter::default())).unwrap().len(), RUNS as usize);
    assert_eq!(wait(store.open()).unwrap().len(), RUNS as usize + 1);
    let across =
        wait(store.events(opcode_store::EventFilter { limit: 1_000, ..Default::default() }));
    assert_eq!(across.unwrap().len(), 14 * RUNS as usize - 2 + 1);
    let damage = wait(store.verify()).unwrap().damage;
    assert_eq!(damage.len(), 3, "{damage:?}");
    // The others can be written to.
    let end = wait(store.load(run(2))).unwrap().unwrap().position;
    append(&store, commit_of(run(2), end, vec![logged(99, "a", "x")])).unwrap();
}

#[test]
fn a_snapshot_that_is_not_whole_is_left_out() {
    let place = Place::new();
    let store = place.open();
    let end = history(&store, run(1), vec![logged(1, "a", "x")], vec![]);
    let mut commit = commit_of(run(1), end, vec![logged(2, "a", "y")]);
    commit.snapshot = Some("a state".into());
    append(&store, commit).unwrap();
    let snapshot = || {
        let found = wait(store.load(run(1))).unwrap().unwrap();
        (found.snapshot.is_some(), found.events.len())
    };
    assert_eq!(snapshot(), (true, 0));
    for statement in [
        "UPDATE snapshots SET body = 'another state'",
        "UPDATE snapshots SET body = 'a state', hash = zeroblob(32)",
        "UPDATE snapshots SET hash = x'00'",
        "UPDATE snapshots SET seq = 1",
    ] {
        place.sql().execute_batch(statement).unwrap();
        assert_eq!(snapshot(), (false, 2), "{statement}");
        let damage = wait(store.verify()).unwrap().damage;
        assert!(damage.len() == 1 && damage[0].run == Some(run(1)), "{damage:?}");
    }
}

#[test]
fn a_file_cut_short_is_never_taken_for_whole() {
    let place = Place::new();
    let content = filled(&place);
    let bytes = std::fs::read(place.database()).unwrap();
    for eighth in 1..8 {
        let bent = place.file(&format!("{eighth}.db"));
        std::fs::write(&bent, &bytes[..bytes.len() * eighth / 8]).unwrap();
        let Ok(store) = open(bent) else { continue };
        not_whole(&store, &content);
        assert!(!wait(store.verify()).unwrap().damage.is_empty(), "{eighth}/8");
    }
}
