//! The first verb: text becomes something that can run, or every problem of it at once.
//!
//! Keeps: a `Plan` has resolved names, parsed durations, compiled expressions and a checked graph; nothing downstream re-parses.
//! Not here: running (`decide`), storing (`opcode-store`).

mod check;
mod configs;
mod isolation;
mod reader;
mod reads;
mod schema;
mod steps;
mod workflow;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use opcode_expr::{Program, Template};
use opcode_model::event::ChoiceOption;
use opcode_model::{Actions, DefinitionHash, EffectClass, Object, OnInterrupted, Problem, Value};

pub use isolation::{ServerWishes, server_wishes};
pub use schema::{Schema, SchemaError};

use crate::shape::{BodyIx, NodeIx, Shape};

/// A definition that can run.
#[derive(Debug)]
pub struct Plan {
    /// Hash of `text`.
    pub hash: DefinitionHash,
    /// Canonical JSON of the definition.
    pub text: Arc<str>,
    /// Bodies and edges.
    pub shape: Arc<Shape>,
    /// What each written step does, by its place in `shape.nodes`.
    pub steps: Vec<StepPlan>,
    /// Title.
    pub name: Option<Arc<str>>,
    /// Defaults laid under a run's inputs.
    pub inputs: Object,
    /// What inputs must look like.
    pub input_schema: Option<Schema>,
    /// What the output must look like.
    pub output_schema: Option<Schema>,
    /// How the output is made; the outputs of the last steps if absent.
    pub output: Option<Template>,
    /// What happens when the run's time is up.
    pub on_timeout: OnTimeout,
    /// What happens to attempts a crash cut short, unless a step says otherwise.
    pub on_interrupted: OnInterrupted,
    /// Runs once after completion.
    pub on_complete: Option<BodyIx>,
    /// Runs once after failure.
    pub on_error: Option<BodyIx>,
    /// The templates its children run, as far as they are written out.
    pub children: Vec<ChildPlan>,
    /// What is not wrong, but probably not meant.
    pub warnings: Vec<Problem>,
}

/// A template that a step runs.
#[derive(Debug)]
pub struct ChildPlan {
    /// Where its name stands.
    pub place: String,
    /// Its name.
    pub template: Arc<str>,
    /// Its version; the latest if absent.
    pub version: Option<Arc<str>>,
}

impl Plan {
    /// What one written step does.
    pub fn step(&self, ix: NodeIx) -> &StepPlan {
        &self.steps[ix.0 as usize]
    }
}

/// What one written step does.
#[derive(Debug)]
pub struct StepPlan {
    /// Runs only if this is true.
    pub guard: Option<Program>,
    /// The work.
    pub work: WorkPlan,
    /// How failures are retried.
    pub retry: Retry,
    /// What else happens on failure.
    pub on_error: OnError,
    /// What happens to an attempt a crash cut short.
    pub on_interrupted: Option<OnInterrupted>,
}

/// The work of a step.
#[derive(Debug)]
pub enum WorkPlan {
    /// Run an action.
    Action(ActionPlan),
    /// Choose a branch.
    Condition(ConditionPlan),
    /// Repeat a body.
    Loop(Box<LoopPlan>),
    /// Run bodies side by side.
    Parallel(ParallelPlan),
    /// Wait for time or a signal.
    Wait(WaitPlan),
    /// Ask.
    Reasoning(Box<ReasoningPlan>),
}

/// Run an action.
#[derive(Debug)]
pub struct ActionPlan {
    /// Which.
    pub name: Arc<str>,
    /// What it does outside.
    pub class: EffectClass,
    /// Its parameters.
    pub params: Template,
    /// The program among them, if it has one that is written out.
    pub program: Option<Program>,
}

/// Choose a branch.
#[derive(Debug)]
pub struct ConditionPlan {
    /// Gives the branch key.
    pub expression: Program,
    /// Places of the branches among the step's bodies, by key.
    pub branches: BTreeMap<Arc<str>, u32>,
    /// The place of the default, if there is one.
    pub default: Option<u32>,
}

/// Repeat a body.
#[derive(Debug)]
pub struct LoopPlan {
    /// What drives it.
    pub mode: LoopMode,
    /// Ends the loop when true after an iteration.
    pub stop_when: Option<Program>,
    /// Whether the author set `max_iter`, and so wants a cut rather than a failure.
    pub may_cut: bool,
}

/// What drives a loop.
#[derive(Debug)]
pub enum LoopMode {
    /// One iteration for each item.
    ForEach(Program),
    /// While true, looked at before each iteration.
    While(Program),
    /// Until true, looked at after each iteration.
    Until(Program),
}

/// Run bodies side by side.
#[derive(Debug)]
pub struct ParallelPlan {
    /// How many bodies.
    pub branches: u32,
    /// Whether the first success ends the rest.
    pub race: bool,
}

/// Wait for time or a signal.
#[derive(Debug)]
pub enum WaitPlan {
    /// For a span.
    Span(Duration),
    /// For a span that an expression gives.
    Computed(Template),
    /// For a signal of this name, or one addressed to the step.
    Signal(Arc<str>),
}

/// Ask.
#[derive(Debug)]
pub struct ReasoningPlan {
    /// The author's words.
    pub prompt: Template,
    /// Facts beside them, each with the text to keep if it cannot be worked out.
    pub data_inject: Vec<(Arc<str>, Template, Value)>,
    /// What may be chosen; anything, if empty.
    pub options: Vec<ChoiceOption>,
    /// How long to wait for an answer.
    pub timeout: Option<Duration>,
    /// What is chosen when time runs out.
    pub fallback: Option<Arc<str>>,
    /// Who must answer.
    pub target_agent: Option<Arc<str>>,
}

/// How failures are retried.
#[derive(Clone, Debug, Default)]
pub struct Retry {
    /// Retries after the first attempt.
    pub max: u32,
    /// How the pause grows.
    pub backoff: Backoff,
    /// The first pause.
    pub delay: Duration,
    /// The longest pause.
    pub max_delay: Option<Duration>,
    /// Whether the pause is drawn between zero and its full length.
    pub jitter: bool,
    /// Only these codes are retried; those that may help, if empty.
    pub only: Vec<opcode_model::ErrorCode>,
}

/// How the pause between attempts grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// The same each time.
    #[default]
    Constant,
    /// One more delay each time.
    Linear,
    /// Twice as long each time.
    Exponential,
}

/// What happens on failure, once retries are used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The body fails.
    #[default]
    None,
    /// The body fails, said aloud.
    Fail,
    /// The body fails after retries, said aloud.
    Retry,
    /// The step counts as completed.
    Ignore,
    /// Another step takes over.
    Fallback,
}

impl OnError {
    /// The word for it in events.
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Fail => "fail_workflow",
            Self::Retry => "retry",
            Self::Ignore => "ignore",
            Self::Fallback => "fallback_step",
        }
    }
}

/// What happens when a run's time is up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// It fails.
    #[default]
    Fail,
    /// It stops until somebody says `retry`.
    Suspend,
    /// It is cancelled.
    Cancel,
}

impl OnTimeout {
    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Suspend => "suspend",
            Self::Cancel => "cancel",
        }
    }
}

/// Makes a definition runnable, or says everything that is wrong with it.
///
/// # Errors
/// All problems at once, warnings among them, in the order of their places.
pub fn plan(definition: &Value, actions: &dyn Actions) -> Result<Plan, Vec<Problem>> {
    workflow::read(definition, actions)
}
