//! A workflow in execution: everything its events have made of it.
//!
//! Keeps: a run is the fold of its events and nothing else; counters say in O(1) what recovery, timers and status ask.
//! Not here: what changes it (`apply`), what should happen next (`decide`).

mod clock;
mod flow;
mod outstanding;
mod row;
mod scope;
mod snapshot;
mod step;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use opcode_model::event::{Ending, Started, SuspendReason};
use opcode_model::{Failure, RunId, RunStatus, Seq, StepIx, StepRef, Timestamp, Value};
use serde::{Deserialize, Serialize};

pub use clock::Clock;
pub use flow::{Flow, Frame, FrameIx, LoopState};
pub use outstanding::{Outstanding, outstanding};
pub(crate) use scope::RunScope;
pub use step::{Child, Intent, Step, StepState};

use crate::plan::Plan;
use crate::shape::{BodyIx, NodeIx, Shape};

/// A workflow in execution.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which.
    pub id: RunId,
    /// Bodies and edges of its definition.
    pub shape: Arc<Shape>,
    /// What the events have made of it.
    pub state: State,
}

/// What a run's events have made of it. This is what a snapshot holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Last event applied.
    pub seq: Seq,
    /// Where it is.
    pub status: Status,
    /// What it began with.
    pub started: Option<Box<Started>>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The decided outcome, while the rest is stopped and hooks run.
    pub ending: Option<Box<Ending>>,
    /// Its output, once completed.
    pub output: Value,
    /// Its failure, once failed.
    pub error: Option<Failure>,
    /// Keys the run reads and writes.
    pub context: Value,
    /// Notes of its agent.
    pub agent_notes: Option<Arc<str>>,
    /// Every step it has come to.
    pub steps: Vec<Step>,
    /// Every instance of a body.
    pub frames: Vec<Frame>,
    /// The body of a hook that runs or ran.
    pub hook: Option<FrameIx>,
    /// Nested steps by full path; those of the definition's own body are found by id.
    pub paths: BTreeMap<Arc<str>, StepIx>,
    /// What the last events made ready, in order.
    pub agenda: VecDeque<Todo>,
    /// Every timer, earliest first.
    pub timers: BTreeSet<(Timestamp, Alarm)>,
    /// When the run's own limit is hit, if a timer is set for it.
    pub limit_at: Option<Timestamp>,
    /// Time used up.
    pub clock: Clock,
    /// Signals that came before anyone waited.
    pub mailbox: VecDeque<Mail>,
    /// Steps that wait for somebody: for an answer, or for a signal.
    pub attentive: BTreeSet<StepIx>,
    /// How often somebody said of some step: run it again.
    pub resets: u32,
    /// Ids of signals already taken.
    pub seen: VecDeque<Arc<str>>,
    /// How many things move by themselves: attempts, back-offs, timed waits, children that are not suspended.
    pub moving: u32,
    /// How many attempts are out in the world or being computed.
    pub in_flight: u32,
    /// How many of its own decisions are open.
    pub open_decisions: u32,
    /// How many children are suspended.
    pub suspended_children: u32,
}

impl Run {
    /// A step in doubt within the bodies of this one, as they run now.
    pub(crate) fn in_doubt_below(&self, ix: StepIx) -> Option<&Arc<str>> {
        let first = *self.step(ix).flow()?.frames.first()?;
        let first = self.state.frames[first.0 as usize].first;
        let inside = format!("{}.", self.step(ix).path);
        let later = self.state.steps[first.at()..].iter();
        later
            .filter(|step| step.in_doubt)
            .map(|step| &step.path)
            .find(|path| path.starts_with(&inside))
    }
}

/// Where a run is, with what is true only there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// No event yet.
    #[default]
    Pending,
    /// Going on.
    Active,
    /// Waiting for somebody.
    Suspended(SuspendReason),
    /// Done, failed or cancelled.
    Ended(RunStatus),
}

impl Status {
    /// As the outside names it.
    pub fn public(self) -> RunStatus {
        match self {
            Self::Pending => RunStatus::Pending,
            Self::Active => RunStatus::Active,
            Self::Suspended(_) => RunStatus::Suspended,
            Self::Ended(status) => status,
        }
    }
}

/// Something the last events made ready to be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Todo {
    /// All a step waited for is done.
    Start(StepIx),
    /// A body broke; what is left in it must stop.
    Cancel(FrameIx),
    /// An iteration of a loop is over.
    Iteration(FrameIx),
    /// A step with bodies has something to decide.
    Flow(StepIx),
    /// The definition's own body, or a hook, is over.
    Outcome,
}

/// Whose time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Alarm {
    /// The run's own limit.
    Workflow,
    /// A step's: the end of a pause or a wait, or the limit of an attempt.
    Step(StepIx),
}

/// A signal that came before anyone waited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// The step it is for.
    pub step_id: Option<Arc<str>>,
    /// The name it goes by.
    pub name: Option<Arc<str>>,
    /// What it carries.
    pub payload: Value,
}

impl Run {
    /// A run before its first event.
    pub fn new(id: RunId, plan: &Plan) -> Self {
        Self { id, shape: plan.shape.clone(), state: State::default() }
    }

    /// Where it is, as the outside names it.
    pub fn status(&self) -> RunStatus {
        self.state.status.public()
    }

    /// Whether nothing can follow.
    pub fn is_terminal(&self) -> bool {
        matches!(self.state.status, Status::Ended(_))
    }

    /// Whether its time limit stopped it.
    pub fn is_paused(&self) -> bool {
        self.state.status == Status::Suspended(SuspendReason::Timeout)
    }

    /// When time must be told next; `None` while it waits for no time.
    pub fn due_at(&self) -> Option<Timestamp> {
        if self.is_paused() || self.is_terminal() {
            return None;
        }
        self.state.timers.first().map(|(due, _)| *due)
    }

    /// Whether `decide` has something to say without any new input.
    pub fn is_ready(&self) -> bool {
        !self.is_terminal()
            && !self.is_paused()
            && (!self.state.agenda.is_empty() || self.status_is_off())
    }

    /// Whether the status no longer fits what is going on. A suspended run ends without being resumed first.
    pub(crate) fn status_is_off(&self) -> bool {
        match self.state.status {
            Status::Suspended(SuspendReason::Decision) => {
                let resumes = match self.state.agenda.front() {
                    Some(Todo::Start(_) | Todo::Iteration(_) | Todo::Flow(_)) => {
                        self.state.ending.is_none()
                    }
                    Some(Todo::Cancel(_) | Todo::Outcome) => false,
                    None => !self.is_asking(),
                };
                resumes || self.state.moving > 0
            }
            Status::Active => {
                self.is_asking() && self.state.moving == 0 && self.state.agenda.is_empty()
            }
            Status::Pending | Status::Suspended(SuspendReason::Timeout) | Status::Ended(_) => false,
        }
    }

    fn is_asking(&self) -> bool {
        self.state.open_decisions + self.state.suspended_children > 0
    }

    /// One step.
    pub fn step(&self, ix: StepIx) -> &Step {
        &self.state.steps[ix.at()]
    }

    /// One step, if there is one at this place.
    pub fn find(&self, ix: StepIx) -> Option<&Step> {
        self.state.steps.get(ix.at())
    }

    /// One frame.
    pub fn frame(&self, ix: FrameIx) -> &Frame {
        &self.state.frames[ix.0 as usize]
    }

    /// A step's name, for events.
    pub fn name(&self, ix: StepIx) -> StepRef {
        StepRef { ix, path: self.step(ix).path.clone() }
    }

    /// A step by full path.
    pub fn by_path(&self, path: &str) -> Option<StepIx> {
        if let Some(ix) = self.state.paths.get(path) {
            return Some(*ix);
        }
        let top = self.state.frames.first()?;
        let local = self.shape.body(top.body).ids.get(path)?;
        Some(StepIx(top.first.0 + local))
    }

    /// The steps of a frame.
    pub fn steps_of(&self, frame: &Frame) -> impl DoubleEndedIterator<Item = StepIx> + use<> {
        let len = self.shape.body(frame.body).len;
        (frame.first.0..frame.first.0 + len).map(StepIx)
    }

    /// The written step behind a step.
    pub fn node_of(&self, step: &Step) -> NodeIx {
        let frame = self.frame(step.frame);
        NodeIx(self.shape.body(frame.body).first + (step.ix.0 - frame.first.0))
    }

    /// A step of the same body, by its local position.
    pub fn sibling(&self, step: &Step, local: u32) -> StepIx {
        StepIx(self.frame(step.frame).first.0 + local)
    }

    /// The last time somebody said of a step, or of one around it: run it again. Names its effects and its children.
    pub(crate) fn generation(&self, step: &Step) -> u32 {
        let outer = |step: &&Step| self.frame(step.frame).owner.map(|owner| self.step(owner));
        let own_and_around = std::iter::successors(Some(self.step(step.ix)), outer);
        own_and_around.map(|step| step.generation).max().unwrap_or_default()
    }

    /// Whether a body, or the step around it, still goes on.
    pub(crate) fn is_open(&self, ix: FrameIx) -> bool {
        let owner = self.frame(ix).owner.and_then(|owner| self.step(owner).flow());
        self.frame(ix).open > 0 || owner.is_some_and(|flow| flow.frames.contains(&ix))
    }

    /// The definition's own body, or a hook's.
    pub(crate) fn is_root(&self, frame: FrameIx) -> bool {
        self.frame(frame).owner.is_none()
    }

    /// Whether what stands around a step is being stopped, so that nothing in it may begin anew.
    pub(crate) fn is_being_stopped(&self, ix: StepIx) -> bool {
        let mut ix = self.step(ix).frame;
        loop {
            let frame = self.frame(ix);
            if frame.broken.is_some() && !self.shape.branch_mode {
                return true;
            }
            let Some(owner) = frame.owner else { break };
            if self.step(owner).is_stopping() {
                return true;
            }
            ix = self.step(owner).frame;
        }
        self.state.ending.as_ref().is_some_and(|ending| {
            self.state.hook != Some(ix) || ending.status == RunStatus::Cancelled
        })
    }

    /// What it began with.
    pub fn started(&self) -> Option<&Started> {
        self.state.started.as_deref()
    }

    /// The body of its definition.
    pub(crate) const TOP: BodyIx = BodyIx(0);
}
