//! The store that keeps everything in memory, as it was given: for tests, the simulator and throw-away engines.
//!
//! Keeps: the same promises as the others but survival; one mutex, never held across an await; futures ready at once.
//! Not here: codec, chain, JSON. Heads stay zero.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opcode_model::commit::{
    CatalogKind, CatalogWrite, Commit, DecisionChange, InboxId, Position, RunRow,
};
use opcode_model::{Event, Message, RunId, RunStatus, Seq, Timestamp};

use crate::contract::{
    About, Catalog, CatalogEntry, CatalogError, CommitError, Committed, Damage, DecisionFilter,
    DecisionRow, Delivery, Durability, EventFilter, EventRecord, Fault, Loaded, OpenRun, Pending,
    Pruned, Pruning, Report, RunFilter, RunSummary, Runs,
};
use crate::filter::blank_row;
use crate::pieces::Pieces;

/// Everything in memory. Clones share it, so a simulated crash drops the engine and keeps a clone.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done<T: Send + 'static>(answer: T) -> Pending<T> {
    Box::pin(ready(answer))
}

impl Runs for MemoryStore {
    fn append(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Position, CommitError>>> {
        let answers = self.state().take_all(batch);
        let position = |answer: Result<Committed, _>| answer.map(|committed| committed.position);
        done(answers.into_iter().map(position).collect())
    }

    fn append_whole(&self, batch: Arc<Vec<Commit>>) -> Pending<Result<(), CommitError>> {
        let mut state = self.state();
        done(state.check_all(&batch).map(|()| drop(state.take_all(batch))))
    }

    fn commit(&self, batch: Arc<Vec<Commit>>) -> Pending<Vec<Result<Committed, CommitError>>> {
        done(self.state().take_all(batch))
    }

    fn load(&self, run: RunId) -> Pending<Result<Option<Loaded>, Fault>> {
        done(Ok(self.state().load(run)))
    }

    fn inbox(&self, run: Option<RunId>) -> Pending<Result<Vec<Delivery>, Fault>> {
        let state = self.state();
        done(Ok(match run {
            Some(run) => state.runs.get(&run).map_or_else(Vec::new, |run| run.inbox.clone()),
            None => state.waiting(),
        }))
    }

    fn open(&self) -> Pending<Result<Vec<OpenRun>, Fault>> {
        done(Ok(self.state().open()))
    }

    fn workflows(&self, filter: RunFilter) -> Pending<Result<Vec<RunSummary>, Fault>> {
        let state = self.state();
        let rows = state.order.iter().rev().filter_map(|run| Some((*run, state.row(*run)?)));
        let wanted = rows.filter(|(_, row)| filter.admits(row));
        let page = wanted.skip(filter.offset).take(filter.limit());
        done(Ok(page.map(|(run, row)| RunSummary { run, row: row.clone() }).collect()))
    }

    fn events(&self, filter: EventFilter) -> Pending<Result<Vec<EventRecord>, Fault>> {
        let state = self.state();
        done(Ok(match filter.run {
            Some(run) => state.events_of(run, &filter),
            None => state.newest_events(&filter),
        }))
    }

    fn decisions(&self, filter: DecisionFilter) -> Pending<Result<Vec<DecisionRow>, Fault>> {
        let state = self.state();
        let runs = filter.run.map_or_else(|| state.order.clone(), |run| vec![run]);
        let decisions =
            runs.iter().filter_map(|run| state.runs.get(run)).flat_map(|run| &run.asked);
        let mut wanted: Vec<_> = decisions.filter(|asked| filter.admits(&asked.row)).collect();
        wanted.sort_by_key(|asked| (asked.row.created_at, asked.number));
        done(Ok(wanted.into_iter().take(filter.limit()).map(|asked| asked.row.clone()).collect()))
    }

    fn stored(&self) -> Pending<Result<BTreeMap<Arc<str>, u64>, Fault>> {
        let (state, mut bytes) = (self.state(), BTreeMap::new());
        for run in &state.order {
            let agent = state.row(*run).and_then(|row| row.agent_id.clone()).unwrap_or_default();
            let filter = EventFilter { limit: usize::MAX, ..EventFilter::default() };
            for record in state.events_of(*run, &filter) {
                let text = serde_json::to_string(&record.event).unwrap_or_default();
                *bytes.entry(agent.clone()).or_default() += text.len() as u64;
            }
        }
        done(Ok(bytes))
    }

    fn verify(&self) -> Pending<Result<Report, Fault>> {
        done(Ok(self.state().verify()))
    }

    fn prune(&self, which: Pruning) -> Pending<Result<Pruned, Fault>> {
        done(Ok(self.state().prune(&which)))
    }

    fn about(&self) -> About {
        About {
            backend: "memory",
            version: env!("CARGO_PKG_VERSION").to_owned(),
            durability: Durability::Memory,
            location: "memory".to_owned(),
            schema: 0,
            commits: self.state().commits,
            commit_time: std::time::Duration::ZERO,
        }
    }

    fn close(&self) -> Pending<Result<(), Fault>> {
        done(Ok(()))
    }
}

impl Catalog for MemoryStore {
    fn find(&self, kind: CatalogKind, key: Arc<str>) -> Pending<Result<Option<Arc<str>>, Fault>> {
        done(Ok(self.state().catalog.get(&(kind, key)).map(|entry| entry.body.clone())))
    }

    fn put(&self, writes: Vec<CatalogWrite>) -> Pending<Result<(), CatalogError>> {
        done(self.state().put(writes))
    }

    fn list(
        &self,
        kind: CatalogKind,
        prefix: Arc<str>,
    ) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        let state = self.state();
        let from = state.catalog.range((kind, prefix.clone())..);
        let inside = from.take_while(|((k, key), _)| *k == kind && key.starts_with(&*prefix));
        done(Ok(inside.map(|(_, entry)| entry.clone()).collect()))
    }

    fn newest(&self, kind: CatalogKind, limit: usize) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        let state = self.state();
        let of_kind = state.catalog.iter().filter(|((known, _), _)| *known == kind);
        let mut all: Vec<_> = of_kind.map(|(_, entry)| entry.clone()).collect();
        all.sort_by(|a, b| (b.updated_at, &b.key).cmp(&(a.updated_at, &a.key)));
        all.truncate(limit);
        done(Ok(all))
    }

    fn audited(&self) -> Pending<Result<(u64, Option<String>), Fault>> {
        let state = self.state();
        let entries = state.catalog.keys().filter(|(kind, _)| *kind == CatalogKind::Audit).count();
        done(Ok((entries as u64, None)))
    }
}

#[derive(Default)]
struct State {
    runs: HashMap<RunId, Run>,
    /// Runs that have a row, in the order in which they came.
    order: Vec<RunId>,
    /// Commits in the order in which they came: run, and which of its pieces.
    log: Vec<(RunId, usize)>,
    /// Every message that waits, in order, by whom it waits for.
    inbox: BTreeMap<InboxId, RunId>,
    catalog: BTreeMap<(CatalogKind, Arc<str>), CatalogEntry>,
    messages: i64,
    decisions: u64,
    commits: u64,
}

#[derive(Default)]
struct Run {
    row: Option<Box<RunRow>>,
    events: Pieces,
    snapshot: Option<(Seq, Arc<str>)>,
    inbox: Vec<Delivery>,
    asked: Vec<Asked>,
}

/// A decision, and when it came among all of them.
struct Asked {
    number: u64,
    row: DecisionRow,
}

impl State {
    /// Moves what only we hold, and copies what is shared (which copies pointers, mostly).
    fn take_all(&mut self, batch: Arc<Vec<Commit>>) -> Vec<Result<Committed, CommitError>> {
        self.commits += 1;
        let batch = Arc::try_unwrap(batch).unwrap_or_else(|shared| shared.to_vec());
        batch.into_iter().map(|commit| self.take(commit)).collect()
    }

    /// Whether each of them would be taken.
    fn check_all(&self, batch: &[Commit]) -> Result<(), CommitError> {
        let mut ends: HashMap<RunId, Seq> = HashMap::new();
        for commit in batch {
            let (run, expected) = (commit.run, commit.after.seq);
            let actual = ends.get(&run).copied().unwrap_or_else(|| self.end(run));
            if actual != expected {
                return Err(CommitError::Stale { run, expected, actual });
            }
            ends.insert(run, commit.last());
        }
        Ok(())
    }

    /// Where a run's log ends.
    fn end(&self, run: RunId) -> Seq {
        self.runs.get(&run).map_or(Seq(0), |run| run.events.end())
    }

    fn take(&mut self, commit: Commit) -> Result<Committed, CommitError> {
        let actual = self.end(commit.run);
        if actual != commit.after.seq {
            let expected = commit.after.seq;
            return Err(CommitError::Stale { run: commit.run, expected, actual });
        }
        let position = Position { seq: commit.last(), head: [0; 32] };
        let touches = commit.row.is_some()
            || commit.snapshot.is_some()
            || !(commit.events.is_empty() && commit.decisions.is_empty());
        if touches {
            let run = self.runs.entry(commit.run).or_default();
            if run.row.is_none() {
                self.order.push(commit.run);
                run.row = Some(Box::new(blank_row()));
            }
            if !commit.events.is_empty() {
                self.log.push((commit.run, run.events.push(commit.events)));
            }
            run.row = commit.row.or(run.row.take());
            run.snapshot = commit.snapshot.map(|text| (position.seq, text)).or(run.snapshot.take());
            for change in commit.decisions {
                self.decisions += 1;
                run.decide(commit.run, self.decisions, change);
            }
        }
        self.consume(commit.run, &commit.consumed);
        commit.messages.into_iter().for_each(|message| self.deliver(message));
        commit.catalog.into_iter().for_each(|write| self.write(write));
        Ok(Committed::new(position, commit.effects))
    }

    fn consume(&mut self, run: RunId, consumed: &[InboxId]) {
        let Some(entry) = self.runs.get_mut(&run).filter(|_| !consumed.is_empty()) else { return };
        entry.inbox.retain(|delivery| !consumed.contains(&delivery.id));
        self.inbox.retain(|id, to| *to != run || !consumed.contains(id));
    }

    fn deliver(&mut self, message: Message) {
        self.messages += 1;
        let (id, to) = (InboxId(self.messages), message.to);
        self.inbox.insert(id, to);
        self.runs.entry(to).or_default().inbox.push(Delivery { id, message });
    }

    fn write(&mut self, write: CatalogWrite) {
        let key = (write.kind, write.key);
        let Some(body) = write.body else {
            self.catalog.remove(&key);
            return;
        };
        match self.catalog.get_mut(&key) {
            Some(entry) if write.replace => (entry.body, entry.updated_at) = (body, write.at),
            Some(_) => {}
            None => {
                let (key_text, at) = (key.1.clone(), write.at);
                let entry = CatalogEntry { key: key_text, body, created_at: at, updated_at: at };
                self.catalog.insert(key, entry);
            }
        }
    }

    fn put(&mut self, writes: Vec<CatalogWrite>) -> Result<(), CatalogError> {
        // What the writes of this call say of a key, so far: they see each other.
        let mut so_far: BTreeMap<(CatalogKind, &str), Option<&str>> = BTreeMap::new();
        for write in &writes {
            let stored = || self.catalog.get(&(write.kind, write.key.clone())).map(|it| &*it.body);
            let place = (write.kind, &*write.key);
            let there = so_far.get(&place).copied().unwrap_or_else(stored);
            let taken = there.is_some() && there != write.body.as_deref();
            if taken && !write.replace && write.body.is_some() {
                return Err(CatalogError::Taken(write.key.clone()));
            }
            so_far.insert(place, write.body.as_deref());
        }
        writes.into_iter().for_each(|write| self.write(write));
        Ok(())
    }

    fn row(&self, run: RunId) -> Option<&RunRow> {
        self.runs.get(&run)?.row.as_deref()
    }

    fn load(&self, run: RunId) -> Option<Loaded> {
        let run = self.runs.get(&run).filter(|run| run.row.is_some() || !run.inbox.is_empty())?;
        let from = run.snapshot.as_ref().map_or(Seq(0), |(seq, _)| *seq);
        Some(Loaded {
            row: run.row.as_deref().cloned().unwrap_or_else(blank_row),
            position: Position { seq: run.events.end(), head: [0; 32] },
            snapshot: run.snapshot.clone(),
            events: run.events.after(from).map(|(_, event)| event.clone()).collect(),
            deliveries: run.inbox.clone(),
        })
    }

    fn waiting(&self) -> Vec<Delivery> {
        let inboxes = self.inbox.iter().filter_map(|(id, to)| Some((id, self.runs.get(to)?)));
        let find = |(id, run): (&InboxId, &Run)| run.inbox.iter().find(|it| it.id == *id).cloned();
        inboxes.filter_map(find).collect()
    }

    fn open(&self) -> Vec<OpenRun> {
        let known = self.order.iter().filter_map(|id| {
            let run = self.runs.get(id)?;
            let row = run.row.as_deref().filter(|row| !row.status.is_terminal())?;
            let urgent = row.in_flight || !run.inbox.is_empty();
            Some(OpenRun { run: *id, status: row.status, due_at: row.due_at, urgent })
        });
        let awaited = self.inbox.iter().filter(|(id, to)| {
            let run = self.runs.get(to);
            run.is_some_and(|run| {
                run.row.is_none() && run.inbox.first().map(|d| d.id) == Some(**id)
            })
        });
        let blank = |run| OpenRun { run, status: RunStatus::Pending, due_at: None, urgent: true };
        let mut runs: Vec<_> = known.chain(awaited.map(|(_, to)| blank(*to))).collect();
        runs.sort_by_key(|run| (!run.urgent, run.due_at.unwrap_or(Timestamp(i64::MAX))));
        runs
    }

    fn events_of(&self, id: RunId, filter: &EventFilter) -> Vec<EventRecord> {
        let Some(run) = self.runs.get(&id) else { return Vec::new() };
        let wanted = run.events.after(filter.after);
        let wanted = wanted.filter(|(seq, event)| filter.admits(id, *seq, event));
        wanted.take(filter.limit()).map(|(seq, event)| record(id, seq, event)).collect()
    }

    fn newest_events(&self, filter: &EventFilter) -> Vec<EventRecord> {
        let events = self.log.iter().rev().flat_map(|(id, piece)| {
            let events = self.runs.get(id).into_iter().flat_map(|run| run.events.newest_of(*piece));
            events.map(|(seq, event)| (*id, seq, event))
        });
        let wanted = events.filter(|(id, seq, event)| filter.admits(*id, *seq, event));
        wanted.take(filter.limit()).map(|(id, seq, event)| record(id, seq, event)).collect()
    }

    fn prune(&mut self, which: &Pruning) -> Pruned {
        let parent = |run: RunId| self.row(run)?.parent.as_ref().map(|parent| parent.run);
        let is_root = |run: &RunId| parent(*run).is_none_or(|parent| self.row(parent).is_none());
        let roots = self.order.iter().copied().filter(is_root);
        let roots = roots.filter(|run| self.row(*run).is_some_and(|row| which.admits(row)));
        let mut families = roots.filter_map(|root| {
            let mut family = vec![root];
            for run in &self.order {
                if parent(*run).is_some_and(|parent| family.contains(&parent)) {
                    family.push(*run);
                }
            }
            let is_over = |run: &RunId| self.row(*run).is_some_and(|it| it.status.is_terminal());
            family.iter().all(is_over).then_some(family)
        });
        let gone: Vec<RunId> = families.by_ref().take(which.limit).flatten().collect();
        let more = families.next().is_some();
        self.runs.retain(|run, _| !gone.contains(run));
        self.order.retain(|run| !gone.contains(run));
        self.log.retain(|(run, _)| !gone.contains(run));
        self.inbox.retain(|_, run| !gone.contains(run));
        if !more {
            self.sweep();
        }
        Pruned { runs: gone.len() as u64, more, bytes: 0 }
    }

    /// Takes away the definitions that no run has.
    fn sweep(&mut self) {
        let rows = self.runs.values().filter_map(|run| run.row.as_ref());
        let used: BTreeSet<String> = rows.map(|row| row.definition.to_string()).collect();
        let is_used = |kind, key: &str| kind != CatalogKind::Definition || used.contains(key);
        self.catalog.retain(|(kind, key), _| is_used(*kind, key));
    }

    fn verify(&self) -> Report {
        let mut report = Report::default();
        for id in &self.order {
            let Some(run) = self.runs.get(id) else { continue };
            report.runs += 1;
            let end = run.events.end();
            report.events += end.0;
            if let Some((seq, _)) = run.snapshot.as_ref().filter(|(seq, _)| *seq > end) {
                let what = "the snapshot stands after the last event".to_owned();
                report.damage.push(Damage { run: Some(*id), seq: Some(*seq), what });
            }
        }
        report
    }
}

impl Run {
    fn decide(&mut self, run: RunId, number: u64, change: DecisionChange) {
        match change {
            DecisionChange::Opened { step, request, at } => {
                let (resolution, resolved_at) = (None, None);
                let known = self.asked.iter().position(|asked| asked.row.request.id == request.id);
                let row = DecisionRow {
                    run,
                    step,
                    request,
                    status: "pending",
                    resolution,
                    created_at: at,
                    resolved_at,
                };
                match known {
                    Some(at) => self.asked[at].row = row,
                    None => self.asked.push(Asked { number, row }),
                }
            }
            DecisionChange::Closed { step: _, id, resolution, at } => {
                let asked = self.asked.iter_mut().find(|asked| asked.row.request.id == id);
                if let Some(Asked { row, .. }) = asked {
                    row.status = if resolution.is_some() { "resolved" } else { "cancelled" };
                    row.resolution = resolution;
                    row.resolved_at = Some(at);
                }
            }
        }
    }
}

fn record(run: RunId, seq: Seq, event: &Event) -> EventRecord {
    EventRecord { run, seq, event: event.clone() }
}
