//! The smallest pump: the shipping driver over the memory store, on the caller's thread.
//!
//! Keeps: load, decide, commit, act as the shell does it, without its threads.
//! Not here: effects.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use opcode_driver::{Command, Driver, Incoming, Reply, Settings, StartRun, Ticket};
use opcode_engine::Plan;
use opcode_model::{RunId, RunStatus, Start, Timestamp, Value};
use opcode_store::{MemoryStore, Runs};

use crate::tools::Noop;

/// Runs the store keeps before it is emptied, so that the engine is measured and not the system handing out fresh pages.
const STORE_KEEPS: u64 = 32;

/// A driver, a memory store, and nobody else.
pub struct Local {
    driver: Driver,
    store: MemoryStore,
    runs: u64,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            driver: Driver::new(Settings::default(), Arc::new(Noop::default())),
            store: MemoryStore::new(),
            runs: 0,
        }
    }
}

impl Local {
    /// Runs a plan of pure steps to its end.
    ///
    /// # Panics
    /// If it does not come to an end by itself.
    pub fn run(&mut self, plan: &Arc<Plan>, params: Value) -> RunStatus {
        self.runs += 1;
        if self.runs.is_multiple_of(STORE_KEEPS) {
            self.store = MemoryStore::new();
        }
        let mut id = [0; 16];
        id[8..].copy_from_slice(&self.runs.to_be_bytes());
        let start = StartRun {
            ticket: Ticket(self.runs),
            run: RunId(id),
            fresh: true,
            plan: plan.clone(),
            start: Start { params, ..Start::default() },
            catalog: Vec::new(),
            watch: true,
        };
        let now = Timestamp(1_790_000_000_000);
        self.driver.handle(now, Incoming::Start(Box::new(start)));
        loop {
            match self.driver.poll(now) {
                Some(command) => {
                    if let Some(status) = self.carry_out(now, command) {
                        while self.driver.poll(now).is_some() {}
                        return status;
                    }
                }
                // Its turn is over; the next one begins at once.
                None if self.driver.next_due().is_some_and(|due| due <= now) => {}
                None => panic!("the run waits for something"),
            }
        }
    }

    fn carry_out(&mut self, now: Timestamp, command: Command) -> Option<RunStatus> {
        match &command {
            Command::Commit { batch, commits } => {
                let mut answers = self.store.commit(commits.clone());
                let context = &mut Context::from_waker(Waker::noop());
                let Poll::Ready(answers) = answers.as_mut().poll(context) else {
                    panic!("the memory store answers at once");
                };
                let answers = answers.into_iter().map(|answer| {
                    answer.map(|done| done.position).map_err(|cause| panic!("{cause}"))
                });
                let answers = answers.collect();
                self.driver.handle(now, Incoming::Committed { batch: *batch, answers });
                None
            }
            Command::Reply { reply: Reply::Result(result), .. } => Some(result.status),
            Command::Reply { .. }
            | Command::Load(_)
            | Command::LoadWhole(_)
            | Command::Deliver(_)
            | Command::Resolve { .. }
            | Command::Perform(_)
            | Command::Stop(_)
            | Command::Halt(_) => panic!("a pure run asks for {command:?}"),
        }
    }
}
