//! Workflows carried from one served store to another.
//!
//! Keeps: the server does what reads and changes its store; no document tells a secret.
//! Not here: what is refused of a document (`tests/it`).

use std::fs;

use serde_json::json;

use crate::http::Ask;
use crate::kit::{Home, PURE};
use crate::server::Server;
use crate::tokens::token;

fn import(document: &str) -> Ask {
    Ask::new("POST", "/api/v1/import", document).with("Content-Type", "application/x-ndjson")
}

#[test]
fn a_workflow_goes_from_server_to_server() {
    let (home, other) = (Home::new(), Home::new());
    let (server, target) = (Server::start(&home), Server::start(&other));
    let run = home.opcode(&["run", &home.file("pure.json", PURE), "--json"]).ended(0).json();
    let id = run["workflow_id"].as_str().unwrap();
    let reply = server.get(&format!("/api/v1/workflows/{id}/export")).is(200);
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    home.opcode(&["export", id, "-o", "out.jsonl"]).ended(0);
    let (asked, document) = (reply.body, fs::read_to_string(home.path("out.jsonl")).unwrap());
    assert_eq!(asked.lines().count(), document.lines().count());
    let said = other.feed(&["import", "-", "--json"], &document).ended(0).json();
    assert_eq!(said["workflows"], 1, "{said}");
    let said = target.send(&import(&asked)).is(200).json();
    assert_eq!((&said["workflows"], &said["known"]), (&0.into(), &1.into()), "{said}");
    let path = format!("/api/v1/workflows/{id}");
    assert_eq!(
        server.get(&path).is(200).json()["output"],
        target.get(&path).is(200).json()["output"]
    );
    let path = format!("{path}/events");
    assert_eq!(server.get(&path).is(200).json(), target.get(&path).is(200).json());
    assert!(other.opcode(&["audit"]).ended(0).out.contains("workflow.import"));

    let bent = document.replacen("workflow_started", "workflow_stirred", 1);
    target.send(&import(&bent)).is(400);
    let said = other.feed(&["import", "-"], &bent).ended(2);
    assert!(said.err.contains("of the export cannot be taken"), "{said:?}");
    server.get("/api/v1/workflows/00000000-0000-7000-8000-000000000001/export").is(404);
    server.stop().ended(0);
    target.stop().ended(0);
    other.opcode(&["verify"]).ended(0);
}

#[test]
fn operators_export_and_administrators_import() {
    let home = Home::new();
    let run = home.opcode(&["run", &home.file("pure.json", PURE), "--json"]).ended(0).json();
    let path = format!("/api/v1/workflows/{}/export", run["workflow_id"].as_str().unwrap());
    let server = Server::start(&home);
    let document = server.get(&path).is(200).body;
    for (role, exports, imports) in
        [("viewer", 403, 403), ("agent", 403, 403), ("operator", 200, 403), ("admin", 200, 200)]
    {
        let bearer = format!("Bearer {}", token(&home, role, &["--role", role]));
        let send = |ask: Ask| server.send(&ask.with("Authorization", &bearer));
        send(Ask::get(&path)).is(exports);
        send(import(&document)).is(imports);
    }
    server.stop().ended(0);
}

#[test]
fn no_document_tells_a_secret() {
    const CANARY: &str = "CANARY-4e1b-of-an-export";
    let mut home = Home::new();
    home.env = vec![("OPCODE_VAULT_KEY".to_owned(), "open sesame".to_owned())];
    home.feed(&["secrets", "set", "CANARY"], &format!("{CANARY}\n")).ended(0);
    let definition = json!({"steps": [{"id": "say", "type": "action", "action": "shell.exec", "params":
        {"command": "sh", "args": ["-c", "echo $K"], "env": {"K": "${{secrets.CANARY}}"}}}]});
    let file = home.file("secret.json", &definition.to_string());
    let run = home.opcode(&["run", &file, "--json"]).ended(0).json();
    let document = home.opcode(&["export", run["workflow_id"].as_str().unwrap()]).ended(0).out;
    assert!(document.contains("secrets.CANARY"), "the slot is there: {document}");
    assert!(!document.contains(CANARY), "{document}");
    let other = Home::new();
    other.feed(&["import", "-"], &document).ended(0);
    other.opcode(&["verify"]).ended(0);
}
