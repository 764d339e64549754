//! `--detach`: a background process goes on, and ends when nothing is open but decisions and signals.
//!
//! Keeps: what is acknowledged is on disk.
//! Not here: who else may write meanwhile (`holder.rs`).

use crate::kit::{ASKS, Home, SLOW, until};

/// Waits until nobody has the store.
fn until_free(home: &Home) {
    until("nobody has the store", || {
        let doctor = home.opcode(&["doctor", "--json"]).json();
        doctor["holder"].is_null().then_some(())
    });
}

#[test]
fn a_detached_run_is_acknowledged_and_goes_on() {
    let home = Home::new();
    let file = home.file("slow.json", SLOW);
    let said = home.opcode(&["run", &file, "--params", &home.params(), "--detach", "--json"]);
    let id = said.ended(0).json()["workflow_id"].as_str().unwrap().to_owned();
    home.until_event(&id, "step_started", "hold");
    let doctor = home.opcode(&["doctor", "--json"]).json();
    assert!(doctor["holder"]["command"].as_str().unwrap().starts_with("opcode run slow.json"));
    home.go();
    until_free(&home);
    assert_eq!(home.status(&id)["status"], "completed");
    let log = std::fs::read_to_string(home.path("home/opcode.db.log")).unwrap();
    assert!(log.contains("in the background"), "{log}");
}

#[test]
fn a_background_process_leaves_decisions_to_others() {
    let home = Home::new();
    let said = home.opcode(&["run", &home.file("asks.json", ASKS), "--detach"]).ended(0);
    let id = said.out.trim();
    until_free(&home);
    assert_eq!(home.status(id)["status"], "suspended");
    let said = home.opcode(&["signal", id, "decision", "ask", "no", "--detach", "--json"]).ended(0);
    assert_eq!(said.json()["ok"], true);
    until_free(&home);
    assert_eq!(home.status(id)["status"], "completed");
}

#[test]
fn what_a_background_process_cannot_begin_is_told_in_front() {
    let home = Home::new();
    let bad = home.file("bad.json", r#"{"steps":[{"id":"a","type":"action","action":"nope"}]}"#);
    let said = home.opcode(&["run", &bad, "--detach", "--json"]).ended(2);
    assert_eq!(said.json()["problems"][0]["code"], "ACTION_UNAVAILABLE");
    assert!(said.err.contains("bad.json:1:"), "{said:?}");
    let said = home.feed(&["run", "-", "--detach"], ASKS).ended(0);
    until_free(&home);
    assert_eq!(home.status(said.out.trim())["status"], "suspended");
}
