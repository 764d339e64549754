//! Looking at a store that somebody else holds: a question as it travels, who answers it, and the store it makes.
//!
//! Keeps: whoever looks from afar sees what he would see beside the store, and can change nothing.
//! Not here: how questions travel (the faces), who may ask what (the faces).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::RunId;
use opcode_model::commit::{CatalogKind, CatalogWrite, Commit, Position};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::contract::{
    About, Catalog, CatalogEntry, CatalogError, CommitError, DecisionFilter, DecisionRow, Delivery,
    EventFilter, EventRecord, Fault, Loaded, OpenRun, Pending, Pruned, Pruning, Report, RunFilter,
    RunSummary, Runs,
};

/// A question to a store: one for each way to look at it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "look", content = "at", rename_all = "snake_case")]
pub enum Look {
    /// [`Runs::about`].
    About,
    /// [`Runs::load`].
    Load(RunId),
    /// [`Runs::inbox`].
    Inbox(Option<RunId>),
    /// [`Runs::open`].
    Open,
    /// [`Runs::workflows`].
    Workflows(RunFilter),
    /// [`Runs::events`].
    Events(EventFilter),
    /// [`Runs::decisions`].
    Decisions(DecisionFilter),
    /// [`Runs::stored`].
    Stored,
    /// [`Runs::verify`].
    Verify,
    /// [`Catalog::find`].
    Find(CatalogKind, Arc<str>),
    /// [`Catalog::list`].
    List(CatalogKind, Arc<str>),
    /// [`Catalog::newest`].
    Newest(CatalogKind, usize),
    /// [`Catalog::audited`].
    Audited,
}

impl Look {
    /// Which things of the catalog it is about, if it is about some.
    pub fn kind(&self) -> Option<CatalogKind> {
        match self {
            Self::Find(kind, _) | Self::List(kind, _) | Self::Newest(kind, _) => Some(*kind),
            Self::Audited => Some(CatalogKind::Audit),
            Self::About
            | Self::Load(_)
            | Self::Inbox(_)
            | Self::Open
            | Self::Workflows(_)
            | Self::Events(_)
            | Self::Decisions(_)
            | Self::Stored
            | Self::Verify => None,
        }
    }

    /// What a store says to it, as JSON.
    ///
    /// # Errors
    /// The store's.
    pub async fn answer(self, runs: &dyn Runs, catalog: &dyn Catalog) -> Result<String, Fault> {
        match self {
            Self::About => told(&runs.about()),
            Self::Load(run) => told(&runs.load(run).await?),
            Self::Inbox(run) => told(&runs.inbox(run).await?),
            Self::Open => told(&runs.open().await?),
            Self::Workflows(filter) => told(&runs.workflows(filter).await?),
            Self::Events(filter) => told(&runs.events(filter).await?),
            Self::Decisions(filter) => told(&runs.decisions(filter).await?),
            Self::Stored => told(&runs.stored().await?),
            Self::Verify => told(&runs.verify().await?),
            Self::Find(kind, key) => told(&catalog.find(kind, key).await?),
            Self::List(kind, prefix) => told(&catalog.list(kind, prefix).await?),
            Self::Newest(kind, limit) => told(&catalog.newest(kind, limit).await?),
            Self::Audited => told(&catalog.audited().await?),
        }
    }
}

fn told(answer: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(answer).map_err(|cause| Fault::new("write an answer", cause))
}

/// Carries questions to who holds a store, and answers back.
pub trait Ask: Send + Sync + 'static {
    /// The answer's JSON.
    fn ask(&self, look: Look) -> Pending<Result<String, Fault>>;
}

/// A store that somebody else holds.
#[derive(Clone)]
pub struct Distant {
    asked: Arc<dyn Ask>,
    about: About,
}

impl Distant {
    /// Asks what it is.
    ///
    /// # Errors
    /// If nobody answers, or nothing that is understood.
    pub async fn open(asked: Arc<dyn Ask>) -> Result<Self, Fault> {
        let about = read(&asked.ask(Look::About).await?)?;
        Ok(Self { asked, about })
    }

    fn look<T: DeserializeOwned + 'static>(&self, look: Look) -> Pending<Result<T, Fault>> {
        let answer = self.asked.ask(look);
        Box::pin(async move { read(&answer.await?) })
    }
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, Fault> {
    serde_json::from_str(answer).map_err(|cause| Fault::new("understand the server", cause))
}

/// Nothing is written from afar.
fn refused() -> Fault {
    Fault::new("write", "this store is only looked at, through the server that holds it")
}

fn at_once<T: Send + 'static>(answer: T) -> Pending<T> {
    Box::pin(std::future::ready(answer))
}

impl Runs for Distant {
    fn append(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Position, CommitError>>> {
        at_once(batch.iter().map(|_| Err(CommitError::Unavailable(refused()))).collect())
    }

    fn append_whole(&self, _: Arc<Vec<Commit>>) -> Pending<Result<(), CommitError>> {
        at_once(Err(CommitError::Unavailable(refused())))
    }

    fn load(&self, run: RunId) -> Pending<Result<Option<Loaded>, Fault>> {
        self.look(Look::Load(run))
    }

    fn inbox(&self, run: Option<RunId>) -> Pending<Result<Vec<Delivery>, Fault>> {
        self.look(Look::Inbox(run))
    }

    fn open(&self) -> Pending<Result<Vec<OpenRun>, Fault>> {
        self.look(Look::Open)
    }

    fn workflows(&self, filter: RunFilter) -> Pending<Result<Vec<RunSummary>, Fault>> {
        self.look(Look::Workflows(filter))
    }

    fn events(&self, filter: EventFilter) -> Pending<Result<Vec<EventRecord>, Fault>> {
        self.look(Look::Events(filter))
    }

    fn decisions(&self, filter: DecisionFilter) -> Pending<Result<Vec<DecisionRow>, Fault>> {
        self.look(Look::Decisions(filter))
    }

    fn stored(&self) -> Pending<Result<BTreeMap<Arc<str>, u64>, Fault>> {
        self.look(Look::Stored)
    }

    fn verify(&self) -> Pending<Result<Report, Fault>> {
        self.look(Look::Verify)
    }

    fn prune(&self, _: Pruning) -> Pending<Result<Pruned, Fault>> {
        at_once(Err(refused()))
    }

    fn about(&self) -> About {
        self.about.clone()
    }

    fn close(&self) -> Pending<Result<(), Fault>> {
        at_once(Ok(()))
    }
}

impl Catalog for Distant {
    fn find(&self, kind: CatalogKind, key: Arc<str>) -> Pending<Result<Option<Arc<str>>, Fault>> {
        self.look(Look::Find(kind, key))
    }

    fn put(&self, _: Vec<CatalogWrite>) -> Pending<Result<(), CatalogError>> {
        at_once(Err(CatalogError::Fault(refused())))
    }

    fn list(
        &self,
        kind: CatalogKind,
        prefix: Arc<str>,
    ) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.look(Look::List(kind, prefix))
    }

    fn newest(&self, kind: CatalogKind, limit: usize) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.look(Look::Newest(kind, limit))
    }

    fn audited(&self) -> Pending<Result<(u64, Option<String>), Fault>> {
        self.look(Look::Audited)
    }
}
