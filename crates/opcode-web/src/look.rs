//! The store, looked at through the server that holds it: what the command line reads when a server runs.
//!
//! Keeps: each role sees what it sees elsewhere; nobody is shown what seals secrets or lets people in.
//! Not here: questions and answers (`opcode-store`'s `look`).

use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Json, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opcode_model::commit::CatalogKind;
use opcode_model::{ErrorCode, Failure};
use opcode_runtime::{Caller, Role};
use opcode_store::Look;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Written;

use crate::Web;
use crate::api::{Answer, body, invalid};
use crate::openapi::Operation;

/// What can be asked.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/api/v1/look",
            "The store as the command line reads it, such as {\"look\": \"load\", \"at\": \"<workflow id>\"}; of the same version only",
            post(look),
        )
        .takes::<LookBody>(),
    ]
}

/// A question.
#[derive(Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct LookBody {
    /// Such as `load`, `workflows` or `events`.
    look: String,
    /// Which ones.
    #[serde(default, skip_serializing_if = "Written::is_null")]
    at: Written,
}

async fn look(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    given: Result<Json<LookBody>, JsonRejection>,
) -> Answer {
    caller.may(Role::Viewer)?;
    let look: Look = serde_json::to_value(body(given)?)
        .and_then(serde_json::from_value)
        .map_err(|cause| invalid(format!("this server does not know this look: {cause}")))?;
    admit(&caller, &look)?;
    let is_of_plugins = look.kind() == Some(CatalogKind::Plugin);
    let answer = web.engine.reader().look(look).await?;
    let answer = if is_of_plugins { without_texts(&answer) } else { answer };
    let head = [(header::CONTENT_TYPE, "application/json")];
    Ok((head, Body::from(answer)).into_response() as Response)
}

/// Plugins without the texts of their variables and headers, which an operator may have written out.
fn without_texts(answer: &str) -> String {
    let mut told: Written = serde_json::from_str(answer).unwrap_or_default();
    let hide = |body: &mut Written| {
        let text = body.as_str().unwrap_or_default();
        let mut row: Written = serde_json::from_str(text).unwrap_or_default();
        for place in ["/config/env", "/config/headers"] {
            if let Some(Written::Object(texts)) = row.pointer_mut(place) {
                texts.values_mut().for_each(|text| *text = "…".into());
            }
        }
        *body = row.to_string().into();
    };
    match &mut told {
        Written::Array(entries) => {
            entries.iter_mut().filter_map(|entry| entry.get_mut("body")).for_each(hide);
        }
        body @ Written::String(_) => hide(body),
        Written::Null | Written::Bool(_) | Written::Number(_) | Written::Object(_) => {}
    }
    told.to_string()
}

/// Who may look at what.
fn admit(caller: &Caller, look: &Look) -> Result<(), Failure> {
    match look.kind() {
        Some(CatalogKind::Secret | CatalogKind::Token | CatalogKind::Key) => {
            let message = "secrets, tokens and keys are not shown as they are kept";
            Err(Failure::new(ErrorCode::PermissionDenied, message))
        }
        Some(CatalogKind::Audit) => caller.may(Role::Admin),
        Some(
            CatalogKind::Definition
            | CatalogKind::Template
            | CatalogKind::Agent
            | CatalogKind::Schedule
            | CatalogKind::Plugin
            | CatalogKind::Quota,
        ) => Ok(()),
        None if matches!(look, Look::Verify) => caller.may(Role::Operator),
        None => Ok(()),
    }
}
