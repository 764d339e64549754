//! The memory store before the suite that every store answers.
//!
//! Keeps: one binary a crate.
//! Not here: the cases (`opcode-testkit`).

use opcode_store::MemoryStore;
use opcode_testkit::conformance;

#[test]
fn the_memory_store_conforms() {
    conformance::check(MemoryStore::new);
}

#[test]
fn clones_share_one_store() {
    use opcode_store::Runs;
    let store = MemoryStore::new();
    let first = conformance::commit_of(
        conformance::run(1),
        opcode_model::Position::default(),
        vec![conformance::logged(1, "a", "x")],
    );
    assert!(conformance::wait(store.clone().append(std::sync::Arc::new(vec![first])))[0].is_ok());
    assert!(conformance::wait(store.load(conformance::run(1))).is_ok_and(|run| run.is_some()));
}
