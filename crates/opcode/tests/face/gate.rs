//! Who gets in: pages of others, other names, other kinds of bodies, nobody in particular.
//!
//! Keeps: every route is knocked at; what is refused changes nothing.
//! Not here: what a token may do (`tokens.rs`).

use serde_json::json;

use crate::http::Ask;
use crate::kit::Home;
use crate::mcp::{Client, opening};
use crate::server::Server;

/// Every route there is, with a body that would do something.
fn knocks() -> Vec<Ask> {
    let id = "00000000-0000-0000-0000-000000000000";
    let definition =
        json!({"steps": [{"id": "a", "action": "shell.exec", "params": {"command": "id"}}]});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "opcode.define",
        "arguments": {"name": "evil", "agent_id": "e", "definition": definition}}});
    let mut all = vec![
        Ask::post("/mcp", &opening("2025-06-18")),
        Ask::post("/mcp", &call),
        Ask::post("/sse", &opening("2025-06-18")),
        Ask::post("/message?sessionId=x", &call),
        Ask::post("/api/v1/templates", &json!({"name": "evil", "definition": definition})),
        Ask::post("/api/v1/workflows", &json!({"definition": definition})),
        Ask::post(&format!("/api/v1/workflows/{id}/signals"), &json!({"signal_type": "cancel"})),
        Ask::post("/api/v1/tokens", &json!({"name": "evil", "role": "admin"})),
        Ask::new("DELETE", "/api/v1/tokens/x", ""),
        Ask::new("DELETE", "/mcp", ""),
        Ask::get("/mcp"),
        Ask::get("/sse"),
    ];
    for path in ["workflows", "templates", "events", "decisions", "agents", "actions", "tokens"] {
        all.push(Ask::get(&format!("/api/v1/{path}")));
    }
    for path in ["", "/events", "/stream"] {
        all.push(Ask::get(&format!("/api/v1/workflows/{id}{path}")));
    }
    for path in ["/api/v1/whoami", "/api/v1/templates/x", "/api/v1/health", "/metrics", "/other"] {
        all.push(Ask::get(path));
    }
    all
}

const HEALTH: [&str; 3] = ["/healthz", "/health", "/readyz"];

/// That no knock left a trace.
fn is_untouched(home: &Home, tokens: usize) {
    let left = |what: &str| home.opcode(&["query", what, "--json"]).ended(0).json()[what].clone();
    assert_eq!(left("templates"), json!([]));
    assert_eq!(left("workflows"), json!([]));
    let all = home.opcode(&["tokens", "list", "--json"]).ended(0).json();
    assert_eq!(all["tokens"].as_array().unwrap().len(), tokens);
}

#[test]
fn a_page_of_somebody_else_reaches_nothing() {
    let home = Home::new();
    let server = Server::start(&home);
    let port = server.address.port();
    let own = format!("http://{}", server.address);
    let attacks = [
        ("Host", format!("evil.example:{port}")),
        ("Host", format!("localhost.evil.example:{port}")),
        ("Host", format!("192.0.2.1:{port}")),
        ("Origin", "http://evil.example".to_owned()),
        ("Origin", "null".to_owned()),
        ("Origin", format!("http://localhost.evil.example:{port}")),
        ("Origin", format!("http://127.0.0.1:{}", port ^ 1)),
        ("Sec-Fetch-Site", "cross-site".to_owned()),
        ("Sec-Fetch-Site", "same-site".to_owned()),
    ];
    let health = HEALTH.map(Ask::get);
    for knock in knocks().iter().chain(&health) {
        for (name, value) in &attacks {
            let reply = server.send(&knock.clone().with(name, value));
            assert_eq!(reply.status, 403, "{name}: {value} at {knock:?}: {reply:?}");
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }
    }
    is_untouched(&home, 0);
    server.send(&Ask::get("/api/v1/whoami").with("Origin", &own)).is(200);
    server.send(&Ask::get("/api/v1/whoami").with("Host", &format!("localhost:{port}"))).is(200);
    server.stop().ended(0);
}

#[test]
fn a_body_that_a_page_may_send_is_no_body_of_ours() {
    let home = Home::new();
    let server = Server::start(&home);
    let kinds = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""];
    for knock in knocks().iter().filter(|knock| knock.method == "POST") {
        for kind in kinds {
            let reply = server.send(&knock.clone().with("Content-Type", kind));
            assert_eq!(reply.status, 415, "{kind} at {knock:?}: {reply:?}");
        }
    }
    is_untouched(&home, 0);
}

#[test]
fn where_others_can_knock_everybody_shows_a_token() {
    let mut home = Home::new();
    let refused = home.opcode(&["serve", "--listen-addr", "0.0.0.0:0"]).ended(2);
    assert!(refused.err.contains("PERMISSION_DENIED"), "{refused:?}");
    assert!(refused.err.contains("tokens create"), "{refused:?}");
    let over = ["tokens", "create", "over", "--role", "admin", "--expires", "1ms"];
    home.opcode(&over).ended(0);
    home.opcode(&["serve", "--listen-addr", "0.0.0.0:0"]).ended(2);
    let made = home.opcode(&["tokens", "create", "ops", "--role", "admin"]).ended(0);
    let token = made.out.trim().to_owned();
    let server = Server::with(&home, &["--listen-addr", "0.0.0.0:0", "--allowed-host", "box.lan"]);
    let wrong = format!("{}0", &token[..token.len() - 1]);
    let wrong = if wrong == token { format!("{}1", &token[..token.len() - 1]) } else { wrong };
    let shown =
        [None, Some(format!("Bearer {wrong}")), Some("Bearer x".to_owned()), Some(token.clone())];
    for knock in knocks() {
        for shown in &shown {
            let knock = match shown {
                None => knock.clone(),
                Some(shown) => knock.clone().with("Authorization", shown),
            };
            let reply = server.send(&knock).is(401);
            assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
    }
    home.env.push(("OPCODE_TOKEN".to_owned(), token.clone()));
    is_untouched(&home, 2);
    for path in HEALTH {
        server.get(path).is(200);
    }
    let bearer = format!("Bearer {token}");
    let whoami = Ask::get("/api/v1/whoami").with("Authorization", &bearer);
    assert_eq!(server.send(&whoami).is(200).json()["role"], "admin");
    for host in ["box.lan", "192.0.2.1:4100", "BOX.lan:1"] {
        server.send(&whoami.clone().with("Host", host)).is(200);
    }
    server.send(&whoami.clone().with("Host", "evil.example")).is(403);
    let mut client = Client::modern(&server);
    client.token = Some(token);
    client.good("opcode.query", json!({"resource": "templates"}));
}

#[test]
fn no_action_of_a_workflow_reaches_the_server_that_runs_it() {
    let home = Home::new();
    let server = Server::start(&home);
    let port = server.address.port();
    for name in ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{name}:{port}/api/v1/workflows");
        let step = json!({"id": "a", "action": "http.get", "params": {"url": url}});
        let run = json!({"definition": {"steps": [step]}, "agent_id": "a", "wait": "20s"});
        let run = server.post("/api/v1/workflows", &run).json();
        assert_eq!(run["status"], "failed", "{name}: {run}");
        assert!(run.to_string().contains("is forbidden"), "{name}: {run}");
    }
}

/// A step's program is on this machine, and still nobody: what it was asked to do is no reason to do more.
#[test]
fn a_program_of_a_step_is_not_let_in_without_a_token() {
    let home = Home::new();
    let server = Server::start(&home);
    let script = "import os,sys,urllib.request as r\nq=r.Request(sys.argv[1]+'/api/v1/whoami')\n\
                  t=os.environ.get('OPCODE_TOKEN')\nif t: q.add_header('Authorization','Bearer '+t)\n\
                  try: print(r.urlopen(q).read().decode())\nexcept Exception as e: print(e.code)";
    let url = format!("http://{}", server.address);
    let ask = |args: serde_json::Value, env: serde_json::Value| {
        let step = json!({"id": "a", "action": "shell.exec",
            "params": {"command": "setsid", "args": args, "env": env}});
        let wish = json!({"definition": {"steps": [step]}, "wait": "20s"});
        let told = server.post("/api/v1/workflows", &wish).is(200).json();
        told["steps"]["a"]["output"]["stdout"].clone()
    };
    let args = json!(["-w", "python3", "-c", script, url]);
    assert_eq!(ask(args.clone(), json!({})), 403);
    let token = crate::tokens::token(&home, "t", &["--role", "viewer"]);
    let told = ask(args, json!({"OPCODE_TOKEN": token}));
    assert_eq!(told["role"], "viewer", "{told}");
    assert_eq!(server.get("/api/v1/whoami").is(200).json()["name"], "local");
}
