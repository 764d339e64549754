//! Random workflows in random worlds: whatever happens, the account agrees, the log tells the same run, and it ends.
//!
//! Keeps: after every decision `outstanding` and every count are checked (`Stage`); a run never goes on after its end.
//! Not here: what any of it means (the stories).

use std::sync::Arc;
use std::time::Duration;

use opcode_engine::{Plan, StepState, outstanding, plan};
use opcode_model::{
    Effect, ErrorCode, Failure, InputKind, Message, MessageBody, Outcome, RunId, RunStatus, Signal,
    SignalKind, StepIx, Timestamp, Value,
};
use opcode_testkit::story::{Stage, StoryActions};
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::workflows::definition;

/// One thing a world does: what, to whom, and a detail.
type Move = (u8, u16, u8);

fn moves() -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec((0..32_u8, any::<u16>(), any::<u8>()), 0..40)
}

struct World {
    stage: Stage,
    /// The process died since the run was last told so.
    died: bool,
}

impl World {
    fn new(plan: Plan) -> Self {
        let stage = Stage::new(Arc::new(plan), RunId::derived(&["random"]), Timestamp(1_000_000));
        Self { stage, died: false }
    }

    fn give(&mut self, kind: InputKind) -> bool {
        self.stage.give(kind).is_ok()
    }

    fn settle(&mut self) {
        self.stage.settle();
        if std::mem::take(&mut self.died) && self.stage.run.state.in_flight > 0 {
            self.give(InputKind::Interrupted);
            self.stage.settle();
        }
    }

    fn pick<T>(all: Vec<T>, at: u16) -> Option<T> {
        let len = all.len();
        (len > 0).then(|| all.into_iter().nth(usize::from(at) % len)).flatten()
    }

    /// Attempts in the world.
    fn attempts(&self) -> Vec<(StepIx, u32)> {
        let effects = outstanding(&self.stage.run).effects.into_iter();
        effects
            .filter_map(|effect| match effect {
                Effect::Perform(perform) => Some((perform.step.ix, perform.attempt)),
                Effect::Stop { step, attempt } => Some((step.ix, attempt)),
                Effect::Decision(_) => None,
            })
            .collect()
    }

    fn steps(&self, holds: impl Fn(&StepState) -> bool) -> Vec<StepIx> {
        let steps = self.stage.run.state.steps.iter();
        steps.filter(|step| holds(&step.state)).map(|step| step.ix).collect()
    }

    fn finish(&mut self, at: u16, outcome: Outcome) -> bool {
        let Some((step, attempt)) = Self::pick(self.attempts(), at) else { return false };
        self.give(InputKind::Finished { step, attempt, outcome, breakers: Vec::new() })
    }

    fn signal(&mut self, kind: SignalKind, step: Option<StepIx>, payload: Value) -> bool {
        let mut signal = Signal::new(kind);
        signal.step_id = step.map(|ix| self.stage.run.step(ix).path.clone());
        signal.payload = payload;
        if kind == SignalKind::Data && signal.step_id.is_none() {
            signal.name = Some("go".into());
        }
        self.give(InputKind::Signal(Box::new(signal)))
    }

    fn answer(&mut self, at: u16, choice: &str) -> bool {
        let asking = self.steps(|state| matches!(state, StepState::Asking { .. }));
        let step = Self::pick(asking, at);
        step.is_some()
            && self.signal(SignalKind::Decision, step, Value::object([("choice", choice)]))
    }

    fn child(&mut self, at: u16, body: MessageBody) -> bool {
        let children = self.steps(|state| matches!(state, StepState::InChild(_)));
        let Some(ix) = Self::pick(children, at) else { return false };
        let StepState::InChild(child) = &self.stage.run.step(ix).state else { return false };
        let (from, to, step) = (child.run, self.stage.run.id, self.stage.run.name(ix));
        self.give(InputKind::Told(Box::new(Message { from, to, step, body })))
    }

    /// Data for a step that listens.
    fn hear(&mut self) -> bool {
        let listening = self.steps(|state| matches!(state, StepState::Listening { .. }));
        let step = listening.first().copied();
        step.is_some() && self.signal(SignalKind::Data, step, Value::Null)
    }

    fn clock(&mut self) -> bool {
        let due = self.stage.run.due_at();
        self.stage.now = due.unwrap_or(self.stage.now).max(self.stage.now);
        due.is_some()
    }

    fn act(&mut self, (what, at, detail): Move) {
        let failure = |code| Err(Failure::new(code, "it failed"));
        let step = Self::pick(self.steps(|_| true), at);
        match what {
            0..=5 => drop(self.finish(at, Ok(Value::object([("ok", true)])))),
            6 | 7 => drop(self.finish(at, failure(ErrorCode::Execution))),
            8 => drop(self.finish(at, failure(ErrorCode::Validation))),
            9 | 10 => drop(self.clock()),
            11 => {
                let span = Duration::from_millis(u64::from(at) % 4000);
                self.stage.now = self.stage.now.after(span);
            }
            12 | 13 => drop(
                self.answer(at, ["yes", "no", "retry", "done", "fail"][usize::from(detail % 5)]),
            ),
            14 => drop(self.signal(SignalKind::Data, None, Value::Null)),
            15 => drop(self.signal(SignalKind::Data, step, Value::Null)),
            16 | 17 => drop(self.signal(SignalKind::Retry, step, Value::Null)),
            18 => drop(self.signal(SignalKind::Retry, None, Value::Null)),
            19 => drop(self.signal(SignalKind::Skip, step, Value::Null)),
            20 => drop(self.signal(SignalKind::Cancel, step, Value::Null)),
            21 if detail < 80 => drop(self.signal(SignalKind::Cancel, None, Value::Null)),
            22 | 23 => drop(self.child(at, finished(RunStatus::Completed))),
            24 => drop(self.child(at, finished(RunStatus::Failed))),
            25 => drop(self.child(at, MessageBody::Suspended)),
            26 => drop(self.child(at, MessageBody::Resumed)),
            27 => drop(self.child(at, finished(RunStatus::Cancelled))),
            28 | 29 => self.crash(usize::from(at) % (self.stage.log.len() + 1)),
            30 => {
                let (step, attempt) = (StepIx(u32::from(at) % 8), u32::from(detail) % 3);
                let outcome = Ok(Value::Null);
                self.give(InputKind::Finished { step, attempt, outcome, breakers: Vec::new() });
            }
            _ => {
                // Go on by a few decisions only, and die there.
                for _ in 0..detail % 8 {
                    self.stage.advance();
                }
                self.crash(usize::from(at) % (self.stage.log.len() + 1));
            }
        }
    }

    /// What went wrong, and the trail that led there.
    fn report(&self) -> String {
        let trail = self.stage.log.iter().map(|event| {
            let step = event.kind.step().map(|step| step.path.as_ref());
            format!("{} {}", event.kind.name(), step.unwrap_or_default())
        });
        let trail: Vec<String> = trail.collect();
        format!("{:#?}\n{}", self.stage.defects, trail.join("\n"))
    }

    fn crash(&mut self, cut: usize) {
        self.stage.recover(cut);
        self.died = true;
    }

    /// The world answers everything; the run must end.
    fn drain(&mut self) {
        for round in 0..5_000 {
            self.settle();
            if self.stage.run.is_terminal() || !self.stage.defects.is_empty() {
                return;
            }
            let done = self.finish(round, Ok(Value::Null))
                || self.answer(0, ["no", "retry"][usize::from(round % 2)])
                || self.answer(0, ["no", "retry"][usize::from((round + 1) % 2)])
                || self.child(0, finished(RunStatus::Completed))
                || self.hear()
                || (self.stage.run.is_paused()
                    && self.signal(SignalKind::Retry, None, Value::Null))
                || self.clock();
            if !done {
                let state = format!("it waits for nothing: {:?}", self.stage.run.state);
                self.stage.defects.push(state);
            }
        }
        self.stage.defects.push("it does not end".to_owned());
    }
}

fn finished(status: RunStatus) -> MessageBody {
    let failed = status == RunStatus::Failed;
    let error = failed.then(|| Failure::new(ErrorCode::Execution, "the child failed"));
    MessageBody::Finished { status, output: Value::Null, error }
}

proptest! {
    #![proptest_config(Config { cases: cases(), failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() })]

    #[test]
    fn whatever_happens_the_account_agrees_and_it_ends(definition in definition(), moves in moves()) {
        let Ok(plan) = plan(&Value::from_serde(&definition), &StoryActions) else { return Ok(()) };
        let mut world = World::new(plan);
        prop_assert!(world.give(InputKind::Start(Box::default())));
        for next in moves {
            if next.0 != 31 {
                world.settle();
            }
            world.act(next);
            prop_assert!(world.stage.defects.is_empty(), "{definition}\n{}", world.report());
        }
        world.drain();
        prop_assert!(world.stage.defects.is_empty(), "{definition}\n{}", world.report());
        world.stage.recover(world.stage.log.len() / 2);
        prop_assert!(world.stage.defects.is_empty(), "{definition}\n{}", world.report());
    }
}

/// How many random worlds; `OPCODE_CASES` for a longer hunt.
fn cases() -> u32 {
    std::env::var("OPCODE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
}
