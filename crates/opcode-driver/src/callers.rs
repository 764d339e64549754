//! Those who call: starts, signals, and those who wait for a run to be over.
//!
//! Keeps: nobody is told what is not on disk; everybody who waits is told once.
//! Not here: the turn in which a run takes its inputs (`driver.rs`).

use std::sync::Arc;

use opcode_model::commit::CatalogWrite;
use opcode_model::limits::{QUEUE_INPUTS_MAX, QUEUE_RUNS_MAX};
use opcode_model::{ErrorCode, Failure, RunId, RunStatus, Signal, SignalKind, Value};

use crate::driver::{Driver, Entry};
use crate::live::Live;
use crate::words::{Incoming, Reply, StartRun, Ticket};

const ABOUT_TO_END: &str = "the process is about to end and starts nothing new";

impl Driver {
    pub(crate) fn start(&mut self, start: StartRun) {
        if self.draining {
            return self.refuse(start.ticket, ErrorCode::Conflict, ABOUT_TO_END);
        }
        if self.runs.len() >= QUEUE_RUNS_MAX {
            let failure = Failure::limit("workflows in memory", QUEUE_RUNS_MAX);
            return self.reply(start.ticket, Reply::Failed(failure));
        }
        if start.fresh && !self.runs.contains_key(&start.run) {
            return self.begin(start);
        }
        match self.runs.get_mut(&start.run) {
            Some(Entry::Live(live)) => {
                let known = live.run.started().and_then(|started| started.request.clone());
                self.started_before(start, known);
            }
            Some(Entry::Loading(meanwhile) | Entry::Resolving { meanwhile, .. }) => {
                meanwhile.push(Incoming::Start(Box::new(start)));
            }
            Some(Entry::Refused { .. }) => {
                self.refuse(start.ticket, ErrorCode::Conflict, "this id is a refused child's");
            }
            None => self.load(start.run, Some(Incoming::Start(Box::new(start)))),
        }
    }

    /// The key that chose this id was used before: by the same request, or by another one.
    fn started_before(&mut self, start: StartRun, known: Option<Arc<str>>) {
        let run = start.run;
        let same = known == start.start.request;
        if same && start.watch {
            return self.watch(start.ticket, run);
        }
        let other = || {
            let message = "this idempotency key was used for another request";
            let details = Value::object([("workflow_id", run.to_string())]);
            Reply::Failed(Failure { details, ..Failure::new(ErrorCode::Conflict, message) })
        };
        let reply = if same { Reply::Started { run } } else { other() };
        if let Some(Entry::Live(live)) = self.runs.get_mut(&run) {
            live.reply(start.ticket, reply);
        }
        self.wants_turn(run);
    }

    fn begin(&mut self, start: StartRun) {
        let StartRun { ticket, run, plan, start, catalog, watch, .. } = start;
        let mut live = Box::new(Live::new(run, plan));
        if let Err(refusal) = live.begin(start, self.now) {
            return self.reply(ticket, Reply::Failed(refusal.to_failure()));
        }
        live.with_catalog(catalog);
        if watch {
            self.watchers.entry(run).or_default().push(ticket);
        } else {
            live.reply(ticket, Reply::Started { run });
        }
        self.runs.insert(run, Entry::Live(live));
        self.wants_turn(run);
    }

    pub(crate) fn signal(
        &mut self,
        ticket: Ticket,
        run: RunId,
        signal: Box<Signal>,
        record: Option<Box<CatalogWrite>>,
    ) {
        if self.draining && signal.kind == SignalKind::Retry {
            return self.refuse(ticket, ErrorCode::Conflict, ABOUT_TO_END);
        }
        match self.runs.get_mut(&run) {
            Some(Entry::Live(live)) => {
                if let Some(failure) = live.parked.clone() {
                    return self.reply(ticket, Reply::Failed(failure));
                }
                if live.queue.len() >= QUEUE_INPUTS_MAX {
                    return self.too_many(ticket);
                }
                live.push_signal(signal, ticket, record);
                self.wants_turn(run);
            }
            Some(Entry::Loading(meanwhile) | Entry::Resolving { meanwhile, .. }) => {
                if meanwhile.len() >= QUEUE_INPUTS_MAX {
                    return self.too_many(ticket);
                }
                meanwhile.push(Incoming::Signal { ticket, run, signal, record });
            }
            Some(Entry::Refused { .. }) => self.unknown(ticket, run),
            None => self.load(run, Some(Incoming::Signal { ticket, run, signal, record })),
        }
    }

    /// Too much waits for a run already.
    fn too_many(&mut self, ticket: Ticket) {
        let failure = Failure::limit("inputs in line for a workflow", QUEUE_INPUTS_MAX);
        let failure = Failure { code: ErrorCode::SignalFailed, ..failure };
        self.reply(ticket, Reply::Failed(failure));
    }

    pub(crate) fn unknown(&mut self, ticket: Ticket, run: RunId) {
        self.refuse(ticket, ErrorCode::NotFound, &format!("workflow {run} does not exist"));
    }

    pub(crate) fn watch(&mut self, ticket: Ticket, run: RunId) {
        match self.runs.get_mut(&run) {
            Some(Entry::Live(_)) => {
                self.watchers.entry(run).or_default().push(ticket);
                self.tell_watchers(run);
            }
            Some(Entry::Loading(meanwhile) | Entry::Resolving { meanwhile, .. }) => {
                meanwhile.push(Incoming::Watch { ticket, run });
            }
            Some(Entry::Refused { .. }) => self.unknown(ticket, run),
            None => self.load(run, Some(Incoming::Watch { ticket, run })),
        }
    }

    pub(crate) fn unwatch(&mut self, ticket: Ticket, run: RunId) {
        if let Some(Entry::Loading(meanwhile) | Entry::Resolving { meanwhile, .. }) =
            self.runs.get_mut(&run)
        {
            let his =
                |come: &Incoming| matches!(come, Incoming::Watch { ticket: t, .. } if *t == ticket);
            meanwhile.retain(|come| !his(come));
        }
        if let Some(tickets) = self.watchers.get_mut(&run) {
            tickets.retain(|other| *other != ticket);
            if tickets.is_empty() {
                self.watchers.remove(&run);
            }
        }
    }

    /// Answers those who wait for a run, if it is over or suspended and that is on disk.
    pub(crate) fn tell_watchers(&mut self, run: RunId) {
        if !self.watchers.contains_key(&run) {
            return;
        }
        let Some(Entry::Live(live)) = self.runs.get(&run) else { return };
        let at_rest = live.is_clean() && live.queue.is_empty() && !live.run.is_ready();
        let over = live.run.is_terminal() || live.run.status() == RunStatus::Suspended;
        let parked = live.parked.clone();
        if parked.is_none() && !(at_rest && over) {
            return;
        }
        let reply = match parked {
            Some(failure) => Reply::Failed(failure),
            None => Reply::Result(Arc::new(live.run.result())),
        };
        for ticket in self.watchers.remove(&run).unwrap_or_default() {
            self.reply(ticket, reply.clone());
        }
    }

    /// Gives what came for a run that could not be had its answer.
    pub(crate) fn disappoint(&mut self, meanwhile: Vec<Incoming>, failure: &Failure) {
        for incoming in meanwhile {
            let ticket = match incoming {
                Incoming::Start(start) => start.ticket,
                Incoming::Signal { ticket, .. } | Incoming::Watch { ticket, .. } => ticket,
                Incoming::Unwatch { .. }
                | Incoming::Loaded { .. }
                | Incoming::Resolved { .. }
                | Incoming::Delivered { .. }
                | Incoming::Committed { .. }
                | Incoming::Finished { .. }
                | Incoming::Aside(_)
                | Incoming::Poke(_)
                | Incoming::Recovered(_)
                | Incoming::Drain => continue,
            };
            self.reply(ticket, Reply::Failed(failure.clone()));
        }
    }

    pub(crate) fn again(&mut self, meanwhile: Vec<Incoming>) {
        for incoming in meanwhile {
            self.handle(self.now, incoming);
        }
    }
}
