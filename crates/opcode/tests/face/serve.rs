//! The life of a server: where it listens, that others find it, how it ends.
//!
//! Keeps: a server that cannot serve changes nothing.
//! Not here: what it answers.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::Home;
use crate::mcp::Client;
use crate::server::Server;

#[test]
fn it_says_where_it_is_and_takes_the_sign_down() {
    let home = Home::new();
    let server = Server::with(&home, &["--listen-addr", ":0"]);
    let sign = home.path("home/opcode.db.serve.json");
    let text: Json = serde_json::from_str(&fs::read_to_string(&sign).unwrap()).unwrap();
    assert_eq!(text, json!({"pid": server.said["pid"], "address": server.said["address"]}));
    assert_eq!(fs::metadata(&sign).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(server.said["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    for path in ["/healthz", "/readyz", "/health"] {
        server.get(path).is(200);
    }
    let said = server.stop().ended(0);
    assert!(said.err.contains("a port alone means this machine alone"), "{said:?}");
    assert!(!sign.exists());
}

#[test]
fn a_second_server_is_refused_and_changes_nothing() {
    let home = Home::new();
    let server = Server::start(&home);
    let sign = fs::read(home.path("home/opcode.db.serve.json")).unwrap();
    let second = home.opcode(&["serve", "--listen-addr", "127.0.0.1:0"]).ended(2);
    assert!(second.out.is_empty() && second.err.contains("in use by process"), "{second:?}");
    assert_eq!(fs::read(home.path("home/opcode.db.serve.json")).unwrap(), sign);
    let other = Home::new();
    let address = server.address.to_string();
    let second = other.opcode(&["serve", "--listen-addr", &address]).ended(2);
    assert!(second.err.contains(&format!("{address} is in use")), "{second:?}");
    assert!(!other.db().exists(), "nothing is made where nothing is served");
    server.get("/readyz").is(200);
}

#[test]
fn told_to_end_it_lets_what_runs_end() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let id = client.hold(&home);
    let stream = Ask::get("/sse").open(server.address);
    home.go();
    server.stop().ended(0);
    drop(stream);
    let status = home.status(&id);
    assert_eq!(status["steps"]["hold"]["status"], "completed", "{status}");
}

#[test]
fn a_sign_left_behind_by_the_dead_misleads_nobody() {
    let home = Home::new();
    Server::start(&home).kill();
    assert!(home.path("home/opcode.db.serve.json").exists());
    home.opcode(&["tokens", "create", "ann", "--role", "agent"]).ended(0);
    let server = Server::start(&home);
    assert_eq!(server.get("/api/v1/tokens").is(200).json()["tokens"].as_array().unwrap().len(), 1);
}

#[test]
fn addresses_that_cannot_be_are_usage() {
    let home = Home::new();
    for args in [
        &["serve", "--listen-addr", "example.com:80"][..],
        &["serve", "--listen-addr", "127.0.0.1:99999"],
        &["serve", "--tool-names", "camel"],
        &["mcp-config", "--client", "notepad"],
    ] {
        home.opcode(args).ended(2);
    }
    assert!(!home.path("home").exists());
}

#[test]
fn every_client_is_told_how_to_connect() {
    let home = Home::new();
    let told = |client: &str| home.opcode(&["mcp-config", "--client", client]).ended(0).out;
    let json = |client: &str| -> Json { serde_json::from_str(&told(client)).unwrap() };
    let mcp = "http://127.0.0.1:4100/mcp";
    assert_eq!(json("claude-code")["mcpServers"]["opcode"], json!({"type": "http", "url": mcp}));
    let desktop = json("claude-desktop");
    let words = &desktop["mcpServers"]["opcode"]["args"];
    assert_eq!(*words, json!(["mcp", "--tool-names", "underscore"]));
    assert!(json("cursor").to_string().contains("?names=underscore"));
    assert_eq!(json("vscode")["servers"]["opcode"]["type"], "http");
    assert!(told("codex").contains(&format!("url = \"{mcp}\"")));
    assert_eq!(json("gemini")["mcpServers"]["opcode"]["httpUrl"], mcp);
    assert_eq!(json("mcporter")["mcpServers"]["opcode"]["url"], mcp);
    let server = Server::start(&home);
    assert!(told("vscode").contains(&format!("http://{}/mcp", server.address)));
}

#[test]
fn what_goes_wrong_is_told_though_nothing_is_logged() {
    let home = Home::new();
    let server = Server::start(&home);
    let address = server.address.to_string();
    let other = Home::new();
    let said = other.opcode(&["serve", "--log-level", "off", "--listen-addr", &address]).ended(2);
    let told: Json = serde_json::from_str(&said.err).unwrap();
    assert_eq!(told["level"], "ERROR", "{told}");
    assert!(told["message"].as_str().unwrap().contains("is in use"), "{told}");
    assert!(told["hint"].as_str().unwrap().contains("--listen-addr"), "{told}");
}
