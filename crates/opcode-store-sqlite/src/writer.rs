//! The one writer: takes whatever is queued, writes it in one transaction, answers all.
//!
//! Keeps: no answer before the commit it tells of; a refusal or a damaged page costs only its own commit; after a
//! failed sync nothing is acknowledged any more.
//! Not here: what a commit writes (`write.rs`), how the log is kept short (`checkpoint.rs`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use opcode_model::commit::{CatalogWrite, Commit, Position};
use opcode_store::{CatalogError, CommitError, Fault, Pruned, linger};
use rusqlite::Connection;

use crate::checkpoint::WalWatch;
use crate::fault::Trouble;
use crate::open::{close_boot, truncate_wal};
use crate::pack::PackedCommit;
use crate::prune;
use crate::reply::Reply;
use crate::write::{Books, write_all, write_commit};

/// Commits in one transaction at most.
const GROUP_MAX: usize = 1_024;

/// How long the writer sleeps when there is nothing to do, before it looks up.
const IDLE: Duration = Duration::from_secs(3600);

/// How long a close waits for readers.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// What is asked of the writer.
pub(crate) enum Job {
    /// Append a batch.
    Append {
        batch: Arc<Vec<Commit>>,
        packed: Vec<Result<PackedCommit, CommitError>>,
        reply: Reply<Vec<Result<Position, CommitError>>>,
    },
    /// Append all of a batch, or nothing.
    AppendWhole {
        batch: Arc<Vec<Commit>>,
        packed: Vec<Result<PackedCommit, CommitError>>,
        reply: Reply<Result<(), CommitError>>,
    },
    /// Write to the catalog.
    Put { writes: Vec<CatalogWrite>, reply: Reply<Result<(), CatalogError>> },
    /// Let the database have at most so many pages.
    Bound { pages: i64, reply: Reply<Result<(), Fault>> },
    /// Take these runs away with all below them, what has no owner then if it `sweeps`, and some free space.
    Prune { roots: Vec<i64>, sweeps: bool, reply: Reply<Result<Pruned, Fault>> },
    /// End.
    Close { reply: Reply<Result<(), Fault>> },
}

/// The next job, if there will be one.
fn next_job(jobs: &Receiver<Job>) -> Option<Job> {
    loop {
        match linger(jobs, IDLE) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// What everybody may know of the writer.
#[derive(Default)]
pub(crate) struct Health {
    lost: OnceLock<Fault>,
    commits: AtomicU64,
    commit_micros: AtomicU64,
}

impl Health {
    /// From here on nothing is acknowledged. The first fault stays.
    pub(crate) fn fail(&self, fault: Fault) {
        tracing::error!(%fault, "the store cannot tell what is on disk; the process must end");
        self.lost.get_or_init(|| fault);
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(crate) fn commit_time(&self) -> Duration {
        Duration::from_micros(self.commit_micros.load(Ordering::Relaxed))
    }
}

/// The writer, to be run on its own thread.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) books: Books,
    pub(crate) watch: WalWatch,
    pub(crate) health: Arc<Health>,
}

/// What a transaction is made of.
enum Unit<'a> {
    Commit(&'a Commit, &'a Result<PackedCommit, CommitError>),
    Put(&'a [CatalogWrite]),
}

enum Outcome {
    Commit(Result<Position, CommitError>),
    Put(Result<(), CatalogError>),
}

impl Writer {
    /// Serves until it is told to end, or nobody is left to tell it anything.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        let mut closing = None;
        while let Some(first) = next_job(jobs) {
            let mut next = Some(first);
            let mut group = Vec::new();
            let mut size = 0;
            while let Some(job) = next.take() {
                match &job {
                    Job::Append { batch, .. } => size += batch.len(),
                    Job::Put { writes, .. } => size += writes.len(),
                    // What was queued before it is written before it.
                    Job::AppendWhole { .. }
                    | Job::Bound { .. }
                    | Job::Prune { .. }
                    | Job::Close { .. } => {
                        next = Some(job);
                        break;
                    }
                }
                group.push(job);
                next = if size < GROUP_MAX { jobs.try_recv().ok() } else { None };
            }
            self.serve(group);
            match next {
                Some(Job::AppendWhole { batch, packed, reply }) => {
                    reply.send(self.append_whole(&batch, &packed));
                }
                Some(Job::Bound { pages, reply }) => reply.send(self.bound(pages)),
                Some(Job::Prune { roots, sweeps, reply }) => {
                    reply.send(self.prune(&roots, sweeps));
                }
                Some(Job::Close { reply }) => {
                    closing = Some(reply);
                    break;
                }
                Some(Job::Append { .. } | Job::Put { .. }) | None => {}
            }
        }
        let closed = self.close();
        // What came in behind the end is refused; nothing of it is written.
        let late: Vec<Job> = jobs.try_iter().collect();
        let fault = Fault::new("write to the store", "the store is closed");
        let refused = units(&late).iter().map(|unit| unit.unavailable(&fault)).collect();
        answer(late, refused);
        drop(self);
        if let Some(reply) = closing {
            reply.send(closed);
        }
    }

    /// Says that nobody serves any more, then empties the log. After a failed sync nothing is touched.
    fn close(&mut self) -> Result<(), Fault> {
        self.watch.end();
        if let Some(fault) = self.health.lost.get() {
            return Err(fault.clone());
        }
        // Who still reads keeps the log where it is; the next start finds it there.
        let emptied = self
            .connection
            .busy_timeout(CLOSE_PATIENCE)
            .and_then(|()| close_boot(&self.connection))
            .and_then(|_| truncate_wal(&self.connection));
        emptied.map(|_| ()).map_err(|cause| Fault::new("empty the write-ahead log", cause))
    }

    fn serve(&mut self, group: Vec<Job>) {
        if group.is_empty() {
            return;
        }
        let outcomes = self.write(&units(&group));
        answer(group, outcomes);
        if let Err(trouble) = self.watch.look(&self.connection) {
            match trouble {
                Trouble::Lost(cause) => {
                    self.health.fail(Fault::new("empty the write-ahead log", cause));
                }
                Trouble::Full(cause) | Trouble::Other(cause) => {
                    tracing::warn!(cause, "could not empty the write-ahead log; later again");
                }
            }
        }
    }

    fn append_whole(
        &mut self,
        batch: &[Commit],
        packed: &[Result<PackedCommit, CommitError>],
    ) -> Result<(), CommitError> {
        let fault = |cause| Fault::new("write to the store", cause);
        if let Some(fault) = self.health.lost.get() {
            return Err(CommitError::Lost(fault.clone()));
        }
        let units: Vec<_> = commits(batch, packed).collect();
        let written = self.attempt(&units, true).map_err(|trouble| match trouble {
            Trouble::Lost(cause) => {
                self.health.fail(fault(cause.clone()));
                CommitError::Lost(fault(cause))
            }
            Trouble::Full(cause) => {
                CommitError::Unavailable(Fault { storage_full: true, ..fault(cause) })
            }
            Trouble::Other(cause) => CommitError::Unavailable(fault(cause)),
        });
        written?.into_iter().filter_map(Outcome::into_commit).try_for_each(|it| it.map(drop))
    }

    fn write(&mut self, units: &[Unit<'_>]) -> Vec<Outcome> {
        if let Some(fault) = self.health.lost.get() {
            return units.iter().map(|unit| unit.lost(fault)).collect();
        }
        match self.attempt(units, false) {
            Ok(outcomes) => outcomes,
            Err(Trouble::Lost(cause)) => {
                let fault = Fault::new("write to the store", cause);
                self.health.fail(fault.clone());
                units.iter().map(|unit| unit.lost(&fault)).collect()
            }
            Err(Trouble::Full(cause)) => {
                let fault = Fault { storage_full: true, ..Fault::new("write to the store", cause) };
                units.iter().map(|unit| unit.unavailable(&fault)).collect()
            }
            Err(Trouble::Other(cause)) if units.len() == 1 => {
                let fault = Fault::new("write to the store", cause);
                units.iter().map(|unit| unit.unavailable(&fault)).collect()
            }
            // One of them met damage. Each alone, so that only that one is refused.
            Err(Trouble::Other(_)) => {
                units.iter().flat_map(|unit| self.write(std::slice::from_ref(unit))).collect()
            }
        }
    }

    /// One transaction; if `is_whole`, it comes about only if nothing of it is refused.
    fn attempt(&mut self, units: &[Unit<'_>], is_whole: bool) -> Result<Vec<Outcome>, Trouble> {
        let outcomes = self.transact(units, is_whole);
        if outcomes.is_err() || !self.connection.is_autocommit() {
            self.undo()?;
        }
        Ok(outcomes?)
    }

    /// Forgets what a transaction did that did not come about.
    fn undo(&mut self) -> Result<(), Trouble> {
        self.books.forget();
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").map_err(|error| match error.into() {
            Trouble::Lost(cause) | Trouble::Full(cause) | Trouble::Other(cause) => {
                Trouble::Lost(cause)
            }
        })
    }

    fn prune(&mut self, roots: &[i64], sweeps: bool) -> Result<Pruned, Fault> {
        if let Some(fault) = self.health.lost.get() {
            return Err(fault.clone());
        }
        let pruned = self.delete(roots, sweeps).and_then(|runs| {
            let (more, bytes) = prune::give_back(&self.connection)?;
            Ok(Pruned { runs, more, bytes })
        });
        let fault = |cause| Fault::new("make room in the store", cause);
        pruned.map_err(|trouble| match trouble {
            Trouble::Lost(cause) => {
                self.health.fail(fault(cause.clone()));
                fault(cause)
            }
            Trouble::Full(cause) => Fault { storage_full: true, ..fault(cause) },
            Trouble::Other(cause) => fault(cause),
        })
    }

    fn delete(&mut self, roots: &[i64], sweeps: bool) -> Result<u64, Trouble> {
        let connection = &self.connection;
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let runs = begun.and_then(|()| prune::delete(connection, roots)).and_then(|runs| {
            if sweeps {
                prune::sweep(connection)?;
            }
            connection.execute_batch("COMMIT")?;
            Ok(runs)
        });
        // The ends of logs that are gone are forgotten, too.
        self.undo()?;
        Ok(runs?)
    }

    /// Leaves the transaction open where it must not come about.
    fn transact(&mut self, units: &[Unit<'_>], is_whole: bool) -> rusqlite::Result<Vec<Outcome>> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut outcomes = Vec::with_capacity(units.len());
        for unit in units {
            outcomes.push(match unit {
                Unit::Commit(_, Err(refused)) => Outcome::Commit(Err(refused.clone())),
                Unit::Commit(commit, Ok(packed)) => Outcome::Commit(write_commit(
                    &self.connection,
                    &mut self.books,
                    commit,
                    packed,
                )?),
                Unit::Put(writes) => Outcome::Put(write_all(&self.connection, writes)?),
            });
        }
        if is_whole && !outcomes.iter().all(Outcome::is_taken) {
            return Ok(outcomes);
        }
        let begun = Instant::now();
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        if outcomes.iter().any(Outcome::is_taken) {
            let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.health.commits.fetch_add(1, Ordering::Relaxed);
            self.health.commit_micros.fetch_add(took, Ordering::Relaxed);
        }
        Ok(outcomes)
    }

    fn bound(&self, pages: i64) -> Result<(), Fault> {
        let bound =
            self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                row.get::<_, i64>(0)
            });
        bound.map(|_| ()).map_err(|cause| Fault::new("bound the database's size", cause))
    }
}

fn answer(group: Vec<Job>, outcomes: Vec<Outcome>) {
    let mut outcomes = outcomes.into_iter();
    for job in group {
        match job {
            Job::Append { batch, reply, .. } => {
                let mine = outcomes.by_ref().take(batch.len()).filter_map(Outcome::into_commit);
                reply.send(mine.collect());
            }
            Job::Put { reply, .. } => {
                if let Some(answer) = outcomes.next().and_then(Outcome::into_put) {
                    reply.send(answer);
                }
            }
            Job::AppendWhole { .. } | Job::Bound { .. } | Job::Prune { .. } | Job::Close { .. } => {
            }
        }
    }
}

fn units(group: &[Job]) -> Vec<Unit<'_>> {
    let mut units = Vec::new();
    for job in group {
        match job {
            Job::Append { batch, packed, .. } => {
                units.extend(commits(batch, packed));
            }
            Job::Put { writes, .. } => units.push(Unit::Put(writes)),
            Job::AppendWhole { .. } | Job::Bound { .. } | Job::Prune { .. } | Job::Close { .. } => {
            }
        }
    }
    units
}

fn commits<'a>(
    batch: &'a [Commit],
    packed: &'a [Result<PackedCommit, CommitError>],
) -> impl Iterator<Item = Unit<'a>> {
    batch.iter().zip(packed).map(|(commit, packed)| Unit::Commit(commit, packed))
}

impl Unit<'_> {
    fn lost(&self, fault: &Fault) -> Outcome {
        match self {
            Self::Commit(..) => Outcome::Commit(Err(CommitError::Lost(fault.clone()))),
            Self::Put(_) => Outcome::Put(Err(fault.clone().into())),
        }
    }

    fn unavailable(&self, fault: &Fault) -> Outcome {
        match self {
            Self::Commit(..) => Outcome::Commit(Err(CommitError::Unavailable(fault.clone()))),
            Self::Put(_) => Outcome::Put(Err(fault.clone().into())),
        }
    }
}

impl Outcome {
    fn is_taken(&self) -> bool {
        match self {
            Self::Commit(answer) => answer.is_ok(),
            Self::Put(answer) => answer.is_ok(),
        }
    }

    fn into_commit(self) -> Option<Result<Position, CommitError>> {
        match self {
            Self::Commit(answer) => Some(answer),
            Self::Put(_) => None,
        }
    }

    fn into_put(self) -> Option<Result<(), CatalogError>> {
        match self {
            Self::Commit(_) => None,
            Self::Put(answer) => Some(answer),
        }
    }
}
