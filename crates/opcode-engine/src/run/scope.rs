//! What an expression of a run can see, looked up only when named.
//!
//! Keeps: siblings by short id, everyone by full id; nothing is copied as a whole.
//! Not here: the languages (`opcode-expr`).

use std::sync::Arc;

use opcode_expr::{Scope, StepView};
use opcode_model::{Failure, StepIx, Timestamp, Value};

use super::{FrameIx, Run};

/// A run seen from one frame, at one moment.
pub(crate) struct RunScope<'a> {
    pub(crate) run: &'a Run,
    /// Where the looker stands.
    pub(crate) frame: FrameIx,
    pub(crate) at: Timestamp,
    /// What failed, in a hook.
    pub(crate) error: Option<&'a Failure>,
    /// The iteration, where it is not the frame's own.
    pub(crate) iter: Option<(Value, u32)>,
}

impl<'a> RunScope<'a> {
    pub(crate) fn new(run: &'a Run, frame: FrameIx, at: Timestamp) -> Self {
        let ending = run.state.ending.as_deref();
        Self { run, frame, at, error: ending.and_then(|ending| ending.error.as_ref()), iter: None }
    }

    /// Walks outwards from where the looker stands.
    fn frames(&self) -> impl Iterator<Item = FrameIx> + '_ {
        let outer = |frame: &FrameIx| {
            let owner = self.run.frame(*frame).owner?;
            Some(self.run.step(owner).frame)
        };
        std::iter::successors(Some(self.frame), outer)
    }

    fn locate(&self, id: &str) -> Option<StepIx> {
        for ix in self.frames() {
            let frame = self.run.frame(ix);
            if let Some(local) = self.run.shape.body(frame.body).ids.get(id) {
                return Some(StepIx(frame.first.0 + local));
            }
        }
        self.run.by_path(id)
    }

    fn iter(&self) -> Option<Value> {
        let nearest = || self.frames().find_map(|ix| self.run.frame(ix).iter.clone());
        let (item, index) = self.iter.clone().or_else(nearest)?;
        Some(Value::object([("item", item), ("index", Value::from(index))]))
    }

    fn workflow(&self) -> Value {
        let started = self.run.started();
        let text =
            |text: Option<&Arc<str>>| text.map_or(Value::Null, |text| Value::from(text.clone()));
        Value::object([
            ("run_id", Value::from(self.run.id.to_string())),
            ("name", text(started.and_then(|s| s.name.as_ref()))),
            ("template_name", text(started.and_then(|s| s.template_name.as_ref()))),
            ("template_version", text(started.and_then(|s| s.template_version.as_ref()))),
            ("agent_id", text(started.and_then(|s| s.agent_id.as_ref()))),
        ])
    }
}

impl Scope for RunScope<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        match name {
            "inputs" => Some(self.run.started()?.inputs.clone()),
            "context" => Some(self.run.state.context.clone()),
            "iter" | "loop" => self.iter(),
            "workflow" => Some(self.workflow()),
            "error" => self.error.map(Failure::to_value),
            _ => None,
        }
    }

    fn step(&self, id: &str) -> Option<StepView> {
        let step = self.run.step(self.locate(id)?);
        Some(StepView {
            status: step.status(),
            output: step.output().cloned(),
            error: step.error().map(|error| error.to_value()),
        })
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        let done = self.run.state.steps.iter().filter(|step| step.output().is_some());
        let mut ids: Vec<Arc<str>> = done.map(|step| step.path.clone()).collect();
        for ix in self.frames() {
            let frame = self.run.frame(ix);
            if frame.owner.is_some() {
                let siblings = self.run.shape.body(frame.body).ids.iter();
                let done = siblings.filter(|(_, local)| {
                    self.run.step(StepIx(frame.first.0 + **local)).output().is_some()
                });
                ids.extend(done.map(|(id, _)| id.clone()));
            }
        }
        ids.sort();
        ids.dedup();
        ids
    }

    fn now(&self) -> Timestamp {
        self.at
    }
}
