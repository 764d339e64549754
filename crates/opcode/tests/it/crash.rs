//! Told to stop, and killed: nothing that was acknowledged is lost, and `resume` goes on.
//!
//! Keeps: no step that was over runs again.
//! Not here: crashes at every point (`tests/torture`).

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::kit::{Home, bytes_of, until};

/// Goes on, and finds what was over before as it was.
fn finishes(home: &Home, id: &str) {
    home.go();
    let resumed = home.opcode(&["resume", "--json"]).ended(0).json();
    let result = &resumed["workflows"][0];
    assert_eq!(result["workflow_id"], id);
    assert_eq!(result["status"], "completed");
    assert_eq!(result["steps"]["count"]["output"]["stdout_raw"].as_str().unwrap().trim(), "1");
    assert_eq!(result["steps"]["hold"]["output"]["stdout_raw"].as_str().unwrap().trim(), "gone");
    assert_eq!(fs::read_to_string(home.path("counted")).unwrap(), "x\n", "it ran once");
    home.opcode(&["verify"]).ended(0);
}

#[test]
fn killed_in_the_middle_of_a_step_it_goes_on_there() {
    let home = Home::new();
    let (holder, id) = home.hold("holder", &[]);
    holder.signal(Signal::KILL);
    assert_eq!(holder.end().code, -1);
    until("nothing it started is left", || (!is_anybody_left(&home)).then_some(()));
    finishes(&home, &id);
}

#[test]
fn a_refused_signal_begins_nothing_of_what_was_cut_short() {
    let home = Home::new();
    let held = "echo begun >> begun; while [ ! -e go ]; do sleep 0.01; done";
    let step =
        json!({"id": "s", "action": "shell.exec", "params": {"shell": true, "command": held}});
    let asks = json!({"id": "q", "type": "reasoning",
        "config": {"prompt_context": "Go on?", "options": [{"id": "yes"}]}});
    let file = home.file("both.json", &json!({"steps": [step, asks]}).to_string());
    let holder = home.start("holder", &["run", &file]);
    let id = until("it asks", || home.path("begun").exists().then(|| home.workflow()));
    home.until_event(&id, "decision_requested", "q");
    holder.signal(Signal::KILL);
    assert_eq!(holder.end().code, -1);
    until("nothing it started is left", || (!is_anybody_left(&home)).then_some(()));
    // Reading what a crash left makes the index of the log anew; what was cut short takes its own note away.
    let bytes = || {
        let mut files = bytes_of(&home.path("home"));
        files.retain(|(path, _)| path.ends_with("opcode.db") || path.ends_with("opcode.db-wal"));
        files
    };
    let before = bytes();
    assert_eq!(before.len(), 2);
    for refused in [
        vec!["signal", &id, "decision", "q", "perhaps"],
        vec!["signal", &id, "skip", "s"],
        vec!["signal", &id, "retry", "q"],
    ] {
        home.opcode(&refused).ended(2);
        assert!(bytes() == before, "{refused:?} changed what is on disk");
    }
    assert_eq!(fs::read_to_string(home.path("begun")).unwrap(), "begun\n", "it is not repeated");
    home.go();
    home.opcode(&["signal", &id, "decision", "q", "yes"]).ended(0);
}

/// Whether a process names this home on its command line.
fn is_anybody_left(home: &Home) -> bool {
    let place = home.path("");
    let place = place.to_str().unwrap().trim_end_matches('/');
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let names = |path: std::path::PathBuf| {
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(place)
    };
    processes.into_iter().any(names)
}

#[test]
fn terminated_it_says_how_to_go_on() {
    let home = Home::new();
    let (holder, id) = home.hold("holder", &["--grace", "100ms"]);
    holder.signal(Signal::TERM);
    let said = holder.end().ended(143);
    assert!(said.err.contains("opcode resume"), "{said:?}");
    assert!(said.out.starts_with("active  slow  "), "{said:?}");
    finishes(&home, &id);
}

#[test]
fn what_is_in_flight_may_end_within_the_grace() {
    let home = Home::new();
    let (holder, id) = home.hold("holder", &["--grace", "30s", "--json"]);
    holder.signal(Signal::INT);
    holder.until_says("stopping: 1 action in flight");
    home.go();
    let said = holder.end().ended(130);
    let step = &said.json()["steps"]["hold"];
    assert_eq!(step["status"], "completed", "{said:?}");
    finishes_or_is_over(&home, &id);
}

fn finishes_or_is_over(home: &Home, id: &str) {
    home.opcode(&["resume"]).ended(0);
    assert_eq!(home.status(id)["status"], "completed");
}

#[test]
fn told_twice_it_ends_at_once() {
    let home = Home::new();
    let (holder, id) = home.hold("holder", &["--grace", "10m"]);
    holder.signal(Signal::INT);
    holder.until_says("again ends at once");
    let begun = Instant::now();
    holder.signal(Signal::INT);
    holder.end().ended(130);
    assert!(begun.elapsed() < Duration::from_secs(5));
    finishes(&home, &id);
}

#[test]
fn a_new_run_carries_an_old_one_on() {
    let home = Home::new();
    let (holder, id) = home.hold("holder", &[]);
    holder.signal(Signal::KILL);
    holder.end();
    home.go();
    // It returns when its own is over; what the other has in flight may end within the grace.
    let other = r#"{"steps":[{"id":"n","type":"wait","config":{"signal":"never"}}]}"#;
    let other = home.file("other.json", other);
    let said = home.opcode(&["run", &other, "--json"]).ended(3);
    assert_ne!(said.json()["workflow_id"], id.as_str());
    until("the old one is over", || {
        home.opcode(&["resume"]);
        (home.status(&id)["status"] == "completed").then_some(())
    });
}

#[test]
fn when_the_disk_fails_it_ends_at_once_and_loses_nothing() {
    let home = Home::new();
    let many = r#"{"steps":[{"id":"l","type":"loop","config":{"mode":"while",
        "condition":"iter.index < 4000","max_iter":4000,"body":[
        {"id":"h","type":"action","action":"crypto.hash","params":{"data":"${{iter.index}}"}}]}}]}"#;
    home.file("many.json", many);
    // A limit on the size of files stands for a disk that fails in the middle of a write.
    let script = "ulimit -f 300; exec \"$0\" run many.json";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_opcode")]).current_dir(home.path(""));
    let output = command.env("OPCODE_HOME", home.path("home")).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(75), "{err}");
    assert!(err.contains("opcode resume"), "{err}");
    home.opcode(&["verify"]).ended(0);
    let resumed = home.opcode(&["resume", "--json"]).ended(0).json();
    let output = &resumed["workflows"][0]["output"]["l"];
    assert_eq!(output["iterations"], 4_000);
    assert!(!output["results"].as_array().unwrap().iter().any(Value::is_null));
    home.opcode(&["verify"]).ended(0);
}
