//! What did happen: the events of a run, the only truth there is.
//!
//! Keeps: names and payload keys as the reference has them; every event says when and, for a step, which.
//! Not here: how events pack into rows (`opcode-store`), what they change (`opcode-engine`'s `apply`).

use std::sync::Arc;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Failure;
use crate::ids::{DefinitionHash, RunId, StepIx, StepRef};
use crate::secret::SecretSlot;
use crate::signal::Signal;
use crate::time::Timestamp;
use crate::value::Value;

/// One thing that happened, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

macro_rules! events {
    (
        run { $($run:ident($run_payload:ty) = $run_name:literal,)* }
        step { $($step:ident($step_payload:ty) = $step_name:literal,)* }
    ) => {
        /// What happened. Variants of a step carry the step first.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "each variant is documented at its payload and in docs/reference/events.md")]
        pub enum EventKind {
            $($run($run_payload),)*
            $($step(StepRef, $step_payload),)*
        }

        impl EventKind {
            /// Every event name there is.
            pub const NAMES: &'static [&'static str] = &[$($run_name,)* $($step_name,)*];

            /// The event's name as stored and shown.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$run(_) => $run_name,)*
                    $(Self::$step(..) => $step_name,)*
                }
            }

            /// The step it is about, if it is about one.
            pub fn step(&self) -> Option<&StepRef> {
                match self {
                    $(Self::$run(_) => None,)*
                    $(Self::$step(step, _) => Some(step),)*
                }
            }

            fn write_payload<S: SerializeSeq>(&self, row: &mut S) -> Result<(), S::Error> {
                match self {
                    $(Self::$run(payload) => row.serialize_element(payload),)*
                    $(Self::$step(_, payload) => row.serialize_element(payload),)*
                }
            }

            fn read_payload<'de, A: SeqAccess<'de>>(
                name: &str,
                step: Option<StepRef>,
                row: &mut A,
            ) -> Result<Self, A::Error> {
                let lost = || A::Error::custom("an event row ends before its payload");
                let nameless = || A::Error::custom("an event of a step names no step");
                match name {
                    $($run_name => Ok(Self::$run(row.next_element()?.ok_or_else(lost)?)),)*
                    $($step_name => {
                        let payload = row.next_element()?.ok_or_else(lost)?;
                        Ok(Self::$step(step.ok_or_else(nameless)?, payload))
                    })*
                    other => Err(A::Error::custom(format!("unknown event `{other}`"))),
                }
            }
        }
    };
}

events! {
    run {
        WorkflowStarted(Box<Started>) = "workflow_started",
        WorkflowSuspended(Suspended) = "workflow_suspended",
        WorkflowResumed(Nothing) = "workflow_resumed",
        WorkflowTimedOut(TimedOut) = "workflow_timed_out",
        WorkflowInterrupted(Reason) = "workflow_interrupted",
        WorkflowEnding(Box<Ending>) = "workflow_ending",
        WorkflowCompleted(Completed) = "workflow_completed",
        WorkflowFailed(Failed) = "workflow_failed",
        WorkflowCancelled(Reason) = "workflow_cancelled",
        HookStarted(HookStarted) = "hook_started",
        ContextUpdated(ContextUpdate) = "context_updated",
        SignalReceived(Box<Signal>) = "signal_received",
        OriginalEvent(Box<Original>) = "original_event",
    }
    step {
        StepStarted(StepStarted) = "step_started",
        StepCompleted(StepCompleted) = "step_completed",
        StepFailed(Box<StepFailed>) = "step_failed",
        StepSkipped(StepSkipped) = "step_skipped",
        StepSuspended(Nothing) = "step_suspended",
        StepStopping(Box<Stopping>) = "step_stopping",
        StepInterrupted(Interrupted) = "step_interrupted",
        StepReset(Reset) = "step_reset",
        StepRetryAttempt(Box<RetryAttempt>) = "step_retry_attempt",
        StepRetrying(Box<Retrying>) = "step_retrying",
        ErrorHandlerInvoked(Box<Handler>) = "error_handler_invoked",
        StepIgnored(Box<Handler>) = "step_ignored",
        StepFallback(Box<Fallback>) = "step_fallback",
        DecisionRequested(Box<DecisionRequest>) = "decision_requested",
        DecisionResolved(Box<Resolution>) = "decision_resolved",
        DecisionCancelled(Reason) = "decision_cancelled",
        ConditionEvaluated(ConditionEvaluated) = "condition_evaluated",
        LoopIterStarted(Iteration) = "loop_iter_started",
        LoopIterCompleted(Iteration) = "loop_iter_completed",
        LoopCompleted(Nothing) = "loop_completed",
        ParallelStarted(ParallelStarted) = "parallel_started",
        ParallelCompleted(Nothing) = "parallel_completed",
        WaitStarted(WaitStarted) = "wait_started",
        WaitCompleted(Nothing) = "wait_completed",
        ChildStarted(Box<ChildStarted>) = "child_started",
        ChildSuspended(Nothing) = "child_suspended",
        ChildResumed(Nothing) = "child_resumed",
        ChildFinished(Box<ChildFinished>) = "child_finished",
        MessageLogged(Box<Logged>) = "message_logged",
        EventEmitted(Box<Emitted>) = "event_emitted",
        AgentNotified(Box<Notified>) = "agent_notified",
        CircuitBreakerOpen(Box<Breaker>) = "circuit_breaker_open",
        CircuitBreakerHalfOpen(Box<Breaker>) = "circuit_breaker_half_open",
        CircuitBreakerClosed(Box<Breaker>) = "circuit_breaker_closed",
    }
}

/// `[at, name, step place | null, step path | null, payload]`: flat, so that a person and SQL can read it.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(Some(5))?;
        row.serialize_element(&self.at.0)?;
        row.serialize_element(self.kind.name())?;
        match self.kind.step() {
            Some(step) => {
                row.serialize_element(&step.ix.0)?;
                row.serialize_element(step.path.as_ref())?;
            }
            None => {
                row.serialize_element(&())?;
                row.serialize_element(&())?;
            }
        }
        self.kind.write_payload(&mut row)?;
        row.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;
        impl<'de> Visitor<'de> for Row {
            type Value = Event;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("[at, name, step place, step path, payload]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Event, A::Error> {
                let lost = || A::Error::custom("an event row is too short");
                let at = Timestamp(row.next_element()?.ok_or_else(lost)?);
                let name: &'de str = row.next_element()?.ok_or_else(lost)?;
                let ix: Option<u32> = row.next_element()?.ok_or_else(lost)?;
                let path: Option<Arc<str>> = row.next_element()?.ok_or_else(lost)?;
                let step = ix.zip(path).map(|(ix, path)| StepRef { ix: StepIx(ix), path });
                Ok(Event { at, kind: EventKind::read_payload(name, step, &mut row)? })
            }
        }
        deserializer.deserialize_seq(Row)
    }
}

macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_attr:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_attr])* pub $field: $ty,)* }
    };
}

/// A payload that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing;

payload! {
    /// A run began: what runs, for whom, with what.
    Started {
        /// The definition, stored once under this hash.
        definition: DefinitionHash,
        /// Title of the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Arc<str>>,
        /// Template it came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template_name: Option<Arc<str>>,
        /// Version of that template, pinned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template_version: Option<Arc<str>>,
        /// Whose run it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<Arc<str>>,
        /// Inputs in force, defaults laid under.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        inputs: Value,
        /// Who started it, if another run did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<Parent>,
        /// How many workflows it stands inside of.
        #[serde(default, skip_serializing_if = "is_zero")]
        depth: u32,
        /// Fingerprint of the request that chose this run's id, when a key did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Arc<str>>,
        /// The trace of somebody else's that it belongs to, as `traceparent` has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<Arc<str>>,
    }
}

payload! {
    /// The run and step that started a child.
    Parent {
        /// The parent.
        run: RunId,
        /// Its step.
        step: StepRef,
    }
}

payload! {
    /// Why nothing moves: a decision is open, or a time limit stopped the run.
    Suspended {
        /// Which of the two.
        reason: SuspendReason,
    }
}

/// Why a run is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuspendReason {
    /// A decision, its own or a descendant's, is open and nothing else moves.
    Decision,
    /// Its time limit stopped it (`on_timeout: suspend`).
    Timeout,
}

payload! {
    /// The run used up its time.
    TimedOut {
        /// The limit, in milliseconds.
        limit_ms: u64,
        /// `fail`, `suspend` or `cancel`.
        on_timeout: Arc<str>,
    }
}

payload! {
    /// Why, in words.
    Reason {
        /// Why.
        reason: Arc<str>,
    }
}

payload! {
    /// The outcome is decided; what still runs is being stopped, then hooks run.
    Ending {
        /// `completed`, `failed` or `cancelled`.
        status: crate::status::RunStatus,
        /// What failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
        /// The output, if it completed.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        output: Value,
        /// Why it was cancelled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    }
}

payload! {
    /// The run is done.
    Completed {
        /// Its output.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        output: Value,
    }
}

payload! {
    /// The run failed.
    Failed {
        /// Why.
        error: Failure,
    }
}

payload! {
    /// A hook began.
    HookStarted {
        /// `on_complete` or `on_error`.
        hook: Arc<str>,
        /// Its body's place in the definition.
        body: u32,
    }
}

payload! {
    /// Keys were laid over the run's context.
    ContextUpdate {
        /// Those keys.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
        /// New notes, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_notes: Option<Arc<str>>,
    }
}

/// What kind of work a started step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Pure; computed in line.
    Compute,
    /// An outside effect; performed after the commit.
    Perform,
    /// A condition, loop or parallel step; its bodies do the work.
    Flow,
    /// A wait for time or a signal.
    Wait,
    /// A question; somebody answers.
    Ask,
}

payload! {
    /// An attempt of a step began. For outside effects this is the intent, on disk before the effect.
    StepStarted {
        /// What kind of work.
        work: Work,
        /// 1 for the first attempt.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        attempt: u32,
        /// Resolved parameters (secrets by name only), or the items of a loop.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        input: Value,
        /// Where secrets go.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secrets: Vec<SecretSlot>,
        /// When the engine's own timer ends this attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
    }
}

payload! {
    /// A step is done.
    StepCompleted {
        /// Its output.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        output: Value,
    }
}

payload! {
    /// A step failed for good.
    StepFailed {
        /// Why.
        error: Failure,
    }
}

payload! {
    /// A step will not run, or will not go on.
    StepSkipped {
        /// Why.
        reason: SkipReason,
        /// In words, where there is more to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<Arc<str>>,
    }
}

/// Why a step was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Its guard was false.
    Guard,
    /// It is a fallback nobody needed.
    NotNeeded,
    /// A step it depends on failed (`failure_mode: branch`).
    DependencyFailed,
    /// A sibling failed and the rest was stopped.
    SiblingFailed,
    /// Another branch won the race.
    RaceLost,
    /// The step around it ran out of time or was retried.
    Stopped,
    /// The workflow was cancelled or timed out.
    Cancelled,
    /// A signal said so.
    Signal,
    /// The loop had ended.
    LoopEnded,
}

payload! {
    /// A step that goes on was told to stop, and everything below it.
    Stopping {
        /// Why; what it will be skipped for, unless it fails.
        because: SkipReason,
        /// What it fails with once all below it has stopped (a time limit).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
    }
}

payload! {
    /// An attempt was cut short by a restart.
    Interrupted {
        /// Which attempt.
        attempt: u32,
        /// What follows: `retry`, `fail` or `ask`.
        policy: crate::action::OnInterrupted,
    }
}

payload! {
    /// Somebody said: run it again.
    Reset {
        /// Higher than any before it in the run; the idempotency key depends on it.
        generation: u32,
    }
}

payload! {
    /// An attempt failed and another will follow.
    RetryAttempt {
        /// Full path of the step.
        step_id: Arc<str>,
        /// Which retry this will be, from 1.
        attempt: u32,
        /// How many retries there may be.
        max_attempts: u32,
        /// What failed, as text.
        error: Arc<str>,
        /// Always true here.
        retryable: bool,
    }
}

payload! {
    /// The step waits before its next attempt.
    Retrying {
        /// When that is.
        until: Timestamp,
        /// What failed.
        error: Failure,
    }
}

payload! {
    /// `on_error` took over.
    Handler {
        /// `ignore`, `fail_workflow`, `fallback_step` or `retry`.
        strategy: Arc<str>,
        /// Full path of the step.
        step_id: Arc<str>,
        /// What failed, as text.
        error: Arc<str>,
        /// The step that takes over, or empty.
        fallback: Arc<str>,
    }
}

payload! {
    /// Another step takes over.
    Fallback {
        /// Full path of the step that failed.
        original_step: Arc<str>,
        /// Full path of the one that takes over.
        fallback_step: Arc<str>,
        /// What failed, as text.
        original_error: Arc<str>,
    }
}

/// What a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// A reasoning step asks.
    Reasoning,
    /// An attempt may or may not have happened.
    InDoubt,
}

payload! {
    /// A question for a person or an agent.
    DecisionRequest {
        /// `<workflow>_<step>`.
        id: Arc<str>,
        /// What it is about.
        kind: DecisionKind,
        /// The author's words.
        prompt_context: Arc<str>,
        /// Facts beside them.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data_inject: Value,
        /// What may be chosen; anything, if empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        options: Vec<ChoiceOption>,
        /// What is chosen when time runs out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fallback: Option<Arc<str>>,
        /// Who must answer; anyone, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target_agent: Option<Arc<str>>,
        /// When time runs out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_at: Option<Timestamp>,
    }
}

payload! {
    /// One thing that may be chosen.
    ChoiceOption {
        /// What to answer.
        id: Arc<str>,
        /// What it means.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Arc<str>>,
    }
}

payload! {
    /// The answer to a question; final.
    Resolution {
        /// What was chosen.
        choice: Arc<str>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reasoning: Option<Arc<str>>,
        /// Facts beside it.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
        /// Who chose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resolved_by: Option<Arc<str>>,
    }
}

payload! {
    /// A condition looked at its expression.
    ConditionEvaluated {
        /// The expression.
        expression: Arc<str>,
        /// The branch key it gave.
        result: Arc<str>,
        /// The branch that runs (`default` for the default), if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<Arc<str>>,
        /// Its place among the step's branches; the default comes last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slot: Option<u32>,
    }
}

payload! {
    /// An iteration of a loop.
    Iteration {
        /// From 0.
        iteration: u32,
        /// Its item, in a `for_each`.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        item: Value,
        /// Whether no iteration will begin after it.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
    }
}

payload! {
    /// The branches of a parallel step begin.
    ParallelStarted {
        /// `all` or `race`.
        mode: Arc<str>,
        /// How many.
        branches: u32,
    }
}

payload! {
    /// A wait began.
    WaitStarted {
        /// The span, or empty.
        duration: Arc<str>,
        /// The signal's name, or empty.
        signal: Arc<str>,
        /// When the span ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    }
}

payload! {
    /// A child was told to start.
    ChildStarted {
        /// The child.
        workflow_id: RunId,
        /// Its template.
        template_name: Arc<str>,
        /// Its version, if one was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template_version: Option<Arc<str>>,
    }
}

payload! {
    /// A child told how it ended.
    ChildFinished {
        /// How.
        status: crate::status::RunStatus,
        /// Its output.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        output: Value,
        /// What failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
    }
}

payload! {
    /// `workflow.log` spoke.
    Logged {
        /// `debug`, `info`, `warn` or `error`.
        level: Arc<str>,
        /// What it said.
        message: Arc<str>,
        /// Facts beside it.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
    }
}

payload! {
    /// `workflow.emit` published.
    Emitted {
        /// The author's name for it.
        event_type: Arc<str>,
        /// Its content.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        payload: Value,
    }
}

payload! {
    /// `workflow.notify` called the run's agent.
    Notified {
        /// What it said.
        message: Arc<str>,
        /// Facts beside it.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
    }
}

payload! {
    /// An event of the original OPCODE, as it stood in its database; it changes nothing here.
    Original {
        /// Its type there.
        event_type: Arc<str>,
        /// The step it was about, if it was about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_id: Option<Arc<str>>,
        /// Its payload; text, where that was no JSON.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        payload: Value,
    }
}

payload! {
    /// A circuit breaker changed while this step called its target.
    Breaker {
        /// The action.
        action: Arc<str>,
        /// Host, program or plugin.
        target: Arc<str>,
        /// Failures in a row.
        consecutive_failures: u32,
        /// Milliseconds until it lets a call through.
        #[serde(default, skip_serializing_if = "is_zero_u64")]
        cooldown_ms: u64,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
fn one() -> u32 {
    1
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(n: &u32) -> bool {
    *n == 1
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero_u64(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_back_what_they_write() {
        let step = StepRef { ix: StepIx(3), path: "l.iter_0.h".into() };
        let events = vec![
            Event { at: Timestamp(7), kind: EventKind::WorkflowResumed(Nothing) },
            Event {
                at: Timestamp(8),
                kind: EventKind::StepStarted(
                    step,
                    StepStarted {
                        work: Work::Perform,
                        attempt: 2,
                        input: Value::object([("url", "x")]),
                        secrets: vec![],
                        deadline: None,
                    },
                ),
            },
        ];
        let text = serde_json::to_string(&events).unwrap();
        assert_eq!(
            text,
            r#"[[7,"workflow_resumed",null,null,null],[8,"step_started",3,"l.iter_0.h",{"work":"perform","attempt":2,"input":{"url":"x"}}]]"#
        );
        assert_eq!(serde_json::from_str::<Vec<Event>>(&text).unwrap(), events);
    }
}
