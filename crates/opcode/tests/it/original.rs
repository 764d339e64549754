//! A database of the original OPCODE, taken over by the first command that writes.
//!
//! Keeps: the database stays as it is to the byte; a crash at any point is repeated cleanly.
//! Not here: what the original's columns mean (`opcode-runtime`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::kit::{Home, PURE, until};

/// Its workflows by how they came to their end.
const GOOD: &str = "11111111-1111-4111-8111-111111111111";
const BAD: &str = "22222222-2222-4222-8222-222222222222";
const OFF: &str = "33333333-3333-4333-8333-333333333333";
const ASKED: &str = "44444444-4444-4444-8444-444444444444";
const QUOTES: &str = "88888888-8888-4888-8888-888888888888";
const DEEP: &str = "77777777-7777-4777-8777-777777777777";

impl Home {
    /// Puts the original's database where the store would be; a log stays beside it, where one is wanted.
    fn original(&self, with_log: bool) {
        fs::create_dir_all(self.path("home")).unwrap();
        let connection = Connection::open(self.db()).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        connection.execute_batch(include_str!("original.sql")).unwrap();
        if with_log {
            // As a process that was killed leaves it.
            let (db, log) = (fs::read(self.db()).unwrap(), fs::read(self.beside("-wal")).unwrap());
            drop(connection);
            fs::write(self.db(), db).unwrap();
            fs::write(self.beside("-wal"), log).unwrap();
        }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.path(&format!("home/opcode.db{ending}"))
    }

    /// Whether all of it is here, and nothing is left over.
    fn is_taken_over(&self) {
        let said = self.opcode(&["query", "workflows", "--json"]).ended(0).json();
        let all = said["workflows"].as_array().unwrap();
        assert_eq!(all.len(), 9, "{said}");
        let report = self.opcode(&["verify", "--json"]).ended(0).json();
        assert_eq!((&report["workflows"], &report["damage"]), (&9.into(), &json!([])), "{report}");
        let left = fs::read_dir(self.path("home")).unwrap().map(|it| it.unwrap().file_name());
        let left = left.filter(|name| name.to_string_lossy().contains("migrating")).count();
        assert_eq!(left, 0, "no draft stays behind");
    }

    fn types(&self, id: &str) -> Vec<String> {
        let said = self.opcode(&["events", id, "--json"]).ended(0);
        let line = |line: &str| {
            let event: Json = serde_json::from_str(line).unwrap();
            let inner = event["payload"]["event_type"].as_str().unwrap_or_default();
            format!("{} {inner}", event["event_type"].as_str().unwrap()).trim().to_owned()
        };
        said.out.lines().map(line).collect()
    }
}

#[test]
fn the_first_command_that_writes_takes_it_over() {
    let home = Home::new();
    home.original(false);
    let before = fs::read(home.db()).unwrap();
    for args in [&["query", "workflows"][..], &["status", GOOD], &["backup", "copy.db"]] {
        let said = home.opcode(args).ended(2);
        assert!(said.err.contains("a database of the original OPCODE"), "{said:?}");
        assert!(said.err.contains("the first command that writes"), "{said:?}");
    }
    assert!(fs::read(home.db()).unwrap() == before, "reading changes nothing");

    let said = home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    assert!(said.err.contains("9 workflows, 3 template versions, 2 agents, 1 secret"), "{said:?}");
    assert!(said.err.contains("3 workflows had not finished"), "{said:?}");
    assert!(fs::read(home.beside(".original")).unwrap() == before, "kept to the byte");
    let notes = fs::read_to_string(home.beside(".original.notes")).unwrap();
    for lost in ["template `broken@v1`", "template `a@b@v1`", "secret `no name`", "plugin `p1`"] {
        assert!(notes.contains(&format!("{lost} was not taken over")), "{lost}: {notes}");
    }
    assert!(notes.contains("workflow not-a-uuid is listed as "), "{notes}");
    assert!(notes.contains("template `circle@v1` cannot run here"), "{notes}");
    let said = home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    assert!(!said.err.contains("taking it over"), "once is enough: {said:?}");
    let report = home.opcode(&["verify", "--json"]).ended(0).json();
    assert_eq!((&report["workflows"], &report["damage"]), (&11.into(), &json!([])), "{report}");
    let audit = home.opcode(&["audit", "--json"]).ended(0).out;
    assert!(audit.contains("store.take_over"), "{audit}");
}

#[test]
fn a_finished_workflow_is_as_it_was() {
    let home = Home::new();
    home.original(false);
    home.opcode(&["vacuum"]).ended(0);
    home.is_taken_over();
    let good = home.status(GOOD);
    assert_eq!((&good["status"], &good["output"]), (&"completed".into(), &json!({"done": true})));
    assert_eq!(good["steps"]["hash"]["output"], json!({"hash": "abc"}), "{good}");
    assert_eq!(good["steps"]["pick.ann.log"]["output"], json!({"logged": true}), "{good}");
    assert_eq!(good["steps"]["each.iter_1.say"]["status"], "completed", "{good}");
    assert_eq!(good["context"], json!({"k": "v"}), "{good}");
    assert_eq!(good["completed_at"], "2026-03-01T10:00:09.900Z", "{good}");
    let types = home.types(GOOD);
    for kept in ["dag_mutated", "step_started", "loop_iter_started", "workflow_completed"] {
        assert!(types.contains(&format!("original_event {kept}")), "{kept}: {types:?}");
    }
    // Each event of the original is there: as ours, or as it was; with ours for its context and its end.
    assert_eq!(types.len(), 23 + 2, "{types:?}");

    let bad = home.status(BAD);
    assert_eq!(bad["status"], "failed");
    assert_eq!(bad["error"]["code"], "NON_RETRYABLE");
    assert_eq!(bad["steps"]["a"]["error"]["message"], "r", "{bad}");
    let off = home.status(OFF);
    assert_eq!(
        (&off["status"], &off["error"]["message"]),
        (&"cancelled".into(), &"cancelled via panel".into())
    );
    let args = ["query", "events", "--workflow", OFF, "--limit", "5000", "--json"];
    let events = home.opcode(&args).ended(0).json()["events"].as_array().unwrap().len();
    assert_eq!(
        events, 2_505,
        "two and 2,500 of the original, a start, what was left open, the end"
    );
    let quotes = home.status(QUOTES);
    assert_eq!(quotes["steps"].as_object().unwrap().len(), 50, "{quotes}");
    assert!(
        home.status(DEEP)["output"].as_str().unwrap().starts_with("[[[["),
        "text, for its depth"
    );

    let said = home.opcode(&["query", "workflows", "--json"]).ended(0).json();
    let all = said["workflows"].as_array().unwrap();
    let find = |name: &str| all.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(find("good")["input_params"], json!({"who": "ann"}));
    assert_eq!(find("good")["template_version"], "v2");
    assert_eq!(find("bad")["parent_workflow_id"], GOOD);
    let odd = find("odd \u{0} name");
    assert_eq!((&odd["output"], &odd["input_params"]), (&"[1,".into(), &"inputs\u{0}".into()));
    home.status(odd["id"].as_str().unwrap());
}

#[test]
fn an_unfinished_workflow_failed_and_has_its_inputs() {
    let home = Home::new();
    home.original(true);
    home.opcode(&["vacuum"]).ended(0);
    home.is_taken_over();
    let said = home.opcode(&["query", "workflows", "--json"]).ended(0).json();
    let all = said["workflows"].as_array().unwrap();
    let cut: Vec<_> = all.iter().filter(|one| one["error"]["code"] == "INTERRUPTED").collect();
    assert_eq!(cut.len(), 3, "{said}");
    assert!(cut.iter().all(|one| one["status"] == "failed"));
    let asked = cut.iter().find(|one| one["id"] == ASKED).unwrap();
    assert_eq!(asked["input_params"], json!({"n": 7}));
    let status = home.status(ASKED);
    assert_eq!(status["steps"]["a"]["output"], json!({"hash": "abc"}), "{status}");
    assert_eq!(status["steps"]["d"]["status"], "skipped", "{status}");
    assert_eq!(
        home.opcode(&["query", "decisions", "--json"]).ended(0).json()["decisions"],
        json!([])
    );
    let types = home.types(ASKED);
    assert!(types.contains(&"original_event decision_requested".to_owned()), "{types:?}");
    assert_eq!(types[types.len() - 2..], ["workflow_interrupted", "workflow_failed"]);
    home.opcode(&["resume"]).ended(0);
}

#[test]
fn templates_secrets_and_agents_go_on_working() {
    let mut home = Home::new();
    home.original(false);
    let key = home.path(&home.file("key", "correct horse"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.env.push(("OPCODE_VAULT_KEY_FILE".into(), key.to_string_lossy().into_owned()));
    let said = home.opcode(&["run", "greet", "--params", r#"{"who":"eve"}"#, "--json"]).ended(0);
    assert_eq!(said.json()["status"], "completed");
    home.opcode(&["run", "greet"]).ended(2);
    home.opcode(&["run", "greet", "--version", "v1"]).ended(0);
    let said = home.opcode(&["run", "circle"]).ended(2);
    assert!(said.err.contains("CYCLE_DETECTED") || said.err.contains("circle"), "{said:?}");
    let said = home.opcode(&["query", "templates", "--json"]).ended(0).json();
    let names: Vec<_> =
        said["templates"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["circle", "greet", "greet"], "{said}");
    let said = home.opcode(&["query", "agents", "--json"]).ended(0).json();
    assert_eq!(said["agents"][0]["type"], "human", "{said}");

    let writes = r#"{"steps":[{"id":"w","action":"shell.exec","params":{"command":"sh",
      "args":["-c","printf %s \"$S\" > \"$0/told\"","${{inputs.dir}}"],
      "env":{"S":"${{secrets.OLD}}"}}}]}"#;
    let writes = home.file("writes.json", writes);
    home.opcode(&["run", &writes, "--params", &home.params()]).ended(0);
    assert_eq!(fs::read_to_string(home.path("told")).unwrap(), "legacy");
    home.opcode(&["run", &writes, "--params", &home.params()]).ended(0);
    let connection = Connection::open(home.db()).unwrap();
    let jobs =
        "SELECT body ->> 'cron_expression' FROM catalog WHERE kind = 'schedule' AND key = 'job'";
    let cron: String = connection.query_row(jobs, [], |row| row.get(0)).unwrap();
    assert_eq!(cron, "0 9 * * *");
}

#[test]
fn a_crash_at_any_point_is_repeated_cleanly() {
    let kept = [".original-wal", ".original"];
    for point in 0..4 {
        let home = Home::new();
        home.original(true);
        let db = fs::read(home.db()).unwrap();
        let log = fs::read(home.beside("-wal")).unwrap();
        // What an attempt leaves that ends there.
        fs::write(home.beside(".migrating"), "half of a draft").unwrap();
        fs::write(home.beside(".migrating-wal"), "and of its log").unwrap();
        for (at, ending) in ["-wal", ""].into_iter().enumerate() {
            if point > at {
                fs::hard_link(home.beside(ending), home.beside(kept[at])).unwrap();
            }
        }
        if point > 2 {
            fs::remove_file(home.beside("-wal")).unwrap();
            // What stands there alone has no table: the log has them all.
            home.opcode(&["query", "workflows"]).ended(2);
        }
        home.opcode(&["vacuum"]).ended(0);
        home.is_taken_over();
        assert!(fs::read(home.beside(".original")).unwrap() == db, "{point}");
        assert!(fs::read(home.beside(".original-wal")).unwrap() == log, "{point}");
    }
}

#[test]
fn a_kill_leaves_what_the_next_attempt_takes_over() {
    let home = Home::new();
    home.original(false);
    let many = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
        INSERT INTO workflow_templates (name, version, definition, agent_id)
        SELECT 't' || n, 'v1', '{\"steps\":[{\"id\":\"a\",\"type\":\"wait\",\"config\":{\"signal\":\"s\"}}]}', 'bot'
        FROM n";
    Connection::open(home.db()).unwrap().execute_batch(many).unwrap();
    let before = fs::read(home.db()).unwrap();
    for bytes in [0, 100_000, 1_000_000] {
        let mut started = home.start("killed", &["vacuum"]);
        until("the draft has grown", || {
            let grown =
                fs::metadata(home.beside(".migrating-wal")).is_ok_and(|it| it.len() >= bytes);
            (grown || home.beside(".original").exists()).then_some(())
        });
        started.child.kill().unwrap();
        started.child.wait().unwrap();
    }
    home.opcode(&["vacuum"]).ended(0);
    home.is_taken_over();
    assert!(fs::read(home.beside(".original")).unwrap() == before);
}

#[test]
fn what_is_kept_already_is_not_written_over() {
    let home = Home::new();
    home.original(false);
    fs::write(home.beside(".original"), "somebody's").unwrap();
    let before = fs::read(home.db()).unwrap();
    let said = home.opcode(&["vacuum"]).ended(2);
    assert!(said.err.contains("opcode.db.original is there already"), "{said:?}");
    assert!(fs::read(home.db()).unwrap() == before);
    assert_eq!(fs::read_to_string(home.beside(".original")).unwrap(), "somebody's");
}
