//! What a server says unasked: forms for decisions, words of workflows to their agents, news of what is watched.
//!
//! Keeps: the same over a session's own stream as through the bridge; a round of a call is bound to its run.
//! Not here: runs as tasks (`modern.rs`).

use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{ASKS, Home, SLOW};
use crate::mcp::Client;
use crate::server::Server;
use crate::stdio::Talk;

const RUN: &str = r#"{"template_name": "gate", "agent_id": "a"}"#;

fn run() -> Json {
    serde_json::from_str(RUN).unwrap()
}

fn define(talk: &mut Talk, name: &str, definition: &str) {
    let definition: Json = serde_json::from_str(definition).unwrap();
    talk.tool("opcode.define", json!({"name": name, "agent_id": "a", "definition": definition}));
}

/// Calls a tool, answering each form; what is said unasked is kept.
fn call(talk: &mut Talk, id: &str, arguments: Json, answer: &Json) -> (Json, Vec<Json>) {
    let params = json!({"name": "opcode.run", "arguments": arguments});
    talk.say(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}));
    let mut said = Vec::new();
    loop {
        let message = talk.hear();
        if message["id"] == id && message.get("method").is_none() {
            return (message["result"]["structuredContent"].clone(), said);
        }
        if message["method"] == "elicitation/create" {
            let result = json!({"jsonrpc": "2.0", "id": message["id"], "result": answer});
            talk.say(&result);
        }
        said.push(message);
    }
}

#[test]
fn a_form_is_shown_and_the_run_goes_on_with_its_answer() {
    for is_served in [false, true] {
        let home = Home::new();
        let _server = is_served.then(|| Server::start(&home));
        let mut talk = Talk::with(&home, &json!({"elicitation": {}}));
        define(&mut talk, "gate", ASKS);
        let declined = json!({"action": "decline"});
        let (left, _) = call(&mut talk, "one", run(), &declined);
        assert_eq!(left["status"], "suspended", "{left}");
        let accepted =
            json!({"action": "accept", "content": {"choice": "yes", "reasoning": "tested"}});
        let (done, said) = call(&mut talk, "two", run(), &accepted);
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(done["steps"]["ask"]["output"]["reasoning"], "tested", "{done}");
        let form = &said[0]["params"];
        assert!(form["message"].as_str().unwrap().contains("Ship it?"), "{form}");
        let choices = &form["requestedSchema"]["properties"]["choice"]["oneOf"];
        assert_eq!(choices[0], json!({"const": "yes", "title": "yes: now"}), "{form}");
        talk.end();
    }
}

#[test]
fn a_round_is_bound_to_its_run_and_outlives_the_server() {
    let home = Home::new();
    let server = Server::start(&home);
    let asking = |server: &Server| {
        let mut client = Client::modern(server);
        client.capabilities = json!({"elicitation": {"form": {}}});
        client
    };
    let client = asking(&server);
    client.define("gate", ASKS);
    let params = |more: Json| {
        let mut params = json!({"name": "opcode.run", "arguments": run()});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    let round = client.call("tools/call", params(json!({})));
    assert_eq!(round["resultType"], "input_required", "{round}");
    let (key, form) = round["inputRequests"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(form["method"], "elicitation/create", "{form}");
    let state = round["requestState"].as_str().unwrap();
    server.kill();
    let server = Server::start(&home);
    let client = asking(&server);
    let again = client.call("tools/call", params(json!({"requestState": state})));
    assert_eq!(
        again["resultType"], "input_required",
        "who answers nothing is asked again: {again}"
    );
    let (head, tail) = state.split_at(state.len() - 10);
    let other = if tail.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{head}{other}{}", &tail[1..]);
    let answers = json!({key: {"action": "accept", "content": {"choice": "yes"}}});
    let forged = params(json!({"requestState": forged, "inputResponses": answers}));
    let (_, refused) = client.reply("tools/call", forged);
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let mut other = params(json!({"requestState": state, "inputResponses": answers}));
    other["arguments"]["agent_id"] = "somebody else".into();
    let (_, refused) = client.reply("tools/call", other);
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let done = client
        .call("tools/call", params(json!({"requestState": state, "inputResponses": answers})));
    let done = &done["structuredContent"];
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["steps"]["ask"]["output"]["resolved_by"], "a", "{done}");
    let all = server.get("/api/v1/workflows").is(200).json();
    assert_eq!(all["workflows"].as_array().unwrap().len(), 1, "no round starts a run of its own");
}

const TELLS: &str = r#"{"steps":[
  {"id":"tell","action":"workflow.notify","params":{"message":"look here","data":{"n":1}}}]}"#;

fn is_told(message: &Json) -> bool {
    let params = &message["params"];
    message["method"] == "notifications/message"
        && params["level"] == "info"
        && params["data"]["message"] == "look here"
        && params["data"]["step_id"] == "tell"
        && params["data"]["data"] == json!({"n": 1})
}

#[test]
fn what_a_workflow_says_reaches_its_agent_now_or_when_it_comes() {
    for is_served in [false, true] {
        let home = Home::new();
        let server = is_served.then(|| Server::start(&home));
        let mut talk = Talk::with(&home, &json!({}));
        define(&mut talk, "tells", TELLS);
        let arguments = json!({"template_name": "tells", "agent_id": "a"});
        let params = json!({"name": "opcode.run", "arguments": arguments});
        talk.say(&json!({"jsonrpc": "2.0", "id": "r", "method": "tools/call", "params": params}));
        let heard = [talk.hear(), talk.hear()];
        assert_eq!(heard.iter().filter(|message| is_told(message)).count(), 1, "{heard:?}");
        if let Some(server) = &server {
            let body = json!({"template_name": "tells", "agent_id": "late"});
            server.post("/api/v1/workflows", &body).is(200);
            let mut late = Talk::with(&home, &json!({}));
            let query = json!({"resource": "templates"});
            let params = json!({"name": "opcode.query", "arguments": query});
            late.say(
                &json!({"jsonrpc": "2.0", "id": "q", "method": "tools/call", "params": params}),
            );
            assert_eq!(late.hear()["id"], "q", "who it is, it has not said yet");
            let (done, said) = {
                let arguments = json!({"template_name": "tells", "agent_id": "late"});
                let (done, mut said) = call(&mut late, "r", arguments, &Json::Null);
                while said.iter().filter(|message| is_told(message)).count() < 2 {
                    said.push(late.hear());
                }
                (done, said)
            };
            assert_eq!(done["status"], "completed", "{done}");
            let runs: Vec<&Json> =
                said.iter().map(|it| &it["params"]["data"]["workflow_id"]).collect();
            assert_ne!(runs[0], runs[1], "the one that waited, and the one of now");
            late.end();
        }
        talk.end();
    }
}

#[test]
fn a_session_is_told_of_what_it_watches() {
    let home = Home::new();
    let server = Server::start(&home);
    let mut talk = Talk::with(&home, &json!({}));
    define(&mut talk, "slow", SLOW);
    let params: Json = serde_json::from_str(&home.params()).unwrap();
    let arguments =
        json!({"template_name": "slow", "agent_id": "a", "params": params, "wait": "0s"});
    let run = talk.tool("opcode.run", arguments);
    let id = run["workflow_id"].as_str().unwrap();
    home.until_event(id, "step_started", "hold");
    let uri = format!("workflow://{id}");
    let ask = |method: &str, uri: &str| json!({"jsonrpc": "2.0", "id": method, "method": method, "params": {"uri": uri}});
    let refused = talk.ask(&ask("resources/subscribe", "opcode://actions"));
    assert!(refused["error"]["message"].as_str().unwrap().contains("never changes"), "{refused}");
    let taken = talk.ask(&ask("resources/subscribe", &uri));
    assert_eq!(taken["result"], json!({}), "{taken}");
    home.go();
    let told = talk.hear();
    let news = json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}});
    assert_eq!(told, news);
    talk.ask(&ask("resources/unsubscribe", &uri));
    talk.end();
    drop(server);
}

#[test]
fn a_stream_of_today_is_told_of_what_it_watches() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let id = client.hold(&home);
    let uri = format!("workflow://{id}");
    let wanted =
        json!({"resourceSubscriptions": [uri, "opcode://actions"], "toolsListChanged": true});
    let message = client.message("subscriptions/listen", json!({"notifications": wanted}));
    let ask: Ask = client.ask(&message);
    let mut stream = ask.open(server.address);
    let first = stream.event().unwrap().json();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
    assert_eq!(
        first["params"]["notifications"],
        json!({"resourceSubscriptions": [uri]}),
        "{first}"
    );
    home.go();
    let told = stream.event().unwrap().json();
    assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    assert_eq!(told["params"]["uri"], uri.as_str(), "{told}");
}
