//! `opcode plugins`: MCP servers whose tools become actions: added, listed, approved, restarted, taken away.
//!
//! Keeps: a server that runs is asked; where none runs, a plugin is tried here before it is kept.
//! Not here: keeping plugins up (`opcode-mcp`'s `plugins`).

use std::sync::Arc;

use clap::{Args, Subcommand};
use hyper::Method;
use opcode_mcp::plugins::{PluginConfig, Plugins, Shell};
use opcode_model::percent::encoded;
use opcode_model::{Timestamp, Value};
use opcode_runtime::{Hub, Secrets};
use opcode_store::Runs;
use opcode_store_sqlite::SqliteStore;
use serde_json::{Map, Value as Json, json};

use crate::cli::{Cli, Command, EngineArgs, Place};
use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::settings::Settings;
use crate::show::age::ago;
use crate::show::table;
use crate::trouble::Trouble;
use crate::{passphrase, say, usage, wire};

#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub(crate) struct PluginsArgs {
    #[command(subcommand)]
    what: What,
    /// Print the answer as one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl PluginsArgs {
    /// Whether it writes to the store.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.what, What::List | What::Logs { .. } | What::Restart { .. })
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add one: a program, or a server at a URL; its tools become NAME.tool
    Add(AddArgs),
    /// List them: where each stands, and which tools it offers
    List,
    /// Take one away
    Remove {
        /// Its name
        name: String,
    },
    /// Start one again
    Restart {
        /// Its name
        name: String,
    },
    /// Take the tools it offers now, and its program as it is now, as approved
    Approve {
        /// Its name
        name: String,
    },
    /// Show the last of what it said, and of what became of it
    Logs {
        /// Its name
        name: String,
    },
}

#[derive(Args, Debug)]
struct AddArgs {
    /// What its actions begin with
    name: String,
    /// The program and its arguments, after --
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Where it is, if it is a server
    #[arg(long, conflicts_with_all = ["command", "env", "cwd", "sandbox", "limits"])]
    url: Option<String>,
    /// A header for each request; ${{secrets.NAME}} is filled in; repeatable
    #[arg(long = "header", value_name = "NAME: TEXT", value_parser = header, requires = "url")]
    headers: Vec<(String, String)>,
    /// A variable of the program; ${{secrets.NAME}} is filled in; repeatable
    #[arg(long, value_name = "NAME=TEXT", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Where the program runs
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// How the program is locked in, or JSON [default: as steps are]
    #[arg(long, value_name = "PROFILE")]
    sandbox: Option<String>,
    /// The most the program may use, as JSON
    #[arg(long, value_name = "JSON")]
    limits: Option<String>,
    /// How long a call may be silent [default: 60s]
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// Take tools that are new, or others than before, as they come
    #[arg(long)]
    trust_changes: bool,
}

fn pair(text: &str, sign: char, like: &str) -> Result<(String, String), String> {
    let found = text.split_once(sign).map(|(name, text)| (name.trim().to_owned(), text.to_owned()));
    found.ok_or_else(|| format!("it is like {like}"))
}

fn variable(text: &str) -> Result<(String, String), String> {
    pair(text, '=', "NAME=text")
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, text) = pair(text, ':', "Authorization: Bearer ${{secrets.TOKEN}}")?;
    Ok((name, text.trim().to_owned()))
}

impl AddArgs {
    /// As it would stand in the settings.
    fn entry(&self) -> Json {
        let texts = |pairs: &[(String, String)]| -> Json {
            pairs
                .iter()
                .map(|(name, text)| (name.clone(), json!(text)))
                .collect::<Map<_, _>>()
                .into()
        };
        // A word that is no JSON is a profile's name.
        let whole = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        let mut words = self.command.iter();
        let members = [
            ("command", words.next().map(|word| json!(word))),
            ("args", (self.command.len() > 1).then(|| json!(words.collect::<Vec<_>>()))),
            ("url", self.url.as_ref().map(|url| json!(url))),
            ("headers", (!self.headers.is_empty()).then(|| texts(&self.headers))),
            ("env", (!self.env.is_empty()).then(|| texts(&self.env))),
            ("cwd", self.cwd.as_ref().map(|cwd| json!(cwd))),
            ("sandbox", self.sandbox.as_ref().map(whole)),
            ("limits", self.limits.as_ref().map(whole)),
            ("timeout", self.timeout.as_ref().map(|span| json!(span))),
            ("trust_changes", self.trust_changes.then_some(json!(true))),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Json::Object(given.collect())
    }
}

pub(crate) async fn run(place: &Place, args: PluginsArgs) -> Result<Exit, Trouble> {
    if let What::Add(add) = &args.what {
        // What is wrong with it is told under the flags' own names, before anything is opened.
        PluginConfig::read(&Value::from_serde(&add.entry())).map_err(|problem| {
            let what = problem.path.trim_start_matches('/').replace('/', ".");
            let place = if what.is_empty() { String::new() } else { format!("{what}: ") };
            let trouble = Trouble::usage(place + &problem.message);
            trouble.hint(problem.hint.unwrap_or_else(|| EXAMPLE.to_owned()))
        })?;
    }
    let answer = match daemon::find(place)? {
        Some(daemon) => ask(&daemon, &args.what).await?,
        None => here(place, &args.what).await?,
    };
    match args.json {
        true => say::json(&answer),
        false => tell(&args.what, &answer),
    }
    Ok(Exit::Completed)
}

const EXAMPLE: &str =
    "such as: opcode plugins add time -- uvx mcp-server-time; or --url https://example.com/mcp";

/// Has a server do it.
async fn ask(daemon: &Daemon, what: &What) -> Result<Json, Trouble> {
    let of = |name: &str, end: &str| format!("/api/v1/plugins/{}{end}", encoded(name));
    let (method, path, body) = match what {
        What::Add(add) => (Method::PUT, of(&add.name, ""), Some(add.entry())),
        What::List => (Method::GET, "/api/v1/plugins".to_owned(), None),
        What::Remove { name } => (Method::DELETE, of(name, ""), None),
        What::Restart { name } => (Method::POST, of(name, "/restart"), None),
        What::Approve { name } => (Method::POST, of(name, "/approve"), None),
        What::Logs { name } => (Method::GET, of(name, "/log"), None),
    };
    daemon.ask(method, &path, body.as_ref()).await
}

/// Does it where no server runs.
async fn here(place: &Place, what: &What) -> Result<Json, Trouble> {
    match what {
        What::List => {
            let store = match SqliteStore::open_read_only(wire::db_path(place)?) {
                Ok(store) => Arc::new(store),
                Err(_) if !wire::db_path(place)?.exists() => return Ok(json!({"plugins": []})),
                Err(error) => return Err(error.into()),
            };
            Ok(json!({"plugins": wire::plugins(place, store).await?.list()}))
        }
        What::Restart { .. } | What::Logs { .. } => {
            Err(Trouble::usage("plugins run in a server, and none runs on this store")
                .hint("start one: opcode serve"))
        }
        What::Add(_) | What::Remove { .. } | What::Approve { .. } => {
            let store = Arc::new(wire::store(place, None)?);
            let done = change(place, &store, what).await;
            store.close().await.map_err(|fault| Trouble::store(&fault))?;
            done
        }
    }
}

async fn change(place: &Place, store: &Arc<SqliteStore>, what: &What) -> Result<Json, Trouble> {
    let args = serving()?;
    let passphrase = passphrase::find(args.vault_key_file.as_deref())?;
    let plugins = wire::plugins(place, store.clone()).await?;
    let shell = Shell {
        world: wire::world(place, &args, None)?,
        secrets: Secrets::new(store.clone(), passphrase),
        hub: Hub::default(),
    };
    plugins.begin(shell, false);
    let done = apply(&plugins, what).await;
    plugins.end().await;
    done
}

async fn apply(plugins: &Plugins, what: &What) -> Result<Json, Trouble> {
    let by = wire::actor();
    Ok(match what {
        What::Add(add) => {
            let config = PluginConfig::read(&Value::from_serde(&add.entry()));
            let config = config.map_err(|problem| Trouble::usage(problem.message))?;
            plugins.add(&add.name, config, &by).await?
        }
        What::Approve { name } => plugins.approve(name, &by).await?,
        What::Remove { name } => {
            plugins.remove(name, &by).await?;
            json!({"removed": name})
        }
        What::List | What::Restart { .. } | What::Logs { .. } => Json::Null,
    })
}

/// What a server would be started with: programs are locked in as there.
fn serving() -> Result<EngineArgs, Trouble> {
    let cli = Cli::serving(&Settings::read()?).map_err(|error| usage::trouble(&error))?;
    let Command::Serve(args) = cli.command else {
        return Err(Trouble::fault("`serve` is another command"));
    };
    Ok(args.engine)
}

fn tell(what: &What, answer: &Json) {
    match what {
        What::List => list(&answer["plugins"]),
        What::Remove { name } => say::data(&format!("{name} is gone")),
        What::Logs { .. } => answer["lines"].as_array().into_iter().flatten().for_each(line),
        What::Add(_) | What::Restart { .. } | What::Approve { .. } => {
            let text = |member: &str| answer[member].as_str().unwrap_or_default();
            say::data(&format!("{} is {}", text("name"), text("state")));
            tools(answer);
            pinned(answer);
        }
    }
}

fn line(line: &Json) {
    let text = |member: &str| line[member].as_str().unwrap_or_default();
    let by = if text("by") == "plugin" { "" } else { "  -- " };
    let clean: String = text("text").chars().filter(|it| !it.is_control()).collect();
    say::data(&format!("{}  {by}{clean}", text("at")));
}

fn list(plugins: &Json) {
    let all: Vec<&Json> = plugins.as_array().into_iter().flatten().collect();
    if all.is_empty() {
        say::talk("no plugins");
        return say::hint(EXAMPLE);
    }
    let row = |plugin: &&Json| {
        let text = |member: &str| plugin[member].as_str().unwrap_or_default().to_owned();
        let number = |member: &str| table::Cell::number(plugin[member].to_string());
        let since = Timestamp::parse(&text("since")).map(ago).unwrap_or_default();
        let standing = |tool: &&Json| tool["standing"] != "approved";
        let offered: Vec<&Json> = plugin["tools"].as_array().into_iter().flatten().collect();
        let waiting = offered.iter().filter(|tool| standing(tool)).count();
        let tools = match waiting {
            0 => offered.len().to_string(),
            waiting => format!("{} ({waiting} not as approved)", offered.len()),
        };
        vec![
            text("name").into(),
            text("state").into(),
            since.into(),
            text("transport").into(),
            tools.into(),
            number("calls"),
            number("failed"),
            number("restarts"),
            text("reason").into(),
        ]
    };
    let head = ["NAME", "STATE", "SINCE", "BY", "TOOLS", "CALLS", "FAILED", "RESTARTS", "WHY"];
    say::data(&table::text(&head, all.iter().map(row).collect(), say::out()));
}

/// Which files must stay as they are.
fn pinned(plugin: &Json) {
    let files: Vec<&str> =
        plugin["pinned"].as_object().into_iter().flatten().map(|(file, _)| file.as_str()).collect();
    match files.as_slice() {
        [] if plugin["transport"] == "stdio" => {
            say::hint("none of its files is pinned: what it runs may change unseen");
        }
        [] => {}
        files => say::hint(&format!(
            "it is started only while this stays as it is: {}",
            files.join(", ")
        )),
    }
}

fn tools(plugin: &Json) {
    let name = plugin["name"].as_str().unwrap_or_default();
    let row = |tool: &Json| {
        let text = |member: &str| tool[member].as_str().unwrap_or_default().to_owned();
        let action = format!("{name}.{}", text("name"));
        [action, text("effect"), text("standing"), text("summary")].map(Into::into).to_vec()
    };
    let rows: Vec<_> = plugin["tools"].as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        return say::talk("it offers no tools");
    }
    say::data(&table::text(&["ACTION", "EFFECT", "STANDING", "WHAT IT DOES"], rows, say::out()));
}
