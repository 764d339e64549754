//! The audit log: every deed and every refusal, by whom and through which door; and that nobody can change it unseen.
//!
//! Keeps: entries are read by the product; the database is changed behind its back.
//! Not here: who may do what (`tokens.rs`, `gate.rs`).

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{ASKS, Home, until};
use crate::mcp::Client;
use crate::server::Server;

fn entries(home: &Home) -> Vec<Json> {
    let said = home.opcode(&["audit", "--limit", "1000", "--json"]).ended(0).json();
    said["entries"].as_array().unwrap().clone()
}

/// Who did what through which door, oldest first.
fn deeds(home: &Home) -> Vec<String> {
    let of = |entry: &Json| {
        let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
        let result = entry["result"]["code"].as_str().map_or("ok".to_owned(), str::to_owned);
        format!("{} {} {} {} {result}", text("by"), text("face"), text("agent_id"), text("action"))
    };
    entries(home).iter().rev().map(of).collect()
}

#[test]
fn every_deed_is_written_with_who_did_it() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    client.define("gate", ASKS);
    let run = client.good("opcode.run", json!({"template_name": "gate", "agent_id": "ann"}));
    let id = run["workflow_id"].as_str().unwrap();
    let signal = json!({"workflow_id": id, "signal_type": "decision", "step_id": "ask",
        "payload": {"choice": "yes"}, "agent_id": "ben"});
    client.good("opcode.signal", signal);
    let late = json!({"workflow_id": id, "signal_type": "skip", "step_id": "ask",
        "payload": {}, "agent_id": "ben"});
    assert_eq!(client.tool("opcode.signal", late)["isError"], true);
    let body = json!({"template_name": "gate", "agent_id": "cid"});
    let other = server.post("/api/v1/workflows", &body).is(202).json();
    let token =
        server.post("/api/v1/tokens", &json!({"name": "v", "role": "viewer"})).is(201).json();
    let path = format!("/api/v1/tokens/{}", token["id"].as_str().unwrap());
    server.send(&Ask::new("DELETE", &path, "")).is(200);
    server.kill();
    let other = other["workflow_id"].as_str().unwrap();
    home.opcode(&["signal", other, "cancel"]).ended(4);
    let wanted = [
        "local mcp a template.define ok",
        "local mcp ann workflow.run ok",
        "local mcp ben workflow.decision ok",
        "local mcp ben workflow.skip CONFLICT",
        "local http cid workflow.run ok",
        "local http - token.create ok",
        "local http - token.revoke ok",
        "local cli - workflow.cancel ok",
    ];
    assert_eq!(deeds(&home), wanted);
    let all = entries(&home);
    assert_eq!(all[0]["resource_id"], other, "{all:?}");
    assert_eq!(all[all.len() - 1]["resource_id"], "gate@v1", "{all:?}");
    let text = home.opcode(&["audit"]).ended(0);
    assert!(text.out.contains("workflow.decision") && text.out.contains("ben"), "{text:?}");
    let db = Connection::open(home.db()).unwrap();
    let sql = "SELECT agent_id, action, resource_type FROM audit_log ORDER BY id LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let first: (String, String, String) = db.query_row(sql, [], row).unwrap();
    assert_eq!(first, ("a".into(), "template.define".into(), "template".into()));
}

#[test]
fn refusals_are_written_and_a_flood_of_them_is_counted() {
    let home = Home::new();
    let server = Server::start(&home);
    let viewer =
        server.post("/api/v1/tokens", &json!({"name": "v", "role": "viewer"})).is(201).json();
    let secret = viewer["token"].as_str().unwrap();
    let mut client = Client::modern(&server);
    client.token = Some(secret.to_owned());
    let refused = client.tool("opcode.run", json!({"template_name": "x", "agent_id": "a"}));
    assert!(refused.to_string().contains("PERMISSION_DENIED"), "{refused}");
    client.capabilities = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let id = "00000000-0000-0000-0000-000000000000";
    let (_, answer) = client.reply("tasks/cancel", json!({"taskId": id}));
    assert!(answer["error"]["message"].as_str().unwrap().contains("role"), "{answer}");
    let bearer = format!("Bearer {secret}");
    let post = Ask::post("/api/v1/workflows", &json!({"template_name": "x"}));
    server.send(&post.clone().with("Authorization", &bearer)).is(403);
    server.send(&post.with("Authorization", "Bearer opc_wrong_token")).is(401);
    let by = format!("v ({})", viewer["id"].as_str().unwrap());
    let wanted = [
        "local http - token.create ok".to_owned(),
        format!("{by} mcp - opcode.run PERMISSION_DENIED"),
        format!("{by} mcp - tasks/cancel PERMISSION_DENIED"),
        format!("{by} http - http.request PERMISSION_DENIED"),
        "nobody http - gate PERMISSION_DENIED".to_owned(),
    ];
    until("all are written", || (deeds(&home) == wanted).then_some(()));
    assert!(!entries(&home).iter().any(|entry| entry.to_string().contains(secret)));
    let stranger = Ask::get("/api/v1/whoami").with("Host", "evil.example");
    let begun = std::time::Instant::now();
    (0..200).for_each(|_| drop(server.send(&stranger).is(403)));
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 2;
    let written = entries(&home).len();
    assert!(written <= 4 + 20 * seconds, "{written} of 200 in {seconds} s");
    until("what was left out is counted", || {
        server.send(&stranger).is(403);
        entries(&home).iter().any(|entry| entry["left_out"].as_u64() > Some(0)).then_some(())
    });
    let denied = Ask::get("/api/v1/audit").with("Authorization", &bearer);
    server.send(&denied).is(403);
    assert!(!server.get("/api/v1/audit").is(200).json()["entries"].as_array().unwrap().is_empty());
}

#[test]
fn nobody_changes_it_unseen() {
    let home = Home::new();
    for name in ["a", "b", "c", "d"] {
        home.opcode(&["tokens", "create", name, "--role", "viewer"]).ended(0);
    }
    let whole = home.opcode(&["audit", "--verify", "--json"]).ended(0).json();
    assert_eq!(whole, json!({"entries": 4, "ok": true, "wrong": null}));
    let original = std::fs::read(home.db()).unwrap();
    for (change, found) in [
        (
            "UPDATE audits SET body = replace(body, 'local', 'other') WHERE id = 2",
            "entry 2 was changed",
        ),
        ("UPDATE audits SET at = at + 1 WHERE id = 1", "entry 1 was changed"),
        ("DELETE FROM audits WHERE id = 3", "entry 3 is gone"),
        ("DELETE FROM audits WHERE id = 4", "it ends at entry 3"),
        ("DELETE FROM audits", "it ends at entry 0"),
    ] {
        std::fs::write(home.db(), &original).unwrap();
        let db = Connection::open(home.db()).unwrap();
        db.execute(change, []).unwrap();
        drop(db);
        let said = home.opcode(&["audit", "--verify"]).ended(70);
        assert!(said.out.contains(found), "{change}: {said:?}");
        let said = home.opcode(&["verify"]).ended(70);
        assert!(said.out.contains("the audit log"), "{change}: {said:?}");
    }
}
