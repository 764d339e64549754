//! The oldest transport: a stream of answers and a box for questions.
//!
//! Keeps: the box's address is relative; old clients get everything at once.
//! Not here: newer transports.

use serde_json::{Value as Json, json};

use crate::http::{Answer, Ask};
use crate::kit::{ASKS, Home};
use crate::mcp::{Client, opened, opening};
use crate::server::Server;

/// A client of the oldest kind.
struct Old<'a> {
    server: &'a Server,
    stream: Answer,
    post: String,
}

impl<'a> Old<'a> {
    fn open(server: &'a Server) -> Self {
        let mut stream = Ask::get("/sse").with("Accept", "text/event-stream").open(server.address);
        assert_eq!(stream.status, 200);
        let first = stream.event().unwrap();
        assert_eq!(first.name, "endpoint");
        assert!(first.data.starts_with("/message?sessionId="), "relative: {first:?}");
        let mut old = Self { server, stream, post: first.data };
        let answer = old.call(&opening("2024-11-05"));
        assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
        old.say(&opened());
        old
    }

    fn say(&self, message: &Json) {
        self.server.post(&self.post, message).is(202);
    }

    fn call(&mut self, message: &Json) -> Json {
        self.say(message);
        loop {
            let answer = self.stream.event().unwrap().json();
            if answer["id"] == message["id"] {
                return answer;
            }
        }
    }

    fn tool(&mut self, name: &str, arguments: Json) -> Json {
        let params = json!({"name": name, "arguments": arguments});
        let call = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
        self.call(&call)["result"]["structuredContent"].clone()
    }
}

#[test]
fn an_old_client_defines_runs_and_decides() {
    let home = Home::new();
    let server = Server::start(&home);
    let mut old = Old::open(&server);
    // As some of them do, with objects as text.
    let arguments = json!({"name": "gate", "agent_id": "a", "definition": ASKS});
    assert_eq!(old.tool("opcode.define", arguments)["version"], "v1");
    let run = old.tool("run", json!({"template_name": "gate", "agent_id": "a"}));
    assert_eq!(run["status"], "suspended", "{run}");
    let id = &run["workflow_id"];
    let decision = json!({"workflow_id": id, "signal_type": "decision", "step_id": "ask",
        "payload": "{\"choice\": \"yes\"}"});
    assert_eq!(old.tool("opcode.signal", decision)["status"], "completed");
    let status = old.tool("opcode.status", json!({"workflow_id": id}));
    let events = status["events"].as_array().unwrap();
    assert_eq!(events[0]["event_type"], "workflow_started", "everything at once");
}

#[test]
fn a_box_is_open_as_long_as_its_stream() {
    let home = Home::new();
    let server = Server::start(&home);
    let post = Old::open(&server).post;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    crate::kit::until("the box is closed", || {
        Some(server.post(&post, &list)).filter(|reply| reply.status == 400)
    });
    server.post("/message?sessionId=other", &list).is(400);
    server.post("/message", &list).is(400);
}

#[test]
fn a_new_client_at_the_old_address_is_served() {
    let home = Home::new();
    let server = Server::start(&home);
    let mut client = Client::modern(&server);
    client.path = "/sse".to_owned();
    client.open("2025-06-18");
    assert_eq!(client.call("tools/list", json!({}))["tools"].as_array().unwrap().len(), 6);
}
