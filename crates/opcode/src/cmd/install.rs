//! `opcode install`: writes settings, starts the server in the background or under systemd, and shows how clients connect.
//!
//! Keeps: what was set before stays unless it is named; a server that runs is told to read its settings again.
//! Not here: the settings there are (`settings.rs`), serving (`serve.rs`).

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use opcode_model::Value;
use rustix::process::{Pid, Signal, kill_process};

use crate::cli::Place;
use crate::cmd::mcp_config;
use crate::cmd::serve::listen_at;
use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{cli, detach, logs, say, settings, wire};

/// Bytes of the vault's passphrase.
const VAULT_KEY_BYTES_MAX: u64 = 4 << 10;
/// What systemd knows the server by.
const UNIT: &str = "opcode.service";

#[derive(Args, Debug)]
pub(crate) struct InstallArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR", value_parser = |text: &str| listen_at(text).map(|_| text.to_owned()))]
    listen_addr: Option<String>,
    /// How others reach it, if not at the address it listens on
    #[arg(long, value_name = "URL", value_parser = wire::base_url)]
    base_url: Option<String>,
    /// debug, info, warn, error or off
    #[arg(long, value_name = "LEVEL", value_parser = |text: &str| logs::level(text).map(|_| text.to_owned()))]
    log_level: Option<String>,
    /// Actions in flight at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pool_size: Option<u32>,
    /// Keep the vault's passphrase, given on standard input
    #[arg(long)]
    vault_key_stdin: bool,
    /// The same, from the command line, which others can see
    #[arg(long, value_name = "KEY", hide = true, conflicts_with = "vault_key_stdin")]
    vault_key: Option<String>,
    /// Let systemd start it, now and at each login
    #[arg(long)]
    systemd: bool,
    /// Print the addresses as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(place: &Place, args: &InstallArgs) -> Result<Exit, Trouble> {
    let path = settings::change(&changes(place, args)?)?;
    say::talk(&format!("settings: {}", path.display()));
    let exit = match (daemon::find(place)?, args.systemd) {
        (Some(daemon), false) => read_again(daemon, args.json)?,
        (_, true) => under_systemd()?,
        (None, false) => {
            let words = ["serve", "--detached"].into_iter().chain(args.json.then_some("--json"));
            detach::start_as(words.map(Into::into))?
        }
    };
    let store = cli::same_store();
    say::hint(&format!("clients connect as `{store} mcp-config --client NAME` prints"));
    say::hint(&format!("NAME is {}", mcp_config::clients()));
    Ok(exit)
}

/// What the command line names, as the settings have it.
fn changes(place: &Place, args: &InstallArgs) -> Result<Vec<(&'static str, Value)>, Trouble> {
    let absolute = |path: &PathBuf| {
        std::path::absolute(path).map(|path| Value::from(&*path.to_string_lossy()))
    };
    let db_path = place.db_path.as_ref().map(absolute).transpose();
    let db_path =
        db_path.map_err(|cause| Trouble::fault(format!("could not tell where we are: {cause}")))?;
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    let vault_key_file = vault_key(args)?.map(|path| Value::from(&*path.to_string_lossy()));
    let named = [
        ("vault_key_file", vault_key_file),
        ("listen_addr", text(&args.listen_addr)),
        ("base_url", text(&args.base_url)),
        ("db_path", db_path),
        ("log_level", text(&args.log_level)),
        ("pool_size", args.pool_size.map(|size| Value::Int(size.into()))),
    ];
    Ok(named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// Where the vault's passphrase was put, if one was given.
fn vault_key(args: &InstallArgs) -> Result<Option<PathBuf>, Trouble> {
    let key = match (&args.vault_key, args.vault_key_stdin) {
        (Some(key), _) => {
            say::talk("others can see a command line while it runs: --vault-key-stdin is safer");
            key.clone()
        }
        (None, true) => {
            let mut line = String::new();
            let read =
                std::io::stdin().lock().take(VAULT_KEY_BYTES_MAX + 1).read_to_string(&mut line);
            read.map_err(|cause| {
                Trouble::usage(format!("could not read standard input: {cause}"))
            })?;
            line
        }
        (None, false) => return Ok(None),
    };
    if key.len() as u64 > VAULT_KEY_BYTES_MAX {
        return Err(Trouble::usage(format!("a passphrase is at most {VAULT_KEY_BYTES_MAX} bytes")));
    }
    if key.trim().is_empty() {
        return Err(Trouble::usage("the vault's passphrase is empty")
            .hint("give it on standard input: opcode install --vault-key-stdin < FILE"));
    }
    let home = wire::home().ok_or_else(|| Trouble::usage("there is no home directory"))?;
    let path = home.join("vault.key");
    let key = key.trim_end_matches(['\n', '\r']);
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if !known.is_empty() && known.trim_end_matches(['\n', '\r']) != key {
        return Err(Trouble::usage(format!("{} has another passphrase", path.display()))
            .hint("`opcode secrets rotate --passphrase` changes it; then put the new one there"));
    }
    settings::write(&path, key)
        .map_err(|cause| Trouble::fault(format!("could not write {}: {cause}", path.display())))?;
    Ok(Some(path))
}

fn read_again(daemon: Daemon, as_json: bool) -> Result<Exit, Trouble> {
    let pid = i32::try_from(daemon.pid).ok().and_then(Pid::from_raw);
    if let Some(Err(cause)) = pid.map(|pid| kill_process(pid, Signal::HUP)) {
        return Err(Trouble::fault(format!("could not tell process {}: {cause}", daemon.pid)));
    }
    let url = daemon.url();
    match as_json {
        true => say::json(&serde_json::json!({"pid": daemon.pid, "url": url})),
        false => say::data(&format!("process {} serves {url} already", daemon.pid)),
    }
    say::talk("it was told to read its settings again; a new address needs `opcode stop` first");
    Ok(Exit::Completed)
}

fn under_systemd() -> Result<Exit, Trouble> {
    let home = std::env::var_os("XDG_CONFIG_HOME").filter(|home| !home.is_empty());
    let home = home.map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    let home = home.ok_or_else(|| Trouble::usage("there is no home directory for the unit"))?;
    let fault =
        |cause: std::io::Error| Trouble::fault(format!("could not write the unit {UNIT}: {cause}"));
    let folder = home.join("systemd/user");
    let program = std::env::current_exe().map_err(fault)?;
    std::fs::create_dir_all(&folder).map_err(fault)?;
    std::fs::write(folder.join(UNIT), unit(&program.to_string_lossy())).map_err(fault)?;
    say::talk(&format!("unit: {}", folder.join(UNIT).display()));
    for words in [&["daemon-reload"][..], &["enable", "--now", UNIT]] {
        let ran = Command::new("systemctl").arg("--user").args(words).output();
        let said = match ran {
            Ok(ran) if ran.status.success() => continue,
            Ok(ran) => String::from_utf8_lossy(&ran.stderr).trim().to_owned(),
            Err(cause) => cause.to_string(),
        };
        let message = format!("systemctl --user {} did not work: {said}", words.join(" "));
        let hint = "the unit and the settings are written; without systemd: `opcode install`";
        return Err(Trouble::fault(message).hint(hint));
    }
    say::data(&format!("systemd runs {UNIT}: systemctl --user status {UNIT}"));
    say::hint("to have it run while you are not logged in: loginctl enable-linger");
    Ok(Exit::Completed)
}

/// The unit; settings come from the file, so that nothing of them is on a command line.
fn unit(program: &str) -> String {
    let program = program.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    let home = std::env::var("OPCODE_HOME").ok().filter(|home| !home.is_empty());
    let home = home.map_or(String::new(), |home| {
        format!("Environment=\"OPCODE_HOME={}\"\n", home.replace('"', "\\\"").replace('%', "%%"))
    });
    format!(
        "[Unit]\nDescription=opcode, durable workflows for agents\nAfter=network.target\n\n\
         [Service]\nType=exec\nExecStart=\"{program}\" serve\nExecReload=/bin/kill -HUP $MAINPID\n\
         {home}Restart=on-failure\nRestartSec=1\nTimeoutStopSec=30\nNoNewPrivileges=yes\nUMask=0077\n\n\
         [Install]\nWantedBy=default.target\n"
    )
}
