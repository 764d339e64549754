//! What can be asked: lists, one workflow, its events, the machine.
//!
//! Keeps: asking changes nothing.
//! Not here: asking beside a holder (`holder.rs`).

use std::fs;

use serde_json::Value as Json;

use crate::kit::{ASKS, Home, PURE, bytes_of};

fn len(json: &Json) -> usize {
    json.as_array().unwrap().len()
}

#[test]
fn lists_are_filtered_and_limited() {
    let home = Home::new();
    let pure = home.file("pure.json", PURE);
    home.opcode(&["define", &pure, "--name", "hash", "--description", "hashes"]).ended(0);
    home.opcode(&["run", "hash", "--agent", "me"]).ended(0);
    home.opcode(&["run", &pure]).ended(0);
    home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    let before = bytes_of(&home.path("home"));
    let list = |args: &[&str]| {
        let said = home.opcode(&[&["query"], args, &["--json"]].concat()).ended(0).json();
        len(said.as_object().unwrap().values().next().unwrap())
    };
    for (args, n) in [
        (&["workflows"][..], 3),
        (&["workflows", "--status", "suspended"], 1),
        (&["workflows", "--status", "failed"], 0),
        (&["workflows", "--template", "hash"], 1),
        (&["workflows", "--agent", "me"], 1),
        (&["workflows", "--since", "1h"], 3),
        (&["workflows", "--since", "2999-01-01T00:00:00Z"], 0),
        (&["workflows", "--limit", "2"], 2),
        (&["workflows", "--limit", "2", "--offset", "2"], 1),
        (&["templates"], 1),
        (&["templates", "--name", "other"], 0),
        (&["decisions"], 1),
        (&["agents"], 1),
        (&["actions", "--name", "http."], 3),
        (&["actions", "--name", "nobody"], 0),
        (&["events", "--type", "decision_requested"], 1),
        (&["events", "--step", "hash", "--limit", "3"], 3),
    ] {
        assert_eq!(list(args), n, "{args:?}");
        let said = home.opcode(&[&["query"], args].concat()).ended(0);
        let lines = if n == 0 { 0 } else { n + 1 };
        assert_eq!(said.out.lines().count(), lines, "{said:?}");
        assert!(said.out.lines().all(|line| line.chars().count() <= 100), "{said:?}");
    }
    assert_eq!(before, bytes_of(&home.path("home")));
}

#[test]
fn status_and_events_tell_one_workflow() {
    let home = Home::new();
    let asks = home.file("asks.json", ASKS);
    let said = home.opcode(&["run", &asks, "--name", "ship", "--json"]).ended(3).json();
    let id = home.workflow();
    let status = home.status(&id);
    assert_eq!(status["pending_decisions"][0]["step_id"], "ask");
    assert_eq!(
        said["pending_decisions"], status["pending_decisions"],
        "as whoever began it is told"
    );
    assert_eq!(status["steps"]["last"]["status"], "pending");
    let people = home.opcode(&["status", &id.to_uppercase()]).ended(0);
    assert!(people.out.starts_with("suspended  ship  "), "{people:?}");
    let events = home.opcode(&["events", &id, "--json"]).ended(0);
    let all: Vec<Json> = events.out.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let places: Vec<u64> = all.iter().map(|it| it["sequence"].as_u64().unwrap()).collect();
    assert_eq!(places, (1..=all.len() as u64).collect::<Vec<_>>());
    assert_eq!(all[0]["event_type"], "workflow_started");
    let rest = home.opcode(&["events", &id, "--after", "2"]).ended(0);
    assert_eq!(rest.out.lines().count(), all.len() - 2);
    assert!(rest.out.lines().next().unwrap().trim_start().starts_with("3 "), "{rest:?}");
}

#[test]
fn actions_are_known_without_a_store_and_agents_by_what_they_did() {
    let home = Home::new();
    let actions = home.opcode(&["query", "actions", "--json"]).ended(0).json();
    let hash = |one: &&Json| one["name"] == "crypto.hash";
    let hash = actions["actions"].as_array().unwrap().iter().find(hash).unwrap();
    assert_eq!(hash["effect"], "pure");
    assert!(hash["params"]["properties"]["data"].is_object(), "{hash}");
    home.opcode(&["query", "agents"]).ended(2);
    home.opcode(&["run", &home.file("pure.json", PURE), "--agent", "me"]).ended(0);
    let agents = home.opcode(&["query", "agents", "--json"]).ended(0).json();
    assert_eq!(agents["agents"][0]["id"], "me");
}

#[test]
fn doctor_tells_what_is_in_force() {
    let home = Home::new();
    let fresh = home.opcode(&["doctor", "--json"]).ended(0).json();
    assert_eq!(fresh["store"]["exists"], false);
    assert!(!home.path("home").exists());
    home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    let before = bytes_of(&home.path("home"));
    let told = home.opcode(&["doctor", "--json", "--durability", "process", "--pool-size", "7"]);
    let told = told.ended(0).json();
    assert_eq!(told["ok"], true);
    assert_eq!(told["durability"]["level"], "process");
    assert_eq!(told["pool"], 7);
    assert_eq!(told["helper"]["ok"], true);
    assert_eq!(told["unfinished"]["suspended"], 1);
    assert_eq!(told["backend"]["name"], "sqlite");
    assert!(told["sync"]["p50_us"].as_u64().unwrap() > 0);
    let people = home.opcode(&["doctor"]).ended(0);
    assert!(people.out.contains("survives loss of power"), "{people:?}");
    assert_eq!(before, bytes_of(&home.path("home")), "nothing is left behind");
}

#[test]
fn settings_come_from_the_environment_and_flags_win() {
    let home = Home::new();
    let mut command = home.command(&["doctor", "--json", "--pool-size", "3"]);
    command.env("OPCODE_DB_PATH", home.path("other.db")).env("OPCODE_POOL_SIZE", "9");
    command.env("OPCODE_DURABILITY", "process").env("OPCODE_FS_ROOTS", "/tmp:/var");
    let told: Json = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(told["pool"], 3);
    assert_eq!(told["durability"]["level"], "process");
    assert_eq!(told["file_roots"], serde_json::json!(["/tmp", "/var"]));
    assert_eq!(told["store"]["path"], home.path("other.db").display().to_string());
    home.opcode(&["run", &home.file("pure.json", PURE), "--db-path", "here.db"]).ended(0);
    assert!(home.path("here.db").exists() && !home.path("home").exists());
}

#[test]
fn what_workflows_log_goes_to_stderr_as_far_as_wanted() {
    let home = Home::new();
    let logs = r#"{"steps":[{"id":"l","type":"action","action":"workflow.log",
        "params":{"message":"so far so good"}}]}"#;
    let file = home.file("l.json", logs);
    let said = home.opcode(&["run", &file, "--json"]).ended(0);
    assert!(said.err.contains("INFO so far so good"), "{said:?}");
    assert_eq!(said.json()["status"], "completed");
    let quiet = home.command(&["run", &file]).env("OPCODE_LOG_LEVEL", "warn").output().unwrap();
    assert!(quiet.stderr.is_empty(), "{quiet:?}");
}

#[test]
fn verify_finds_a_whole_store_whole() {
    let home = Home::new();
    home.opcode(&["verify"]).ended(2);
    home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    let said = home.opcode(&["verify"]).ended(0);
    assert!(said.out.ends_with("no damage\n"), "{said:?}");
    assert_eq!(home.opcode(&["verify", "--json"]).ended(0).json()["workflows"], 1);
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let home = Home::new();
    home.opcode(&["run", &home.file("pure.json", PURE)]).ended(0);
    let id = home.workflow();
    let script = format!("'{}' events {id} --json | head -n 1", env!("CARGO_BIN_EXE_opcode"));
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .env("OPCODE_HOME", home.path("home"))
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = home.command(&["status", &id]);
    assert_eq!(command.stdout(full).output().unwrap().status.code(), Some(70));
}
