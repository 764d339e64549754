//! What the engine needs to know of an action, and what a pure one may answer.
//!
//! Keeps: an action declares its effect class once; the engine never looks inside an action.
//! Not here: the actions (`opcode-actions`).

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::problem::Patch;
use crate::sandbox::Wishes;
use crate::secret::Hides;
use crate::trace::TraceParent;
use crate::value::{Object, Value};

/// What happens outside when an action runs, and so what recovery may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectClass {
    /// Nothing outside can tell; it is computed in line and may run any number of times.
    Pure,
    /// Running twice under one idempotency key is the same as running once.
    Idempotent,
    /// Running twice may do it twice; after a crash it is *in doubt*.
    Unsafe,
}

/// What to do with an attempt that may or may not have happened before a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnInterrupted {
    /// Run it again under the same idempotency key.
    #[default]
    Retry,
    /// Fail the step with `IN_DOUBT`.
    Fail,
    /// Ask: run again, treat as done with this output, or fail.
    Ask,
}

/// What a pure action answers: a value, or a wish that only the engine can grant, in its own transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The step's output.
    Value(Value),
    /// Something of the engine's own.
    Native(Box<NativeCall>),
}

/// The languages an expression may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// The Common Expression Language, as cel-go has it without extensions.
    Cel,
    /// Expr, as expr-lang 1.17 has it.
    Expr,
    /// jq, as gojq has it, without modules and further inputs.
    Jq,
}

/// An expression to be evaluated over what a step can see.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// What it is written in.
    pub language: Language,
    /// Its text.
    pub source: Arc<str>,
    /// Expr's variable `data`; jq's first `.`, which is otherwise all the step can see.
    pub data: Option<Value>,
    /// jq's `$name`s.
    pub args: Object,
}

/// The actions that are the engine's own business: `workflow.*`, and those that look at the run.
#[derive(Clone, Debug, PartialEq)]
pub enum NativeCall {
    /// `workflow.run`: start a child and wait for it.
    RunChild {
        /// Template to run.
        template: Arc<str>,
        /// Version, or the latest when the child starts.
        version: Option<Arc<str>>,
        /// The child's inputs.
        params: Value,
    },
    /// `workflow.log`: a line in the log, after the commit.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        level: Arc<str>,
        /// What to say.
        message: Arc<str>,
        /// Facts beside it.
        data: Value,
    },
    /// `workflow.emit`: an event for whoever listens.
    Emit {
        /// The author's name for it.
        event_type: Arc<str>,
        /// Its content.
        payload: Value,
    },
    /// `workflow.notify`: a message for the run's agent.
    Notify {
        /// What to say.
        message: Arc<str>,
        /// Facts beside it.
        data: Value,
    },
    /// `workflow.context` with `action: "read"`.
    ReadContext {
        /// Whose; the run's own when absent.
        workflow_id: Option<Arc<str>>,
    },
    /// `workflow.context` with `action: "update"`.
    UpdateContext {
        /// Whose; the run's own when absent.
        workflow_id: Option<Arc<str>>,
        /// Keys to lay over the context.
        data: Value,
        /// Replaces the notes when given.
        agent_notes: Option<Arc<str>>,
    },
    /// `expr.eval` and `transform.jq`.
    Evaluate(Evaluation),
}

/// What `plan` asks about an action's parameters as they stand in a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamProblem {
    /// JSON pointer within the parameters.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The parameter, or the word for its value, that was probably meant.
    pub nearest: Option<String>,
    /// What to do about it.
    pub hint: String,
    /// How bad it is.
    pub kind: Misfit,
    /// A change of the parameters that cures it, its pointers within them.
    pub fix: Vec<Patch>,
}

/// How a parameter does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The action cannot run with it: an error.
    Wrong,
    /// Nobody reads it: a warning.
    Unread,
    /// It works, and may do more than is meant: a warning.
    Risky,
    /// Data would become code: an error, but for definitions that were taken in before.
    Spliced,
    /// It does not fit what somebody else's action takes now: an error, but for definitions that were taken in before.
    Outdated,
}

/// One call of an action, as the shell performs it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The run, as text.
    pub workflow_id: Arc<str>,
    /// Full step path.
    pub step_id: Arc<str>,
    /// The run's agent, if it has one.
    pub agent_id: Option<Arc<str>>,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The same for every attempt of this step and generation.
    pub idempotency_key: Arc<str>,
    /// Parameters, secrets already in place.
    pub params: Value,
    /// This attempt's own limit.
    pub timeout: Option<Duration>,
    /// Where its secrets may go: `host:port` fits a pattern of each list. Empty for anywhere.
    pub hosts: Vec<Vec<String>>,
    /// Its place in a trace of somebody else's, for whom it calls.
    pub trace: Option<TraceParent>,
    /// How far what it runs is locked in, if the definition says.
    pub wishes: Option<Arc<Wishes>>,
    /// Takes its secrets out of what is told on the way.
    pub hides: Option<Arc<dyn Hides>>,
}

/// How the outside answered an attempt.
pub type Outcome = Result<Value, Failure>;

/// What `plan` and the driver know of the actions there are. Implemented by the registry.
pub trait Actions: Send + Sync {
    /// The effect class of an action; `None` if there is no such action.
    fn class(&self, name: &str) -> Option<EffectClass>;

    /// Every name, sorted.
    fn names(&self) -> Vec<String>;

    /// Checks parameters as they stand in a definition; what contains `${{` is not known yet and passes.
    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem>;

    /// Which parameter of an action is a program over what the step can see, if one is, and in which language.
    fn program(&self, _name: &str) -> Option<(&'static str, Language)> {
        None
    }

    /// Whether an action runs programs, and so looks at `sandbox` and `limits`.
    fn runs_programs(&self, _name: &str) -> bool {
        false
    }

    /// Runs a pure action. Called for nothing else.
    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure>;
}
