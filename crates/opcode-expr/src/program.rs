//! The small door: compile once in some language, evaluate often over a borrowed scope.
//!
//! Keeps: a program is shared by reference count and never changes; compiling reports one mistake, with a fix where we know one.
//! Not here: the languages themselves (`cel`), texts with expressions in them (`template`).

use std::fmt;
use std::sync::Arc;

use opcode_model::Value;

use crate::cel::{self, Code, Names};
use crate::error::{CompileError, EvalError};
use crate::meter::Meter;
use crate::references::References;
use crate::scope::Scope;

/// The languages an expression may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The Common Expression Language, as cel-go has it without extensions.
    Cel,
}

/// A compiled expression. Cloning copies a pointer.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

struct Compiled {
    language: Language,
    source: Arc<str>,
    code: Code,
    references: References,
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
        }
    }

    pub(crate) fn from_code(source: &str, code: Code, references: References) -> Self {
        let language = Language::Cel;
        Self(Arc::new(Compiled { language, source: source.into(), code, references }))
    }

    /// The value over `scope`; what it spends is taken from `meter`.
    pub fn evaluate(&self, scope: &dyn Scope, meter: &mut Meter) -> Result<Value, EvalError> {
        cel::evaluate(&self.0.code, scope, meter)
            .map_err(|trouble| trouble.explain(&self.0.source, scope))
    }

    /// The language it is written in.
    pub fn language(&self) -> Language {
        self.0.language
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
