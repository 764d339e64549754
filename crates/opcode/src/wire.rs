//! The composition root: settings, then the store, then the world, then the engine.
//!
//! Keeps: nothing is made before everything asked for was found to be fit; the directory of the database is made last.
//! Not here: what is done with it (`cmd/`).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use opcode_actions::{FileRules, Registry, World, WorldConfig};
use opcode_mcp::plugins::{Plugins, Shell};
use opcode_model::{Failure, Problem, Value};
use opcode_runtime::{Actor, Caller, Engine, EngineConfig, Quotas, Reader, Retention, Tools};
use opcode_store::{Catalog, Runs};
use opcode_store_sqlite::{OpenError, SqliteConfig, SqliteStore};

use crate::cli::{self, EngineArgs, Place};
use crate::exit::Exit;
use crate::say;
use crate::trouble::Trouble;
use crate::{daemon, distant, isolation, passphrase};

/// Where everything is kept, unless told otherwise.
const HOME: &str = "OPCODE_HOME";

/// A setting of the environment; an empty one is none.
fn setting(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where everything is kept.
pub(crate) fn home() -> Option<PathBuf> {
    setting(HOME).or_else(|| setting("HOME").map(|home| home.join(".opcode")))
}

/// An address for people and clients: what stands before the paths.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_fit = rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', ' ', '@']));
    if !is_fit {
        return Err("a base URL is like https://opcode.example.com".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A flag's word: what agents may use, as JSON.
pub(crate) fn quotas(text: &str) -> Result<Quotas, String> {
    json_flag(text, Quotas::read)
}

/// A flag's word: how long workflows of some templates are kept, as JSON.
pub(crate) fn retention(text: &str) -> Result<Retention, String> {
    json_flag(text, Retention::read)
}

fn json_flag<T>(text: &str, read: impl Fn(&Value) -> Result<T, Problem>) -> Result<T, String> {
    let value = Value::from_json(text).map_err(|error| error.to_string())?;
    read(&value).map_err(|problem| {
        let hint = problem.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{}: {}{hint}", problem.path, problem.message)
    })
}

/// The database file.
pub(crate) fn db_path(place: &Place) -> Result<PathBuf, Trouble> {
    if let Some(path) = place.db_path.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        return Ok(path.clone());
    }
    let home = home().ok_or_else(|| {
        Trouble::usage("could not tell where the store is: there is no home directory")
            .hint("name a file: --db-path FILE")
    })?;
    Ok(home.join("opcode.db"))
}

/// Who acts on the command line.
pub(crate) fn actor() -> Actor {
    Actor::new(&Caller::local(), "cli")
}

/// The actions of our own.
pub(crate) fn own_tools(place: &Place) -> Arc<dyn Tools> {
    let all = Registry::builtin();
    Arc::new(if place.lenient_shell { all.lenient() } else { all })
}

/// The actions there are, also those of plugins as they were approved.
pub(crate) async fn plugins(place: &Place, catalog: Arc<dyn Catalog>) -> Result<Plugins, Trouble> {
    let settings = place.plugins.clone().unwrap_or_default();
    Ok(Plugins::open(own_tools(place), catalog, &settings).await?)
}

/// Asks the store, whoever holds it: through the server, if one runs.
pub(crate) async fn reader(place: &Place) -> Result<Reader, Trouble> {
    find_reader(place).await?.map_err(Trouble::from)
}

/// Asks the store; or an empty one, where there is none yet.
pub(crate) async fn reader_or_empty(place: &Place) -> Result<Reader, Trouble> {
    match find_reader(place).await? {
        Err(OpenError::Missing { .. }) => Ok(Reader::without_store(own_tools(place))),
        found => found.map_err(Trouble::from),
    }
}

async fn find_reader(place: &Place) -> Result<Result<Reader, OpenError>, Trouble> {
    if let Some(daemon) = daemon::find(place)? {
        return Ok(Ok(reader_of(place, Arc::new(distant::store(&daemon).await?)).await?));
    }
    match SqliteStore::open_read_only(db_path(place)?) {
        Ok(store) => Ok(Ok(reader_of(place, Arc::new(store)).await?)),
        Err(error) => Ok(Err(error)),
    }
}

/// Asks this store.
pub(crate) async fn reader_of<S: Runs + Catalog>(
    place: &Place,
    store: Arc<S>,
) -> Result<Reader, Trouble> {
    let tools = plugins(place, store.clone()).await?;
    Ok(Reader::new(store, Arc::new(tools)))
}

/// Opens the store for this process alone.
pub(crate) fn store(place: &Place, engine: Option<&EngineArgs>) -> Result<SqliteStore, Trouble> {
    let path = db_path(place)?;
    make_room(&path)?;
    let config = SqliteConfig {
        path,
        durability: engine.map_or(opcode_store::Durability::Disk, |it| it.durability.level()),
        command_name: cli::command_line(),
    };
    Ok(SqliteStore::open(config)?)
}

/// The directory of a database that is not there yet.
pub(crate) fn make_room(path: &Path) -> Result<(), Trouble> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| {
        Trouble::usage(format!("could not make the directory {}: {cause}", folder.display()))
            .hint("check its permissions, or name another place: --db-path FILE")
    })
}

/// What actions and plugins may use of this machine.
pub(crate) fn world(
    place: &Place,
    args: &EngineArgs,
    listens_at: Option<SocketAddr>,
) -> Result<Arc<World>, Trouble> {
    let own_addresses = listens_at.into_iter().collect();
    let world = World::new(WorldConfig { own_addresses, ..world_config(place, args)? });
    world.map(Arc::new).map_err(|fault| {
        let cause = std::error::Error::source(&fault).map(|cause| format!(": {cause}"));
        Trouble::usage(format!("{fault}{}", cause.unwrap_or_default()))
    })
}

/// The engine: every unfinished run goes on from here. Who listens has all plugins come up at once.
pub(crate) async fn engine(
    place: &Place,
    args: &EngineArgs,
    listens_at: Option<SocketAddr>,
) -> Result<(Engine, Plugins), Trouble> {
    let passphrase = passphrase::find(args.vault_key_file.as_deref())?;
    let world = world(place, args, listens_at)?;
    let attempts = world.config().attempts_dir.clone();
    let store = Arc::new(store(place, Some(args))?);
    // The store is ours alone now, and so is whatever was left running by whoever had it before.
    if let Some(attempts) = attempts
        && let Err(cause) = opcode_sandbox::ensure_all_dead(&attempts).await
    {
        tracing::warn!(%cause, "could not end what an earlier process left running");
    }
    let plugins = plugins(place, store.clone()).await?;
    let config = EngineConfig {
        tools: Arc::new(plugins.clone()),
        world: world.clone(),
        pool_size: pool_size(args),
        passphrase,
        quotas: args.quotas.clone().unwrap_or_default(),
        on_wrong_passphrase: Arc::new(wrong_passphrase),
        on_halt: Arc::new(halt),
    };
    let engine = Engine::open(config, store).await?;
    plugins.begin(Shell::of(&engine, world), listens_at.is_some());
    Ok((engine, plugins))
}

/// Actions in flight at once.
pub(crate) fn pool_size(args: &EngineArgs) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    args.pool_size.map_or(10 * cores, |size| size as usize)
}

/// What actions may use of this machine.
fn world_config(place: &Place, args: &EngineArgs) -> Result<WorldConfig, Trouble> {
    let helper = own_program()?;
    let path = std::path::absolute(db_path(place)?)
        .map_err(|cause| Trouble::fault(format!("could not tell where the store is: {cause}")))?;
    let mut attempts = path.clone().into_os_string();
    attempts.push(".attempts");
    let known = WorldConfig::default();
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Ok(WorldConfig {
        files: file_rules(args, &path),
        deny_private: args.deny_private,
        helper,
        attempts_dir: Some(attempts.into()),
        path: text("PATH").unwrap_or(known.path),
        home: text("HOME").unwrap_or(known.home),
        lang: text("LANG").unwrap_or(known.lang),
        tmpdir: text("TMPDIR").unwrap_or(known.tmpdir),
        shell_env: isolation::shell_env(&args.shell_env),
        rules: isolation::rules(args.sandbox.as_ref(), args.limits),
        ..WorldConfig::default()
    })
}

/// Which files actions may touch: never the engine's own.
fn file_rules(args: &EngineArgs, store: &Path) -> FileRules {
    let beside = |end: &str| {
        let mut name = store.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let ends =
        ["", "-wal", "-shm", "-journal", ".lock", ".log", ".serve.json", ".attempts", ".backups"];
    let kept_back = [".before-restore", ".before-restore-wal", ".original", ".original-wal"];
    let kept = ["settings.json", "settings.json.new", "vault.key", "vault.key.new"];
    let kept = kept.into_iter().filter_map(|name| Some(home()?.join(name)));
    let own = ends
        .into_iter()
        .chain(kept_back)
        .map(beside)
        .chain(kept)
        .chain(args.vault_key_file.clone());
    let own = own.chain(passphrase::descriptor()).chain(setting("OPCODE_TOKEN_FILE"));
    FileRules {
        read: args.fs_read_roots.clone(),
        write: args.fs_roots.clone(),
        deny: args.fs_deny.clone(),
        own: own.collect(),
    }
}

/// Our own program as it was when we started, even if its file was replaced or removed since.
pub(crate) fn own_program() -> Result<PathBuf, Trouble> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return Ok(running);
    }
    std::env::current_exe()
        .map_err(|cause| Trouble::fault(format!("could not find our own program: {cause}")))
}

/// Nothing that needs a secret could run, and it would look as if the secrets were at fault.
fn wrong_passphrase(failure: &Failure) {
    let cure = "give it the one it was made with; `opcode secrets rotate --passphrase` changes it";
    say::trouble(&failure.to_string(), cure);
    std::process::exit(Exit::Refused.number().into());
}

/// Whether the last write is on disk is not known: nothing may follow it.
fn halt(failure: &Failure) {
    let ends = "whether the last write is on disk is not known, so this process ends here";
    let cure = format!("check the disk, then go on with `{} resume`", cli::same_store());
    say::trouble(&format!("[{}] {}; {ends}", failure.code, failure.message), &cure);
    std::process::exit(Exit::Lost.number().into());
}
