//! A helper that is killed itself, alone or with its master: what it held ends all the same.
//!
//! Keeps: what is left over sits in a session of its own, out of reach of any process group.
//! Not here: masters that are killed (`kill.rs`, `points.rs`).

use rustix::process::Signal;

use crate::gate::Gated;
use crate::history::History;
use crate::place::{Place, signal};
use crate::work;

/// Helpers that are at work here.
fn helpers(place: &Place) -> Vec<rustix::process::Pid> {
    let all = place.processes().into_iter();
    let helpers = all.filter(|(_, line)| line.contains(" __exec "));
    helpers.map(|(pid, _)| pid).collect()
}

fn step_error(history: &History) -> &str {
    let mut events = history.runs.values().flatten();
    let failed = events.find(|event| event.kind == "error_handler_invoked");
    failed.map_or("", |event| &event.payload)
}

#[test]
fn a_helper_that_is_killed_leaves_nothing_behind() {
    let gated = Gated::of(work::hanging);
    let helper = helpers(&gated.place);
    assert_eq!(helper.len(), 1);
    signal(helper[0], Signal::KILL);
    let ended = gated.running.end();
    assert!(ended.status.success(), "{ended:?}");
    gated.place.is_deserted();
    let history = History::read(&gated.place.db());
    assert!(step_error(&history).contains("helper was killed"), "{history:#?}");
}

#[test]
fn a_helper_that_is_killed_with_its_master_leaves_nothing_to_whoever_comes_next() {
    let gated = Gated::of(work::hanging);
    let helper = helpers(&gated.place);
    assert_eq!(helper.len(), 1);
    // Stopped, it cannot see its master go.
    signal(helper[0], Signal::STOP);
    gated.running.kill();
    signal(helper[0], Signal::KILL);
    let place = gated.place;
    place.resume();
    place.is_deserted();
    let history = History::read(&place.db());
    history.check(&place);
    assert_eq!(history.unfinished(), Vec::<&String>::new());
    let left = std::fs::read_dir(place.file("opcode.db.attempts")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "notes of attempts that are over");
}
