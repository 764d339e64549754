//! What a plugin says on its standard error, and what became of it: the last of it.
//!
//! Keeps: a fixed room, whatever is poured in.
//! Not here: reading the stream (`connect.rs`).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use opcode_model::Timestamp;
use serde_json::{Value as Json, json};

/// Bytes of text kept.
const BYTES_MAX: usize = 64 << 10;
/// Bytes of one line.
const LINE_BYTES_MAX: usize = 4 << 10;

/// The last of what was said.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<Line>,
    bytes: usize,
}

#[derive(Debug)]
struct Line {
    at: Timestamp,
    by: &'static str,
    text: String,
}

impl Log {
    /// Keeps what the plugin said.
    pub(super) fn heard(&self, at: Timestamp, text: String) {
        self.push(Line { at, by: "plugin", text });
    }

    /// Keeps what became of it.
    pub(super) fn noted(&self, at: Timestamp, text: String) {
        self.push(Line { at, by: "opcode", text });
    }

    fn push(&self, mut line: Line) {
        line.text.truncate(line.text.floor_char_boundary(LINE_BYTES_MAX));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += line.text.len();
        kept.lines.push_back(line);
        while kept.bytes > BYTES_MAX || kept.lines.len() > BYTES_MAX / 16 {
            let Some(oldest) = kept.lines.pop_front() else { return };
            kept.bytes -= oldest.text.len();
        }
    }

    /// All of it, oldest first.
    pub(super) fn told(&self) -> Vec<Json> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line =
            |line: &Line| json!({"at": line.at.to_string(), "by": line.by, "text": line.text});
        kept.lines.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_the_last_of_it() {
        let log = Log::default();
        for number in 0..100_000 {
            log.heard(Timestamp(number), format!("line {number} {}", "x".repeat(100)));
        }
        log.heard(Timestamp(0), "é".repeat(10_000));
        let told = log.told();
        let bytes: usize = told.iter().map(|line| line["text"].as_str().unwrap().len()).sum();
        assert!(bytes <= BYTES_MAX && told.len() > 400, "{bytes} in {}", told.len());
        assert!(told[told.len() - 2]["text"].as_str().unwrap().starts_with("line 99999 "));
    }
}
