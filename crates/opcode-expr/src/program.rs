//! The small door: compile once in some language, evaluate often over a borrowed scope.
//!
//! Keeps: a program is shared by reference count and never changes; compiling reports one mistake, with a fix where we know one.
//! Not here: the languages themselves (`cel`, `expr`), texts with expressions in them (`template`).

use std::fmt;
use std::sync::Arc;

use opcode_model::Value;

use crate::cel::{self, Names};
use crate::error::{CompileError, EvalError};
use crate::expr;
use crate::meter::Meter;
use crate::references::References;
use crate::scope::Scope;

/// The languages an expression may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The Common Expression Language, as cel-go has it without extensions.
    Cel,
    /// The dialect of expr-lang 1.17.
    Expr,
}

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
        }
    }

    pub(crate) fn from_code(source: &str, code: impl Into<Code>, references: References) -> Self {
        Self(Arc::new(Compiled { source: source.into(), code: code.into(), references }))
    }

    /// The value over `scope`; what it spends is taken from `meter`.
    pub fn evaluate(&self, scope: &dyn Scope, meter: &mut Meter) -> Result<Value, EvalError> {
        let source = &self.0.source;
        match &self.0.code {
            Code::Cel(code) => {
                cel::evaluate(code, scope, meter).map_err(|trouble| trouble.explain(source, scope))
            }
            Code::Expr(code) => {
                expr::evaluate(code, scope, meter).map_err(|trouble| trouble.explain(source))
            }
        }
    }

    /// The language it is written in.
    pub fn language(&self) -> Language {
        match self.0.code {
            Code::Cel(_) => Language::Cel,
            Code::Expr(_) => Language::Expr,
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

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.source).finish()
    }
}
