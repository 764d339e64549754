//! The breaker opens, waits, tries once, and never sticks.
//!
//! Keeps: time is what the test says it is.
//! Not here: who asks it (`opcode-runtime`).

use opcode_actions::breaker::{BREAKERS_MAX, Breakers, COOLDOWN, PROBE_LEASE, THRESHOLD};
use opcode_model::effect::BreakerChange;
use opcode_model::{ErrorCode, Failure, Outcome, Timestamp, Value};

const T0: Timestamp = Timestamp(1_000_000);

fn fails(code: ErrorCode) -> Outcome {
    Err(Failure::new(code, "no"))
}

fn opened(breakers: &mut Breakers) -> Timestamp {
    for nth in 1..=THRESHOLD {
        assert_eq!(breakers.admit("http.get", "a:80", T0).unwrap(), []);
        let changes = breakers.record("http.get", "a:80", T0, &fails(ErrorCode::Execution));
        assert_eq!(changes.len(), usize::from(nth == THRESHOLD));
    }
    T0
}

#[test]
fn five_failures_open_it_for_that_target_only() {
    let mut breakers = Breakers::default();
    let at = opened(&mut breakers);
    let refusal = breakers.admit("http.get", "a:80", at).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (ErrorCode::CircuitOpen, Some(30_000)));
    let details = r#"{"action":"http.get","consecutive_failures":5,"cooldown_remaining_ms":30000,"state":"open","target":"a:80"}"#;
    assert_eq!(refusal.details.to_json(), details);
    assert!(breakers.admit("http.get", "b:80", at).is_ok());
    assert!(breakers.admit("http.post", "a:80", at).is_ok());
}

#[test]
fn after_the_cooldown_one_call_tries_and_success_closes() {
    let mut breakers = Breakers::default();
    let later = opened(&mut breakers).after(COOLDOWN);
    assert!(matches!(
        breakers.admit("http.get", "a:80", later).unwrap()[..],
        [BreakerChange::HalfOpened(_)]
    ));
    let refusal = breakers.admit("http.get", "a:80", later).unwrap_err();
    assert_eq!(refusal.details.find("state"), Some(&"half_open".into()));
    let changes = breakers.record("http.get", "a:80", later, &Ok(Value::Null));
    assert!(matches!(changes[..], [BreakerChange::Closed(_)]));
    assert_eq!(breakers.admit("http.get", "a:80", later).unwrap(), []);
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let mut breakers = Breakers::default();
    let later = opened(&mut breakers).after(COOLDOWN);
    breakers.admit("http.get", "a:80", later).unwrap();
    let changes = breakers.record("http.get", "a:80", later, &fails(ErrorCode::Timeout));
    let [BreakerChange::Opened(facts)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((facts.consecutive_failures, facts.cooldown_ms), (6, 30_000));
    assert!(breakers.admit("http.get", "a:80", later).is_err());
    assert!(breakers.admit("http.get", "a:80", later.after(COOLDOWN)).is_ok());
}

#[test]
fn a_probe_that_says_nothing_of_its_target_leaves_its_place() {
    let mut breakers = Breakers::default();
    let later = opened(&mut breakers).after(COOLDOWN);
    for code in [ErrorCode::Cancelled, ErrorCode::Validation, ErrorCode::PathDenied] {
        assert!(breakers.admit("http.get", "a:80", later).is_ok(), "{code}");
        assert_eq!(breakers.record("http.get", "a:80", later, &fails(code)), []);
    }
    assert!(breakers.admit("http.get", "a:80", later).is_ok());
}

#[test]
fn a_probe_that_is_lost_frees_its_place_after_its_lease() {
    let mut breakers = Breakers::default();
    let later = opened(&mut breakers).after(COOLDOWN);
    breakers.admit("http.get", "a:80", later).unwrap();
    let refusal = breakers.admit("http.get", "a:80", later).unwrap_err();
    assert_eq!(refusal.retry_after_ms, Some(60_000));
    assert_eq!(breakers.admit("http.get", "a:80", later.after(PROBE_LEASE)).unwrap(), []);
}

#[test]
fn only_errors_of_the_target_count_and_success_forgets_them() {
    let mut breakers = Breakers::default();
    for code in ErrorCode::ALL {
        for _ in 0..THRESHOLD {
            breakers.record("shell.exec", code.text(), T0, &fails(*code));
        }
        let counts = matches!(code, ErrorCode::Execution | ErrorCode::Timeout);
        assert_eq!(breakers.admit("shell.exec", code.text(), T0).is_err(), counts, "{code}");
    }
    for _ in 0..10 {
        for _ in 1..THRESHOLD {
            breakers.record("http.get", "a:80", T0, &fails(ErrorCode::Execution));
        }
        assert_eq!(breakers.record("http.get", "a:80", T0, &Ok(Value::Null)), []);
    }
    assert!(breakers.admit("http.get", "a:80", T0).is_ok());
}

#[test]
fn late_answers_while_open_change_nothing() {
    let mut breakers = Breakers::default();
    let at = opened(&mut breakers);
    assert_eq!(breakers.record("http.get", "a:80", at, &fails(ErrorCode::Execution)), []);
    assert!(breakers.admit("http.get", "a:80", at.after(COOLDOWN)).is_ok());
}

#[test]
fn many_targets_are_bounded_and_open_ones_stay_longest() {
    let mut breakers = Breakers::default();
    let at = opened(&mut breakers);
    for nth in 0..3 * BREAKERS_MAX {
        let when = Timestamp(at.0 + 1 + nth as i64);
        breakers.record("http.get", &format!("host-{nth}:80"), when, &fails(ErrorCode::Execution));
    }
    assert!(breakers.len() <= BREAKERS_MAX);
    assert!(breakers.admit("http.get", "a:80", at).is_err());
}
