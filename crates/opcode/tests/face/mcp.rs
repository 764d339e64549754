//! An MCP client that says just what it is told, of last year or of today.
//!
//! Keeps: every answer is the whole message.
//! Not here: what is expected of it.

use std::cell::Cell;
use std::net::SocketAddr;

use serde_json::{Value as Json, json};

use crate::http::{Answer, Ask, Reply};
use crate::kit::{Home, SLOW};
use crate::server::Server;

pub(crate) const TODAY: &str = "2026-07-28";

/// A client over Streamable HTTP.
pub(crate) struct Client {
    address: SocketAddr,
    pub(crate) path: String,
    /// Of a client of last year.
    pub(crate) session: Option<(String, String)>,
    /// What a client of today can do.
    pub(crate) capabilities: Json,
    pub(crate) token: Option<String>,
    next: Cell<i64>,
}

impl Client {
    /// A client of today.
    pub(crate) fn modern(server: &Server) -> Self {
        Self {
            address: server.address,
            path: "/mcp".to_owned(),
            session: None,
            capabilities: json!({}),
            token: None,
            next: Cell::new(1),
        }
    }

    /// A client of last year, its session open.
    pub(crate) fn legacy(server: &Server, version: &str) -> Self {
        let mut client = Self::modern(server);
        client.open(version);
        client
    }

    pub(crate) fn open(&mut self, version: &str) -> Json {
        let reply = self.ask(&opening(version)).send(self.address).is(200);
        let id = reply.header("mcp-session-id").unwrap().to_owned();
        let answer = reply.message(0);
        let version = answer["result"]["protocolVersion"].as_str().unwrap();
        self.session = Some((id, version.to_owned()));
        self.ask(&opened()).send(self.address).is(202);
        answer["result"].clone()
    }

    /// The stream on which a session is told things unasked.
    pub(crate) fn listen(&self, address: SocketAddr) -> Answer {
        let (id, version) = self.session.clone().unwrap();
        let mut ask = Ask::get(&self.path).with("Accept", "text/event-stream");
        if let Some(token) = &self.token {
            ask = ask.with("Authorization", &format!("Bearer {token}"));
        }
        ask.with("Mcp-Session-Id", &id).with("MCP-Protocol-Version", &version).open(address)
    }

    /// What a message is sent with.
    pub(crate) fn ask(&self, message: &Json) -> Ask {
        let mut ask =
            Ask::post(&self.path, message).with("Accept", "application/json, text/event-stream");
        if let Some(token) = &self.token {
            ask = ask.with("Authorization", &format!("Bearer {token}"));
        }
        if let Some((id, version)) = &self.session {
            return ask.with("Mcp-Session-Id", id).with("MCP-Protocol-Version", version);
        }
        if message["params"].get("_meta").is_some() {
            ask = ask.with("MCP-Protocol-Version", TODAY);
            ask = ask.with("Mcp-Method", message["method"].as_str().unwrap());
            let params = &message["params"];
            let name = ["name", "uri", "taskId"].iter().find_map(|key| params[key].as_str());
            if let Some(name) = name {
                ask = ask.with("Mcp-Name", name);
            }
        }
        ask
    }

    /// A call as a message.
    pub(crate) fn message(&self, method: &str, mut params: Json) -> Json {
        let id = self.next.replace(self.next.get() + 1);
        if self.session.is_none() {
            params["_meta"] = meta(&self.capabilities);
        }
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    }

    /// Calls; answers what HTTP says, and the message.
    pub(crate) fn reply(&self, method: &str, params: Json) -> (Reply, Json) {
        let message = self.message(method, params);
        let reply = self.ask(&message).send(self.address);
        let answer = reply.message(message["id"].as_i64().unwrap());
        (reply, answer)
    }

    /// Calls; answers the result.
    pub(crate) fn call(&self, method: &str, params: Json) -> Json {
        let (_, answer) = self.reply(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Calls a tool; answers its result, whether it went well or not.
    pub(crate) fn tool(&self, name: &str, arguments: Json) -> Json {
        self.call("tools/call", json!({"name": name, "arguments": arguments}))
    }

    /// Calls a tool that shall go well; answers its object.
    pub(crate) fn good(&self, name: &str, arguments: Json) -> Json {
        let result = self.tool(name, arguments);
        assert_ne!(result["isError"], true, "{result}");
        result["structuredContent"].clone()
    }

    /// Starts `SLOW` and waits until it holds; answers its id.
    pub(crate) fn hold(&self, home: &Home) -> String {
        self.define("slow", SLOW);
        let params: Json = serde_json::from_str(&home.params()).unwrap();
        let arguments =
            json!({"template_name": "slow", "agent_id": "a", "params": params, "wait": "0s"});
        let run = self.good("opcode.run", arguments);
        assert_eq!(run["status"], "active", "{run}");
        let id = run["workflow_id"].as_str().unwrap().to_owned();
        home.until_event(&id, "step_started", "hold");
        id
    }

    /// Stores a definition.
    pub(crate) fn define(&self, name: &str, definition: &str) {
        let definition: Json = serde_json::from_str(definition).unwrap();
        let arguments = json!({"name": name, "agent_id": "a", "definition": definition});
        assert_eq!(self.good("opcode.define", arguments)["version"], "v1");
    }
}

/// How a client of last year begins.
pub(crate) fn opening(version: &str) -> Json {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": version,
        "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}})
}

pub(crate) fn opened() -> Json {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

/// What a client of today says with every call.
pub(crate) fn meta(capabilities: &Json) -> Json {
    json!({
        "io.modelcontextprotocol/protocolVersion": TODAY,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}
