//! `cargo xt mcp`: what the protocol's own judges say of the binary's MCP: the official conformance suite and the Inspector.
//!
//! Keeps: both eras of the protocol and the old transport; known failures are written down, and one that passes fails.
//! Not here: our own tests of the face (`crates/opcode/tests/face`).

mod plugins;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::say::{say, talk};

/// What judges need, in `conformance/` and copied to where they are installed.
const PAPERS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Scenarios that any server must pass, by revision of the protocol; the others ask for fixtures.
const PLAIN: [(&str, &[&str]); 2] = [
    (
        "2025-11-25",
        &[
            "server-initialize",
            "server-session-lifecycle",
            "logging-set-level",
            "ping",
            "tools-list",
            "server-sse-multiple-streams",
            "resources-list",
            "prompts-list",
            "dns-rebinding-protection",
        ],
    ),
    (
        "2026-07-28",
        &[
            "server-stateless",
            "tools-list",
            "server-sse-multiple-streams",
            "resources-list",
            "prompts-list",
            "sep-2164-resource-not-found",
            "caching",
            "dns-rebinding-protection",
            "http-header-validation",
            "input-required-result-unsupported-methods",
            "sep-2640-skills-enumeration",
            "sep-2640-skills-manifest",
            "sep-2640-skills-directory",
        ],
    ),
];

/// Scenarios that ask for tools, prompts and resources of their own: the same transport with those.
const FIXED: [(&str, &[&str]); 2] = [
    (
        "2025-11-25",
        &[
            "tools-call-simple-text",
            "tools-call-image",
            "tools-call-audio",
            "tools-call-embedded-resource",
            "tools-call-mixed-content",
            "tools-call-with-logging",
            "tools-call-error",
            "tools-call-with-progress",
            "tools-call-sampling",
            "tools-call-elicitation",
            "elicitation-sep1034-defaults",
            "elicitation-sep1330-enums",
            "resources-read-text",
            "resources-read-binary",
            "resources-templates-read",
            "resources-subscribe",
            "resources-unsubscribe",
            "prompts-get-simple",
            "prompts-get-with-args",
            "prompts-get-embedded-resource",
            "prompts-get-with-image",
            "completion-complete",
            "json-schema-2020-12",
            "server-sse-polling",
        ],
    ),
    (
        "2026-07-28",
        &[
            "server-stateless",
            "json-schema-2020-12",
            "http-custom-header-server-validation",
            "input-required-result-basic-elicitation",
            "input-required-result-basic-sampling",
            "input-required-result-basic-list-roots",
            "input-required-result-request-state",
            "input-required-result-multiple-input-requests",
            "input-required-result-multi-round",
            "input-required-result-missing-input-response",
            "input-required-result-non-tool-request",
            "input-required-result-result-type",
            "input-required-result-tampered-state",
            "input-required-result-capability-check",
            "input-required-result-ignore-extra-params",
            "input-required-result-validate-input",
            "tasks-lifecycle",
            "tasks-capability-negotiation",
            "tasks-wire-fields",
            "tasks-request-state-removal",
            "tasks-mrtr-input",
            "tasks-request-headers",
            "tasks-dispatch-and-envelope",
            "tasks-required-task-error",
            "tasks-mrtr-composition",
            "tools-call-simple-text",
            "tools-call-image",
            "tools-call-audio",
            "tools-call-embedded-resource",
            "tools-call-mixed-content",
            "tools-call-error",
            "tools-call-with-progress",
            "resources-read-text",
            "resources-read-binary",
            "resources-templates-read",
            "prompts-get-simple",
            "prompts-get-with-args",
            "prompts-get-embedded-resource",
            "prompts-get-with-image",
            "completion-complete",
        ],
    ),
];

/// What the Inspector asks: the end of the URL, and its options.
const ASKED: [(&str, &[&str]); 8] = [
    ("/mcp", &["--method", "tools/list", "--strict"]),
    ("/mcp", &["--protocol-era", "modern", "--method", "tools/list", "--strict"]),
    ("/mcp", &["--method", "resources/list"]),
    ("/mcp", &["--protocol-era", "modern", "--method", "skills/list", "--verify"]),
    (
        "/mcp",
        &[
            "--protocol-era",
            "modern",
            "--method",
            "tools/call",
            "--tool-name",
            "opcode.run",
            "--tool-args-json",
            RUN,
        ],
    ),
    ("/mcp", &["--method", "tools/call", "--tool-name", "opcode.run", "--tool-args-json", RUN]),
    ("/mcp", &["--protocol-era", "modern", "--method", "prompts/list"]),
    (
        "/sse",
        &[
            "--transport",
            "sse",
            "--method",
            "tools/call",
            "--tool-name",
            "opcode.query",
            "--tool-args-json",
            r#"{"resource":"templates"}"#,
        ],
    ),
];

const RUN: &str = r#"{"template_name":"judged","agent_id":"inspector"}"#;
const TEMPLATE: &str = r#"{"name":"judged","steps":[{"id":"a","action":"expr.eval","params":{"expression":"1 + 1"}}]}"#;

/// Runs them all; an error says how many were not content.
pub fn run(root: &Path, opcode: &Path, fixtures: &Path) -> Result<(), String> {
    let judges = Judges::install(root)?;
    let scratch = Scratch::new(&judges.place)?;
    let db = scratch.0.join("judged.db");
    let template = scratch.0.join("judged.json");
    fs::write(&template, TEMPLATE)
        .map_err(|cause| format!("could not write a template: {cause}"))?;
    let mut define = Command::new(opcode);
    define.arg("define").arg(&template).arg("--db-path").arg(&db);
    outcome(scratch.homed(&mut define))?;
    let mut serve = Command::new(opcode);
    serve.args(["serve", "--listen-addr", "127.0.0.1:0", "--db-path"]).arg(&db);
    let server = Server::start(scratch.homed(&mut serve))?;
    let baseline = root.join("conformance/opcode.yml");
    let mut verdicts = Vec::new();
    for (revision, scenarios) in PLAIN {
        for scenario in scenarios {
            let mut judge = judges.conformance(&server.url, scenario, revision);
            judge.arg("--expected-failures").arg(&baseline);
            verdicts.push((format!("{revision} {scenario}"), outcome(scratch.homed(&mut judge))));
        }
    }
    let fixed = Server::start(scratch.homed(&mut Command::new(fixtures)))?;
    for (revision, scenarios) in FIXED {
        for scenario in scenarios {
            let mut judge = judges.conformance(&fixed.url, scenario, revision);
            // Nothing is expected to fail here, and a warning is a failure then.
            judge.args(["--expected-failures", "/dev/null"]);
            let what = format!("{revision} {scenario}, fixtures");
            verdicts.push((what, outcome(scratch.homed(&mut judge))));
        }
    }
    for (end, options) in ASKED {
        let mut judge = judges.inspector(&format!("{}{end}", server.url));
        let said = outcome(scratch.homed(judge.args(options)));
        verdicts.push((format!("inspector {end} {}", options.join(" ")), said));
    }
    verdicts.extend(plugins::judge(&judges, &scratch, opcode)?);
    tell(&verdicts)
}

/// What was judged, and whether it was well; else what was said.
type Verdict = (String, Result<(), String>);

fn tell(verdicts: &[Verdict]) -> Result<(), String> {
    for (what, verdict) in verdicts {
        match verdict {
            Ok(()) => say(&format!("ok      {what}")),
            Err(said) => say(&format!("FAILED  {what}\n{said}")),
        }
    }
    let content = verdicts.iter().filter(|(_, verdict)| verdict.is_ok()).count();
    let line = format!("mcp: {content} of {} content", verdicts.len());
    if content < verdicts.len() {
        return Err(line);
    }
    say(&line);
    Ok(())
}

/// The judges, installed.
struct Judges {
    place: PathBuf,
}

impl Judges {
    /// Installs them where they are not yet, exactly as the lock file says.
    fn install(root: &Path) -> Result<Self, String> {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
        let place = root.join(target).join("conformance");
        let seal = place.join("installed");
        let fault = |cause: std::io::Error| format!("could not install the judges: {cause}");
        let paper = |name| fs::read_to_string(root.join("conformance").join(name));
        let papers = PAPERS.map(paper).into_iter().collect::<Result<Vec<_>, _>>().map_err(fault)?;
        if fs::read_to_string(&seal).is_ok_and(|sealed| sealed == papers.concat()) {
            return Ok(Self { place });
        }
        talk("installing the judges");
        fs::create_dir_all(&place).map_err(fault)?;
        for (name, paper) in PAPERS.iter().zip(&papers) {
            fs::write(place.join(name), paper).map_err(fault)?;
        }
        outcome(Command::new("npm").arg("ci").current_dir(&place))?;
        fs::write(seal, papers.concat()).map_err(fault)?;
        Ok(Self { place })
    }

    /// Node, as installed: the one of the machine may be too old.
    fn node(&self, script: &str) -> Command {
        let mut node = Command::new(self.place.join("node_modules/.bin/node"));
        node.arg(self.place.join("node_modules/@modelcontextprotocol").join(script));
        node
    }

    fn conformance(&self, url: &str, scenario: &str, revision: &str) -> Command {
        let mut judge = self.node("conformance/dist/index.js");
        judge.args(["server", "--url"]).arg(format!("{url}/mcp"));
        // Without force, a scenario of an extension is skipped under any revision, and passes.
        judge.args(["--scenario", scenario, "--spec-version", revision, "--force"]);
        judge
    }

    fn inspector(&self, url: &str) -> Command {
        let mut judge = self.node("inspector/clients/launcher/build/index.js");
        judge.args(["--cli", url, "--format", "json", "-q"]);
        judge
    }
}

/// A directory that goes with us, also the home of what runs in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(beside: &Path) -> Result<Self, String> {
        let place = beside.join(format!("scratch-{}", std::process::id()));
        fs::create_dir_all(&place)
            .map_err(|cause| format!("could not make a directory: {cause}"))?;
        Ok(Self(place))
    }

    fn homed<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("HOME", &self.0).env_remove("OPCODE_TOKEN")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(cause) = fs::remove_dir_all(&self.0) {
            talk(&format!("could not remove {}: {cause}", self.0.display()));
        }
    }
}

/// A server of ours; it ends with us.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts it; it serves once it has said where.
    fn start(command: &mut Command) -> Result<Self, String> {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = started.map_err(|cause| format!("could not start the server: {cause}"))?;
        let mut server = Self { child, url: String::new() };
        let mut line = String::new();
        let stdout = server.child.stdout.as_mut().ok_or("a server without output")?;
        let read = BufReader::new(stdout).read_line(&mut line);
        read.map_err(|cause| format!("could not hear the server: {cause}"))?;
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        server.url = url.ok_or(format!("the server says no address: {line:?}"))?.to_owned();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(cause) = self.child.kill().and_then(|()| self.child.wait()) {
            talk(&format!("could not end the server: {cause}"));
        }
    }
}

/// Whether a command was content; else what it said.
fn outcome(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let ended = command.stdin(Stdio::null()).output();
    let ended = ended.map_err(|cause| format!("could not run {program}: {cause}"))?;
    if ended.status.success() {
        return Ok(());
    }
    let (out, err) =
        (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    Err(format!("{program}: {}\n{out}{err}", ended.status))
}
