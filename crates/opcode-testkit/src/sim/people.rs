//! People, agents and other processes: they ask, ask again, answer questions, and check what they are told.
//!
//! Keeps: whoever was told something finds it on the disk; whoever asks is answered once.
//! Not here: what they say and when (`scenario.rs`).

use std::sync::Arc;

use opcode_driver::{Incoming, Reply, StartRun, Ticket};
use opcode_engine::{Run, StepState, decide};
use opcode_model::commit::Commit;
use opcode_model::event::DecisionKind;
use opcode_model::{
    ErrorCode, Failure, Input, InputKind, RunId, RunStatus, Signal, SignalKind, Start, StepStatus,
    Timestamp, Value,
};

use super::judge::Violation;
use super::oracle::heard;
use super::scenario::{CALM, Say, What};
use super::shell::definition;
use super::world::{Happening, World};

/// What somebody waits to hear.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Start(usize),
    /// The same key for another request.
    Other,
    Signal {
        run: RunId,
        signal: Signal,
        /// Whether the run was on disk when it was said.
        known: bool,
    },
    Watch {
        run: RunId,
        known: bool,
    },
}

impl World {
    /// The run that the scenario's `ix`-th wish is for.
    pub(crate) fn id_of(&self, ix: usize) -> RunId {
        RunId::derived(&["sim", &self.scenario.seed.to_string(), &ix.to_string()])
    }

    fn ticket(&mut self, asked: Asked) -> Ticket {
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket, asked);
        Ticket(self.next_ticket)
    }

    /// Somebody asks for a run, and again until it has begun.
    pub(crate) fn ask_for(&mut self, ix: usize) {
        if self.begun.contains(&ix) {
            return;
        }
        let keyed = self.scenario.runs[ix].keyed;
        if self.driver.is_none() {
            return self.put(self.now + 300, Happening::Start(ix));
        }
        let request: Arc<str> = format!("request {ix}").into();
        self.start(ix, keyed.then_some(request), Asked::Start(ix));
    }

    fn start(&mut self, ix: usize, request: Option<Arc<str>>, asked: Asked) {
        let (plan, watch) = (self.plans[ix].clone(), self.scenario.runs[ix].watch);
        let catalog = vec![definition(&plan, Timestamp(self.now))];
        let (ticket, fresh) = (self.ticket(asked), request.is_none());
        let start = Start { request, ..Start::default() };
        let run = self.id_of(ix);
        let wish = StartRun { ticket, run, fresh, plan, start, catalog, watch };
        self.tell(Incoming::Start(Box::new(wish)));
    }

    fn is_known(&self, run: RunId) -> bool {
        self.disk.runs.get(&run).is_some_and(|kept| !kept.events.is_empty())
    }

    fn signal(&mut self, run: RunId, signal: Signal) {
        let asked = Asked::Signal { run, signal: signal.clone(), known: self.is_known(run) };
        let ticket = self.ticket(asked);
        self.tell(Incoming::Signal { ticket, run, signal: Box::new(signal), record: None });
    }

    pub(crate) fn cancel(&mut self, run: RunId) {
        self.signal(run, Signal::new(SignalKind::Cancel));
    }

    /// Somebody says what the scenario has written down.
    pub(crate) fn say(&mut self, ix: usize) -> Result<(), Violation> {
        if self.driver.is_none() {
            self.put(self.now + 200, Happening::Say(ix));
            return Ok(());
        }
        let Say { run: wish, what, place, twice } = self.scenario.says[ix].1.clone();
        let id = self.id_of(wish);
        let others: Vec<RunId> = self.disk.runs.keys().copied().collect();
        let run = if place % 3 == 0 { others.get(place % others.len().max(1)) } else { None };
        let run = run.copied().unwrap_or(id);
        let kind = match what {
            What::Watch => {
                let asked = Asked::Watch { run, known: self.is_known(run) };
                let ticket = self.ticket(asked);
                self.tell(Incoming::Watch { ticket, run });
                return Ok(());
            }
            What::StartAgain | What::OtherRequest => {
                self.start_again(wish, what);
                return Ok(());
            }
            What::Zombie => return self.zombie(run),
            What::Poke => {
                self.tell(Incoming::Poke(run));
                return Ok(());
            }
            What::Drain => {
                if !self.calm {
                    self.tell(Incoming::Drain);
                    self.soon(700, Happening::Die);
                }
                return Ok(());
            }
            What::Stranger | What::Data => SignalKind::Data,
            What::Cancel | What::CancelStep => SignalKind::Cancel,
            What::Decision => SignalKind::Decision,
            What::Retry | What::Resume => SignalKind::Retry,
            What::Skip => SignalKind::Skip,
        };
        let signal = self.words(run, kind, (ix, what, place));
        self.signal(run, signal.clone());
        if twice {
            self.signal(run, signal);
        }
        Ok(())
    }

    fn start_again(&mut self, ix: usize, what: What) {
        if !self.scenario.runs[ix].keyed || !self.begun.contains(&ix) {
            return;
        }
        let (request, asked) = if what == What::OtherRequest {
            ("another".into(), Asked::Other)
        } else {
            (format!("request {ix}").into(), Asked::Start(ix))
        };
        self.start(ix, Some(request), asked);
    }

    fn words(&self, run: RunId, kind: SignalKind, how: (usize, What, usize)) -> Signal {
        let (ix, what, place) = how;
        let steps = self.disk.runs.get(&run).and_then(|kept| kept.run.as_ref());
        let steps = steps.map_or(&[][..], |run| &run.state.steps);
        let path = steps.get(place % steps.len().max(1)).map(|step| step.path.clone());
        let to_step = !matches!(what, What::Cancel | What::Resume | What::Stranger | What::Data);
        let mark: Arc<str> = format!("said {ix}").into();
        let heard = if place % 2 == 0 { "go" } else { "on" };
        let names = [(What::Stranger, "nobody"), (What::Data, heard)];
        let name = names.iter().find(|(it, _)| *it == what).map(|(_, name)| (*name).into());
        let choice = ["yes", "no", "retry", "done", "fail"][place % 5];
        Signal {
            step_id: path.filter(|_| to_step),
            name,
            agent_id: Some("somebody".into()),
            payload: Value::object([("choice", Value::from(choice))]),
            reasoning: Some(mark.clone()),
            id: (place % 2 == 0).then_some(mark),
            ..Signal::new(kind)
        }
    }

    /// Another process writes to a run, which no longer is ours then.
    fn zombie(&mut self, run: RunId) -> Result<(), Violation> {
        let Some(kept) = self.disk.runs.get(&run) else { return Ok(()) };
        let Some(state) = kept.run.as_ref().filter(|run| !run.is_terminal()) else {
            return Ok(());
        };
        let signal = Signal { name: Some("nobody".into()), ..Signal::new(SignalKind::Data) };
        let kind = InputKind::Signal(Box::new(signal));
        let input = Input { at: Timestamp(self.now), kind };
        let Ok(decision) = decide(&self.plan_of(state), state, &input) else { return Ok(()) };
        let (after, events) = (self.disk.end(run), decision.events);
        let commit = Commit {
            run,
            agent_id: None,
            after,
            events: events.into(),
            row: None,
            decisions: Vec::new(),
            messages: Vec::new(),
            consumed: Vec::new(),
            catalog: Vec::new(),
            snapshot: None,
            effects: Vec::new(),
        };
        self.note(|| format!("another process writes to {run}"));
        self.disk.write(&commit, &mut self.judge)
    }

    /// Somebody looks after a run in a while.
    pub(crate) fn look_soon(&mut self, run: RunId, ms: i64) {
        if self.looking.insert(run) {
            self.put(self.now + ms, Happening::Look(run));
        }
    }

    /// Answers what a run asks, and says what it listens for.
    pub(crate) fn look(&mut self, run: RunId) {
        self.looking.remove(&run);
        let Some(state) = self.disk.runs.get(&run).and_then(|kept| kept.run.as_ref()) else {
            return;
        };
        let signals = self.needs(state);
        if signals.is_empty() {
            return;
        }
        if self.scenario.faults.silent && !self.calm {
            return self.look_soon(run, CALM - self.now + 1);
        }
        if self.driver.is_some() {
            for signal in signals {
                self.signal(run, signal);
            }
        }
        self.look_soon(run, 2_500);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only these two states wait for somebody")]
    fn needs(&self, run: &Run) -> Vec<Signal> {
        if run.is_terminal() {
            return Vec::new();
        }
        let mut signals = Vec::new();
        if run.is_paused() {
            if !self.calm {
                return signals;
            }
            signals.push(Signal::new(SignalKind::Retry));
        }
        for step in &run.state.steps {
            let to = |kind| Signal {
                step_id: Some(step.path.clone()),
                agent_id: Some("bot".into()),
                ..Signal::new(kind)
            };
            match &step.state {
                StepState::Asking { request, .. } => {
                    let choice = match request.kind {
                        DecisionKind::Reasoning => "yes",
                        DecisionKind::InDoubt => ["retry", "done", "fail"][step.path.len() % 3],
                    };
                    let payload = Value::object([("choice", choice)]);
                    signals.push(Signal { payload, ..to(SignalKind::Decision) });
                }
                StepState::Listening { .. } => {
                    let id = Some(format!("for {} {}", step.ix.0, step.path).into());
                    let payload = heard(&step.path);
                    signals.push(Signal { payload, id, ..to(SignalKind::Data) });
                }
                _ => {}
            }
        }
        signals
    }

    /// Somebody hears an answer, and holds it against the disk.
    pub(crate) fn reply(&mut self, ticket: Ticket, reply: &Reply) -> Result<(), Violation> {
        self.note(|| match reply {
            Reply::Result(result) => format!("reply {}: {}", ticket.0, result.status),
            Reply::Started { .. } | Reply::Taken | Reply::Failed(_) => {
                format!("reply {}: {reply:?}", ticket.0)
            }
        });
        let Some(asked) = self.tickets.remove(&ticket.0) else {
            return Err(Violation::new("I1", format!("ticket {} is answered twice", ticket.0)));
        };
        match reply {
            Reply::Started { run } if !self.is_known(*run) => {
                return Err(Violation::new("I1", format!("{run} has begun, and is not on disk")));
            }
            Reply::Started { .. } => {}
            Reply::Result(result) => self.is_on_disk(result)?,
            Reply::Taken => return self.is_taken(&asked),
            Reply::Failed(failure) => return self.is_refused(&asked, failure),
        }
        match asked {
            Asked::Start(ix) => {
                self.begun.insert(ix);
                Ok(())
            }
            Asked::Other => Err(Violation::new("I10", "one key began a run for two requests")),
            Asked::Signal { .. } | Asked::Watch { .. } => Ok(()),
        }
    }

    fn is_on_disk(&self, result: &opcode_model::result::RunResult) -> Result<(), Violation> {
        let id = result.workflow_id;
        let kept = self.disk.runs.get(&id).and_then(|kept| kept.run.as_ref());
        let there = kept.map(|run| format!("{:?}", run.result()));
        let told = format!("{result:?}");
        let over = result.status.is_terminal() || result.status == RunStatus::Suspended;
        if over && there.as_ref() == Some(&told) {
            return Ok(());
        }
        Err(Violation::new("I1", format!("told {told}, on disk {there:?}")))
    }

    fn is_taken(&self, asked: &Asked) -> Result<(), Violation> {
        let Asked::Signal { run, signal, .. } = asked else {
            return Err(Violation::new("I1", "a signal nobody sent is taken"));
        };
        let mark = signal.reasoning.as_deref().or(signal.id.as_deref());
        let kept = self.disk.runs.get(run).and_then(|kept| kept.run.as_ref());
        let step = kept.zip(signal.step_id.as_ref()).and_then(|(run, path)| {
            let ix = run.by_path(path)?;
            run.find(ix)
        });
        let answered = step.and_then(|step| step.output()?.find("choice").cloned());
        let fine = match signal.kind {
            SignalKind::Cancel if self.disk.is_cancelled(*run) => true,
            SignalKind::Decision => answered.is_some() || mark.is_none(),
            SignalKind::Skip => step.is_some_and(|step| step.status() == StepStatus::Skipped),
            SignalKind::Cancel | SignalKind::Data | SignalKind::Retry => mark.is_none(),
        };
        if fine || mark.is_some_and(|mark| self.disk.has_signal(*run, mark)) {
            return Ok(());
        }
        Err(Violation::new("I1", format!("{run}: {signal:?} is taken, and is not on disk")))
    }

    fn is_refused(&mut self, asked: &Asked, failure: &Failure) -> Result<(), Violation> {
        let unknown = failure.code == ErrorCode::NotFound && failure.message.contains("workflow");
        match asked {
            Asked::Start(ix) if failure.message.contains("another request") => {
                Err(Violation::new("I10", format!("run {ix} is refused its own key")))
            }
            Asked::Start(ix) => {
                if self.scenario.runs[*ix].keyed {
                    self.put(self.now + 700, Happening::Start(*ix));
                }
                Ok(())
            }
            Asked::Signal { run, known: true, .. } | Asked::Watch { run, known: true }
                if unknown =>
            {
                Err(Violation::new("I1", format!("{run} was on disk, and is not known")))
            }
            Asked::Signal { .. } | Asked::Watch { .. } | Asked::Other => Ok(()),
        }
    }
}
