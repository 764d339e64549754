//! MCP over stdin and stdout: alone, and in front of a server.
//!
//! Keeps: stdout carries messages and nothing else.
//! Not here: the messages themselves (`legacy.rs`, `modern.rs`).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value as Json, json};

use crate::kit::{ASKS, Home, until};
use crate::mcp::{meta, opened, opening};
use crate::server::Server;

/// `opcode mcp` with its two ends.
pub(crate) struct Talk {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    is_modern: bool,
}

impl Talk {
    fn start(home: &Home, is_modern: bool) -> Self {
        Self::open(home, (!is_modern).then_some(&json!({})))
    }

    /// A client of last year that can do these things.
    pub(crate) fn with(home: &Home, capabilities: &Json) -> Self {
        Self::open(home, Some(capabilities))
    }

    fn open(home: &Home, session: Option<&Json>) -> Self {
        let mut command = home.command(&["mcp"]);
        command.env("OPCODE_LOG_LEVEL", "off").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut talk = Self { child, to, from, is_modern: session.is_none() };
        if let Some(capabilities) = session {
            let mut opening = opening("2025-06-18");
            opening["params"]["capabilities"] = capabilities.clone();
            let answer = talk.ask(&opening);
            assert_eq!(answer["result"]["protocolVersion"], "2025-06-18", "{answer}");
            talk.say(&opened());
        }
        talk
    }

    pub(crate) fn say(&mut self, message: &Json) {
        writeln!(self.to.as_mut().unwrap(), "{message}").unwrap();
    }

    /// The next message, whatever it is.
    pub(crate) fn hear(&mut self) -> Json {
        let mut line = String::new();
        assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "it says no more");
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) fn ask(&mut self, message: &Json) -> Json {
        self.say(message);
        loop {
            let answer = self.hear();
            if answer["id"] == message["id"] {
                return answer;
            }
        }
    }

    pub(crate) fn tool(&mut self, name: &str, arguments: Json) -> Json {
        let mut params = json!({"name": name, "arguments": arguments});
        if self.is_modern {
            params["_meta"] = meta(&json!({}));
        }
        let call = json!({"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params});
        let answer = self.ask(&call);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"]["structuredContent"].clone()
    }

    /// The client has nothing more to say.
    pub(crate) fn end(mut self) {
        drop(self.to.take());
        let ended = until("it ends with its client", || self.child.try_wait().unwrap());
        assert!(ended.success(), "{ended}");
    }
}

fn whole_loop(talk: &mut Talk) {
    let definition: Json = serde_json::from_str(ASKS).unwrap();
    let arguments = json!({"name": "gate", "agent_id": "a", "definition": definition});
    talk.tool("opcode.define", arguments);
    let run = talk.tool("opcode.run", json!({"template_name": "gate", "agent_id": "a"}));
    assert_eq!(run["status"], "suspended", "{run}");
    let decision = json!({"workflow_id": run["workflow_id"], "signal_type": "decision",
        "step_id": "ask", "payload": {"choice": "yes"}});
    assert_eq!(talk.tool("opcode.signal", decision)["status"], "completed");
}

#[test]
fn alone_it_holds_the_store() {
    for is_modern in [false, true] {
        let home = Home::new();
        let mut talk = Talk::start(&home, is_modern);
        whole_loop(&mut talk);
        talk.end();
        assert_eq!(home.opcode(&["query", "templates"]).ended(0).out.matches("gate").count(), 1);
    }
}

#[test]
fn beside_a_server_it_carries_messages() {
    let home = Home::new();
    let server = Server::start(&home);
    for is_modern in [false, true] {
        let mut talk = Talk::start(&home, is_modern);
        whole_loop(&mut talk);
        talk.say(&json!("no message"));
        talk.end();
    }
    let found = server.get("/api/v1/workflows").is(200).json();
    assert_eq!(found["workflows"].as_array().unwrap().len(), 2, "{found}");
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    for is_modern in [false, true] {
        let home = Home::new();
        let server = Server::start(&home);
        let mut talk = Talk::start(&home, is_modern);
        let definition: Json = serde_json::from_str(ASKS).unwrap();
        let arguments = json!({"name": "gate", "agent_id": "a", "definition": definition});
        talk.tool("opcode.define", arguments);
        let run = talk.tool("opcode.run", json!({"template_name": "gate", "agent_id": "a"}));
        server.kill();
        let _server = Server::start(&home);
        let status = talk.tool("opcode.status", json!({"workflow_id": run["workflow_id"]}));
        assert_eq!(status["status"], "suspended", "{status}");
        talk.end();
    }
}
