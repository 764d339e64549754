//! Processes that end in the middle, and disks that fail.
//!
//! Keeps: what was acknowledged is there afterwards.
//! Not here: power loss (a kill cannot show it; that takes images of every write).

use std::io::{BufRead, BufReader};

use opcode_model::Seq;
use opcode_store::Runs;
use opcode_testkit::conformance::{run, wait};

use crate::child::{command, said};
use crate::place::Place;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let place = Place::new();
    let mut known = [0_u64; 3];
    for _ in 0..3 {
        // Each child begins new runs: the file goes with the runs before.
        std::fs::remove_file(place.database()).ok();
        known = [0; 3];
        let mut child = command(&place, "write", None).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut acknowledged = 0;
        for line in lines {
            let Some((n, seq)) = said(&line).and_then(|line| line.split_once(' ')) else {
                continue;
            };
            known[n.parse::<usize>().unwrap()] = seq.parse().unwrap();
            acknowledged += 1;
            if acknowledged == 100 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let store = place.open();
        for (n, seq) in known.iter().enumerate() {
            let found = wait(store.load(run(n as u32))).unwrap().unwrap();
            assert!(found.position.seq >= Seq(*seq), "run {n}: {:?} of {seq}", found.position.seq);
        }
        assert_eq!(wait(store.verify()).unwrap().damage, []);
        wait(store.close()).unwrap();
        for name in ["store.db-wal", "store.db-shm"] {
            std::fs::remove_file(place.file(name)).ok();
        }
    }
    assert!(known.iter().all(|seq| *seq > 60), "{known:?}");
}

#[test]
fn a_failed_write_ends_all_acknowledgement() {
    let place = Place::new();
    // The file size limit makes writes to the log fail with an error that is not `disk full`.
    let limited = r#"trap "" XFSZ; ulimit -f 4000; exec "$@""#;
    let child = command(&place, "fail", Some(limited)).output().unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success(), "{output}");
    let acknowledged: u64 = output
        .lines()
        .find_map(|line| said(line)?.strip_prefix("lost after "))
        .unwrap_or_else(|| panic!("{output}"))
        .parse()
        .unwrap();
    assert!(acknowledged > 10, "{output}");
    // The next process finds everything that was acknowledged.
    let store = place.open();
    let found = wait(store.load(run(1))).unwrap().unwrap();
    assert!(found.position.seq >= Seq(acknowledged));
    assert_eq!(wait(store.verify()).unwrap().damage, []);
}
