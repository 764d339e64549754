//! This binary again as another process: what it is told to do comes in its environment.
//!
//! Keeps: a child does nothing unless a test started it for that.
//! Not here: what the tests expect of it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use opcode_model::Position;
use opcode_store::{CommitError, Durability, Runs};
use opcode_store_sqlite::{SqliteConfig, SqliteStore};
use opcode_testkit::conformance::{commit_of, logged, run, wait};

use crate::place::{Place, append};

const PATH: &str = "OPCODE_STORE_TEST_PATH";
const TASK: &str = "OPCODE_STORE_TEST_TASK";

/// A child for `task`, its output piped; below `shell`, a line of `sh` that ends in `exec "$@"`, if there is one.
pub(crate) fn command(place: &Place, task: &str, shell: Option<&str>) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut command = match shell {
        None => Command::new(this),
        Some(line) => {
            let mut command = Command::new("sh");
            command.args(["-c", line, "sh"]).arg(this);
            command
        }
    };
    command.args(["--exact", "child::works", "--nocapture", "--test-threads=1"]);
    command.env(PATH, place.database()).env(TASK, task).stdout(Stdio::piped());
    command
}

#[test]
fn works() {
    let (Ok(path), Ok(task)) = (std::env::var(PATH), std::env::var(TASK)) else { return };
    let durability = if task == "fail" { Durability::Disk } else { Durability::Process };
    let config = SqliteConfig { path: path.into(), durability, command_name: task.clone() };
    let store = SqliteStore::open(config);
    match task.as_str() {
        "open" => say(&store.map_or_else(|refused| refused.to_string(), |_| "opened".to_owned())),
        "write" => write(&store.unwrap()),
        "fail" => fail(&store.unwrap()),
        other => panic!("unknown task {other}"),
    }
}

/// One line at the line's start, whatever the harness has written before.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    write!(out, "\nchild: {line}\n").and_then(|()| out.flush()).unwrap();
}

/// What the child said, out of a line of its output.
pub(crate) fn said(line: &str) -> Option<&str> {
    line.strip_prefix("child: ")
}

/// Appends to three runs until it is killed, and says what was acknowledged.
fn write(store: &SqliteStore) {
    let mut ends = [Position::default(); 3];
    for n in 0.. {
        let at = n % 3;
        let events = vec![logged(n as i64, "a", "x"), logged(n as i64, "b", "y")];
        let batch = Arc::new(vec![commit_of(run(at as u32), ends[at], events)]);
        ends[at] = wait(store.append(batch)).remove(0).unwrap();
        say(&format!("{at} {}", ends[at].seq.0));
    }
}

/// Appends until the disk fails; from then on nothing may be acknowledged.
fn fail(store: &SqliteStore) {
    let mut end = Position::default();
    let lost = loop {
        let events = vec![logged(1, "a", &"x".repeat(20_000))];
        match append(store, commit_of(run(1), end, events)) {
            Ok(position) => end = position,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(lost, CommitError::Lost(_)), "{lost}");
    for n in 2..10 {
        let refused =
            append(store, commit_of(run(n), Position::default(), vec![logged(1, "a", "x")]));
        assert!(matches!(refused, Err(CommitError::Lost(_))), "{refused:?}");
    }
    say(&format!("lost after {}", end.seq.0));
}
