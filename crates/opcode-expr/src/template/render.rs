//! Filling in: expressions evaluated, texts joined, secrets left as slots.
//!
//! Keeps: a literal part costs one clone; every text made is charged.
//! Not here: the content of any secret.

use std::sync::Arc;

use opcode_model::limits::BUILT_DEPTH_MAX;
use opcode_model::secret::{Piece as SlotPiece, SecretSlot};
use opcode_model::{Object, Value};

use super::{Part, Piece, Rendered};
use crate::error::{EvalError, EvalErrorKind};
use crate::meter::{Exhausted, Meter};
use crate::program::Program;
use crate::scope::Scope;

pub(super) fn render(
    root: &Part,
    scope: &dyn Scope,
    meter: &mut Meter,
) -> Result<Rendered, EvalError> {
    let mut filler = Filler { scope, meter, secrets: Vec::new() };
    let value = filler.part(root)?;
    let literal = matches!(root, Part::Literal(_));
    if !literal && value.depth(BUILT_DEPTH_MAX + 1) > BUILT_DEPTH_MAX {
        return Err(too_deep());
    }
    Ok(Rendered { value, secrets: filler.secrets })
}

struct Filler<'a> {
    scope: &'a dyn Scope,
    meter: &'a mut Meter,
    secrets: Vec<SecretSlot>,
}

impl Filler<'_> {
    fn part(&mut self, part: &Part) -> Result<Value, EvalError> {
        match part {
            Part::Literal(value) => Ok(value.clone()),
            Part::Whole { pointer, program } => {
                let value = self.value(program, pointer)?;
                let weight = value.weight(self.room());
                self.meter
                    .bytes(weight)
                    .map_err(|exhausted| exceeded(exhausted, program, pointer))?;
                Ok(value)
            }
            Part::Text { pointer, pieces } => self.text(pieces, pointer),
            Part::List(parts) => {
                let items: Result<Vec<_>, _> = parts.iter().map(|part| self.part(part)).collect();
                Ok(Value::from(items?))
            }
            Part::Object(parts) => {
                let mut pairs = Vec::with_capacity(parts.len());
                for (key, part) in parts {
                    pairs.push((key.clone(), self.part(part)?));
                }
                Ok(Value::Object(Object::from_pairs(pairs)))
            }
        }
    }

    /// Bytes that may still be spent.
    fn room(&self) -> usize {
        usize::try_from(self.meter.bytes_left()).unwrap_or(usize::MAX)
    }

    fn value(&mut self, program: &Program, pointer: &Arc<str>) -> Result<Value, EvalError> {
        program.evaluate(self.scope, self.meter).map_err(|mut error| {
            error.pointer = Some(pointer.to_string());
            error
        })
    }

    fn text(&mut self, pieces: &[Piece], pointer: &Arc<str>) -> Result<Value, EvalError> {
        let mut shown = String::new();
        let mut slot: Vec<SlotPiece> = Vec::new();
        let mut plain = String::new();
        let mut has_secret = false;
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    shown += text;
                    plain += text;
                }
                Piece::Hole(program) => {
                    let value = self.value(program, pointer)?;
                    let text = value_text(&value, self.meter)
                        .map_err(|exhausted| exceeded(exhausted, program, pointer))?;
                    shown += &text;
                    plain += &text;
                }
                Piece::Secret(name) => {
                    has_secret = true;
                    shown += &format!("${{{{secrets.{name}}}}}");
                    if !plain.is_empty() {
                        slot.push(SlotPiece::Text(std::mem::take(&mut plain).into()));
                    }
                    slot.push(SlotPiece::Secret(name.clone()));
                }
            }
        }
        if has_secret {
            if !plain.is_empty() {
                slot.push(SlotPiece::Text(plain.into()));
            }
            self.secrets.push(SecretSlot { pointer: pointer.to_string(), pieces: slot });
        }
        Ok(Value::from(shown))
    }
}

fn exceeded(exhausted: Exhausted, program: &Program, pointer: &Arc<str>) -> EvalError {
    let Exhausted { which, value } = exhausted;
    EvalError {
        kind: EvalErrorKind::Limit { which, value },
        message: format!("{which} is limited to {value}"),
        span: 0..program.source().len(),
        expression: program.source().to_owned(),
        pointer: Some(pointer.to_string()),
    }
}

/// Parameters and the values filled into them are deeper than what may be stored.
fn too_deep() -> EvalError {
    let (which, value) = ("the nesting of parameters", BUILT_DEPTH_MAX as u64);
    EvalError {
        kind: EvalErrorKind::Limit { which, value },
        message: format!("{which} is limited to {value}"),
        span: 0..0,
        expression: String::new(),
        pointer: Some(String::new()),
    }
}

/// How a value reads inside a text: text as it is, whole numbers without exponent, lists and objects as compact JSON.
fn value_text(value: &Value, meter: &mut Meter) -> Result<String, Exhausted> {
    let weight = value.weight(usize::try_from(meter.bytes_left()).unwrap_or(usize::MAX));
    meter.bytes(weight)?;
    // Writing a list or an object costs more than copying a text.
    meter.scan(if value.as_str().is_some() { 0 } else { weight })?;
    Ok(match value {
        Value::Float(number) if number.is_finite() => crate::cel::double_text(*number),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::Object(_) => value.to_text(),
    })
}
