//! A run's row as columns of text, large values apart.
//!
//! Keeps: `null` is an absent column; a value over the inline limit goes under its hash, named in `payloads`.
//! Not here: the table itself (`opcode-store-sqlite`), events (`codec.rs`).

use std::collections::BTreeMap;

use opcode_model::commit::RunRow;
use opcode_model::event::Parent;
use opcode_model::limits::PAYLOAD_INLINE_BYTES_MAX;
use opcode_model::{RunId, Value};

use crate::codec::{Apart, CodecError, set_apart};

/// The columns of a row that need packing; the others are stored as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackedRow {
    /// The run that started it.
    pub parent: Option<String>,
    /// Which of its steps, as `[place, path]`.
    pub parent_step: Option<String>,
    /// Inputs in force.
    pub inputs: Option<String>,
    /// Output.
    pub output: Option<String>,
    /// Failure.
    pub error: Option<String>,
    /// Which columns stand apart: `{"output": "<sha-256>"}`.
    pub payloads: Option<String>,
    /// Those columns.
    pub apart: Vec<Apart>,
}

impl PackedRow {
    /// Packs what needs packing.
    pub fn pack(row: &RunRow) -> Result<Self, CodecError> {
        let mut references = BTreeMap::new();
        let mut apart = Vec::new();
        let mut keep = |column: &'static str, value: Option<String>| {
            let Some(large) = value.as_ref().filter(|it| it.len() > PAYLOAD_INLINE_BYTES_MAX)
            else {
                return Ok(value);
            };
            let payload = set_apart(large)?;
            references.insert(column, payload.hash.clone());
            apart.push(payload);
            Ok::<_, CodecError>(None)
        };
        let json = |value: &Value| (!value.is_null()).then(|| value.to_json());
        let inputs = keep("inputs", json(&row.inputs))?;
        let output = keep("output", json(&row.output))?;
        let error = row.error.as_ref().map(serde_json::to_string).transpose()?;
        let error = keep("error", error)?;
        let payloads = (!references.is_empty()).then(|| serde_json::to_string(&references));
        let parent = row.parent.as_ref();
        let parent_step = parent.map(|parent| serde_json::to_string(&parent.step)).transpose()?;
        Ok(Self {
            parent: parent.map(|parent| parent.run.to_string()),
            parent_step,
            inputs,
            output,
            error,
            payloads: payloads.transpose()?,
            apart,
        })
    }

    /// Lays the packed columns over a row that has all the others.
    pub fn unpack(
        self,
        row: &mut RunRow,
        mut fetch: impl FnMut(&str) -> Result<String, CodecError>,
    ) -> Result<(), CodecError> {
        let references: BTreeMap<String, String> = self
            .payloads
            .map_or_else(|| Ok(BTreeMap::new()), |text| serde_json::from_str(&text))?;
        let mut whole = |column: &str, kept: Option<String>| match references.get(column) {
            Some(hash) => fetch(hash).map(Some),
            None => Ok(kept),
        };
        let value = |text: Option<String>| text.map_or(Ok(Value::Null), |it| Value::from_json(&it));
        row.inputs = value(whole("inputs", self.inputs)?)?;
        row.output = value(whole("output", self.output)?)?;
        let error = whole("error", self.error)?;
        row.error = error.map(|text| serde_json::from_str(&text)).transpose()?;
        row.parent = match self.parent.zip(self.parent_step) {
            None => None,
            Some((run, step)) => {
                let known = RunId::parse(&run).ok_or(CodecError::Word(run, "run id"))?;
                Some(Parent { run: known, step: serde_json::from_str(&step)? })
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use opcode_model::{ErrorCode, Failure, StepIx, StepRef};

    use super::*;
    use crate::codec::expand;
    use crate::filter::blank_row;

    #[test]
    fn a_row_comes_back_as_it_was() {
        let mut row = blank_row();
        let step = StepRef { ix: StepIx(2), path: "a.b".into() };
        row.parent = Some(Parent { run: RunId([3; 16]), step });
        row.inputs = Value::object([("n", 0.1 + 0.2)]);
        row.output = "x".repeat(PAYLOAD_INLINE_BYTES_MAX).as_str().into();
        row.error = Some(Failure::new(ErrorCode::Timeout, "too \"late\""));
        let packed = PackedRow::pack(&row).unwrap();
        assert_eq!((packed.output.as_ref(), packed.apart.len()), (None, 1));
        let apart = packed.apart[0].clone();
        let mut again = blank_row();
        packed.unpack(&mut again, |hash| expand(hash, &apart.body)).unwrap();
        assert_eq!(again, row);
    }
}
