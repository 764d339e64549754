//! A server of the protocol's own, from npm, as a plugin of the binary.
//!
//! Keeps: what its tools answer is asserted, and that a call of it ends when its time is up.
//! Not here: plugins that misbehave, and those over HTTP (`crates/opcode/tests/face`); over HTTP this one listens to the world.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Judges, Scratch, Verdict};

/// The server, below `@modelcontextprotocol`.
const EVERYTHING: &str = "server-everything/dist/index.js";

/// A definition, how the command ends that runs it, and what it says.
const RUNS: [(&str, &str, i32, &str); 3] = [
    (
        "a tool's answer is the next one's parameter",
        r#"{"steps": [
            {"id": "echo", "action": "every.echo", "params": {"message": "20"}},
            {"id": "sum", "action": "every.get-sum", "depends_on": ["echo"],
             "params": {"a": "${{size(steps.echo.output.content[0].text)}}", "b": 34}}]}"#,
        0,
        "The sum of 8 and 34 is 42",
    ),
    (
        "what does not fit its schema is refused",
        r#"{"steps": [{"id": "sum", "action": "every.get-sum", "params": {"a": "x", "b": 1}}]}"#,
        2,
        "/steps/0/params/a",
    ),
    (
        "a call ends when its time is up",
        r#"{"steps": [{"id": "long", "action": "every.trigger-long-running-operation", "timeout": "1s",
            "params": {"duration": 60, "steps": 60}}]}"#,
        1,
        "TIMEOUT_ERROR",
    ),
];

/// What came of it, each with its name.
pub(super) fn judge(
    judges: &Judges,
    scratch: &Scratch,
    opcode: &Path,
) -> Result<Vec<Verdict>, String> {
    let db = scratch.0.join("plugins.db");
    let call = |words: &[&str]| {
        let mut command = Command::new(opcode);
        command.arg("--db-path").arg(&db).args(words);
        command
    };
    let node = judges.node(EVERYTHING);
    let program: Vec<&str> = std::iter::once(node.get_program())
        .chain(node.get_args())
        .filter_map(|it| it.to_str())
        .collect();
    let mut add = call(&["plugins", "add", "every", "--"]);
    add.args(&program).arg("stdio");
    let added = ended(scratch.homed(&mut add), 0, "every.get-sum");
    let mut verdicts = vec![("plugin: it is added".to_owned(), added)];
    for (what, definition, status, said) in RUNS {
        let file = scratch.0.join("plugin.json");
        fs::write(&file, definition)
            .map_err(|cause| format!("could not write a definition: {cause}"))?;
        let mut run = call(&["run", &file.to_string_lossy(), "--json"]);
        verdicts.push((format!("plugin: {what}"), ended(scratch.homed(&mut run), status, said)));
    }
    Ok(verdicts)
}

/// Whether a command ends like this and says this.
fn ended(command: &mut Command, status: i32, said: &str) -> Result<(), String> {
    let ended = command.stdin(Stdio::null()).output();
    let ended = ended.map_err(|cause| format!("could not run opcode: {cause}"))?;
    let (out, err) =
        (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    if ended.status.code() == Some(status) && (out.contains(said) || err.contains(said)) {
        return Ok(());
    }
    Err(format!("{}, not {status} with {said:?}\n{out}{err}", ended.status))
}
