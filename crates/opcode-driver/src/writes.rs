//! Commits on their way to the store, and what their answers set free.
//!
//! Keeps: what is not on disk sets nothing free; a refused commit is tried again unchanged, or its run is loaded again.
//! Not here: what a commit holds (`live.rs`).

use std::sync::Arc;

use opcode_model::commit::{Commit, Position};
use opcode_model::{ErrorCode, Failure, RunId};

use crate::driver::{Again, Driver, Entry};
use crate::live::Outgoing;
use crate::words::{AttemptKey, Batch, Command, CommitRefused, Reply};

impl Driver {
    pub(crate) fn send(&mut self) {
        let commits = std::mem::take(&mut self.outbox);
        let batch = self.new_batch(commits);
        let commits = self.flying[&batch].clone();
        self.commands.push_back(Command::Commit { batch, commits });
    }

    fn new_batch(&mut self, commits: Vec<Commit>) -> Batch {
        self.next_batch += 1;
        let batch = Batch(self.next_batch);
        self.flying.insert(batch, Arc::new(commits));
        batch
    }

    pub(crate) fn committed(
        &mut self,
        batch: Batch,
        answers: Vec<Result<Position, CommitRefused>>,
    ) {
        let Some(commits) = self.flying.remove(&batch) else { return };
        let mut again = Vec::new();
        for (commit, answer) in commits.iter().zip(answers) {
            match answer {
                Ok(position) => self.written(commit.run, position),
                Err(CommitRefused::Stale) => self.stale(commit.run),
                Err(CommitRefused::Unavailable(failure)) => {
                    if !self.forget_new(commit.run, &failure) {
                        again.push(commit.clone());
                    }
                }
                Err(CommitRefused::Lost(failure)) => return self.halt(failure),
            }
        }
        if !again.is_empty() {
            let batch = self.new_batch(again);
            self.try_again(Again::Commit(batch));
        }
        self.let_out();
    }

    fn halt(&mut self, failure: Failure) {
        self.halted = true;
        self.commands.clear();
        self.commands.push_back(Command::Halt(failure));
    }

    /// A run's commit is on disk: now its effects may happen.
    fn written(&mut self, run: RunId, position: Position) {
        let out = match self.runs.get_mut(&run) {
            Some(Entry::Live(live)) => live.committed(position),
            Some(Entry::Refused { parent, poked }) => {
                let (parent, poked) = (*parent, *poked);
                self.runs.remove(&run);
                if poked {
                    self.load(run, None);
                }
                return parent.into_iter().for_each(|parent| self.poke(parent));
            }
            Some(Entry::Loading(_) | Entry::Resolving { .. }) | None => return,
        };
        let Outgoing { perform, stop, replies, told } = out;
        for key in perform {
            self.slots.want(key);
        }
        for key in stop {
            self.stop(key);
        }
        for (ticket, reply) in replies {
            self.reply(ticket, reply);
        }
        for other in told {
            self.poke(other);
        }
        self.tell_watchers(run);
        self.wants_turn(run);
    }

    fn stop(&mut self, key: AttemptKey) {
        if self.slots.stop(key) {
            self.commands.push_back(Command::Stop(key));
        }
    }

    /// Somebody else wrote to this run: what was decided here is void, and those who waited are told.
    fn stale(&mut self, run: RunId) {
        match self.runs.remove(&run) {
            Some(Entry::Live(mut live)) => {
                for ticket in live.abandoned() {
                    let message = "another process wrote to this workflow; try again";
                    self.refuse(ticket, ErrorCode::Conflict, message);
                }
                for key in self.slots.stop_all(run) {
                    self.commands.push_back(Command::Stop(key));
                }
                self.load(run, None);
            }
            Some(Entry::Refused { .. }) => self.load(run, None),
            Some(other @ (Entry::Loading(_) | Entry::Resolving { .. })) => {
                self.runs.insert(run, other);
            }
            None => {}
        }
    }

    /// A run that was never written and cannot be now did not begin.
    fn forget_new(&mut self, run: RunId, failure: &Failure) -> bool {
        let Some(Entry::Live(live)) = self.runs.get_mut(&run) else { return false };
        if !live.is_new() || live.run.started().is_none_or(|started| started.parent.is_some()) {
            return false;
        }
        let waiting = live.abandoned();
        let watching = self.watchers.remove(&run).unwrap_or_default();
        self.runs.remove(&run);
        self.set_due(run, None);
        for ticket in waiting.into_iter().chain(watching) {
            self.reply(ticket, Reply::Failed(failure.clone()));
        }
        true
    }
}
