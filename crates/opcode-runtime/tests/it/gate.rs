//! A store whose writes wait until they are let through.
//!
//! Keeps: reads answer at once, from what was let through.
//! Not here: what it stands on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opcode_model::RunId;
use opcode_model::commit::{CatalogKind, CatalogWrite, Commit, Position};
use opcode_store::{
    About, Catalog, CatalogEntry, CatalogError, CommitError, DecisionFilter, DecisionRow, Delivery,
    EventFilter, EventRecord, Fault, Loaded, MemoryStore, OpenRun, Pending, Pruned, Pruning,
    Report, RunFilter, RunSummary, Runs,
};
use tokio::sync::watch;

/// A store in memory behind a gate.
pub(crate) struct Gate {
    store: MemoryStore,
    open: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
    dies: AtomicBool,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            open: watch::Sender::new(true),
            waiting: watch::Sender::new(0),
            dies: AtomicBool::new(false),
        }
    }

    /// Lets writes through, or holds them.
    pub(crate) fn set(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// The next write dies.
    pub(crate) fn die(&self) {
        self.dies.store(true, Ordering::Relaxed);
    }

    /// Writes that came up to now.
    pub(crate) fn came(&self) -> usize {
        *self.waiting.borrow()
    }
}

impl Runs for Gate {
    fn append(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Position, CommitError>>> {
        assert!(!self.dies.load(Ordering::Relaxed), "told to die");
        let (store, mut open) = (self.store.clone(), self.open.subscribe());
        self.waiting.send_modify(|came| *came += 1);
        Box::pin(async move {
            drop(open.wait_for(|open| *open).await);
            store.append(batch).await
        })
    }

    fn append_whole(&self, batch: Arc<Vec<Commit>>) -> Pending<Result<(), CommitError>> {
        self.store.append_whole(batch)
    }

    fn load(&self, run: RunId) -> Pending<Result<Option<Loaded>, Fault>> {
        self.store.load(run)
    }

    fn inbox(&self, run: Option<RunId>) -> Pending<Result<Vec<Delivery>, Fault>> {
        self.store.inbox(run)
    }

    fn open(&self) -> Pending<Result<Vec<OpenRun>, Fault>> {
        self.store.open()
    }

    fn workflows(&self, filter: RunFilter) -> Pending<Result<Vec<RunSummary>, Fault>> {
        self.store.workflows(filter)
    }

    fn events(&self, filter: EventFilter) -> Pending<Result<Vec<EventRecord>, Fault>> {
        self.store.events(filter)
    }

    fn decisions(&self, filter: DecisionFilter) -> Pending<Result<Vec<DecisionRow>, Fault>> {
        self.store.decisions(filter)
    }

    fn stored(&self) -> Pending<Result<BTreeMap<Arc<str>, u64>, Fault>> {
        self.store.stored()
    }

    fn verify(&self) -> Pending<Result<Report, Fault>> {
        self.store.verify()
    }

    fn prune(&self, which: Pruning) -> Pending<Result<Pruned, Fault>> {
        self.store.prune(which)
    }

    fn about(&self) -> About {
        About { backend: "gate", ..self.store.about() }
    }

    fn close(&self) -> Pending<Result<(), Fault>> {
        self.store.close()
    }
}

impl Catalog for Gate {
    fn find(&self, kind: CatalogKind, key: Arc<str>) -> Pending<Result<Option<Arc<str>>, Fault>> {
        self.store.find(kind, key)
    }

    fn put(&self, writes: Vec<CatalogWrite>) -> Pending<Result<(), CatalogError>> {
        self.store.put(writes)
    }

    fn list(
        &self,
        kind: CatalogKind,
        prefix: Arc<str>,
    ) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.store.list(kind, prefix)
    }

    fn newest(&self, kind: CatalogKind, limit: usize) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.store.newest(kind, limit)
    }

    fn audited(&self) -> Pending<Result<(u64, Option<String>), Fault>> {
        self.store.audited()
    }
}
