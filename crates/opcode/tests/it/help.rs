//! Help and usage: texts that are committed, and touch nothing.
//!
//! Keeps: `OPCODE_BLESS=1` rewrites them; a change is reviewed like code.
//! Not here: what the commands do.

use std::fs;
use std::path::Path;

use crate::kit::Home;

const COMMANDS: &[&str] = &[
    "",
    "run",
    "define",
    "status",
    "signal",
    "signal decision",
    "signal data",
    "signal cancel",
    "signal retry",
    "signal skip",
    "query",
    "query workflows",
    "query events",
    "query templates",
    "query decisions",
    "query agents",
    "query actions",
    "diagram",
    "events",
    "resume",
    "serve",
    "install",
    "stop",
    "dev",
    "update",
    "mcp",
    "mcp-config",
    "tokens",
    "tokens create",
    "tokens list",
    "tokens revoke",
    "audit",
    "verify",
    "backup",
    "restore",
    "export",
    "import",
    "vacuum",
    "doctor",
    "eval",
    "bench",
    "version",
    "completions",
];

#[test]
fn help_is_as_committed() {
    let home = Home::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help");
    let bless = std::env::var_os("OPCODE_BLESS").is_some();
    let (mut wrong, mut wide) = (Vec::new(), Vec::new());
    for command in COMMANDS {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        if args.len() == 2 && args[0] == "signal" {
            args.insert(1, "00000000-0000-0000-0000-000000000000");
        }
        args.push("--help");
        let said = home.opcode(&args).ended(0);
        wide.extend(said.out.lines().filter(|it| it.chars().count() > 95).map(str::to_owned));
        let name = if command.is_empty() { "opcode" } else { command };
        let file = folder.join(name.replace(' ', "-") + ".txt");
        if bless {
            fs::write(&file, &said.out).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != said.out {
            wrong.push(name);
        }
    }
    assert!(wide.is_empty(), "too wide: {wide:#?}");
    assert!(wrong.is_empty(), "changed: {wrong:?}; look at them, then OPCODE_BLESS=1");
    assert!(!home.path("home").exists(), "help touches nothing");
}

#[test]
fn version_and_completions_touch_nothing() {
    let home = Home::new();
    let version = format!("opcode {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(home.opcode(&["version"]).ended(0).out, version);
    assert_eq!(home.opcode(&["--version"]).ended(0).out, version);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(home.opcode(&["completions", shell]).ended(0).out.contains("opcode"), "{shell}");
    }
    assert!(!home.path("home").exists());
}

#[test]
fn usage_errors_end_with_2() {
    let home = Home::new();
    let id = "00000000-0000-0000-0000-000000000000";
    for args in [
        &["frobnicate"][..],
        &["run"],
        &["run", "x", "--frob"],
        &["status", "nonsense"],
        &["signal", id],
        &["signal", id, "decision", "a"],
        &["signal", id, "data"],
        &["query"],
        &["query", "workflows", "--status", "odd"],
        &["query", "events", "--type", "step_complete"],
        &["query", "workflows", "--since", "yesterday"],
        &["run", "x", "--wait", "5"],
        &["run", "x", "--durability", "total"],
        &["run", "x", "--watch", "--detach"],
        &["completions", "cobol"],
        &["diagram"],
        &["diagram", "x", "--format", "gif"],
        &["eval"],
        &["eval", "1", "--lang", "go"],
    ] {
        let said = home.opcode(args).ended(2);
        assert!(said.out.is_empty(), "{args:?}: {said:?}");
        assert!(!said.err.is_empty(), "{args:?}");
    }
    assert!(!home.path("home").exists());
}

#[test]
fn reference_pages_are_written() {
    let home = Home::new();
    home.opcode(&["__docs", "pages"]).ended(0);
    let page = |name: &str| fs::read_to_string(home.path("pages").join(name)).unwrap();
    assert!(page("actions.md").contains("## http.get"));
    assert!(page("actions.schema.json").starts_with('{'));
    assert!(page("cli.md").contains("## opcode signal decision"));
    assert!(!page("cli.md").contains("__exec"));
}
