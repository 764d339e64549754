//! What fuzzers feed: bytes in; no panic, no endless work, and nothing that reads back differently.
//!
//! Keeps: one function a target, shared by the ordinary test run and by the instrumented fuzzer in `fuzz/`.
//! Not here: mutation (`mutate.rs`), expressions' own entry points (`opcode_expr::fuzzing`).

mod mutate;

use std::sync::Arc;

use opcode_driver::{Command, Driver, Incoming, Settings, StartRun, Ticket};
use opcode_engine::plan;
use opcode_model::{Event, RunId, Start, Timestamp, Value};
use opcode_store::codec;

pub use mutate::hammer;

use crate::story::StoryActions;

/// Decisions a fuzzed definition may make before we have seen enough.
const POLLS_MAX: usize = 64;

/// Plans the bytes as a definition; if it can run, runs it as far as it goes without the world.
///
/// # Panics
/// If the house does.
pub fn definition(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(definition) = Value::from_json(text) else { return };
    let Ok(plan) = plan(&definition, &StoryActions) else { return };
    let again = Value::from_json(&plan.text).unwrap_or_default();
    assert_eq!(again.to_json(), *plan.text, "a stored definition reads back as it was");
    let now = Timestamp(1_790_000_000_000);
    let mut driver = Driver::new(Settings::default(), Arc::new(StoryActions));
    driver.handle(
        now,
        Incoming::Start(Box::new(StartRun {
            ticket: Ticket(1),
            run: RunId([1; 16]),
            fresh: true,
            plan: Arc::new(plan),
            start: Start::default(),
            catalog: Vec::new(),
            watch: true,
        })),
    );
    for _ in 0..POLLS_MAX {
        match driver.poll(now) {
            Some(Command::Commit { .. }) | None => return,
            Some(_) => {}
        }
    }
}

/// Reads the bytes as a row of events; what can be read must read back the same.
///
/// # Panics
/// If it does not.
pub fn events(data: &[u8]) {
    let Ok(events) = serde_json::from_slice::<Vec<Event>>(data) else { return };
    let Ok(packed) = codec::pack(&events) else { return };
    let text = serde_json::to_string(&events).unwrap_or_default();
    let again: Vec<Event> = serde_json::from_str(&text)
        .unwrap_or_else(|cause| panic!("written events cannot be read: {cause}"));
    let text_again = serde_json::to_string(&again).unwrap_or_default();
    assert_eq!(text_again, text, "events read back as they were");
    drop(packed);
}

/// Compiles and evaluates the bytes as CEL.
pub fn expression(data: &[u8]) {
    opcode_expr::fuzzing::fuzz_cel(data);
}

/// Compiles and evaluates the bytes as Expr.
pub fn expr(data: &[u8]) {
    opcode_expr::fuzzing::fuzz_expr(data);
}

/// Compiles and evaluates the bytes as jq.
pub fn jq(data: &[u8]) {
    opcode_expr::fuzzing::fuzz_jq(data);
}

/// Compiles and renders the bytes as text with `${{ }}` in it.
pub fn template(data: &[u8]) {
    opcode_expr::fuzzing::fuzz_template(data);
}
