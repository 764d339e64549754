//! What a token lets somebody do, over MCP and over HTTP.
//!
//! Keeps: identity comes from the token and from nothing else.
//! Not here: requests without one (`gate.rs`).

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::http::{Ask, Reply};
use crate::kit::{ASKS, Home, PURE};
use crate::mcp::Client;
use crate::server::Server;

pub(crate) fn token(home: &Home, name: &str, more: &[&str]) -> String {
    let args = [&["tokens", "create", name], more].concat();
    home.opcode(&args).ended(0).out.trim().to_owned()
}

fn client(server: &Server, token: &str) -> Client {
    let mut client = Client::modern(server);
    client.token = Some(token.to_owned());
    client
}

fn post(server: &Server, token: &str, path: &str, body: &Json) -> Reply {
    server.send(&Ask::post(path, body).with("Authorization", &format!("Bearer {token}")))
}

fn definition(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_token_with_an_agent_is_that_agent_and_no_other() {
    let home = Home::new();
    let server = Server::start(&home);
    let ann = token(&home, "ann's", &["--role", "agent", "--agent", "ann"]);
    let ann_client = client(&server, &ann);
    let mut arguments = json!({"name": "gate", "agent_id": "bob", "definition": definition(ASKS)});
    let refused = ann_client.tool("opcode.define", arguments.clone());
    assert_eq!(refused["structuredContent"]["error"]["code"], "PERMISSION_DENIED", "{refused}");
    let body = json!({"name": "gate", "agent_id": "bob", "definition": definition(ASKS)});
    post(&server, &ann, "/api/v1/templates", &body).is(403);
    arguments["agent_id"] = "ann".into();
    ann_client.good("opcode.define", arguments);
    let run = json!({"template_name": "gate", "agent_id": "bob"});
    assert_eq!(ann_client.tool("opcode.run", run.clone())["isError"], true);
    post(&server, &ann, "/api/v1/workflows", &run).is(403);
    let run = post(&server, &ann, "/api/v1/workflows", &json!({"template_name": "gate"}));
    let id = run.json()["workflow_id"].as_str().unwrap().to_owned();
    let seen = server.get("/api/v1/workflows").json();
    assert_eq!(seen["workflows"][0]["agent_id"], "ann", "{seen}");
    let signal =
        json!({"workflow_id": id, "signal_type": "cancel", "payload": {}, "agent_id": "bob"});
    assert_eq!(ann_client.tool("opcode.signal", signal)["isError"], true);
}

#[test]
fn a_role_is_all_that_a_token_may_do() {
    let home = Home::new();
    let server = Server::start(&home);
    let viewer = token(&home, "looks", &["--role", "viewer"]);
    let agent = token(&home, "works", &["--role", "agent"]);
    let operator = token(&home, "watches", &["--role", "operator"]);
    let admin = token(&home, "rules", &["--role", "admin"]);
    let body = json!({"name": "pure", "definition": definition(PURE)});
    post(&server, &viewer, "/api/v1/templates", &body).is(403);
    let looks = client(&server, &viewer);
    let arguments = json!({"name": "pure", "agent_id": "a", "definition": definition(PURE)});
    assert_eq!(looks.tool("opcode.define", arguments)["isError"], true);
    looks.good("opcode.query", json!({"resource": "templates"}));
    post(&server, &agent, "/api/v1/templates", &body).is(201);
    let run = post(&server, &agent, "/api/v1/workflows", &json!({"template_name": "pure"}));
    let id = run.json()["workflow_id"].as_str().unwrap().to_owned();
    let cancel = json!({"signal_type": "cancel"});
    post(&server, &viewer, &format!("/api/v1/workflows/{id}/signals"), &cancel).is(403);
    let wish = json!({"name": "more", "role": "admin"});
    for token in [&viewer, &agent, &operator] {
        post(&server, token, "/api/v1/tokens", &wish).is(403);
        let list = Ask::get("/api/v1/tokens").with("Authorization", &format!("Bearer {token}"));
        server.send(&list).is(403);
    }
    let made = post(&server, &admin, "/api/v1/tokens", &wish).is(201).json();
    assert!(made["token"].as_str().unwrap().starts_with("opc_"));
}

#[test]
fn a_token_that_is_taken_back_or_over_lets_nobody_in() {
    let home = Home::new();
    let server = Server::start(&home);
    let ann = token(&home, "ann", &["--role", "agent"]);
    let list = home.opcode(&["tokens", "list", "--json"]).ended(0);
    let secret = ann.rsplit('_').next().unwrap();
    assert!(!list.out.contains(secret) && !list.out.contains("hash"), "{list:?}");
    let id = list.json()["tokens"][0]["id"].as_str().unwrap().to_owned();
    let whoami = Ask::get("/api/v1/whoami").with("Authorization", &format!("Bearer {ann}"));
    server.send(&whoami).is(200);
    home.opcode(&["tokens", "revoke", &id]).ended(0);
    server.send(&whoami).is(401);
    home.opcode(&["tokens", "revoke", &id]).ended(2);
    let over = token(&home, "over", &["--role", "agent", "--expires", "1ms"]);
    let whoami = Ask::get("/api/v1/whoami").with("Authorization", &format!("Bearer {over}"));
    server.send(&whoami).is(401);
    let bytes = crate::kit::bytes_of(&home.path("home"));
    let is_kept = |bytes: &[u8]| bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
    assert!(!bytes.iter().any(|(_, bytes)| is_kept(bytes)), "only its hash is kept");
    server.stop().ended(0);
    home.opcode(&["tokens", "create", "later", "--role", "agent"]).ended(0);
    home.opcode(&["tokens", "create", "odd", "--role", "king"]).ended(2);
}

#[test]
fn a_file_has_the_first_token() {
    let home = Home::new();
    let secret = "0123456789abcdef0123456789abcdef";
    home.file("token", &format!("{secret}\n"));
    home.file("short", "secret");
    let serve = |file: &str, listen: &str| {
        let mut command = home.command(&["serve", "--json", "--listen-addr", listen]);
        command.env("OPCODE_TOKEN_FILE", home.path(file));
        command
    };
    let said = serve("short", "127.0.0.1:0").output().unwrap();
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    let said = serve("missing", "127.0.0.1:0").output().unwrap();
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    let mut command = serve("token", "127.0.0.1:0");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Json = serde_json::from_str(&line).unwrap();
    let address = said["address"].as_str().unwrap().parse().unwrap();
    let whoami = Ask::get("/api/v1/whoami").with("Authorization", &format!("Bearer {secret}"));
    let who = whoami.send(address).is(200).json();
    assert_eq!(who["role"], "admin", "{who}");
    assert!(who["name"].as_str().unwrap().starts_with("first ("), "{who}");
    let wrong = Ask::get("/api/v1/whoami").with("Authorization", &format!("Bearer {secret}0"));
    wrong.send(address).is(401);
    child.kill().unwrap();
    child.wait().unwrap();
    let database = std::fs::read(home.db()).unwrap();
    let is_secret = |window: &[u8]| window == secret.as_bytes();
    assert!(!database.windows(secret.len()).any(is_secret), "only its hash is kept");
}

#[test]
fn who_only_looks_takes_no_message_from_an_agent() {
    let home = Home::new();
    let viewer = token(&home, "v", &["--role", "viewer"]);
    let agent = token(&home, "a", &["--role", "agent", "--agent", "late"]);
    let server = Server::start(&home);
    let step =
        json!({"id": "tell", "action": "workflow.notify", "params": {"message": "for late"}});
    let body = json!({"definition": {"steps": [step]}, "agent_id": "late"});
    server.post("/api/v1/workflows", &body).is(200);
    let session = |text: &str| {
        let mut client = Client::modern(&server);
        client.token = Some(text.to_owned());
        client.open("2025-06-18");
        client
    };
    let told = |client: &Client, name: &str| {
        let arguments =
            json!({"resource": "templates", "agent_id": "late", "name": "x", "definition": {}});
        let message = client.message("tools/call", json!({"name": name, "arguments": arguments}));
        let stream = client.listen(server.address);
        client.ask(&message).send(server.address).is(200);
        stream
    };
    // Neither a tool that names no agent, nor one that the viewer may not call.
    let curious = session(&viewer);
    let streams = [told(&curious, "opcode.query"), told(&curious, "opcode.define")];
    let mut stream = told(&session(&agent), "opcode.define");
    let message =
        std::iter::from_fn(|| stream.event()).find(|event| event.data.contains("for late"));
    assert!(message.is_some());
    drop(streams);
}
