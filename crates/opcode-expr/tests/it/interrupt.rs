//! An evaluation whose caller gave up.
//!
//! Keeps: it ends as interrupted in every language; what needs few steps is answered without asking.
//! Not here: budgets (`hostile.rs` and its like).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opcode_expr::{EvalErrorKind, Language, Meter, ObjectScope, Program};
use opcode_model::{ErrorCode, Object, Timestamp, Value};

const LONG: [(Language, &str); 3] = [
    (Language::Cel, "l.all(a, l.all(b, l.all(c, a + b + c >= 0)))"),
    (Language::Expr, "all(1..9000, all(1..9000, # > 0))"),
    (Language::Jq, "last(range(1e9))"),
];

fn evaluate(language: Language, text: &str, mut meter: Meter) -> Result<Value, EvalErrorKind> {
    let variables = Object::from_pairs(vec![("l".into(), Value::list((0..300).map(Value::Int)))]);
    let program = Program::compile_open(language, text).unwrap();
    let scope = ObjectScope::new(&variables, Timestamp(0));
    program.evaluate(&scope, &mut meter).map_err(|error| {
        let interrupted = error.kind == EvalErrorKind::Interrupted;
        assert_eq!(error.to_failure().code == ErrorCode::Cancelled, interrupted);
        error.kind
    })
}

#[test]
fn whoever_gives_up_is_heard() {
    for (language, text) in LONG {
        let (asked, count) = (Arc::new(AtomicU64::new(0)), 100);
        let asking = asked.clone();
        let meter = Meter::default()
            .with_interrupt(move || asking.fetch_add(1, Ordering::Relaxed) + 1 == count);
        let ended = evaluate(language, text, meter);
        assert_eq!(ended, Err(EvalErrorKind::Interrupted), "{text}");
        assert_eq!(asked.load(Ordering::Relaxed), count, "{text}");
    }
}

#[test]
fn nobody_is_asked_more_often_than_said() {
    for (language, text) in LONG {
        let asked = Arc::new(AtomicU64::new(0));
        let asking = asked.clone();
        let meter = Meter::new(100_000, 64 << 20).with_interrupt(move || {
            asking.fetch_add(1, Ordering::Relaxed);
            false
        });
        let ended = evaluate(language, text, meter);
        assert!(matches!(ended, Err(EvalErrorKind::Limit { .. })), "{text}: {ended:?}");
        let asked = asked.load(Ordering::Relaxed);
        assert!((50..=100_000 / 1_024).contains(&asked), "{text}: asked {asked} times");
    }
}

#[test]
fn what_is_short_is_answered() {
    for (language, text) in
        [(Language::Cel, "1 + 1"), (Language::Expr, "1 + 1"), (Language::Jq, "1 + 1")]
    {
        let ended = evaluate(language, text, Meter::default().with_interrupt(|| true));
        assert_eq!(ended, Ok(Value::Int(2)));
    }
}
