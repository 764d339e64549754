//! Nothing is told and nothing is done before what it stands on is on disk.
//!
//! Keeps: read from the system calls of the real binary, not from its own words.
//! Not here: what a loss of power leaves (`powercut.rs`).

use crate::place::Place;
use crate::running::Running;
use crate::strace::recording;
use crate::trace::{Call, Deed, read};
use crate::work;

/// A chain of steps, all of whose calls are written down.
fn traced(durability: &str) -> (Place, Vec<Call>) {
    let place = Place::new();
    let definition = place.definition("chain", &work::chain(&place.effects(), false));
    let log = place.file("trace");
    let words = ["run", &definition, "--durability", durability];
    let mut command = place.command(&recording(&log), &words);
    let ended = Running::start(&mut command, &place.talk()).end();
    assert!(ended.status.success(), "{ended:?}");
    let calls = read(&log, 0).0;
    (place, calls)
}

/// What the outside saw of it: marks of steps, then the result.
fn seen(calls: &[Call]) -> Vec<&Call> {
    let told = |call: &&Call| call.fd == 1 && call.text().contains("\"workflow_id\":");
    let marked = |call: &&Call| call.path.ends_with("/effects");
    calls.iter().filter(|call| told(call) || marked(call)).collect()
}

/// Whether all that was written to the log before a call was synced before it.
fn is_covered(calls: &[Call], call: &Call) -> bool {
    let log = || calls.iter().filter(|it| it.path.ends_with("-wal"));
    let is_write = |it: &&Call| matches!(it.deed, Deed::Write { .. }) && it.begun < call.begun;
    let last = log().filter(is_write).map(|it| it.ended).max().expect("writes to the log");
    log().any(|it| it.deed == Deed::Sync && it.begun > last && it.ended < call.begun)
}

#[test]
fn at_level_disk_a_sync_precedes_every_effect_and_the_answer() {
    let (place, calls) = traced("disk");
    let seen = seen(&calls);
    assert_eq!(seen.len(), 5, "four marks and a result: {seen:?}");
    for call in seen {
        assert!(is_covered(&calls, call), "before its sync: {}", call.text());
    }
    assert_eq!(named(&place, "disk"), "disk");
}

#[test]
fn at_level_process_nobody_waits_for_the_disk_and_doctor_says_so() {
    let (place, calls) = traced("process");
    let seen = seen(&calls);
    assert_eq!(seen.len(), 5, "four marks and a result: {seen:?}");
    assert!(seen.iter().any(|call| !is_covered(&calls, call)), "the weaker level syncs as well");
    assert_eq!(named(&place, "process"), "process");
}

/// The level that `doctor` names.
fn named(place: &Place, durability: &str) -> String {
    let ended = place.call(&["doctor", "--durability", durability]);
    let json = ended.json().unwrap_or_else(|| panic!("{ended:?}"));
    json["durability"]["level"].as_str().unwrap_or_else(|| panic!("{json:#}")).to_owned()
}
