//! A run as an MCP task (extension `io.modelcontextprotocol/tasks`): `taskId` is the workflow's id.
//!
//! Keeps: a task is a view of what is on disk, so it outlives both sides; a failed workflow is a completed task whose
//! result is an error; a decision is a form.
//! Not here: when a client gets one (`server.rs`).

use std::sync::Arc;

use opcode_model::{Failure, RunId, RunStatus, Signal, SignalKind, StepStatus, Value};
use opcode_runtime::{Engine, Role, StatusView};
use opcode_store::DecisionRow;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, DetailedTask, ElicitRequest, ElicitRequestParams, ElicitationSchema,
    InputRequest, InputRequests, InputResponses, JsonObject, Task, TaskPayload, TaskStatus,
    UpdateTaskParams,
};
use serde_json::{Value as Json, json};

use crate::answer::Answer;
use crate::tools::{Desk, Detail, status_of};

/// How often a client shall ask.
const POLL_MS: u64 = 1_000;
/// Before a decision's id, in the keys of what is asked.
const DECISION: &str = "decision:";

/// A failure of the store, as a protocol error.
pub(crate) fn fault(failure: Failure) -> ErrorData {
    ErrorData::internal_error(failure.to_string(), None)
}

/// The run of a task.
pub(crate) async fn find(engine: &Engine, task: &str) -> Result<StatusView, ErrorData> {
    let unknown = || ErrorData::invalid_params(format!("task `{task}` does not exist"), None);
    let run = RunId::parse(&task.to_lowercase()).ok_or_else(unknown)?;
    engine.reader().status(run).await.map_err(|_| unknown())
}

/// A run's task.
pub(crate) fn of(view: &StatusView) -> Task {
    let row = &view.summary.row;
    let status = match view.result.status {
        RunStatus::Pending | RunStatus::Active => TaskStatus::Working,
        RunStatus::Suspended if view.decisions.is_empty() => TaskStatus::Working,
        RunStatus::Suspended => TaskStatus::InputRequired,
        RunStatus::Completed | RunStatus::Failed => TaskStatus::Completed,
        RunStatus::Cancelled => TaskStatus::Cancelled,
    };
    let id = view.run.id.to_string();
    Task::new(id, status, row.created_at.to_string(), row.updated_at.to_string())
        .with_status_message(message(view))
        .with_poll_interval_ms(POLL_MS)
}

/// Where it is, in a few words.
fn message(view: &StatusView) -> String {
    let steps = &view.result.steps;
    let done = steps.values().filter(|step| step.status == StepStatus::Completed).count();
    let busy = steps.values().find(|step| {
        matches!(step.status, StepStatus::Running | StepStatus::Retrying | StepStatus::Suspended)
    });
    let busy = busy.map(|step| format!("; {} {}", step.step_id, step.status.text()));
    let (all, busy) = (steps.len(), busy.unwrap_or_default());
    format!("{}: {done} of {all} steps completed{busy}", view.result.status.text())
}

/// A run's task, with what it asks or what came of it.
pub(crate) async fn detailed(
    desk: &Desk<'_>,
    view: &StatusView,
) -> Result<DetailedTask, ErrorData> {
    let task = of(view);
    #[expect(clippy::wildcard_enum_match_arm, reason = "a run is never anything else")]
    let payload = match task.status {
        TaskStatus::InputRequired => {
            TaskPayload::InputRequired { input_requests: questions(&view.decisions) }
        }
        TaskStatus::Completed => TaskPayload::Completed { result: result(desk, view).await? },
        TaskStatus::Cancelled => TaskPayload::Cancelled,
        _ => TaskPayload::Working,
    };
    Ok(DetailedTask::new(task, payload))
}

/// What the call would have answered.
async fn result(desk: &Desk<'_>, view: &StatusView) -> Result<JsonObject, ErrorData> {
    let detail = if desk.is_full { Detail::Full } else { Detail::Default };
    let mut answer = status_of(desk, view, detail).await.map_err(fault)?;
    if let Some(object) = answer.as_object_mut() {
        object.remove("events");
        object.remove("events_cursor");
    }
    let mut result = CallToolResult::from(Answer::Object(answer));
    result.is_error = Some(view.result.status == RunStatus::Failed);
    match serde_json::to_value(result) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(ErrorData::internal_error("a result is no object", None)),
    }
}

/// What is asked, a form each.
pub(crate) fn questions<'a>(open: impl IntoIterator<Item = &'a DecisionRow>) -> InputRequests {
    let one = |row: &DecisionRow| {
        let form = form(row)?;
        Some((format!("{DECISION}{}", row.request.id), InputRequest::Elicitation(form)))
    };
    open.into_iter().filter_map(one).collect()
}

/// A decision as a form: what may be chosen, each with its meaning, and room for a reason.
pub(crate) fn form(row: &DecisionRow) -> Option<ElicitRequest> {
    let request = &row.request;
    let choice = match request.options.as_slice() {
        [] => json!({"type": "string", "title": "Choice"}),
        options => {
            let one = |option: &opcode_model::event::ChoiceOption| {
                let meaning = option.description.as_deref().filter(|text| !text.is_empty());
                let title = meaning.map(|text| format!("{}: {text}", option.id));
                json!({"const": option.id, "title": title.unwrap_or_else(|| option.id.to_string())})
            };
            json!({"type": "string", "title": "Choice", "oneOf": options.iter().map(one).collect::<Vec<_>>()})
        }
    };
    let schema = json!({
        "type": "object",
        "properties": {"choice": choice, "reasoning": {"type": "string", "title": "Why"}},
        "required": ["choice"],
    });
    let schema = ElicitationSchema::from_json_schema(schema.as_object()?.clone()).ok()?;
    let mut message = format!("Step {} asks: {}", row.step.path, request.prompt_context);
    if !request.data_inject.is_null() {
        message.push('\n');
        message.push_str(&request.data_inject.to_json());
    }
    let message: String =
        message.chars().filter(|c| !c.is_control() || *c == '\n').take(4_000).collect();
    let params = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema: schema,
    };
    Some(ElicitRequest::new(params))
}

/// Passes on what somebody answered; what is not asked any more is left alone.
pub(crate) async fn update(desk: &Desk<'_>, request: UpdateTaskParams) -> Result<(), ErrorData> {
    desk.may(Role::Agent, "tasks/update").map_err(refused)?;
    let engine = desk.engine;
    let view = find(engine, &request.task_id).await?;
    let agent = desk.caller.acts_as(None).map_err(refused)?;
    pass_on(engine, &view.decisions, &request.input_responses, agent.as_ref()).await.map(drop)
}

/// Passes on the forms that were accepted; answers how many there were of any kind.
pub(crate) async fn pass_on(
    engine: &Engine,
    open: &[DecisionRow],
    answers: &InputResponses,
    agent: Option<&Arc<str>>,
) -> Result<usize, ErrorData> {
    let mut answered = 0;
    for row in open {
        let key = format!("{DECISION}{}", row.request.id);
        let Some(answer) = answers.get(&key) else { continue };
        answered += 1;
        let Some(signal) = accepted(row, answer, agent) else { continue };
        engine.signal(row.run, signal).await.map_err(refused)?;
    }
    Ok(answered)
}

/// An accepted form as a signal; one that is declined answers nothing.
pub(crate) fn accepted(
    row: &DecisionRow,
    answer: &Json,
    agent: Option<&Arc<str>>,
) -> Option<Signal> {
    if answer["action"] != "accept" {
        return None;
    }
    let content = &answer["content"];
    let mut signal = Signal::new(SignalKind::Decision);
    signal.step_id = Some(row.step.path.clone());
    signal.agent_id = agent.cloned();
    signal.payload = Value::object([("choice", Value::from_serde(&content["choice"]))]);
    signal.reasoning = content["reasoning"].as_str().filter(|it| !it.is_empty()).map(Into::into);
    Some(signal)
}

pub(crate) fn refused(failure: Failure) -> ErrorData {
    ErrorData::invalid_params(failure.to_string(), None)
}

/// Asks a run to stop. One that is over stays as it is.
pub(crate) async fn cancel(desk: &Desk<'_>, task: &str) -> Result<(), ErrorData> {
    desk.may(Role::Agent, "tasks/cancel").map_err(refused)?;
    let engine = desk.engine;
    let view = find(engine, task).await?;
    if view.result.status.is_terminal() {
        return Ok(());
    }
    let mut signal = Signal::new(SignalKind::Cancel);
    signal.agent_id = desk.caller.acts_as(None).map_err(refused)?;
    engine.signal(view.run.id, signal).await.map_err(refused)
}
