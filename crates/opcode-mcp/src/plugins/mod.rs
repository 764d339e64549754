//! Plugins: MCP servers whose tools are actions, `<plugin>.<tool>`.
//!
//! Keeps: what is approved is known from the store alone; one plugin's troubles never reach another, or the engine.
//! Not here: our own tools, for agents (`tools/`).

mod book;
mod call;
mod card;
mod clean;
mod config;
mod connect;
mod line;
mod lines;
mod listener;
mod log;
mod pin;
mod plugin;
mod supervise;
mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use opcode_actions::{Action, World};
use opcode_model::action::{Answer, EffectClass, ParamProblem};
use opcode_model::commit::CatalogKind;
use opcode_model::{Actions, ErrorCode, Failure, Language, Value};
use opcode_runtime::{Actor, Deed, Engine, Hub, Secrets, Tools, now};
use opcode_store::Catalog;
use serde_json::Value as Json;
use tokio::sync::mpsc;

pub use config::PluginConfig;

use book::Row;
use line::Phase;
use plugin::Plugin;
use supervise::{Order, supervise};

/// How long whoever adds one waits for it to come up.
const ADD_MAX: Duration = Duration::from_secs(60);
/// Plugins of one store.
const PLUGINS_MAX: usize = 200;

/// What plugins are run with.
#[derive(Clone)]
pub struct Shell {
    /// Where their programs run.
    pub world: Arc<World>,
    /// What opens the secrets they are given.
    pub secrets: Secrets,
    /// Where they tell how far they are.
    pub hub: Hub,
}

impl Shell {
    /// That of an engine.
    pub fn of(engine: &Engine, world: Arc<World>) -> Self {
        Self { world, secrets: engine.reader().secrets().clone(), hub: engine.hub().clone() }
    }
}

/// Every plugin of a store, and with them all actions there are.
#[derive(Clone)]
pub struct Plugins(Arc<Inner>);

struct Inner {
    own: Arc<dyn Tools>,
    catalog: Arc<dyn Catalog>,
    known: RwLock<BTreeMap<String, Arc<Plugin>>>,
    /// Orders for those that nobody keeps yet.
    idle: Mutex<Vec<(Arc<Plugin>, mpsc::Receiver<Order>)>>,
    shell: OnceLock<Shell>,
    /// Names that somebody is about to add.
    adding: Mutex<BTreeSet<String>>,
    revision: Arc<AtomicU64>,
}

impl Plugins {
    /// The plugins of the settings and of a store, beside actions of our own. None is started.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a name that cannot be; `STORE_ERROR` if they cannot be read.
    pub async fn open(
        own: Arc<dyn Tools>,
        catalog: Arc<dyn Catalog>,
        settings: &BTreeMap<String, PluginConfig>,
    ) -> Result<Self, Failure> {
        let entries = catalog.list(CatalogKind::Plugin, "".into()).await;
        let entries = entries
            .map_err(|fault| Failure::new(ErrorCode::Store, format!("could not {fault}")))?;
        let all = Self(Arc::new(Inner {
            own,
            catalog,
            known: RwLock::default(),
            idle: Mutex::default(),
            shell: OnceLock::new(),
            adding: Mutex::default(),
            revision: Arc::default(),
        }));
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for entry in &entries {
            match serde_json::from_str(&entry.body) {
                Ok(row) => drop(rows.insert(entry.key.to_string(), row)),
                Err(cause) => {
                    tracing::error!(plugin = %entry.key, %cause, "a plugin cannot be read");
                }
            }
        }
        for (name, config) in settings {
            config::check_name(name, &all.0.own.names())?;
            all.know(name, config.clone(), rows.get(name), true);
        }
        for (name, row) in rows.iter().filter(|(name, _)| !settings.contains_key(*name)) {
            match row.config.as_ref().map(PluginConfig::read) {
                Some(Ok(config)) => all.know(name, config, Some(row), false),
                Some(Err(problem)) => {
                    tracing::error!(plugin = %name, "it is not there: {}", problem.message);
                }
                // It stood in the settings, and stands there no more.
                None => {}
            }
        }
        Ok(all)
    }

    fn know(&self, name: &str, config: PluginConfig, row: Option<&Row>, is_of_settings: bool) {
        let (plugin, orders) = self.make(name, config, row, is_of_settings);
        self.idle().push((plugin.clone(), orders));
        self.register(name, plugin);
    }

    fn make(
        &self,
        name: &str,
        config: PluginConfig,
        row: Option<&Row>,
        is_of_settings: bool,
    ) -> (Arc<Plugin>, mpsc::Receiver<Order>) {
        let shared = (is_of_settings, self.0.catalog.clone(), self.0.revision.clone());
        Plugin::new(name, config, row, shared)
    }

    fn register(&self, name: &str, plugin: Arc<Plugin>) {
        self.known_mut().insert(name.to_owned(), plugin);
        self.0.revision.fetch_add(1, Ordering::Relaxed);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<Plugin>, mpsc::Receiver<Order>)>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Plugin>>> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Plugin>>> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps them from now on: all come up at once if `eager`, else each when it is first needed, or nobody knows its tools.
    pub fn begin(&self, shell: Shell, eager: bool) {
        let idle = std::mem::take(&mut *self.idle());
        for (plugin, orders) in idle {
            keep(plugin, shell.clone(), orders, eager);
        }
        // Nobody begins twice.
        self.0.shell.set(shell).unwrap_or_default();
    }

    fn find_plugin(&self, name: &str) -> Result<Arc<Plugin>, Failure> {
        self.known().get(name).cloned().ok_or_else(|| {
            let message = format!("there is no plugin `{name}`");
            Failure::new(ErrorCode::NotFound, message)
        })
    }

    /// All that is told of all of them.
    pub fn list(&self) -> Vec<Json> {
        self.known().values().map(|plugin| plugin.told()).collect()
    }

    /// All that is told of one.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name.
    pub fn told(&self, name: &str) -> Result<Json, Failure> {
        Ok(self.find_plugin(name)?.told())
    }

    /// The last of what one said, and of what became of it.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name.
    pub fn log(&self, name: &str) -> Result<Vec<Json>, Failure> {
        Ok(self.find_plugin(name)?.line.log.told())
    }

    /// Does something to its end, also when whoever asked has gone.
    async fn whole<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let done = tokio::spawn(work).await;
        done.unwrap_or_else(|cause| Err(Failure::new(ErrorCode::Internal, cause.to_string())))
    }

    /// Brings one up and keeps it, with the tools it offers now as those that are approved.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a name that cannot be; `CONFLICT` for one that is there; why it did not come up. Nothing is
    /// kept then.
    pub async fn add(&self, name: &str, config: PluginConfig, by: &Actor) -> Result<Json, Failure> {
        config::check_name(name, &self.0.own.names())?;
        let (all, name, by) = (self.clone(), name.to_owned(), by.clone());
        self.whole(async move {
            let _reserved = all.reserve(&name)?;
            all.bring_up(&name, config, &by).await
        })
        .await
    }

    /// Keeps a name for whoever is about to add it.
    fn reserve(&self, name: &str) -> Result<Reserved, Failure> {
        let mut adding = self.0.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().contains_key(name) || adding.contains(name) {
            let message = format!("there is a plugin `{name}` already");
            return Err(Failure::new(ErrorCode::Conflict, message));
        }
        if self.known().len() + adding.len() >= PLUGINS_MAX {
            return Err(Failure::limit("plugins", PLUGINS_MAX as i64));
        }
        adding.insert(name.to_owned());
        Ok(Reserved(self.clone(), name.to_owned()))
    }

    async fn bring_up(
        &self,
        name: &str,
        config: PluginConfig,
        by: &Actor,
    ) -> Result<Json, Failure> {
        let shell =
            self.0.shell.get().cloned().ok_or_else(|| {
                Failure::new(ErrorCode::Conflict, "no process of ours keeps plugins")
            })?;
        let (plugin, orders) = self.make(name, config, None, false);
        keep(plugin.clone(), shell, orders, true);
        let deed = Deed { action: "plugin.add", kind: "plugin", id: name, agent: None };
        let kept = match plugin.line.settled(ADD_MAX).await {
            Ok(_) => plugin.keep(vec![by.did(deed)]).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = kept {
            plugin.end().await;
            return Err(failure);
        }
        self.register(name, plugin.clone());
        Ok(plugin.told())
    }

    /// Ends one and forgets it.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name; `CONFLICT` if it stands in the settings.
    pub async fn remove(&self, name: &str, by: &Actor) -> Result<(), Failure> {
        let plugin = self.find_plugin(name)?;
        if plugin.is_of_settings {
            let message = format!("plugin `{name}` stands in the settings; take it out there");
            return Err(Failure::new(ErrorCode::Conflict, message));
        }
        let (all, by) = (self.clone(), by.clone());
        self.whole(async move {
            // Nothing that it still says is written down any more.
            plugin.is_kept.store(false, Ordering::Relaxed);
            plugin.end().await;
            let name = plugin.line.name.as_ref();
            let deed = Deed { action: "plugin.remove", kind: "plugin", id: name, agent: None };
            plugin.drop_row(vec![by.did(deed)]).await?;
            all.known_mut().remove(name);
            all.0.revision.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .await
    }

    /// Starts one again; comes back when it has come up.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name; why it did not come up.
    pub async fn restart(&self, name: &str, by: &Actor) -> Result<Json, Failure> {
        let plugin = self.find_plugin(name)?;
        let deed = Deed { action: "plugin.restart", kind: "plugin", id: name, agent: None };
        let written = self.0.catalog.put(vec![by.did(deed)]).await;
        written.map_err(|error| Failure::new(ErrorCode::Store, error.to_string()))?;
        come_up_again(&plugin).await?;
        Ok(plugin.told())
    }

    /// Takes what one offers now, and its program as it is now, as approved.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name; why it did not come up, and then what was approved before still is.
    pub async fn approve(&self, name: &str, by: &Actor) -> Result<Json, Failure> {
        let plugin = self.find_plugin(name)?;
        let by = by.clone();
        self.whole(async move {
            if plugin.is_up() {
                plugin.approve();
            } else {
                let before = plugin.approve_what_comes();
                if let Err(failure) = come_up_again(&plugin).await {
                    plugin.approve_as_before(before);
                    return Err(failure);
                }
            }
            let name = plugin.line.name.as_ref();
            let deed = Deed { action: "plugin.approve", kind: "plugin", id: name, agent: None };
            plugin.keep(vec![by.did(deed)]).await?;
            plugin.review().await;
            Ok(plugin.told())
        })
        .await
    }

    /// Ends all of them.
    pub async fn end(&self) {
        let all: Vec<_> = self.known().values().cloned().collect();
        futures_util::future::join_all(all.iter().map(|plugin| plugin.end())).await;
    }

    /// The plugin that such an action would be of, if nobody knows its tools yet.
    fn unmet(&self, name: &str) -> Option<Arc<Plugin>> {
        let (plugin, _) = name.split_once('.')?;
        self.known().get(plugin).filter(|plugin| !plugin.is_known()).cloned()
    }

    fn of_plugin(&self, name: &str) -> Option<Arc<tool::ToolAction>> {
        let (plugin, tool) = name.split_once('.')?;
        self.known().get(plugin)?.action(tool)
    }
}

/// Starts one again, and waits until it has come up.
async fn come_up_again(plugin: &Plugin) -> Result<(), Failure> {
    plugin.restart().await?;
    plugin.line.settled(ADD_MAX).await.map(drop)
}

/// A name that is about to be added, as long as this lives.
struct Reserved(Plugins, String);

impl Drop for Reserved {
    fn drop(&mut self) {
        let Self(all, name) = self;
        all.0.adding.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// Keeps a plugin from now on, in a task of its own.
fn keep(plugin: Arc<Plugin>, shell: Shell, orders: mpsc::Receiver<Order>, eager: bool) {
    tokio::spawn(async move {
        let kept = AssertUnwindSafe(supervise(plugin.clone(), shell, orders, eager));
        if kept.catch_unwind().await.is_err() {
            let message = "what kept it died; restart the server";
            let failure = Failure::new(ErrorCode::Internal, message);
            plugin.line.enter(now(), Phase::Stopped(failure));
        }
    });
}

impl Tools for Plugins {
    fn find(&self, name: &str) -> Option<Arc<dyn Action>> {
        self.0.own.find(name).or_else(|| self.of_plugin(name).map(|action| action as _))
    }

    fn revision(&self) -> u64 {
        self.0.revision.load(Ordering::Relaxed)
    }
}

impl Actions for Plugins {
    fn class(&self, name: &str) -> Option<EffectClass> {
        let theirs = || self.of_plugin(name).map(|action| action.card.class());
        let unmet = || self.unmet(name).map(|_| EffectClass::Unsafe);
        self.0.own.class(name).or_else(theirs).or_else(unmet)
    }

    fn names(&self) -> Vec<String> {
        let theirs = self.known().values().flat_map(|plugin| plugin.names()).collect::<Vec<_>>();
        self.0.own.names().into_iter().chain(theirs).collect()
    }

    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        match (self.of_plugin(name), self.unmet(name)) {
            (Some(action), _) => action.check(params),
            (None, Some(plugin)) => vec![tool::barred(plugin.line.unmet())],
            (None, None) => self.0.own.check(name, params),
        }
    }

    fn program(&self, name: &str) -> Option<(&'static str, Language)> {
        self.0.own.program(name)
    }

    fn runs_programs(&self, name: &str) -> bool {
        self.0.own.runs_programs(name)
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        self.0.own.compute(name, params)
    }
}
