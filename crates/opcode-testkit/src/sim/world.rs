//! A world around one driver: virtual time, a queue, a disk that survives, a process that dies.
//!
//! Keeps: the driver is the shipping one, pumped as the shell pumps it; all chance comes from the scenario's seed.
//! Not here: carrying out commands (`shell.rs`), people (`people.rs`), the rules (`judge.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use opcode_driver::{AttemptKey, Batch, Driver, Incoming, Settings};
use opcode_engine::Plan;
use opcode_model::commit::{Commit, Position};
use opcode_model::{Perform, RunId, RunStatus, Timestamp};

use super::Mutant;
use super::actions::SimActions;
use super::dice::Dice;
use super::judge::{Judge, Violation};
use super::people::Asked;
use super::scenario::{CALM, Scenario};
use super::store::Disk;
use super::trace::{asked, heard};

/// When all that still goes on is told to end, and when all must have ended.
const DEADLINE: i64 = CALM + 15 * 60_000;
const LIMIT: i64 = DEADLINE + 60 * 60_000;
/// How often the driver may be asked in one world; more is a spin.
const POLLS_MAX: u64 = 400_000;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// News for the process that is alive.
    Tell(Box<Incoming>),
    Write(Batch, Arc<Vec<Commit>>),
    Answer(Batch, Arc<Vec<Commit>>, Vec<Written>),
    Read(RunId, Reading),
    Resolve(RunId, Arc<str>),
    /// An attempt comes to its end out in the world.
    Finish(AttemptKey),
    Start(usize),
    Say(usize),
    /// Somebody looks after a run's questions.
    Look(RunId),
    Die,
    Restart,
    Calm,
    Deadline,
}

/// How one commit went.
pub(crate) type Written = Result<Position, opcode_driver::CommitRefused>;

/// What is read of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reading {
    Load,
    Whole,
    Inbox,
}

/// What may go wrong by chance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chance {
    Write,
    Answer,
    Read,
    ReadFails,
    Finish,
    Echo,
    Hang,
    Mangled,
    Busy,
}

/// An attempt out in the world.
pub(crate) struct Out {
    pub(crate) perform: Perform,
    /// It comes to no end by itself until the world is calm.
    pub(crate) hangs: bool,
    /// Its own limit ends it.
    pub(crate) cut: bool,
    pub(crate) over: bool,
}

/// A world around one driver.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) dice: Dice,
    /// Each fault has its own, so that turning one off leaves the others as they were.
    chances: [Dice; 9],
    pub(crate) now: i64,
    /// What is ahead; what belongs to a process that died is skipped.
    queue: BTreeMap<(i64, u64), (Option<u32>, Happening)>,
    next: u64,
    pub(crate) process: u32,
    pub(crate) driver: Option<Driver>,
    pub(crate) disk: Disk,
    pub(crate) judge: Judge,
    pub(crate) permits: BTreeMap<AttemptKey, Perform>,
    pub(crate) out: BTreeMap<AttemptKey, Out>,
    /// Commits on their way; a crash decides whether they arrived.
    pub(crate) writing: BTreeMap<Batch, Arc<Vec<Commit>>>,
    pub(crate) commands: u64,
    polls: u64,
    /// Until when the shell only hears, and asks the driver nothing.
    deaf_until: i64,
    pub(crate) calm: bool,
    pub(crate) plans: Vec<Arc<Plan>>,
    pub(crate) templates: BTreeMap<String, Arc<Plan>>,
    pub(crate) tickets: BTreeMap<u64, Asked>,
    pub(crate) next_ticket: u64,
    pub(crate) begun: BTreeSet<usize>,
    pub(crate) looking: BTreeSet<RunId>,
    pub(crate) trace: Option<String>,
}

impl World {
    pub(crate) fn new(scenario: Scenario, mutant: Option<Mutant>, traced: bool) -> Self {
        let mut disk = Disk::new(mutant);
        let mut ready = |def: &super::tree::Def| {
            let value = def.to_value();
            let plan = opcode_engine::plan(&value, &SimActions);
            let plan = plan.unwrap_or_else(|why| panic!("{}: {why:?}", value.to_json()));
            let plan = Arc::new(plan);
            disk.knows(plan.clone());
            plan
        };
        let plans = scenario.runs.iter().map(|wanted| ready(&wanted.def)).collect();
        let named = scenario.templates.iter();
        let templates = named.map(|(name, def)| (name.clone(), ready(def))).collect();
        Self {
            dice: Dice::new(scenario.seed, 5),
            chances: std::array::from_fn(|n| Dice::new(scenario.seed, 10 + n as u64)),
            scenario,
            mutant,
            now: 0,
            queue: BTreeMap::new(),
            next: 0,
            process: 0,
            driver: None,
            disk,
            judge: Judge::default(),
            permits: BTreeMap::new(),
            out: BTreeMap::new(),
            writing: BTreeMap::new(),
            commands: 0,
            polls: 0,
            deaf_until: -1,
            calm: false,
            plans,
            templates,
            tickets: BTreeMap::new(),
            next_ticket: 0,
            begun: BTreeSet::new(),
            looking: BTreeSet::new(),
            trace: traced.then(String::new),
        }
    }

    /// Lives until nothing more will happen.
    pub(crate) fn live(&mut self) -> Result<(), Violation> {
        self.put(0, Happening::Restart);
        self.put(CALM, Happening::Calm);
        self.put(DEADLINE, Happening::Deadline);
        for ix in 0..self.scenario.runs.len() {
            self.put(self.scenario.runs[ix].at, Happening::Start(ix));
        }
        for ix in 0..self.scenario.says.len() {
            self.put(self.scenario.says[ix].0, Happening::Say(ix));
        }
        while self.step()? {}
        self.at_rest()
    }

    /// One thing happens. `false` if nothing is ahead.
    fn step(&mut self) -> Result<bool, Violation> {
        let ahead = self.queue.first_key_value().map(|(key, _)| key.0);
        let wake = self
            .driver
            .as_ref()
            .and_then(Driver::next_due)
            .map(|due| due.0.max(self.deaf_until + 1));
        if ahead.is_none() && wake.is_none() {
            return Ok(false);
        }
        let woken = wake.is_some_and(|wake| ahead.is_none_or(|ahead| wake < ahead));
        if woken {
            self.now = self.now.max(wake.unwrap_or(self.now));
        } else if let Some(((at, _), (process, happening))) = self.queue.pop_first() {
            self.now = self.now.max(at);
            if process.is_none_or(|process| process == self.process) {
                self.happen(happening)?;
            }
        }
        if self.now > LIMIT {
            return Err(Violation::new(
                "I12",
                format!("no rest after all this time: {}", self.stuck()),
            ));
        }
        self.pump()?;
        Ok(true)
    }

    /// Carries out what the driver wants, as the shell does.
    fn pump(&mut self) -> Result<(), Violation> {
        let now = Timestamp(self.now);
        loop {
            if self.is_busy() {
                return Ok(());
            }
            self.polls += 1;
            if self.polls > POLLS_MAX {
                return Err(Violation::new("I12", "the driver never stops asking"));
            }
            let Some(command) = self.driver.as_mut().and_then(|driver| driver.poll(now)) else {
                let due = self.driver.as_ref().and_then(Driver::next_due);
                if due.is_some_and(|due| due <= now) {
                    continue;
                }
                return Ok(());
            };
            self.commands += 1;
            let dies = self.scenario.faults.crashes.contains(&self.commands);
            if dies && !self.calm {
                self.note(|| format!("crash before {}", asked(&command)));
                return self.crash();
            }
            self.carry_out(command)?;
        }
    }

    /// Whether the shell hears more news before it asks the driver again.
    fn is_busy(&mut self) -> bool {
        if self.now >= self.deaf_until && self.fault(Chance::Busy, self.scenario.faults.busy) {
            self.deaf_until = self.now + self.up_to(Chance::Busy, 200);
        }
        let ahead = self.queue.first_key_value().map(|(key, _)| key.0);
        ahead.is_some_and(|at| at <= self.deaf_until)
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Violation> {
        match happening {
            Happening::Tell(incoming) => self.tell(*incoming),
            Happening::Write(batch, commits) => self.write(batch, &commits)?,
            Happening::Answer(batch, commits, answers) => self.answer(batch, &commits, answers)?,
            Happening::Read(run, reading) => self.read(run, reading),
            Happening::Resolve(run, template) => self.resolve(run, &template),
            Happening::Finish(key) => self.finish(key),
            Happening::Start(ix) => self.ask_for(ix),
            Happening::Say(ix) => self.say(ix)?,
            Happening::Look(run) => self.look(run),
            Happening::Die => self.crash()?,
            Happening::Restart => self.restart(),
            Happening::Calm => self.calm_down()?,
            Happening::Deadline => self.end_all()?,
        }
        Ok(())
    }

    /// Puts something ahead that outlives the process.
    pub(crate) fn put(&mut self, at: i64, happening: Happening) {
        self.next += 1;
        self.queue.insert((at, self.next), (None, happening));
    }

    /// Puts something ahead that dies with the process, in so many milliseconds.
    pub(crate) fn soon(&mut self, ms: i64, happening: Happening) {
        self.next += 1;
        self.queue.insert((self.now + ms, self.next), (Some(self.process), happening));
    }

    /// At most so many milliseconds, while there are faults.
    pub(crate) fn up_to(&mut self, what: Chance, ms: i64) -> i64 {
        if self.calm { 0 } else { self.chances[what as usize].span(0, ms) }
    }

    /// Yes, so often in a thousand, while there are faults.
    pub(crate) fn fault(&mut self, what: Chance, per_mille: u32) -> bool {
        !self.calm && self.chances[what as usize].chance(per_mille)
    }

    pub(crate) fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let line = writeln!(trace, "{:>8}  {}", self.now, text());
            debug_assert!(line.is_ok(), "text takes all");
        }
    }

    pub(crate) fn tell(&mut self, incoming: Incoming) {
        if let Incoming::Finished { key, .. } = &incoming {
            self.out.remove(key);
        }
        self.note(|| format!("tell {}", heard(&incoming)));
        let now = Timestamp(self.now);
        if let Some(driver) = &mut self.driver {
            driver.handle(now, incoming);
        }
    }

    /// The process dies, with all it knew and all it had begun.
    pub(crate) fn crash(&mut self) -> Result<(), Violation> {
        self.process += 1;
        self.driver = None;
        self.permits.clear();
        self.out.clear();
        self.tickets.clear();
        for (_, commits) in std::mem::take(&mut self.writing) {
            for commit in commits.iter() {
                if self.dice.chance(500) && !self.disk.is_stale(commit) {
                    self.note(|| format!("arrived unanswered: {}", super::trace::brief(commit)));
                    self.arrive(commit)?;
                }
            }
        }
        let ms = self.dice.span(10, 1_000);
        self.put(self.now + ms, Happening::Restart);
        Ok(())
    }

    fn restart(&mut self) {
        let faults = &self.scenario.faults;
        let spare = if self.mutant == Some(Mutant::SlotsIgnored) { 3 } else { 0 };
        let settings = Settings {
            slots: faults.slots + spare,
            idle_max: faults.idle_max,
            snapshot_every: faults.snapshot_every,
            retry_ms: 300,
        };
        self.driver = Some(Driver::new(settings, Arc::new(SimActions)));
        let open = self.disk.open();
        let late = self.up_to(Chance::Read, 20);
        self.note(|| format!("restart, recovered {open:?}"));
        self.soon(late, Happening::Tell(Box::new(Incoming::Recovered(open))));
        for ix in 0..self.scenario.runs.len() {
            if self.scenario.runs[ix].at < self.now && self.scenario.runs[ix].keyed {
                self.soon(1, Happening::Start(ix));
            }
        }
    }

    /// An attempt whose run has said long ago that it must stop, and that nobody told.
    fn is_unstopped(&self, key: AttemptKey, out: &Out) -> Option<AttemptKey> {
        let kept = self.disk.runs.get(&key.run)?;
        let step = kept.run.as_ref()?.find(key.step)?;
        let stopping = matches!(step.state, opcode_engine::StepState::Stopping { .. });
        let long_ago = kept.events.last()?.at.0 < self.now - 3_000;
        (out.hangs && !out.over && stopping && long_ago).then_some(key)
    }

    fn calm_down(&mut self) -> Result<(), Violation> {
        self.calm = true;
        self.note(|| "calm".to_owned());
        if let Some(key) = self.out.iter().find_map(|(key, out)| self.is_unstopped(*key, out)) {
            return Err(Violation::new("I12", format!("{key:?} was never told to stop")));
        }
        let hanging: Vec<AttemptKey> =
            self.out.iter().filter(|(_, out)| out.hangs).map(|(key, _)| *key).collect();
        for key in hanging {
            self.soon(1, Happening::Finish(key));
        }
        let runs: Vec<RunId> = self.disk.runs.keys().copied().collect();
        for run in runs {
            self.look_soon(run, 1);
        }
        Ok(())
    }

    /// By now a run has ended, or waits for somebody who never comes.
    fn end_all(&mut self) -> Result<(), Violation> {
        let open: Vec<RunId> = self.open_runs();
        for run in open {
            let paused =
                self.disk.runs[&run].run.as_ref().is_some_and(opcode_engine::Run::is_paused);
            if !paused {
                return Err(Violation::new("I12", format!("not over: {}", self.stuck())));
            }
            self.cancel(run);
        }
        Ok(())
    }

    fn open_runs(&self) -> Vec<RunId> {
        let open = self
            .disk
            .runs
            .iter()
            .filter(|(_, kept)| kept.run.as_ref().is_some_and(|run| !run.is_terminal()));
        open.map(|(run, _)| *run).collect()
    }

    /// What is not over, and where it stands.
    fn stuck(&self) -> String {
        let mut text = String::new();
        for id in self.open_runs() {
            let Some(run) = &self.disk.runs[&id].run else { continue };
            let steps = run.state.steps.iter().filter(|step| !step.is_settled());
            let steps: Vec<_> =
                steps.map(|step| format!("{} {:?}", step.path, step.state)).collect();
            text += &format!("{id} {}: {}; ", run.status(), steps.join(", "));
        }
        text
    }

    /// Judges what is left once nothing more will happen.
    fn at_rest(&mut self) -> Result<(), Violation> {
        let wrong = |what: String| Err(Violation::new("I12", what));
        if !self.open_runs().is_empty() {
            return wrong(format!("never over: {}", self.stuck()));
        }
        if !self.out.is_empty() || !self.tickets.is_empty() {
            return wrong(format!("never answered: {:?}", self.tickets));
        }
        if let Some(driver) = &self.driver
            && !(driver.is_quiet() && driver.in_memory() == 0)
        {
            return wrong(format!("{} runs never left memory", driver.in_memory()));
        }
        for (id, kept) in &self.disk.runs {
            // What is said to a run that is over stays in its inbox if a crash comes first, and goes with the run.
            let over =
                self.process > 0 && kept.run.as_ref().is_some_and(opcode_engine::Run::is_terminal);
            if !kept.inbox.is_empty() && !over {
                return wrong(format!("{id} never heard {:?}", kept.inbox));
            }
            let Some(run) = &kept.run else { continue };
            let definition = self.plan_of(run);
            let mut again = opcode_engine::Run::new(*id, &definition);
            for event in &kept.events {
                opcode_engine::apply(&mut again, event);
            }
            if again.snapshot() != run.snapshot() {
                return Err(Violation::new("I7", format!("{id}: folding twice gives two states")));
            }
        }
        self.as_predicted()
    }

    pub(crate) fn plan_of(&self, run: &opcode_engine::Run) -> Arc<Plan> {
        let hash = run.started().map(|started| started.definition);
        let mut all = self.plans.iter().chain(self.templates.values());
        all.find(|plan| Some(plan.hash) == hash).unwrap_or(&self.plans[0]).clone()
    }

    /// Plain runs come to what the oracle says.
    fn as_predicted(&self) -> Result<(), Violation> {
        if !self.scenario.plain {
            return Ok(());
        }
        for (ix, wanted) in self.scenario.runs.iter().enumerate() {
            let id = self.id_of(ix);
            let wrong = |what: String| Err(Violation::new("oracle", format!("run {ix}: {what}")));
            let Some(run) = self.disk.runs.get(&id).and_then(|kept| kept.run.as_ref()) else {
                return wrong("never began".to_owned());
            };
            let prediction = super::oracle::predict(&wanted.def, &self.scenario.templates);
            let result = run.result();
            if result.status != prediction.status {
                let (came, meant) = (result.status, prediction.status);
                return wrong(format!("is {came} ({:?}), not {meant}", result.error));
            }
            if let Some(output) = &prediction.output
                && result.status == RunStatus::Completed
                && *output != result.output
            {
                return wrong(format!("came to {}, not {output}", result.output));
            }
            for (path, meant) in prediction.steps.iter().flatten() {
                let came = result.steps.get(path.as_str());
                let came = came.map(|step| (step.status, step.output.clone()));
                if came.as_ref() != Some(meant) {
                    return wrong(format!("step {path} came to {came:?}, not {meant:?}"));
                }
            }
        }
        Ok(())
    }
}
