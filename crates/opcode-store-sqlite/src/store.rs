//! The store as its callers hold it: a handle that packs, queues and reads.
//!
//! Keeps: the place is let go when the last handle is; commits are packed on the caller's side.
//! Not here: what the threads behind it do (`writer.rs`, `readers.rs`, `checkpoint.rs`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use opcode_model::RunId;
use opcode_model::commit::{CatalogKind, CatalogWrite, Commit, Position};
use opcode_store::{
    About, Catalog, CatalogEntry, CatalogError, CommitError, DecisionFilter, DecisionRow, Delivery,
    Durability, EventFilter, EventRecord, Fault, Loaded, OpenRun, Pending, Pruned, Pruning, Report,
    RunFilter, RunSummary, Runs,
};

use crate::audits;
use crate::backup::backup;
use crate::lock::Lock;
use crate::open::{OpenError, SqliteConfig, check_version, look, open, readable, writable};
use crate::pack::{PackedCommit, pack_batch};
use crate::readers::{Door, Readers};
use crate::reply::{Reply, reply};
use crate::write::{Books, find_thing};
use crate::writer::{Health, Job, Writer};
use crate::{checkpoint, lists, load, migrations, prune, verify};

/// Jobs that may wait for the writer; whoever brings more waits.
const JOBS_MAX: usize = 1_024;
/// Threads that read.
const READERS: usize = 2;

/// The embedded store. Clones share it; it closes with the last one.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    durability: Durability,
    health: Arc<Health>,
    /// `None` when opened for reading only, or closed.
    jobs: Mutex<Option<SyncSender<Job>>>,
    readers: Readers,
    threads: Vec<JoinHandle<()>>,
    lock: Mutex<Option<Lock>>,
    note: Option<&'static str>,
}

impl SqliteStore {
    /// Opens a store for this process alone, and makes it if it is not there.
    pub fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        let opened = open(&config)?;
        let path = config.path;
        let unusable = |cause: String| OpenError::Unusable {
            path: path.clone(),
            cause,
            hint: "check the limits of this process and try again",
        };
        let sql = |error: rusqlite::Error| unusable(error.to_string());
        let health = Arc::new(Health::default());
        let copying = writable(&path, config.durability).map_err(sql)?;
        let books = Books::open(&opened.connection).map_err(sql)?;
        let (connection, note) = (opened.connection, opened.note);
        let io = |error: std::io::Error| unusable(error.to_string());
        let watch = checkpoint::watch(copying, health.clone()).map_err(io)?;
        let writer = Writer { connection, books, watch, health: health.clone() };
        let doors = (0..READERS).map(|_| readable(&path).map(Door::Kept));
        let doors = doors.collect::<Result<_, _>>().map_err(sql)?;
        let (readers, mut threads) = Readers::start(doors).map_err(io)?;
        let (jobs, queue) = sync_channel(JOBS_MAX);
        threads.push(start("store-write", move || write(writer, &queue)).map_err(io)?);
        let jobs = Mutex::new(Some(jobs));
        let lock = Mutex::new(Some(opened.lock));
        let durability = config.durability;
        let path = path.clone();
        let inner = Inner { path, durability, health, jobs, readers, threads, lock, note };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens a store for reading, whoever else holds it. Takes no lock and writes nothing; appends are refused.
    pub fn open_read_only(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        check_version()?;
        let path = path.into();
        if look(&path)?.is_none() {
            return Err(OpenError::Missing { path });
        }
        let (readers, threads) =
            Readers::start(vec![Door::Fresh(path.clone())]).map_err(|cause| {
                OpenError::Unusable {
                    path: path.clone(),
                    cause: cause.to_string(),
                    hint: "check the limits of this process and try again",
                }
            })?;
        let inner = Inner {
            path,
            durability: Durability::Disk,
            health: Arc::new(Health::default()),
            jobs: Mutex::new(None),
            readers,
            threads,
            lock: Mutex::new(None),
            note: None,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// What opening found that a person should know, such as a log that went missing.
    pub fn note(&self) -> Option<&'static str> {
        self.inner.note
    }

    /// Lets the database have at most so many pages of 4 KiB; 0 takes the bound away. What would need more is refused
    /// as on a full disk.
    pub fn bound_pages(&self, pages: u32) -> Pending<Result<(), Fault>> {
        let pages = if pages == 0 { i64::from(u32::MAX) - 1 } else { i64::from(pages) };
        self.ask(|reply| Job::Bound { pages, reply }, |_, fault| Err(fault))
    }

    /// Puts a job before the writer. `otherwise` makes the answer if none comes.
    fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(Reply<T>) -> Job,
        otherwise: impl FnOnce(NoAnswer, Fault) -> T + Send + 'static,
    ) -> Pending<T> {
        let (answer, waiting) = reply();
        let jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sent = jobs.is_some_and(|jobs| jobs.send(job(answer)).is_ok());
        Box::pin(async move {
            let (why, cause) = match waiting.await {
                Some(answer) => return answer,
                None if sent => (NoAnswer::Gone, "the writer is gone"),
                None => (NoAnswer::Closed, "the store is closed, or open for reading only"),
            };
            otherwise(why, Fault::new("write to the store", cause))
        })
    }
}

/// Why the writer did not answer.
enum NoAnswer {
    /// It was never asked.
    Closed,
    /// It was asked, and went away. What it did of it is not known.
    Gone,
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn write(writer: Writer, queue: &Receiver<Job>) {
    writer.run(queue);
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.jobs.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        self.readers.close();
        // A waker may drop the last handle on one of these very threads; that one ends by itself.
        let here = std::thread::current().id();
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != here) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

fn packed(batch: &[Commit]) -> Vec<Result<PackedCommit, CommitError>> {
    let unpackable = |cause| CommitError::Unavailable(Fault::new("pack a commit", cause));
    pack_batch(batch).into_iter().map(|one| one.map_err(unpackable)).collect()
}

impl Runs for SqliteStore {
    fn append(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Position, CommitError>>> {
        let count = batch.len();
        let packed = packed(&batch);
        self.ask(
            |reply| Job::Append { batch, packed, reply },
            move |why, fault| match why {
                NoAnswer::Closed => vec![Err(CommitError::Unavailable(fault)); count],
                NoAnswer::Gone => vec![Err(CommitError::Lost(fault)); count],
            },
        )
    }

    fn append_whole(&self, batch: Arc<Vec<Commit>>) -> Pending<Result<(), CommitError>> {
        let packed = packed(&batch);
        self.ask(
            |reply| Job::AppendWhole { batch, packed, reply },
            |why, fault| match why {
                NoAnswer::Closed => Err(CommitError::Unavailable(fault)),
                NoAnswer::Gone => Err(CommitError::Lost(fault)),
            },
        )
    }

    fn load(&self, run: RunId) -> Pending<Result<Option<Loaded>, Fault>> {
        self.inner.readers.read(format!("load {run}"), move |it| load::load(it, run))
    }

    fn inbox(&self, run: Option<RunId>) -> Pending<Result<Vec<Delivery>, Fault>> {
        self.inner.readers.read("read the inbox".to_owned(), move |it| load::inbox(it, run))
    }

    fn open(&self) -> Pending<Result<Vec<OpenRun>, Fault>> {
        self.inner.readers.read("list open runs".to_owned(), lists::open_runs)
    }

    fn workflows(&self, filter: RunFilter) -> Pending<Result<Vec<RunSummary>, Fault>> {
        let job = move |it: &_| lists::workflows(it, &filter);
        self.inner.readers.read("list workflows".to_owned(), job)
    }

    fn events(&self, filter: EventFilter) -> Pending<Result<Vec<EventRecord>, Fault>> {
        let of = filter.run.map_or_else(String::new, |run| format!(" of {run}"));
        self.inner.readers.read(format!("list events{of}"), move |it| lists::events(it, &filter))
    }

    fn decisions(&self, filter: DecisionFilter) -> Pending<Result<Vec<DecisionRow>, Fault>> {
        let job = move |it: &_| lists::decisions(it, &filter);
        self.inner.readers.read("list decisions".to_owned(), job)
    }

    fn stored(&self) -> Pending<Result<BTreeMap<Arc<str>, u64>, Fault>> {
        self.inner.readers.read("count what is stored".to_owned(), lists::stored)
    }

    fn verify(&self) -> Pending<Result<Report, Fault>> {
        self.inner.readers.read("verify the store".to_owned(), verify::verify)
    }

    fn copy(&self, to: PathBuf) -> Pending<Result<Report, Fault>> {
        let from = self.inner.path.clone();
        let job = move |_: &_| Ok(backup(&from, &to));
        let copied = self.inner.readers.read("copy the store".to_owned(), job);
        Box::pin(async move { copied.await?.map_err(|error| Fault::new("copy the store", error)) })
    }

    fn prune(&self, which: Pruning) -> Pending<Result<Pruned, Fault>> {
        let wants_room = which.over_before.is_none() && which.failed_before.is_none();
        let job = move |it: &_| prune::roots(it, &which);
        let found = self.inner.readers.read("find runs that may go".to_owned(), job);
        let store = self.clone();
        Box::pin(async move {
            let (roots, more) = found.await?;
            // Where nothing went, nothing is without an owner; but whoever only wants room gets all there is.
            let has_orphans = wants_room || !roots.is_empty();
            let sweeps = has_orphans && !more;
            let job = |reply| Job::Prune { roots, sweeps, reply };
            let pruned = store.ask(job, |_, fault| Err(fault)).await?;
            Ok(Pruned { more: more || pruned.more, ..pruned })
        })
    }

    fn about(&self) -> About {
        About {
            backend: "sqlite",
            version: rusqlite::version().to_owned(),
            durability: self.inner.durability,
            location: self.inner.path.display().to_string(),
            schema: migrations::NEWEST,
            commits: self.inner.health.commits(),
            commit_time: self.inner.health.commit_time(),
        }
    }

    fn close(&self) -> Pending<Result<(), Fault>> {
        let closed = self.ask(|reply| Job::Close { reply }, |_, _| Ok(()));
        self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.readers.close();
        let inner = self.inner.clone();
        Box::pin(async move {
            let closed = closed.await;
            inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
            closed
        })
    }
}

impl Catalog for SqliteStore {
    fn find(&self, kind: CatalogKind, key: Arc<str>) -> Pending<Result<Option<Arc<str>>, Fault>> {
        let job = move |it: &_| Ok(find_thing(it, kind, &key)?);
        self.inner.readers.read("read the catalog".to_owned(), job)
    }

    fn put(&self, writes: Vec<CatalogWrite>) -> Pending<Result<(), CatalogError>> {
        self.ask(|reply| Job::Put { writes, reply }, |_, fault| Err(fault.into()))
    }

    fn list(
        &self,
        kind: CatalogKind,
        prefix: Arc<str>,
    ) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        let job = move |it: &_| lists::things(it, kind, &prefix);
        self.inner.readers.read("list the catalog".to_owned(), job)
    }

    fn newest(&self, kind: CatalogKind, limit: usize) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        let job = move |it: &_| lists::newest(it, kind, limit);
        self.inner.readers.read("list the catalog".to_owned(), job)
    }

    fn audited(&self) -> Pending<Result<(u64, Option<String>), Fault>> {
        self.inner.readers.read("check the audit log".to_owned(), audits::check)
    }
}
