//! JSON for machines, in the words and shapes that clients of the reference know.
//!
//! Keeps: field names are promises; empty optional fields are left out.
//! Not here: the result of a run, which has its shape in `opcode-model`.

use opcode_model::{Event, EventKind, RunId, Timestamp};
use opcode_store::{DecisionRow, EventRecord, Report, RunSummary};
use serde_json::{Map, Value as Json, json};

use crate::reader::{StatusView, WaitView};
use crate::secrets::SecretUse;
use crate::templates::Template;
use crate::tokens::Token;

/// Leaves out what is null.
fn lean(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let kept: Map<String, Json> =
                map.into_iter().filter(|(_, value)| !value.is_null()).collect();
            Json::Object(kept)
        }
        other @ (Json::Null
        | Json::Bool(_)
        | Json::Number(_)
        | Json::String(_)
        | Json::Array(_)) => other,
    }
}

fn text(moment: Timestamp) -> String {
    moment.to_string()
}

/// A workflow in a list.
pub fn workflow(summary: &RunSummary) -> Json {
    let row = &summary.row;
    lean(json!({
        "id": summary.run,
        "name": row.name,
        "template_name": row.template_name,
        "template_version": row.template_version,
        "definition_hash": row.definition.to_string(),
        "status": row.status,
        "agent_id": row.agent_id,
        "parent_workflow_id": row.parent.as_ref().map(|parent| parent.run),
        "parent_step_id": row.parent.as_ref().map(|parent| parent.step.path.clone()),
        "input_params": row.inputs,
        "output": row.output,
        "error": row.error,
        "pending_decisions": row.open_decisions,
        "due_at": row.due_at.map(text),
        "created_at": text(row.created_at),
        "completed_at": row.completed_at.map(text),
        "updated_at": text(row.updated_at),
    }))
}

/// A question, open or closed.
pub fn decision(row: &DecisionRow) -> Json {
    let request = &row.request;
    lean(json!({
        "id": request.id,
        "workflow_id": row.run,
        "step_id": row.step.path,
        "target_agent_id": request.target_agent,
        "context": lean(json!({
            "prompt_context": request.prompt_context,
            "data_inject": request.data_inject,
        })),
        "options": request.options,
        "timeout_at": request.timeout_at.map(text),
        "fallback": request.fallback,
        "resolution": row.resolution,
        "resolved_by": row.resolution.as_ref().and_then(|answer| answer.resolved_by.clone()),
        "resolved_at": row.resolved_at.map(text),
        "status": row.status,
        "created_at": text(row.created_at),
    }))
}

/// An event's payload, as it is stored.
pub fn payload(kind: &EventKind) -> Json {
    let event = Event { at: Timestamp(0), kind: kind.clone() };
    match serde_json::to_value(&event) {
        Ok(Json::Array(mut row)) => row.pop().unwrap_or_default(),
        Ok(_) | Err(_) => Json::Null,
    }
}

/// An event.
pub fn event(record: &EventRecord) -> Json {
    lean(json!({
        "workflow_id": record.run,
        "sequence": record.seq.0,
        "step_id": record.event.kind.step().map(|step| step.path.clone()),
        "event_type": record.event.kind.name(),
        "payload": payload(&record.event.kind),
        "timestamp": text(record.event.at),
    }))
}

/// A template.
pub fn template(template: &Template) -> Json {
    lean(json!({
        "name": template.name,
        "version": template.version,
        "description": template.description,
        "definition": template.definition,
        "agent_id": template.agent_id,
        "created_at": text(template.created_at),
    }))
}

/// A workflow with its steps, what it waits for, and its context.
pub fn status(view: &StatusView) -> Json {
    let mut json = serde_json::to_value(&view.result).unwrap_or_default();
    let Some(object) = json.as_object_mut() else { return json };
    if !view.decisions.is_empty() {
        let one = |row: &DecisionRow| {
            let mut shape = decision(row);
            if let Some(step) = view.opened_by.get(&row.run) {
                shape["opened_by"] = step.as_str().into();
            }
            shape
        };
        let decisions = view.decisions.iter().map(one).collect();
        object.insert("pending_decisions".to_owned(), decisions);
    }
    if !view.waits.is_empty() {
        let wait = |wait: &WaitView| {
            lean(json!({
                "workflow_id": wait.run,
                "step_id": wait.step_id,
                "signal": wait.signal,
                "timeout_at": wait.until.map(text),
            }))
        };
        object.insert("waits".to_owned(), view.waits.iter().map(wait).collect());
    }
    if !view.context.is_null() {
        object.insert("context".to_owned(), view.context.to_serde());
    }
    json
}

/// That a signal was taken.
pub fn taken(run: RunId, kind: opcode_model::SignalKind) -> Json {
    json!({"ok": true, "workflow_id": run, "signal_type": kind})
}

/// What a check of the store found.
pub fn report(report: &Report) -> Json {
    let damage = report.damage.iter().map(|damage| {
        lean(json!({
            "workflow_id": damage.run,
            "sequence": damage.seq.map(|seq| seq.0),
            "what": damage.what,
        }))
    });
    json!({
        "ok": report.damage.is_empty(),
        "workflows": report.runs,
        "events": report.events,
        "damage": damage.collect::<Vec<_>>(),
    })
}

/// A token, without what would let anybody in.
pub fn token(token: &Token) -> Json {
    lean(json!({
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "agent_id": token.agent_id,
        "created_at": text(token.created_at),
        "expires_at": token.expires_at.map(text),
    }))
}

/// What may be told of a secret.
pub fn secret(secret: &SecretUse) -> Json {
    let info = &secret.info;
    let last_use = info.last_use.as_ref().map(|last| {
        lean(json!({
            "at": text(last.at),
            "workflow_id": last.workflow_id,
            "template_name": last.template,
            "action": last.action,
        }))
    });
    lean(json!({
        "name": info.name,
        "version": info.version,
        "created_at": text(info.created_at),
        "set_at": text(info.set_at),
        "last_use": last_use,
        "templates": secret.templates,
        "grants": info.grants,
    }))
}
