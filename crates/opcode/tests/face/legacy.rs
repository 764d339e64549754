//! Clients of last year: `initialize`, a session, Streamable HTTP.
//!
//! Keeps: the loop of an agent, from a definition that is wrong to a decision that is answered.
//! Not here: the protocol without sessions (`modern.rs`), the older transport (`sse.rs`).

use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{ASKS, Home, PURE};
use crate::mcp::{Client, opening};
use crate::server::Server;

#[test]
fn a_definition_is_mended_run_watched_and_decided() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-06-18");
    let wrong = json!({"steps": [{"id": "first", "action": "crypto.hash", "params": {"data": "a"}},
        {"id": "second", "action": "crypto.hsah", "params": {"data": "b"}, "depends_on": ["frist"]}]});
    let arguments = json!({"name": "gate", "agent_id": "a", "definition": wrong});
    let refused = client.tool("opcode.define", arguments);
    assert_eq!(refused["isError"], true, "{refused}");
    let problems = refused["structuredContent"]["problems"].as_array().unwrap();
    assert!(problems.len() >= 2, "every one at once: {problems:?}");
    for problem in problems {
        assert!(problem["path"].as_str().unwrap().starts_with("/steps/1"), "{problem}");
        assert!(problem["fix"].is_array(), "{problem}");
    }
    let text = refused["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("fix:") && text.contains("next:"), "{text}");
    let stored = client.good("opcode.query", json!({"resource": "templates"}));
    assert_eq!(stored["templates"], json!([]), "nothing is stored of what cannot run");

    client.define("gate", ASKS);
    let run = client.good("opcode.run", json!({"template_name": "gate", "agent_id": "a"}));
    assert_eq!(run["status"], "suspended", "{run}");
    assert_eq!(run["pending_decisions"][0]["step_id"], "ask");
    assert!(run["next"].as_str().unwrap().contains("opcode.signal"), "{run}");
    let id = run["workflow_id"].as_str().unwrap();
    let status = client.good("opcode.status", json!({"workflow_id": id}));
    assert_eq!(status["steps"]["first"]["status"], "completed");
    assert!(status["events"].as_array().unwrap().len() > 3);
    let short = client.good("opcode.status", json!({"workflow_id": id, "detail": "summary"}));
    assert!(short.to_string().len() < 600, "{short}");
    let decision = json!({"workflow_id": id, "signal_type": "decision", "step_id": "ask",
        "payload": {"choice": "maybe"}});
    assert_eq!(client.tool("opcode.signal", decision.clone())["isError"], true);
    let mut decision = decision;
    decision["payload"]["choice"] = "yes".into();
    let done = client.good("opcode.signal", decision);
    assert_eq!((&done["status"], &done["ok"]), (&json!("completed"), &json!(true)), "{done}");
}

#[test]
fn every_version_of_the_protocol_is_spoken() {
    let home = Home::new();
    let server = Server::start(&home);
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::modern(&server);
        let opened = client.open(version);
        assert_eq!(opened["protocolVersion"], version);
        assert!(opened["instructions"].as_str().unwrap().chars().count() <= 2_048);
        assert_eq!(client.call("tools/list", json!({}))["tools"].as_array().unwrap().len(), 6);
    }
}

#[test]
fn tools_are_few_small_and_honest() {
    let home = Home::new();
    let server = Server::start(&home);
    let mut client = Client::legacy(&server, "2025-11-25");
    let list = client.call("tools/list", json!({}));
    assert!(list["tools"].to_string().len() < 8_000, "{} bytes", list["tools"].to_string().len());
    let tools = list["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let known = ["define", "diagram", "query", "run", "signal", "status"];
    assert_eq!(names, known.map(|name| format!("opcode.{name}")));
    for tool in tools {
        assert!(tool["inputSchema"]["properties"].is_object(), "{tool}");
        let name = tool["name"].as_str().unwrap();
        let is_drawn = name == "opcode.diagram";
        assert_eq!(tool["outputSchema"]["type"] == "object", !is_drawn, "{tool}");
        let is_reader = is_drawn || ["opcode.query", "opcode.status"].contains(&name);
        assert_eq!(tool["annotations"]["readOnlyHint"], is_reader, "{tool}");
    }
    client.path = "/mcp?names=underscore".to_owned();
    let list = client.call("tools/list", json!({}));
    let tools = list["tools"].as_array().unwrap();
    assert!(tools.iter().all(|tool| tool["name"].as_str().unwrap().starts_with("opcode_")));
    for name in ["opcode.query", "opcode_query", "query"] {
        client.good(name, json!({"resource": "workflows"}));
    }
    let (_, unknown) = client.reply("tools/call", json!({"name": "opcode.walk", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
}

#[test]
fn names_with_underscores_can_be_the_rule() {
    let home = Home::new();
    let server =
        Server::with(&home, &["--listen-addr", "127.0.0.1:0", "--tool-names", "underscore"]);
    let client = Client::legacy(&server, "2025-11-25");
    let list = client.call("tools/list", json!({}));
    assert_eq!(list["tools"][0]["name"], "opcode_define");
}

#[test]
fn a_session_that_is_unknown_or_over_is_not_found() {
    let home = Home::new();
    let server = Server::start(&home);
    let mut client = Client::legacy(&server, "2025-11-25");
    let (id, version) = client.session.clone().unwrap();
    let leave = Ask::new("DELETE", "/mcp", "").with("Mcp-Session-Id", &id);
    let left = server.send(&leave.with("MCP-Protocol-Version", &version));
    assert!((200..300).contains(&left.status), "{left:?}");
    let list = client.message("tools/list", json!({}));
    server.send(&client.ask(&list)).is(404);
    client.session = Some(("00000000-0000-0000-0000-000000000000".to_owned(), version));
    server.send(&client.ask(&list)).is(404);
}

#[test]
fn a_decision_survives_the_death_of_the_server() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-06-18");
    client.define("gate", ASKS);
    let arguments = json!({"template_name": "gate", "agent_id": "a", "idempotency_key": "once"});
    let run = client.good("opcode.run", arguments.clone());
    assert_eq!(run["status"], "suspended");
    server.kill();

    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-06-18");
    let again = client.good("opcode.run", arguments);
    assert_eq!(again["workflow_id"], run["workflow_id"], "the same wish is the same run");
    let open = client.good("opcode.query", json!({"resource": "decisions"}));
    assert_eq!(open["decisions"][0]["workflow_id"], run["workflow_id"], "{open}");
    let decision = json!({"workflow_id": run["workflow_id"], "signal_type": "decision",
        "step_id": "ask", "payload": {"choice": "no"}});
    assert_eq!(client.good("opcode.signal", decision)["status"], "completed");
}

/// A step with an output of some 6 kB.
const LARGE: &str = r#"{"steps":[{"id":"big","type":"action","action":"shell.exec","params":{"command":"sh",
  "args":["-c","for i in $(seq 1000); do printf abcdef; done"]}}],"output":"${{steps.big}}"}"#;

#[test]
fn a_large_output_is_shown_by_its_beginning_and_read_by_its_address() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-11-25");
    client.define("large", LARGE);
    let run = client.good("opcode.run", json!({"template_name": "large", "agent_id": "a"}));
    assert_eq!(run["status"], "completed", "{run}");
    let step = &run["steps"]["big"];
    assert!(step.get("output").is_none() && run.to_string().len() < 4_000, "{run}");
    assert!(step["output_preview"].as_str().unwrap().len() <= 240);
    assert!(step["output_bytes"].as_u64().unwrap() > 6_000);
    let read = client.call("resources/read", json!({"uri": step["output_uri"]}));
    let whole: Json = serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(whole["stdout"].as_str().unwrap().len(), 6_000);
    let id = &run["workflow_id"];
    let full = client.good("opcode.status", json!({"workflow_id": id, "detail": "full"}));
    assert_eq!(full["steps"]["big"]["output"], whole);
    let (_, lost) = client.reply("resources/read", json!({"uri": "workflow://nothing"}));
    assert!(lost.get("error").is_some(), "{lost}");
}

#[test]
fn what_there_is_to_read_to_prompt_and_to_complete() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-11-25");
    client.define("pure", PURE);
    let run = client.good("opcode.run", json!({"template_name": "pure", "agent_id": "ann"}));
    let id = run["workflow_id"].as_str().unwrap();
    let list = client.call("resources/list", json!({}));
    let uris: Vec<&str> = list["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["uri"].as_str().unwrap())
        .collect();
    let skill = "skill://opcode/SKILL.md";
    assert_eq!(uris, ["opcode://actions", skill, &format!("workflow://{id}")]);
    for uri in [&format!("workflow://{id}/events"), "template://pure/v1", "opcode://actions"] {
        let read = client.call("resources/read", json!({"uri": uri}));
        assert!(!read["contents"][0]["text"].as_str().unwrap().is_empty(), "{uri}");
    }
    let arguments = json!({"name": "debug_workflow", "arguments": {"workflow_id": id}});
    let prompt = client.call("prompts/get", arguments);
    assert!(prompt.to_string().contains("data, not"), "{prompt}");
    let reference = json!({"type": "ref/prompt", "name": "debug_workflow"});
    let argument = json!({"name": "workflow_id", "value": &id[..4]});
    let complete =
        client.call("completion/complete", json!({"ref": reference, "argument": argument}));
    assert_eq!(complete["completion"]["values"], json!([id]));
    let agents = client.good("opcode.query", json!({"resource": "agents"}));
    assert!(agents["agents"].as_array().unwrap().iter().any(|agent| agent["id"] == "ann"));
}

#[test]
fn whoever_waits_hears_of_progress() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-11-25");
    client.define("large", LARGE);
    let mut message = client.message(
        "tools/call",
        json!({"name": "opcode.run",
        "arguments": {"template_name": "large", "agent_id": "a"}}),
    );
    message["params"]["_meta"] = json!({"progressToken": "p"});
    let reply = server.send(&client.ask(&message)).is(200);
    assert!(reply.body.contains("notifications/progress"), "{reply:?}");
    assert!(reply.body.contains("big completed"), "{reply:?}");
}

#[test]
fn whoever_waits_hears_of_no_other_run() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-11-25");
    let named = |step: &str| {
        json!({"steps": [
        {"id": "nap", "type": "wait", "config": {"duration": "300ms"}},
        {"id": step, "action": "crypto.hash", "params": {"data": "x"}, "depends_on": ["nap"]}]})
    };
    for name in ["mine", "theirs"] {
        client.good(
            "opcode.define",
            json!({"name": name, "definition": named(name), "agent_id": "a"}),
        );
    }
    client.good("opcode.run", json!({"template_name": "theirs", "agent_id": "b", "wait": "0s"}));
    let mut message = client.message(
        "tools/call",
        json!({"name": "opcode.run", "arguments": {"template_name": "mine", "agent_id": "a"}}),
    );
    message["params"]["_meta"] = json!({"progressToken": "p"});
    let reply = server.send(&client.ask(&message)).is(200);
    assert!(reply.body.contains("mine completed"), "{reply:?}");
    assert!(!reply.body.contains("theirs completed"), "{reply:?}");
}

#[test]
fn sessions_have_a_limit_and_clients_of_today_need_none() {
    let home = Home::new();
    let server = Server::start(&home);
    let opens = || Client::modern(&server).ask(&opening("2025-06-18")).send(server.address);
    for n in 0..1_000 {
        assert_eq!(opens().status, 200, "session {n}");
    }
    let refused = opens();
    assert!(refused.status >= 400 && refused.body.contains("1000"), "{refused:?}");
    Client::modern(&server).good("opcode.query", json!({"resource": "templates"}));
    let large = json!({"resource": "templates", "filter": {"name": "x".repeat(5 << 20)}});
    Client::modern(&server).tool("opcode.query", large);
}

#[test]
fn every_refusal_of_a_tool_names_code_cause_cure_and_the_next_call() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::legacy(&server, "2025-11-25");
    let id = "00000000-0000-0000-0000-000000000000";
    for (tool, arguments) in [
        ("opcode.define", json!({"name": "x", "agent_id": "a", "definition": {"steps": []}})),
        ("opcode.define", json!({"agent_id": "a"})),
        ("opcode.run", json!({"template_name": "none", "agent_id": "a"})),
        ("opcode.run", json!({"template_name": "none"})),
        ("opcode.run", json!({"template_name": "x", "agent_id": "a", "wait": "long"})),
        ("opcode.status", json!({"workflow_id": id})),
        ("opcode.status", json!({"workflow_id": "no id"})),
        ("opcode.signal", json!({"workflow_id": id, "signal_type": "cancel", "payload": {}})),
        ("opcode.signal", json!({"workflow_id": id, "signal_type": "shout", "payload": {}})),
        ("opcode.query", json!({"resource": "everything"})),
        ("opcode.query", json!({"resourc": "events"})),
        ("opcode.diagram", json!({"workflow_id": id})),
        ("opcode.diagram", json!({})),
    ] {
        let told = client.tool(tool, arguments.clone());
        assert_eq!(told["isError"], true, "{tool} {arguments}: {told}");
        let said = &told["structuredContent"];
        assert!(
            said["error"]["code"].is_string() && said["error"]["message"].is_string(),
            "{told}"
        );
        let cured = said["error"]["hint"].is_string() || said["problems"].is_array();
        assert!(cured && said["next"].is_string(), "{tool} {arguments}: {told}");
        assert!(told["content"][0]["text"].as_str().unwrap().contains("next: "), "{told}");
    }
}
