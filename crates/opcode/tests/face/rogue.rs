//! A plugin for the tests, well-behaved or not as it is told: this very program, started again.
//!
//! Keeps: it speaks the protocol by hand, so that it can break it.
//! Not here: what is expected of it (`plugins.rs`).

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

/// Says how it behaves.
pub(crate) const BEHAVIOUR: &str = "ROGUE";

/// The entry of a plugin that behaves like this; its notes go to `folder`.
pub(crate) fn entry(behaviour: &str, folder: &Path) -> Json {
    json!({
        "command": std::env::current_exe().unwrap(),
        "args": ["rogue::a_plugin_offers_each_tool_once", "--exact", "--nocapture"],
        "env": {BEHAVIOUR: behaviour, "NOTES": folder},
    })
}

/// Started by the tests as a plugin; by itself it looks at what it would offer.
#[test]
fn a_plugin_offers_each_tool_once() {
    let Ok(behaviour) = std::env::var(BEHAVIOUR) else {
        let tools = Rogue { behaviour: "good".to_owned(), grown: true }.tools();
        let names: Vec<_> =
            tools.as_array().unwrap().iter().map(|it| it["name"].as_str()).collect();
        let once: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((once.len(), names.contains(&Some("extra"))), (names.len(), true));
        return;
    };
    if behaviour == "dead" {
        eprintln!("I never wanted to be born");
        std::process::exit(7);
    }
    Rogue { behaviour, grown: false }.serve();
}

struct Rogue {
    behaviour: String,
    grown: bool,
}

fn say(message: &Json) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{message}").unwrap();
    out.flush().unwrap();
}

fn note(text: &str) {
    let path = Path::new(&std::env::var("NOTES").unwrap()).join("notes");
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{text}").unwrap();
}

fn text(said: &str) -> Json {
    json!({"content": [{"type": "text", "text": said}]})
}

impl Rogue {
    fn serve(&mut self) {
        for line in std::io::stdin().lock().lines() {
            let message: Json = serde_json::from_str(&line.unwrap()).unwrap();
            let id = message["id"].clone();
            match message["method"].as_str().unwrap_or_default() {
                "initialize" => {
                    if self.behaviour == "late" {
                        std::thread::park_timeout(Duration::from_secs(2));
                    }
                    say(&json!({"jsonrpc": "2.0", "id": id, "result": {
                        "protocolVersion": "2025-06-18",
                        "capabilities": {"tools": {"listChanged": true}},
                        "serverInfo": {"name": "rogue", "version": "1"},
                    }}));
                    if self.behaviour == "flighty" {
                        std::process::exit(1);
                    }
                }
                "tools/list" => {
                    say(&json!({"jsonrpc": "2.0", "id": id, "result": {"tools": self.tools()}}));
                }
                "tools/call" => self.call(&id, &message["params"]),
                "notifications/cancelled" => {
                    note(&format!("cancelled {}", message["params"]["requestId"]));
                }
                _ if !id.is_null() => say(&json!({"jsonrpc": "2.0", "id": id,
                    "error": {"code": -32601, "message": "no such method"}})),
                _ => {}
            }
        }
    }

    fn tools(&self) -> Json {
        let takes = json!({"type": "object", "properties": {
            "text": {"type": "string"}, "times": {"type": "integer", "minimum": 0}},
            "additionalProperties": false});
        let tool = |name: &str, hints: Json| json!({"name": name, "description": format!("does {name}"), "inputSchema": takes, "annotations": hints});
        let mut tools = vec![
            tool("echo", json!({"readOnlyHint": true})),
            tool("put", json!({"idempotentHint": true})),
        ];
        for name in [
            "add", "crash", "deep", "env", "fail", "flood", "fork", "hang", "huge", "junk",
            "refuse", "grow", "slow", "tell",
        ] {
            tools.push(tool(name, json!({})));
        }
        if self.grown || self.behaviour == "grown" {
            tools.push(tool("extra", json!({})));
            tools[0]["description"] = json!("does something else");
        }
        json!(tools)
    }

    fn call(&mut self, id: &Json, params: &Json) {
        let answer = |result: Json| say(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
        let given = params["arguments"]["text"].as_str().unwrap_or_default();
        match params["name"].as_str().unwrap() {
            "crash" => std::process::exit(9),
            "hang" => note(&format!("hanging {id}")),
            "fail" => answer(
                json!({"isError": true, "content": [{"type": "text", "text": "it is broken"}]}),
            ),
            "tell" => {
                eprintln!("working on {given}");
                answer(text("done"));
            }
            "refuse" => say(
                &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32000, "message": "not today"}}),
            ),
            "env" => answer(text(&std::env::var(given).unwrap_or_default())),
            "put" => answer(
                json!({"content": [], "structuredContent": {"key": params["_meta"]["opcode/idempotency_key"]}}),
            ),
            "slow" => {
                for part in 1..=3 {
                    say(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                        "progressToken": params["_meta"]["progressToken"],
                        "progress": part, "total": 3, "message": format!("part {part}")}}));
                    std::thread::park_timeout(Duration::from_millis(400));
                }
                answer(text("done"));
            }
            "deep" => {
                let deep = "[".repeat(100) + &"]".repeat(100);
                let deep: Json = serde_json::from_str(&deep).unwrap();
                answer(json!({"content": [], "structuredContent": deep}));
            }
            "flood" => loop {
                say(
                    &json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}),
                );
            },
            "huge" => {
                let mut out = std::io::stdout().lock();
                let part = vec![b'x'; 1 << 20];
                while out.write_all(&part).is_ok() {}
            }
            "junk" => {
                let mut out = std::io::stdout().lock();
                out.write_all(
                    b"\xff\xfe\n{\"half\": \n[]\n{\"jsonrpc\":\"2.0\",\"id\":777,\"result\":{}}\n",
                )
                .unwrap();
                drop(out);
                answer(text("after the junk"));
                answer(text("said twice"));
            }
            "fork" => {
                std::process::Command::new("setsid").args(["sleep", "4711"]).spawn().unwrap();
                std::process::exit(0);
            }
            "grow" => {
                self.grown = true;
                say(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
                answer(text("grown"));
            }
            name => answer(text(&format!("{name} {given}"))),
        }
    }
}
