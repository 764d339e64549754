//! Plugins in the running product: their tools are actions, and whatever a plugin does harms nobody but its own calls.
//!
//! Keeps: what is told of a plugin is asserted beside what became of the workflows that used it.
//! Not here: how the plugin of the tests behaves (`rogue.rs`).

use std::fs;

use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{Home, until};
use crate::mcp::Client;
use crate::rogue;
use crate::server::Server;

/// Adds a plugin that behaves like this.
fn add(home: &Home, server: &Server, name: &str, behaviour: &str, more: &Json) -> Json {
    let mut entry = rogue::entry(behaviour, &home.path(""));
    for (member, value) in more.as_object().into_iter().flatten() {
        entry[member] = value.clone();
    }
    let ask =
        Ask { method: "PUT".to_owned(), ..Ask::post(&format!("/api/v1/plugins/{name}"), &entry) };
    let reply = server.send(&ask);
    json!({"status": reply.status, "body": reply.json()})
}

/// Runs a definition to its end.
fn run(server: &Server, definition: &Json) -> Json {
    let body = json!({"definition": definition, "wait": "30s"});
    server.post("/api/v1/workflows", &body).json()
}

fn step(action: &str, params: Json) -> Json {
    json!({"steps": [{"id": "it", "action": action, "params": params}]})
}

/// What came of one step's only run.
fn output(server: &Server, action: &str, params: Json) -> Json {
    run(server, &step(action, params))["steps"]["it"].clone()
}

fn plugin(server: &Server, name: &str) -> Json {
    server.get(&format!("/api/v1/plugins/{name}")).is(200).json()
}

fn until_state(server: &Server, name: &str, state: &str) -> Json {
    until(&format!("{name} is {state}"), || {
        let told = plugin(server, name);
        (told["state"] == state).then_some(told)
    })
}

#[test]
fn tools_are_actions_with_their_schemas_and_effects() {
    let home = Home::new();
    let server = Server::start(&home);
    let added = add(&home, &server, "p", "good", &json!({}));
    assert_eq!(
        (&added["status"], &added["body"]["state"]),
        (&json!(201), &json!("ready")),
        "{added}"
    );
    let effect = |name: &str| {
        let tools = added["body"]["tools"].as_array().unwrap();
        tools.iter().find(|tool| tool["name"] == name).unwrap()["effect"].clone()
    };
    assert_eq!(
        [effect("echo"), effect("put"), effect("add")],
        ["idempotent", "idempotent", "unsafe"]
    );
    let done = run(
        &server,
        &json!({"steps": [
            {"id": "a", "action": "p.echo", "params": {"text": "hi"}},
            {"id": "b", "action": "p.put", "depends_on": ["a"],
             "params": {"text": "${{steps.a.output.content[0].text}}"}},
        ]}),
    );
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["steps"]["a"]["output"]["content"][0]["text"], "echo hi", "{done}");
    let key = done["steps"]["b"]["output"]["structuredContent"]["key"].as_str().unwrap();
    assert!(key.len() >= 16, "{key}");
    // What does not fit is refused before anything runs, at its place; what is not known yet is not judged.
    let refused = run(&server, &step("p.echo", json!({"times": "many", "else": 1})));
    let problems = refused["error"]["details"]["problems"].to_string() + &refused.to_string();
    assert!(problems.contains("/steps/0/params/times") && problems.contains("else"), "{refused}");
    assert_eq!(output(&server, "p.echo", json!({"times": "${{1 + 1}}"}))["status"], "completed");
    let late = output(&server, "p.echo", json!({"times": "${{'many'}}"}));
    assert_eq!(late["error"]["code"], "VALIDATION_ERROR", "{late}");
    // Everybody who asks what a step can do is told of them.
    let said = home.opcode(&["query", "actions", "--name", "p.echo", "--json"]).ended(0).json();
    assert_eq!(said["actions"][0]["summary"], "does echo", "{said}");
    let failed = output(&server, "p.fail", json!({}));
    assert!(failed["error"]["message"].as_str().unwrap().contains("it is broken"), "{failed}");
    let refused = output(&server, "p.refuse", json!({}));
    assert!(refused["error"]["message"].as_str().unwrap().contains("not today"), "{refused}");
}

#[test]
fn a_plugin_is_there_after_a_restart_and_definitions_are_read_without_it() {
    let home = Home::new();
    let server = Server::start(&home);
    add(&home, &server, "p", "good", &json!({}));
    server
        .post(
            "/api/v1/templates",
            &json!({"name": "t", "definition": step("p.echo", json!({"text": "x"}))}),
        )
        .is(201);
    server.kill();
    // No server, and no plugin up: its tools are known as they were approved, and it comes up when it is needed.
    let bad = home.file("bad.json", &step("p.echo", json!({"text": 1})).to_string());
    assert!(home.opcode(&["run", &bad]).ended(2).err.contains("/steps/0/params/text"));
    let ran = home.opcode(&["run", "t", "--json"]).ended(0);
    assert!(ran.out.contains("echo x"), "{ran:?}");
    let listed = home.opcode(&["plugins", "list", "--json"]).ended(0).json();
    assert_eq!(listed["plugins"][0]["state"], "asleep", "{listed}");
    let server = Server::start(&home);
    until_state(&server, "p", "ready");
    assert_eq!(output(&server, "p.echo", json!({"text": "y"}))["status"], "completed");
    home.opcode(&["plugins", "remove", "p"]).ended(0);
    assert_eq!(server.get("/api/v1/plugins/p").status, 404);
    let gone = run(&server, &step("p.echo", json!({})));
    assert!(gone.to_string().contains("does not exist"), "{gone}");
    let audit = home.opcode(&["audit", "--json"]).ended(0).out;
    assert!(audit.contains("plugin.add") && audit.contains("plugin.remove"), "{audit}");
}

#[test]
fn whatever_a_plugin_does_its_calls_end_and_others_go_on() {
    let home = Home::new();
    let server = Server::start(&home);
    add(&home, &server, "good", "good", &json!({}));
    add(&home, &server, "bad", "good", &json!({"timeout": "2s"}));
    for (tool, code, said) in [
        ("crash", "EXECUTION_ERROR", "status 9"),
        ("flood", "EXECUTION_ERROR", "floods"),
        ("huge", "EXECUTION_ERROR", "a line of more than"),
        ("fork", "EXECUTION_ERROR", "status 0"),
        ("deep", "LIMIT_EXCEEDED", "nested too deeply"),
        ("hang", "TIMEOUT_ERROR", "said nothing for 2s"),
    ] {
        until_state(&server, "bad", "ready");
        let failed = output(&server, &format!("bad.{tool}"), json!({}));
        let message = failed["error"]["message"].as_str().unwrap_or_default();
        assert!(failed["error"]["code"] == code && message.contains(said), "{tool}: {failed}");
        assert_eq!(output(&server, "good.echo", json!({}))["status"], "completed", "{tool}");
        if plugin(&server, "bad")["state"] != "ready" {
            home.opcode(&["plugins", "restart", "bad"]).ended(0);
        }
    }
    until_state(&server, "bad", "ready");
    let junk = output(&server, "bad.junk", json!({}));
    assert_eq!(junk["output"]["content"][0]["text"], "after the junk", "{junk}");
    let left = std::process::Command::new("pgrep").args(["-f", "sleep 4711"]).output().unwrap();
    assert!(left.stdout.is_empty(), "a process outlived its plugin: {left:?}");
}

#[test]
fn a_stop_and_a_timeout_reach_the_plugin() {
    let home = Home::new();
    let server = Server::start(&home);
    add(&home, &server, "p", "good", &json!({}));
    let notes = || fs::read_to_string(home.path("notes")).unwrap_or_default();
    let late = run(&server, &json!({"steps": [{"id": "it", "action": "p.hang", "timeout": "1s"}]}));
    assert_eq!(late["steps"]["it"]["error"]["code"], "TIMEOUT_ERROR", "{late}");
    until("the plugin hears of it", || notes().contains("cancelled").then_some(()));
    let body = json!({"definition": step("p.hang", json!({})), "wait": "0s"});
    let id =
        server.post("/api/v1/workflows", &body).json()["workflow_id"].as_str().unwrap().to_owned();
    until("it hangs", || (notes().matches("hanging").count() == 2).then_some(()));
    server.post(&format!("/api/v1/workflows/{id}/signals"), &json!({"signal_type": "cancel"}));
    until("the plugin hears of that, too", || {
        (notes().matches("cancelled").count() == 2).then_some(())
    });
    assert_eq!(home.status(&id)["status"], "cancelled");
}

#[test]
fn progress_of_a_plugin_reaches_who_waits() {
    let home = Home::new();
    let server = Server::start(&home);
    add(&home, &server, "p", "good", &json!({"timeout": "1s"}));
    server
        .post("/api/v1/templates", &json!({"name": "t", "definition": step("p.slow", json!({}))}))
        .is(201);
    let client = Client::legacy(&server, "2025-06-18");
    let mut message = client.message(
        "tools/call",
        json!({"name": "opcode.run", "arguments": {"template_name": "t", "agent_id": "a"}}),
    );
    message["params"]["_meta"] = json!({"progressToken": "p"});
    let reply = client.ask(&message).send(server.address).is(200);
    // Each part takes less than the silence that is allowed, all of them more.
    assert!(
        reply.body.contains("it: 2 of 3: part 2") && reply.body.contains("it completed"),
        "{}",
        reply.body
    );
    assert!(reply.body.contains("completed"), "{}", reply.body);
}

#[test]
fn what_changes_waits_until_it_is_approved() {
    let home = Home::new();
    let server = Server::start(&home);
    add(&home, &server, "p", "good", &json!({}));
    assert_eq!(output(&server, "p.grow", json!({}))["status"], "completed");
    let standing = |name: &str| {
        let told = plugin(&server, "p");
        let tools = told["tools"].as_array().unwrap().clone();
        tools.iter().find(|tool| tool["name"] == name).map(|tool| tool["standing"].clone())
    };
    until("the change is seen", || (standing("extra") == Some(json!("new"))).then_some(()));
    assert_eq!(standing("echo"), Some(json!("changed")));
    let refused = run(&server, &step("p.echo", json!({}))).to_string();
    assert!(refused.contains("plugins approve p"), "{refused}");
    assert_eq!(
        output(&server, "p.add", json!({}))["status"],
        "completed",
        "what is as it was goes on"
    );
    home.opcode(&["plugins", "approve", "p"]).ended(0);
    assert_eq!(output(&server, "p.extra", json!({}))["status"], "completed");
    assert_eq!(output(&server, "p.echo", json!({}))["status"], "completed");
    assert!(server.stop().err.contains("stopped"));
}

#[test]
fn one_byte_of_another_program_and_it_is_not_started() {
    let home = Home::new();
    let script = home.path("server.sh");
    let rogue = rogue::entry("good", &home.path(""));
    let words: Vec<&str> =
        rogue["args"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let line = format!("exec {} {}\n", rogue["command"].as_str().unwrap(), words.join(" "));
    fs::write(&script, &line).unwrap();
    let server = Server::start(&home);
    let added = add(&home, &server, "p", "good", &json!({"command": "sh", "args": [script]}));
    assert_eq!(added["status"], 201, "{added}");
    fs::write(&script, format!("{line}#\n")).unwrap();
    let refused = home.opcode(&["plugins", "restart", "p"]).ended(2).err;
    assert!(refused.contains("[PLUGIN_CHANGED]") && refused.contains("server.sh"), "{refused}");
    assert_eq!(plugin(&server, "p")["state"], "stopped");
    let failed = output(&server, "p.echo", json!({}));
    assert_eq!(failed["error"]["code"], "PLUGIN_CHANGED", "{failed}");
    home.opcode(&["plugins", "approve", "p"]).ended(0);
    assert_eq!(output(&server, "p.echo", json!({}))["status"], "completed");
}

#[test]
fn what_does_not_come_up_is_not_added() {
    let home = Home::new();
    let server = Server::start(&home);
    for (behaviour, said) in [("dead", "I never wanted to be born"), ("flighty", "status 1")] {
        let refused = add(&home, &server, "p", behaviour, &json!({}));
        assert!(refused["body"]["error"]["message"].as_str().unwrap().contains(said), "{refused}");
    }
    let missing = home.opcode(&["plugins", "add", "p", "--", "/no/such/program"]).ended(2).err;
    assert!(missing.contains("executable file not found"), "{missing}");
    let wrong = home.opcode(&["plugins", "add", "http", "--", "sh"]).ended(2).err;
    assert!(wrong.contains("actions of our own"), "{wrong}");
    assert_eq!(server.get("/api/v1/plugins").json()["plugins"], json!([]));
    assert_eq!(home.opcode(&["plugins", "logs", "p"]).code, 2);
}

#[test]
fn a_crash_loop_is_stopped_and_told() {
    let home = Home::new();
    let mut entry = rogue::entry("dead", &home.path(""));
    entry["timeout"] = json!("1s");
    let settings = json!({"plugins": {"p": entry, "q": rogue::entry("good", &home.path(""))}});
    fs::create_dir_all(home.path("home")).unwrap();
    fs::write(home.path("home/settings.json"), settings.to_string()).unwrap();
    let server = Server::start(&home);
    until_state(&server, "q", "ready");
    let unmet = run(&server, &step("p.echo", json!({}))).to_string();
    assert!(
        unmet.contains("has not told its tools yet") && unmet.contains("never wanted"),
        "{unmet}"
    );
    let told = until_state(&server, "p", "stopped");
    assert!(told["reason"].as_str().unwrap().contains("5 times in a row"), "{told}");
    let logs = home.opcode(&["plugins", "logs", "p"]).ended(0).out;
    assert!(logs.contains("never wanted to be born") && logs.contains("-- stopped"), "{logs}");
    let stays = home.opcode(&["plugins", "remove", "p"]).ended(2).err;
    assert!(stays.contains("settings"), "{stays}");
    assert_eq!(output(&server, "q.echo", json!({}))["status"], "completed");
}

#[test]
fn secrets_reach_the_plugin_and_nobody_else() {
    let mut home = Home::new();
    home.env = vec![("OPCODE_VAULT_KEY".to_owned(), "open sesame".to_owned())];
    let server = Server::start(&home);
    let content = "CANARY-plugin-1f4e";
    home.feed(&["secrets", "set", "KEY"], content).ended(0);
    let mut env = rogue::entry("good", &home.path(""))["env"].clone();
    env["KEY"] = json!("Bearer ${{secrets.KEY}}");
    assert_eq!(add(&home, &server, "p", "good", &json!({"env": env}))["status"], 201);
    let told = output(&server, "p.env", json!({"text": "KEY"}));
    assert_eq!(told["output"]["content"][0]["text"], "Bearer [secret]", "{told}");
    // The vault's passphrase is in no child.
    let told = output(&server, "p.env", json!({"text": "OPCODE_VAULT_KEY"}));
    assert_eq!(told["output"]["content"][0]["text"], "", "{told}");
    let err = server.stop().err;
    assert!(!err.contains(content), "{err}");
    for name in ["opcode.db", "opcode.db-wal"] {
        let bytes = fs::read(home.path("home").join(name)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains(content), "{name}");
    }
    home.feed(&["secrets", "grant", "KEY", "--action", "http.*"], "").ended(0);
    let server = Server::start(&home);
    let told = until("it is refused", || {
        let told = plugin(&server, "p");
        (!told["reason"].is_null()).then_some(told)
    });
    assert!(told["reason"].as_str().unwrap().contains("KEY"), "{told}");
}

#[test]
fn another_server_of_ours_is_a_plugin_over_http() {
    let (home, other) = (Home::new(), Home::new());
    let (server, far) = (Server::start(&home), Server::start(&other));
    far.post(
        "/api/v1/templates",
        &json!({"name": "far", "definition": step("crypto.uuid", json!({}))}),
    )
    .is(201);
    let url = format!("http://{}/mcp", far.address);
    let said = home.opcode(&["plugins", "add", "far", "--url", &url]).ended(0);
    assert!(said.out.contains("far.opcode.run"), "{said:?}");
    let params = json!({"template_name": "far", "agent_id": "near"});
    let ran = output(&server, "far.opcode.run", params.clone());
    assert_eq!(ran["output"]["structuredContent"]["status"], "completed", "{ran}");
    assert_eq!(plugin(&server, "far")["protocol"], "2026-07-28");
    // It goes away, and comes back at the same place.
    let address = far.address.to_string();
    far.kill();
    let failed = output(&server, "far.opcode.run", params.clone());
    assert_eq!(failed["status"], "failed", "{failed}");
    let _far = Server::with(&other, &["--listen-addr", &address]);
    until("it is reached again", || {
        (output(&server, "far.opcode.run", params.clone())["status"] == "completed").then_some(())
    });
    // Our own address is no plugin.
    let own = format!("http://{}/mcp", server.address);
    let refused = home.opcode(&["plugins", "add", "own", "--url", &own]).ended(2).err;
    assert!(refused.contains("forbidden"), "{refused}");
}

#[test]
fn only_administrators_change_plugins() {
    let home = Home::new();
    let server = Server::start(&home);
    let viewer = crate::tokens::token(&home, "looker", &["--role", "viewer"]);
    let agent = crate::tokens::token(&home, "doer", &["--role", "agent"]);
    let entry = rogue::entry("good", &home.path("")).to_string();
    for token in [&viewer, &agent] {
        let with = |method: &str, path: &str, body: &str| {
            let ask = Ask::new(method, path, body)
                .with("content-type", "application/json")
                .with("authorization", &format!("Bearer {token}"));
            server.send(&ask).status
        };
        assert_eq!(with("GET", "/api/v1/plugins", ""), 200);
        assert_eq!(with("PUT", "/api/v1/plugins/p", &entry), 403);
        for (method, end) in
            [("DELETE", ""), ("POST", "/restart"), ("POST", "/approve"), ("GET", "/log")]
        {
            assert_eq!(with(method, &format!("/api/v1/plugins/p{end}"), ""), 403, "{method} {end}");
        }
    }
    assert_eq!(server.get("/api/v1/plugins").json()["plugins"], json!([]));
}

#[test]
fn what_ran_with_a_plugin_is_read_and_cancelled_without_it() {
    let home = Home::new();
    let server = Server::start(&home);
    add(&home, &server, "p", "good", &json!({}));
    let done = run(&server, &step("p.echo", json!({"text": "x"})));
    let body = json!({"definition": step("p.hang", json!({})), "wait": "0s"});
    let hanging = server.post("/api/v1/workflows", &body).json();
    let (done, hanging) =
        (done["workflow_id"].as_str().unwrap(), hanging["workflow_id"].as_str().unwrap());
    until("it hangs", || fs::read_to_string(home.path("notes")).ok());
    server.kill();
    home.opcode(&["plugins", "remove", "p"]).ended(0);
    let server = Server::start(&home);
    assert_eq!(home.status(done)["status"], "completed");
    // What was on its way is asked for again, and fails clearly: nobody is there to do it.
    let failed = until("it failed", || {
        let told = home.status(hanging);
        (told["status"] == "failed").then_some(told)
    });
    assert_eq!(failed["steps"]["it"]["error"]["code"], "ACTION_UNAVAILABLE", "{failed}");
    assert!(run(&server, &step("p.hang", json!({}))).to_string().contains("does not exist"));
}

#[test]
fn a_plugin_that_hangs_keeps_nobody_waiting() {
    let home = Home::new();
    let server = Server::with(&home, &["--listen-addr", "127.0.0.1:0", "--pool-size", "2"]);
    add(&home, &server, "slow", "good", &json!({}));
    add(&home, &server, "quick", "good", &json!({}));
    for _ in 0..70 {
        server.post(
            "/api/v1/workflows",
            &json!({"definition": step("slow.hang", json!({})), "wait": "0s"}),
        );
    }
    assert_eq!(output(&server, "quick.echo", json!({}))["status"], "completed");
    assert_eq!(output(&server, "shell.exec", json!({"command": "true"}))["status"], "completed");
}

#[test]
fn who_leaves_while_adding_leaves_nothing_half_done() {
    let home = Home::new();
    let server = Server::start(&home);
    let entry = rogue::entry("late", &home.path(""));
    let ask = Ask { method: "PUT".to_owned(), ..Ask::post("/api/v1/plugins/p", &entry) };
    drop(ask.begin(server.address));
    until("it was begun", || {
        let refused = add(&home, &server, "p", "good", &json!({}));
        (refused["status"] == 409).then_some(())
    });
    until_state_of_any(&server, "p");
    assert_eq!(output(&server, "p.echo", json!({}))["status"], "completed");
}

/// Waits until a plugin is there.
fn until_state_of_any(server: &Server, name: &str) {
    until(&format!("{name} is there"), || {
        (server.get(&format!("/api/v1/plugins/{name}")).status == 200).then_some(())
    });
}

#[test]
fn an_approval_that_fails_approves_nothing() {
    let home = Home::new();
    let script = home.path("server.sh");
    let rogue = rogue::entry("good", &home.path(""));
    let words: Vec<&str> =
        rogue["args"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let line = format!("exec {} {}\n", rogue["command"].as_str().unwrap(), words.join(" "));
    fs::write(&script, &line).unwrap();
    let server = Server::start(&home);
    let entry = json!({"command": "sh", "args": [script]});
    assert_eq!(add(&home, &server, "p", "good", &entry)["status"], 201);
    fs::write(&script, "exit 3\n").unwrap();
    home.opcode(&["plugins", "restart", "p"]).ended(2);
    home.opcode(&["plugins", "approve", "p"]).ended(2);
    // Another program at the same place is still another one.
    fs::write(&script, format!("{line}#\n")).unwrap();
    let refused = home.opcode(&["plugins", "restart", "p"]).ended(2).err;
    assert!(refused.contains("[PLUGIN_CHANGED]"), "{refused}");
    fs::write(&script, &line).unwrap();
    home.opcode(&["plugins", "restart", "p"]).ended(0);
    assert_eq!(output(&server, "p.echo", json!({}))["status"], "completed");
}

#[test]
fn what_a_plugin_tells_of_a_steps_secrets_is_told_to_nobody() {
    let mut home = Home::new();
    home.env = vec![("OPCODE_VAULT_KEY".to_owned(), "open sesame".to_owned())];
    let server = Server::start(&home);
    let content = "CANARY-step-77ab";
    home.feed(&["secrets", "set", "KEY"], content).ended(0);
    add(&home, &server, "p", "good", &json!({}));
    let told = output(&server, "p.tell", json!({"text": "${{secrets.KEY}}"}));
    assert_eq!(told["status"], "completed", "{told}");
    let logs = until("it is in the log", || {
        let logs = home.opcode(&["plugins", "logs", "p"]).ended(0).out;
        logs.contains("working on").then_some(logs)
    });
    assert!(logs.contains("working on [secret]") && !logs.contains(content), "{logs}");
    let crashed = output(&server, "p.crash", json!({})).to_string();
    assert!(!crashed.contains("working on"), "{crashed}");
    assert!(!server.stop().err.contains(content));
}
