//! `opcode secrets`: sets, lists, grants, takes away and seals anew what workflows call `${{secrets.NAME}}`.
//!
//! Keeps: a content comes from standard input or a prompt, never from an argument; none is ever shown.
//! Not here: how secrets are kept (`opcode-vault`), the passphrase (`passphrase.rs`).

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use hyper::Method;
use opcode_model::Timestamp;
use opcode_model::percent::encoded;
use opcode_runtime::{Grant, Passphrase, Secrets, shapes};
use opcode_store::Runs;
use opcode_store_sqlite::SqliteStore;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Value as Json, json};

use crate::cli::Place;
use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::show::age::ago;
use crate::show::table;
use crate::trouble::Trouble;
use crate::{passphrase, say, wire};

/// Bytes read at most.
const BYTES_MAX: u64 = 4 << 20;

#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    what: What,
    /// A file with the vault's passphrase, where no server runs
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "OPCODE_VAULT_KEY_FILE",
        hide_env = true
    )]
    vault_key_file: Option<PathBuf>,
    /// Print the answer as one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Set one; its content is read from standard input, or asked for
    Set {
        /// What workflows call it: ${{secrets.NAME}}
        name: String,
    },
    /// List them: names, ages, uses and grants, never contents
    List,
    /// Take one away
    Delete {
        /// Its name
        name: String,
    },
    /// Say who may use one; without any flag, anybody may again
    Grant {
        /// Its name
        name: String,
        /// An action, such as http.*; repeatable
        #[arg(long = "action", value_name = "PATTERN")]
        actions: Vec<String>,
        /// A host that HTTP actions may carry it to, such as api.example.com; repeatable
        #[arg(long = "host", value_name = "PATTERN")]
        hosts: Vec<String>,
        /// A template; repeatable
        #[arg(long = "template", value_name = "PATTERN")]
        templates: Vec<String>,
        /// Beside what was granted before, not in its place
        #[arg(long)]
        also: bool,
    },
    /// Seal all of them with a new key
    Rotate {
        /// Under a new passphrase too: read from standard input, or asked for twice
        #[arg(long)]
        passphrase: bool,
    },
    /// Set several: NAME=content lines, or one JSON object
    Import {
        /// Where they are; standard input if -
        #[arg(default_value = "-")]
        file: String,
    },
}

impl SecretsArgs {
    /// Whether more is wanted than a list.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.what, What::List)
    }
}

pub(crate) async fn run(place: &Place, args: SecretsArgs) -> Result<Exit, Trouble> {
    let desk = Desk::open(place, &args).await?;
    let done = desk.serve(&args).await;
    desk.close().await?;
    done
}

/// Who keeps the secrets: a server that runs, or the store itself.
enum Desk {
    Server(Daemon),
    Store(Arc<SqliteStore>, Secrets),
    /// Listing only.
    Looking(Secrets),
}

impl Desk {
    async fn open(place: &Place, args: &SecretsArgs) -> Result<Self, Trouble> {
        if let Some(daemon) = daemon::find(place)? {
            return Ok(Self::Server(daemon));
        }
        if matches!(args.what, What::List) {
            return Ok(Self::Looking(wire::reader_or_empty(place).await?.secrets().clone()));
        }
        let needs_key =
            matches!(args.what, What::Set { .. } | What::Rotate { .. } | What::Import { .. });
        let passphrase = passphrase::find(args.vault_key_file.as_deref())?;
        if needs_key && passphrase.is_none() {
            return Err(Trouble::usage("the vault has no passphrase").hint(
                "put one into a file of mode 600 and name it in OPCODE_VAULT_KEY_FILE, for this command and the server",
            ));
        }
        let store = Arc::new(wire::store(place, None)?);
        let secrets = Secrets::new(store.clone(), passphrase).by(wire::actor());
        Ok(Self::Store(store, secrets))
    }

    async fn close(self) -> Result<(), Trouble> {
        match self {
            Self::Store(store, _) => store.close().await.map_err(|fault| Trouble::store(&fault)),
            Self::Server(_) | Self::Looking(_) => Ok(()),
        }
    }

    async fn serve(&self, args: &SecretsArgs) -> Result<Exit, Trouble> {
        let answer = match &args.what {
            What::Set { name } => self.set(name, &content(&format!("content of {name}"))?).await?,
            What::List => return self.list(args.json).await,
            What::Delete { name } => self.delete(name).await?,
            What::Grant { name, actions, hosts, templates, also } => {
                let (actions, hosts, templates) =
                    (actions.clone(), hosts.clone(), templates.clone());
                self.grant(name, Grant { actions, hosts, templates }, *also).await?
            }
            What::Rotate { passphrase } => self.rotate(*passphrase).await?,
            What::Import { file } => self.import(file).await?,
        };
        match args.json {
            true => say::json(&answer),
            false => say::data(&told(&args.what, &answer)),
        }
        Ok(Exit::Completed)
    }

    async fn set(&self, name: &str, content: &str) -> Result<Json, Trouble> {
        match self {
            Self::Server(daemon) => {
                let path = format!("/api/v1/secrets/{}", encoded(name));
                daemon.ask(Method::PUT, &path, Some(&json!({"value": content}))).await
            }
            Self::Store(_, secrets) | Self::Looking(secrets) => {
                let version = secrets.set(name, content.as_bytes()).await?;
                Ok(json!({"name": name, "version": version}))
            }
        }
    }

    async fn delete(&self, name: &str) -> Result<Json, Trouble> {
        match self {
            Self::Server(daemon) => {
                let path = format!("/api/v1/secrets/{}", encoded(name));
                daemon.ask(Method::DELETE, &path, None).await
            }
            Self::Store(_, secrets) | Self::Looking(secrets) => {
                secrets.delete(name).await?;
                Ok(json!({"deleted": name}))
            }
        }
    }

    async fn grant(&self, name: &str, grant: Grant, also: bool) -> Result<Json, Trouble> {
        let mut grants = Vec::new();
        if also {
            let all = self.all().await?;
            let known = all.iter().find(|secret| secret["name"] == name);
            let known = known.map(|secret| secret["grants"].clone()).unwrap_or_default();
            grants = serde_json::from_value(known).unwrap_or_default();
        }
        if grant != Grant::default() {
            grants.push(grant);
        }
        match self {
            Self::Server(daemon) => {
                let path = format!("/api/v1/secrets/{}/grants", encoded(name));
                daemon.ask(Method::PUT, &path, Some(&json!({"grants": grants}))).await?;
            }
            Self::Store(_, secrets) | Self::Looking(secrets) => {
                secrets.grant(name, grants.clone()).await?;
            }
        }
        Ok(json!({"name": name, "grants": grants}))
    }

    async fn rotate(&self, rekey: bool) -> Result<Json, Trouble> {
        let passphrase = if rekey { Some(new_passphrase()?) } else { None };
        match self {
            Self::Server(daemon) => {
                let wish = json!({"passphrase": passphrase});
                daemon.ask(Method::POST, "/api/v1/vault/rotate", Some(&wish)).await
            }
            Self::Store(_, secrets) | Self::Looking(secrets) => {
                let passphrase = passphrase.map(|text| Passphrase::new(text.into_bytes()));
                Ok(json!({"sealed": secrets.rotate(passphrase).await?}))
            }
        }
    }

    async fn import(&self, file: &str) -> Result<Json, Trouble> {
        let text = match file {
            "-" => stdin()?,
            file => {
                let read = std::fs::File::open(file).and_then(limited);
                read.map_err(|cause| Trouble::usage(format!("could not read {file}: {cause}")))?
            }
        };
        let pairs = pairs(&text)?;
        for (name, content) in &pairs {
            self.set(name, content).await?;
        }
        let names: Vec<&String> = pairs.iter().map(|(name, _)| name).collect();
        Ok(json!({"set": names}))
    }

    async fn all(&self) -> Result<Vec<Json>, Trouble> {
        match self {
            Self::Server(daemon) => {
                let answer = daemon.ask(Method::GET, "/api/v1/secrets", None).await?;
                Ok(answer["secrets"].as_array().cloned().unwrap_or_default())
            }
            Self::Store(_, secrets) | Self::Looking(secrets) => {
                Ok(secrets.list().await?.iter().map(shapes::secret).collect())
            }
        }
    }

    async fn list(&self, as_json: bool) -> Result<Exit, Trouble> {
        let all = self.all().await?;
        if as_json {
            say::json(&json!({"secrets": all}));
        } else if all.is_empty() {
            say::data("no secrets");
        } else {
            let head = ["NAME", "VERSION", "SET", "LAST USE", "USED IN", "GRANTED FOR"];
            say::data(&table::text(&head, all.iter().map(row).collect(), say::out()));
        }
        Ok(Exit::Completed)
    }
}

fn told(what: &What, answer: &Json) -> String {
    let name = answer["name"].as_str().unwrap_or_default();
    match what {
        What::Set { .. } => format!("set {name}, version {}", answer["version"]),
        What::Delete { .. } => {
            format!("deleted {}", answer["deleted"].as_str().unwrap_or_default())
        }
        What::Grant { .. } => match answer["grants"].as_array().map_or(0, Vec::len) {
            0 => format!("{name} may be used by any action of any template"),
            _ => format!("{name} may be used as granted"),
        },
        What::Rotate { .. } => format!("sealed anew: {}", answer["sealed"]),
        What::Import { .. } => format!("set {}", answer["set"].as_array().map_or(0, Vec::len)),
        What::List => String::new(),
    }
}

fn row(secret: &Json) -> Vec<table::Cell> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let since = |value: &Json| value.as_str().and_then(Timestamp::parse).map(ago);
    let last = since(&secret["last_use"]["at"]).unwrap_or_else(|| "never".to_owned());
    let grants = serde_json::from_value::<Vec<Grant>>(secret["grants"].clone());
    let grants: Vec<String> = grants.unwrap_or_default().iter().map(grant_text).collect();
    let granted = if grants.is_empty() { "anything".to_owned() } else { grants.join("; ") };
    let templates = secret["templates"].as_array().into_iter().flatten().map(text);
    let templates = templates.collect::<Vec<_>>().join(", ");
    let (name, version) = (text(&secret["name"]), secret["version"].to_string());
    let set = since(&secret["set_at"]).unwrap_or_default();
    [name, version, set, last, templates, granted].map(table::Cell::from).to_vec()
}

fn grant_text(grant: &Grant) -> String {
    let part = |word: &str, patterns: &[String]| {
        (!patterns.is_empty()).then(|| format!("{word}{}", patterns.join(",")))
    };
    let parts =
        [part("", &grant.actions), part("to ", &grant.hosts), part("in ", &grant.templates)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `NAME=content` lines, with `#` before remarks and quotes around contents if need be; or one JSON object.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Trouble> {
    let hint = "write NAME=content, one a line, or one JSON object of texts";
    if text.trim_start().starts_with('{') {
        let read: Result<std::collections::BTreeMap<String, String>, _> =
            serde_json::from_str(text);
        let wrong = |cause: serde_json::Error| {
            // What stands there may be a secret: only the place is told.
            let place = format!("line {}, column {}", cause.line(), cause.column());
            Trouble::usage(format!("it is no JSON object of texts, at {place}")).hint(hint)
        };
        return read.map(|all| all.into_iter().collect()).map_err(wrong);
    }
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, content)) = line.split_once('=') else {
            return Err(Trouble::usage(format!("line {} has no `=`", at + 1)).hint(hint));
        };
        let content = content.trim();
        let quoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| content.strip_prefix(quote)?.strip_suffix(quote));
        found.push((name.trim().to_owned(), quoted.unwrap_or(content).to_owned()));
    }
    Ok(found)
}

fn limited(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let read = from.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if read as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn stdin() -> Result<String, Trouble> {
    limited(io::stdin().lock())
        .map_err(|cause| Trouble::usage(format!("could not read standard input: {cause}")))
}

/// One text: asked for on a terminal, else all of standard input but the line end behind it.
fn content(what: &str) -> Result<String, Trouble> {
    if io::stdin().is_terminal() {
        return asked(what);
    }
    let text = stdin()?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn new_passphrase() -> Result<String, Trouble> {
    let first = content("new passphrase")?;
    if io::stdin().is_terminal() && asked("the same again")? != first {
        return Err(Trouble::usage("the two differ").hint("try again"));
    }
    if first.is_empty() {
        return Err(Trouble::usage("a passphrase is not empty"));
    }
    Ok(first)
}

/// Asks on the terminal, without showing what is typed.
fn asked(what: &str) -> Result<String, Trouble> {
    let fault = |cause: io::Error| Trouble::usage(format!("could not ask: {cause}"));
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).map_err(|cause| fault(cause.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let mut err = io::stderr();
    write!(err, "{what}: ").and_then(|()| err.flush()).map_err(fault)?;
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|cause| fault(cause.into()))?;
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    let shown = tcsetattr(&stdin, OptionalActions::Flush, &before);
    writeln!(err).map_err(fault)?;
    shown.map_err(|cause| fault(cause.into()))?;
    read.map_err(fault)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_lines_or_one_object() {
        let lines = "# remark\nA=one\n export B = 'two words' \n\nC=\"x=y\"\n";
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(pairs(lines).unwrap(), owned(&[("A", "one"), ("B", "two words"), ("C", "x=y")]));
        assert_eq!(pairs(r#"{"A": "one"}"#).unwrap(), owned(&[("A", "one")]));
        for wrong in ["A=1\nsecret-without-name", r#"{"A": {"deep": "hidden"}}"#] {
            let said = pairs(wrong).unwrap_err().to_string();
            assert!(!said.contains("secret-without") && !said.contains("hidden"), "{said}");
        }
    }
}
