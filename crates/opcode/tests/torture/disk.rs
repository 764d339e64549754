//! Disks that fail, fill up, or may not be written to.
//!
//! Keeps: after a failed sync nothing is told any more; a disk that is full costs time and nothing else; what may not be
//! written stays as it is to the byte.
//! Not here: loss of power (`powercut.rs`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;

use crate::gate::{Gated, aftermath};
use crate::place::Place;
use crate::points::each_place;
use crate::running::{Ended, PATIENCE, Running};
use crate::strace::{Inject, SYNCS, Tracer, needs, under};
use crate::work;

/// What is on disk is unknown.
const LOST: i32 = 75;
/// The store or the machine failed.
const FAULT: i32 = 70;
/// Asked for what cannot be.
const REFUSED: i32 = 2;
/// Calls that write to the store.
const WRITES: &str = "pwrite64";

/// Ended without success, said why and what to do, and told nothing as done.
fn gave_up(ended: &Ended, codes: &[i32]) {
    assert!(codes.contains(&ended.code()), "{ended:?}");
    assert!(ended.said.contains("error: [STOR"), "{ended:?}");
    assert!(ended.said.contains("hint: "), "{ended:?}");
}

/// A new store and a run, with calls that fail. Whether any did.
fn from_the_start(inject: &Inject, codes: &[i32]) -> bool {
    let place = Place::new();
    let definition = place.definition("chain", &work::chain(&place.effects(), false));
    let log = place.file("trace");
    let mut command = place.command(&under(inject, &log), &["run", &definition]);
    let ended = Running::start(&mut command, &place.talk()).end();
    if !ended.status.success() {
        gave_up(&ended, codes);
    }
    aftermath(&place, &ended);
    fs::read_to_string(&log).unwrap_or_default().contains("(INJECTED)")
}

/// A store that is served, with calls that fail from then on. How it ended, and whether any failed.
fn while_served(inject: &Inject) -> (Place, Ended, bool) {
    let gated = Gated::start();
    let tracer = Tracer::attach(&gated.place, gated.running.pid, inject);
    let (place, running) = gated.open();
    let ended = running.end();
    let traced = tracer.end();
    let any = traced.lines.iter().any(|line| line.contains("(INJECTED)"));
    (place, ended, any)
}

#[test]
fn a_sync_that_fails_while_a_store_is_made_or_opened_ends_it() {
    each_place(1, |nth| {
        let inject = Inject::Fail { calls: SYNCS, error: "EIO", when: nth.to_string() };
        from_the_start(&inject, &[FAULT, LOST])
    });
}

#[test]
fn after_a_sync_that_failed_nothing_is_told_any_more() {
    let places = each_place(1, |nth| {
        let inject = Inject::Fail { calls: SYNCS, error: "EIO", when: nth.to_string() };
        let (place, ended, any) = while_served(&inject);
        let told = !ended.lines.is_empty();
        // Once the result was told, only the closing is left.
        match (any, told) {
            (true, false) => gave_up(&ended, &[LOST]),
            (true, true) => gave_up(&ended, &[FAULT, LOST]),
            (false, _) => assert!(ended.status.success(), "{ended:?}"),
        }
        aftermath(&place, &ended);
        any
    });
    assert!(places > 5, "{places}");
}

#[test]
fn a_write_that_fails_is_never_told_as_done() {
    for error in ["EIO", "EROFS"] {
        each_place(7, |nth| {
            let inject = Inject::Fail { calls: WRITES, error, when: nth.to_string() };
            let (place, ended, any) = while_served(&inject);
            if !ended.status.success() {
                gave_up(&ended, &[FAULT, LOST]);
            }
            aftermath(&place, &ended);
            any
        });
    }
}

#[test]
fn a_disk_that_is_full_for_a_while_costs_only_time() {
    each_place(7, |nth| {
        let when = format!("{nth}..{}", nth + 3);
        let inject = Inject::Fail { calls: WRITES, error: "ENOSPC", when };
        let (place, ended, any) = while_served(&inject);
        assert!(ended.status.success() || !ended.lines.is_empty(), "{ended:?}");
        aftermath(&place, &ended);
        any
    });
}

#[test]
fn a_run_waits_for_a_full_disk_and_goes_on_when_there_is_space() {
    let gated = Gated::start();
    let when = "1+".to_owned();
    let inject = Inject::Fail { calls: WRITES, error: "ENOSPC", when };
    let tracer = Tracer::attach(&gated.place, gated.running.pid, &inject);
    let (place, mut running) = gated.open();
    tracer.failed(5);
    assert!(!running.ends_by(Instant::now()), "{}", running.said());
    // Reading goes on meanwhile.
    let status = place.call(&["query", "workflows"]);
    assert!(status.status.success(), "{status:?}");
    tracer.detach();
    let ended = running.end();
    assert!(ended.status.success(), "{ended:?}");
    aftermath(&place, &ended);
}

#[test]
fn a_full_disk_refuses_what_is_new() {
    each_place(5, |nth| {
        let when = format!("{nth}..{}", nth + 3);
        let inject = Inject::Fail { calls: WRITES, error: "ENOSPC", when };
        from_the_start(&inject, &[FAULT])
    });
}

#[test]
fn a_limit_on_the_size_of_files_is_a_disk_that_is_full() {
    needs("prlimit");
    for limit in (10_000..=400_000).step_by(30_000) {
        let place = Place::new();
        let definition = place.definition("chain", &work::chain(&place.effects(), false));
        let limiter = ["prlimit".to_owned(), format!("--fsize={limit}"), "--".to_owned()];
        let mut command = place.command(&limiter, &["run", &definition]);
        let ended = Running::start(&mut command, &place.talk()).end();
        if !ended.status.success() {
            gave_up(&ended, &[FAULT, LOST]);
        }
        aftermath(&place, &ended);
    }
}

/// What goes before a command so that permissions bind it, root or not.
fn bound() -> Vec<String> {
    if !rustix::process::getuid().is_root() {
        return Vec::new();
    }
    needs("setpriv");
    let words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--"];
    words.map(str::to_owned).to_vec()
}

#[test]
fn what_may_not_be_written_is_refused_and_stays_as_it_is() {
    for read_only in ["opcode.db", "."] {
        let place = Place::new();
        let store = place.file("store");
        fs::create_dir(&store).expect("a folder");
        let definition = place.definition("chain", &work::chain(&place.effects(), false));
        let words = ["run", definition.as_str()];
        let db = store.join("opcode.db");
        let made = Running::start(&mut place.command_on(&db, &[], &words), &place.talk()).end();
        assert!(made.status.success(), "{made:?}");
        // Without its lock file, so that making one is tried as well.
        fs::remove_file(store.join("opcode.db.lock")).expect("a lock file");
        let before = fs::read(&db).expect("the database");
        let path: PathBuf = store.join(read_only);
        let mode = fs::metadata(&path).expect("what shall be read only").permissions().mode();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o555)).expect("read only");
        let begun = Instant::now();
        let mut command = place.command_on(&db, &bound(), &words);
        let ended = Running::start(&mut command, &place.talk()).end();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("as before");
        assert!([REFUSED, FAULT].contains(&ended.code()), "{read_only}: {ended:?}");
        assert!(ended.said.contains("hint: "), "{ended:?}");
        assert!(begun.elapsed() < PATIENCE, "{ended:?}");
        assert_eq!(fs::read(&db).expect("the database"), before, "{read_only}");
        let after = Running::start(&mut place.command_on(&db, &[], &words), &place.talk()).end();
        assert!(after.status.success(), "{read_only}: {after:?}");
    }
}
