//! Workflows carried from one store to another: whole, checked, and never twice.
//!
//! Keeps: what was refused changed nothing.
//! Not here: the same through a server (`tests/face`).

use std::fs;

use opcode_model::limits::EXPORT_BYTES_MAX;

use crate::kit::{ASKS, Home};

/// A large output, a question and a child.
const PARENT: &str = r#"{"steps":[
  {"id":"big","type":"action","action":"shell.exec","params":{"command":"sh",
    "args":["-c","head -c 100000 /dev/zero | tr '\\0' x"]}},
  {"id":"sub","type":"action","action":"workflow.run","depends_on":["big"],
    "params":{"template_name":"child"}},
  {"id":"ask","type":"reasoning","depends_on":["sub"],
    "config":{"prompt_context":"Done?","options":[{"id":"yes"}]}}]}"#;
const CHILD: &str = r#"{"steps":[
  {"id":"hash","type":"action","action":"crypto.hash","params":{"data":"a"}}]}"#;

/// A home in which a parent with a child waits for an answer; its id.
fn asking() -> (Home, String) {
    let home = Home::new();
    home.opcode(&["define", &home.file("child.json", CHILD), "--name", "child"]).ended(0);
    home.opcode(&["define", &home.file("parent.json", PARENT), "--name", "parent"]).ended(0);
    let id = home.opcode(&["run", "parent", "--json"]).ended(3).json()["workflow_id"].clone();
    (home, id.as_str().unwrap().to_owned())
}

/// The same, answered and exported; and the document.
fn exported() -> (Home, String, String) {
    let (home, id) = asking();
    home.opcode(&["signal", &id, "decision", "ask", "yes"]).ended(0);
    home.opcode(&["export", &id, "-o", "out.jsonl"]).ended(0);
    let document = fs::read_to_string(home.path("out.jsonl")).unwrap();
    (home, id, document)
}

#[test]
fn a_family_is_elsewhere_what_it_was_here() {
    let (home, id, document) = exported();
    assert_eq!(home.opcode(&["export", &id, "-o", "out.jsonl"]).ended(2).out, "");
    let other = Home::new();
    let said = other.feed(&["import", "-", "--json"], &document).ended(0).json();
    assert_eq!((&said["workflow_id"], &said["workflows"]), (&id.as_str().into(), &2.into()));
    let said = other.opcode(&["query", "workflows", "--json"]).ended(0).json();
    let all = said["workflows"].as_array().unwrap();
    assert_eq!(all.len(), 2, "{said}");
    for one in all {
        let id = one["id"].as_str().unwrap();
        for ask in [
            &["events", id, "--json"][..],
            &["status", id, "--json"],
            &["diagram", id],
            &["query", "events", "--workflow", id, "--json"],
        ] {
            assert_eq!(home.opcode(ask).out, other.opcode(ask).out, "{ask:?}");
        }
    }
    let templates = ["query", "templates", "--json"];
    let names = |home: &Home| {
        let said = home.opcode(&templates).ended(0).json();
        let all = said["templates"].as_array().unwrap().clone();
        all.iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&home), names(&other));
    other.opcode(&["verify"]).ended(0);
    assert!(other.opcode(&["audit"]).ended(0).out.contains("workflow.import"));
    // A second time changes nothing, and what goes out there is what came in.
    let said = other.feed(&["import", "-", "--json"], &document).ended(0).json();
    assert_eq!((&said["workflows"], &said["known"]), (&0.into(), &2.into()), "{said}");
    let again = other.opcode(&["export", &id]).ended(0).out;
    let third = Home::new();
    third.feed(&["import", "-"], &again).ended(0);
    let events = ["events", &id, "--json"];
    assert_eq!(home.opcode(&events).out, third.opcode(&events).out);
    // The template runs there, and the history goes on being whole.
    other.opcode(&["run", "child"]).ended(0);
    other.opcode(&["verify"]).ended(0);
}

#[test]
fn damage_is_refused_at_its_place_and_changes_nothing() {
    let (_, id, document) = exported();
    let lines: Vec<&str> = document.lines().collect();
    let other = Home::new();
    other.opcode(&["run", &other.file("child.json", CHILD)]).ended(0);
    let listed = || other.opcode(&["query", "workflows", "--json"]).ended(0).out;
    let before = listed();
    let refused = |document: &str, why: &str| {
        let said = other.feed(&["import", "-"], document).ended(2);
        assert!(
            said.err.contains(why),
            "{why}: {}",
            said.err.chars().take(500).collect::<String>()
        );
        assert_eq!(listed(), before, "{why}");
    };
    for at in 0..lines.len() {
        let place = format!("line {} of the export", at + 1);
        let bent = |line: &str| {
            let middle = line.len() - 80;
            let other = if line.as_bytes()[middle] == b'1' { "2" } else { "1" };
            format!("{}{other}{}", &line[..middle], &line[middle + 1..])
        };
        let with = |line: Option<String>| {
            let mut lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
            lines.splice(at..=at, line);
            lines.join("\n")
        };
        refused(&with(Some(bent(lines[at]))), &place);
        let missing = with(None);
        let why = if at + 1 == lines.len() { "before its end" } else { &place };
        refused(&missing, if at == 0 { "this is no export" } else { why });
    }
    refused(&document.replacen("\"version\":1", "\"version\":2", 1), "`opcode update`");
    refused(&format!("{document}{}\n", lines[1]), "line");
    refused("", "before its end");
    refused("{}\n", "this is no export of a workflow");
    other.opcode(&["verify"]).ended(0);
    other.opcode(&["status", &id]).ended(2);
}

#[test]
fn another_history_under_the_same_id_is_a_conflict() {
    let (home, id) = asking();
    home.opcode(&["export", &id, "-o", "open.jsonl"]).ended(0);
    home.opcode(&["signal", &id, "decision", "ask", "yes"]).ended(0);
    let other = Home::new();
    let open = home.path("open.jsonl");
    let open = open.to_str().unwrap();
    let said = other.opcode(&["import", open]).ended(2);
    assert!(said.err.contains("--as-interrupted"), "{said:?}");
    let said = other.opcode(&["import", open, "--as-interrupted", "--json"]).ended(0).json();
    assert_eq!((&said["workflows"], &said["interrupted"]), (&2.into(), &1.into()), "{said}");
    let status = other.status(&id);
    assert_eq!(
        (&status["status"], &status["error"]["code"]),
        (&"failed".into(), &"INTERRUPTED".into())
    );
    other.opcode(&["verify"]).ended(0);
    let said = other.opcode(&["import", open, "--as-interrupted", "--json"]).ended(0).json();
    assert_eq!(said["known"], 2, "{said}");
    // At home it was answered, and went another way.
    let document = home.opcode(&["export", &id]).ended(0).out;
    let said = other.feed(&["import", "-"], &document).ended(2);
    assert!(said.err.contains("CONFLICT") && said.err.contains("from event"), "{said:?}");
    assert_eq!(other.status(&id), status);
}

#[test]
fn a_template_that_is_another_there_stays_and_is_named() {
    let (_, id, document) = exported();
    let other = Home::new();
    other.opcode(&["define", &other.file("asks.json", ASKS), "--name", "child"]).ended(0);
    let said = other.feed(&["import", "-"], &document).ended(0);
    assert!(said.err.contains("`child` has another `v1` here"), "{said:?}");
    assert_eq!(other.status(&id)["status"], "completed");
    other.opcode(&["run", "child"]).ended(3);
    other.opcode(&["verify"]).ended(0);
}

#[test]
fn only_what_is_there_is_exported() {
    let home = Home::new();
    home.opcode(&["run", &home.file("child.json", CHILD)]).ended(0);
    let said = home.opcode(&["export", "00000000-0000-7000-8000-000000000001", "-o", "no.jsonl"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(!home.path("no.jsonl").exists());
    home.opcode(&["import", "nothing.jsonl"]).ended(2);
}

#[test]
fn a_document_that_is_too_large_is_refused() {
    let home = Home::new();
    // A file of nothing but its length.
    let file = fs::File::create(home.path("huge.jsonl")).unwrap();
    file.set_len(EXPORT_BYTES_MAX as u64 + 1).unwrap();
    let refused = home.opcode(&["import", "huge.jsonl"]).ended(2).err;
    assert!(refused.contains("LIMIT_EXCEEDED") && refused.contains("268435456"), "{refused}");
    assert!(!home.db().exists());
}
