//! Action parameters with `${{ … }}` in their texts: compiled once, filled in often, secrets left as slots.
//!
//! Keeps: what an expression yields is never scanned again; literal parts are shared, not copied; object keys are literal.
//! Not here: opening secrets (the shell, just before the effect), the expressions (`cel`).

mod path;
mod render;
mod scan;

use std::collections::BTreeSet;
use std::sync::Arc;

use opcode_model::limits::BUILT_DEPTH_MAX;
use opcode_model::problem::pointer;
use opcode_model::{SecretSlot, Value};

use crate::error::{CompileError, EvalError};
use crate::meter::Meter;
use crate::program::{Language, Program};
use crate::references::References;
use crate::scope::Scope;
use scan::Segment;

/// Compiled parameters. Cloning copies a pointer.
#[derive(Clone, Debug)]
pub struct Template(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    root: Part,
    programs: Vec<(Arc<str>, Program)>,
    secrets: BTreeSet<Arc<str>>,
}

/// A piece of parameters.
#[derive(Debug)]
enum Part {
    /// Nothing to fill in below here.
    Literal(Value),
    /// A text that is one expression: the value keeps its type.
    Whole {
        pointer: Arc<str>,
        program: Program,
    },
    /// A text with expressions or secrets in it.
    Text {
        pointer: Arc<str>,
        pieces: Vec<Piece>,
    },
    List(Vec<Self>),
    Object(Vec<(Arc<str>, Self)>),
}

/// A piece of a text.
#[derive(Debug)]
enum Piece {
    Text(Arc<str>),
    Hole(Program),
    Secret(Arc<str>),
}

/// A mistake in one text of the parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct TemplateError {
    /// JSON pointer of the text within the parameters.
    pub pointer: String,
    /// What is wrong; its span and replacement are about the whole text.
    pub error: CompileError,
}

/// Parameters filled in, but for their secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The parameters; a text with secrets shows `${{secrets.NAME}}` for each.
    pub value: Value,
    /// Where secrets go in, in order of the texts.
    pub secrets: Vec<SecretSlot>,
}

impl Template {
    /// Compiles every text in `value`; all mistakes are returned.
    pub fn compile(value: &Value) -> Result<Self, Vec<TemplateError>> {
        let mut builder = Builder::default();
        let root = builder.part(value, "", 0);
        if !builder.errors.is_empty() {
            return Err(builder.errors);
        }
        let Builder { programs, secrets, .. } = builder;
        Ok(Self(Arc::new(Compiled { root, programs, secrets })))
    }

    /// Whether there is nothing to fill in.
    pub fn is_literal(&self) -> bool {
        matches!(self.0.root, Part::Literal(_))
    }

    /// What each expression reads, with the JSON pointer of its text.
    pub fn references(&self) -> impl Iterator<Item = (&str, &References)> {
        self.0.programs.iter().map(|(pointer, program)| (pointer.as_ref(), program.references()))
    }

    /// Every expression, with the JSON pointer of its text.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &Program)> {
        self.0.programs.iter().map(|(pointer, program)| (pointer.as_ref(), program))
    }

    /// Every secret that a value's texts name, with the JSON pointer of its text; also of one that does not compile.
    pub fn secrets_in(value: &Value) -> Vec<(String, String)> {
        let mut found = Vec::new();
        seek_secrets(value, "", &mut found);
        found
    }

    /// The secrets named, sorted, each once.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.secrets.iter().map(AsRef::as_ref)
    }

    /// The parameters over `scope`; all expressions share `meter`.
    pub fn render(&self, scope: &dyn Scope, meter: &mut Meter) -> Result<Rendered, EvalError> {
        render::render(&self.0.root, scope, meter)
    }
}

/// Values are nested as deep as their reader allows, at most.
fn seek_secrets(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    let segments = value.as_str().map(scan::split).and_then(Result::ok);
    for segment in segments.into_iter().flatten() {
        if let Segment::Secret(name) = segment {
            found.push((at.to_owned(), name.to_owned()));
        }
    }
    for (index, item) in value.as_list().unwrap_or_default().iter().enumerate() {
        seek_secrets(item, &format!("{at}/{index}"), found);
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        seek_secrets(item, &pointer(at, key), found);
    }
}

#[derive(Default)]
struct Builder {
    programs: Vec<(Arc<str>, Program)>,
    secrets: BTreeSet<Arc<str>>,
    errors: Vec<TemplateError>,
}

impl Builder {
    fn part(&mut self, value: &Value, at: &str, depth: usize) -> Part {
        match value {
            Value::String(text) if text.contains("${{") => self.text(text, at),
            Value::List(_) | Value::Object(_) if depth >= BUILT_DEPTH_MAX => {
                let error = *CompileError::limit("nesting", BUILT_DEPTH_MAX, 0..0);
                self.errors.push(TemplateError { pointer: at.to_owned(), error });
                Part::Literal(Value::Null)
            }
            Value::List(items) => {
                let parts: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.part(item, &format!("{at}/{index}"), depth + 1))
                    .collect();
                if parts.iter().zip(items.iter()).all(|(part, item)| part.is_same(item)) {
                    return Part::Literal(value.clone());
                }
                Part::List(parts)
            }
            Value::Object(object) => {
                let parts: Vec<_> = object
                    .iter()
                    .map(|(key, item)| (key.clone(), self.part(item, &pointer(at, key), depth + 1)))
                    .collect();
                if parts.iter().zip(object.iter()).all(|(part, pair)| part.1.is_same(&pair.1)) {
                    return Part::Literal(value.clone());
                }
                Part::Object(parts)
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Bytes(_) => Part::Literal(value.clone()),
        }
    }

    fn text(&mut self, text: &Arc<str>, at: &str) -> Part {
        let pointer: Arc<str> = at.into();
        match self.pieces(text, &pointer) {
            Ok(mut pieces) => match pieces.as_mut_slice() {
                [Piece::Text(only)] => Part::Literal(Value::String(only.clone())),
                [Piece::Hole(program)] => Part::Whole { pointer, program: program.clone() },
                _ => Part::Text { pointer, pieces },
            },
            Err(error) => {
                self.errors.push(TemplateError { pointer: at.to_owned(), error: *error });
                Part::Literal(Value::Null)
            }
        }
    }

    fn pieces(&mut self, text: &str, pointer: &Arc<str>) -> Result<Vec<Piece>, Box<CompileError>> {
        let mut pieces = Vec::new();
        for segment in scan::split(text)? {
            pieces.push(match segment {
                Segment::Text(text) => Piece::Text(text.into()),
                Segment::Secret(name) => {
                    let name: Arc<str> = name.into();
                    self.secrets.insert(name.clone());
                    Piece::Secret(name)
                }
                Segment::Expression { source, start } => {
                    match expression(source) {
                        Ok(program) => {
                            self.programs.push((pointer.clone(), program.clone()));
                            Piece::Hole(program)
                        }
                        // What else is wrong in this text is told as well.
                        Err(error) => {
                            let error = *placed(error, text, source, start);
                            self.errors.push(TemplateError { pointer: pointer.to_string(), error });
                            continue;
                        }
                    }
                }
            });
        }
        Ok(pieces)
    }
}

impl Part {
    /// Whether this is exactly `value`, so that a parent may share it whole.
    fn is_same(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Literal(Value::String(mine)), Value::String(text)) => Arc::ptr_eq(mine, text),
            (Self::Literal(_), _) => true,
            (Self::Whole { .. } | Self::Text { .. } | Self::List(_) | Self::Object(_), _) => false,
        }
    }
}

/// A plain path if it is one, else CEL.
fn expression(source: &str) -> Result<Program, Box<CompileError>> {
    match path::compile(source) {
        Some(outcome) => outcome,
        None => Program::compile(Language::Cel, source).map_err(Box::new),
    }
}

/// An expression's error, moved to where the expression stands in its text.
fn placed(
    mut error: Box<CompileError>,
    text: &str,
    source: &str,
    start: usize,
) -> Box<CompileError> {
    error.span = error.span.start + start..error.span.end + start;
    error.replacement = error.replacement.map(|fixed| {
        let (before, after) = (text.get(..start), text.get(start + source.len()..));
        format!("{}{fixed}{}", before.unwrap_or_default(), after.unwrap_or_default())
    });
    error.message =
        format!("{} in ${{{{ {} }}}}", error.message, crate::error::shorten(source, 120));
    error
}
