//! A commit as one row: its events as JSON text, large payloads apart, and a hash that holds the row to the one before.
//!
//! Keeps: what is read is what was written, or an error; every byte of a row is under its hash, a payload by its own.
//! Not here: tables (`opcode-store-sqlite`), what the events mean.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use opcode_model::commit::Position;
use opcode_model::limits::{EVALUATION_BYTES_MAX, PAYLOAD_INLINE_BYTES_MAX};
use opcode_model::{Event, RunId, Seq};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// Bytes one payload may have once it is unpacked again: the largest value there is, every character of it escaped.
const PAYLOAD_BYTES_MAX: u64 = 8 * EVALUATION_BYTES_MAX;

/// Events as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    /// `[[at, name, step place, step path, payload], …]`; `null` in place of a payload that stands apart.
    pub body: String,
    /// Which payloads stand apart: `{"<index of the event>": "<sha-256 of the payload>"}`.
    pub payloads: Option<String>,
    /// Those payloads.
    pub apart: Vec<Apart>,
}

/// One payload that is stored under its own hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Apart {
    /// SHA-256 of the text, as 64 hex digits.
    pub hash: String,
    /// Bytes of the text.
    pub size: usize,
    /// The text, zlib-compressed.
    pub body: Vec<u8>,
}

/// Why a row could not be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Not the JSON it should be.
    #[error("not the expected JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Not text.
    #[error("not UTF-8 text")]
    Text,
    /// A payload that stands apart does not unpack.
    #[error("payload {0} does not unpack")]
    Squeezed(String),
    /// A payload that stands apart is not the one that was stored.
    #[error("payload {0} does not match its hash")]
    Forged(String),
    /// A payload that stands apart is not there.
    #[error("payload {0} is missing")]
    Missing(String),
    /// A word of a row is not one we know.
    #[error("{0} is not a {1}")]
    Word(String, &'static str),
}

/// Packs the events of one commit.
pub fn pack(events: &[Event]) -> Result<Packed, CodecError> {
    let mut body = Vec::with_capacity(2 + 128 * events.len());
    let mut references: BTreeMap<usize, String> = BTreeMap::new();
    let mut apart = Vec::new();
    body.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        let start = body.len();
        serde_json::to_writer(&mut body, event)?;
        if body.len() - start > PAYLOAD_INLINE_BYTES_MAX {
            let place = start + head_len(event)?;
            let payload = set_apart(text(&body[place..body.len() - 1])?)?;
            body.truncate(place);
            body.extend_from_slice(b"null]");
            references.insert(index, payload.hash.clone());
            apart.push(payload);
        }
    }
    body.push(b']');
    let body = String::from_utf8(body).map_err(|_| CodecError::Text)?;
    let payloads = (!references.is_empty()).then(|| serde_json::to_string(&references));
    Ok(Packed { body, payloads: payloads.transpose()?, apart })
}

/// Unpacks the events of one commit; `fetch` finds the payloads that stand apart.
pub fn unpack(
    body: &[u8],
    payloads: Option<&[u8]>,
    mut fetch: impl FnMut(&str) -> Result<String, CodecError>,
) -> Result<Vec<Event>, CodecError> {
    let body = text(body)?;
    let Some(payloads) = payloads else { return Ok(serde_json::from_str(body)?) };
    let references: BTreeMap<usize, String> = serde_json::from_str(text(payloads)?)?;
    let rows: Vec<&RawValue> = serde_json::from_str(body)?;
    let unpack_one = |(index, row): (usize, &&RawValue)| {
        let Some(hash) = references.get(&index) else {
            return Ok(serde_json::from_str(row.get())?);
        };
        let misplaced = || CodecError::Word(row.get().to_owned(), "row without its payload");
        let head = row.get().strip_suffix("null]").ok_or_else(misplaced)?;
        Ok(serde_json::from_str(&format!("{head}{}]", fetch(hash)?))?)
    };
    rows.iter().enumerate().map(unpack_one).collect()
}

/// The hashes that a row refers to.
pub fn references(payloads: &[u8]) -> Result<Vec<String>, CodecError> {
    let references: BTreeMap<String, String> = serde_json::from_str(text(payloads)?)?;
    Ok(references.into_values().collect())
}

/// One row of a run's chain, as far as its hash covers it.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Which run.
    pub run: RunId,
    /// First event.
    pub first: Seq,
    /// Last event.
    pub last: Seq,
    /// The events.
    pub body: &'a [u8],
    /// Which payloads stand apart.
    pub payloads: Option<&'a [u8]>,
}

/// The hash of a row: SHA-256 over the hash of the row before and all of this one.
pub fn chain(previous: &[u8; 32], link: Link<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(link.run.0);
    hash.update(link.first.0.to_be_bytes());
    hash.update(link.last.0.to_be_bytes());
    hash.update((link.body.len() as u64).to_be_bytes());
    hash.update(link.body);
    hash.update(link.payloads.unwrap_or_default());
    hash.finalize().into()
}

/// The hash of an entry of the audit log: SHA-256 over the hash of the one before and all of this one.
pub fn entry(previous: &[u8; 32], key: &str, at: i64, body: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update((key.len() as u64).to_be_bytes());
    hash.update(key.as_bytes());
    hash.update(at.to_be_bytes());
    hash.update(body.as_bytes());
    hash.finalize().into()
}

/// The hash of a line of an export: SHA-256 over the hash of the line before and all of this one.
pub fn line(previous: &[u8; 32], text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(text.as_bytes());
    hash.finalize().into()
}

/// The hash of a snapshot: it holds the text to its run and to its place in the log.
pub fn seal(run: RunId, at: Position, snapshot: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(run.0);
    hash.update(at.seq.0.to_be_bytes());
    hash.update(at.head);
    hash.update(snapshot.as_bytes());
    hash.finalize().into()
}

/// Makes of a text what is stored under its hash.
pub fn set_apart(payload: &str) -> Result<Apart, CodecError> {
    let hash = hash_of(payload);
    let mut squeeze = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let body = squeeze.write_all(payload.as_bytes()).and_then(|()| squeeze.finish());
    let body = body.map_err(|_| CodecError::Squeezed(hash.clone()))?;
    Ok(Apart { hash, size: payload.len(), body })
}

/// The text stored under `hash`, checked against it.
pub fn expand(hash: &str, body: &[u8]) -> Result<String, CodecError> {
    let mut payload = String::new();
    let mut squeezed = flate2::read::ZlibDecoder::new(body).take(PAYLOAD_BYTES_MAX);
    squeezed.read_to_string(&mut payload).map_err(|_| CodecError::Squeezed(hash.to_owned()))?;
    if hash_of(&payload) == hash { Ok(payload) } else { Err(CodecError::Forged(hash.to_owned())) }
}

/// Any bytes as text.
pub fn text(bytes: &[u8]) -> Result<&str, CodecError> {
    std::str::from_utf8(bytes).map_err(|_| CodecError::Text)
}

fn hash_of(payload: &str) -> String {
    hex(&Sha256::digest(payload.as_bytes()))
}

/// Bytes as hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of an event's row before its payload.
fn head_len(event: &Event) -> Result<usize, CodecError> {
    #[derive(Serialize)]
    struct Head<'a>(i64, &'a str, Option<u32>, Option<&'a str>);
    let step = event.kind.step();
    let (place, path) = (step.map(|step| step.ix.0), step.map(|step| &*step.path));
    // The closing bracket stands where the comma before the payload does.
    Ok(serde_json::to_string(&Head(event.at.0, event.kind.name(), place, path))?.len())
}

#[cfg(test)]
mod tests {
    use opcode_model::event::{EventKind, Nothing, StepCompleted};
    use opcode_model::{StepIx, StepRef, Timestamp, Value};

    use super::*;

    fn completed(output: Value) -> Event {
        let step = StepRef { ix: StepIx(4), path: "a.\"é\".b".into() };
        Event { at: Timestamp(5), kind: EventKind::StepCompleted(step, StepCompleted { output }) }
    }

    #[test]
    fn a_large_payload_stands_apart_and_comes_back() {
        let large = "né\n".repeat(PAYLOAD_INLINE_BYTES_MAX);
        let resumed = Event { at: Timestamp(9), kind: EventKind::WorkflowResumed(Nothing) };
        let events = vec![
            completed(1.into()),
            completed(large.as_str().into()),
            resumed,
            completed(Value::object([("payloads", "{\"1\":\"x\"}")])),
        ];
        let packed = pack(&events).unwrap();
        assert!(packed.body.len() < 1_000, "{}", packed.body);
        assert_eq!(packed.apart.len(), 1);
        assert!(packed.apart[0].body.len() < large.len() / 10);
        let payloads = packed.payloads.as_deref().map(str::as_bytes);
        let fetch = |hash: &str| expand(hash, &packed.apart[0].body);
        assert_eq!(unpack(packed.body.as_bytes(), payloads, fetch).unwrap(), events);
        assert_eq!(references(payloads.unwrap()).unwrap(), [packed.apart[0].hash.clone()]);
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let packed =
            pack(&[completed("x".repeat(PAYLOAD_INLINE_BYTES_MAX).as_str().into())]).unwrap();
        let payloads = packed.payloads.as_deref().map(str::as_bytes);
        let squeezed = &packed.apart[0].body;
        for at in 0..squeezed.len() * 8 {
            let mut bent = squeezed.clone();
            bent[at / 8] ^= 1 << (at % 8);
            // Zlib's own header has bits that say nothing; all that changes the text is found.
            if let Ok(text) = expand(&packed.apart[0].hash, &bent) {
                assert_eq!(hash_of(&text), packed.apart[0].hash);
            }
        }
        let missing = |hash: &str| Err(CodecError::Missing(hash.to_owned()));
        assert!(unpack(packed.body.as_bytes(), payloads, missing).is_err());
        for at in 0..packed.body.len() * 8 {
            let mut bent = packed.body.clone().into_bytes();
            bent[at / 8] ^= 1 << (at % 8);
            let known = unpack(&bent, payloads, |hash| expand(hash, squeezed));
            drop(known);
        }
    }

    #[test]
    fn the_chain_covers_every_column() {
        let link = Link {
            run: RunId([1; 16]),
            first: Seq(1),
            last: Seq(2),
            body: b"[1]",
            payloads: Some(b"{}"),
        };
        let hashes = [
            chain(&[0; 32], link),
            chain(&[1; 32], link),
            chain(&[0; 32], Link { run: RunId([2; 16]), ..link }),
            chain(&[0; 32], Link { first: Seq(2), ..link }),
            chain(&[0; 32], Link { last: Seq(3), ..link }),
            chain(&[0; 32], Link { body: b"[2]", ..link }),
            chain(&[0; 32], Link { body: b"[1]{}", payloads: None, ..link }),
        ];
        let different: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(different.len(), hashes.len());
    }
}
