//! A disk without space, a log without end.
//!
//! Keeps: a refusal for want of space loses nothing, and ends when there is space.
//! Not here: a disk that fails (`crash.rs`).

use opcode_model::commit::{CatalogKind, CatalogWrite, Position};
use opcode_model::limits::{PAYLOAD_INLINE_BYTES_MAX, WAL_BYTES_MAX};
use opcode_model::{Event, Timestamp};
use opcode_store::{Catalog, CatalogError, CommitError, Runs};
use opcode_testkit::conformance::{commit_of, logged, run, wait};

use crate::place::{Place, append, history};

fn bulky(n: i64) -> Vec<Event> {
    vec![logged(n, "a", &"x".repeat(PAYLOAD_INLINE_BYTES_MAX - 1_000))]
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let place = Place::new();
    let store = place.open();
    let mut end = history(&store, run(1), bulky(0), vec![]);
    wait(store.bound_pages(200)).unwrap();
    let mut n = 1;
    let refused = loop {
        match append(&store, commit_of(run(1), end, bulky(n))) {
            Ok(position) => (end, n) = (position, n + 1),
            Err(refused) => break refused,
        }
    };
    let CommitError::Unavailable(fault) = &refused else { panic!("{refused}") };
    assert!(fault.storage_full, "{fault}");
    let body = Some("x".repeat(PAYLOAD_INLINE_BYTES_MAX).as_str().into());
    let (kind, key, at) = (CatalogKind::Template, "t".into(), Timestamp(1));
    let put = wait(store.put(vec![CatalogWrite { kind, key, body, at, replace: true }]));
    assert!(matches!(&put, Err(CatalogError::Fault(fault)) if fault.storage_full), "{put:?}");
    // Reading goes on, and nothing of what was refused is there.
    assert_eq!(wait(store.load(run(1))).unwrap().unwrap().position, end);
    wait(store.bound_pages(0)).unwrap();
    let end = append(&store, commit_of(run(1), end, bulky(n))).unwrap();
    drop(store);
    let store = place.open();
    assert_eq!(wait(store.load(run(1))).unwrap().unwrap().position, end);
    assert_eq!(wait(store.verify()).unwrap().damage, []);
}

#[test]
fn the_log_stays_short() {
    let place = Place::new();
    let store = place.open();
    let wal = || std::fs::metadata(place.file("store.db-wal")).unwrap().len();
    let mut end = Position::default();
    let (mut written, mut longest, mut n) = (0_u64, 0, 0);
    while written < WAL_BYTES_MAX * 5 / 4 {
        end = append(&store, commit_of(run(1), end, bulky(n))).unwrap();
        n += 1;
        written += PAYLOAD_INLINE_BYTES_MAX as u64;
        longest = wal().max(longest);
    }
    assert!(longest <= WAL_BYTES_MAX, "{longest}");
    wait(store.close()).unwrap();
    let left = std::fs::metadata(place.file("store.db-wal")).map_or(0, |wal| wal.len());
    assert_eq!(left, 0);
}

#[test]
fn a_reader_that_stays_stops_nobody() {
    let place = Place::new();
    let store = place.open();
    let mut end = history(&store, run(1), bulky(0), vec![]);
    let reader = place.sql();
    reader.execute_batch("BEGIN").unwrap();
    let seen = |sql| reader.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(seen("SELECT count(*) FROM commits"), 1);
    for n in 0..1_200 {
        end = append(&store, commit_of(run(1), end, bulky(n))).unwrap();
    }
    assert_eq!(seen("SELECT count(*) FROM commits"), 1);
    assert_eq!(wait(store.load(run(1))).unwrap().unwrap().position, end);
}
