//! The command line beside a server: the same commands, the same answers.
//!
//! Keeps: what is done is done by the server; a command that ends early stops nothing.
//! Not here: commands that hold the store themselves (`tests/it`).

use rustix::process::Signal;
use serde_json::json;

use crate::http::Ask;
use crate::kit::{ASKS, Home};
use crate::server::Server;
use crate::tokens::token;

#[test]
fn a_template_is_defined_run_and_answered_through_the_server() {
    let home = Home::new();
    let server = Server::start(&home);
    let file = home.file("gate.json", ASKS);
    home.opcode(&["define", &file]).ended(0);
    assert_eq!(home.opcode(&["define", &file, "--json"]).ended(0).json()["version"], "v2");
    let run = home.opcode(&["run", "gate", "--json", "--agent", "ann"]).ended(3).json();
    assert_eq!(run["status"], "suspended", "{run}");
    let id = run["workflow_id"].as_str().unwrap();
    let seen = server.get(&format!("/api/v1/workflows/{id}")).is(200).json();
    assert_eq!(seen["status"], "suspended");
    home.opcode(&["signal", id, "decision", "ask", "perhaps"]).ended(2);
    let done = home.opcode(&["signal", id, "decision", "ask", "yes", "--json"]).ended(0).json();
    assert_eq!(done["status"], "completed", "{done}");
    home.opcode(&["run", &home.file("bad.json", r#"{"steps":[{"id":"a","action":"no.such"}]}"#)])
        .ended(2);
    home.opcode(&["run", "nothing"]).ended(2);
    server.stop().ended(0);
}

#[test]
fn a_command_that_ends_early_stops_nothing() {
    let home = Home::new();
    let server = Server::start(&home);
    let (started, id) = home.hold("run", &[]);
    started.signal(Signal::INT);
    let said = started.end().ended(130);
    assert!(said.err.contains("goes on where it runs"), "{said:?}");
    let late =
        home.opcode(&["run", "slow.json", "--params", &home.params(), "--wait", "50ms", "--json"]);
    assert_eq!(late.ended(3).json()["status"], "active");
    let begun =
        home.opcode(&["run", "slow.json", "--params", &home.params(), "--detach", "--json"]);
    let other = begun.ended(0).json()["workflow_id"].as_str().unwrap().to_owned();
    home.opcode(&["signal", &other, "cancel", "--json"]).ended(4);
    home.go();
    home.until_event(&id, "workflow_completed", "");
    let status = server.get(&format!("/api/v1/workflows/{id}")).json();
    assert_eq!(status["steps"]["after"]["status"], json!("completed"));
}

#[test]
fn watching_beside_a_server_tells_of_every_step_also_below() {
    let home = Home::new();
    let server = Server::start(&home);
    let child = home.file("child.json", r#"{"steps":[{"id":"inner","action":"crypto.uuid"}]}"#);
    home.opcode(&["define", &child, "--name", "child"]).ended(0);
    let parent = home.file("parent.json", r#"{"steps":[{"id":"first","action":"crypto.uuid"},
        {"id":"sub","action":"workflow.run","depends_on":["first"],"params":{"template_name":"child"}}]}"#);
    let said = home.opcode(&["run", &parent, "--watch", "--json"]).ended(0);
    assert_eq!(said.json()["status"], "completed");
    for line in [
        "step_completed         first",
        "child_started",
        "step_completed         inner",
        "workflow_completed",
    ] {
        assert!(said.err.contains(line), "{line} in {}", said.err);
    }
    server.stop().ended(0);
}

#[test]
fn every_command_asks_the_server_and_none_opens_its_store() {
    let home = Home::new();
    let server = Server::start(&home);
    let definition = json!({"steps": [{"id": "a", "action": "crypto.uuid"}]});
    server.post("/api/v1/templates", &json!({"name": "t", "definition": definition})).is(201);
    let file = home.file("t.json", &definition.to_string());
    let begun = home.opcode(&["run", "t", "--json"]).ended(0).json();
    let id = begun["workflow_id"].as_str().unwrap().to_owned();
    let looks: [&[&str]; 18] = [
        &["status", &id],
        &["events", &id],
        &["diagram", &id],
        &["diagram", "t"],
        &["query", "workflows"],
        &["query", "events"],
        &["query", "templates"],
        &["query", "decisions", "--all"],
        &["query", "agents"],
        &["query", "actions", "--name", "http"],
        &["tokens", "list"],
        &["secrets", "list"],
        &["plugins", "list"],
        &["audit"],
        &["verify"],
        &["backup", "copy.db"],
        &["define", &file, "--dry-run"],
        &["run", "t"],
    ];
    for words in looks {
        let trace = home.path("trace");
        let mut command = std::process::Command::new("strace");
        command.args(["-f", "-e", "trace=open,openat", "-o"]).arg(&trace);
        let plain = home.command(words);
        command.arg(plain.get_program()).args(plain.get_args()).current_dir(home.path(""));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("OPCODE_HOME", home.path("home"));
        let said = command.output().unwrap();
        assert!(said.status.success(), "{words:?}: {said:?}");
        let opened = std::fs::read_to_string(&trace).unwrap();
        assert!(opened.contains("opcode.db.serve.json"), "{words:?} did not look for the server");
        let its = |line: &&str| line.contains("opcode.db\"") || line.contains("opcode.db-wal");
        let touched: Vec<&str> = opened.lines().filter(its).collect();
        assert!(touched.is_empty(), "{words:?} opens the store: {touched:?}");
    }
}

#[test]
fn who_may_look_may_look_with_the_command_line_too() {
    let mut home = Home::new();
    home.env = vec![("OPCODE_VAULT_KEY".to_owned(), "open sesame".to_owned())];
    let viewer = token(&home, "looker", &["--role", "viewer"]);
    let admin = token(&home, "boss", &["--role", "admin"]);
    home.feed(&["secrets", "set", "KEY"], "content").ended(0);
    let server = Server::start(&home);
    let definition = json!({"steps": [{"id": "a", "action": "crypto.uuid"}]});
    let ask = Ask::post("/api/v1/workflows", &json!({"definition": definition, "wait": "10s"}));
    let begun = server.send(&ask.with("authorization", &format!("Bearer {admin}"))).json();
    let id = begun["workflow_id"].as_str().unwrap();
    home.env.push(("OPCODE_TOKEN".to_owned(), viewer.clone()));
    home.opcode(&["status", id]).ended(0);
    home.opcode(&["events", id]).ended(0);
    for words in [&["secrets", "list"][..], &["tokens", "list"], &["audit"], &["verify"]] {
        let refused = home.opcode(words);
        assert!(
            refused.code != 0 && refused.err.contains("takes the role"),
            "{words:?} {refused:?}"
        );
    }
    // Nobody is shown what seals secrets or lets people in, however he asks.
    for kind in ["secret", "token", "key"] {
        for look in ["list", "find"] {
            let ask = Ask::post("/api/v1/look", &json!({"look": look, "at": [kind, ""]}));
            let refused = server.send(&ask.with("authorization", &format!("Bearer {admin}")));
            assert_eq!(
                (refused.status, refused.json()["error"]["code"].as_str()),
                (403, Some("PERMISSION_DENIED"))
            );
        }
    }
    let ask = Ask::post("/api/v1/look", &json!({"look": "through the wall"}));
    assert_eq!(server.send(&ask.with("authorization", &format!("Bearer {viewer}"))).status, 400);
}
