//! A driver alone on a bench: the test is its shell, and its clock.
//!
//! Keeps: nothing here waits; time goes on only when the test says so.
//! Not here: the real shell (`kit.rs`).

use std::sync::Arc;

use opcode_actions::Registry;
use opcode_driver::{Batch, Command, Driver, Incoming, Reply, Settings, StartRun, Ticket};
use opcode_engine::{Plan, plan};
use opcode_model::commit::{Commit, Position};
use opcode_model::{Failure, RunId, Signal, Start, Timestamp, Value};
use serde_json::Value as Json;

pub(crate) fn run_id(n: usize) -> RunId {
    RunId((n as u128).to_be_bytes())
}

pub(crate) fn planned(definition: &Json) -> Arc<Plan> {
    Arc::new(plan(&Value::from_serde(definition), &Registry::builtin()).expect("it can run"))
}

/// A driver alone, and what it said.
pub(crate) struct Bench {
    pub(crate) driver: Driver,
    pub(crate) at: i64,
    tickets: u64,
    replies: Vec<Reply>,
    /// What it asked for beside commits.
    pub(crate) asked: Vec<Command>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let driver = Driver::new(Settings::default(), Arc::new(Registry::builtin()));
        Self { driver, at: 0, tickets: 0, replies: Vec::new(), asked: Vec::new() }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub(crate) fn tell(&mut self, incoming: Incoming) {
        self.driver.handle(Timestamp(self.at), incoming);
    }

    pub(crate) fn start(&mut self, run: RunId, definition: &Json) {
        let (ticket, plan) = (self.ticket(), planned(definition));
        let start = Start::default();
        let (fresh, watch, catalog) = (true, false, Vec::new());
        let start = StartRun { ticket, run, fresh, plan, start, catalog, watch };
        self.tell(Incoming::Start(Box::new(start)));
    }

    pub(crate) fn signal(&mut self, run: RunId, signal: Signal) {
        let (ticket, signal) = (self.ticket(), Box::new(signal));
        self.tell(Incoming::Signal { ticket, run, signal, record: None });
    }

    /// What it asks next, but for replies, which are kept.
    pub(crate) fn ask(&mut self) -> Option<Command> {
        loop {
            let command = self.driver.poll(Timestamp(self.at))?;
            let Command::Reply { reply, .. } = command else { return Some(command) };
            self.replies.push(reply);
        }
    }

    /// The next commit, with the clock going on by so much each time it is asked.
    pub(crate) fn commit(&mut self, tick_ms: i64) -> Option<Commit> {
        for _ in 0..10_000 {
            self.at += tick_ms;
            match self.ask() {
                Some(Command::Commit { batch, commits }) => {
                    self.take(batch, &commits);
                    return Some(commits[0].clone());
                }
                Some(other) => self.asked.push(other),
                None if self.driver.next_due().is_some_and(|due| due.0 <= self.at) => {}
                None => return None,
            }
        }
        panic!("it never commits");
    }

    fn take(&mut self, batch: Batch, commits: &[Commit]) {
        let position = |commit: &Commit| Position { seq: commit.last(), ..Position::default() };
        let answers = commits.iter().map(|commit| Ok(position(commit))).collect();
        self.tell(Incoming::Committed { batch, answers });
    }

    pub(crate) fn refused(&self) -> Vec<&Failure> {
        let failed = |reply: &'_ Reply| matches!(reply, Reply::Failed(_));
        let replies = self.replies.iter().filter(|reply| failed(reply));
        replies
            .filter_map(|reply| match reply {
                Reply::Failed(failure) => Some(failure),
                Reply::Started { .. } | Reply::Taken | Reply::Result(_) => None,
            })
            .collect()
    }
}
