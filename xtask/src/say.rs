//! The only door to the terminal: data to stdout, talk to stderr.
//!
//! Keeps: a closed pipe ends nothing.
//! Not here: colour.

use std::io::Write;

/// A line of data.
pub fn say(line: &str) {
    best_effort(writeln!(std::io::stdout().lock(), "{line}"));
}

/// A line of talk.
pub fn talk(line: &str) {
    best_effort(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Whoever closed the pipe has read enough.
fn best_effort(outcome: std::io::Result<()>) {
    drop(outcome);
}
