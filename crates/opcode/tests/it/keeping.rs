//! Copies of a store: made while it is in use, refused when they are damaged, put in its place again.
//!
//! Keeps: what was refused changed nothing.
//! Not here: what counts as damage (`opcode-store-sqlite`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use crate::kit::{ASKS, Home, PURE, SLOW, Started, bytes_of, until};

/// Ids of every workflow there is.
fn ids(home: &Home) -> Vec<String> {
    let all = home.opcode(&["query", "workflows", "--json", "--limit", "1000"]).ended(0).json();
    let all = all["workflows"].as_array().unwrap();
    let mut ids: Vec<_> = all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// Starts a workflow that holds the store, and waits until it is in flight; answers its id too.
fn hold(home: &Home) -> (Started, String) {
    let known = ids(home);
    let slow = home.file("slow.json", SLOW);
    let holder = home.start("holder", &["run", &slow, "--params", &home.params()]);
    let id =
        until("there is another workflow", || ids(home).into_iter().find(|id| !known.contains(id)));
    home.until_event(&id, "step_started", "hold");
    (holder, id)
}

fn change(store: &Path, sql: &str) {
    Connection::open(store).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_backup_is_made_beside_a_server_and_goes_on_elsewhere() {
    let home = Home::new();
    let pure = home.file("pure.json", PURE);
    let asks = home.file("asks.json", ASKS);
    home.opcode(&["run", &pure]).ended(0);
    home.opcode(&["run", &asks]).ended(3);
    let (holder, id) = hold(&home);
    let known = ids(&home);
    let said = home.opcode(&["backup", "copy.db", "--json"]).ended(0).json();
    assert_eq!(
        (&said["workflows"], &said["damage"]),
        (&3.into(), &serde_json::json!([])),
        "{said}"
    );
    let mode = fs::metadata(home.path("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let beside = fs::read_dir(home.path("")).unwrap().map(|it| it.unwrap().file_name());
    let parts = beside.filter(|name| name.to_string_lossy().contains(".part"));
    assert_eq!(parts.count(), 0, "no draft stays behind");

    let before = fs::read(home.path("copy.db")).unwrap();
    let taken = home.opcode(&["backup", "copy.db"]).ended(2);
    assert!(taken.err.contains("copy.db is there already"), "{taken:?}");
    assert!(fs::read(home.path("copy.db")).unwrap() == before);
    home.go();
    holder.end().ended(0);

    let other = Home::new();
    let copy = home.path("copy.db");
    let said = other.opcode(&["restore", copy.to_str().unwrap()]).ended(0);
    assert!(said.out.starts_with("looked at 3 workflows") && said.err.is_empty(), "{said:?}");
    assert_eq!(ids(&other), known);
    other.opcode(&["verify"]).ended(0);
    // The one that was in flight is as it would be after a crash: it goes on.
    let resumed = other.opcode(&["resume"]);
    assert!(!resumed.err.contains("write-ahead log"), "{resumed:?}");
    assert_eq!(other.status(&id)["status"], "completed");
}

#[test]
fn a_restore_keeps_what_was_there() {
    let home = Home::new();
    let pure = home.file("pure.json", PURE);
    home.opcode(&["run", &pure]).ended(0);
    let first = ids(&home);
    home.opcode(&["backup", "one.db"]).ended(0);
    home.opcode(&["run", &pure]).ended(0);
    let both = ids(&home);
    let said = home.opcode(&["restore", "one.db"]).ended(0);
    assert!(said.err.contains("opcode.db.before-restore"), "{said:?}");
    assert_eq!(ids(&home), first);
    home.opcode(&["run", &pure]).ended(0);
    home.opcode(&["verify"]).ended(0);
    // A second one would lose what the first has kept.
    let before = bytes_of(&home.path("home"));
    let said = home.opcode(&["restore", "one.db"]).ended(2);
    assert!(said.err.contains("before-restore is there already"), "{said:?}");
    let store = |all: &[(std::path::PathBuf, Vec<u8>)]| {
        all.iter()
            .filter(|(path, _)| !path.ends_with("opcode.db.lock"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(store(&before) == store(&bytes_of(&home.path("home"))));
    let kept = home.path("home/opcode.db.before-restore");
    fs::rename(kept, home.path("kept.db")).unwrap();
    home.opcode(&["restore", "kept.db"]).ended(0);
    assert_eq!(ids(&home), both, "nothing of the old store was lost");
}

#[test]
fn a_restore_waits_for_nobody_and_takes_nothing_from_a_holder() {
    let home = Home::new();
    home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    home.opcode(&["backup", "copy.db"]).ended(0);
    let (holder, _) = hold(&home);
    let known = ids(&home);
    let said = home.opcode(&["restore", "copy.db"]).ended(2);
    assert!(said.err.contains("the store is in use by process"), "{said:?}");
    assert_eq!(ids(&home), known);
    home.go();
    holder.end().ended(0);
    home.opcode(&["verify"]).ended(0);
}

#[test]
fn a_store_whose_log_was_left_by_a_crash_is_kept_whole() {
    let home = Home::new();
    home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    home.opcode(&["backup", "copy.db"]).ended(0);
    let (mut holder, _) = hold(&home);
    let known = ids(&home);
    // An attempt that was cut off has begun to keep it.
    fs::hard_link(home.db(), home.path("home/opcode.db.before-restore")).unwrap();
    holder.child.kill().unwrap();
    holder.child.wait().unwrap();
    assert!(fs::metadata(home.path("home/opcode.db-wal")).unwrap().len() > 0);
    home.opcode(&["restore", "copy.db"]).ended(0);
    assert_eq!(ids(&home).len(), 1);
    fs::rename(home.path("home/opcode.db.before-restore"), home.path("kept.db")).unwrap();
    home.opcode(&["restore", "kept.db"]).ended(0);
    assert_eq!(ids(&home), known, "what stood in the log is in the kept store");
}

#[test]
fn damage_is_refused_and_changes_nothing() {
    let home = Home::new();
    home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    home.opcode(&["backup", "good.db"]).ended(0);
    fs::copy(home.path("good.db"), home.path("bad.db")).unwrap();
    change(&home.path("bad.db"), "UPDATE commits SET body = replace(body, 'hash', 'hush')");
    fs::write(home.path("text.db"), "no database, but long enough to be asked about").unwrap();
    let half = fs::read(home.path("good.db")).unwrap();
    fs::write(home.path("half.db"), &half[..half.len() / 2]).unwrap();
    let store = fs::read(home.db()).unwrap();
    for (file, code, why) in [
        ("bad.db", 70, "do not match their hash"),
        ("half.db", 70, ""),
        ("text.db", 2, "is not a database"),
        ("nothing.db", 2, "there is no backup at nothing.db"),
    ] {
        let said = home.opcode(&["restore", file]).ended(code);
        assert!(said.err.contains(why) && said.err.contains("hint: "), "{file}: {said:?}");
        assert!(fs::read(home.db()).unwrap() == store, "{file}");
        assert!(!home.path("home/opcode.db.before-restore").exists(), "{file}");
    }
    home.opcode(&["verify"]).ended(0);
    // A damaged store makes no backup, and a good backup takes its place.
    change(&home.db(), "UPDATE commits SET body = replace(body, 'hash', 'hush')");
    home.opcode(&["backup", "second.db"]).ended(70);
    assert!(!home.path("second.db").exists());
    home.opcode(&["restore", "good.db"]).ended(0);
    home.opcode(&["verify"]).ended(0);
}

/// A step with a large output.
const LARGE: &str = r#"{"name":"large","steps":[{"id":"fill","type":"action",
  "action":"shell.exec","params":{"command":"sh",
    "args":["-c","head -c 900000 /dev/urandom | od -An -tx1 | tr -d ' \\n'"]}}]}"#;

/// A parent whose child has failed.
const FAILS: &str = r#"{"name":"fails","steps":[
  {"id":"no","type":"action","action":"assert.equals","params":{"actual":1,"expected":2}}]}"#;

#[test]
fn what_is_not_kept_goes_and_the_file_gets_smaller() {
    let home = Home::new();
    for _ in 0..3 {
        home.opcode(&["run", &home.file("large.json", LARGE)]).ended(0);
    }
    home.opcode(&["run", &home.file("fails.json", FAILS)]).ended(1);
    home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    let before = fs::metadata(home.db()).unwrap().len();
    let said = home.opcode(&["vacuum", "--keep", "30d", "--json"]).ended(0).json();
    assert_eq!((&said["deleted"], ids(&home).len()), (&0.into(), 5), "{said}");
    let said = home.opcode(&["vacuum", "--keep", "0", "--keep-failed", "1d"]).ended(0);
    assert!(said.out.starts_with("deleted 3 workflows; the store has "), "{said:?}");
    let after = fs::metadata(home.db()).unwrap().len();
    assert!(after + 1_000_000 < before, "{before} became {after}");
    assert_eq!(ids(&home).len(), 2, "the one that waits, and the failed one");
    home.opcode(&["verify"]).ended(0);
    let said = home.opcode(&["vacuum", "--keep", "0", "--template", "other", "--json"]).ended(0);
    assert_eq!(said.json()["deleted"], 0);
    assert_eq!(home.opcode(&["vacuum", "--keep", "0", "--json"]).ended(0).json()["deleted"], 1);
    home.opcode(&["vacuum"]).ended(0);
    home.opcode(&["verify"]).ended(0);
    let audit = home.opcode(&["audit", "--json"]).ended(0).out;
    assert!(audit.contains("workflow.prune"), "{audit}");
}

#[test]
fn room_is_made_only_where_there_is_a_store() {
    let home = Home::new();
    home.opcode(&["vacuum", "--keep", "30d"]).ended(2);
    home.opcode(&["vacuum", "--keep", "a month"]).ended(2);
    assert!(!home.db().exists());
}
