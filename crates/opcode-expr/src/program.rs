//! The small door: compile once in some language, evaluate often over a borrowed scope.
//!
//! Keeps: a program is shared by reference count and never changes; compiling reports one mistake, with a fix where we know one.
//! Not here: the languages themselves (`cel`, `expr`, `jq`), texts with expressions in them (`template`).

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use opcode_model::Language;
use opcode_model::{Timestamp, Value};

use crate::cel::{self, Names};
use crate::error::{CompileError, EvalError};
use crate::expr;
use crate::jq;
use crate::meter::Meter;
use crate::recent::Recent;
use crate::references::References;
use crate::scope::{Scope, StepView};

/// How many programs put together at run time are kept, and how many bytes of their texts.
const RECENT_MAX: usize = 256;
const RECENT_BYTES_MAX: usize = 1 << 20;

/// What such a program was compiled from: language, text, names of arguments.
type Written = (Language, Arc<str>, Vec<Arc<str>>);

static RECENT: Recent<Written, Program> = Recent::new(RECENT_MAX, RECENT_BYTES_MAX);

/// A compiled expression. Cloning copies a pointer.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

struct Compiled {
    source: Arc<str>,
    code: Code,
    references: References,
}

/// Code of the one language or the other.
pub(crate) enum Code {
    Cel(cel::Code),
    Expr(expr::Code),
    Jq(jq::Code),
}

/// A value that a program is evaluated over, outside a workflow.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The input: jq's `.`; for other languages, its members are the variables.
    pub input: &'a Value,
    /// Values by name: jq's `$name`, for names that the program was compiled with.
    pub args: &'a [(Arc<str>, Value)],
    /// What `now` means.
    pub now: Timestamp,
}

impl From<cel::Code> for Code {
    fn from(code: cel::Code) -> Self {
        Self::Cel(code)
    }
}
impl From<expr::Code> for Code {
    fn from(code: expr::Code) -> Self {
        Self::Expr(code)
    }
}

impl From<jq::Code> for Code {
    fn from(code: jq::Code) -> Self {
        Self::Jq(code)
    }
}

impl Program {
    /// Compiles `source`; a free name that is no variable of a workflow is an error.
    pub fn compile(language: Language, source: &str) -> Result<Self, CompileError> {
        Self::compile_with(language, source, Names::Declared, None)
    }

    /// Compiles `source` for a scope whose variables are not known yet: unknown names are found when evaluating.
    pub fn compile_open(language: Language, source: &str) -> Result<Self, CompileError> {
        Self::compile_with(language, source, Names::Open, None)
    }

    /// Compiles `source` for this very scope: the types of its variables are known, and where a language checks types
    /// before it runs (Expr does), what it refuses is refused. Numbers from JSON are then floats and nothing else.
    pub fn compile_exact(
        language: Language,
        source: &str,
        scope: &dyn Scope,
    ) -> Result<Self, CompileError> {
        Self::compile_with(language, source, Names::Open, Some(scope))
    }

    /// Compiles jq that may use the names in `args` as variables, written there without their `$`.
    pub fn compile_jq(source: &str, args: &[Arc<str>]) -> Result<Self, CompileError> {
        match jq::compile(source, args) {
            Ok((code, references)) => Ok(Self::from_code(source, code, references)),
            Err(error) => Err(*error),
        }
    }

    /// Compiles `source` for an action: jq with the names in `args` as variables, the others as `compile_open` does, but
    /// that a function which Expr does not have is an error.
    pub fn compile_loose<'a>(
        language: Language,
        source: &str,
        args: impl Iterator<Item = &'a Arc<str>>,
    ) -> Result<Self, CompileError> {
        match language {
            Language::Jq => Self::compile_jq(source, &args.cloned().collect::<Vec<_>>()),
            Language::Expr => Self::compile_with(language, source, Names::Functions, None),
            Language::Cel => Self::compile_open(language, source),
        }
    }

    /// The same for a text that was put together at run time: the last few programs of the process are remembered, so
    /// that one which comes again is not compiled again.
    pub fn recall<'a>(
        language: Language,
        source: &str,
        args: impl Iterator<Item = &'a Arc<str>>,
    ) -> Result<Self, CompileError> {
        let written = (language, source.into(), args.cloned().collect());
        RECENT.recall(written, |(language, source, args)| {
            let program = Self::compile_loose(*language, source, args.iter())?;
            let names: usize = args.iter().map(|name| name.len()).sum();
            Ok((program, source.len() + names))
        })
    }

    fn compile_with(
        language: Language,
        source: &str,
        names: Names,
        types: Option<&dyn Scope>,
    ) -> Result<Self, CompileError> {
        match language {
            Language::Cel => match cel::compile(source, names) {
                Ok((code, references)) => Ok(Self::from_code(source, code, references)),
                Err(error) => Err(*crate::hint::with_fix(error, source)),
            },
            Language::Expr => match expr::compile(source, names, types) {
                Ok((code, references)) => Ok(Self::from_code(source, code, references)),
                Err(error) => Err(*error),
            },
            Language::Jq => Self::compile_jq(source, &[]),
        }
    }

    pub(crate) fn from_code(source: &str, code: impl Into<Code>, references: References) -> Self {
        Self(Arc::new(Compiled { source: source.into(), code: code.into(), references }))
    }

    /// The value over `scope`; what it spends is taken from `meter`.
    pub fn evaluate(&self, scope: &dyn Scope, meter: &mut Meter) -> Result<Value, EvalError> {
        let source = &self.0.source;
        let value = match &self.0.code {
            Code::Cel(code) => {
                cel::evaluate(code, scope, meter).map_err(|trouble| trouble.explain(source, scope))
            }
            Code::Expr(code) => {
                expr::evaluate(code, scope, meter).map_err(|trouble| trouble.explain(source))
            }
            Code::Jq(code) => jq::evaluate(jq::Call { code, source, meter }, scope),
        };
        value.map_err(|error| error.after(meter))
    }

    /// Hands every output over what is given to `emit`, until that breaks off. Only jq gives any number of them.
    pub fn outputs(
        &self,
        given: Given<'_>,
        meter: &mut Meter,
        emit: &mut dyn FnMut(Value) -> ControlFlow<()>,
    ) -> Result<(), EvalError> {
        match &self.0.code {
            Code::Cel(_) | Code::Expr(_) => self.one_output(&given, meter, emit),
            Code::Jq(code) => {
                let call = jq::Call { code, source: &self.0.source, meter };
                jq::outputs(call, &given, emit).map_err(|error| error.after(meter))
            }
        }
    }

    /// The same over all of a scope.
    pub fn outputs_in(
        &self,
        scope: &dyn Scope,
        args: &[(Arc<str>, Value)],
        meter: &mut Meter,
        emit: &mut dyn FnMut(Value) -> ControlFlow<()>,
    ) -> Result<(), EvalError> {
        match &self.0.code {
            Code::Cel(_) | Code::Expr(_) => self.one_output(scope, meter, emit),
            Code::Jq(code) => {
                let call = jq::Call { code, source: &self.0.source, meter };
                jq::outputs_in(call, scope, args, emit).map_err(|error| error.after(meter))
            }
        }
    }

    fn one_output(
        &self,
        scope: &dyn Scope,
        meter: &mut Meter,
        emit: &mut dyn FnMut(Value) -> ControlFlow<()>,
    ) -> Result<(), EvalError> {
        // There is nothing after the one output to break off.
        let (ControlFlow::Continue(()) | ControlFlow::Break(())) =
            emit(self.evaluate(scope, meter)?);
        Ok(())
    }

    /// The language it is written in.
    pub fn language(&self) -> Language {
        match self.0.code {
            Code::Cel(_) => Language::Cel,
            Code::Expr(_) => Language::Expr,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_again_is_not_compiled_again() {
        let args = [Arc::from("x")];
        let recall = |language, args: &[Arc<str>]| {
            Program::recall(language, "\"put together at run time\"", args.iter()).unwrap()
        };
        let first = recall(Language::Jq, &args);
        assert!(Arc::ptr_eq(&first.0, &recall(Language::Jq, &args).0));
        assert!(!Arc::ptr_eq(&first.0, &recall(Language::Jq, &[]).0), "other arguments");
        assert_eq!(recall(Language::Cel, &args).language(), Language::Cel);
    }
}
