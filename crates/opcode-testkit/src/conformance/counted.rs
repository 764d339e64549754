//! A store that counts which of its operations succeeded.
//!
//! Keeps: every operation of both traits is in `OPERATIONS` and goes through here.
//! Not here: the cases.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use opcode_model::RunId;
use opcode_model::commit::{CatalogKind, CatalogWrite, Commit, Position};
use opcode_store::{
    About, Catalog, CatalogEntry, CatalogError, CommitError, Committed, DecisionFilter,
    DecisionRow, Delivery, EventFilter, EventRecord, Fault, Loaded, OpenRun, Pending, Pruned,
    Pruning, Report, RunFilter, RunSummary, Runs,
};

/// Every operation that can fail.
const OPERATIONS: [&str; 16] = [
    "append",
    "append_whole",
    "close",
    "commit",
    "decisions",
    "events",
    "find",
    "inbox",
    "list",
    "load",
    "open",
    "prune",
    "put",
    "stored",
    "verify",
    "workflows",
];

/// How often each operation succeeded.
#[derive(Default)]
pub(super) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    fn count(&self, operation: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    pub(super) fn missing(&self) -> Vec<&'static str> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        OPERATIONS.into_iter().filter(|operation| !counts.contains_key(operation)).collect()
    }
}

/// A store under count.
pub(super) struct Counted<S> {
    inner: S,
    tally: Arc<Tally>,
}

impl<S> Counted<S> {
    /// Counts into `tally`.
    pub(super) fn new(inner: S, tally: Arc<Tally>) -> Self {
        Self { inner, tally }
    }

    fn counted<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: &'static str,
        answer: Pending<Result<T, E>>,
    ) -> Pending<Result<T, E>> {
        let tally = self.tally.clone();
        Box::pin(async move { answer.await.inspect(|_| tally.count(operation)) })
    }

    fn counted_each<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: &'static str,
        answers: Pending<Vec<Result<T, E>>>,
    ) -> Pending<Vec<Result<T, E>>> {
        let tally = self.tally.clone();
        Box::pin(async move {
            let answers = answers.await;
            answers.iter().flatten().for_each(|_| tally.count(operation));
            answers
        })
    }
}

impl<S: Runs> Runs for Counted<S> {
    fn append(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Position, CommitError>>> {
        self.counted_each("append", self.inner.append(batch))
    }
    fn append_whole(&self, batch: Arc<Vec<Commit>>) -> Pending<Result<(), CommitError>> {
        self.counted("append_whole", self.inner.append_whole(batch))
    }
    fn commit(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Committed, CommitError>>> {
        self.counted_each("commit", self.inner.commit(batch))
    }
    fn load(&self, run: RunId) -> Pending<Result<Option<Loaded>, Fault>> {
        self.counted("load", self.inner.load(run))
    }
    fn inbox(&self, run: Option<RunId>) -> Pending<Result<Vec<Delivery>, Fault>> {
        self.counted("inbox", self.inner.inbox(run))
    }
    fn open(&self) -> Pending<Result<Vec<OpenRun>, Fault>> {
        self.counted("open", self.inner.open())
    }
    fn workflows(&self, filter: RunFilter) -> Pending<Result<Vec<RunSummary>, Fault>> {
        self.counted("workflows", self.inner.workflows(filter))
    }
    fn events(&self, filter: EventFilter) -> Pending<Result<Vec<EventRecord>, Fault>> {
        self.counted("events", self.inner.events(filter))
    }
    fn decisions(&self, filter: DecisionFilter) -> Pending<Result<Vec<DecisionRow>, Fault>> {
        self.counted("decisions", self.inner.decisions(filter))
    }
    fn stored(&self) -> Pending<Result<BTreeMap<Arc<str>, u64>, Fault>> {
        self.counted("stored", self.inner.stored())
    }
    fn verify(&self) -> Pending<Result<Report, Fault>> {
        self.counted("verify", self.inner.verify())
    }
    fn prune(&self, which: Pruning) -> Pending<Result<Pruned, Fault>> {
        self.counted("prune", self.inner.prune(which))
    }
    fn about(&self) -> About {
        self.inner.about()
    }
    fn close(&self) -> Pending<Result<(), Fault>> {
        self.counted("close", self.inner.close())
    }
}

impl<S: Catalog> Catalog for Counted<S> {
    fn find(&self, kind: CatalogKind, key: Arc<str>) -> Pending<Result<Option<Arc<str>>, Fault>> {
        self.counted("find", self.inner.find(kind, key))
    }
    fn put(&self, writes: Vec<CatalogWrite>) -> Pending<Result<(), CatalogError>> {
        self.counted("put", self.inner.put(writes))
    }
    fn list(
        &self,
        kind: CatalogKind,
        prefix: Arc<str>,
    ) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.counted("list", self.inner.list(kind, prefix))
    }
    fn newest(&self, kind: CatalogKind, limit: usize) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.counted("newest", self.inner.newest(kind, limit))
    }

    fn audited(&self) -> Pending<Result<(u64, Option<String>), Fault>> {
        self.counted("audited", self.inner.audited())
    }
}
