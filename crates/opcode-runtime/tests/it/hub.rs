//! What listeners and the log are told: after the commit, in order, nothing twice.
//!
//! Keeps: nobody sees what is not on disk.
//! Not here: how lines look (`opcode`).

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, OnceLock};

use opcode_model::{Event, EventKind, RunId, Seq};
use serde_json::json;
use tokio::sync::broadcast::error::TryRecvError;
use tracing::field::{Field, Visit};
use tracing::span;

use crate::gate::Gate;
use crate::hands::Hands;
use crate::kit::{house, house_over, request, step, steps, until};

#[tokio::test(flavor = "multi_thread")]
async fn notes_come_in_order_and_without_a_gap() {
    let house = house(4).await;
    let mut notes = house.engine.hub().listen();
    let definition = json!({"steps": [
        {"id": "l", "type": "loop", "config": {"over": "[1,2,3]", "concurrency": 3,
            "body": [step("x", "hand.idempotent", json!({"tag": "${{iter.item}}"}))]}}]});
    let mut runs = Vec::new();
    for _ in 0..10 {
        runs.push(house.start(&definition).await);
    }
    for run in &runs {
        house.completed(*run).await;
    }
    let mut told: BTreeMap<RunId, Vec<Event>> = BTreeMap::new();
    loop {
        match notes.try_recv() {
            Ok(note) => {
                let known = told.entry(note.run).or_default();
                assert_eq!(note.after, Seq(known.len() as u64), "of {}", note.run);
                known.extend(note.commit().events.iter().cloned());
            }
            Err(TryRecvError::Empty) => break,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(told.len(), runs.len());
    for (run, events) in told {
        assert_eq!(events, house.events(run).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_is_too_slow_is_told_how_much_it_missed() {
    let house = house(1).await;
    let mut notes = house.engine.hub().listen();
    let pure = steps(&[step("a", "hand.pure", json!({}))]);
    for _ in 0..4_200 {
        house.start(&pure).await;
    }
    assert!(matches!(notes.try_recv(), Err(TryRecvError::Lagged(missed)) if missed >= 104));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_before_it_is_on_disk() {
    listen_to_log();
    let house = house_over(Gate::new(), Hands::new(), 1).await;
    let mut notes = house.engine.hub().listen();
    let params = json!({"message": "here I am", "data": {"n": 1}});
    let definition = steps(&[
        step("say", "workflow.log", params),
        step("bare", "workflow.log", json!({"message": "no facts", "level": "warn"})),
        step("do", "hand.unsafe", json!({"tag": "t"})),
    ]);
    house.store.set(false);
    let engine = house.engine.clone();
    let asked = tokio::spawn(async move { engine.run(request(&definition)).await });
    until("a write waits", async || (house.store.came() > 0).then_some(())).await;
    assert_eq!(house.engine.running().await, 0, "no effect is out before its intent is on disk");
    assert!(matches!(notes.try_recv(), Err(TryRecvError::Empty)));
    assert_eq!(lines_of("here I am"), Vec::<String>::new());
    assert!(!asked.is_finished() && house.hands.ledger().calls.is_empty());
    house.store.set(true);
    asked.await.unwrap().unwrap();
    let lines = lines_of("here I am");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(r#"data={"n":1}"#) && lines[0].contains("step_id=say"), "{lines:?}");
    let lines = lines_of("no facts");
    assert!(lines.len() == 1 && !lines[0].contains("data"), "{lines:?}");
    assert!(lines[0].starts_with("WARN"), "{lines:?}");
    let note = notes.recv().await.unwrap();
    let names: Vec<_> = note.commit().events.iter().map(|event| event.kind.name()).collect();
    assert!(names.contains(&"message_logged") && note.after == Seq(0), "{names:?}");
    let logged = |event: &Event| matches!(event.kind, EventKind::MessageLogged(..));
    assert_eq!(note.commit().events.iter().filter(|event| logged(event)).count(), 2);
}

/// Lines of the log, as this test binary heard them.
static LINES: OnceLock<Mutex<Vec<String>>> = OnceLock::new();

fn lines_of(text: &str) -> Vec<String> {
    let lines = LINES.get_or_init(Mutex::default).lock().unwrap();
    lines.iter().filter(|line| line.contains(text)).cloned().collect()
}

fn listen_to_log() {
    tracing::subscriber::set_global_default(Ear).expect("one test listens");
}

/// Writes down events of the engine.
struct Ear;

impl tracing::Subscriber for Ear {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("opcode_runtime")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES.get_or_init(Mutex::default).lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}
