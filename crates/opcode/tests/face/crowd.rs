//! Many at once, and some who do not read: nobody waits for anybody else, and memory has bounds.
//!
//! Keeps: counts and promises are asserted, never times.
//! Not here: how fast it is (`bench served`).

use std::fs;
use std::thread;

use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{ASKS, Home, until};
use crate::mcp::Client;
use crate::server::Server;

const AGENTS: usize = 50;

/// Megabytes a process has in memory.
fn resident_mb(pid: &Json) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1_024
}

#[test]
fn fifty_agents_at_once_each_come_to_the_end() {
    let home = Home::new();
    let server = Server::start(&home);
    Client::modern(&server).define("gate", ASKS);
    let agent = |n: usize| {
        // Half of them speak as clients did last year.
        let client = match n % 2 {
            0 => Client::modern(&server),
            _ => Client::legacy(&server, "2025-06-18"),
        };
        let me = format!("agent-{n}");
        let run = client.good("opcode.run", json!({"template_name": "gate", "agent_id": me}));
        assert_eq!(run["status"], "suspended", "{run}");
        let id = run["workflow_id"].as_str().unwrap().to_owned();
        let signal = json!({"workflow_id": id, "signal_type": "decision", "step_id": "ask",
            "payload": {"choice": if n.is_multiple_of(3) { "no" } else { "yes" }}, "agent_id": me});
        let done = client.good("opcode.signal", signal);
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(done["steps"]["ask"]["output"]["resolved_by"], me.as_str(), "{done}");
        id
    };
    let ids: Vec<String> = thread::scope(|scope| {
        let agents: Vec<_> = (0..AGENTS).map(|n| scope.spawn(move || agent(n))).collect();
        agents.into_iter().map(|agent| agent.join().unwrap()).collect()
    });
    let found = server.get("/api/v1/workflows?status=completed&limit=1000").is(200).json();
    assert_eq!(found["workflows"].as_array().unwrap().len(), AGENTS);
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), AGENTS);
    server.stop().ended(0);
    assert!(home.opcode(&["verify"]).ended(0).out.contains("no damage"));
    assert!(home.opcode(&["audit", "--verify"]).ended(0).out.contains("whole: 101 lines"));
}

#[test]
fn who_does_not_read_costs_little_and_stops_nobody() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    // Each step's output is 100 kB, so that what is told to readers would be much.
    let text = "x".repeat(100_000);
    let step = |n: usize| json!({"id": format!("s{n}"), "action": "expr.eval", "params": {"expression": "inputs.text"}});
    let definition =
        json!({"inputs": {"text": text}, "steps": (0..40).map(step).collect::<Vec<_>>()});
    client
        .good("opcode.define", json!({"name": "much", "agent_id": "a", "definition": definition}));
    let run = || {
        let run = client.good("opcode.run", json!({"template_name": "much", "agent_id": "a"}));
        assert_eq!(run["status"], "completed", "{}", run["status"]);
        run["workflow_id"].as_str().unwrap().to_owned()
    };
    // Until caches and the allocator have what they keep.
    let ids: Vec<String> = (0..20).map(|_| run()).collect();
    let before = resident_mb(&server.said["pid"]);
    let stream = Ask::get(&format!("/api/v1/workflows/{}/stream", ids[0]));
    let old = Ask::get("/sse");
    let silent: Vec<_> =
        (0..20).flat_map(|_| [stream.begin(server.address), old.begin(server.address)]).collect();
    (0..10).for_each(|_| drop(run()));
    let after = resident_mb(&server.said["pid"]);
    // Twenty streams are owed 4 MB each of that run, and the old ones 40 MB each of the others.
    assert!(after < before + 200, "{before} MB before, {after} MB after");
    drop(silent);
    server.get("/readyz").is(200);
    server.stop().ended(0);
}

#[test]
fn what_vanishes_is_let_go_of() {
    let home = Home::new();
    let server = Server::start(&home);
    Client::modern(&server).define("gate", ASKS);
    for _ in 0..30 {
        drop(Ask::get("/sse").open(server.address));
        let client = Client::legacy(&server, "2025-06-18");
        client.good("opcode.query", json!({"resource": "templates"}));
    }
    let open = || {
        let listed = fs::read_dir(format!("/proc/{}/fd", server.said["pid"])).unwrap();
        listed
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter(|target| target.to_string_lossy().starts_with("socket:"))
            .count()
    };
    // The one that listens, and a few of the process itself.
    until("their connections are closed", || (open() <= 6).then_some(()));
}
