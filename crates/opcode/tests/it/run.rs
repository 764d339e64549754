//! `opcode run` to its end, in every way it can end.
//!
//! Keeps: exit codes mean what the help says; `--json` is the result object and nothing else.
//! Not here: refusals (`refused.rs`), waiting (`signal.rs`), stopping (`crash.rs`).

use serde_json::{Value as Json, json};

use crate::kit::{ASKS, Home, PURE};

fn shell(script: &str) -> String {
    json!({"steps": [{"id": "sh", "type": "action", "action": "shell.exec",
        "params": {"command": "sh", "args": ["-c", script]}}]})
    .to_string()
}

#[test]
fn a_completed_run_is_the_result_object() {
    let home = Home::new();
    let file = home.file("pure.json", PURE);
    let said = home.opcode(&["run", &file, "--json"]).ended(0);
    let result = said.json();
    let keys: Vec<&String> = result.as_object().unwrap().keys().collect();
    let known = ["completed_at", "output", "started_at", "status", "steps", "workflow_id"];
    assert_eq!(keys, known);
    assert_eq!(result["status"], "completed");
    assert_eq!(result["steps"]["hash"]["status"], "completed");
    assert_eq!(said.err, "");
    assert_eq!(said.out.lines().count(), 1);
    let people = home.opcode(&["run", &file]).ended(0);
    assert!(people.out.starts_with("completed  pure  "), "{people:?}");
    assert!(!people.out.contains('\x1b'));
}

#[test]
fn inputs_come_from_the_line_a_file_or_stdin() {
    let home = Home::new();
    home.file("pure.json", PURE);
    home.file("in.json", r#"{"text":"b"}"#);
    let hash = |said: Json| said["output"]["hash"]["hash"].as_str().unwrap().to_owned();
    let given = home.opcode(&["run", "pure.json", "--json", "--params", r#"{"text":"b"}"#]);
    let file = home.opcode(&["run", "pure.json", "--json", "--params", "@in.json"]);
    let plain = home.opcode(&["run", "pure.json", "--json"]);
    let stdin = home.feed(&["run", "-", "--json", "--params", "@in.json"], PURE);
    assert_eq!(hash(given.json()), hash(file.json()));
    assert_eq!(hash(given.json()), hash(stdin.json()));
    assert_ne!(hash(given.json()), hash(plain.json()));
}

#[test]
fn a_wrapper_gives_name_and_schema() {
    let home = Home::new();
    let wrapper = format!(
        r#"{{"name":"greet","definition":{PURE},"input_schema":{{"type":"object",
        "properties":{{"text":{{"type":"string"}}}}}}}}"#
    );
    let file = home.file("w.json", &wrapper);
    assert!(home.opcode(&["run", &file]).ended(0).out.starts_with("completed  greet  "));
    let said = home.opcode(&["run", &file, "--params", r#"{"text":1}"#]).ended(2);
    assert!(said.err.contains("inputs do not fit the input schema"), "{said:?}");
}

#[test]
fn failed_cancelled_and_timed_out_runs_differ() {
    let home = Home::new();
    let failing = home.file("fail.json", &shell("exit 3"));
    let ended = home.opcode(&["run", &failing, "--json"]).ended(0).json();
    assert_eq!(ended["output"]["sh"]["exit_code"], 3, "an exit code is an output");
    let missing = r#"{"steps":[{"id":"x","type":"action","action":"workflow.fail",
        "params":{"reason":"no"}}]}"#;
    let failed = home.opcode(&["run", &home.file("m.json", missing), "--json"]).ended(1).json();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["error"]["step_id"], "x");
    let slow = |on: &str| {
        let mut definition: Json = serde_json::from_str(&shell("sleep 60")).unwrap();
        definition["timeout"] = "100ms".into();
        definition["on_timeout"] = on.into();
        definition.to_string()
    };
    let timed =
        home.opcode(&["run", &home.file("t.json", &slow("fail")), "--json"]).ended(5).json();
    assert_eq!(timed["error"]["code"], "TIMEOUT_ERROR");
    let cancelled = home.opcode(&["run", &home.file("c.json", &slow("cancel")), "--json"]).ended(4);
    assert_eq!(cancelled.json()["status"], "cancelled");
    let held = home.opcode(&["run", &home.file("s.json", &slow("suspend"))]).ended(3);
    assert!(held.out.contains(" retry"), "it says how to go on: {held:?}");
}

#[test]
fn a_step_timeout_is_an_ordinary_failure() {
    let home = Home::new();
    let mut definition: Json = serde_json::from_str(&shell("sleep 60")).unwrap();
    definition["steps"][0]["timeout"] = "50ms".into();
    home.opcode(&["run", &home.file("t.json", &definition.to_string())]).ended(1);
}

#[test]
fn templates_run_by_name_and_version() {
    let home = Home::new();
    let file = home.file("pure.json", PURE);
    let first = home.opcode(&["define", &file, "--name", "hash", "--json"]).ended(0).json();
    assert_eq!((&first["name"], &first["version"]), (&json!("hash"), &json!("v1")));
    home.file("pure.json", &PURE.replace("\"a\"", "\"z\""));
    assert_eq!(home.opcode(&["define", &file, "--name", "hash"]).ended(0).out, "hash v2\n");
    let run =
        |args: &[&str]| home.opcode(&[&["run", "hash", "--json"], args].concat()).ended(0).json();
    let (old, new) = (run(&["--version", "v1"]), run(&[]));
    assert_ne!(old["output"], new["output"]);
    let listed = home.opcode(&["query", "templates", "--json"]).ended(0).json();
    assert_eq!(listed["templates"].as_array().unwrap().len(), 2);
    // A file of this name goes before the template.
    home.file("hash", ASKS);
    home.opcode(&["run", "hash"]).ended(3);
    let said = home.opcode(&["run", "hsah"]).ended(2);
    assert!(said.err.contains("did you mean `hash`?"), "{said:?}");
    let said = home.opcode(&["run", "hash2", "--version", "v9"]).ended(2);
    assert!(said.err.contains("NOT_FOUND"), "{said:?}");
}

#[test]
fn a_definition_names_itself_or_is_called_as_its_file() {
    let home = Home::new();
    let bare = home.file("bare.json", PURE);
    let named = home.file("x.json", &format!(r#"{{"name":"own","definition":{PURE}}}"#));
    assert!(home.opcode(&["define", &bare]).ended(0).out.starts_with("bare v1"));
    assert!(home.opcode(&["define", &named]).ended(0).out.starts_with("own v1"));
    let said = home.feed(&["define", "-"], PURE).ended(2);
    assert!(said.err.contains("--name"), "{said:?}");
    assert!(home.feed(&["define", "-", "--name", "in"], PURE).ended(0).out.starts_with("in v1"));
}

#[test]
fn an_idempotency_key_is_run_once() {
    let home = Home::new();
    let file = home.file("pure.json", PURE);
    let run = |more: &[&str]| {
        home.opcode(&[&["run", &file, "--json", "--idempotency-key", "k"], more].concat())
    };
    let first = run(&[]).ended(0).json();
    assert_eq!(run(&[]).ended(0).json()["workflow_id"], first["workflow_id"]);
    let said = run(&["--params", r#"{"text":"other"}"#]).ended(2);
    assert!(said.err.contains("CONFLICT"), "{said:?}");
    let all = home.opcode(&["query", "workflows", "--json"]).json();
    assert_eq!(all["workflows"].as_array().unwrap().len(), 1);
}

#[test]
fn watching_without_a_terminal_prints_a_line_for_each_change() {
    let home = Home::new();
    let file = home.file("asks.json", ASKS);
    let said = home.opcode(&["run", &file, "--watch", "--json"]).ended(3);
    assert_eq!(said.json()["status"], "suspended");
    for name in ["workflow_started", "step_completed", "decision_requested", "workflow_suspended"] {
        assert!(said.err.contains(name), "{name}: {said:?}");
    }
    assert!(!said.err.contains('\x1b'));
}

#[test]
fn waiting_ends_when_its_time_is_up_and_resume_goes_on() {
    let home = Home::new();
    let file = home.file(
        "sleeps.json",
        r#"{"steps":[
        {"id":"nap","type":"wait","config":{"duration":"700ms"}}]}"#,
    );
    let said = home.opcode(&["run", &file, "--wait", "10ms", "--json"]).ended(3);
    assert_eq!(said.json()["status"], "active");
    assert!(said.err.contains("opcode resume"), "{said:?}");
    let resumed = home.opcode(&["resume", "--json"]).ended(0).json();
    assert_eq!(resumed["workflows"][0]["status"], "completed");
    assert_eq!(home.opcode(&["resume", "--json"]).ended(0).json(), json!({"workflows": []}));
}

#[test]
fn file_actions_stay_beneath_their_roots() {
    let home = Home::new();
    let read = |path: &str| {
        json!({"steps": [{"id": "r", "type": "action", "action": "fs.read",
            "params": {"path": path}}]})
        .to_string()
    };
    std::fs::create_dir(home.path("in")).unwrap();
    home.file("in/a", "x");
    home.file("b", "x");
    let root = home.path("in").display().to_string();
    let inside = home.file("i.json", &read(&home.path("in/a").display().to_string()));
    let outside = home.file("o.json", &read(&home.path("b").display().to_string()));
    home.opcode(&["run", &inside, "--fs-root", &root]).ended(0);
    let said = home.opcode(&["run", &outside, "--fs-root", &root, "--json"]).ended(1);
    assert!(said.out.contains("PATH_DENIED"), "{said:?}");
    home.opcode(&["run", &outside]).ended(0);
    home.opcode(&["run", &outside, "--fs-root", "/no/such/place"]).ended(2);
}

#[test]
fn a_definition_is_called_as_it_says_itself() {
    let home = Home::new();
    let file = home.file(
        "file.json",
        r#"{"metadata":{"name":"title"},"steps":[{"id":"u","action":"crypto.uuid"}]}"#,
    );
    let said = home.opcode(&["run", &file]).ended(0);
    assert!(said.out.starts_with("completed  title  "), "{said:?}");
}
