//! One plugin: what the operator says of it, what is known of its tools, and the line to it.
//!
//! Keeps: what is approved of it is on disk before anybody is told that it is.
//! Not here: keeping it up (`supervise.rs`), all of them together (`mod.rs`).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{EffectClass, ErrorCode, Failure};
use opcode_runtime::now;
use opcode_store::Catalog;
use rmcp::model::ServerPeerInfo;
use rmcp::service::{Peer, RoleClient};
use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, oneshot};

use super::book::{Approved, Book, Row};
use super::card::Card;
use super::config::{PluginConfig, Reached};
use super::connect::discover;
use super::line::{Line, Phase};
use super::pin::{self, Digests};
use super::supervise::Order;
use super::tool::ToolAction;

/// How long a program may take to die when it is not wanted any more.
const END_MAX: Duration = Duration::from_secs(20);

/// One plugin.
pub(super) struct Plugin {
    pub line: Arc<Line>,
    pub config: PluginConfig,
    /// Whether it stands in the settings, and so is not ours to take away.
    pub is_of_settings: bool,
    /// Whether what is approved of it is written down; not before it was added.
    pub is_kept: AtomicBool,
    book: RwLock<Book>,
    now: Mutex<Digests>,
    peer: Mutex<Option<ServerPeerInfo>>,
    orders: mpsc::Sender<Order>,
    catalog: Arc<dyn Catalog>,
    /// Of all plugins' actions together.
    revision: Arc<AtomicU64>,
}

impl Plugin {
    /// A plugin that nobody has started yet, and the end of the line its orders come from.
    pub(super) fn new(
        name: &str,
        config: PluginConfig,
        row: Option<&Row>,
        (is_of_settings, catalog, revision): (bool, Arc<dyn Catalog>, Arc<AtomicU64>),
    ) -> (Arc<Self>, mpsc::Receiver<Order>) {
        let line = Arc::new(Line::new(name.into(), config.silence, now()));
        let (orders, heard) = mpsc::channel(8);
        let plugin = Self {
            book: RwLock::new(Book::of(row, &line)),
            line,
            config,
            is_of_settings,
            is_kept: AtomicBool::new(row.is_some() || is_of_settings),
            now: Mutex::default(),
            peer: Mutex::default(),
            orders,
            catalog,
            revision,
        };
        (Arc::new(plugin), heard)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Book) -> T) -> T {
        let changed = change(&mut self.book.write().unwrap_or_else(PoisonError::into_inner));
        self.revision.fetch_add(1, Ordering::Relaxed);
        changed
    }

    fn look<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether its tools are known, as they were approved.
    pub(super) fn is_known(&self) -> bool {
        self.look(|book| book.approved().is_some())
    }

    /// The action of one of its tools.
    pub(super) fn action(&self, tool: &str) -> Option<Arc<ToolAction>> {
        self.look(|book| book.actions().get(tool).cloned())
    }

    /// The names of its actions.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |tool: &String| format!("{}.{tool}", self.line.name);
        self.look(|book| book.actions().keys().map(name).collect())
    }

    /// The mark of each tool that can be called.
    pub(super) fn marks(&self) -> std::collections::BTreeMap<String, String> {
        self.look(Book::marks)
    }

    /// Whether it is known to speak a protocol before today's.
    pub(super) fn speaks_old(&self) -> bool {
        let peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        peer.as_ref().is_some_and(|info| info.protocol_version.has_initialize())
    }

    /// It said who it is.
    pub(super) fn met(&self, info: Option<&ServerPeerInfo>) {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = info.cloned();
    }

    /// What its program's files are.
    ///
    /// # Errors
    /// `PLUGIN_CHANGED` if they are not what was approved.
    pub(super) async fn digests(&self, path: &str) -> Result<Digests, Failure> {
        let Reached::Program(program) = &self.config.reached else { return Ok(Digests::new()) };
        let (program, path) = (program.clone(), path.to_owned());
        let read = tokio::task::spawn_blocking(move || pin::digests(&program, &path)).await;
        let read = read.unwrap_or_else(|cause| Err(cause.to_string()));
        let found = read.map_err(|why| self.line.unavailable(&why))?;
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&found);
        let other = self.look(|book| {
            let approved = book.approved().map(|approved| &approved.digests)?;
            pin::changed(approved, &found).map(str::to_owned)
        });
        match other.filter(|_| !self.config.trusts_changes) {
            None => Ok(found),
            Some(file) => {
                let name = &self.line.name;
                let message = format!(
                    "plugin `{name}` is not started: {file} is not what it was when it was approved"
                );
                Err(Failure::new(ErrorCode::PluginChanged, message))
            }
        }
    }

    /// The same as it was when it was last looked at.
    pub(super) fn digests_known(&self) -> Digests {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks it what it offers.
    pub(super) async fn learn(
        &self,
        peer: &Peer<RoleClient>,
        digests: Digests,
    ) -> Result<(), Failure> {
        let mut cards = Vec::new();
        for tool in discover(&self.line, peer).await? {
            // Whoever looks at plugins need not be one who may see their secrets.
            let cleaned = serde_json::to_value(&tool).map(|tool| self.line.cleaner.json(tool));
            let tool = cleaned.and_then(serde_json::from_value).unwrap_or(tool);
            match Card::of(&tool) {
                Ok(card) => cards.push(card),
                Err(why) => self.line.log.noted(now(), format!("passed over: {why}")),
            }
        }
        let offered = Approved::new(cards, digests);
        let (line, trusts) = (&self.line, self.config.trusts_changes);
        let is_new = self.change(|book| book.offer(line, offered, trusts));
        if is_new && self.is_kept.load(Ordering::Relaxed) {
            self.keep(Vec::new()).await?;
        }
        Ok(())
    }

    /// Writes down what is approved, and with it who did.
    pub(super) async fn keep(&self, also: Vec<CatalogWrite>) -> Result<(), Failure> {
        let approved = self.look(|book| book.approved().cloned()).unwrap_or_default();
        let row = Row {
            config: (!self.is_of_settings).then(|| self.config.written.clone()),
            cards: approved.cards.values().map(|card| card.as_ref().clone()).collect(),
            digests: approved.digests,
        };
        let body = serde_json::to_string(&row)
            .map_err(|cause| Failure::new(ErrorCode::Internal, cause.to_string()))?;
        self.write(Some(body), also).await?;
        self.is_kept.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Takes it out of the catalog, and writes down who did.
    pub(super) async fn drop_row(&self, also: Vec<CatalogWrite>) -> Result<(), Failure> {
        self.write(None, also).await
    }

    async fn write(&self, body: Option<String>, also: Vec<CatalogWrite>) -> Result<(), Failure> {
        let write = CatalogWrite {
            kind: CatalogKind::Plugin,
            key: self.line.name.clone(),
            body: body.map(Into::into),
            at: now(),
            replace: true,
        };
        let written = self.catalog.put(std::iter::once(write).chain(also).collect()).await;
        written.map_err(|error| Failure::new(ErrorCode::Store, error.to_string()))
    }

    /// Whether it is up.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.line.phase().1, Phase::Ready(_))
    }

    /// Takes what it offers as approved.
    pub(super) fn approve(&self) {
        self.change(|book| book.approve(&self.line));
    }

    /// Takes what it will offer and be when it comes up; answers what was approved before.
    pub(super) fn approve_what_comes(&self) -> Option<Approved> {
        self.change(|book| book.forget(&self.line))
    }

    /// It did not come up: what was approved before still is.
    pub(super) fn approve_as_before(&self, approved: Option<Approved>) {
        self.change(|book| book.restore(&self.line, approved));
    }

    /// Puts in force what is approved now.
    pub(super) async fn review(&self) {
        // Nobody keeps it any more: there is nothing in force.
        self.orders.send(Order::Review).await.unwrap_or_default();
    }

    /// Starts it again. When this comes back, it is no longer what it was.
    pub(super) async fn restart(&self) -> Result<(), Failure> {
        let (heard, over) = oneshot::channel();
        let told = tokio::time::timeout(END_MAX, async {
            self.orders.send(Order::Restart(heard)).await.is_ok() && over.await.is_ok()
        });
        match told.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.line.unavailable("no process of ours keeps it")),
            Err(_) => Err(self.line.unavailable("it does not let go of what it does")),
        }
    }

    /// Ends it.
    pub(super) async fn end(&self) {
        let (done, over) = oneshot::channel();
        let ended = async {
            if self.orders.send(Order::End(done)).await.is_ok() {
                // Nobody answers who is gone.
                over.await.unwrap_or_default();
            }
        };
        drop(tokio::time::timeout(END_MAX, ended).await);
    }

    /// All that is told of it.
    pub(super) fn told(&self) -> Json {
        let (since, phase) = self.line.phase();
        let peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        let server = peer.as_ref().and_then(|info| info.server_info.as_ref());
        let clean = |text: &str| self.line.cleaner.cut(text, 200);
        let counts = &self.line.counts;
        let (tools, pinned): (Vec<Json>, _) = self.look(|book| {
            let tools = book.actions().values().map(|it| tool(it, book.offered(&it.card.name)));
            (tools.collect(), book.approved().map(|approved| approved.digests.clone()))
        });
        json!({
            "name": self.line.name,
            "state": phase.text(),
            "since": since.to_string(),
            "reason": phase.failure().map(|failure| failure.message.clone()),
            "transport": self.config.transport(),
            "source": if self.is_of_settings { "settings" } else { "store" },
            "server": server.map(|it| clean(&format!("{} {}", it.name, it.version))),
            "protocol": peer.as_ref().map(|info| info.protocol_version.to_string()),
            "calls": counts.calls.load(Ordering::Relaxed),
            "failed": counts.failed.load(Ordering::Relaxed),
            "restarts": counts.restarts.load(Ordering::Relaxed),
            "pinned": pinned,
            "tools": tools,
        })
    }
}

/// A tool as it was approved, and beside it as it is offered now, where that is another.
fn tool(action: &ToolAction, offered: Option<&Arc<Card>>) -> Json {
    let effect = |card: &Card| match card.class() {
        EffectClass::Pure => "pure",
        EffectClass::Idempotent => "idempotent",
        EffectClass::Unsafe => "unsafe",
    };
    let mut told = json!({
        "name": action.card.name,
        "effect": effect(&action.card),
        "standing": action.standing.text(),
        "summary": action.card.about,
    });
    if let Some(card) = offered.filter(|card| **card != action.card) {
        told["offered"] =
            json!({"effect": effect(card), "summary": card.about, "schema": card.schema});
    }
    told
}
