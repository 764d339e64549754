//! `opcode.status`: where a run is, what its steps came to, what it waits for, and what happened last.
//!
//! Keeps: small unless asked for more; only what is on disk is told.
//! Not here: waiting (`run.rs`).

use opcode_model::{ErrorCode, Failure, Seq, StepStatus};
use opcode_runtime::{Role, StatusView, shapes};
use opcode_store::EventFilter;
use serde_json::{Value as Json, json};

use super::{Desk, Page, next_for, param, schema};
use crate::answer::{Answer, Refused};
use crate::args::Args;
use crate::bounds::{bound, bound_event};

/// Events told when nobody asked for more.
const EVENTS: u64 = 20;
/// Events told at once.
const EVENTS_MAX: usize = 1_000;
/// Steps named in a summary.
const NAMED: usize = 8;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A few sentences.
    Summary,
    /// Everything, large outputs by their beginning, the last events.
    Default,
    /// Everything.
    Full,
}

const DETAILS: [(&str, Detail); 3] =
    [("summary", Detail::Summary), ("default", Detail::Default), ("full", Detail::Full)];

pub(super) fn page() -> Page {
    Page {
        name: "opcode.status",
        title: "Workflow status",
        about: "Where a workflow is: steps, open decisions, waits, error, last events. Large outputs are shown by output_preview with output_uri.",
        input: schema(
            &["workflow_id"],
            json!({
                "workflow_id": param("string", ""),
                "detail": {"type": "string", "enum": DETAILS.map(|(word, _)| word)},
                "include": {"type": "array", "items": {"enum": ["steps", "events", "context"]}},
                "cursor": param("string", "events after this one"),
            }),
        ),
        output: &[
            ("workflow_id", "string"),
            ("status", "string"),
            ("error", "object"),
            ("steps", "object"),
            ("pending_decisions", "array"),
            ("events", "array"),
            ("events_cursor", "string"),
            ("next", "string"),
        ],
        hints: [true, false, true, false],
    }
}

pub(super) async fn call(desk: &Desk<'_>, args: &Args) -> Result<Answer, Refused> {
    desk.may(Role::Viewer, "opcode.status")?;
    let run = args.workflow("workflow_id")?;
    let otherwise = if desk.is_full { Detail::Full } else { Detail::Default };
    let detail = args.word("detail", &DETAILS)?.unwrap_or(otherwise);
    let view =
        desk.engine.reader().status(run).await.map_err(|failure| {
            super::refused(failure, r#"opcode.query {"resource":"workflows"}"#)
        })?;
    if let Some(cursor) = args.text("cursor")? {
        return page_of(desk, &view, &cursor).await;
    }
    let mut answer = of(desk, &view, detail).await?;
    if let Some(wanted) = args.find("include").and_then(Json::as_array) {
        let is_wanted = |name: &str| wanted.iter().any(|one| one == name);
        for part in ["steps", "events", "context"] {
            if !is_wanted(part)
                && let Some(object) = answer.as_object_mut()
            {
                object.remove(part);
            }
        }
    }
    if let Some(next) = next_for(&view) {
        answer["next"] = next.into();
    }
    Ok(Answer::Object(answer))
}

/// A run, told with so much detail.
pub(crate) async fn of(
    desk: &Desk<'_>,
    view: &StatusView,
    detail: Detail,
) -> Result<Json, Failure> {
    if detail == Detail::Summary {
        return Ok(summary(view));
    }
    let mut answer = shapes::status(view);
    let last = view.run.state.seq.0;
    let after = if detail == Detail::Full { 0 } else { last.saturating_sub(EVENTS) };
    let (mut events, cursor) = events(desk, view, after).await?;
    if detail == Detail::Default {
        bound(&mut answer);
        events.iter_mut().for_each(bound_event);
    }
    answer["events"] = events.into();
    if let Some(cursor) = cursor {
        answer["events_cursor"] = cursor.into();
    }
    Ok(answer)
}

/// Events after a place, and the cursor for those that follow, if there are more.
async fn events(
    desk: &Desk<'_>,
    view: &StatusView,
    after: u64,
) -> Result<(Vec<Json>, Option<String>), Failure> {
    let filter = EventFilter {
        run: Some(view.run.id),
        after: Seq(after),
        limit: EVENTS_MAX,
        ..EventFilter::default()
    };
    let records = desk.engine.reader().events(filter).await?;
    let last = records.last().map_or(after, |record| record.seq.0);
    let more = last < view.run.state.seq.0;
    Ok((records.iter().map(shapes::event).collect(), more.then(|| last.to_string())))
}

async fn page_of(desk: &Desk<'_>, view: &StatusView, cursor: &str) -> Result<Answer, Refused> {
    let after = cursor.parse().map_err(|_| {
        let message = format!("cursor `{cursor}` is none of ours");
        Failure::new(ErrorCode::Validation, message)
    })?;
    let (mut events, cursor) = events(desk, view, after).await?;
    if !desk.is_full {
        events.iter_mut().for_each(bound_event);
    }
    let status = view.result.status;
    let mut answer = json!({"workflow_id": view.run.id, "status": status, "events": events});
    if let Some(cursor) = cursor {
        answer["events_cursor"] = cursor.into();
    }
    Ok(Answer::Object(answer))
}

/// A few sentences.
fn summary(view: &StatusView) -> Json {
    let steps = &view.result.steps;
    let of = |status: StepStatus| {
        let named = steps.values().filter(move |step| step.status == status);
        named.map(|step| step.step_id.to_string()).collect::<Vec<_>>()
    };
    let mut said =
        vec![format!("{} of {} steps completed", of(StepStatus::Completed).len(), steps.len())];
    let rest = [
        ("failed", StepStatus::Failed),
        ("running", StepStatus::Running),
        ("retrying", StepStatus::Retrying),
        ("waits for somebody", StepStatus::Suspended),
    ];
    for (word, status) in rest {
        let names = of(status);
        if !names.is_empty() {
            let more = names.len().saturating_sub(NAMED);
            let shown = names.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            said.push(format!("{word}: {shown}{more}"));
        }
    }
    let mut answer = json!({
        "workflow_id": view.run.id,
        "status": view.result.status,
        "summary": said.join("; "),
    });
    if let Some(error) = &view.result.error {
        let message: String = error.message.chars().take(300).collect();
        answer["error"] = json!({"code": error.code, "message": message});
    }
    if !view.decisions.is_empty() {
        let open = view.decisions.iter().take(3).map(|row| {
            let prompt: String = row.request.prompt_context.chars().take(80).collect();
            json!({"step_id": row.step.path, "prompt": prompt})
        });
        answer["pending_decisions"] = open.collect();
    }
    answer
}
