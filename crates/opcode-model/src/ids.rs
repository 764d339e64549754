//! Names of things: runs, steps, attempts, sequences.
//!
//! Keeps: an id is a newtype; a step is named by its place in the run and by its full path.
//! Not here: minting (the shell draws run ids; a child's id is derived below).

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Names one run: the reference's `workflow_id`, a UUID as 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub [u8; 16]);

impl RunId {
    /// A run id that depends only on `parts`: how a child, or a start with an idempotency key, is named.
    pub fn derived(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// Reads the usual text form, `8-4-4-4-12` hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let mut digits = text.bytes().filter(|byte| *byte != b'-');
        for byte in &mut bytes {
            let high = char::from(digits.next()?).to_digit(16)?;
            let low = char::from(digits.next()?).to_digit(16)?;
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        let id = Self(bytes);
        (id.to_string().eq_ignore_ascii_case(text)).then_some(id)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A step's place in its run: the order in which the run came to know of it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct StepIx(pub u32);

impl StepIx {
    /// As an index into the run's steps.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// A step of a run: its place, and the full path people call it by (`outer.iter_0.inner`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepRef {
    /// Place in the run.
    pub ix: StepIx,
    /// Full path, the reference's `step_id`.
    pub path: Arc<str>,
}

impl fmt::Display for StepRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Position of an event in its run: 1, 2, 3 … without a gap. 0 is before the first.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Seq(pub u64);

/// Content hash of a stored definition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionHash(pub [u8; 32]);

impl DefinitionHash {
    /// Hash of a definition's canonical JSON text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        (text.len() == 64 && text.is_ascii()).then_some(())?;
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What every attempt of one step carries, so that the outside can tell a repeat from a new wish:
/// base32(sha256(`v1`, run, full step id, generation)), 32 characters.
pub fn idempotency_key(run: RunId, path: &str, generation: u32) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = Sha256::digest(format!("v1|{run}|{path}|{generation}"));
    let mut text = String::with_capacity(32);
    for chunk in digest[..20].chunks(5) {
        let word = chunk.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            text.push(char::from(LETTERS[(word >> (5 * place) & 31) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_read_back_what_they_print() {
        let id = RunId::derived(&["a", "b"]);
        assert_eq!(RunId::parse(&id.to_string()), Some(id));
        assert_eq!(RunId::parse("nope"), None);
        assert_ne!(id, RunId::derived(&["ab"]));
    }

    #[test]
    fn keys_are_stable_and_32_letters() {
        let key = idempotency_key(RunId([7; 16]), "l.iter_0.a", 0);
        assert_eq!(key.len(), 32);
        assert_eq!(key, idempotency_key(RunId([7; 16]), "l.iter_0.a", 0));
        assert_ne!(key, idempotency_key(RunId([7; 16]), "l.iter_0.a", 1));
    }
}
