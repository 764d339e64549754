//! Which trace of somebody else's a run belongs to: W3C Trace Context's `traceparent`, and the ids we give ourselves.
//!
//! Keeps: ids are made of a run's own names, so that a restart and a second telling find the same ones.
//! Not here: sending spans (the binary).
//!
//! Source: <https://www.w3.org/TR/trace-context/#traceparent-header>.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::ids::RunId;

/// A place in a trace: what `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The whole trace; never all zeros.
    pub trace: [u8; 16],
    /// The span that calls; never all zeros.
    pub span: [u8; 8],
    /// Whether somebody keeps this trace.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Reads `00-<32 digits>-<16 digits>-<2 digits>`; later versions may say more behind it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let version = hex::<1>(parts.next()?)?[0];
        let (trace, span) = (hex::<16>(parts.next()?)?, hex::<8>(parts.next()?)?);
        let flags = hex::<1>(parts.next()?)?[0];
        let is_whole = version != 0xff && (version != 0 || parts.next().is_none());
        let is_named = trace != [0; 16] && span != [0; 8];
        (is_whole && is_named).then_some(Self { trace, span, is_sampled: flags & 1 == 1 })
    }

    /// The same trace, as a step sees it that calls on: named by the step's idempotency key.
    #[must_use]
    pub fn of_step(self, key: &str) -> Self {
        Self { span: step_span(key), ..self }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        self.trace.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("-")?;
        self.span.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "-{:02x}", u8::from(self.is_sampled))
    }
}

/// The span of a run.
pub fn run_span(run: RunId) -> [u8; 8] {
    short(&run.0)
}

/// The span of a step, over all its attempts: what its idempotency key names.
pub fn step_span(key: &str) -> [u8; 8] {
    short(key.as_bytes())
}

fn short(name: &[u8]) -> [u8; 8] {
    let mut span = [0; 8];
    span.copy_from_slice(&Sha256::digest(name)[..8]);
    span
}

/// Exactly so many bytes, in small digits.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_small = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == 2 * N && text.bytes().all(is_small)).then_some(())?;
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_reads_back_what_it_prints() {
        let read = TraceParent::parse(GIVEN).unwrap();
        assert_eq!((read.to_string().as_str(), read.is_sampled), (GIVEN, true));
        let step = read.of_step("k");
        assert_eq!(step.trace, read.trace);
        assert_ne!(step.span, read.span);
        let later = TraceParent::parse(&format!("01{}-more", &GIVEN[2..])).unwrap();
        assert_eq!(later, read);
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-ébf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }
}
