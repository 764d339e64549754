//! What each agent may use, at every door.
//!
//! Keeps: a refusal says which quota, what is used and what may be; nothing began.
//! Not here: how it is counted (`opcode-runtime`).

use serde_json::json;

use crate::kit::{ASKS, Home, PURE};
use crate::server::Server;

impl Home {
    /// Settings with these quotas.
    fn quotas(&self, quotas: &serde_json::Value) {
        std::fs::create_dir_all(self.path("home")).unwrap();
        self.file("home/settings.json", &json!({"quotas": quotas}).to_string());
    }
}

#[test]
fn an_agent_has_so_many_open_and_a_child_is_none_of_them() {
    let home = Home::new();
    home.quotas(&json!({"open_runs": 1, "agents": {"ann": {"open_runs": 2}}}));
    let server = Server::start(&home);
    let asks: serde_json::Value = serde_json::from_str(ASKS).unwrap();
    let start = |agent: &str| {
        let wish = json!({"definition": asks, "agent_id": agent, "wait": "30s"});
        server.post("/api/v1/workflows", &wish)
    };
    let first = start("bob").is(202).json();
    let refused = start("bob").is(429).json();
    assert_eq!(refused["error"]["code"], "QUOTA_EXCEEDED", "{refused}");
    assert_eq!(
        refused["error"]["message"],
        "agent `bob` has 1 workflows open; its quota `open_runs` is 1"
    );
    assert_eq!(
        refused["error"]["details"],
        json!({"quota": "open_runs", "used": 1, "limit": 1}),
        "{refused}"
    );
    assert!(refused["error"]["hint"].as_str().unwrap().contains("quotas"), "{refused}");
    start("ann").is(202);
    start("ann").is(202);
    start("ann").is(429);
    // The command line asks the server, and those who give no agent are one.
    let asks = home.file("asks.json", ASKS);
    home.opcode(&["run", &asks]).ended(3);
    let said = home.opcode(&["run", &asks]).ended(2);
    let who = "whoever gives no agent has 1 workflows open";
    assert!(said.err.contains(who), "{said:?}");
    let all = home.opcode(&["query", "workflows", "--json"]).ended(0).json();
    assert_eq!(all["workflows"].as_array().unwrap().len(), 4, "what was refused did not begin");
    // Once it is over there is room, and what is refused for its inputs takes none.
    let id = first["workflow_id"].as_str().unwrap();
    let answer = json!({"signal_type": "decision", "step_id": "ask",
        "payload": {"choice": "yes"}, "wait": "30s"});
    server.post(&format!("/api/v1/workflows/{id}/signals"), &answer).is(200);
    let strict = json!({"steps": [{"id": "a", "action": "workflow.log", "params": {"message": "m"}}],
        "input_schema": {"type": "object", "required": ["who"]}});
    let wish = json!({"definition": strict, "agent_id": "bob", "wait": "30s"});
    server.post("/api/v1/workflows", &wish).is(400);
    start("bob").is(202);
    drop(server.stop());

    // A restart counts what is open.
    let server = Server::start(&home);
    let wish = json!({"definition": strict, "agent_id": "bob", "params": {"who": "x"}});
    server.post("/api/v1/workflows", &wish).is(429);
    server.kill();
}

#[test]
fn a_child_is_part_of_its_parent() {
    let home = Home::new();
    home.quotas(&json!({"open_runs": 1, "starts_per_minute": 1}));
    let pure = home.file("pure.json", PURE);
    home.opcode(&["define", &pure, "--name", "child"]).ended(0);
    let parent = r#"{"steps":[{"id":"p","type":"parallel","config":{"branches":[
      [{"id":"a","action":"workflow.run","params":{"template_name":"child"}}],
      [{"id":"b","action":"workflow.run","params":{"template_name":"child"}}]]}}]}"#;
    home.opcode(&["run", &home.file("parent.json", parent)]).ended(0);
    // Each process counts what was started before it.
    let said = home.opcode(&["run", &pure]).ended(2);
    assert!(said.err.contains("has 1 workflows started within a minute"), "{said:?}");
    home.opcode(&["run", &pure, "--agent", "ann"]).ended(0);
}

#[test]
fn one_key_is_one_start() {
    let home = Home::new();
    home.quotas(&json!({"starts_per_minute": 1}));
    let server = Server::start(&home);
    let pure: serde_json::Value = serde_json::from_str(PURE).unwrap();
    let wish = |key: &str| {
        let wish = json!({"definition": pure, "agent_id": "bob", "wait": "30s"});
        server
            .send(&crate::http::Ask::post("/api/v1/workflows", &wish).with("Idempotency-Key", key))
    };
    let first = wish("k").is(200).json();
    assert_eq!(wish("k").is(200).json()["workflow_id"], first["workflow_id"]);
    let refused = wish("l").is(429).json();
    let after = refused["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=60_000).contains(&after), "{refused}");
    server.kill();
}

#[test]
fn stored_bytes_are_those_of_histories() {
    let home = Home::new();
    home.quotas(&json!({"stored_bytes": 5_000}));
    let data = "x".repeat(4_000);
    let large = PURE.replace(r#""text":"a""#, &format!(r#""text":"{data}""#));
    let large = home.file("large.json", &large);
    home.opcode(&["run", &large]).ended(0);
    let said = home.opcode(&["run", &large]).ended(2);
    assert!(said.err.contains("its quota `stored_bytes` is 5000"), "{said:?}");
    home.opcode(&["vacuum", "--keep", "0"]).ended(0);
    home.opcode(&["run", &large]).ended(0);
}

#[test]
fn a_wrong_quota_is_told_at_its_place() {
    let home = Home::new();
    home.quotas(&json!({"agents": {"ann": {"open": 1}}}));
    let said = home.opcode(&["run", &home.file("pure.json", PURE)]).ended(2);
    assert!(said.err.contains("there is no such quota"), "{said:?}");
    assert!(said.err.contains("open_runs, starts_per_minute and stored_bytes"), "{said:?}");
}
