//! Killed at every sync and every write, one after the other.
//!
//! Keeps: every place is tried until a run comes through unharmed; calls are counted by thread, so what opens the store
//! and what serves it are tried apart.
//! Not here: killing by chance (`kill.rs`).

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::gate::{Gated, aftermath};
use crate::place::Place;
use crate::running::{Ended, Running};
use crate::strace::{Inject, SYNCS, Tracer, under};
use crate::work;

/// What SQLite calls to write.
const WRITES: &str = "pwrite64";
/// Of the writes, every such one.
const EVERY: u32 = 5;
/// More calls than any thread here makes.
const CALLS_MAX: u32 = 400;

/// Tries place after place, two at once, until one is never reached; gives how many there were.
pub(crate) fn each_place(every: u32, hit: impl Fn(u32) -> bool + Sync) -> u32 {
    let (next, over) = (AtomicU32::new(1), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    let nth = next.fetch_add(every, Ordering::AcqRel);
                    assert!(nth < CALLS_MAX, "there is no end of calls");
                    if !hit(nth) {
                        over.store(true, Ordering::Release);
                    }
                }
            });
        }
    });
    next.into_inner() / every
}

/// A new store, a run, and a kill at the nth call of any thread. Whether it came to that.
fn from_the_start(calls: &'static str, nth: u32) -> bool {
    let place = Place::new();
    let definition = place.definition("chain", &work::chain(&place.effects(), false));
    let tracer = under(&Inject::Kill { calls, nth }, &place.file("trace"));
    let mut command = place.command(&tracer, &["run", &definition]);
    let ended = Running::start(&mut command, &place.talk()).end();
    aftermath(&place, &ended);
    was_killed(&ended)
}

/// A store that is served, and a kill at the nth call of any thread from then on.
fn while_served(calls: &'static str, nth: u32) -> bool {
    let gated = Gated::start();
    let tracer = Tracer::attach(&gated.place, gated.running.pid, &Inject::Kill { calls, nth });
    let (place, running) = gated.open();
    let ended = running.end();
    tracer.end();
    aftermath(&place, &ended);
    was_killed(&ended)
}

/// A store that was left behind by a kill, and a kill at the nth call of what takes it up again.
fn while_recovering(calls: &'static str, nth: u32) -> bool {
    let place = Gated::start().kill();
    let tracer = under(&Inject::Kill { calls, nth }, &place.file("trace"));
    let mut command = place.command(&tracer, &["resume"]);
    let ended = Running::start(&mut command, &place.talk()).end();
    aftermath(&place, &ended);
    was_killed(&ended)
}

fn was_killed(ended: &Ended) -> bool {
    assert!(ended.status.success() || ended.status.signal() == Some(9), "{ended:?}");
    !ended.status.success()
}

#[test]
fn killed_at_every_sync_of_a_new_store() {
    let places = each_place(1, |nth| from_the_start(SYNCS, nth));
    assert!(places > 8, "{places}");
}

#[test]
fn killed_at_every_sync_of_a_store_that_is_served() {
    let places = each_place(1, |nth| while_served(SYNCS, nth));
    assert!(places > 5, "{places}");
}

#[test]
fn killed_at_every_sync_of_a_recovery() {
    let places = each_place(1, |nth| while_recovering(SYNCS, nth));
    assert!(places > 8, "{places}");
}

#[test]
fn killed_at_writes_of_a_new_store() {
    let places = each_place(EVERY, |nth| from_the_start(WRITES, nth));
    assert!(places > 8, "{places}");
}

#[test]
fn killed_at_writes_of_a_store_that_is_served() {
    let places = each_place(EVERY, |nth| while_served(WRITES, nth));
    assert!(places > 5, "{places}");
}
