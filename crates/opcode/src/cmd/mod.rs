//! One file a command.
//!
//! Keeps: a command translates: it asks the engine or the store, and says the answer.
//! Not here: rules about workflows, how things look (`show/`).

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod carry;
pub(crate) mod define;
pub(crate) mod dev;
pub(crate) mod diagram;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod events;
pub(crate) mod install;
pub(crate) mod mcp;
pub(crate) mod mcp_config;
pub(crate) mod plugins;
pub(crate) mod query;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod signal;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod tokens;
pub(crate) mod update;
pub(crate) mod vacuum;
pub(crate) mod verify;

use std::time::Duration;

use clap::CommandFactory;
use opcode_model::{RunId, Timestamp};

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::say;
use crate::show::age::now;
use crate::takeover;
use crate::trouble::Trouble;

/// Does what was asked.
pub(crate) async fn run(cli: Cli) -> Result<Exit, Trouble> {
    let place = &cli.place;
    if cli.command.writes() {
        Box::pin(takeover::first(place)).await?;
    }
    match cli.command {
        Command::Run(args) => Box::pin(run::run(place, args)).await,
        Command::Define(args) => define::run(place, args).await,
        Command::Status(args) => status::run(place, args).await,
        Command::Signal(args) => Box::pin(signal::run(place, args)).await,
        Command::Query(args) => query::run(place, args).await,
        Command::Diagram(args) => diagram::run(place, args).await,
        Command::Events(args) => events::run(place, args).await,
        Command::Resume(args) => Box::pin(resume::run(place, args)).await,
        Command::Serve(args) => Box::pin(serve::run(place, args)).await,
        Command::Install(args) => install::run(place, &args),
        Command::Stop(args) => stop::run(place, &args).await,
        Command::Dev(args) => Box::pin(dev::run(place, args)).await,
        Command::Update(args) => update::run(place, &args).await,
        Command::Mcp(args) => Box::pin(mcp::run(place, args)).await,
        Command::McpConfig(args) => mcp_config::run(place, &args),
        Command::Tokens(args) => tokens::run(place, args).await,
        Command::Plugins(args) => Box::pin(plugins::run(place, args)).await,
        Command::Secrets(args) => Box::pin(secrets::run(place, args)).await,
        Command::Audit(args) => audit::run(place, args).await,
        Command::Verify(args) => verify::run(place, args).await,
        Command::Backup(args) => backup::run_backup(place, &args).await,
        Command::Export(args) => carry::run_export(place, args).await,
        Command::Import(args) => carry::run_import(place, args).await,
        Command::Vacuum(args) => vacuum::run(place, args).await,
        Command::Restore(args) => backup::run_restore(place, &args),
        Command::Doctor(args) => Box::pin(doctor::run(place, args)).await,
        Command::Bench(args) => Box::pin(bench::run(args)).await,
        Command::Eval(args) => eval::run(args).await,
        Command::Version => {
            say::data(&format!("opcode {}", env!("CARGO_PKG_VERSION")));
            Ok(Exit::Completed)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "opcode", &mut script);
            say::data(&String::from_utf8_lossy(&script));
            Ok(Exit::Completed)
        }
    }
}

/// A span of time on the command line: `300ms`, `90s`, `1m30s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    opcode_model::time::parse_duration(text).map_err(|error| error.to_string())
}

/// How many, on the command line.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a number from 1 is needed".to_owned())
}

/// A workflow's id on the command line.
pub(crate) fn workflow_id(text: &str) -> Result<RunId, String> {
    let why = "a workflow id is a UUID; `opcode query workflows` lists them";
    RunId::parse(&text.to_lowercase()).ok_or_else(|| why.to_owned())
}

/// A moment on the command line: `2026-11-20T15:41:07Z`, or how long ago: `90s`, `24h`.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(ago) = opcode_model::time::parse_duration(text) {
        return Ok(Timestamp(now().0.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(0))));
    }
    let why = "a moment is like 2026-11-20T15:41:07Z, or a span before now like 90s or 24h";
    Timestamp::parse(text).ok_or_else(|| why.to_owned())
}
