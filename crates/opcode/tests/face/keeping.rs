//! Copies of a store that is served, and room made in it.
//!
//! Keeps: the server does what changes the store; a copy needs nobody.
//! Not here: what goes and what stays (`tests/it`).

use std::fs;

use serde_json::json;

use crate::http::Ask;
use crate::kit::{ASKS, Home, PURE, until};
use crate::server::Server;

#[test]
fn a_served_store_is_copied_while_it_works() {
    let home = Home::new();
    let server = Server::start(&home);
    let definition: serde_json::Value = serde_json::from_str(PURE).unwrap();
    let body = json!({"definition": definition});
    let start = || {
        let answer = server.post("/api/v1/workflows", &body).json();
        answer["workflow_id"].as_str().unwrap().to_owned()
    };
    let (mut acknowledged, mut copies) = (Vec::new(), 0);
    for n in 0..40 {
        acknowledged.push(start());
        if n % 20 == 19 {
            let copy = home.path(&format!("copy-{n}.db"));
            home.opcode(&["backup", copy.to_str().unwrap()]).ended(0);
            let other = Home::new();
            other.opcode(&["restore", copy.to_str().unwrap()]).ended(0);
            other.opcode(&["verify"]).ended(0);
            let all =
                other.opcode(&["query", "workflows", "--limit", "100", "--json"]).ended(0).out;
            assert!(acknowledged.iter().all(|id| all.contains(id.as_str())), "{all}");
            copies += 1;
        }
    }
    assert_eq!(copies, 2);
    server.stop().ended(0);
}

#[test]
fn a_server_makes_room_when_it_is_asked_and_by_itself() {
    let home = Home::new();
    let server = Server::start(&home);
    let pure = home.file("pure.json", PURE);
    let id = home.opcode(&["run", &pure, "--json"]).ended(0).json()["workflow_id"].clone();
    home.opcode(&["run", &home.file("asks.json", ASKS)]).ended(3);
    server.post("/api/v1/vacuum", &json!({"keep": "soon"})).is(400);
    let said = home.opcode(&["vacuum", "--keep", "0", "--json"]).ended(0).json();
    assert_eq!(said["deleted"], 1, "{said}");
    let path = format!("/api/v1/workflows/{}", id.as_str().unwrap());
    server.get(&path).is(404);
    let signal = json!({"signal_type": "cancel"});
    server.send(&Ask::post(&format!("{path}/signals"), &signal)).is(404);
    home.opcode(&["run", &pure]).ended(0);
    server.stop().ended(0);

    fs::write(home.path("home/settings.json"), r#"{"keep": "0"}"#).unwrap();
    let server = Server::start(&home);
    until("the server has made room", || {
        let all = server.get("/api/v1/workflows").json();
        (all["workflows"].as_array().unwrap().len() == 1).then_some(())
    });
    server.stop().ended(0);
    home.opcode(&["verify"]).ended(0);
}

#[test]
fn templates_have_times_of_their_own() {
    let home = Home::new();
    let pure = home.file("pure.json", PURE);
    for name in ["short", "long", "other"] {
        home.opcode(&["define", &pure, "--name", name]).ended(0);
        home.opcode(&["run", name]).ended(0);
    }
    let settings = |retention: &str| {
        let text = format!(r#"{{"keep": "0", "retention": {retention}}}"#);
        fs::write(home.path("home/settings.json"), text).unwrap();
    };
    settings(r#"{"short": {"keep": "a while"}}"#);
    let said = home.opcode(&["serve"]).ended(2);
    assert!(said.err.contains("a span is like 30d"), "{said:?}");
    settings(r#"{"short": {"keep": "0"}, "long": {"keep": "1d"}, "other": {"keep": null}}"#);
    home.opcode(&["run", &pure]).ended(0);
    let server = Server::start(&home);
    let left = until("the server has made room", || {
        let all = server.get("/api/v1/workflows").json();
        let all = all["workflows"].as_array().unwrap().clone();
        (all.len() == 2).then_some(all)
    });
    let names: Vec<_> = left.iter().map(|one| one["template_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["other", "long"]);
    server.stop().ended(0);
}
