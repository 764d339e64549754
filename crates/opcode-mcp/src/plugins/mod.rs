//! Plugins: MCP servers whose tools are actions, `<plugin>.<tool>`.
//!
//! Keeps: what is approved is known from the store alone; one plugin's troubles never reach another, or the engine.
//! Not here: our own tools, for agents (`tools/`).

mod book;
mod call;
mod card;
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

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
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
    idle: std::sync::Mutex<Vec<(Arc<Plugin>, mpsc::Receiver<Order>)>>,
    shell: OnceLock<Shell>,
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
            idle: std::sync::Mutex::default(),
            shell: OnceLock::new(),
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
            let config = row.config.as_ref().map(PluginConfig::read);
            if let Some(Ok(config)) = config {
                all.know(name, config, Some(row), false);
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

    /// Keeps them from now on: all come up at once if `eager`, else each when it is first needed. Comes back when those
    /// have come up, or not, whose tools nobody knows.
    pub async fn begin(&self, shell: Shell, eager: bool) {
        let idle = std::mem::take(&mut *self.idle());
        let unknown: Vec<_> =
            idle.iter().map(|(plugin, _)| plugin.clone()).filter(|it| !it.is_known()).collect();
        for (plugin, orders) in idle {
            keep(plugin, shell.clone(), orders, eager);
        }
        // Nobody begins twice.
        self.0.shell.set(shell).unwrap_or_default();
        if !eager {
            let waiting = unknown.iter().map(|plugin| plugin.line.settled(ADD_MAX));
            futures_util::future::join_all(waiting).await;
        }
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

    /// Brings one up and keeps it, with the tools it offers now as those that are approved.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a name that cannot be; `CONFLICT` for one that is there; why it did not come up. Nothing is
    /// kept then.
    pub async fn add(&self, name: &str, config: PluginConfig, by: &Actor) -> Result<Json, Failure> {
        config::check_name(name, &self.0.own.names())?;
        let failure = |code, message: String| Err(Failure::new(code, message));
        if self.known().contains_key(name) {
            return failure(ErrorCode::Conflict, format!("there is a plugin `{name}` already"));
        }
        if self.known().len() >= PLUGINS_MAX {
            return Err(Failure::limit("plugins", PLUGINS_MAX as i64));
        }
        let Some(shell) = self.0.shell.get().cloned() else {
            return failure(ErrorCode::Conflict, "no process of ours keeps plugins".to_owned());
        };
        let (plugin, orders) = self.make(name, config, None, false);
        keep(plugin.clone(), shell, orders, true);
        let deed = Deed { action: "plugin.add", kind: "plugin", id: name, agent: None };
        let come = plugin.line.settled(ADD_MAX).await;
        let kept = match come {
            Ok(_) => plugin.keep(vec![by.did(deed)]).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = kept {
            plugin.end().await;
            return Err(failure);
        }
        // Two of one name were added at once: the second gives way.
        let is_taken = {
            let mut known = self.known_mut();
            let is_taken = known.contains_key(name);
            if !is_taken {
                known.insert(name.to_owned(), plugin.clone());
            }
            is_taken
        };
        if is_taken {
            plugin.end().await;
            return failure(ErrorCode::Conflict, format!("there is a plugin `{name}` already"));
        }
        self.0.revision.fetch_add(1, Ordering::Relaxed);
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
        let deed = Deed { action: "plugin.remove", kind: "plugin", id: name, agent: None };
        plugin.drop_row(vec![by.did(deed)]).await?;
        self.known_mut().remove(name);
        self.0.revision.fetch_add(1, Ordering::Relaxed);
        plugin.end().await;
        Ok(())
    }

    /// Starts one again; comes back when it has come up.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name; why it did not come up.
    pub async fn restart(&self, name: &str, by: &Actor) -> Result<Json, Failure> {
        let plugin = self.find_plugin(name)?;
        self.note("plugin.restart", name, by).await?;
        self.come_up_again(&plugin).await
    }

    async fn come_up_again(&self, plugin: &Plugin) -> Result<Json, Failure> {
        plugin.restart().await?;
        // It first goes down.
        tokio::time::sleep(Duration::from_millis(50)).await;
        plugin.line.settled(ADD_MAX).await?;
        Ok(plugin.told())
    }

    async fn note(&self, action: &str, name: &str, by: &Actor) -> Result<(), Failure> {
        let deed = Deed { action, kind: "plugin", id: name, agent: None };
        let written = self.0.catalog.put(vec![by.did(deed)]).await;
        written.map_err(|error| Failure::new(ErrorCode::Store, error.to_string()))
    }

    /// Takes what one offers now, and its program as it is now, as approved.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name; why it did not come up.
    pub async fn approve(&self, name: &str, by: &Actor) -> Result<Json, Failure> {
        let plugin = self.find_plugin(name)?;
        if !plugin.approve() {
            self.come_up_again(&plugin).await?;
        }
        let deed = Deed { action: "plugin.approve", kind: "plugin", id: name, agent: None };
        plugin.keep(vec![by.did(deed)]).await?;
        plugin.review().await;
        Ok(plugin.told())
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
