//! `opcode signal`: every kind, at the top and below it.
//!
//! Keeps: after a signal the workflow goes on until it is over or waits again.
//! Not here: signals that are refused (`refused.rs`).

use serde_json::{Value as Json, json};

use crate::kit::{ASKS, Home};

/// Runs until it waits; answers its id.
fn waits(home: &Home, name: &str, definition: &str) -> String {
    let said = home.opcode(&["run", &home.file(name, definition), "--json"]).ended(3);
    said.json()["workflow_id"].as_str().unwrap().to_owned()
}

#[test]
fn the_command_shown_answers_the_decision() {
    let home = Home::new();
    let said = home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    assert!(said.out.contains("ask asks: Ship it?\n  yes  now\n  no\n"), "{said:?}");
    let shown = said.out.lines().find(|line| line.ends_with("decision ask yes")).unwrap();
    let words: Vec<&str> = shown.split_whitespace().skip(1).collect();
    let said = home.opcode(&[&words[..], &["--reasoning", "tested", "--json"]].concat()).ended(0);
    let result = said.json();
    assert_eq!(result["status"], "completed");
    assert_eq!(result["steps"]["ask"]["output"]["choice"], "yes");
    assert_eq!(result["steps"]["ask"]["output"]["reasoning"], "tested");
    let again = home.opcode(&words).ended(0);
    assert!(again.out.starts_with("completed"), "the same answer again changes nothing: {again:?}");
    let id = words[1];
    home.opcode(&["signal", id, "decision", "ask", "no"]).ended(2);
}

#[test]
fn a_nested_decision_is_answered_by_its_full_path() {
    let home = Home::new();
    let nested = json!({"steps": [{"id": "each", "type": "loop", "config": {
        "over": "[1, 2]", "body": [{"id": "ok", "type": "reasoning",
            "config": {"prompt_context": "Item ${{iter.item}}?", "options": [{"id": "y"}]}}]}}]});
    let id = waits(&home, "n.json", &nested.to_string());
    let asked = |home: &Home| {
        let all = home.opcode(&["query", "decisions", "--json"]).ended(0).json();
        all["decisions"][0].clone()
    };
    let first = asked(&home);
    assert_eq!(first["step_id"], "each.iter_0.ok");
    assert_eq!(first["context"]["prompt_context"], "Item 1?");
    home.opcode(&["signal", &id, "decision", "each.iter_0.ok", "y"]).ended(3);
    assert_eq!(asked(&home)["step_id"], "each.iter_1.ok");
    let data = r#"{"n":1}"#;
    let said =
        home.opcode(&["signal", &id, "decision", "each.iter_1.ok", "y", "--data", data, "--json"]);
    assert_eq!(said.ended(0).json()["steps"]["each.iter_1.ok"]["output"]["data"], json!({"n": 1}));
}

#[test]
fn a_childs_decision_moves_its_parent() {
    let home = Home::new();
    home.opcode(&["define", &home.file("asks.json", ASKS), "--name", "child"]).ended(0);
    let parent = r#"{"steps":[{"id":"sub","type":"action","action":"workflow.run",
        "params":{"template_name":"child"}}]}"#;
    let said = home.opcode(&["run", &home.file("p.json", parent)]).ended(3);
    let shown = said.out.lines().find(|line| line.ends_with("decision ask yes")).unwrap();
    let words: Vec<&str> = shown.split_whitespace().skip(1).collect();
    let child = home.opcode(&[&words[..], &["--json"]].concat()).ended(0).json();
    assert_eq!(child["workflow_id"], words[1]);
    let all = home.opcode(&["query", "workflows", "--json"]).json();
    let statuses: Vec<&Json> =
        all["workflows"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["completed", "completed"], "{all}");
}

#[test]
fn children_that_ask_the_same_are_told_apart_by_the_step_that_opened_them() {
    let home = Home::new();
    home.opcode(&["define", &home.file("asks.json", ASKS), "--name", "child"]).ended(0);
    let parent = r#"{"steps":[{"id":"each","type":"loop","config":{"over":"[1,2]","concurrency":2,
        "body":[{"id":"sub","type":"action","action":"workflow.run",
          "params":{"template_name":"child"}}]}}]}"#;
    let id = waits(&home, "p.json", parent);
    let shown = home.opcode(&["status", &id]).ended(0).out;
    let status = home.status(&id);
    let decisions = status["pending_decisions"].as_array().unwrap();
    let mut steps: Vec<&str> = Vec::new();
    for decision in decisions {
        let (step, child) = (&decision["opened_by"], &decision["workflow_id"]);
        steps.push(step.as_str().unwrap());
        let (step, child) = (step.as_str().unwrap(), child.as_str().unwrap());
        assert!(shown.contains(&format!("ask (in {step}, workflow {child}) asks:")), "{shown}");
    }
    steps.sort_unstable();
    assert_eq!(steps, ["each.iter_0.sub", "each.iter_1.sub"]);
}

#[test]
fn data_goes_to_a_wait_by_name_or_step_also_before_it_comes() {
    let home = Home::new();
    let wait = r#"{"steps":[{"id":"w","type":"wait","config":{"signal":"go"}}]}"#;
    let id = waits(&home, "w.json", wait);
    let shown = home.opcode(&["status", &id]).ended(0);
    assert!(shown.out.contains(&format!("opcode signal {id} data --name go")), "{shown:?}");
    let said = home.opcode(&["signal", &id, "data", "--name", "go", "--payload", "[1]", "--json"]);
    assert_eq!(said.ended(0).json()["output"]["w"]["payload"], json!([1]));
    let id = waits(&home, "w.json", wait);
    home.opcode(&["signal", &id, "data", "--step", "w"]).ended(0);
    let early = r#"{"steps":[
        {"id":"q","type":"reasoning","config":{"prompt_context":"?"}},
        {"id":"w","type":"wait","depends_on":["q"],"config":{"signal":"go"}}]}"#;
    let id = waits(&home, "e.json", early);
    for _ in 0..2 {
        home.opcode(&["signal", &id, "data", "--name", "go", "--id", "once"]).ended(3);
    }
    home.opcode(&["signal", &id, "decision", "q", "whatever I say"]).ended(0);
    let events =
        home.opcode(&["query", "events", "--workflow", &id, "--type", "signal_received", "--json"]);
    assert_eq!(events.json()["events"].as_array().unwrap().len(), 2, "one by name, one answer");
}

#[test]
fn cancel_skip_and_retry_do_what_they_say() {
    let home = Home::new();
    let id = waits(&home, "a.json", ASKS);
    let said = home.opcode(&["signal", &id, "cancel", "--reason", "enough", "--json"]).ended(4);
    assert_eq!(said.json()["status"], "cancelled");
    let id = waits(&home, "a.json", ASKS);
    let said = home.opcode(&["signal", &id, "skip", "ask", "--json"]);
    assert_eq!(said.json()["steps"]["ask"]["status"], "skipped");
    let held = r#"{"timeout":"80ms","on_timeout":"suspend","steps":[
        {"id":"nap","type":"wait","config":{"duration":"130ms"}}]}"#;
    let id = waits(&home, "t.json", held);
    let status = home.opcode(&["status", &id]).ended(0);
    assert!(status.out.contains(&format!("opcode signal {id} retry")), "{status:?}");
    home.opcode(&["signal", &id, "retry"]).ended(0);
    let said = home.opcode(&["signal", &id, "retry"]).ended(2);
    assert!(said.err.contains("CONFLICT"), "{said:?}");
}

#[test]
fn a_targeted_decision_names_its_agent() {
    let home = Home::new();
    let asks = r#"{"steps":[{"id":"q","type":"reasoning","config":{"prompt_context":"?",
        "target_agent":"boss","options":[{"id":"y"}]}}]}"#;
    let said = home.opcode(&["run", &home.file("q.json", asks)]).ended(3);
    let shown = said.out.lines().find(|line| line.contains("decision q y")).unwrap();
    assert!(shown.ends_with("--agent boss"), "{said:?}");
    let words: Vec<&str> = shown.split_whitespace().skip(1).collect();
    home.opcode(&words[..words.len() - 2]).ended(2);
    home.opcode(&words).ended(0);
}
