//! One event on one line.
//!
//! Keeps: sequence, time since the workflow began, name, step, and what matters of the rest.
//! Not here: the whole payload (JSON has it).

use opcode_model::{Event, EventKind, Seq, Timestamp};
use opcode_runtime::shapes::payload;
use serde_json::Value as Json;

use crate::say::Paint;
use crate::show::age::span;
use crate::show::cut;

/// A line of a log.
pub(crate) fn line(seq: Seq, event: &Event, began: Timestamp, paint: Paint) -> String {
    let at = format!("+{}", span(event.at.since(began)));
    let step = event.kind.step().map_or("", |step| step.path.as_ref());
    let step = format!("{step:<10}");
    let name = format!("{:<22}", event.kind.name());
    let used = 6 + 9 + 23 + step.chars().count() + 2;
    let left = crate::say::width().saturating_sub(used).max(24);
    let rest = cut(&facts(&event.kind), left);
    let line =
        format!("{:>5} {at:>8}  {} {step}  {}", seq.0, tint(event, &name, paint), paint.dim(&rest));
    line.trim_end().to_owned()
}

fn tint(event: &Event, name: &str, paint: Paint) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only a few are worth a colour")]
    match &event.kind {
        EventKind::WorkflowCompleted(_) | EventKind::StepCompleted(..) => paint.green(name),
        EventKind::WorkflowFailed(_)
        | EventKind::WorkflowCancelled(_)
        | EventKind::WorkflowTimedOut(_)
        | EventKind::StepFailed(..) => paint.red(name),
        EventKind::WorkflowSuspended(_)
        | EventKind::DecisionRequested(..)
        | EventKind::StepRetrying(..)
        | EventKind::StepSuspended(..) => paint.yellow(name),
        _ => name.to_owned(),
    }
}

/// What the payload says, shortest first.
fn facts(kind: &EventKind) -> String {
    let payload = payload(kind);
    let error = payload.get("error").filter(|error| error.is_object());
    if let Some(error) = error {
        let text = |key: &str| error.get(key).and_then(Json::as_str).unwrap_or_default();
        return format!("[{}] {}", text("code"), text("message"));
    }
    let Some(object) = payload.as_object() else { return String::new() };
    let boring = ["definition", "step_id", "id", "work", "request", "slot", "body", "retryable"];
    let pairs = object.iter().filter(|(key, value)| {
        !boring.contains(&key.as_str()) && !value.is_null() && value.as_str() != Some("")
    });
    let pairs = pairs.map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}={value}"),
    });
    pairs.collect::<Vec<_>>().join(" ")
}
