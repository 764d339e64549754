//! From a workflow's events to spans: one for the workflow, one for each step over all its attempts.
//!
//! Keeps: a span is told once, when it ends; its parent is the step around it, or the workflow.
//! Not here: where events come from (`mod.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::event::{Parent, Started, StepFailed};
use opcode_model::trace::{TraceParent, run_span, step_span};
use opcode_model::{Effect, Event, EventKind, Failure, RunId, Seq, Timestamp, idempotency_key};

/// Remarks kept of one span.
const MARKS_MAX: usize = 32;

/// Something that took a while and is over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) name: String,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) facts: Facts,
    pub(super) marks: Vec<Mark>,
    /// `None` if it went well.
    pub(super) error: Option<String>,
}

/// Names and values of a span.
pub(super) type Facts = Vec<(&'static str, String)>;

/// A remark within a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) at: Timestamp,
    pub(super) name: &'static str,
    pub(super) facts: Facts,
}

/// Where a workflow belongs to that nobody gave a trace: its family's, named by the eldest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub(super) trace: [u8; 16],
    pub(super) parent: Option<[u8; 8]>,
}

impl Family {
    pub(super) fn of(eldest: RunId) -> Self {
        Self { trace: eldest.0, parent: None }
    }
}

/// The run and step that started a run, if its first event names them.
pub(super) fn parent_of(first: &Event) -> Option<Parent> {
    let EventKind::WorkflowStarted(started) = &first.kind else { return None };
    started.parent.clone()
}

/// A workflow that is not over.
#[derive(Debug)]
pub(super) struct OpenRun {
    /// The last event taken in.
    pub(super) upto: Seq,
    pub(super) parent: Option<Parent>,
    id: RunId,
    family: Family,
    is_kept: bool,
    begun: Option<(Timestamp, Box<Started>)>,
    steps: BTreeMap<Arc<str>, OpenStep>,
    generations: BTreeMap<Arc<str>, u32>,
    marks: Vec<Mark>,
    is_over: bool,
}

#[derive(Debug)]
struct OpenStep {
    id: [u8; 8],
    from: Timestamp,
    attempts: u32,
    action: Option<Arc<str>>,
    marks: Vec<Mark>,
}

impl OpenRun {
    pub(super) fn new(id: RunId, family: Family) -> Self {
        Self {
            upto: Seq(0),
            parent: None,
            id,
            family,
            is_kept: true,
            begun: None,
            steps: BTreeMap::new(),
            generations: BTreeMap::new(),
            marks: Vec::new(),
            is_over: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The span of a step that goes on.
    pub(super) fn span_of(&self, path: &str) -> Option<[u8; 8]> {
        self.steps.get(path).map(|step| step.id)
    }

    /// Learns which actions steps perform; events do not say it.
    pub(super) fn learn(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Perform(perform) = effect {
                let id = step_span(&perform.key);
                let step = self.step(&perform.step.path, id);
                step.action = Some(perform.action.clone());
            }
        }
    }

    fn step(&mut self, path: &Arc<str>, id: [u8; 8]) -> &mut OpenStep {
        let fresh = OpenStep {
            id,
            from: Timestamp::default(),
            attempts: 0,
            action: None,
            marks: Vec::new(),
        };
        self.steps.entry(path.clone()).or_insert(fresh)
    }

    /// Takes in what happened; answers what ended by it.
    pub(super) fn take(&mut self, event: &Event) -> Option<Span> {
        let at = event.at;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the rest ends nothing")]
        match &event.kind {
            EventKind::WorkflowStarted(started) => self.start(at, started),
            EventKind::WorkflowSuspended(_) | EventKind::WorkflowResumed(_) => {
                mark(&mut self.marks, Mark { at, name: event.kind.name(), facts: Facts::new() });
            }
            EventKind::WorkflowCompleted(_) => return self.end(at, "completed", None),
            EventKind::WorkflowFailed(failed) => {
                return self.end(at, "failed", Some(&failed.error));
            }
            EventKind::WorkflowCancelled(_) => return self.end(at, "cancelled", None),
            EventKind::StepStarted(step, started) => {
                let id =
                    step_span(&idempotency_key(self.id, &step.path, self.generation(&step.path)));
                let open = self.step(&step.path, id);
                if open.attempts == 0 {
                    open.from = at;
                }
                open.attempts = started.attempt;
            }
            EventKind::StepRetrying(step, retrying) => {
                if let Some(open) = self.steps.get_mut(&step.path) {
                    let facts = error_facts(&retrying.error);
                    mark(&mut open.marks, Mark { at, name: "retry", facts });
                }
            }
            EventKind::ErrorHandlerInvoked(step, handler) => {
                if let Some(open) = self.steps.get_mut(&step.path) {
                    let facts = vec![
                        ("opcode.strategy", handler.strategy.to_string()),
                        ("error.message", handler.error.to_string()),
                    ];
                    mark(&mut open.marks, Mark { at, name: "error_handler", facts });
                }
            }
            EventKind::StepReset(step, reset) => {
                self.generations.insert(step.path.clone(), reset.generation);
            }
            EventKind::StepCompleted(step, _) => {
                return self.close(&step.path, at, "completed", None);
            }
            EventKind::StepFailed(step, failed) => {
                let StepFailed { error, .. } = failed.as_ref();
                return self.close(&step.path, at, "failed", Some(error));
            }
            EventKind::StepSkipped(step, _) => return self.close(&step.path, at, "skipped", None),
            _ => {}
        }
        None
    }

    fn start(&mut self, at: Timestamp, started: &Started) {
        self.parent.clone_from(&started.parent);
        if let Some(given) = started.trace.as_deref().and_then(TraceParent::parse) {
            self.family.trace = given.trace;
            self.is_kept = given.is_sampled;
            // A child has the trace of its parent, and the parent's step above it.
            if started.parent.is_none() {
                self.family.parent = Some(given.span);
            }
        }
        self.begun = Some((at, Box::new(started.clone())));
    }

    /// How often a step, or one around it, was asked for anew.
    fn generation(&self, path: &str) -> u32 {
        let around = |outer: &str| {
            path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let found = self.generations.iter().filter(|(outer, _)| around(outer));
        found.map(|(_, generation)| *generation).max().unwrap_or_default()
    }

    fn close(
        &mut self,
        path: &Arc<str>,
        to: Timestamp,
        status: &'static str,
        error: Option<&Failure>,
    ) -> Option<Span> {
        // A step that never began took no time.
        let step = self.steps.remove(path)?;
        let above = self.above(path);
        let mut facts = vec![
            ("opcode.workflow.id", self.id.to_string()),
            ("opcode.step.id", path.to_string()),
            ("opcode.step.status", status.to_owned()),
            ("opcode.step.attempts", step.attempts.to_string()),
        ];
        facts.extend(step.action.map(|action| ("opcode.action", action.to_string())));
        facts.extend(error.into_iter().flat_map(error_facts));
        self.is_kept.then(|| Span {
            trace: self.family.trace,
            id: step.id,
            parent: Some(above),
            name: path.to_string(),
            from: step.from,
            to,
            facts,
            marks: step.marks,
            error: error.map(|failure| failure.message.to_string()),
        })
    }

    /// The span around a step: of the nearest step that goes on, or the workflow's.
    fn above(&self, path: &str) -> [u8; 8] {
        let outer = std::iter::successors(path.rsplit_once('.'), |(head, _)| head.rsplit_once('.'));
        let mut open = outer.filter_map(|(head, _)| self.span_of(head));
        open.next().unwrap_or_else(|| run_span(self.id))
    }

    fn end(
        &mut self,
        to: Timestamp,
        status: &'static str,
        error: Option<&Failure>,
    ) -> Option<Span> {
        self.is_over = true;
        let (from, started) = self.begun.take()?;
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let mut facts = vec![
            ("opcode.workflow.id", self.id.to_string()),
            ("opcode.workflow.status", status.to_owned()),
        ];
        let more = [
            ("opcode.template.name", text(&started.template_name)),
            ("opcode.template.version", text(&started.template_version)),
            ("opcode.agent.id", text(&started.agent_id)),
        ];
        facts.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
        facts.extend(error.into_iter().flat_map(error_facts));
        self.is_kept.then(|| Span {
            trace: self.family.trace,
            id: run_span(self.id),
            parent: self.family.parent,
            name: text(&started.name).unwrap_or_else(|| "workflow".to_owned()),
            from,
            to,
            facts,
            marks: std::mem::take(&mut self.marks),
            error: error.map(|failure| failure.message.to_string()),
        })
    }
}

fn mark(marks: &mut Vec<Mark>, mark: Mark) {
    if marks.len() < MARKS_MAX {
        marks.push(mark);
    }
}

fn error_facts(failure: &Failure) -> Facts {
    vec![("error.type", failure.code.to_string()), ("error.message", failure.message.to_string())]
}
