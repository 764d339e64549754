//! How a request is refused: one shape for all.
//!
//! Keeps: code, cause and cure, with the status of HTTP that fits; nothing of the inside of the machine.
//! Not here: why it is refused.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use opcode_model::{ErrorCode, Failure, Problem};
use opcode_runtime::EngineError;
use serde_json::{Value as Json_, json};

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Json_,
}

impl Refusal {
    /// A refusal before anything was looked at.
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: &str, hint: &str) -> Self {
        Self { status, body: json!({"error": {"code": code, "message": message, "hint": hint}}) }
    }
}

impl Refusal {
    /// Why.
    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let status = StatusCode::from_u16(failure.code.status()).ok();
        let mut error = serde_json::to_value(&failure).unwrap_or_default();
        error["hint"] = failure.code.hint().into();
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: json!({"error": error}),
        }
    }
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Self {
        let first = problems.iter().find(|problem| problem.is_error());
        let code = first.map_or(ErrorCode::Validation, |problem| problem.code);
        let error = json!({
            "code": code,
            "message": format!("the definition has {} problem(s)", problems.len()),
            "hint": first.and_then(|problem| problem.hint.clone()),
            "pointer": first.map(|problem| problem.path.clone()),
        });
        Self {
            status: StatusCode::BAD_REQUEST,
            body: json!({"error": error, "problems": problems}),
        }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Problems(problems) => problems.into(),
            EngineError::Failure(failure) => failure.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let value = header::HeaderValue::from_static("Bearer realm=\"opcode\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// Nothing is done in this way at this address.
pub(crate) async fn no_method() -> Refusal {
    let message = "this address does not take this method";
    let hint = "GET reads, POST makes, DELETE takes back";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Validation, message, hint)
}

/// There is nothing at this address.
pub(crate) async fn no_route() -> Refusal {
    let hint = "MCP is at /mcp, the API below /api/v1: workflows, templates, decisions, events, agents, actions";
    Refusal::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "there is no such address", hint)
}
