//! What an action is to the rest of the house, and the short form in which each built-in one is written.
//!
//! Keeps: one file an action; its header, its parameters' types and its function are all there is to say about it.
//! Not here: the list of actions (`registry.rs`), reading parameters (`params/`).

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use opcode_model::action::{Answer, Call, EffectClass, Misfit, Outcome, ParamProblem};
use opcode_model::{ErrorCode, Failure, Language, Value};
use opcode_sandbox::Stop;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::page::Page;
use crate::params::{Schema, examine, read};
use crate::world::World;

/// How an attempt's answer travels.
pub type Performing<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// One action a step can name.
pub trait Action: Send + Sync {
    /// Its name, such as `http.get`.
    fn name(&self) -> &str;

    /// What it does, in one line.
    fn summary(&self) -> &str;

    /// What happens outside when it runs.
    fn class(&self) -> EffectClass;

    /// All that is written about it, if it is one of ours.
    fn page(&self) -> Option<&Page> {
        None
    }

    /// JSON Schema of its parameters.
    fn schema(&self) -> &serde_json::Value;

    /// Checks parameters as they stand in a definition; what contains `${{` passes.
    fn check(&self, params: &Value) -> Vec<ParamProblem>;

    /// Which of its parameters is a program, if one is, and in which language.
    fn program(&self) -> Option<(&'static str, Language)> {
        None
    }

    /// Whether it runs programs, and so looks at `sandbox` and `limits`.
    fn runs_programs(&self) -> bool {
        false
    }

    /// Whom it would talk to: `host:port` or a program. The breaker's key.
    fn target(&self, params: &Value) -> Option<String>;

    /// Whether who provides it bounds how many run at once, so that they take no place among the others.
    fn has_own_line(&self) -> bool {
        false
    }

    /// Runs a pure action.
    fn compute(&self, params: &Value) -> Result<Answer, Failure>;

    /// Runs one attempt: keeps `call.timeout`, and when `stop` fires, answers `CANCELLED` once everything it started is dead.
    fn perform<'a>(&'a self, call: &'a Call, world: &'a World, stop: Stop) -> Performing<'a>;
}

/// Where an attempt runs.
pub(crate) struct Site<'a> {
    /// The attempt.
    pub call: &'a Call,
    /// What it may use.
    pub world: &'a World,
    /// When to give up.
    pub stop: Stop,
}

/// The short form of an action: its page, its parameters, and one of `compute` and `perform`.
pub(crate) trait Built: 'static {
    /// What the author writes under `params`.
    type Params: DeserializeOwned + JsonSchema + Send;

    /// What is written about it.
    const PAGE: Page;

    /// Parameters for which `null` is a value like any other.
    const NULLABLE: &'static [&'static str] = &[];

    /// Which of its parameters is a program, if one is, and in which language.
    const PROGRAM: Option<(&'static str, Language)> = None;

    /// Whether it runs programs, and so looks at `sandbox` and `limits`.
    const RUNS_PROGRAMS: bool = false;

    /// What is wrong beyond the parameters' types, found before anything runs. A text with `${{` in it is not judged.
    ///
    /// # Errors
    /// `param 'name': what is wrong`.
    fn examine(_params: &Self::Params) -> Result<(), String> {
        Ok(())
    }

    /// What would work and may do more than is meant, of parameters as they stand in a definition.
    fn risks(_params: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }

    /// Whom it would talk to.
    fn target(_params: &Self::Params) -> Option<String> {
        None
    }

    /// The function of a pure action.
    fn compute(_params: Self::Params) -> Result<Answer, Failure> {
        let name = Self::PAGE.name;
        Err(Failure::new(ErrorCode::Internal, format!("{name}: not a pure action")))
    }

    /// The function of any other.
    fn perform(params: Self::Params, _site: Site<'_>) -> impl Future<Output = Outcome> + Send {
        let answer = Self::compute(params);
        std::future::ready(match answer {
            Ok(Answer::Value(value)) => Ok(value),
            Ok(Answer::Native(_)) => Err(Failure::new(
                ErrorCode::Internal,
                format!("{}: only the engine can do this", Self::PAGE.name),
            )),
            Err(failure) => Err(failure),
        })
    }
}

/// Makes an [`Action`] of the short form.
pub(crate) struct Shaped<A: Built> {
    page: Page,
    schema: Schema,
    short: PhantomData<fn() -> A>,
}

impl<A: Built> Shaped<A> {
    /// The action, ready to be listed.
    pub(crate) fn shared() -> Arc<dyn Action> {
        let schema = Schema::of::<A::Params>();
        Arc::new(Self { page: A::PAGE, schema, short: PhantomData })
    }

    fn read(&self, params: &Value) -> Result<A::Params, Failure> {
        read(self.page.name, &self.schema, A::NULLABLE, params)
    }
}

impl<A: Built> Action for Shaped<A> {
    fn name(&self) -> &str {
        self.page.name
    }

    fn summary(&self) -> &str {
        self.page.summary()
    }

    fn class(&self) -> EffectClass {
        self.page.class
    }

    fn page(&self) -> Option<&Page> {
        Some(&self.page)
    }

    fn schema(&self) -> &serde_json::Value {
        self.schema.json()
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let mut found = self.schema.check(params);
        if !found.iter().any(|problem| problem.kind == Misfit::Wrong) {
            found.extend(examine(A::NULLABLE, params, A::examine));
            found.extend(A::risks(params));
        }
        found
    }

    fn program(&self) -> Option<(&'static str, Language)> {
        A::PROGRAM
    }

    fn runs_programs(&self) -> bool {
        A::RUNS_PROGRAMS
    }

    fn target(&self, params: &Value) -> Option<String> {
        self.read(params).ok().as_ref().and_then(A::target)
    }

    fn compute(&self, params: &Value) -> Result<Answer, Failure> {
        A::compute(self.read(params)?)
    }

    fn perform<'a>(&'a self, call: &'a Call, world: &'a World, stop: Stop) -> Performing<'a> {
        match self.read(&call.params) {
            Ok(params) => Box::pin(A::perform(params, Site { call, world, stop })),
            Err(failure) => Box::pin(std::future::ready(Err(failure))),
        }
    }
}
