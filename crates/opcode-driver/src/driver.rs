//! The driver: which run has its turn, what is written, what goes out, whose time has come.
//!
//! Keeps: load, decide, commit, act, in that order; it never waits and never does IO.
//! Not here: a clock (each call says what time it is), one run's decisions (`live.rs`), callers (`callers.rs`), commits (`writes.rs`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use opcode_model::commit::{Commit, InboxId};
use opcode_model::effect::BreakerChange;
use opcode_model::{Actions, ErrorCode, Failure, InputKind, Message, RunId, Timestamp};

use crate::live::{Live, Turn, Unreadable};
use crate::slots::Slots;
use crate::words::{
    AttemptKey, Batch, Command, Incoming, LoadedRun, OpenRun, Reply, Settings, Ticket,
};

/// Decisions a run may make before the shell may speak and another run has its turn.
const CALLS_A_TURN: usize = 64;
/// Commits a batch may hold.
const BATCH_MAX: usize = 512;

/// A run the driver knows of.
#[derive(Debug)]
pub(crate) enum Entry {
    /// On its way from the store, with what came meanwhile.
    Loading(Vec<Incoming>),
    /// A child that waits for its template.
    Resolving { deliveries: Vec<(InboxId, Message)>, meanwhile: Vec<Incoming> },
    /// A child that cannot begin, or that never began; that its inbox was heard is on its way to the store, with its
    /// refusal if a parent waits for one.
    Refused { parent: Option<RunId>, poked: bool },
    /// In memory.
    Live(Box<Live>),
}

/// What is tried again after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Again {
    Commit(Batch),
    Load(RunId),
    Deliver(RunId),
    Resolve(RunId),
}

/// The loop around the verbs.
pub struct Driver {
    pub(crate) settings: Settings,
    pub(crate) actions: Arc<dyn Actions>,
    pub(crate) runs: BTreeMap<RunId, Entry>,
    line: VecDeque<RunId>,
    pub(crate) slots: Slots,
    timers: BTreeSet<(Timestamp, RunId)>,
    due: BTreeMap<RunId, Timestamp>,
    pub(crate) watchers: BTreeMap<RunId, Vec<Ticket>>,
    /// Runs that may leave memory, the one that has been idle longest first.
    idle: BTreeMap<u64, RunId>,
    next_idle: u64,
    pub(crate) outbox: Vec<Commit>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) flying: BTreeMap<Batch, Arc<Vec<Commit>>>,
    again: BTreeSet<(Timestamp, Again)>,
    pub(crate) next_batch: u64,
    pub(crate) draining: bool,
    pub(crate) halted: bool,
    pub(crate) now: Timestamp,
}

impl Driver {
    /// A driver that knows of no run yet.
    pub fn new(settings: Settings, actions: Arc<dyn Actions>) -> Self {
        Self {
            slots: Slots::new(settings.slots),
            settings,
            actions,
            runs: BTreeMap::new(),
            line: VecDeque::new(),
            timers: BTreeSet::new(),
            due: BTreeMap::new(),
            watchers: BTreeMap::new(),
            idle: BTreeMap::new(),
            next_idle: 0,
            outbox: Vec::new(),
            commands: VecDeque::new(),
            flying: BTreeMap::new(),
            again: BTreeSet::new(),
            next_batch: 0,
            draining: false,
            halted: false,
            now: Timestamp(0),
        }
    }

    /// Takes in what the shell tells.
    pub fn handle(&mut self, now: Timestamp, incoming: Incoming) {
        self.now = self.now.max(now);
        if self.halted {
            return;
        }
        match incoming {
            Incoming::Start(start) => self.start(*start),
            Incoming::Signal { ticket, run, signal, record } => {
                self.signal(ticket, run, signal, record);
            }
            Incoming::Watch { ticket, run } => self.watch(ticket, run),
            Incoming::Unwatch { ticket, run } => self.unwatch(ticket, run),
            Incoming::Loaded { run, loaded } => self.loaded(run, loaded),
            Incoming::Resolved { run, resolved } => self.resolved(run, resolved),
            Incoming::Delivered { run, deliveries } => self.delivered(run, deliveries),
            Incoming::Committed { batch, answers } => self.committed(batch, answers),
            Incoming::Finished { key, outcome, breakers } => {
                if self.slots.done(key) {
                    self.finished(key, outcome, breakers);
                }
                self.let_out();
            }
            Incoming::Aside(key) => {
                self.slots.step_aside(key);
                self.let_out();
            }
            Incoming::Poke(run) => self.poke(run),
            Incoming::Recovered(open) => self.recovered(open),
            Incoming::Drain => {
                self.draining = true;
                self.slots.close();
            }
        }
    }

    /// What to do next. `None` until something more is told, or until `next_due`.
    pub fn poll(&mut self, now: Timestamp) -> Option<Command> {
        self.now = self.now.max(now);
        self.ring();
        loop {
            if let Some(command) = self.commands.pop_front() {
                return Some(command);
            }
            if self.halted {
                return None;
            }
            let turn = if self.outbox.len() < BATCH_MAX { self.line.pop_front() } else { None };
            let goes_on = turn.is_some_and(|run| self.turn(run));
            if turn.is_none() || goes_on {
                // Nobody waits for a run that goes on: what is decided goes out, and the shell may speak.
                if self.outbox.is_empty() {
                    return None;
                }
                self.send();
            }
        }
    }

    /// When to call `poll` again if nothing is told before; at once, if a run goes on.
    pub fn next_due(&self) -> Option<Timestamp> {
        if !self.line.is_empty() && !self.halted {
            return Some(self.now);
        }
        let timer = self.timers.first().map(|(due, _)| *due);
        let again = self.again.first().map(|(due, _)| *due);
        timer.into_iter().chain(again).min()
    }

    /// Attempts out in the world.
    pub fn running(&self) -> usize {
        self.slots.running()
    }

    /// Attempts that wait for a slot.
    pub fn waiting(&self) -> usize {
        self.slots.waiting()
    }

    /// Whether everything decided is on disk and nothing is out.
    pub fn is_quiet(&self) -> bool {
        self.slots.running() == 0 && self.is_written()
    }

    /// Whether everything decided is on disk.
    pub fn is_written(&self) -> bool {
        self.outbox.is_empty() && self.flying.is_empty() && self.line.is_empty()
    }

    /// Runs in memory.
    pub fn in_memory(&self) -> usize {
        self.runs.len()
    }

    pub(crate) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.commands.push_back(Command::Reply { ticket, reply });
    }

    pub(crate) fn refuse(&mut self, ticket: Ticket, code: ErrorCode, message: &str) {
        self.reply(ticket, Reply::Failed(Failure::new(code, message)));
    }

    /// Asks for a run, keeping what came for it.
    pub(crate) fn load(&mut self, run: RunId, first: Option<Incoming>) {
        self.runs.insert(run, Entry::Loading(first.into_iter().collect()));
        self.commands.push_back(Command::Load(run));
    }

    fn loaded(&mut self, run: RunId, loaded: Result<LoadedRun, Failure>) {
        let Some(Entry::Loading(meanwhile)) = self.runs.get_mut(&run) else { return };
        let meanwhile = std::mem::take(meanwhile);
        let mut loaded = match loaded {
            Ok(loaded) => loaded,
            Err(failure) => {
                self.runs.remove(&run);
                return self.not_readable(run, meanwhile, &failure);
            }
        };
        let Some((plan, row)) = loaded.found.take() else {
            self.runs.remove(&run);
            return self.not_there(run, loaded.deliveries, meanwhile);
        };
        match Live::load(run, plan, &row, loaded) {
            Ok(live) => {
                self.runs.insert(run, Entry::Live(Box::new(live)));
                self.wants_turn(run);
                self.again(meanwhile);
            }
            Err(Unreadable) => {
                self.runs.insert(run, Entry::Loading(meanwhile));
                self.commands.push_back(Command::LoadWhole(run));
            }
        }
    }

    /// Callers are told; what the driver itself wanted of the run is wanted again in a while.
    fn not_readable(&mut self, run: RunId, meanwhile: Vec<Incoming>, failure: &Failure) {
        self.disappoint(meanwhile, failure);
        if passes(failure) {
            self.try_again(Again::Load(run));
        }
    }

    fn delivered(&mut self, run: RunId, deliveries: Result<Vec<(InboxId, Message)>, Failure>) {
        let Some(Entry::Live(live)) = self.runs.get_mut(&run) else { return };
        match deliveries {
            Ok(deliveries) => {
                live.deliver(deliveries);
                if live.delivered_all() {
                    self.commands.push_back(Command::Deliver(run));
                }
                self.wants_turn(run);
            }
            Err(_) => self.try_again(Again::Deliver(run)),
        }
    }

    fn finished(
        &mut self,
        key: AttemptKey,
        outcome: opcode_model::Outcome,
        breakers: Vec<BreakerChange>,
    ) {
        if let Some(Entry::Live(live)) = self.runs.get_mut(&key.run) {
            let AttemptKey { step, attempt, .. } = key;
            live.push(InputKind::Finished { step, attempt, outcome, breakers }, None);
            self.wants_turn(key.run);
        }
    }

    fn recovered(&mut self, open: Vec<OpenRun>) {
        for OpenRun { run, due_at, urgent } in open {
            if self.runs.contains_key(&run) {
                continue;
            }
            if urgent {
                self.load(run, None);
            } else {
                self.set_due(run, due_at);
            }
        }
    }

    pub(crate) fn wants_turn(&mut self, run: RunId) {
        if let Some(Entry::Live(live)) = self.runs.get_mut(&run)
            && !live.in_line
        {
            live.in_line = true;
            self.line.push_back(run);
            self.keep(run);
        }
    }

    /// Something is expected of a run: it does not leave memory until its next turn.
    fn keep(&mut self, run: RunId) {
        if let Some(Entry::Live(live)) = self.runs.get_mut(&run)
            && let Some(place) = live.idle.take()
        {
            self.idle.remove(&place);
        }
    }

    /// One turn of one run; its commit, if it has come to one. Whether it goes on.
    fn turn(&mut self, run: RunId) -> bool {
        let Some(Entry::Live(live)) = self.runs.get_mut(&run) else { return false };
        live.in_line = false;
        let turn = live.turn(self.actions.as_ref(), self.now, CALLS_A_TURN, self.draining);
        let replies = live.free_replies();
        let commit = match turn {
            Turn::Quiet => live.commit(&self.settings, self.now),
            Turn::Unfinished if live.is_full(self.now) => live.commit(&self.settings, self.now),
            Turn::Unfinished | Turn::Blocked => None,
        };
        // One that goes on, or waits for its commit, is not woken by the clock; in a process about to end, none is.
        let wakes = turn == Turn::Quiet && live.parked.is_none() && !self.draining;
        let due = live.run.due_at().filter(|_| wakes);
        self.outbox.extend(commit);
        for (ticket, reply) in replies {
            self.reply(ticket, reply);
        }
        self.set_due(run, due);
        if turn == Turn::Unfinished {
            self.wants_turn(run);
            return true;
        }
        self.tell_watchers(run);
        self.rest(run);
        false
    }

    pub(crate) fn set_due(&mut self, run: RunId, due: Option<Timestamp>) {
        let before = match due {
            Some(due) => self.due.insert(run, due),
            None => self.due.remove(&run),
        };
        if before != due {
            if let Some(before) = before {
                self.timers.remove(&(before, run));
            }
            self.timers.extend(due.map(|due| (due, run)));
        }
    }

    /// Wakes the runs whose time has come, and tries refused writes again.
    fn ring(&mut self) {
        while let Some((due, run)) =
            self.timers.first().copied().filter(|(due, _)| *due <= self.now)
        {
            self.timers.remove(&(due, run));
            self.due.remove(&run);
            if self.runs.contains_key(&run) {
                self.wants_turn(run);
            } else {
                self.load(run, None);
            }
        }
        while let Some((due, what)) =
            self.again.first().copied().filter(|(due, _)| *due <= self.now)
        {
            self.again.remove(&(due, what));
            self.once_more(what);
        }
    }

    pub(crate) fn try_again(&mut self, what: Again) {
        self.again.insert((Timestamp(self.now.0 + self.settings.retry_ms), what));
    }

    fn once_more(&mut self, what: Again) {
        match what {
            Again::Commit(batch) => {
                if let Some(commits) = self.flying.get(&batch).cloned() {
                    self.commands.push_back(Command::Commit { batch, commits });
                }
            }
            Again::Load(run) => {
                if !self.runs.contains_key(&run) {
                    self.load(run, None);
                }
            }
            Again::Deliver(run) => {
                if let Some(Entry::Live(_)) = self.runs.get(&run) {
                    self.commands.push_back(Command::Deliver(run));
                }
            }
            Again::Resolve(run) => self.resolve(run),
        }
    }

    /// A run's inbox has something for it.
    pub(crate) fn poke(&mut self, run: RunId) {
        match self.runs.get_mut(&run) {
            Some(Entry::Live(live)) => {
                if live.may_deliver() {
                    self.commands.push_back(Command::Deliver(run));
                    self.keep(run);
                }
            }
            Some(Entry::Refused { poked, .. }) => *poked = true,
            Some(Entry::Loading(meanwhile) | Entry::Resolving { meanwhile, .. }) => {
                meanwhile.push(Incoming::Poke(run));
            }
            None => self.load(run, None),
        }
    }

    pub(crate) fn let_out(&mut self) {
        while let Some(key) = self.slots.next() {
            self.commands.push_back(Command::Perform(key));
        }
    }

    /// Lets a run that is over leave memory at once, and idle ones when there are too many.
    fn rest(&mut self, run: RunId) {
        let Some(Entry::Live(live)) = self.runs.get_mut(&run) else { return };
        if live.in_line || !live.is_idle() {
            return;
        }
        if live.run.is_terminal() {
            self.runs.remove(&run);
            return;
        }
        self.next_idle += 1;
        if let Some(place) = live.idle.replace(self.next_idle) {
            self.idle.remove(&place);
        }
        self.idle.insert(self.next_idle, run);
        if self.idle.len() > self.settings.idle_max
            && let Some((_, oldest)) = self.idle.pop_first()
        {
            self.runs.remove(&oldest);
        }
    }
}

/// Whether a failure to read is one of the moment. A damaged log stays damaged.
pub(crate) fn passes(failure: &Failure) -> bool {
    matches!(failure.code, ErrorCode::Store | ErrorCode::StorageFull)
}
