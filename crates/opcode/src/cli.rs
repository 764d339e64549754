//! The command line as a tree: what can be asked, and with which flags.
//!
//! Keeps: help comes from here alone; `docs/reference/cli.md` and the completions too.
//! Not here: what a command does (`cmd/`).

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use opcode_engine::ServerWishes;
use opcode_model::Limits;
use opcode_runtime::Quotas;
use opcode_store::Durability;
use tracing::level_filters::LevelFilter;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::{cmd, isolation, logs, plugins, usage, wire};

/// Runs durable JSON workflows.
#[derive(Debug, Parser)]
#[command(
    name = "opcode",
    version,
    about = "Durable JSON workflows: written once, run to the end, whatever happens in between.",
    after_help = "\
Exit codes:
  0 completed   1 failed      2 refused: usage, definition or input
  3 waiting     4 cancelled   5 failed by its own timeout
  70 the store or the machine failed   75 what is on disk is unknown: start again
  130 interrupted   143 terminated

Environment:
  OPCODE_DB_PATH, OPCODE_DURABILITY, OPCODE_POOL_SIZE, OPCODE_FS_ROOTS (a:b),
  OPCODE_LISTEN_ADDR, OPCODE_ALLOWED_HOSTS (a,b), OPCODE_BASE_URL, OPCODE_TOOL_NAMES,
  OPCODE_LOG_LEVEL, OPCODE_LOG_FORMAT stand for the flags of these names; so does
  ~/.opcode/settings.json ({\"listen_addr\": \"127.0.0.1:4100\"}) where neither is given.
  OPCODE_VAULT_KEY, OPCODE_VAULT_KEY_FILE or OPCODE_VAULT_KEY_FD has the passphrase of the
  vault; OPCODE_HOME moves ~/.opcode; OPCODE_TOKEN is shown to a server that asks for one;
  OPCODE_TOKEN_FILE has the first administrator's token of a server; NO_COLOR takes
  the colours away; OTEL_EXPORTER_OTLP_ENDPOINT names a collector of traces

Without a command: serve",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line, and the settings that stand under it.
    ///
    /// # Errors
    /// How the process ends; what is wrong, or the help that was asked for, is said.
    pub(crate) fn read() -> Result<(Self, Settings), Exit> {
        let plain = Self::over(&Settings::default()).map_err(|error| usage::tell(&error))?;
        if !plain.command.heeds_settings() {
            return Ok((plain, Settings::default()));
        }
        let read = Settings::read().and_then(|settings| {
            let cli = Self::over(&settings).map_err(|error| usage::trouble(&error))?;
            Ok((cli, settings))
        });
        read.map_err(|trouble| trouble.tell(plain.command.wants_json()))
    }

    /// What a server would be started with.
    pub(crate) fn serving(settings: &Settings) -> Result<Self, clap::Error> {
        let tree = settings.lay_under(Self::command());
        Self::from_arg_matches(&tree.try_get_matches_from(["opcode", "serve"])?)
    }

    /// Reads the command line over some settings. One that names no command means `serve`.
    pub(crate) fn over(settings: &Settings) -> Result<Self, clap::Error> {
        let tree = settings.lay_under(Self::command());
        // Usage is shown under our own name, whatever this file is called.
        let typed = std::env::args_os().skip(1);
        let words: Vec<OsString> = std::iter::once("opcode".into()).chain(typed).collect();
        let read = |words: &[OsString]| {
            let matches = tree.clone().try_get_matches_from(words)?;
            Self::from_arg_matches(&matches)
        };
        read(&words).or_else(|error| {
            let lacks_command = matches!(
                error.kind(),
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                    | ErrorKind::MissingSubcommand
                    | ErrorKind::UnknownArgument
            );
            let mut serving = words.clone();
            serving.insert(1, "serve".into());
            if lacks_command { read(&serving).map_err(|_| error) } else { Err(error) }
        })
    }
}

/// What is logged, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogArgs {
    /// debug, info, warn, error or off
    #[arg(
        long,
        value_name = "LEVEL",
        env = "OPCODE_LOG_LEVEL",
        hide_env = true,
        default_value = "info",
        value_parser = logs::level
    )]
    pub(crate) log_level: LevelFilter,
    /// text or json [default: json, but text on a terminal]
    #[arg(
        long,
        value_name = "FORMAT",
        env = "OPCODE_LOG_FORMAT",
        hide_env = true,
        hide_possible_values = true
    )]
    pub(crate) log_format: Option<logs::Format>,
}

/// Where the store is.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The database [default: ~/.opcode/opcode.db]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "OPCODE_DB_PATH",
        hide_env = true,
        help_heading = "Store"
    )]
    pub(crate) db_path: Option<PathBuf>,
    /// Only warn of definitions in which data becomes part of a script
    #[arg(
        long,
        global = true,
        env = "OPCODE_LENIENT_SHELL",
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub(crate) lenient_shell: bool,
    /// MCP servers whose tools are actions, as JSON
    #[arg(long, global = true, env = "OPCODE_PLUGINS", hide = true, value_parser = plugins::flag)]
    pub(crate) plugins: Option<plugins::Entries>,
}

/// How workflows run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Engine")]
pub(crate) struct EngineArgs {
    /// Survive power loss (disk) or kill -9 (process)
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        hide_possible_values = true,
        default_value = "disk",
        env = "OPCODE_DURABILITY",
        hide_env = true
    )]
    pub(crate) durability: DurabilityArg,
    /// Actions in flight at once [default: 10 for each core]
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "OPCODE_POOL_SIZE",
        hide_env = true,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub(crate) pool_size: Option<u32>,
    /// Files are read and written beneath it; repeatable [default: any]
    #[arg(
        long = "fs-root",
        global = true,
        value_name = "DIR",
        env = "OPCODE_FS_ROOTS",
        hide_env = true,
        value_delimiter = ':'
    )]
    pub(crate) fs_roots: Vec<PathBuf>,
    /// Files are read beneath it; repeatable
    #[arg(
        long = "fs-read-root",
        global = true,
        value_name = "DIR",
        env = "OPCODE_FS_READ_ROOTS",
        hide_env = true,
        value_delimiter = ':'
    )]
    pub(crate) fs_read_roots: Vec<PathBuf>,
    /// No file action touches it; repeatable
    #[arg(
        long = "fs-deny",
        global = true,
        value_name = "PATH",
        env = "OPCODE_FS_DENY",
        hide_env = true,
        value_delimiter = ':'
    )]
    pub(crate) fs_deny: Vec<PathBuf>,
    /// HTTP actions reach no private network and no loopback
    #[arg(
        long,
        global = true,
        value_name = "YES",
        env = "OPCODE_DENY_PRIVATE",
        hide_env = true,
        hide_possible_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        hide_default_value = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub(crate) deny_private: bool,
    /// A file with the vault's passphrase
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "OPCODE_VAULT_KEY_FILE",
        hide_env = true
    )]
    pub(crate) vault_key_file: Option<PathBuf>,
    /// How programs of steps are locked in, or JSON [default: process]
    #[arg(
        long,
        global = true,
        value_name = "PROFILE",
        env = "OPCODE_SANDBOX",
        hide_env = true,
        value_parser = isolation::sandbox_flag
    )]
    pub(crate) sandbox: Option<ServerWishes>,
    /// The most programs of steps may use, as JSON [default: no limit]
    #[arg(
        long,
        global = true,
        value_name = "JSON",
        env = "OPCODE_LIMITS",
        hide_env = true,
        value_parser = isolation::limits_flag
    )]
    pub(crate) limits: Option<Limits>,
    /// A variable programs of steps get as it is here; repeatable
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "OPCODE_SHELL_ENV",
        hide_env = true,
        value_delimiter = ','
    )]
    pub(crate) shell_env: Vec<String>,
    /// What each agent may use, as JSON [default: no limit]
    #[arg(
        long,
        global = true,
        value_name = "JSON",
        env = "OPCODE_QUOTAS",
        hide_env = true,
        value_parser = wire::quotas
    )]
    pub(crate) quotas: Option<Quotas>,
    /// Time that actions get to end when told to stop
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        default_value = "10s",
        value_parser = cmd::duration
    )]
    pub(crate) grace: std::time::Duration,
}

/// `disk` or `process`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    // Synced before it is acknowledged. (A doc comment would make every help twice as long.)
    Disk,
    // Not synced.
    Process,
}

impl DurabilityArg {
    pub(crate) fn level(self) -> Durability {
        match self {
            Self::Disk => Durability::Disk,
            Self::Process => Durability::Process,
        }
    }
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a workflow to its end, or until it waits for somebody
    Run(cmd::run::RunArgs),
    /// Check a definition and store it as the next version of a template
    Define(cmd::define::DefineArgs),
    /// Show where a workflow is and what it waits for
    Status(cmd::status::StatusArgs),
    /// Answer, feed, cancel, retry or skip
    Signal(cmd::signal::SignalArgs),
    /// List workflows, events, templates, decisions, agents or actions
    Query(cmd::query::QueryArgs),
    /// Draw a definition, a template or a workflow
    Diagram(cmd::diagram::DiagramArgs),
    /// Show what happened in a workflow, event by event
    Events(cmd::events::EventsArgs),
    /// Go on with every unfinished workflow
    Resume(cmd::resume::ResumeArgs),
    /// Serve the store to agents (MCP) and programs (HTTP) until told to end
    Serve(cmd::serve::ServeArgs),
    /// Write settings, start the server in the background, and show how clients connect
    Install(cmd::install::InstallArgs),
    /// Stop the server that holds the store
    Stop(cmd::stop::StopArgs),
    /// Try it out: a server in a folder of its own, with workflows to look at
    Dev(cmd::dev::DevArgs),
    /// Replace this program by a newer one
    Update(cmd::update::UpdateArgs),
    /// Speak MCP over stdin and stdout, for clients that start their servers
    Mcp(cmd::mcp::McpArgs),
    /// Print how a client connects to this server
    McpConfig(cmd::mcp_config::McpConfigArgs),
    /// Make, list and take back what lets clients in
    Tokens(cmd::tokens::TokensArgs),
    /// Set, grant and seal anew what workflows call ${{secrets.NAME}}
    Secrets(cmd::secrets::SecretsArgs),
    /// Add and keep MCP servers whose tools are actions
    Plugins(cmd::plugins::PluginsArgs),
    /// Show who did what, and what was refused
    Audit(cmd::audit::AuditArgs),
    /// Look for damage in the store
    Verify(cmd::verify::VerifyArgs),
    /// Copy the store to a file, also while it is in use
    Backup(cmd::backup::BackupArgs),
    /// Put a backup in the place of the store
    Restore(cmd::backup::RestoreArgs),
    /// Write a workflow with all below it to a file, to look at or to import elsewhere
    Export(cmd::carry::ExportArgs),
    /// Take in what `opcode export` wrote
    Import(cmd::carry::ImportArgs),
    /// Delete old finished workflows, and give free space back to the disk
    Vacuum(cmd::vacuum::VacuumArgs),
    /// Show what is in force, and whether this machine is fit
    Doctor(cmd::doctor::DoctorArgs),
    /// Evaluate an expression: CEL, Expr or jq
    Eval(cmd::eval::EvalArgs),
    /// Measure this machine
    Bench(cmd::bench::BenchArgs),
    /// Print the version
    Version,
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether the answer is for machines.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Run(args) => args.json,
            Self::Define(args) => args.json,
            Self::Status(args) => args.json,
            Self::Signal(args) => args.json,
            Self::Query(args) => args.json,
            Self::Diagram(args) => args.json,
            Self::Events(args) => args.json,
            Self::Resume(args) => args.json,
            Self::Serve(args) => args.json,
            Self::Tokens(args) => args.json,
            Self::Secrets(args) => args.json,
            Self::Plugins(args) => args.json,
            Self::Audit(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Backup(args) => args.json,
            Self::Restore(args) => args.json,
            Self::Export(args) => args.json,
            Self::Import(args) => args.json,
            Self::Vacuum(args) => args.json,
            Self::Doctor(args) => args.json,
            Self::Bench(args) => args.json,
            Self::Eval(args) => args.json,
            Self::Install(args) => args.json,
            Self::Stop(args) => args.json,
            Self::Dev(args) => args.serve.json,
            Self::Update(_) => false,
            Self::Mcp(_) | Self::McpConfig(_) | Self::Version | Self::Completions { .. } => false,
        }
    }

    /// Whether it writes to the store.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Run(_)
            | Self::Signal(_)
            | Self::Resume(_)
            | Self::Serve(_)
            | Self::Mcp(_)
            | Self::Import(_)
            | Self::Vacuum(_) => true,
            Self::Define(args) => !args.dry_run,
            Self::Tokens(args) => args.writes(),
            Self::Secrets(args) => args.writes(),
            Self::Plugins(args) => args.writes(),
            // `dev` has a place of its own, and `restore` takes the place of ours alone.
            Self::Dev(_)
            | Self::Restore(_)
            | Self::Status(_)
            | Self::Query(_)
            | Self::Diagram(_)
            | Self::Events(_)
            | Self::Install(_)
            | Self::Stop(_)
            | Self::Update(_)
            | Self::McpConfig(_)
            | Self::Audit(_)
            | Self::Verify(_)
            | Self::Backup(_)
            | Self::Export(_)
            | Self::Doctor(_)
            | Self::Bench(_)
            | Self::Eval(_)
            | Self::Version
            | Self::Completions { .. } => false,
        }
    }

    /// Whether settings mean something to it.
    fn heeds_settings(&self) -> bool {
        !matches!(self, Self::Version | Self::Completions { .. })
    }

    /// What is logged, where the command has flags for it.
    pub(crate) fn logs(&self) -> Option<&LogArgs> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others ask the environment")]
        match self {
            Self::Serve(args) => Some(&args.logs),
            Self::Mcp(args) => Some(&args.logs),
            Self::Dev(args) => Some(&args.serve.logs),
            _ => None,
        }
    }

    /// Whether this process is the background one.
    pub(crate) fn is_detached(&self) -> bool {
        match self {
            Self::Run(args) => args.background.detached,
            Self::Signal(args) => args.background.detached,
            Self::Serve(args) => args.detached,
            Self::Dev(args) => args.serve.detached,
            Self::Install(_)
            | Self::Stop(_)
            | Self::Update(_)
            | Self::Define(_)
            | Self::Status(_)
            | Self::Query(_)
            | Self::Diagram(_)
            | Self::Events(_)
            | Self::Resume(_)
            | Self::Mcp(_)
            | Self::McpConfig(_)
            | Self::Tokens(_)
            | Self::Secrets(_)
            | Self::Plugins(_)
            | Self::Audit(_)
            | Self::Verify(_)
            | Self::Backup(_)
            | Self::Export(_)
            | Self::Import(_)
            | Self::Restore(_)
            | Self::Vacuum(_)
            | Self::Doctor(_)
            | Self::Bench(_)
            | Self::Eval(_)
            | Self::Version
            | Self::Completions { .. } => false,
        }
    }
}

/// Whether the work goes on behind the prompt.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Background {
    /// Return once it is on disk; go on in the background
    #[arg(long, global = true)]
    pub(crate) detach: bool,
    /// This is that background process
    #[arg(long, global = true, hide = true, conflicts_with = "detach")]
    pub(crate) detached: bool,
}

/// What this process was called with, as the store's lock tells it to others.
pub(crate) fn command_line() -> String {
    let words = std::env::args_os().skip(1).filter(|word| word != "--detached");
    let words = words.map(|word: OsString| quoted(&word.to_string_lossy()));
    let line = std::iter::once("opcode".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    let short: String = line.replace(['\n', '\r'], " ").chars().take(200).collect();
    short
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The beginning of a command that speaks to the same store.
pub(crate) fn same_store() -> String {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        let path = match word.strip_prefix("--db-path") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(path) = path {
            return format!("opcode --db-path {}", quoted(&path));
        }
    }
    "opcode".to_owned()
}
