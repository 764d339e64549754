//! Sets the stage for an example: `cargo run -q -p opcode --example stage -- order-report [CASE]` starts a server with
//! the story's answers and prints the commands to type.
//!
//! Keeps: what it answers is what the tests play; it ends with Ctrl-C or at the end of its input.
//! Not here: playing it by itself (`tests/examples/`).

use std::io::{self, Read, Write};
use std::path::Path;

#[path = "../tests/examples/server.rs"]
#[expect(dead_code, reason = "the tests ask it what it saw")]
mod server;
#[path = "../tests/examples/story.rs"]
#[expect(dead_code, reason = "the tests compare the rest")]
mod story;

use server::Server;
use story::{Act, Case, Example};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (name, number) = (args.next().unwrap_or_default(), args.next());
    let number = number.and_then(|number| number.parse().ok()).unwrap_or(1_usize);
    let examples = story::all();
    let example = examples.iter().find(|example| example.name == name);
    let case = example
        .and_then(|example| Some((example, example.story.cases.get(number.checked_sub(1)?)?)));
    match case {
        Some((example, case)) => set(example, case),
        None => list(&examples),
    }
}

fn list(examples: &[Example]) -> io::Result<()> {
    let mut out = io::stdout();
    for example in examples {
        for (i, case) in example.story.cases.iter().enumerate() {
            writeln!(out, "{} {}  {}", example.name, i + 1, case.name)?;
        }
    }
    Ok(())
}

fn set(example: &Example, case: &Case) -> io::Result<()> {
    let server = Server::start(case.routes.clone());
    let dir = std::env::temp_dir().join(format!("opcode-{}", example.name));
    for (name, content) in &case.files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&dir))?;
        std::fs::write(path, content)?;
    }
    let mut out = io::stdout();
    writeln!(out, "# {}", case.name)?;
    let folder = format!("examples/{}", example.name);
    for (name, file) in &case.templates {
        writeln!(out, "opcode define {folder}/{file} --name {name}")?;
    }
    let params = case.params.to_string();
    let params = params.replace("$SERVER", &server.base()).replace("$DIR", &shown(&dir));
    writeln!(out, "opcode run {folder}/workflow.json --params {}", quoted(&params))?;
    for act in &case.acts {
        writeln!(out, "{}", command(act))?;
    }
    writeln!(out, "# {} answers; Ctrl-C ends it", server.base())?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn command(act: &Act) -> String {
    if act.signal.is_none() {
        return "opcode resume".to_owned();
    }
    let words: Vec<String> = act.words().iter().map(|word| quoted(word)).collect();
    let run = if act.in_child { "CHILD" } else { "RUN" };
    format!("opcode signal {run} {}", words.join(" "))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
