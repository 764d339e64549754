//! The skill: every block of JSON in it is read, every workflow and every call of a tool is done by the product.
//!
//! Keeps: calls of one file go to one server, in order; `WORKFLOW_ID` is the last run's.
//! Not here: whether it teaches well.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::kit::Home;
use crate::mcp::Client;
use crate::server::Server;

/// A fenced block of JSON: its place, what stands behind `json`, and what it holds.
struct Block {
    place: String,
    kind: String,
    json: Json,
}

fn skill() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills/opcode")
}

/// The skill's files, and what they say.
fn files() -> Vec<(String, String)> {
    let references = fs::read_dir(skill().join("references")).unwrap();
    let paths = references.map(|entry| entry.unwrap().path()).chain([skill().join("SKILL.md")]);
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    paths.map(named).collect()
}

fn blocks(name: &str, text: &str) -> Vec<Block> {
    let (mut found, mut open) = (Vec::new(), None::<(usize, String, String)>);
    for (at, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => open = Some((at + 1, info.to_owned(), String::new())),
            (Some((from, info, body)), Some(_)) => {
                if let Some(kind) = info.strip_prefix("json") {
                    let place = format!("{name}:{from}");
                    let json = serde_json::from_str(body)
                        .unwrap_or_else(|cause| panic!("{place} is not JSON: {cause}"));
                    found.push(Block { place, kind: kind.trim().to_owned(), json });
                }
                open = None;
            }
            (Some((_, _, body)), None) => *body += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a fence without its end");
    found
}

#[test]
fn every_workflow_of_the_skill_does_what_it_says() {
    // Checked by itself, without a store: nobody knows then which templates there will be.
    let (home, bare) = (Home::new(), Home::new());
    let mut done = [0; 3];
    for (name, text) in files() {
        for block in blocks(&name, &text).iter().filter(|it| it.json.get("steps").is_some()) {
            let text = block.json.to_string();
            let file = home.file("workflow.json", &text);
            assert_eq!(bare.file("workflow.json", &text), file);
            let checked = bare.opcode(&["define", "--dry-run", &file]);
            assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{}", block.place);
            let (code, which) = match block.kind.as_str() {
                "" => (Some(0), 0),
                "suspends" => (Some(3), 1),
                "checked" => (None, 2),
                other => panic!("{}: what is `json {other}`?", block.place),
            };
            done[which] += 1;
            if let Some(code) = code {
                let said = home.opcode(&["run", &file, "--json"]);
                assert_eq!(said.code, code, "{}: {said:?}", block.place);
            }
        }
    }
    assert!(
        done[0] >= 10 && done[1] >= 1,
        "workflows that complete, suspend, are checked: {done:?}"
    );
}

#[test]
fn every_call_of_the_skill_is_answered() {
    let mut called = 0;
    for (name, text) in files() {
        let blocks = blocks(&name, &text);
        let calls: Vec<&Block> = blocks.iter().filter(|it| it.kind == "call").collect();
        if calls.is_empty() {
            continue;
        }
        let home = Home::new();
        let server = Server::start(&home);
        let client = Client::modern(&server);
        let mut run = String::new();
        for Block { place, json, .. } in calls {
            let arguments = json["arguments"].to_string().replace("WORKFLOW_ID", &run);
            let arguments: Json = serde_json::from_str(&arguments).unwrap();
            let answer = client.tool(json["tool"].as_str().unwrap(), arguments);
            assert_ne!(answer["isError"], true, "{place}: {answer}");
            if json["tool"] == "opcode.run" {
                answer["structuredContent"]["workflow_id"].as_str().unwrap().clone_into(&mut run);
            }
            called += 1;
        }
    }
    assert!(called >= 10, "{called}");
}

#[test]
fn the_skill_is_as_long_as_it_may_be_and_its_links_lead_somewhere() {
    let main = fs::read_to_string(skill().join("SKILL.md")).unwrap();
    assert!(main.lines().count() <= 500);
    // 5,000 tokens; of English and JSON, tokenizers make at least three bytes each.
    assert!(main.len() <= 15_000, "{} bytes", main.len());
    let description = main.lines().find_map(|line| line.strip_prefix("description: ")).unwrap();
    assert!(description.chars().count() <= 1_024 && main.contains("\nname: opcode\n"));
    for (name, text) in files() {
        let folder = if name == "SKILL.md" { skill() } else { skill().join("references") };
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            let leads = link.starts_with("http") || path.is_empty() || folder.join(path).exists();
            assert!(leads, "{name}: {link} leads nowhere");
            assert!(!path.contains(".."), "{name}: {link} leaves the skill");
        }
    }
}

#[test]
fn what_the_skill_says_of_clients_is_what_the_product_prints() {
    let home = Home::new();
    let text = fs::read_to_string(skill().join("references/connect.md")).unwrap();
    let blocks = blocks("connect.md", &text);
    for client in ["claude-code", "cursor", "vscode", "gemini"] {
        let url = "http://127.0.0.1:4100";
        let printed =
            home.opcode(&["mcp-config", "--client", client, "--url", url]).ended(0).json();
        let is_there = blocks.iter().any(|block| block.json == printed);
        assert!(is_there, "{client}: {}", json!(printed));
    }
}
