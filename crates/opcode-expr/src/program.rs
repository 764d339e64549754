//! The small door: compile once in some language, evaluate often over a borrowed scope.
//!
//! Keeps: a program is shared by reference count and never changes; compiling reports one mistake, with a fix where we know one.
//! Not here: the languages themselves (`cel`), texts with expressions in them (`template`).

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use opcode_model::{Timestamp, Value};

use crate::cel::{self, Names};
use crate::error::{CompileError, EvalError};
use crate::jq;
use crate::meter::Meter;
use crate::references::References;
use crate::scope::{Scope, StepView};

/// The languages an expression may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The Common Expression Language, as cel-go has it without extensions.
    Cel,
    /// jq, as gojq has it, without modules and further inputs.
    Jq,
}

/// A compiled expression. Cloning copies a pointer.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

struct Compiled {
    source: Arc<str>,
    code: Code,
    references: References,
}

enum Code {
    Cel(cel::Code),
    Jq(jq::Code),
}

/// What a program is evaluated over outside a workflow.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The input: jq's `.`.
    pub input: &'a Value,
    /// Values by name: jq's `$name`, for names that the program was compiled with.
    pub args: &'a [(Arc<str>, Value)],
    /// What `now` means.
    pub now: Timestamp,
}

impl Program {
    /// Compiles `source`; a free name that is no variable of a workflow is an error.
    pub fn compile(language: Language, source: &str) -> Result<Self, CompileError> {
        Self::compile_with(language, source, Names::Declared)
    }

    /// Compiles `source` for a scope whose variables are not known yet: unknown names are found when evaluating.
    pub fn compile_open(language: Language, source: &str) -> Result<Self, CompileError> {
        Self::compile_with(language, source, Names::Open)
    }

    fn compile_with(language: Language, source: &str, names: Names) -> Result<Self, CompileError> {
        match language {
            Language::Cel => match cel::compile(source, names) {
                Ok((code, references)) => Ok(Self::from_code(source, code, references)),
                Err(error) => Err(*crate::hint::with_fix(error, source)),
            },
            Language::Jq => Self::compile_jq(source, &[]),
        }
    }

    /// Compiles jq that may use the names in `args` as variables, written there without their `$`.
    pub fn compile_jq(source: &str, args: &[Arc<str>]) -> Result<Self, CompileError> {
        let (code, references) = jq::compile(source, args).map_err(|error| *error)?;
        Ok(Self::new(source, Code::Jq(code), references))
    }

    pub(crate) fn from_code(source: &str, code: cel::Code, references: References) -> Self {
        Self::new(source, Code::Cel(code), references)
    }

    fn new(source: &str, code: Code, references: References) -> Self {
        Self(Arc::new(Compiled { source: source.into(), code, references }))
    }

    /// The value over `scope`; what it spends is taken from `meter`.
    pub fn evaluate(&self, scope: &dyn Scope, meter: &mut Meter) -> Result<Value, EvalError> {
        match &self.0.code {
            Code::Cel(code) => cel::evaluate(code, scope, meter)
                .map_err(|trouble| trouble.explain(&self.0.source, scope)),
            Code::Jq(code) => jq::evaluate(jq::Call { code, source: &self.0.source, meter }, scope),
        }
    }

    /// Hands every output over what is given to `emit`, until that breaks off. Only jq gives any number of them;
    /// for other languages, the members of the input and the named values are the variables.
    pub fn outputs(
        &self,
        given: Given<'_>,
        meter: &mut Meter,
        emit: &mut dyn FnMut(Value) -> ControlFlow<()>,
    ) -> Result<(), EvalError> {
        match &self.0.code {
            Code::Cel(_) => {
                let value = self.evaluate(&given, meter)?;
                // There is nothing after the one output to break off.
                let (ControlFlow::Continue(()) | ControlFlow::Break(())) = emit(value);
                Ok(())
            }
            Code::Jq(code) => {
                jq::outputs(jq::Call { code, source: &self.0.source, meter }, &given, emit)
            }
        }
    }

    /// The language it is written in.
    pub fn language(&self) -> Language {
        match self.0.code {
            Code::Cel(_) => Language::Cel,
            Code::Jq(_) => Language::Jq,
        }
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What its text shows of what it reads.
    pub fn references(&self) -> &References {
        &self.0.references
    }
}

/// What is given, as a scope without steps.
impl Scope for Given<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        let named = self.args.iter().rev().find(|(known, _)| known.as_ref() == name);
        named.map(|(_, value)| value.clone()).or_else(|| self.input.find(name).cloned())
    }

    fn step(&self, _: &str) -> Option<StepView> {
        None
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.source).finish()
    }
}
