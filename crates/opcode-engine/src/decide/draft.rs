//! A decision being written.
//!
//! Keeps: it reads the run as it was when the input came; every event carries the input's moment.
//! Not here: any rule.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

use opcode_expr::{EvalError, Meter, Program, Rendered, Template};
use opcode_model::event::Reason;
use opcode_model::{
    Compute, Decision, Effect, Event, EventKind, Failure, Message, MessageBody, StepIx, StepRef,
    Timestamp, Value,
};

use crate::plan::{Plan, StepPlan};
use crate::run::{FrameIx, Run, RunScope, Step};

/// Takes one output.
pub(super) type Emit<'a> = &'a mut dyn FnMut(Value) -> ControlFlow<()>;

/// A decision being written.
pub(super) struct Draft<'a> {
    pub(super) plan: &'a Plan,
    pub(super) run: &'a Run,
    pub(super) at: Timestamp,
    decision: Decision,
    work: Cell<u64>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(plan: &'a Plan, run: &'a Run, at: Timestamp) -> Self {
        Self { plan, run, at, decision: Decision::default(), work: Cell::new(0) }
    }

    pub(super) fn done(self) -> Decision {
        Decision { work: self.work.get(), ..self.decision }
    }

    pub(super) fn emit(&mut self, kind: EventKind) {
        self.decision.events.push(Event { at: self.at, kind });
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.decision.effects.push(effect);
    }

    pub(super) fn compute(&mut self, compute: Compute) {
        self.decision.compute.push(compute);
    }

    pub(super) fn message(&mut self, message: Message) {
        self.decision.messages.push(message);
    }

    /// Tells the run that started this one, if one did.
    pub(super) fn tell_parent(&mut self, body: MessageBody) {
        let parent = self.run.started().and_then(|started| started.parent.clone());
        if let Some(parent) = parent {
            let (from, to) = (self.run.id, parent.run);
            self.message(Message { from, to, step: parent.step, body });
        }
    }

    pub(super) fn step(&self, ix: StepIx) -> &'a Step {
        self.run.step(ix)
    }

    pub(super) fn name(&self, ix: StepIx) -> StepRef {
        self.run.name(ix)
    }

    pub(super) fn plan_of(&self, ix: StepIx) -> &'a StepPlan {
        self.plan.step(self.run.node_of(self.run.step(ix)))
    }

    pub(super) fn timeout_of(&self, ix: StepIx) -> Option<Timestamp> {
        let node = self.run.shape.node(self.run.node_of(self.run.step(ix)));
        node.timeout.map(|timeout| self.at.after(timeout))
    }

    pub(super) fn scope(&self, ix: StepIx) -> RunScope<'a> {
        RunScope::new(self.run, self.run.step(ix).frame, self.at)
    }

    /// What an expression gives, seen from a frame.
    pub(super) fn evaluate_in(
        &self,
        frame: FrameIx,
        program: &Program,
    ) -> Result<Value, EvalError> {
        self.evaluate(&RunScope::new(self.run, frame, self.at), program)
    }

    pub(super) fn evaluate(
        &self,
        scope: &RunScope<'_>,
        program: &Program,
    ) -> Result<Value, EvalError> {
        self.metered(|meter| program.evaluate(scope, meter))
    }

    pub(super) fn render(&self, ix: StepIx, template: &Template) -> Result<Rendered, EvalError> {
        self.render_over(&self.scope(ix), template)
    }

    pub(super) fn render_over(
        &self,
        scope: &RunScope<'_>,
        template: &Template,
    ) -> Result<Rendered, EvalError> {
        self.metered(|meter| template.render(scope, meter))
    }

    /// All outputs of an evaluation.
    pub(super) fn outputs(
        &self,
        evaluate: impl FnOnce(&mut Meter, Emit<'_>) -> Result<(), EvalError>,
    ) -> Result<Vec<Value>, EvalError> {
        let mut outputs = Vec::new();
        let mut emit = |output| {
            outputs.push(output);
            ControlFlow::Continue(())
        };
        self.metered(|meter| evaluate(meter, &mut emit))?;
        Ok(outputs)
    }

    /// Evaluates with a budget of its own; what it spent is work of this decision.
    fn metered<T>(&self, evaluate: impl FnOnce(&mut Meter) -> T) -> T {
        let mut meter = Meter::default();
        let value = evaluate(&mut meter);
        self.work.set(self.work.get() + meter.steps_used());
        value
    }

    pub(super) fn reason(text: impl Into<Arc<str>>) -> Reason {
        Reason { reason: text.into() }
    }
}

/// An expression that must say yes or no.
pub(super) fn truth(value: &Value, what: &str) -> Result<bool, Failure> {
    value.as_bool().ok_or_else(|| {
        let message = format!("{what} must be true or false, not {}", value.kind());
        Failure::new(opcode_model::ErrorCode::Execution, message)
    })
}
