//! Clients of today: no session, everything in every request; a run as a task.
//!
//! Keeps: a task is what the store says, whoever asks.
//! Not here: sessions (`legacy.rs`).

use serde_json::{Value as Json, json};

use crate::kit::{ASKS, Home, SLOW, until};
use crate::mcp::Client;
use crate::server::Server;

fn with_tasks(server: &Server) -> Client {
    let mut client = Client::modern(server);
    client.capabilities = json!({"elicitation": {"form": {}},
        "extensions": {"io.modelcontextprotocol/tasks": {}}});
    client
}

fn task(client: &Client, id: &Json) -> Json {
    client.call("tasks/get", json!({"taskId": id}))
}

fn until_task(client: &Client, id: &Json, status: &str) -> Json {
    until(&format!("the task is {status}"), || {
        Some(task(client, id)).filter(|task| task["status"] == status)
    })
}

#[test]
fn the_loop_of_an_agent_without_a_session() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let found = client.call("server/discover", json!({}));
    assert!(found["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")));
    assert_eq!(found["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"], json!({}));
    assert_eq!(client.call("tools/list", json!({}))["tools"].as_array().unwrap().len(), 6);
    client.define("gate", ASKS);
    let run = client.tool("opcode.run", json!({"template_name": "gate", "agent_id": "a"}));
    assert_eq!(run["resultType"], "complete", "no task for whoever does not know them: {run}");
    let id = &run["structuredContent"]["workflow_id"];
    let decision = json!({"workflow_id": id, "signal_type": "decision", "step_id": "ask",
        "payload": {"choice": "yes"}});
    assert_eq!(client.good("opcode.signal", decision)["status"], "completed");
}

#[test]
fn a_run_is_a_task_that_asks_and_outlives_the_server() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = with_tasks(&server);
    client.define("gate", ASKS);
    let made = client.tool("opcode.run", json!({"template_name": "gate", "agent_id": "a"}));
    assert_eq!(made["resultType"], "task", "{made}");
    let id = made["taskId"].clone();
    until_task(&client, &id, "input_required");
    server.kill();

    let server = Server::start(&home);
    let client = with_tasks(&server);
    let asks = until_task(&client, &id, "input_required");
    let (key, form) = asks["inputRequests"].as_object().unwrap().iter().next().unwrap();
    assert!(key.starts_with("decision:"), "{asks}");
    assert_eq!(form["method"], "elicitation/create");
    let choice = &form["params"]["requestedSchema"]["properties"]["choice"];
    assert_eq!(choice["oneOf"][0]["const"], "yes", "{form}");
    let answer = |key: &str, choice: &str| {
        let content = json!({"choice": choice, "reasoning": "green"});
        json!({"taskId": id, "inputResponses": {key: {"action": "accept", "content": content}}})
    };
    client.call("tasks/update", answer("decision:other", "yes"));
    assert_eq!(task(&client, &id)["status"], "input_required", "an unknown key is left alone");
    client.call("tasks/update", answer(key, "yes"));
    let done = until_task(&client, &id, "completed");
    assert_eq!(done["result"]["isError"], false, "{done}");
    assert_eq!(done["result"]["structuredContent"]["status"], "completed");
    let seen = client.good(
        "opcode.query",
        json!({"resource": "decisions",
        "filter": {"workflow_id": id, "status": "resolved"}}),
    );
    assert_eq!(seen["decisions"][0]["resolution"]["reasoning"], "green", "{seen}");
}

#[test]
fn a_task_that_fails_is_completed_with_an_error() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = with_tasks(&server);
    client.define(
        "fails",
        r#"{"steps":[{"id":"no","action":"assert.equals","params":{"actual":1,"expected":2}}]}"#,
    );
    let made = client.tool("opcode.run", json!({"template_name": "fails", "agent_id": "a"}));
    let done = until_task(&client, &made["taskId"], "completed");
    assert_eq!(done["result"]["isError"], true, "{done}");
    assert_eq!(done["result"]["structuredContent"]["status"], "failed");
    let unknown = client.tool("opcode.run", json!({"template_name": "other", "agent_id": "a"}));
    assert_eq!(unknown["isError"], true, "{unknown}");
}

#[test]
fn a_task_is_cancelled_and_stays_so() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = with_tasks(&server);
    client.define("slow", SLOW);
    let params: Json = serde_json::from_str(&home.params()).unwrap();
    let arguments = json!({"template_name": "slow", "agent_id": "a", "params": params});
    let id = client.tool("opcode.run", arguments)["taskId"].clone();
    home.until_event(id.as_str().unwrap(), "step_started", "hold");
    assert_eq!(task(&client, &id)["status"], "working");
    client.call("tasks/cancel", json!({"taskId": id}));
    until_task(&client, &id, "cancelled");
    client.call("tasks/cancel", json!({"taskId": id}));
    let (_, unknown) = client.reply("tasks/get", json!({"taskId": "nothing"}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
}

#[test]
fn what_does_not_fit_together_is_refused_by_the_book() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let list = client.message("tools/list", json!({}));
    let other = client.ask(&list).with("Mcp-Method", "tools/call");
    assert_eq!(server.send(&other).is(400).json()["error"]["code"], -32020);
    let other = client.ask(&list).with("MCP-Protocol-Version", "2025-11-25");
    assert_eq!(server.send(&other).is(400).json()["error"]["code"], -32020);
    let (reply, unknown) = client.reply("tools/walk", json!({}));
    assert_eq!((reply.status, &unknown["error"]["code"]), (404, &json!(-32601)));
    let mut future = list;
    future["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2999-01-01".into();
    let future = client.ask(&future).with("MCP-Protocol-Version", "2999-01-01");
    assert_eq!(server.send(&future).is(400).json()["error"]["code"], -32022);
}

#[test]
fn hanging_up_stops_no_run() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    client.define("slow", SLOW);
    let params: Json = serde_json::from_str(&home.params()).unwrap();
    let message = client.message(
        "tools/call",
        json!({"name": "opcode.run",
        "arguments": {"template_name": "slow", "agent_id": "a", "params": params}}),
    );
    let waiting = client.ask(&message).begin(server.address);
    let id = home.workflow();
    home.until_event(&id, "step_started", "hold");
    drop(waiting);
    home.go();
    home.until_event(&id, "workflow_completed", "");
}

#[test]
fn an_argument_that_is_nearly_ours_is_no_silence() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let definition = json!({"steps": [{"id": "a", "action": "crypto.uuid"}]});
    let mut arguments = json!({"name": "t", "agent_id": "a", "definition": definition});
    for (slip, meant) in
        [("dryrun", "dry_run"), ("dry-run", "dry_run"), ("descripton", "description")]
    {
        let mut slipped = arguments.clone();
        slipped[slip] = true.into();
        let refused = client.tool("opcode.define", slipped);
        assert_eq!(refused["isError"], true, "{slip}");
        assert!(refused.to_string().contains(&format!("did you mean `{meant}`?")), "{refused}");
    }
    assert_eq!(
        client.good("opcode.query", json!({"resource": "templates"}))["templates"],
        json!([])
    );
    arguments["_trace"] = "of a host".into();
    client.good("opcode.define", arguments);
    let slipped = client
        .tool("opcode.run", json!({"template_name": "t", "agent_id": "a", "param": {"a": 1}}));
    assert!(slipped.to_string().contains("did you mean `params`?"), "{slipped}");
    let filtered = json!({"resource": "workflows", "filter": {"statuss": "failed"}});
    assert!(client.tool("opcode.query", filtered).to_string().contains("filter.statuss is none"));
}

#[test]
fn a_definition_in_its_file_is_unwrapped() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let file = json!({
        "name": "of the file",
        "input_schema": {"type": "object", "required": ["n"]},
        "definition": {"steps": [{"id": "a", "action": "crypto.uuid"}]},
    });
    client.good("opcode.define", json!({"name": "t", "agent_id": "a", "definition": file}));
    let run = client.tool("opcode.run", json!({"template_name": "t", "agent_id": "a"}));
    assert!(
        run.to_string().contains("is a required property"),
        "the schema of the file holds: {run}"
    );
    client.good("opcode.run", json!({"template_name": "t", "agent_id": "a", "params": {"n": 1}}));
}

#[test]
fn the_same_call_finds_its_run_also_after_the_template_was_defined_anew() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let define = |message: &str| {
        let step = json!({"id": "say", "action": "workflow.log", "params": {"message": message}});
        let arguments = json!({"name": "t", "agent_id": "a", "definition": {"steps": [step]}});
        client.good("opcode.define", arguments);
    };
    let call = |params: Json| {
        let arguments = json!({"template_name": "t", "agent_id": "a", "params": params, "idempotency_key": "k"});
        client.tool("opcode.run", arguments)["structuredContent"].clone()
    };
    define("one");
    let first = call(json!({}));
    define("two");
    assert_eq!(call(json!({}))["workflow_id"], first["workflow_id"]);
    let other = call(json!({"n": 1}));
    assert_eq!(other["error"]["code"], "CONFLICT", "{other}");
    assert_eq!(other["error"]["details"]["workflow_id"], first["workflow_id"], "{other}");
}

#[test]
fn the_skill_is_served_file_by_file() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let listed = client.call("skills/list", json!({}));
    let skill = &listed["skills"][0];
    assert_eq!(skill["frontmatter"]["name"], "opcode", "{listed}");
    for file in skill["resources"].as_array().unwrap() {
        let read = client.call("resources/read", json!({"uri": file["uri"]}));
        let text = read["contents"][0]["text"].as_str().unwrap();
        assert_eq!(file["size"], text.len(), "{file}");
    }
}
