//! `opcode serve`: holds the store and serves it, to agents over MCP and to programs over HTTP, until told to end.
//!
//! Keeps: loopback unless asked otherwise, and nothing else without a token; the address is said only once it serves.
//! Not here: routes (`opcode-web`), MCP (`opcode-mcp`).

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::{Args, ValueEnum};
use opcode_mcp::{Face, Names};
use opcode_model::ErrorCode;
use opcode_runtime::{Engine, Keep, Keeping, Retention};
use opcode_web::{Gate, Limits};
use serde_json::json;
use tokio::net::TcpListener;

use crate::cli::{Cli, Command, EngineArgs, LogArgs, Place};
use crate::cmd::dev::DevArgs;
use crate::cmd::vacuum::KeepArgs;
use crate::daemon::{Daemon, Sign};
use crate::exit::Exit;
use crate::session::{Interrupts, Session};
use crate::settings::Settings;
use crate::show::age::now;
use crate::trouble::Trouble;
use crate::{cli, detach, logs, say, usage, wire};

/// Unless told otherwise.
const PORT: u16 = 4100;
/// Names a file whose text is the first administrator's token, where there is none yet.
const TOKEN_FILE: &str = "OPCODE_TOKEN_FILE";
/// Time for answers to go out once told to end; what is left of the grace is for actions.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Between two times that old workflows are looked for.
const TIDY_PAUSE: Duration = Duration::from_secs(3_600);

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 is any free one [default: 127.0.0.1:4100]
    #[arg(
        long,
        value_name = "ADDR",
        env = "OPCODE_LISTEN_ADDR",
        hide_env = true,
        default_value = "127.0.0.1:4100",
        hide_default_value = true,
        value_parser = listen_at
    )]
    listen_addr: Listen,
    /// How others reach it, if not where it listens; its name is allowed
    #[arg(
        long,
        value_name = "URL",
        env = "OPCODE_BASE_URL",
        hide_env = true,
        value_parser = wire::base_url
    )]
    base_url: Option<String>,
    /// A name clients call this server by, beside localhost; repeatable
    #[arg(
        long = "allowed-host",
        value_name = "NAME",
        env = "OPCODE_ALLOWED_HOSTS",
        hide_env = true,
        value_delimiter = ','
    )]
    allowed_hosts: Vec<String>,
    #[command(flatten)]
    names: ToolNames,
    #[command(flatten)]
    keep: KeepArgs,
    /// The same for some templates, as JSON: {"NAME": {"keep": "7d"}}
    #[arg(
        long,
        value_name = "JSON",
        env = "OPCODE_RETENTION",
        hide_env = true,
        value_parser = wire::retention
    )]
    retention: Option<Retention>,
    /// Print the addresses as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Accepted for what was called so before
    #[arg(
        long,
        env = "OPCODE_PANEL",
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    panel: Option<bool>,
    /// Return once it serves; go on in the background
    #[arg(long)]
    detach: bool,
    /// This is that background process
    #[arg(long, hide = true, conflicts_with = "detach")]
    pub(crate) detached: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
}

impl ServeArgs {
    /// What goes every hour.
    fn rules(&self) -> Vec<Keep> {
        self.retention.clone().unwrap_or_default().over(&self.keep.of(&[]))
    }

    /// Names it goes by, beside loopback.
    fn hosts(&self) -> Vec<String> {
        let uri = self.base_url.as_deref().and_then(|url| url.parse::<hyper::Uri>().ok());
        let own = uri.as_ref().and_then(hyper::Uri::host).map(str::to_owned);
        self.allowed_hosts.iter().cloned().chain(own).collect()
    }
}

/// How tools are listed.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ToolNames {
    /// Tools as opcode.run (dotted) or opcode_run (underscore)
    #[arg(
        long,
        value_name = "STYLE",
        env = "OPCODE_TOOL_NAMES",
        hide_env = true,
        hide_possible_values = true,
        hide_default_value = true,
        default_value = "dotted"
    )]
    tool_names: NamesArg,
}

impl ToolNames {
    pub(crate) fn names(self) -> Names {
        match self.tool_names {
            NamesArg::Dotted => Names::Dotted,
            NamesArg::Underscore => Names::Underscore,
        }
    }
}

/// `dotted` or `underscore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NamesArg {
    Dotted,
    Underscore,
}

/// An address on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    at: SocketAddr,
    /// Whether only a port was named, which others take for every address there is.
    is_bare: bool,
}

pub(crate) fn listen_at(text: &str) -> Result<Listen, String> {
    let text = text.trim();
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
        let at = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        return Ok(Listen { at, is_bare: true });
    }
    let named = text.replacen("localhost", "127.0.0.1", 1);
    let alone = named.trim_matches(['[', ']']).parse::<IpAddr>();
    let at = alone.map(|ip| SocketAddr::new(ip, PORT)).or_else(|_| named.parse());
    at.map(|at| Listen { at, is_bare: false })
        .map_err(|_| "an address is like 127.0.0.1:4100, [::1]:4100 or :4100".to_owned())
}

pub(crate) async fn run(place: &Place, args: ServeArgs) -> Result<Exit, Trouble> {
    with(place, args, async |_| Ok(())).await
}

/// Serves once something was done with the engine.
pub(crate) async fn with(
    place: &Place,
    args: ServeArgs,
    first: impl AsyncFnOnce(&Engine) -> Result<(), Trouble>,
) -> Result<Exit, Trouble> {
    if args.detach {
        return detach::start();
    }
    let Listen { at, is_bare } = args.listen_addr;
    let is_open = !at.ip().is_loopback();
    let seed = seed()?;
    if is_open && seed.is_none() {
        check_tokens(place, at).await?;
    } else if is_bare && !is_open {
        say::talk("a port alone means this machine alone: 127.0.0.1");
    }
    if args.panel.is_some() {
        say::talk("there is no web panel yet; the setting is kept for when there is");
    }
    let listener = bind(at).await?;
    let address = listener
        .local_addr()
        .map_err(|cause| Trouble::fault(format!("could not tell where we listen: {cause}")))?;
    let last_answers = LAST_ANSWERS.min(args.engine.grace / 2);
    let grace = args.engine.grace - last_answers;
    let engine = EngineArgs { grace, ..args.engine.clone() };
    let mut session = Session::serving(place, &engine, Some(address)).await?;
    if let Some(text) = seed {
        let tokens = session.engine.reader().tokens().by(wire::actor());
        if tokens.seed(&text).await? {
            say::talk(&format!("the token of {TOKEN_FILE} is kept as the first administrator's"));
        }
    }
    first(&session.engine).await?;
    let daemon = Daemon { pid: std::process::id(), address };
    let gate = Gate::new(session.engine.reader(), is_open, args.hosts());
    let face = Face::new(session.engine.clone(), args.names.names());
    let router = opcode_web::router(&session.engine, &session.plugins, &face, gate.clone());
    let sign = Sign::put(place, &daemon)?;
    tell(&daemon, &args);
    if args.detached {
        detach::hang_up(&wire::db_path(place)?)?;
    }
    let limits = Limits { grace: last_answers, ..Limits::default() };
    let end = told_to_end(&mut session.interrupts, place, &args, &gate);
    let tidying = tokio::spawn(tidy(session.engine.reader().keeping().clone(), args.rules()));
    opcode_web::serve(listener, router, limits, end).await;
    tidying.abort();
    // Nobody finds us any more; then the store is let go of.
    drop(sign);
    session.stop().await?;
    say::talk("stopped; everything acknowledged is on disk");
    Ok(Exit::Completed)
}

/// Every hour, takes away what is not to be kept any longer.
async fn tidy(keeping: Keeping, rules: Vec<Keep>) {
    while !rules.is_empty() {
        for keep in &rules {
            let templates = keep.templates.join(", ");
            match keeping.vacuum(keep).await {
                Ok(done) => tracing::info!(deleted = done.runs, templates, "old workflows went"),
                Err(failure) => tracing::warn!(%failure, "old workflows stay; in an hour again"),
            }
        }
        tokio::time::sleep(TIDY_PAUSE).await;
    }
}

/// Waits until the process is told to end; until then, SIGHUP means to read the settings again.
async fn told_to_end(
    interrupts: &mut Interrupts,
    place: &Place,
    begun_with: &ServeArgs,
    gate: &Gate,
) {
    while interrupts.is_reload().await {
        let read = Settings::read()
            .and_then(|settings| Cli::over(&settings).map_err(|error| usage::trouble(&error)));
        match read {
            Ok(cli) => reload(place, begun_with, gate, cli),
            Err(trouble) => tracing::error!(%trouble, "the settings stay as they are"),
        }
    }
}

/// Takes over what can change while we serve, and names the rest.
fn reload(place: &Place, before: &ServeArgs, gate: &Gate, cli: Cli) {
    let (Command::Serve(now) | Command::Dev(DevArgs { serve: now, .. })) = &cli.command else {
        return;
    };
    // The place of `dev` is its folder, whatever the settings say.
    let is_plain = matches!(cli.command, Command::Serve(_));
    logs::set_level(now.logs.log_level);
    gate.rename(now.hosts());
    say::talk("settings read again: log level and allowed hosts are in force");
    let fixed = [
        ("listen_addr", before.listen_addr != now.listen_addr),
        ("base_url", before.base_url != now.base_url),
        ("tool_names", before.names != now.names),
        ("db_path", is_plain && place.db_path != cli.place.db_path),
        ("durability", before.engine.durability != now.engine.durability),
        ("pool_size", before.engine.pool_size != now.engine.pool_size),
        ("vault_key_file", before.engine.vault_key_file != now.engine.vault_key_file),
        ("fs_read_roots", before.engine.fs_read_roots != now.engine.fs_read_roots),
        ("fs_deny", before.engine.fs_deny != now.engine.fs_deny),
        ("deny_private", before.engine.deny_private != now.engine.deny_private),
        ("fs_roots", before.engine.fs_roots != now.engine.fs_roots),
        ("sandbox", before.engine.sandbox != now.engine.sandbox),
        ("limits", before.engine.limits != now.engine.limits),
        ("shell_env", before.engine.shell_env != now.engine.shell_env),
        ("plugins", place.plugins != cli.place.plugins),
        ("quotas", before.engine.quotas != now.engine.quotas),
        ("keep", before.keep.keep != now.keep.keep),
        ("keep_failed", before.keep.keep_failed != now.keep.keep_failed),
        ("retention", before.retention != now.retention),
        ("log_format", before.logs.log_format != now.logs.log_format),
    ];
    let waiting = fixed.iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| *name);
    let waiting = waiting.collect::<Vec<_>>().join(", ");
    if !waiting.is_empty() {
        say::talk(&format!("changed, and in force at the next start: {waiting}"));
    }
}

/// The text that shall be the first token, if a file is named that has it.
fn seed() -> Result<Option<String>, Trouble> {
    let Some(path) = std::env::var_os(TOKEN_FILE).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path).map_err(|cause| {
        Trouble::usage(format!("could not read {TOKEN_FILE} {}: {cause}", path.display()))
            .hint("name a file with the token in it, and nothing else")
    })?;
    Ok(Some(text.trim().to_owned()))
}

/// Nobody listens to the world without a token that lets somebody in.
async fn check_tokens(place: &Place, address: SocketAddr) -> Result<(), Trouble> {
    let all = wire::reader_or_empty(place).await?.tokens().list().await?;
    if all.iter().any(|token| token.expires_at.is_none_or(|end| end > now())) {
        return Ok(());
    }
    let message = format!("{address} can be reached from other machines, and there is no token");
    let hint = format!(
        "make one first: {} tokens create NAME --role admin; or listen on 127.0.0.1",
        cli::same_store()
    );
    Err(Trouble::said(ErrorCode::PermissionDenied, message).hint(hint))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Trouble> {
    let refused = |cause: std::io::Error| {
        if cause.kind() == ErrorKind::AddrInUse {
            let free = SocketAddr::new(address.ip(), 0);
            let message = format!("{address} is in use by another process");
            let hint = format!("name another port, or take a free one: --listen-addr {free}");
            return Trouble::said(ErrorCode::Conflict, message).hint(hint);
        }
        let hint = match cause.kind() == ErrorKind::AddrNotAvailable {
            true => "listen on 127.0.0.1, or on an address that `ip address` shows",
            false => "name another port; those below 1024 are for root",
        };
        Trouble::usage(format!("could not listen on {address}: {cause}")).hint(hint)
    };
    TcpListener::bind(address).await.map_err(refused)
}

fn tell(daemon: &Daemon, args: &ServeArgs) {
    let url = args.base_url.clone().unwrap_or_else(|| daemon.url());
    if args.json {
        return say::json(&json!({
            "pid": daemon.pid,
            "address": daemon.address,
            "url": url,
            "mcp": format!("{url}/mcp"),
            "sse": format!("{url}/sse"),
            "api": format!("{url}/api/v1"),
        }));
    }
    say::data(&format!("serving {url}  MCP {url}/mcp  API {url}/api/v1"));
    say::hint("`opcode mcp-config --client NAME` prints how a client connects");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_host_is_this_machine_alone() {
        for (text, meant) in [
            (":4100", "127.0.0.1:4100"),
            ("0", "127.0.0.1:0"),
            ("localhost", "127.0.0.1:4100"),
            ("localhost:80", "127.0.0.1:80"),
            ("10.0.0.1", "10.0.0.1:4100"),
            ("0.0.0.0:1", "0.0.0.0:1"),
            ("[::1]", "[::1]:4100"),
            ("::1", "[::1]:4100"),
            ("[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(listen_at(text).unwrap().at.to_string(), meant, "{text}");
        }
        assert!(listen_at("example.com:80").is_err() && listen_at("").is_err());
    }
}
