//! What is wrong with a command line, told like every other trouble.
//!
//! Keeps: code, cause and cure, and JSON for machines; help and version are answers, not troubles.
//! Not here: the command line itself (`cli.rs`).

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::trouble::Trouble;

/// Flags whose value may also come from the environment.
const SETTINGS: [(&str, &str); 12] = [
    ("--db-path", "OPCODE_DB_PATH"),
    ("--durability", "OPCODE_DURABILITY"),
    ("--pool-size", "OPCODE_POOL_SIZE"),
    ("--fs-root", "OPCODE_FS_ROOTS"),
    ("--listen-addr", "OPCODE_LISTEN_ADDR"),
    ("--allowed-host", "OPCODE_ALLOWED_HOSTS"),
    ("--tool-names", "OPCODE_TOOL_NAMES"),
    ("--base-url", "OPCODE_BASE_URL"),
    ("--keep", "OPCODE_KEEP"),
    ("--keep-failed", "OPCODE_KEEP_FAILED"),
    ("--log-level", "OPCODE_LOG_LEVEL"),
    ("--log-format", "OPCODE_LOG_FORMAT"),
];

/// Says what is wrong, or what was asked for.
pub(crate) fn tell(error: &clap::Error) -> Exit {
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other kind is a trouble")]
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is not worth a word.
            error.print().unwrap_or_default();
            return Exit::Completed;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            error.print().unwrap_or_default();
            return Exit::Refused;
        }
        _ => {}
    }
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    trouble(error).tell(as_json)
}

/// What is wrong.
pub(crate) fn trouble(error: &clap::Error) -> Trouble {
    let (message, hint) = words(&error.render().to_string());
    Trouble::usage(message + &origin(error)).hint(hint)
}

/// The cause, and what to do about it.
fn words(rendered: &str) -> (String, String) {
    let mut parts = rendered.trim().split("\n\n");
    let cause = parts.next().unwrap_or_default().trim_start_matches("error: ");
    let tidy = |part: &str| {
        let lines = part.lines().map(|line| line.trim().trim_start_matches("tip: "));
        lines.collect::<Vec<_>>().join(" ").replace("Usage: ", "usage: ")
    };
    let known = parts.map(tidy).filter(|cure| !cure.starts_with("For more information"));
    let cures: Vec<String> = known.chain([more()]).collect();
    (tidy(cause), cures.join("; "))
}

/// Where the help for what was meant is.
fn more() -> String {
    let cli = Cli::command();
    let mut words = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned());
    let meant = words.find_map(|word| cli.find_subcommand(word));
    let Some(meant) = meant else { return "`opcode --help` shows how".to_owned() };
    let inner: Vec<&str> = meant.get_subcommands().map(clap::Command::get_name).collect();
    let name = meant.get_name();
    let list =
        if inner.is_empty() { String::new() } else { format!("; it takes {}", inner.join(", ")) };
    format!("`opcode {name} --help` shows how{list}")
}

/// Where a value came from, if it is not on the command line.
fn origin(error: &clap::Error) -> String {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return String::new();
    };
    let is_of = |(name, _): &&(&str, &str)| flag.split_whitespace().next() == Some(*name);
    let typed = |name: &str| {
        std::env::args_os().any(|argument| argument.to_string_lossy().starts_with(name))
    };
    match SETTINGS.iter().find(is_of) {
        Some((name, variable)) if !typed(name) => format!(" (from {variable})"),
        Some(_) | None => String::new(),
    }
}
