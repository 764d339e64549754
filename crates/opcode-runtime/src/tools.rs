//! The actions a shell can perform, whoever provides them.
//!
//! Keeps: the engine sees only `Actions`; the shell also finds what performs; one that panics has failed, no more.
//! Not here: the actions themselves (`opcode-actions`).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opcode_actions::{Action, Registry};
use opcode_model::action::{Answer, EffectClass, ParamProblem};
use opcode_model::{Actions, ErrorCode, Failure, Language, Value};

/// Actions that can be performed.
pub trait Tools: Actions {
    /// The action of this name.
    fn find(&self, name: &str) -> Option<Arc<dyn Action>>;

    /// Another number whenever the actions have changed.
    fn revision(&self) -> u64 {
        0
    }
}

impl Tools for Registry {
    fn find(&self, name: &str) -> Option<Arc<dyn Action>> {
        Self::find(self, name)
    }
}

/// Actions as the driver sees them: computing one that panics is a failure of its step.
pub(crate) struct Guarded(pub(crate) Arc<dyn Tools>);

impl Actions for Guarded {
    fn class(&self, name: &str) -> Option<EffectClass> {
        self.0.class(name)
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        self.0.check(name, params)
    }

    fn runs_programs(&self, name: &str) -> bool {
        self.0.runs_programs(name)
    }

    fn program(&self, name: &str) -> Option<(&'static str, Language)> {
        self.0.program(name)
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        let computed = catch_unwind(AssertUnwindSafe(|| self.0.compute(name, params)));
        computed.unwrap_or_else(|cause| Err(died(cause.as_ref())))
    }
}

/// Actions as they are to whoever only looks: those that are not here are known by name.
pub(crate) struct Named<'a>(pub(crate) &'a dyn Tools);

impl Actions for Named<'_> {
    fn class(&self, name: &str) -> Option<EffectClass> {
        self.0.class(name).or(Some(EffectClass::Unsafe))
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        if self.0.class(name).is_none() { Vec::new() } else { self.0.check(name, params) }
    }

    fn runs_programs(&self, name: &str) -> bool {
        self.0.class(name).is_none() || self.0.runs_programs(name)
    }

    fn program(&self, name: &str) -> Option<(&'static str, Language)> {
        self.0.program(name)
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        self.0.compute(name, params)
    }
}

/// An action panicked.
pub(crate) fn died(cause: &(dyn Any + Send)) -> Failure {
    Failure::new(ErrorCode::Internal, format!("the action died: {}", last_words(cause)))
}

/// What a panic said.
pub(crate) fn last_words(cause: &(dyn Any + Send)) -> &str {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it did not say why")
}
