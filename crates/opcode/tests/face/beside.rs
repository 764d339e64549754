//! The command line beside a server: the same commands, the same answers.
//!
//! Keeps: what is done is done by the server; a command that ends early stops nothing.
//! Not here: commands that hold the store themselves (`tests/it`).

use rustix::process::Signal;
use serde_json::json;

use crate::kit::{ASKS, Home};
use crate::server::Server;

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
