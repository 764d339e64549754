//! An attempt failed: try again, ignore it, let another step take over, or fail the step.
//!
//! Keeps: a pause never overflows and never undercuts what the target, or its breaker, asked for.
//! Not here: what a failed step means for its body (`apply/settle.rs`, `cancel.rs`).

use std::sync::Arc;
use std::time::Duration;

use opcode_model::event::{
    EventKind, Fallback, Handler, RetryAttempt, Retrying, StepCompleted, StepFailed,
};
use opcode_model::limits::{OUTPUT_BYTES_MAX, VALUE_DEPTH_MAX};
use opcode_model::{ErrorCode, Failure, StepIx, Value, idempotency_key};

use super::draft::Draft;
use crate::plan::{Backoff, OnError, Retry};
use crate::run::{Run, Step};

/// Says what follows from a failed attempt.
pub(super) fn fail_step(draft: &mut Draft<'_>, ix: StepIx, failure: Failure) {
    let failure = bounded(failure);
    let step = draft.step(ix);
    let retry = &draft.plan_of(ix).retry;
    let may_retry = may_retry(retry, step, &failure) && step.retries < retry.max;
    if may_retry && !draft.run.is_being_stopped(ix) {
        let wanted = retry.only.contains(&ErrorCode::InDoubt);
        if let Some(doubtful) = draft.run.in_doubt_below(ix).filter(|_| !wanted) {
            return give_up(draft, ix, in_doubt(doubtful, &failure));
        }
        return try_again(draft, ix, failure.in_step(&step.path));
    }
    give_up(draft, ix, failure);
}

/// Says what follows once no retry will: also from a guard that could not be worked out, which no retry would cure.
pub(super) fn give_up(draft: &mut Draft<'_>, ix: StepIx, failure: Failure) {
    let failure = bounded(failure).in_step(&draft.step(ix).path);
    if draft.run.is_being_stopped(ix) {
        return fail(draft, ix, failure);
    }
    match draft.plan_of(ix).on_error {
        OnError::None => {}
        OnError::Fail | OnError::Retry => handler(draft, ix, &failure, None),
        OnError::Ignore => return ignore(draft, ix, &failure),
        OnError::Fallback => return fall_back(draft, ix, failure),
    }
    fail(draft, ix, failure);
}

/// To try again all that a step holds would do again what may have happened, and its author said not to do that unasked.
fn in_doubt(doubtful: &Arc<str>, cause: &Failure) -> Failure {
    let message = format!("not tried again, because step {doubtful} may have happened: {cause}");
    Failure::new(ErrorCode::InDoubt, message)
}

/// A failure fit to be recorded, and to be the cause of others in workflows around this one: its message tells all of
/// them, its details are left out once they are too much.
fn bounded(failure: Failure) -> Failure {
    let details = &failure.details;
    let is_deep = details.depth(VALUE_DEPTH_MAX + 1) > VALUE_DEPTH_MAX;
    if !is_deep && details.weight(OUTPUT_BYTES_MAX) <= OUTPUT_BYTES_MAX {
        return failure;
    }
    let omitted = if is_deep { "nested too deep" } else { "too large" };
    failure.with_details(Value::object([("omitted", omitted)]))
}

/// The step failed for good.
fn fail(draft: &mut Draft<'_>, ix: StepIx, error: Failure) {
    let name = draft.name(ix);
    draft.emit(EventKind::StepFailed(name, Box::new(StepFailed { error })));
}

/// A retry that is held back by its target's breaker waits until that lets somebody try: it was the step's own failures
/// that opened it, or others' at the same target.
fn may_retry(retry: &Retry, step: &Step, failure: &Failure) -> bool {
    if retry.only.is_empty() {
        let is_held_back = failure.code == ErrorCode::CircuitOpen && step.retries > 0;
        failure.code.retryable() || is_held_back
    } else {
        retry.only.contains(&failure.code)
    }
}

fn try_again(draft: &mut Draft<'_>, ix: StepIx, error: Failure) {
    let step = draft.step(ix);
    let retry = &draft.plan_of(ix).retry;
    let asked = Duration::from_millis(error.retry_after_ms.unwrap_or(0));
    let mut pause = pause(retry, step.retries);
    if retry.jitter {
        pause = pause.mul_f64(chance(draft.run, ix, step.retries));
    }
    let until = draft.at.after(pause.max(asked));
    let name = draft.name(ix);
    let attempt = RetryAttempt {
        step_id: name.path.clone(),
        attempt: step.retries + 1,
        max_attempts: retry.max,
        error: seen_from(&error, &name.path),
        retryable: true,
    };
    draft.emit(EventKind::StepRetryAttempt(name.clone(), Box::new(attempt)));
    draft.emit(EventKind::StepRetrying(name, Box::new(Retrying { until, error })));
}

/// A failure as text, its place named only if it is another step.
fn seen_from(failure: &Failure, path: &Arc<str>) -> Arc<str> {
    let elsewhere = failure.step_id.clone().filter(|step| step != path);
    Failure { step_id: elsewhere, ..failure.clone() }.to_string().into()
}

/// The pause before retry `made + 1`.
pub(super) fn pause(retry: &Retry, made: u32) -> Duration {
    let factor = match retry.backoff {
        Backoff::Constant => 1,
        Backoff::Linear => made.saturating_add(1),
        Backoff::Exponential => 1_u32.checked_shl(made).unwrap_or(u32::MAX),
    };
    let longest = retry.max_delay.unwrap_or(retry.delay.max(Duration::from_secs(24 * 3600)));
    retry.delay.saturating_mul(factor).min(longest)
}

/// A number from 0 to 1 that depends only on the step and the retry: the same in every replay.
fn chance(run: &Run, ix: StepIx, retries: u32) -> f64 {
    let key = idempotency_key(run.id, &run.step(ix).path, retries);
    let word = key.bytes().take(8).fold(0_u64, |word, byte| word << 5 | u64::from(byte & 31));
    (word & 0xff_ffff_ffff) as f64 / 0x100_0000_0000_u64 as f64
}

fn handler(draft: &mut Draft<'_>, ix: StepIx, failure: &Failure, fallback: Option<Arc<str>>) {
    let payload = handled(draft, ix, failure, fallback);
    let name = draft.name(ix);
    draft.emit(EventKind::ErrorHandlerInvoked(name, Box::new(payload)));
}

fn handled(
    draft: &Draft<'_>,
    ix: StepIx,
    failure: &Failure,
    fallback: Option<Arc<str>>,
) -> Handler {
    Handler {
        strategy: draft.plan_of(ix).on_error.text().into(),
        step_id: draft.step(ix).path.clone(),
        error: seen_from(failure, &draft.step(ix).path),
        fallback: fallback.unwrap_or_else(|| "".into()),
    }
}

fn ignore(draft: &mut Draft<'_>, ix: StepIx, failure: &Failure) {
    handler(draft, ix, failure, None);
    let name = draft.name(ix);
    let payload = handled(draft, ix, failure, None);
    draft.emit(EventKind::StepIgnored(name.clone(), Box::new(payload)));
    let output = [("ignored", Value::Bool(true)), ("error", failure.to_value())];
    let output = Value::object(output);
    draft.emit(EventKind::StepCompleted(name, StepCompleted { output }));
}

fn fall_back(draft: &mut Draft<'_>, ix: StepIx, failure: Failure) {
    let step = draft.step(ix);
    let node = draft.run.shape.node(draft.run.node_of(step));
    let Some(target) = node.fallback else { return fail(draft, ix, failure) };
    let target = draft.step(draft.run.sibling(step, target)).path.clone();
    handler(draft, ix, &failure, Some(target.clone()));
    let name = draft.name(ix);
    let payload = Fallback {
        original_step: name.path.clone(),
        fallback_step: target,
        original_error: seen_from(&failure, &name.path),
    };
    draft.emit(EventKind::StepFallback(name, Box::new(payload)));
    fail(draft, ix, failure);
}

/// The step, or the nearest around it, that has used up its retries.
fn spent<'a>(draft: &Draft<'a>, ix: StepIx) -> Option<&'a Step> {
    let outward =
        std::iter::successors(Some(ix), |ix| draft.run.frame(draft.step(*ix).frame).owner);
    let is_spent = |ix: &StepIx| {
        let max = draft.plan_of(*ix).retry.max;
        max > 0 && draft.step(*ix).retries >= max
    };
    outward.into_iter().find(is_spent).map(|ix| draft.step(ix))
}

/// A step's failure, as the failure of the whole.
pub(super) fn of_the_run(draft: &Draft<'_>, failure: &Failure) -> Failure {
    let place = failure.step_id.as_deref();
    let name = place.unwrap_or("?");
    let text = Failure { step_id: None, ..failure.clone() }.to_string();
    let spent = place.and_then(|path| draft.run.by_path(path)).and_then(|ix| spent(draft, ix));
    let (code, message) = match spent {
        Some(step) => {
            let (path, attempts) = (&step.path, step.retries + 1);
            let text = if path.as_ref() == name { text } else { failure.to_string() };
            let message =
                format!("step {path}: retries exhausted after {attempts} attempts: {text}");
            (ErrorCode::RetryExhausted, message)
        }
        _ if !failure.code.retryable() => {
            (ErrorCode::NonRetryable, format!("step {name}: non-retryable error: {text}"))
        }
        _ => (ErrorCode::StepFailed, format!("step {name}: {text}")),
    };
    Failure {
        code,
        message: message.into(),
        details: Value::object([("cause", failure.to_value())]),
        step_id: failure.step_id.clone(),
        retry_after_ms: None,
    }
}
