//! Plays a story: carries out its commands one by one and writes down what the engine said to each.
//!
//! Keeps: after every command the run has gone as far as it can; status and the next timer are said when they change.
//! Not here: how the lines look (`print.rs`), how a run advances (`stage.rs`).

use std::sync::Arc;

use opcode_engine::{Outstanding, Plan, outstanding, plan};
use opcode_model::event::Parent;
use opcode_model::{
    Decision, InputKind, Message, MessageBody, RunId, RunStatus, Signal, Start, StepIx, StepRef,
    Timestamp, Value,
};

use super::catalog::StoryActions;
use super::command::{self, Command, Said};
use super::notation;
use super::print::{self, Printer};
use super::stage::Stage;
use super::text::{Line, Story};
use super::transitions::Transitions;

/// The moment every story begins.
const DAWN: Timestamp = Timestamp(1_767_225_600_000);

/// What the engine said to each command of a story.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// For each command, its lines.
    pub(super) said: Vec<Vec<String>>,
    /// What is wrong whatever the story expects.
    pub(super) defects: Vec<String>,
    /// Transitions seen.
    pub(super) seen: Transitions,
}

/// Plays one story. `above` is the plan of the story before, for `plan as above`.
pub(super) fn play(story: &Story, above: &mut Option<Value>) -> Played {
    let mut played = Played::default();
    let mut scene = None;
    for line in &story.lines {
        let Line::Command { text, body, .. } = line else { continue };
        let mut lines = Vec::new();
        let outcome = if text.starts_with("plan") {
            read_plan(text, body, above, &mut lines).map(|plan| scene = plan.map(Scene::new))
        } else {
            match &mut scene {
                Some(scene) => scene.act(text, &mut lines),
                None => Err("there is no plan to run".to_owned()),
            }
        };
        if let Err(why) = outcome {
            played.defects.push(format!("`{text}`: {why}"));
        }
        played.said.push(lines.into_iter().map(|line| format!("  {line}")).collect());
    }
    if let Some(scene) = scene {
        played.defects.extend(scene.stage.defects);
        played.seen = scene.stage.seen;
    }
    played
}

fn read_plan(
    text: &str,
    body: &[String],
    above: &mut Option<Value>,
    lines: &mut Vec<String>,
) -> Result<Option<Arc<Plan>>, String> {
    if text != "plan as above" {
        let body: Vec<&str> = body.iter().map(String::as_str).collect();
        *above = Some(notation::read(&body)?);
    }
    let definition = above.as_ref().ok_or("there is no plan above")?;
    match plan(definition, &StoryActions) {
        Ok(plan) => {
            lines.extend(plan.warnings.iter().map(|p| format!("x {}", print::problem(p))));
            Ok(Some(Arc::new(plan)))
        }
        Err(problems) => {
            lines.extend(problems.iter().map(|p| format!("x {}", print::problem(p))));
            Ok(None)
        }
    }
}

/// A run on stage and what was last said of it.
struct Scene {
    stage: Stage,
    printer: Printer,
    status: RunStatus,
    due: Option<Timestamp>,
}

impl Scene {
    fn new(plan: Arc<Plan>) -> Self {
        let id = RunId::derived(&["story"]);
        Self {
            stage: Stage::new(plan, id, DAWN),
            printer: Printer::new(id, DAWN),
            status: RunStatus::Pending,
            due: None,
        }
    }

    fn act(&mut self, text: &str, lines: &mut Vec<String>) -> Result<(), String> {
        match command::read(text)? {
            Command::Clock(span) => self.stage.now = DAWN.after(span),
            Command::Start(start, child) => self.start(*start, child, lines),
            Command::Signal(signal) => self.signal(*signal, lines),
            Command::Finished(step, attempt, outcome) => {
                let step = self.find(&step)?;
                let attempt = attempt.unwrap_or(self.stage.run.step(step.ix).attempt);
                let (step, breakers) = (step.ix, Vec::new());
                self.give(InputKind::Finished { step, attempt, outcome, breakers }, lines);
            }
            Command::Child(step, said) => {
                let step = self.find(&step)?;
                self.child(step, said, lines);
            }
            Command::ParentCancels => {
                let body = MessageBody::Cancel { reason: "the parent was stopped".into() };
                self.told(parent_step(), parent_id(), body, lines);
            }
            Command::Interrupt => self.give(InputKind::Interrupted, lines),
            Command::Crash => {
                let owed = self.stage.recover(self.stage.log.len() / 2);
                self.recovered(&owed, lines);
            }
            Command::Lose(events) => {
                let owed = self.stage.lose(self.stage.log.len().saturating_sub(events));
                self.recovered(&owed, lines);
            }
            Command::Show(what) => return self.show(&what, lines),
        }
        self.settle(lines);
        Ok(())
    }

    fn find(&self, path: &str) -> Result<StepRef, String> {
        self.stage.step(path).ok_or_else(|| format!("there is no step `{path}`"))
    }

    fn start(&mut self, mut start: Start, child: bool, lines: &mut Vec<String>) {
        if child {
            start.parent = Some(Parent { run: parent_id(), step: parent_step() });
        }
        self.give(InputKind::Start(Box::new(start)), lines);
    }

    fn signal(&mut self, signal: Signal, lines: &mut Vec<String>) {
        self.give(InputKind::Signal(Box::new(signal)), lines);
    }

    fn child(&mut self, step: StepRef, said: Said, lines: &mut Vec<String>) {
        let child = self.stage.run.step(step.ix).child();
        let from = child.map_or_else(|| RunId::derived(&["nobody"]), |child| child.run);
        let finished = |status, output, error| MessageBody::Finished { status, output, error };
        let body = match said {
            Said::Finished(Ok(output)) => finished(RunStatus::Completed, output, None),
            Said::Finished(Err(failure)) => finished(RunStatus::Failed, Value::Null, Some(failure)),
            Said::Cancelled => finished(RunStatus::Cancelled, Value::Null, None),
            Said::Suspended => MessageBody::Suspended,
            Said::Resumed => MessageBody::Resumed,
        };
        self.told(step, from, body, lines);
    }

    fn told(&mut self, step: StepRef, from: RunId, body: MessageBody, lines: &mut Vec<String>) {
        let to = self.stage.run.id;
        self.give(InputKind::Told(Box::new(Message { from, to, step, body })), lines);
    }

    /// Says what is owed, then tells the run that its process is gone, as the driver does on loading.
    fn recovered(&mut self, owed: &Outstanding, lines: &mut Vec<String>) {
        lines.push(format!("= outstanding: {}", self.owed(owed)));
        if self.stage.run.state.in_flight > 0 {
            self.give(InputKind::Interrupted, lines);
        }
    }

    fn owed(&self, owed: &Outstanding) -> String {
        let compute = owed.compute.iter();
        let compute = compute.map(|c| format!("compute {} #{}", c.step.path, c.attempt));
        let effects = owed.effects.iter().map(|effect| self.printer.effect(effect));
        let all: Vec<String> = compute.chain(effects).collect();
        if all.is_empty() { "nothing".to_owned() } else { self.printer.named(&all.join(", ")) }
    }

    fn give(&mut self, kind: InputKind, lines: &mut Vec<String>) {
        match self.stage.give(kind) {
            Ok(decision) => self.say(&decision, lines),
            Err(refusal) => {
                let failure = refusal.to_failure();
                let line = format!("x refused {} {}", failure.code, failure.message);
                lines.push(self.printer.named(&line));
            }
        }
    }

    fn say(&mut self, decision: &Decision, lines: &mut Vec<String>) {
        self.printer.decision(decision, lines);
    }

    fn settle(&mut self, lines: &mut Vec<String>) {
        for decision in self.stage.settle() {
            self.say(&decision, lines);
        }
        let (status, due) = (self.stage.run.status(), self.stage.run.due_at());
        if status != self.status {
            lines.push(format!("= status {status}"));
        }
        if let Some(due) = due.filter(|_| due != self.due) {
            lines.push(format!("= timer {}", self.printer.span(due)));
        }
        (self.status, self.due) = (status, due);
    }

    fn show(&self, what: &str, lines: &mut Vec<String>) -> Result<(), String> {
        let run = &self.stage.run;
        let text = match what {
            "outstanding" => format!("outstanding: {}", self.owed(&outstanding(run))),
            "context" => run.state.context.to_json(),
            "output" => run.state.output.to_json(),
            "error" => run.state.error.as_ref().map(|e| e.to_value().to_json()).unwrap_or_default(),
            "steps" => {
                for (path, step) in run.result().steps {
                    let reason = step.reason.map(|reason| format!(" ({reason})"));
                    lines.push(format!("= {path} {}{}", step.status, reason.unwrap_or_default()));
                }
                return Ok(());
            }
            path => {
                let step = run.step(self.find(path)?.ix);
                let result = run.result().steps.remove(&step.path);
                serde_json::to_string(&result).unwrap_or_default()
            }
        };
        lines.push(self.printer.named(&format!("= {text}")));
        Ok(())
    }
}

fn parent_id() -> RunId {
    RunId::derived(&["parent"])
}

fn parent_step() -> StepRef {
    StepRef { ix: StepIx(3), path: "call".into() }
}
