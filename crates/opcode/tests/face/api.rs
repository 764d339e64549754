//! The HTTP API from outside, its stream of events, and the figures.
//!
//! Keeps: one shape of refusal everywhere.
//! Not here: who gets in (`gate.rs`, `tokens.rs`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::http::{Answer, Ask};
use crate::kit::{ASKS, Home};
use crate::server::Server;

fn define(server: &Server) {
    let definition: Json = serde_json::from_str(ASKS).unwrap();
    let body = json!({"name": "gate", "definition": definition, "agent_id": "ann"});
    assert_eq!(server.post("/api/v1/templates", &body).is(201).json()["version"], "v1");
}

/// Sequences and types of a stream's next events.
fn next(stream: &mut Answer, count: usize) -> Vec<(u64, String)> {
    let events = (0..count).map(|_| stream.event().unwrap());
    events.map(|event| (event.id.parse().unwrap(), event.name)).collect()
}

#[test]
fn what_tools_can_do_programs_can_do() {
    let home = Home::new();
    let server = Server::start(&home);
    let wrong =
        json!({"name": "gate", "definition": {"steps": [{"id": "a", "action": "crypto.hsah"}]}});
    let refused = server.post("/api/v1/templates", &wrong).is(400).json();
    assert!(refused["problems"][0]["fix"].is_array(), "{refused}");
    assert!(refused["error"]["pointer"].as_str().unwrap().starts_with("/steps/0"), "{refused}");
    define(&server);
    let wish = json!({"template_name": "gate", "agent_id": "ann", "wait": "30s"});
    let again = Ask::post("/api/v1/workflows", &wish).with("Idempotency-Key", "k");
    let run = server.send(&again).is(202).json();
    assert_eq!(run["status"], "suspended", "{run}");
    assert_eq!(server.send(&again).json()["workflow_id"], run["workflow_id"]);
    let id = run["workflow_id"].as_str().unwrap();
    let open = server.get("/api/v1/decisions").is(200).json();
    assert_eq!(open["decisions"][0]["workflow_id"], id);
    let signals = format!("/api/v1/workflows/{id}/signals");
    let mut answer = json!({"signal_type": "decision", "step_id": "ask",
        "payload": {"choice": "perhaps"}, "wait": "30s"});
    let refused = server.post(&signals, &answer).json();
    assert!(refused["error"]["code"].is_string() && refused["error"]["hint"].is_string());
    answer["payload"]["choice"] = "yes".into();
    assert_eq!(server.post(&signals, &answer).is(200).json()["status"], "completed");
    let status = server.get(&format!("/api/v1/workflows/{id}")).is(200).json();
    assert_eq!(status["steps"]["last"]["status"], "completed");
    let events = server.get(&format!("/api/v1/workflows/{id}/events?limit=2")).is(200).json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    let cursor = events["cursor"].as_str().unwrap();
    let rest = server.get(&format!("/api/v1/workflows/{id}/events?cursor={cursor}")).json();
    assert_eq!(rest["events"][0]["sequence"], 3, "{rest}");
    for (path, key) in [("agents", "agents"), ("actions", "actions"), ("events", "events")] {
        let list = server.get(&format!("/api/v1/{path}")).is(200).json();
        assert!(!list[key].as_array().unwrap().is_empty(), "{path}");
    }
    let lost = server.get("/api/v1/workflows/00000000-0000-0000-0000-000000000000").is(404).json();
    assert_eq!(lost["error"]["code"], "NOT_FOUND");
    server.get("/api/v1/workflows/nonsense").is(400);
    server.get("/api/v1/workflows?limit=many").is(400).json();
    server.send(&Ask::new("DELETE", "/api/v1/workflows", "")).is(405).json();
    server.post("/api/v1/workflows", &json!({"template": "gate"})).is(400).json();
    server.send(&Ask::post("/api/v1/workflows", &json!("x"))).is(400).json();
}

#[test]
fn a_stream_is_taken_up_where_it_was_left() {
    let home = Home::new();
    let server = Server::start(&home);
    define(&server);
    let wish = json!({"template_name": "gate", "wait": "30s"});
    let run = server.post("/api/v1/workflows", &wish).is(202).json();
    let id = run["workflow_id"].as_str().unwrap();
    let path = format!("/api/v1/workflows/{id}/stream");
    let mut stream = Ask::get(&path).open(server.address);
    let first = next(&mut stream, 3);
    assert_eq!(first[0], (1, "workflow_started".to_owned()));
    assert_eq!(first.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2, 3]);
    drop(stream);
    let mut stream = Ask::get(&path).with("Last-Event-ID", "3").open(server.address);
    assert_eq!(next(&mut stream, 1)[0].0, 4, "none is missed, none comes twice");
    let answer = json!({"signal_type": "decision", "step_id": "ask", "payload": {"choice": "yes"}});
    server.post(&format!("/api/v1/workflows/{id}/signals"), &answer).is(200);
    let mut last = String::new();
    while let Some(event) = stream.event() {
        last = event.name;
    }
    assert_eq!(last, "workflow_completed", "it ends with the workflow");
    let seen = Ask::get(&path).with("Last-Event-ID", "1000000").send(server.address);
    assert!(seen.is(200).body.trim().is_empty(), "whoever has seen all is not kept");
}

#[test]
fn figures_can_be_read_by_prometheus() {
    let home = Home::new();
    let server = Server::start(&home);
    define(&server);
    let definition =
        json!({"steps": [{"id": "a", "action": "shell.exec", "params": {"command": "true"}}]});
    let wish = json!({"definition": definition, "wait": "30s"});
    assert_eq!(server.post("/api/v1/workflows", &wish).is(200).json()["status"], "completed");
    server.post("/api/v1/workflows", &json!({"template_name": "gate", "wait": "30s"})).is(202);
    crate::kit::until("everything is counted", || {
        let text = server.get("/metrics").is(200).body;
        text.contains("opcode_workflows_started_total 2").then_some(())
    });
    let text = server.get("/metrics").body;
    let mut known = Vec::new();
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            let (name, kind) = about.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(!known.contains(&name), "{name} is described twice");
            known.push(name);
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().unwrap();
            assert!(known.iter().any(|it| name.starts_with(it)), "{line}");
            assert!(!series.contains('{') || series.ends_with("\"}"), "{line}");
        }
    }
    for row in [
        "opcode_workflows{status=\"suspended\"} 1",
        "opcode_workflows_ended_total{status=\"completed\"} 1",
        "opcode_decisions_open 1",
        "opcode_actions_waiting 0",
        "opcode_breakers{state=\"open\"} 0",
        "opcode_step_duration_seconds_count{action=\"shell.exec\",status=\"completed\"} 1",
        "opcode_step_duration_seconds_bucket{action=\"shell.exec\",status=\"completed\",le=\"+Inf\"} 1",
    ] {
        assert!(text.lines().any(|line| line == row), "{row} in\n{text}");
    }
}

#[test]
fn what_is_described_is_what_there_is() {
    let home = Home::new();
    let server = Server::start(&home);
    let described = server.get("/openapi.json").is(200).json();
    assert_eq!(described["openapi"], "3.1.0");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    let committed: Json = serde_json::from_str(&fs::read_to_string(committed).unwrap()).unwrap();
    assert_eq!(described, committed, "cargo xt gen");
    let id = "00000000-0000-0000-0000-000000000000";
    let mut names = BTreeSet::new();
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(names.insert(operation["operationId"].to_string()), "{operation}");
            let place = path.replace("{id}", id).replace("{name}", "x");
            let wish = Ask::new(&method.to_uppercase(), &place, "{}");
            let reply = wish.with("Content-Type", "application/json").open(server.address);
            assert!(![404, 405].contains(&reply.status) || path.contains('{'), "{method} {path}");
            assert!(reply.status < 500, "{method} {path}: {}", reply.status);
            if let Some(body) = operation.get("requestBody") {
                // A body of text has its form told elsewhere; one of JSON says all it takes.
                let content = body["content"].as_object().unwrap();
                let is_text = content.values().all(|it| it["schema"]["type"] == "string");
                let schema = &content.values().next().unwrap()["schema"];
                let is_told = schema["additionalProperties"] == false;
                assert!(is_text || is_told, "{method} {path}: {schema}");
            }
        }
    }
    assert!(names.len() >= 20, "{names:?}");
    let reply = server.get("/api/v1/workflows?statuss=failed").is(400).json();
    assert!(reply["error"]["message"].as_str().unwrap().contains("statuss"), "{reply}");
}

#[test]
fn a_stream_ends_with_its_workflow_however_long_that_was() {
    let home = Home::new();
    let server = Server::start(&home);
    for steps in 1..=10 {
        let step = |n: usize| json!({"id": format!("s{n}"), "action": "crypto.uuid"});
        let definition = json!({"steps": (0..steps).map(step).collect::<Vec<_>>()});
        let run =
            server.post("/api/v1/workflows", &json!({"definition": definition, "wait": "10s"}));
        let run = run.is(200).json();
        let path = format!("/api/v1/workflows/{}/stream", run["workflow_id"].as_str().unwrap());
        let mut stream = Ask::get(&path).open(server.address);
        let names: Vec<String> = std::iter::from_fn(|| stream.event()).map(|it| it.name).collect();
        assert_eq!(names.last().unwrap(), "workflow_completed", "{steps}: {names:?}");
        assert_eq!(names.len(), 2 * steps + 2, "{names:?}");
    }
}
