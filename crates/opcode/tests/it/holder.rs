//! One process holds the store: others read beside it, and are refused when they would write.
//!
//! Keeps: a refusal names the holder and comes within a second.
//! Not here: background holders (`background.rs`).

use std::time::{Duration, Instant};

use crate::kit::{Home, PURE};

#[test]
fn a_second_writer_is_refused_at_once_and_told_by_whom() {
    let home = Home::new();
    let (holder, id) = home.hold("holder", &[]);
    let pid = holder.child.id().to_string();
    let pure = home.file("pure.json", PURE);
    for args in [
        &["run", pure.as_str()][..],
        &["run", pure.as_str(), "--detach"],
        &["define", pure.as_str()],
        &["signal", id.as_str(), "cancel"],
        &["resume"],
    ] {
        let begun = Instant::now();
        let said = home.opcode(args).ended(2);
        assert!(begun.elapsed() < Duration::from_secs(1), "{args:?}");
        assert!(said.err.contains(&format!("process {pid} (opcode run slow.json")), "{said:?}");
        assert!(said.err.contains("hint: ") && said.err.contains("--watch"), "{said:?}");
    }
    home.go();
    holder.end().ended(0);
    home.opcode(&["run", &pure]).ended(0);
}

#[test]
fn readers_work_beside_a_holder() {
    let home = Home::new();
    let (holder, id) = home.hold("holder", &[]);
    let follower = home.start("follower", &["events", &id, "--follow", "--json"]);
    assert_eq!(home.status(&id)["steps"]["hold"]["status"], "running");
    assert!(home.opcode(&["query", "workflows"]).ended(0).out.contains("active"));
    home.opcode(&["verify"]).ended(0);
    let doctor = home.opcode(&["doctor", "--json"]).ended(0).json();
    assert_eq!(doctor["holder"]["pid"], holder.child.id());
    home.go();
    assert_eq!(holder.end().ended(0).err, "");
    let told = follower.end().ended(0);
    assert!(told.out.lines().last().unwrap().contains("workflow_completed"), "{told:?}");
    let all = home.opcode(&["events", &id, "--json"]).ended(0);
    assert_eq!(told.out, all.out, "nothing is told twice or left out");
}
