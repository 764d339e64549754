//! What the shell does for the driver, with everything that can go wrong on the way.
//!
//! Keeps: an attempt needs a permit, and a permit comes only with the answer to its commit.
//! Not here: when faults are drawn on (`scenario.rs`).

use std::sync::Arc;

use opcode_driver::{AttemptKey, Batch, Command, CommitRefused, Incoming, LoadedRun, Resolved};
use opcode_engine::{Run, WorkPlan};
use opcode_model::action::Outcome;
use opcode_model::commit::{CatalogKind, CatalogWrite, Commit};
use opcode_model::{
    Effect, ErrorCode, Failure, OnInterrupted, Perform, RunId, StepIx, Timestamp, Value,
};

use super::Mutant;
use super::judge::Violation;
use super::oracle::{failed, refused};
use super::store::key_of;
use super::trace::brief;
use super::world::{Chance, Happening, Out, Reading, World, Written};

impl World {
    pub(crate) fn carry_out(&mut self, command: Command) -> Result<(), Violation> {
        let faults = &self.scenario.faults;
        let (write_ms, read_ms) = (faults.write_ms, faults.read_ms);
        match command {
            Command::Commit { batch, commits } => {
                self.note(|| {
                    let all: Vec<String> = commits.iter().map(brief).collect();
                    format!("commit {} {}", batch.0, all.join("; "))
                });
                self.writing.insert(batch, commits.clone());
                if self.is(Mutant::ActBeforeCommit) {
                    for effect in commits.iter().flat_map(|commit| &commit.effects) {
                        if let Effect::Perform(perform) = effect {
                            self.begin((**perform).clone())?;
                        }
                    }
                }
                if self.is(Mutant::AnswerBeforeWrite) {
                    let answers = commits.iter().map(|it| Ok(after(it))).collect();
                    self.soon(0, Happening::Answer(batch, commits.clone(), answers));
                }
                let ms = self.up_to(Chance::Write, write_ms);
                self.soon(ms, Happening::Write(batch, commits));
            }
            Command::Load(run) => self.read_soon(run, Reading::Load, read_ms),
            Command::LoadWhole(run) => self.read_soon(run, Reading::Whole, read_ms),
            Command::Deliver(run) => self.read_soon(run, Reading::Inbox, read_ms),
            Command::Resolve { run, template, .. } => {
                let ms = self.up_to(Chance::Read, read_ms);
                self.soon(ms, Happening::Resolve(run, template));
            }
            Command::Perform(key) => return self.perform(key),
            Command::Stop(key) => self.stop(key),
            Command::Reply { ticket, reply } => return self.reply(ticket, &reply),
            Command::Halt(failure) => {
                self.note(|| format!("halt: {failure}"));
                return self.crash();
            }
        }
        Ok(())
    }

    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn read_soon(&mut self, run: RunId, reading: Reading, ms: i64) {
        let ms = self.up_to(Chance::Read, ms);
        self.soon(ms, Happening::Read(run, reading));
    }

    fn is_full(&self) -> bool {
        let (now, full) = (self.now, self.scenario.faults.full);
        !self.calm && full.is_some_and(|(from, to)| (from..to).contains(&now))
    }

    /// A batch reaches the disk, or does not.
    pub(crate) fn write(
        &mut self,
        batch: Batch,
        commits: &Arc<Vec<Commit>>,
    ) -> Result<(), Violation> {
        self.writing.remove(&batch);
        let lost = self.fault(Chance::Write, self.scenario.faults.lost);
        let full = self.is_full();
        let mut answers: Vec<Written> = Vec::new();
        for commit in commits.iter() {
            // A disk that is filling up takes one and refuses the next.
            let refuses = full && self.dice.chance(600);
            answers.push(if lost && self.dice.chance(500) {
                Err(CommitRefused::Lost(storage("a sync failed")))
            } else if self.disk.is_stale(commit) {
                Err(CommitRefused::Stale)
            } else if refuses {
                if self.is(Mutant::RefusedButWritten) {
                    self.arrive(commit)?;
                }
                let failure = Failure::new(ErrorCode::StorageFull, "no space left");
                Err(CommitRefused::Unavailable(failure))
            } else {
                self.arrive(commit)?;
                if lost {
                    Err(CommitRefused::Lost(storage("a sync failed")))
                } else {
                    Ok(after(commit))
                }
            });
        }
        if self.is(Mutant::AnswerBeforeWrite) {
            return Ok(());
        }
        if self.is(Mutant::AnswersSwapped) {
            answers.reverse();
        }
        let ms = self.up_to(Chance::Answer, self.scenario.faults.answer_ms);
        self.soon(ms, Happening::Answer(batch, commits.clone(), answers));
        Ok(())
    }

    /// One commit is on the disk.
    pub(crate) fn arrive(&mut self, commit: &Commit) -> Result<(), Violation> {
        if self.is(Mutant::TornCommit) && self.driver.is_none() {
            let torn = Commit { messages: Vec::new(), ..commit.clone() };
            self.disk.write(&torn, &mut self.judge)?;
        } else {
            self.disk.write(commit, &mut self.judge)?;
        }
        let ms = self.dice.span(20, 600);
        self.look_soon(commit.run, ms);
        Ok(())
    }

    /// The shell hears how its batch went: what was taken sets its effects free.
    pub(crate) fn answer(
        &mut self,
        batch: Batch,
        commits: &Arc<Vec<Commit>>,
        answers: Vec<Written>,
    ) -> Result<(), Violation> {
        for (commit, answer) in commits.iter().zip(&answers) {
            if answer.is_ok() {
                self.permit(std::slice::from_ref(commit));
            }
        }
        let again = self.fault(Chance::Echo, self.scenario.faults.echo).then(|| answers.clone());
        self.tell(Incoming::Committed { batch, answers });
        if let Some(answers) = again {
            self.soon(5, Happening::Tell(Box::new(Incoming::Committed { batch, answers })));
        }
        Ok(())
    }

    fn permit(&mut self, commits: &[Commit]) {
        for effect in commits.iter().flat_map(|commit| &commit.effects) {
            if let Effect::Perform(perform) = effect {
                self.permits.insert(key_of(perform), (**perform).clone());
            }
        }
    }

    pub(crate) fn read(&mut self, run: RunId, reading: Reading) {
        let fails = self.fault(Chance::ReadFails, self.scenario.faults.read_fails);
        if reading == Reading::Inbox {
            let kept = self.disk.runs.get(&run);
            let inbox = kept.map_or_else(Vec::new, |kept| kept.inbox.clone());
            let deliveries = if fails { Err(storage("could not read")) } else { Ok(inbox) };
            let ms = self.up_to(Chance::Read, 10);
            let told = Incoming::Delivered { run, deliveries };
            return self.soon(ms, Happening::Tell(Box::new(told)));
        }
        let mut loaded = self.disk.load(run, reading == Reading::Whole);
        let mangled = self.fault(Chance::Mangled, self.scenario.faults.mangled);
        if let LoadedRun { snapshot: Some((_, text)), .. } = &mut loaded
            && mangled
        {
            *text = text.replacen("\"format\":", "\"format\":9", 1).into();
        }
        let loaded = if fails { Err(storage("could not read")) } else { Ok(loaded) };
        let ms = self.up_to(Chance::Read, 10);
        self.soon(ms, Happening::Tell(Box::new(Incoming::Loaded { run, loaded })));
    }

    pub(crate) fn resolve(&mut self, run: RunId, template: &str) {
        let fails = self.fault(Chance::ReadFails, self.scenario.faults.read_fails);
        let found = self.templates.get(template).cloned();
        let at = Timestamp(self.now);
        let resolved = match found {
            _ if fails => Err(storage("could not read")),
            None => Err(Failure::new(ErrorCode::NotFound, format!("no template `{template}`"))),
            Some(plan) => {
                let catalog = vec![definition(&plan, at)];
                Ok(Resolved { plan, version: "1".into(), catalog })
            }
        };
        self.tell(Incoming::Resolved { run, resolved });
    }

    fn perform(&mut self, key: AttemptKey) -> Result<(), Violation> {
        if self.is(Mutant::PerformForgotten) && self.dice.chance(100) {
            return Ok(());
        }
        let Some(perform) = self.permits.remove(&key) else {
            return Err(Violation::new("I4", format!("{key:?} has no permit")));
        };
        if self.is(Mutant::PerformedTwice) {
            self.begin(perform.clone())?;
        }
        self.begin(perform)
    }

    /// An effect happens.
    fn begin(&mut self, perform: Perform) -> Result<(), Violation> {
        let key = key_of(&perform);
        let run = self.disk.runs.get(&key.run).and_then(|kept| kept.run.as_ref());
        let policy = run.map_or(OnInterrupted::Retry, |run| self.policy(run, key));
        self.judge.performs(&perform, run, policy)?;
        if self.out.len() >= self.scenario.faults.slots && !self.out.contains_key(&key) {
            return Err(Violation::new("I11", "more attempts are out than there are slots"));
        }
        let ms = perform.params.find("ms").and_then(Value::as_i64).unwrap_or_default();
        let hangs = self.fault(Chance::Hang, self.scenario.faults.hang);
        let limit = perform.timeout.and_then(|limit| i64::try_from(limit.as_millis()).ok());
        let cut = limit.is_some_and(|limit| hangs || limit < ms);
        let ends = if cut || hangs { limit } else { Some(ms) };
        self.note(|| format!("perform {} #{}", perform.step.path, perform.attempt));
        if let Some(ms) = ends {
            self.soon(ms, Happening::Finish(key));
        }
        self.out.insert(key, Out { perform, hangs: ends.is_none(), cut, over: false });
        Ok(())
    }

    /// What a step's author wants after a crash. A body that is retried runs again, whatever its steps say.
    fn policy(&self, run: &Run, key: AttemptKey) -> OnInterrupted {
        let (Some(step), plan) = (run.find(key.step), self.plan_of(run)) else {
            return OnInterrupted::Retry;
        };
        let around = |ix: StepIx| run.frame(run.step(ix).frame).owner;
        let mut outer = std::iter::successors(around(step.ix), |ix| around(*ix));
        let own = plan.step(run.node_of(step));
        let once = matches!(&own.work, WorkPlan::Action(it) if it.name.as_ref() == "sim.once");
        let again = outer.any(|ix| plan.step(run.node_of(run.step(ix))).retry.max > 0);
        own.on_interrupted.filter(|_| once && !again).unwrap_or_default()
    }

    /// An attempt comes to its end: it says what its parameters say, whatever crashed before.
    pub(crate) fn finish(&mut self, key: AttemptKey) {
        let Some(out) = self.out.get_mut(&key) else { return };
        if std::mem::replace(&mut out.over, true) {
            return;
        }
        let (perform, cut) = (out.perform.clone(), out.cut);
        let outcome = if cut {
            Err(Failure::new(ErrorCode::Timeout, "the attempt took too long"))
        } else {
            self.outcome(&perform)
        };
        self.say_finished(key, outcome);
    }

    fn outcome(&self, perform: &Perform) -> Outcome {
        let number = |name| perform.params.find(name).and_then(Value::as_i64).unwrap_or_default();
        let run = self.disk.runs.get(&perform.run).and_then(|kept| kept.run.as_ref());
        let retries = run.and_then(|run| run.find(perform.step.ix)).map_or(0, |it| it.retries);
        if perform.params.find("fatal").and_then(Value::as_bool) == Some(true) {
            return Err(refused());
        }
        if i64::from(retries) < number("fails") {
            return Err(failed());
        }
        let kept = perform.params.as_object().into_iter().flatten();
        let said = kept.filter(|(key, _)| matches!(key.as_ref(), "v" | "of" | "i"));
        Ok(Value::object(said.cloned()))
    }

    fn say_finished(&mut self, key: AttemptKey, outcome: Outcome) {
        self.judge.answered(key, &outcome);
        let mut told_as = key;
        if self.is(Mutant::AnswersForOthers)
            && let Some(other) = self.out.keys().find(|it| it.run == key.run && **it != key)
        {
            told_as = *other;
        }
        let ms = self.up_to(Chance::Finish, self.scenario.faults.finish_ms);
        let finished = |outcome: &Outcome| {
            let (outcome, breakers) = (outcome.clone(), Vec::new());
            Box::new(Incoming::Finished { key: told_as, outcome, breakers })
        };
        self.soon(ms, Happening::Tell(finished(&outcome)));
        if self.fault(Chance::Echo, self.scenario.faults.echo) {
            let later = ms + self.dice.span(0, 500);
            self.soon(later, Happening::Tell(finished(&outcome)));
        }
    }

    fn stop(&mut self, key: AttemptKey) {
        self.note(|| format!("stop {key:?}"));
        self.permits.remove(&key);
        let stubborn = self.dice.chance(300);
        let cancelled = Err(Failure::new(ErrorCode::Cancelled, "stopped"));
        match self.out.get_mut(&key) {
            Some(out) if out.over => {}
            Some(out) => {
                out.over = true;
                let perform = out.perform.clone();
                let outcome = if stubborn { self.outcome(&perform) } else { cancelled };
                self.say_finished(key, outcome);
            }
            None => self.say_finished(key, cancelled),
        }
    }
}

/// Where a log ends after a commit.
fn after(commit: &Commit) -> opcode_model::Position {
    opcode_model::Position { seq: commit.last(), head: [0; 32] }
}

fn storage(what: &str) -> Failure {
    Failure::new(ErrorCode::Store, what)
}

/// The write that keeps a definition in the catalog.
pub(crate) fn definition(plan: &opcode_engine::Plan, at: Timestamp) -> CatalogWrite {
    let (kind, key) = (CatalogKind::Definition, plan.hash.to_string().into());
    CatalogWrite { kind, key, body: Some(plan.text.clone()), at, replace: false }
}
