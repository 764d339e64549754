//! What the engine said, as lines of a story.
//!
//! Keeps: moments read as spans since the beginning, run ids as `<run>` and `<child step>`; nothing else is hidden but hashes.
//! Not here: when something is said (`play.rs`).

use std::time::Duration;

use opcode_model::commit::DecisionChange;
use opcode_model::event::Work;
use opcode_model::time::format_duration;
use opcode_model::{
    Decision, Effect, Event, EventKind, Message, MessageBody, Perform, Problem, Profile, RunId,
    Timestamp, Wishes, idempotency_key,
};
use serde_json::{Map, Value as Json};

/// Turns decisions into lines.
#[derive(Debug)]
pub(super) struct Printer {
    run: RunId,
    began: Timestamp,
    children: Vec<(RunId, String)>,
}

impl Printer {
    pub(super) fn new(run: RunId, began: Timestamp) -> Self {
        Self { run, began, children: Vec::new() }
    }

    pub(super) fn span(&self, at: Timestamp) -> String {
        format!("+{}", format_duration(at.since(self.began)))
    }

    pub(super) fn decision(&mut self, decision: &Decision, lines: &mut Vec<String>) {
        for event in &decision.events {
            if let EventKind::ChildStarted(step, child) = &event.kind {
                let again =
                    self.children.iter().filter(|(_, n)| n.starts_with(&*step.path)).count();
                let name = if again == 0 {
                    step.path.to_string()
                } else {
                    format!("{}#{}", step.path, again + 1)
                };
                self.children.push((child.workflow_id, name));
            }
            let line = format!("> {}", self.event(event));
            lines.push(self.named(&line));
        }
        for effect in &decision.effects {
            let line = format!("! {}", self.effect(effect));
            lines.push(self.named(&line));
        }
        for message in &decision.messages {
            let line = format!("~ {}", message_line(message));
            lines.push(self.named(&line));
        }
    }

    /// Ids of runs by their names.
    pub(super) fn named(&self, line: &str) -> String {
        let line = line.replace(&self.run.to_string(), "<run>");
        self.children.iter().fold(line, |line, (id, name)| {
            line.replace(&id.to_string(), &format!("<child {name}>"))
        })
    }

    fn event(&self, event: &Event) -> String {
        let row = serde_json::to_value(event).unwrap_or_default();
        let payload = self.readable(row.get(4).cloned().unwrap_or_default());
        let mut line = event.kind.name().to_owned();
        if let Some(step) = event.kind.step() {
            line.push_str(&format!(" {}", step.path));
        }
        let Json::Object(mut payload) = payload else { return line };
        payload.remove("definition");
        if payload.get("inputs").and_then(Json::as_object).is_some_and(Map::is_empty) {
            payload.remove("inputs");
        }
        if let EventKind::StepStarted(_, started) = &event.kind {
            payload.remove("work");
            payload.remove("attempt");
            let work = format!("{:?}", started.work).to_lowercase();
            line.push_str(&format!(" #{} {work}", started.attempt));
            if let Some(input) = payload.remove("input").filter(|_| started.work != Work::Perform) {
                line.push_str(&format!(" {input}"));
            }
        }
        if event.kind.step().is_some() {
            payload.remove("step_id");
        }
        if payload.is_empty() { line } else { format!("{line} {}", Json::Object(payload)) }
    }

    /// Moments as spans, failures as text.
    fn readable(&self, value: Json) -> Json {
        let Json::Object(fields) = value else { return value };
        let fields = fields.into_iter().map(|(key, value)| {
            let value = match (key.as_str(), value) {
                ("until" | "deadline" | "timeout_at", Json::String(at)) => {
                    Timestamp::parse(&at).map_or(at, |at| self.span(at)).into()
                }
                ("error", Json::Object(failure)) => failure_text(&failure).into(),
                (_, value) => value,
            };
            (key, value)
        });
        Json::Object(fields.collect())
    }

    pub(super) fn effect(&self, effect: &Effect) -> String {
        match effect {
            Effect::Perform(perform) => self.perform(perform),
            Effect::Stop { step, attempt } => format!("stop {step} #{attempt}"),
            Effect::Decision(change) => match change.as_ref() {
                DecisionChange::Opened { step, .. } => format!("ask {step}"),
                DecisionChange::Closed { step, resolution: None, .. } => format!("withdraw {step}"),
                DecisionChange::Closed { step, .. } => format!("answered {step}"),
            },
        }
    }

    fn perform(&self, perform: &Perform) -> String {
        let Perform {
            run,
            step,
            attempt,
            action,
            agent_id,
            params,
            secrets,
            key,
            timeout,
            trace,
            wishes,
            template: _,
        } = perform;
        let mut line = format!("perform {step} #{attempt} {action} {params}");
        if let Some(agent) = agent_id {
            line.push_str(&format!(" agent={agent}"));
        }
        for slot in secrets {
            line.push_str(&format!(" secret={}", serde_json::to_string(slot).unwrap_or_default()));
        }
        if let Some(timeout) = timeout {
            line.push_str(&format!(" timeout={}", format_duration(*timeout)));
        }
        if let Some(trace) = trace {
            line.push_str(&format!(" trace={trace}"));
        }
        if let Some(wishes) = wishes {
            line.push_str(&format!(" wishes={}", wishes_text(wishes)));
        }
        let same = |g: &u32| idempotency_key(*run, &step.path, *g) == key.as_ref();
        match (0..100).find(same) {
            Some(0) => {}
            Some(generation) => line.push_str(&format!(" key={generation}")),
            None => line.push_str(" key=unknown"),
        }
        line
    }
}

fn wishes_text(wishes: &Wishes) -> String {
    let profile = wishes.profile.map_or("usual", Profile::text);
    let limits = serde_json::to_string(&wishes.limits).unwrap_or_default();
    format!("{profile} {limits}")
}

fn failure_text(failure: &Map<String, Json>) -> String {
    let text = |key: &str| failure.get(key).and_then(Json::as_str).unwrap_or_default();
    let line = format!("[{}] {}", text("code"), text("message"));
    match failure.get("retry_after_ms").and_then(Json::as_u64) {
        Some(ms) => format!("{line} (after {})", format_duration(Duration::from_millis(ms))),
        None => line,
    }
}

fn message_line(message: &Message) -> String {
    let (to, step) = (message.to, &message.step);
    match &message.body {
        MessageBody::Start(start) => {
            let version = start.version.as_deref().map(|v| format!(":{v}")).unwrap_or_default();
            format!(
                "to {to}: start {}{version} {} depth={}",
                start.template, start.params, start.depth
            )
        }
        MessageBody::Cancel { reason } => format!("to {to}: cancel, {reason}"),
        MessageBody::Finished { status, output, error } => {
            let error = error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
            format!("to parent ({step}): {status} {output}{error}")
        }
        MessageBody::Suspended => format!("to parent ({step}): suspended"),
        MessageBody::Resumed => format!("to parent ({step}): resumed"),
    }
}

/// A problem of a definition, with its cure.
pub(super) fn problem(problem: &Problem) -> String {
    let kind = if problem.is_error() { problem.code.text() } else { "warning" };
    let place = if problem.path.is_empty() { "/" } else { &problem.path };
    let mut line = format!("{kind} {place}: {}", problem.message);
    if let Some(hint) = &problem.hint {
        line.push_str(&format!(" (hint: {hint})"));
    }
    for fix in &problem.fix {
        line.push_str(&format!(" (fix: {}", fix.op));
        if fix.path != problem.path {
            line.push_str(&format!(" {}", fix.path));
        }
        if let Some(value) = &fix.value {
            line.push_str(&format!(" {value}"));
        }
        line.push(')');
    }
    line
}
