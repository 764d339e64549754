//! The suite that every store answers, at both levels of durability.
//!
//! Keeps: a fresh file for every case.
//! Not here: the cases.

use std::sync::atomic::{AtomicU32, Ordering};

use opcode_store::Durability;
use opcode_store_sqlite::{SqliteConfig, SqliteStore};
use opcode_testkit::conformance;

fn conforms(durability: Durability) {
    let directory = tempfile::tempdir().unwrap();
    let count = AtomicU32::new(0);
    conformance::check(|| {
        let name = format!("{}.db", count.fetch_add(1, Ordering::Relaxed));
        let path = directory.path().join(name);
        SqliteStore::open(SqliteConfig { path, durability, command_name: "test".into() }).unwrap()
    });
}

#[test]
fn the_disk_level_conforms() {
    conforms(Durability::Disk);
}

#[test]
fn the_process_level_conforms() {
    conforms(Durability::Process);
}
