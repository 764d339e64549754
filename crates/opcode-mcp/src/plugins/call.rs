//! One call of a plugin's tool, from what the step gives to what it gets.
//!
//! Keeps: it ends when the step is stopped, its time is up, or nothing was heard for too long, and the plugin is told;
//! none of that waits for the plugin.
//! Not here: which plugin and whether it may be called (`tool.rs`).

use std::time::Duration;

use opcode_actions::Stop;
use opcode_model::action::Call;
use opcode_model::limits::VALUE_DEPTH_MAX;
use opcode_model::time::format_duration;
use opcode_model::{ErrorCode, Failure, Value};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotification,
    CancelledNotificationParam, ClientRequest, RequestId, RequestMetaObject, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, RoleClient, ServiceError};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep_until, timeout};

use super::line::{Line, Live};
use super::listener::Underway;

/// How long telling a plugin that a call is over may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// Characters of an error's text.
const ERROR_CHARS_MAX: usize = 4_000;
/// What JSON-RPC says of arguments that do not fit.
const INVALID_PARAMS: i32 = -32602;

/// Calls a tool; `action` is what the step calls it.
pub(super) async fn call(
    line: &Line,
    live: &Live,
    (action, tool): (&str, &str),
    call: &Call,
    stop: &Stop,
) -> Result<Value, Failure> {
    let over = call.timeout.map(|span| Instant::now() + span);
    let _looking = call.hides.clone().map(|hides| line.cleaner.look_for(hides));
    let asking = async {
        let options = PeerRequestOptions::no_options().with_meta(meta(call));
        let handle = live.peer.send_cancellable_request(request(tool, call), options).await?;
        let underway = Underway {
            workflow_id: call.workflow_id.clone(),
            step_id: call.step_id.clone(),
            lives: tokio::sync::Notify::new(),
        };
        let known = live.calls.know(&handle.progress_token, underway);
        Ok((handle, known))
    };
    let silent = Instant::now() + line.silence;
    let (handle, known) = tokio::select! {
        biased;
        () = stop.wait() => return Err(cancelled(action)),
        () = time(over) => return Err(late(action, call.timeout)),
        () = sleep_until(silent) => return Err(silence(action, line.silence)),
        asked = asking => match asked {
            Ok(asked) => asked,
            Err(error) => return Err(refused(line, live, action, error).await),
        },
    };
    let RequestHandle { mut rx, id, peer, .. } = handle;
    let mut silent = Instant::now() + line.silence;
    let why = loop {
        tokio::select! {
            biased;
            () = stop.wait() => break cancelled(action),
            () = time(over) => break late(action, call.timeout),
            () = known.call.lives.notified() => silent = Instant::now() + line.silence,
            () = sleep_until(silent) => break silence(action, line.silence),
            answer = &mut rx => {
                return match answer.unwrap_or(Err(ServiceError::TransportClosed)) {
                    Ok(answer) => outcome(line, action, answer),
                    Err(error) => Err(refused(line, live, action, error).await),
                };
            }
        }
    };
    part(peer, id, why.message.to_string());
    Err(why)
}

async fn time(over: Option<Instant>) {
    match over {
        Some(over) => sleep_until(over).await,
        None => std::future::pending().await,
    }
}

fn request(tool: &str, call: &Call) -> ClientRequest {
    let mut params = CallToolRequestParams::new(tool.to_owned());
    params.arguments =
        call.params.to_serde().as_object().cloned().or_else(|| Some(Default::default()));
    ClientRequest::CallToolRequest(CallToolRequest::new(params))
}

/// What a plugin may want to know of who calls: under one key, twice is once.
fn meta(call: &Call) -> RequestMetaObject {
    let mut meta = RequestMetaObject::default();
    meta.insert("opcode/idempotency_key".to_owned(), json!(call.idempotency_key));
    meta.insert("opcode/workflow_id".to_owned(), json!(call.workflow_id));
    meta.insert("opcode/step_id".to_owned(), json!(call.step_id));
    if let Some(trace) = &call.trace {
        meta.insert("traceparent".to_owned(), json!(trace.to_string()));
    }
    meta
}

/// Tells a plugin that nobody waits any more, without waiting for it.
fn part(peer: Peer<RoleClient>, id: RequestId, why: String) {
    tokio::spawn(async move {
        let told = CancelledNotification::new(CancelledNotificationParam::new(Some(id), Some(why)));
        // One that does not hear it any more will be found out by other means.
        drop(timeout(FAREWELL, peer.send_notification(told.into())).await);
    });
}

fn cancelled(action: &str) -> Failure {
    Failure::new(ErrorCode::Cancelled, format!("{action}: told to stop"))
}

fn late(action: &str, span: Option<Duration>) -> Failure {
    let span = format_duration(span.unwrap_or_default());
    Failure::new(ErrorCode::Timeout, format!("{action}: not done after {span}"))
}

fn silence(action: &str, span: Duration) -> Failure {
    let span = format_duration(span);
    let message = format!("{action}: the plugin said nothing for {span}");
    Failure::new(ErrorCode::Timeout, message)
}

/// Why a call came to nothing.
async fn refused(line: &Line, live: &Live, action: &str, error: ServiceError) -> Failure {
    let failed = |code, why: &str| Failure::new(code, format!("{action}: {why}"));
    if let ServiceError::McpError(error) = error {
        let is_unfit = error.code.0 == INVALID_PARAMS;
        let code = if is_unfit { ErrorCode::Validation } else { ErrorCode::Execution };
        let details = Value::from_serde(&json!({"code": error.code.0}));
        failed(code, &line.cleaner.cut(&error.message, ERROR_CHARS_MAX)).with_details(details)
    } else if matches!(error, ServiceError::UnexpectedResponse) {
        failed(ErrorCode::Execution, ELSE)
    } else if live.peer.is_transport_closed() {
        line.lost(action).await
    } else {
        // A server that could not be reached is still the plugin's line.
        let why = format!("the call could not be made: {error}");
        failed(ErrorCode::Execution, &line.cleaner.cut(&why, ERROR_CHARS_MAX))
    }
}

const ELSE: &str = "the plugin answered with something else";
const ASKS: &str = "the plugin asks for input, which a workflow cannot give it; put the question into a reasoning step";

fn outcome(line: &Line, action: &str, answer: ServerResult) -> Result<Value, Failure> {
    let failure = |code, why: &str| Failure::new(code, format!("{action}: {why}"));
    let ServerResult::CallToolResult(result) = answer else {
        let asks = matches!(answer, ServerResult::InputRequiredResult(_));
        return Err(failure(ErrorCode::Execution, if asks { ASKS } else { ELSE }));
    };
    let is_error = result.is_error.unwrap_or_default();
    let said = line.cleaner.cut(&text(&result), ERROR_CHARS_MAX);
    let output = line.cleaner.value(Value::from_serde(&shown(result)));
    if output.depth(VALUE_DEPTH_MAX + 1) > VALUE_DEPTH_MAX {
        return Err(failure(ErrorCode::LimitExceeded, "the answer is nested too deeply"));
    }
    if is_error {
        let said = if said.is_empty() { "the tool failed".to_owned() } else { said };
        return Err(failure(ErrorCode::Execution, &said).with_details(output));
    }
    Ok(output)
}

/// The result as the protocol has it, without what is the protocol's own.
fn shown(result: CallToolResult) -> Json {
    let mut shown = serde_json::to_value(result).unwrap_or_default();
    if let Some(members) = shown.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "resultType" | "_meta"));
    }
    shown
}

/// All text of a result.
fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|block| block.as_text());
    texts.map(|it| it.text.as_str()).collect::<Vec<_>>().join("\n")
}
