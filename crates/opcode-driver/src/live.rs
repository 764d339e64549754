//! One run in memory: its inputs in line, what it has decided, and what of that is not yet on disk.
//!
//! Keeps: nothing leaves before its commit; one commit of a run is on its way at a time.
//! Not here: when a run gets its turn (`driver.rs`).

use std::collections::VecDeque;
use std::sync::Arc;

use opcode_engine::{Plan, Refusal, Run, Todo, apply, decide, outstanding};
use opcode_model::commit::{
    CatalogWrite, Commit, DecisionChange, InboxId, Position, RowKey, RunRow,
};
use opcode_model::event::{EventKind, StepStarted};
use opcode_model::limits::{FLUSH_BYTES_MAX, FLUSH_EVENTS_MAX, FLUSH_MS_MAX, TURN_WORK_MAX};
use opcode_model::{
    Actions, Compute, Decision, Effect, ErrorCode, Event, Failure, Input, InputKind, Message,
    RunId, Signal, Timestamp,
};

use crate::words::{AttemptKey, LoadedRun, Reply, Ticket};

/// Something in line for a run.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) kind: InputKind,
    /// Who waits for the reply.
    pub(crate) ticket: Option<Ticket>,
    /// The inbox row it came from.
    pub(crate) inbox: Option<InboxId>,
    /// What is written of it, if it changes something.
    pub(crate) record: Option<Box<CatalogWrite>>,
}

/// What an action that computes is taken to cost, in steps of evaluation.
const COMPUTE_WORK: u64 = TURN_WORK_MAX / 32;

/// What goes out once a commit is on disk.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) perform: Vec<AttemptKey>,
    pub(crate) stop: Vec<AttemptKey>,
    pub(crate) replies: Vec<(Ticket, Reply)>,
    pub(crate) told: Vec<RunId>,
}

/// What is decided and not yet written.
#[derive(Debug, Default)]
struct Staged {
    events: Vec<Event>,
    bytes: usize,
    since: Option<Timestamp>,
    effects: Vec<Effect>,
    decisions: Vec<DecisionChange>,
    messages: Vec<Message>,
    consumed: Vec<InboxId>,
    catalog: Vec<CatalogWrite>,
    out: Outgoing,
}

impl Staged {
    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.consumed.is_empty() && self.out.replies.is_empty()
    }

    fn is_full(&self, now: Timestamp) -> bool {
        self.events.len() >= FLUSH_EVENTS_MAX
            || self.bytes >= FLUSH_BYTES_MAX
            || self.since.is_some_and(|since| now.0 - since.0 >= FLUSH_MS_MAX)
    }
}

/// One run in memory.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) plan: Arc<Plan>,
    pub(crate) run: Run,
    pub(crate) queue: VecDeque<Waiting>,
    position: Position,
    staged: Staged,
    /// What goes out when the commit on its way is on disk.
    flying: Option<Outgoing>,
    compute: VecDeque<Compute>,
    written: Option<RowKey>,
    snapshot_at: u64,
    delivered: Option<InboxId>,
    /// Attempts were out when its last process ended, and nobody has looked at them yet.
    interrupted: bool,
    reading: Reading,
    /// Its last turn ended before it came to rest.
    goes_on: bool,
    /// Evaluation of this turn, in steps.
    work: u64,
    /// How many of those in line are heard before it goes on.
    unheard: usize,
    /// The process is about to end.
    draining: bool,
    /// A defect stopped it.
    pub(crate) parked: Option<Failure>,
    /// Whether it stands in the line of those who want a turn.
    pub(crate) in_line: bool,
    /// Its place among the runs that may leave memory.
    pub(crate) idle: Option<u64>,
}

/// Whether its inbox is being read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reading {
    Not,
    Once,
    /// And something came meanwhile.
    Twice,
}

/// A kept state that this program cannot read; the events from the first one on are needed.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Turn {
    /// Nothing more to do without new input.
    Quiet,
    /// It wants another turn.
    Unfinished,
    /// It waits for its commit before it may go on.
    Blocked,
}

impl Live {
    /// A run that has not begun.
    pub(crate) fn new(run: RunId, plan: Arc<Plan>) -> Self {
        Self {
            run: Run::new(run, &plan),
            plan,
            queue: VecDeque::new(),
            position: Position::default(),
            staged: Staged::default(),
            flying: None,
            compute: VecDeque::new(),
            written: None,
            snapshot_at: 0,
            delivered: None,
            interrupted: false,
            reading: Reading::Not,
            goes_on: false,
            work: 0,
            unheard: 0,
            draining: false,
            parked: None,
            in_line: false,
            idle: None,
        }
    }

    /// A run from the store: its events folded, what its last process left in flight looked at first.
    pub(crate) fn load(
        id: RunId,
        plan: Arc<Plan>,
        row: &RunRow,
        loaded: LoadedRun,
    ) -> Result<Self, Unreadable> {
        let mut live = Self::new(id, plan);
        if let Some((seq, text)) = &loaded.snapshot {
            let kept = Run::restore(id, &live.plan, text).filter(|run| run.state.seq == *seq);
            live.run = kept.ok_or(Unreadable)?;
            live.snapshot_at = seq.0;
        }
        for event in &loaded.events {
            apply(&mut live.run, event);
        }
        live.position = loaded.position;
        live.written = Some(row.key());
        live.compute.extend(outstanding(&live.run).compute);
        live.interrupted = live.run.state.in_flight > 0;
        live.deliver(loaded.deliveries);
        Ok(live)
    }

    pub(crate) fn push(&mut self, kind: InputKind, ticket: Option<Ticket>) {
        self.queue.push_back(Waiting { kind, ticket, inbox: None, record: None });
    }

    pub(crate) fn push_signal(
        &mut self,
        signal: Box<Signal>,
        ticket: Ticket,
        record: Option<Box<CatalogWrite>>,
    ) {
        let kind = InputKind::Signal(signal);
        self.queue.push_back(Waiting { kind, ticket: Some(ticket), inbox: None, record });
    }

    /// Puts messages in line, each once.
    pub(crate) fn deliver(&mut self, deliveries: Vec<(InboxId, Message)>) {
        for (id, message) in deliveries {
            if self.delivered.is_none_or(|last| id > last) {
                self.delivered = Some(id);
                let kind = InputKind::Told(Box::new(message));
                self.queue.push_back(Waiting { kind, ticket: None, inbox: Some(id), record: None });
            }
        }
    }

    /// Whether its inbox may be read now. If it is being read, it is read once more afterwards.
    pub(crate) fn may_deliver(&mut self) -> bool {
        let now = self.reading == Reading::Not;
        self.reading = if now { Reading::Once } else { Reading::Twice };
        now
    }

    /// Its inbox has been read. `true` if it must be read once more.
    pub(crate) fn delivered_all(&mut self) -> bool {
        let more = self.reading == Reading::Twice;
        self.reading = if more { Reading::Once } else { Reading::Not };
        more
    }

    /// Rows of the inbox that the next commit answers.
    pub(crate) fn consume(&mut self, id: InboxId) {
        self.delivered = self.delivered.max(Some(id));
        self.staged.consumed.push(id);
    }

    /// Things that must be in the catalog with the next commit.
    pub(crate) fn with_catalog(&mut self, writes: Vec<CatalogWrite>) {
        self.staged.catalog.extend(writes);
    }

    /// A reply that may go out once all that was decided before it is on disk.
    pub(crate) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.staged.out.replies.push((ticket, reply));
    }

    /// Takes in what a decision says.
    fn record(&mut self, decision: Decision, now: Timestamp) {
        self.work += decision.work;
        if !decision.events.is_empty() {
            self.staged.since.get_or_insert(now);
        }
        for event in decision.events {
            apply(&mut self.run, &event);
            self.staged.bytes += weight(&event);
            self.staged.events.push(event);
        }
        self.compute.extend(decision.compute);
        for effect in decision.effects {
            self.stage_effect(effect);
        }
        self.staged.out.told.extend(decision.messages.iter().map(|message| message.to));
        self.staged.messages.extend(decision.messages);
    }

    fn stage_effect(&mut self, effect: Effect) {
        let key = |step, attempt| AttemptKey { run: self.run.id, step, attempt };
        match effect {
            Effect::Decision(change) => self.staged.decisions.push(*change),
            Effect::Perform(perform) => {
                self.staged.out.perform.push(key(perform.step.ix, perform.attempt));
                self.staged.effects.push(Effect::Perform(perform));
            }
            Effect::Stop { step, attempt } => {
                self.staged.out.stop.push(key(step.ix, attempt));
                self.staged.effects.push(Effect::Stop { step, attempt });
            }
        }
    }

    /// Goes on as far as it can, at most `calls` decisions. A run that had not come to rest in its last turn first hears
    /// what came meanwhile, so that also one that never rests can be cancelled or run out of time. With `draining` no
    /// step begins: what can end ends, and the next process finds no intent that was never carried out.
    pub(crate) fn turn(
        &mut self,
        actions: &dyn Actions,
        now: Timestamp,
        calls: usize,
        draining: bool,
    ) -> Turn {
        self.unheard = if self.goes_on { self.queue.len().min(calls / 2) } else { 0 };
        self.draining = draining;
        let turn = self.go_on(actions, now, calls);
        self.goes_on = turn != Turn::Quiet;
        turn
    }

    fn go_on(&mut self, actions: &dyn Actions, now: Timestamp, calls: usize) -> Turn {
        self.work = 0;
        for _ in 0..calls {
            if self.work >= TURN_WORK_MAX {
                break;
            }
            if self.parked.is_some() {
                self.turn_away();
                return Turn::Quiet;
            }
            if self.staged.is_full(now) {
                return if self.flying.is_some() { Turn::Blocked } else { Turn::Unfinished };
            }
            if !self.advance(actions, now) {
                return Turn::Quiet;
            }
        }
        Turn::Unfinished
    }

    /// One decision. `false` if there is nothing to decide.
    fn advance(&mut self, actions: &dyn Actions, now: Timestamp) -> bool {
        if self.interrupted {
            // Before anything else: what begins from here on is this process's own.
            self.interrupted = false;
            self.give(InputKind::Interrupted, now);
        } else if let Some(compute) = self.compute.pop_front() {
            let answer = actions.compute(&compute.action, &compute.params);
            self.work += COMPUTE_WORK;
            let (step, attempt) = (compute.step.ix, compute.attempt);
            self.give(InputKind::Computed { step, attempt, answer }, now);
        } else if self.may_go_on() && !self.listens_first(now) {
            self.insist(InputKind::Proceed, now);
        } else if self.is_due(now) {
            self.insist(InputKind::TimerDue, now);
        } else if let Some(waiting) = self.queue.pop_front() {
            self.unheard = self.unheard.saturating_sub(1);
            self.take(waiting, now);
        } else {
            return false;
        }
        true
    }

    fn may_go_on(&self) -> bool {
        let begins = matches!(self.run.state.agenda.front(), Some(Todo::Start(_)));
        self.run.is_ready() && !(self.draining && begins)
    }

    /// Whether something else comes before what it could go on with.
    fn listens_first(&self, now: Timestamp) -> bool {
        self.unheard > 0 || self.goes_on && self.is_due(now)
    }

    /// Whether the clock has something to say. In a process that is about to end it has not: what it would begin could
    /// not be done any more, and would be in doubt at the next start.
    fn is_due(&self, now: Timestamp) -> bool {
        !self.draining && self.run.due_at().is_some_and(|due| due <= now)
    }

    fn give(&mut self, kind: InputKind, now: Timestamp) {
        let input = Input { at: now, kind };
        if let Ok(decision) = decide(&self.plan, &self.run, &input) {
            self.record(decision, now);
        }
    }

    /// Gives an input that must lead to something; a run that says nothing to it would be asked for ever.
    fn insist(&mut self, kind: InputKind, now: Timestamp) {
        let before = self.run.state.seq;
        self.give(kind, now);
        if self.run.state.seq == before {
            self.parked = Some(stuck(&self.run));
        }
    }

    fn take(&mut self, waiting: Waiting, now: Timestamp) {
        let Waiting { kind, ticket, inbox, record } = waiting;
        self.staged.consumed.extend(inbox);
        let input = Input { at: now, kind };
        let reply = match decide(&self.plan, &self.run, &input) {
            Ok(decision) => {
                if !decision.events.is_empty() {
                    self.staged.catalog.extend(record.map(|record| *record));
                }
                self.record(decision, now);
                Reply::Taken
            }
            Err(refusal) => Reply::Failed(refusal.to_failure()),
        };
        if let Some(ticket) = ticket {
            self.reply(ticket, reply);
        }
    }

    /// Answers those in line for a run that a defect stopped.
    fn turn_away(&mut self) {
        let Some(failure) = self.parked.clone() else { return };
        for waiting in std::mem::take(&mut self.queue) {
            if let Some(ticket) = waiting.ticket {
                self.reply(ticket, Reply::Failed(failure.clone()));
            }
        }
    }

    /// Replies that need no write of their own: at once if all is on disk, else with the commit on its way.
    pub(crate) fn free_replies(&mut self) -> Vec<(Ticket, Reply)> {
        if !self.staged.events.is_empty() || !self.staged.consumed.is_empty() {
            return Vec::new();
        }
        let replies = std::mem::take(&mut self.staged.out.replies);
        match &mut self.flying {
            Some(flying) => {
                flying.replies.extend(replies);
                Vec::new()
            }
            None => replies,
        }
    }

    /// Begins the run.
    pub(crate) fn begin(
        &mut self,
        start: opcode_model::Start,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let input = Input { at: now, kind: InputKind::Start(Box::new(start)) };
        let decision = decide(&self.plan, &self.run, &input)?;
        self.record(decision, now);
        Ok(())
    }

    /// The next commit, if there is something to write and none is on its way.
    pub(crate) fn commit(&mut self, settings: &crate::Settings, now: Timestamp) -> Option<Commit> {
        if self.flying.is_some() || self.staged.is_empty() {
            return None;
        }
        let staged = std::mem::take(&mut self.staged);
        let key = Some(self.run.row_key());
        let changed = std::mem::replace(&mut self.written, key) != key;
        let row = changed.then(|| self.run.row(self.plan.hash, now)).flatten().map(Box::new);
        self.flying = Some(staged.out);
        let seq = self.run.state.seq.0;
        // The longer the log, the rarer: all its snapshots together stay in proportion to it.
        let every = settings.snapshot_every.max(self.snapshot_at / 2);
        let due = seq - self.snapshot_at >= every && !self.run.is_terminal();
        let snapshot = if due { self.run.snapshot() } else { None };
        if due {
            self.snapshot_at = seq;
        }
        Some(Commit {
            run: self.run.id,
            agent_id: self.run.started().and_then(|started| started.agent_id.clone()),
            after: self.position,
            events: Arc::new(staged.events),
            row,
            decisions: staged.decisions,
            messages: staged.messages,
            consumed: staged.consumed,
            catalog: staged.catalog,
            snapshot,
            effects: staged.effects,
        })
    }

    /// The commit on its way is on disk: what may go out now.
    pub(crate) fn committed(&mut self, position: Position) -> Outgoing {
        self.position = position;
        self.flying.take().unwrap_or_default()
    }

    /// Those who wait for a commit that will not come.
    pub(crate) fn abandoned(&mut self) -> Vec<Ticket> {
        let flying = self.flying.take().unwrap_or_default();
        let staged = std::mem::take(&mut self.staged.out);
        let waiting = self.queue.drain(..).filter_map(|waiting| waiting.ticket);
        let replies = flying.replies.into_iter().chain(staged.replies).map(|(ticket, _)| ticket);
        replies.chain(waiting).collect()
    }

    /// Whether what is staged must be written before it may go on.
    pub(crate) fn is_full(&self, now: Timestamp) -> bool {
        self.staged.is_full(now)
    }

    /// Whether everything it decided is on disk.
    pub(crate) fn is_clean(&self) -> bool {
        self.flying.is_none() && self.staged.is_empty()
    }

    /// Whether it can leave memory: clean, nothing in line, nothing out in the world.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_clean()
            && self.queue.is_empty()
            && self.compute.is_empty()
            && !self.interrupted
            && self.reading == Reading::Not
            && self.run.state.in_flight == 0
            && !self.run.is_ready()
            && self.parked.is_none()
    }

    /// Whether it was never written.
    pub(crate) fn is_new(&self) -> bool {
        self.position.seq.0 == 0
    }
}

/// Roughly how many bytes an event brings to its row.
fn weight(event: &Event) -> usize {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only these two carry much")]
    match &event.kind {
        EventKind::StepStarted(_, StepStarted { input: value, .. }) => {
            96 + value.weight(FLUSH_BYTES_MAX)
        }
        EventKind::StepCompleted(_, done) => 96 + done.output.weight(FLUSH_BYTES_MAX),
        _ => 96,
    }
}

fn stuck(run: &Run) -> Failure {
    let message =
        format!("workflow {} is ready but says nothing at event {}", run.id, run.state.seq.0);
    Failure::new(ErrorCode::Internal, message)
}
