//! Holds calls back from a target that keeps failing: after five failures in a row for 30 s, then one call may try.
//!
//! Keeps: one breaker per action *and* target; only the target's own errors count; a probe that nobody answers for
//! frees its place after a lease, so that a breaker can never stay half open.
//! Not here: a clock (callers say when), who the target is (`Action::target`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use opcode_model::action::Outcome;
use opcode_model::effect::BreakerChange;
use opcode_model::event::Breaker;
use opcode_model::{ErrorCode, Failure, Timestamp, Value};

/// Failures in a row that open a breaker.
pub const THRESHOLD: u32 = 5;
/// How long an open breaker holds calls back.
pub const COOLDOWN: Duration = Duration::from_secs(30);
/// How long a probe may go unanswered before another call may try.
pub const PROBE_LEASE: Duration = Duration::from_secs(60);
/// Breakers kept; beyond this the ones longest untouched are forgotten, closed ones first.
pub const BREAKERS_MAX: usize = 10_000;

/// All breakers of one server.
#[derive(Clone, Debug)]
pub struct Breakers {
    all: BTreeMap<(Arc<str>, Arc<str>), Entry>,
    cooldown: Duration,
}

impl Default for Breakers {
    fn default() -> Self {
        Self::new(COOLDOWN)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    state: State,
    failures: u32,
    touched: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { since: Timestamp },
    HalfOpen { probe: Option<Timestamp> },
}

impl Breakers {
    /// None has failed yet; open ones hold calls back for so long.
    pub fn new(cooldown: Duration) -> Self {
        Self { all: BTreeMap::new(), cooldown }
    }

    /// Whether a call may go out now, and what changed by asking.
    pub fn admit(
        &mut self,
        action: &str,
        target: &str,
        at: Timestamp,
    ) -> Result<Vec<BreakerChange>, Failure> {
        let key = (Arc::from(action), Arc::from(target));
        let Some(entry) = self.all.get_mut(&key) else { return Ok(Vec::new()) };
        let until = match entry.state {
            State::Closed => return Ok(Vec::new()),
            State::Open { since } => since.after(self.cooldown),
            State::HalfOpen { probe: Some(since) } => since.after(PROBE_LEASE),
            State::HalfOpen { probe: None } => at,
        };
        if until > at {
            return Err(refusal(&key, entry, until.since(at)));
        }
        let was_open = matches!(entry.state, State::Open { .. });
        entry.state = State::HalfOpen { probe: Some(at) };
        entry.touched = at;
        let half = BreakerChange::HalfOpened(facts(&key, entry.failures, Duration::ZERO));
        Ok(if was_open { vec![half] } else { Vec::new() })
    }

    /// Takes in how a call ended, and says what changed by it.
    pub fn record(
        &mut self,
        action: &str,
        target: &str,
        at: Timestamp,
        outcome: &Outcome,
    ) -> Vec<BreakerChange> {
        let key = (Arc::from(action), Arc::from(target));
        match outcome {
            Ok(_) => self.succeeded(&key),
            Err(failure) if counts(failure.code) => self.failed(key, at),
            Err(_) => {
                self.release(&key);
                Vec::new()
            }
        }
    }

    /// How many targets have failed lately.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether no target has failed lately.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn succeeded(&mut self, key: &(Arc<str>, Arc<str>)) -> Vec<BreakerChange> {
        match self.all.remove(key).map(|entry| entry.state) {
            None | Some(State::Closed) => Vec::new(),
            Some(State::Open { .. } | State::HalfOpen { .. }) => {
                vec![BreakerChange::Closed(facts(key, 0, Duration::ZERO))]
            }
        }
    }

    fn failed(&mut self, key: (Arc<str>, Arc<str>), at: Timestamp) -> Vec<BreakerChange> {
        self.make_room(&key);
        let fresh = Entry { state: State::Closed, failures: 0, touched: at };
        let entry = self.all.entry(key.clone()).or_insert(fresh);
        entry.failures = entry.failures.saturating_add(1);
        entry.touched = at;
        let opens = match entry.state {
            State::Closed => entry.failures >= THRESHOLD,
            State::Open { .. } => false,
            State::HalfOpen { .. } => true,
        };
        if !opens {
            return Vec::new();
        }
        entry.state = State::Open { since: at };
        vec![BreakerChange::Opened(facts(&key, entry.failures, self.cooldown))]
    }

    /// A probe that says nothing about its target leaves its place to another.
    fn release(&mut self, key: &(Arc<str>, Arc<str>)) {
        if let Some(entry) = self.all.get_mut(key)
            && matches!(entry.state, State::HalfOpen { .. })
        {
            entry.state = State::HalfOpen { probe: None };
        }
    }

    /// Forgets a tenth of the breakers when there are too many.
    fn make_room(&mut self, key: &(Arc<str>, Arc<str>)) {
        if self.all.len() < BREAKERS_MAX || self.all.contains_key(key) {
            return;
        }
        let age = |entry: &Entry| (entry.state != State::Closed, entry.touched);
        let mut ages: Vec<_> = self.all.values().map(age).collect();
        ages.sort_unstable();
        let limit = ages[BREAKERS_MAX / 10];
        let mut left = BREAKERS_MAX / 10;
        self.all.retain(|_, entry| {
            let goes = left > 0 && age(entry) <= limit;
            left -= usize::from(goes);
            !goes
        });
    }
}

/// Whether an error is the target's own.
fn counts(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Execution | ErrorCode::Timeout)
}

fn facts(key: &(Arc<str>, Arc<str>), failures: u32, cooldown: Duration) -> Breaker {
    Breaker {
        action: key.0.clone(),
        target: key.1.clone(),
        consecutive_failures: failures,
        cooldown_ms: millis(cooldown),
    }
}

fn refusal(key: &(Arc<str>, Arc<str>), entry: &Entry, left: Duration) -> Failure {
    let (action, target) = key;
    let (failures, left) = (entry.failures, millis(left));
    let (state, message) = match entry.state {
        State::HalfOpen { .. } => (
            "half_open",
            format!(
                "circuit breaker half-open for action \"{action}\" at {target}: one call is trying"
            ),
        ),
        State::Open { .. } | State::Closed => (
            "open",
            format!(
                "circuit breaker open for action \"{action}\" at {target}: \
                 {failures} consecutive failures, {left} ms of cooldown remaining"
            ),
        ),
    };
    let mut failure = Failure::new(ErrorCode::CircuitOpen, message).with_details(Value::object([
        ("action", Value::from(action.clone())),
        ("target", target.clone().into()),
        ("consecutive_failures", failures.into()),
        ("state", state.into()),
        ("cooldown_remaining_ms", left.into()),
    ]));
    failure.retry_after_ms = Some(left);
    failure
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
