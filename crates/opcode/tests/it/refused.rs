//! What is refused: said with code, place and cure; the store stays as it is.
//!
//! Keeps: not a byte of the home changes.
//! Not here: refusals because somebody else has the store (`holder.rs`).

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;

use crate::kit::{ASKS, Home, PURE, bytes_of};

const BAD: &str = r#"{
  "steps": [
    {"id": "a", "type": "action", "action": "http.gte", "params": {"url": "http://x"}},
    {"id": "b", "type": "action", "action": "crypto.hash", "params": {"data": 1}, "depends_on": ["c"]},
    {"id": "c", "type": "action", "action": "crypto.hash", "params": {"data": "x"}, "depends_on": ["b"]}
  ]
}"#;

/// Calls with bad input, each with what must be said.
fn bad_calls(home: &Home) -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
    home.file("bad.json", BAD);
    home.file("wrapped.json", &format!("{{\"name\": \"w\",\n\"definition\": {BAD}}}"));
    home.file("syntax.json", "{\n  \"steps\": [\n    {\"id\" \"a\"}\n  ]\n}");
    home.file("empty.json", "");
    home.file("list.json", "[]");
    home.file("pure.json", PURE);
    fs::write(home.path("latin.json"), b"{\"a\": \"\xff\"}").unwrap();
    vec![
        (
            vec!["run", "bad.json"],
            vec![
                "bad.json:3:45 (/steps/0/action)",
                "ACTION_UNAVAILABLE",
                "hint: did you mean `http.get`?",
                "CYCLE_DETECTED",
                "b → c → b",
            ],
        ),
        (vec!["run", "wrapped.json"], vec!["wrapped.json:4:45 (/definition/steps/0/action)"]),
        (vec!["define", "bad.json"], vec!["CYCLE_DETECTED"]),
        (vec!["define", "bad.json", "--dry-run"], vec!["CYCLE_DETECTED"]),
        (
            vec!["run", "syntax.json"],
            vec!["syntax.json:3:11: not JSON", "{\"id\" \"a\"}", "\n          ^"],
        ),
        (vec!["run", "empty.json"], vec!["empty.json:1:", "not JSON"]),
        (vec!["run", "list.json"], vec!["VALIDATION_ERROR"]),
        (vec!["run", "latin.json"], vec!["latin.json:1:8: not UTF-8"]),
        (vec!["run", "pur.json"], vec!["NOT_FOUND", "did you mean pure.json?"]),
        (vec!["run", "nothing-of-the-kind"], vec!["NOT_FOUND", "query templates"]),
        (vec!["run", "."], vec!["NOT_FOUND"]),
        (vec!["run", "pure.json", "--params", "[1]"], vec!["inputs must be an object"]),
        (vec!["run", "pure.json", "--params", "{a"], vec!["--params:1:2: not JSON"]),
        (vec!["run", "pure.json", "--params", "@gone.json"], vec!["there is no file gone.json"]),
        (vec!["run", "pure.json", "--version", "v1"], vec!["has no versions"]),
        (vec!["run", "pure.json", "--idempotency-key", ""], vec!["an idempotency key is 1 to"]),
        (vec!["query", "workflows", "--limit", "0"], vec!["a number from 1"]),
        (vec!["bench", "--clients", "0"], vec!["a number from 1"]),
        (vec!["define", "pure.json", "--name", "a@b"], vec!["without `@`"]),
        (vec!["status", "00000000-0000-0000-0000-000000000000"], vec!["NOT_FOUND"]),
        (vec!["signal", "00000000-0000-0000-0000-000000000000", "cancel"], vec!["NOT_FOUND"]),
        (vec!["events", "00000000-0000-0000-0000-000000000000"], vec!["NOT_FOUND"]),
    ]
}

#[test]
fn bad_input_makes_no_store() {
    let home = Home::new();
    for (args, texts) in bad_calls(&home) {
        let said = home.opcode(&args).ended(2);
        assert!(said.out.is_empty(), "{args:?}: {said:?}");
        assert!(said.err.starts_with("error: "), "{args:?}: {said:?}");
        for text in texts {
            assert!(said.err.contains(text), "{args:?} does not say `{text}`:\n{}", said.err);
        }
        assert!(!home.path("home").exists(), "{args:?}");
    }
}

#[test]
fn a_wrong_command_line_is_told_with_code_cause_and_cure() {
    let home = Home::new();
    for (args, cause, cure) in [
        (&["status", "xyz"][..], "a workflow id is a UUID", "`opcode query workflows`"),
        (&["run"], "<FILE|TEMPLATE>", "usage: opcode run <FILE|TEMPLATE>"),
        (&["statsu", "x"], "'statsu'", "'status'"),
        (&["run", "a.json", "--wtch"], "'--wtch'", "'--watch'"),
        (&["run", "a.json", "--pool-size", "0"], "1..=100000", "`opcode run --help` shows how"),
        (&["query", "workflows", "--since", "yesterday"], "'yesterday'", "`opcode query --help`"),
    ] {
        let said = home.opcode(args).ended(2);
        assert!(said.out.is_empty(), "{said:?}");
        assert!(said.err.starts_with("error: [VALIDATION_ERROR] "), "{said:?}");
        assert!(said.err.contains(cause) && said.err.contains(cure), "{said:?}");
        let said = home.opcode(&[args, &["--json"]].concat()).ended(2).json();
        assert_eq!(said["error"]["code"], "VALIDATION_ERROR");
        assert!(said["error"]["message"].as_str().unwrap().contains(cause), "{said}");
        assert!(!home.path("home").exists());
    }
    let said = home.command(&["doctor"]).env("OPCODE_POOL_SIZE", "x").output().unwrap();
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(said.status.code() == Some(2) && told.contains("(from OPCODE_POOL_SIZE)"), "{told}");
    let said = home.command(&["doctor"]).env("OPCODE_LOG_LEVEL", "loud").output().unwrap();
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(said.status.code() == Some(2) && told.contains("no log level `loud`"), "{told}");
}

#[test]
fn bad_input_leaves_a_store_as_it_is() {
    let home = Home::new();
    home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    let id = home.workflow();
    let calls = bad_calls(&home);
    let before = bytes_of(&home.path("home"));
    for (args, _) in calls {
        home.opcode(&args).ended(2);
    }
    for args in [
        &["decision", "ask", "maybe"][..],
        &["decision", "first", "yes"],
        &["decision", "aks", "yes"],
        &["skip", "first"],
        &["retry"],
        &["data", "--step", "first"],
        &["data", "--name", "n", "--payload", "{"],
    ] {
        let said = home.opcode(&[&["signal", &id], args].concat()).ended(2);
        assert!(said.err.contains("hint: "), "{said:?}");
    }
    assert_eq!(before, bytes_of(&home.path("home")), "not a byte has changed");
}

#[test]
fn problems_are_json_for_machines() {
    let home = Home::new();
    bad_calls(&home);
    let said = home.opcode(&["run", "bad.json", "--json"]).ended(2);
    let problems = said.json()["problems"].as_array().unwrap().clone();
    assert_eq!(problems[0]["code"], "ACTION_UNAVAILABLE");
    assert_eq!(problems[0]["path"], "/steps/0/action");
    assert_eq!(problems[0]["fix"][0]["value"], "http.get");
    assert_eq!(problems[0]["line"], 3);
    let said = home.opcode(&["define", "syntax.json", "--json"]).ended(2).json();
    assert_eq!(said["problems"][0]["line"], 3);
    let said = home.opcode(&["run", "no-such", "--json"]).ended(2).json();
    assert_eq!(said["error"]["code"], "NOT_FOUND");
}

#[test]
fn warnings_do_not_stop_a_run() {
    let home = Home::new();
    let file = home.file("warn.json", &PURE.replacen("\"id\"", "\"colour\":1,\"id\"", 1));
    let said = home.opcode(&["run", &file, "--json"]).ended(0);
    assert!(said.err.contains("warning: warn.json:2:13 (/steps/0/colour)"), "{said:?}");
    assert_eq!(said.json()["status"], "completed");
}

/// A store with one run in it, changed by `change`.
fn spoiled(change: impl FnOnce(&Connection)) -> Home {
    let home = Home::new();
    home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    let connection = Connection::open(home.db()).unwrap();
    change(&connection);
    connection.close().unwrap();
    home
}

fn refuses(home: &Home, code: i32, text: &str) {
    let pure = home.file("pure.json", PURE);
    let before = fs::read(home.db()).unwrap();
    for args in [&["run", pure.as_str()][..], &["query", "workflows"], &["verify"]] {
        let said = home.opcode(args).ended(code);
        assert!(said.err.contains(text), "{args:?}: {said:?}");
        assert!(said.err.contains("hint: "), "{args:?}: {said:?}");
    }
    let said = home.opcode(&["doctor"]).ended(70);
    assert!(said.out.contains(text), "{said:?}");
    assert_eq!(before, fs::read(home.db()).unwrap());
}

#[test]
fn a_newer_store_is_left_alone() {
    let home = spoiled(|it| {
        it.execute("INSERT INTO schema_version VALUES (99, 'later', 'then')", []).unwrap();
    });
    refuses(&home, 2, "schema version 99");
}

#[test]
fn a_foreign_database_is_left_alone() {
    let home = spoiled(|_| {});
    fs::remove_file(home.db()).unwrap();
    Connection::open(home.db()).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    refuses(&home, 2, "another program");
}

#[test]
fn what_is_no_database_is_left_alone() {
    let home = spoiled(|_| {});
    fs::write(home.db(), "once upon a time, there was no database here".repeat(30)).unwrap();
    refuses(&home, 2, "is not a database");
}

#[test]
fn a_directory_in_place_of_the_store_is_refused() {
    let home = Home::new();
    fs::create_dir_all(home.db()).unwrap();
    for args in [&["run", &home.file("pure.json", PURE)][..], &["query", "workflows"], &["verify"]]
    {
        let said = home.opcode(args).ended(2);
        assert!(said.err.contains("opcode.db is a directory\nhint: name a file"), "{said:?}");
    }
    assert_eq!(fs::read_dir(home.path("home")).unwrap().count(), 1, "nothing was put beside it");
}

#[test]
fn damage_is_found_and_named() {
    let home = spoiled(|it| {
        it.execute("UPDATE commits SET body = replace(body, 'hash', 'hsah')", []).unwrap();
    });
    let said = home.opcode(&["verify"]).ended(70);
    assert!(said.out.contains("damaged place"), "{said:?}");
    let report = home.opcode(&["verify", "--json"]).ended(70).json();
    assert_eq!(report["ok"], false);
    assert_eq!(report["damage"][0]["workflow_id"], home.workflow());
}

#[test]
fn a_row_that_is_not_what_its_events_say_is_found() {
    let home = Home::new();
    home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    home.opcode(&["verify"]).ended(0);
    let id = home.workflow();
    for (spoiled, said) in [
        ("status = 'completed'", "its row says status completed, its events say suspended"),
        ("due_at = 1", "its row says due_at 1970-01-01T00:00:00.001Z, its events say none"),
        ("in_flight = 1", "its row says in_flight true, its events say false"),
        ("name = 'x'", "its row says name x, its events say asks"),
        ("agent_id = 'x'", "its row says agent_id x, its events say none"),
        ("inputs = '{\"a\":1}'", "its row has other inputs than its events"),
        ("output = '1'", "its row has other output than its events"),
        ("created_at = created_at + 1", "its row says created_at"),
        ("completed_at = 5", "its row says completed_at"),
    ] {
        let before = fs::read(home.db()).unwrap();
        let db = Connection::open(home.db()).unwrap();
        assert_eq!(db.execute(&format!("UPDATE runs SET {spoiled}"), []).unwrap(), 1);
        drop(db);
        let report = home.opcode(&["verify", "--json"]).ended(70).json();
        assert_eq!(report["damage"][0]["workflow_id"], id.as_str());
        assert!(report["damage"][0]["what"].as_str().unwrap().contains(said), "{report}");
        fs::write(home.db(), before).unwrap();
    }
    let db = Connection::open(home.db()).unwrap();
    db.execute("INSERT INTO inbox (run, body) VALUES (?1, '{')", [&id]).unwrap();
    drop(db);
    let said = home.opcode(&["verify"]).ended(70);
    assert!(said.out.contains("message 1 cannot be read"), "{said:?}");
}

#[test]
fn an_open_decision_that_nobody_asked_is_found() {
    let home = Home::new();
    home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    let db = Connection::open(home.db()).unwrap();
    db.execute("UPDATE decisions SET request = json_set(request, '$.id', 'other')", []).unwrap();
    drop(db);
    let said = home.opcode(&["verify"]).ended(70);
    assert!(said.out.contains("its open decisions are other, its events say"), "{said:?}");
}

#[test]
fn an_unwritable_home_is_said_so() {
    let home = Home::new();
    fs::create_dir(home.path("home")).unwrap();
    fs::set_permissions(home.path("home"), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(home.path("home/probe"), "").is_ok() {
        // Who may write everywhere cannot be refused; a place below a file refuses everyone.
        let said =
            home.opcode(&["run", &home.file("pure.json", PURE), "--db-path", "pure.json/x.db"]);
        assert!(said.ended(2).err.contains("permissions"));
        return;
    }
    let said = home.opcode(&["run", &home.file("pure.json", PURE)]).ended(70);
    assert!(said.err.contains("may be written to"), "{said:?}");
}
