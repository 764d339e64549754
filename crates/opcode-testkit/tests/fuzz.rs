//! The fuzz targets in the ordinary test run: the stored corpus, then 30 seconds of mutation each, side by side.
//!
//! Keeps: `OPCODE_FUZZ_SECONDS` gives another span; a failure prints the input.
//! Not here: instrumented fuzzing (`fuzz/README.md`).

use std::path::Path;
use std::time::Duration;

use opcode_testkit::fuzz;

fn hammered(target: fn(&[u8]), name: &str) {
    let seconds = std::env::var("OPCODE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let seen = fuzz::hammer(target, &corpus, Duration::from_secs(seconds.unwrap_or(30)));
    assert!(seen > 100, "{name}: only {seen} inputs");
}

#[test]
fn definitions() {
    hammered(fuzz::definition, "definition");
}

#[test]
fn expressions() {
    hammered(fuzz::expression, "expression");
}

#[test]
fn expr() {
    hammered(fuzz::expr, "expr");
}

#[test]
fn jq() {
    hammered(fuzz::jq, "jq");
}

#[test]
fn templates() {
    hammered(fuzz::template, "template");
}

#[test]
fn event_rows() {
    hammered(fuzz::events, "events");
}
