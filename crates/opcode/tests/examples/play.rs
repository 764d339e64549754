//! Plays one case: prepares, runs, says what is to be said, and gathers everything that differs.
//!
//! Keeps: a case ends with the first command that answers something else; the rest would only confuse.
//! Not here: comparing (`check.rs`).

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::check;
use crate::cli::{Opcode, Reply};
use crate::server::Server;
use crate::story::{Act, Case, Example, Expect, json};

/// How long a run may take to come to where it should be.
const PATIENCE: Duration = Duration::from_secs(30);

/// What differs from the story; nothing, if all is well.
pub(crate) fn case(example: &Example, case: &Case) -> Vec<String> {
    let stage = Stage::new(case);
    for (name, file) in &case.templates {
        let file = example.folder.join(file);
        let reply = stage.opcode.call("define", &[&file.to_string_lossy(), "--name", name]);
        if reply.exit != Some(0) {
            return vec![format!("template {name} cannot be defined: {}", reply.said)];
        }
    }
    let file = example.folder.join("workflow.json");
    let params = stage.filled(&case.params).to_string();
    let run = stage.opcode.follow("run", &[&file.to_string_lossy(), "--params", &params]);
    let wrong = stage.compare(&run, &case.run);
    if !wrong.is_empty() {
        return wrong;
    }
    let run = run.json["workflow_id"].as_str().unwrap_or_default().to_owned();
    for act in &case.acts {
        let reply = match &act.signal {
            Some(_) => stage.signal(&run, act),
            None => stage.go_on(&run, act.expect.as_ref()),
        };
        let wrong = act.expect.as_ref().map(|expect| stage.compare(&reply, expect));
        if let Some(wrong) = wrong.filter(|wrong| !wrong.is_empty()) {
            return wrong;
        }
    }
    let mut wrong = check::server(&stage.server, case);
    wrong.extend(check::files(stage.dir.path(), case));
    wrong
}

/// A server, a folder and a store for one case.
struct Stage {
    server: Server,
    dir: TempDir,
    opcode: Opcode,
}

impl Stage {
    fn new(case: &Case) -> Self {
        let dir = TempDir::new().expect("a folder");
        for (name, content) in &case.files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
            fs::write(path, content).expect("a file");
        }
        let store = dir.path().join(".store/opcode.db");
        Self { server: Server::start(case.routes.clone()), opcode: Opcode { store }, dir }
    }

    /// The value with `$SERVER` and `$DIR` filled in.
    fn filled(&self, value: &Value) -> Value {
        let dir = self.dir.path().to_string_lossy();
        let text = value.to_string();
        let text = text.replace("$SERVER", &self.server.base()).replace("$DIR", &dir);
        serde_json::from_str(&text).expect("still JSON")
    }

    fn compare(&self, reply: &Reply, expect: &Expect) -> Vec<String> {
        let output = expect.output.as_ref().map(|output| self.filled(output));
        check::reply(reply, &Expect { output, ..expect.clone() })
    }

    fn signal(&self, run: &str, act: &Act) -> Reply {
        let child = act.in_child.then(|| self.asking_child(run));
        let run = child.as_deref().unwrap_or(run);
        let words = act.words();
        let args: Vec<&str> = [run].into_iter().chain(words.iter().map(String::as_str)).collect();
        self.opcode.follow("signal", &args)
    }

    /// The child whose decision is open.
    fn asking_child(&self, run: &str) -> String {
        let status = self.opcode.call("status", &[run]).json;
        let child = &status["pending_decisions"][0]["workflow_id"];
        child.as_str().unwrap_or_else(|| panic!("no open decision in {status:#}")).to_owned()
    }

    /// Lets every unfinished run go on until this one stands as expected, however long its timers take.
    fn go_on(&self, run: &str, expect: Option<&Expect>) -> Reply {
        let wanted = expect.and_then(|expect| expect.status.as_deref());
        let begun = Instant::now();
        loop {
            self.opcode.call("resume", &[]);
            let reply = self.opcode.call("status", &[run]);
            let is_there = wanted.is_none_or(|wanted| reply.json["status"] == wanted);
            if is_there || begun.elapsed() > PATIENCE {
                // Its exit code says only that it could be looked at.
                return Reply { exit: None, ..reply };
            }
        }
    }
}

/// Warnings of `define`, by place, that the story does not know of; and those it waits for in vain.
pub(crate) fn warnings(example: &Example) -> Vec<String> {
    let dir = TempDir::new().expect("a folder");
    let opcode = Opcode { store: dir.path().join("opcode.db") };
    let mut found = Vec::new();
    for file in definitions(example) {
        let path = example.folder.join(&file);
        let reply = opcode.call("define", &[&path.to_string_lossy(), "--dry-run"]);
        if reply.exit != Some(0) {
            return vec![format!("{file} is refused: {}", reply.said)];
        }
        let warnings = reply.json["warnings"].as_array().cloned().unwrap_or_default();
        found.extend(warnings.iter().map(|warning| warning["path"].to_string()));
    }
    let known: Vec<String> = example
        .story
        .warnings
        .iter()
        .map(|place| Value::from(place.as_str()).to_string())
        .collect();
    if found == known { Vec::new() } else { vec![format!("warnings at {found:?}, not {known:?}")] }
}

/// The files of an example that hold definitions.
pub(crate) fn definitions(example: &Example) -> Vec<String> {
    let entries = fs::read_dir(&example.folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".json") && name != "story.json")
        .collect();
    names.sort();
    names
}

/// The features an example uses.
pub(crate) fn features(example: &Example) -> std::collections::BTreeSet<String> {
    let files = definitions(example);
    files.iter().flat_map(|file| crate::features::of(&json(&example.folder.join(file)))).collect()
}
