//! `opcode mcp-config`: prints what a client's settings need to say.
//!
//! Keeps: the text on stdout can be pasted as it is; where it goes is said beside it.
//! Not here: writing into the settings of other programs.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::Place;
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{daemon, say, wire};

#[derive(Args, Debug)]
pub(crate) struct McpConfigArgs {
    /// claude-code, claude-desktop, cursor, vscode, codex, gemini or mcporter
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    client: Client,
    /// Where the server is [default: the one that runs, or port 4100 here]
    #[arg(
        long = "url",
        value_name = "URL",
        env = "OPCODE_BASE_URL",
        hide_env = true,
        value_parser = wire::base_url
    )]
    base_url: Option<String>,
}

/// Who connects.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Client {
    ClaudeCode,
    ClaudeDesktop,
    Cursor,
    Vscode,
    Codex,
    Gemini,
    Mcporter,
}

/// The clients whose settings we know, by name.
pub(crate) fn clients() -> String {
    let names = Client::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    names.map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ")
}

pub(crate) fn run(place: &Place, args: &McpConfigArgs) -> Result<Exit, Trouble> {
    let url = match &args.base_url {
        Some(url) => url.trim_end_matches("/mcp").to_owned(),
        None => {
            daemon::find(place)?.map_or("http://127.0.0.1:4100".to_owned(), |daemon| daemon.url())
        }
    };
    let mcp = format!("{url}/mcp");
    let (text, goes) = snippet(args.client, &mcp, place);
    say::data(&text);
    say::hint(&goes);
    say::hint("a server that asks for tokens also needs the header `Authorization: Bearer TOKEN`");
    Ok(Exit::Completed)
}

/// What to paste, and where.
fn snippet(client: Client, mcp: &str, place: &Place) -> (String, String) {
    let pretty = |json| serde_json::to_string_pretty(&json).unwrap_or_default();
    let servers = |server| pretty(json!({"mcpServers": {"opcode": server}}));
    match client {
        Client::ClaudeCode => (
            servers(json!({"type": "http", "url": mcp})),
            format!("into .mcp.json; or: claude mcp add --transport http opcode {mcp}"),
        ),
        // It starts its servers itself, and refuses names with dots.
        Client::ClaudeDesktop => (
            servers(json!({"command": program(), "args": stdio(place)})),
            "into claude_desktop_config.json (Settings, Developer, Edit Config)".to_owned(),
        ),
        Client::Cursor => (
            servers(json!({"url": format!("{mcp}?names=underscore")})),
            "into ~/.cursor/mcp.json, or .cursor/mcp.json of a project".to_owned(),
        ),
        Client::Vscode => (
            pretty(json!({"servers": {"opcode": {"type": "http", "url": mcp}}})),
            "into .vscode/mcp.json".to_owned(),
        ),
        Client::Codex => (
            format!("[mcp_servers.opcode]\nurl = \"{mcp}\"\ntool_timeout_sec = 120"),
            "into ~/.codex/config.toml; a token: bearer_token_env_var = \"OPCODE_TOKEN\""
                .to_owned(),
        ),
        Client::Gemini => (
            servers(json!({"httpUrl": mcp})),
            "into ~/.gemini/settings.json, or .gemini/settings.json of a project".to_owned(),
        ),
        Client::Mcporter => (
            servers(json!({"url": mcp})),
            "into mcporter.json; then: mcporter call 'opcode.query(resource: \"templates\")'"
                .to_owned(),
        ),
    }
}

/// This very program, which a client finds without a PATH.
fn program() -> String {
    let own = std::env::current_exe().map(|path| path.to_string_lossy().into_owned());
    own.unwrap_or_else(|_| "opcode".to_owned())
}

fn stdio(place: &Place) -> Vec<String> {
    let mut words = ["mcp", "--tool-names", "underscore"].map(str::to_owned).to_vec();
    if let Some(path) = &place.db_path {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        words.extend(["--db-path".to_owned(), path.to_string_lossy().into_owned()]);
    }
    words
}
