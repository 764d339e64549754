//! Circuit breakers that changed on the way to an answer are recorded with it, and change nothing else.
//!
//! Keeps: their events stand before what the answer made of the step.
//! Not here: the breakers (`opcode-actions`).

use std::sync::Arc;

use opcode_engine::plan;
use opcode_model::effect::BreakerChange;
use opcode_model::event::Breaker;
use opcode_model::{ErrorCode, Failure, InputKind, RunId, StepIx, Timestamp, Value};
use opcode_testkit::story::{Stage, StoryActions};

#[test]
fn breakers_that_changed_are_recorded_before_the_outcome() {
    let definition = r#"{"steps":[{"id":"a","action":"http.get"}]}"#;
    let plan = plan(&Value::from_json(definition).unwrap(), &StoryActions).unwrap();
    let mut stage = Stage::new(Arc::new(plan), RunId::derived(&["breakers"]), Timestamp(0));
    stage.give(InputKind::Start(Box::default())).unwrap();
    stage.settle();
    let breaker = Breaker {
        action: "http.get".into(),
        target: "example.test".into(),
        consecutive_failures: 5,
        cooldown_ms: 30_000,
    };
    let breakers = vec![
        BreakerChange::HalfOpened(breaker.clone()),
        BreakerChange::Closed(breaker.clone()),
        BreakerChange::Opened(breaker),
    ];
    let outcome = Err(Failure::new(ErrorCode::CircuitOpen, "held back"));
    let decision =
        stage.give(InputKind::Finished { step: StepIx(0), attempt: 1, outcome, breakers }).unwrap();
    let names: Vec<&str> = decision.events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(
        names,
        [
            "circuit_breaker_half_open",
            "circuit_breaker_closed",
            "circuit_breaker_open",
            "step_failed"
        ]
    );
    assert_eq!(stage.defects, Vec::<String>::new());
}
