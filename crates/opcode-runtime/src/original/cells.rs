//! Columns of the original's rows as our words.
//!
//! Keeps: what is not what it should be becomes text or nothing, never an error.
//! Not here: which columns there are (`mod.rs`, `history.rs`).

use std::sync::Arc;

use opcode_model::limits::{BUILT_DEPTH_MAX, WORKFLOW_OUTPUT_BYTES_MAX};
use opcode_model::{ErrorCode, Failure, Object, RunId, Timestamp, Value};

/// A column as text; nothing, where it is empty.
pub(super) fn text(row: &Object, column: &str) -> Option<Arc<str>> {
    let text = match row.find(column)? {
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into(),
        number @ (Value::Int(_) | Value::Float(_)) => number.to_json().into(),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A column that holds JSON; its text, where it is none, and a word about it where it is too much.
pub(super) fn json(row: &Object, column: &str) -> Value {
    let Some(text) = text(row, column) else { return Value::Null };
    if text.len() > WORKFLOW_OUTPUT_BYTES_MAX {
        let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
        return Value::object([("original_bytes", size)]);
    }
    let known = Value::from_json(&text).ok();
    // Where it goes it stands inside of more; what is too deep then could not be read back.
    let fits = |value: &Value| value.depth(BUILT_DEPTH_MAX + 1) <= BUILT_DEPTH_MAX;
    known.filter(fits).unwrap_or(Value::String(text))
}

/// A column that holds a moment.
pub(super) fn moment(row: &Object, column: &str) -> Option<Timestamp> {
    /// Seconds would be so large only after the year 5000.
    const MILLIS_FROM: i64 = 100_000_000_000;
    match row.find(column)?.as_i64() {
        Some(number) if number >= MILLIS_FROM => Some(Timestamp(number)),
        Some(number) => Some(Timestamp(number.checked_mul(1_000)?)),
        None => read_moment(&text(row, column)?),
    }
}

/// As Go and SQLite write them: `2026-11-20T15:41:07.3Z`, `2026-11-20 15:41:07`, `2026-11-20 15:41:07.3 +0000 UTC`.
fn read_moment(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let mut words = rest.split_ascii_whitespace();
    let time = words.next()?;
    let zone = match words.next() {
        Some(zone) if zone.len() == 5 && zone.is_ascii() => {
            format!("{}:{}", &zone[..3], &zone[3..])
        }
        Some(zone) if zone.contains(':') => zone.to_owned(),
        Some(_) => "Z".to_owned(),
        None if time.ends_with('Z') || time.contains(['+', '-']) => String::new(),
        None => "Z".to_owned(),
    };
    Timestamp::parse(&format!("{date}T{time}{zone}"))
}

/// Which run a workflow of the original is: the one of its id, or of one made of it, where that is no UUID.
pub(super) fn run_id(id: &Value, place: i64) -> RunId {
    let known = id.as_str().and_then(|text| RunId::parse(&text.to_lowercase()));
    let text = if id.is_null() { place.to_string() } else { id.to_json() };
    known.unwrap_or_else(|| RunId::derived(&["original", &text]))
}

/// What failed, as the original wrote it: `{code, message}`, `{error}` or `{reason}`.
pub(super) fn failure(value: &Value, otherwise: &str) -> Failure {
    let member = |name: &str| value.find(name).and_then(Value::as_str);
    let code = member("code").and_then(ErrorCode::parse).unwrap_or(ErrorCode::StepFailed);
    let said = ["message", "error", "reason"].into_iter().find_map(member);
    let message: Arc<str> = match said {
        Some(said) => said.into(),
        None if value.is_null() => otherwise.into(),
        None => value.to_text().into(),
    };
    let details = value.find("details").cloned().unwrap_or_default();
    let step_id = member("step_id").filter(|id| !id.is_empty()).map(Into::into);
    Failure { step_id, ..Failure::new(code, message).with_details(details) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_may_be_written() {
        let known = Timestamp::parse("2026-11-20T15:41:07.300Z");
        for text in [
            "2026-11-20T15:41:07.3Z",
            "2026-11-20 15:41:07.300000001",
            "2026-11-20 15:41:07.3 +0000 UTC",
            "2026-11-20T17:41:07.3+02:00",
            "2026-11-20 17:41:07.3 +02:00",
        ] {
            assert_eq!(read_moment(text), known, "{text}");
        }
        for text in ["", "then", "2026-11-20", "2026-11-20 ", "é é éé", "2026-11-20 1 ééééé"]
        {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }
}
