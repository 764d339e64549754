//! Room in the store, made over HTTP; by administrators alone.
//!
//! Keeps: without a span, nothing but free space goes.
//! Not here: what goes with a run (the store).

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Json, State};
use axum::response::IntoResponse;
use axum::routing::post;
use opcode_runtime::{Actor, Caller, Keep, Role, days};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::Web;
use crate::api::{Answer, body, invalid};
use crate::openapi::Operation;

/// What can be done.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/api/v1/vacuum",
            "Takes finished workflows away that are older than told, and gives the space back; for administrators",
            post(vacuum),
        )
        .takes::<VacuumBody>()
        .gives(&[("deleted", "integer"), ("bytes", "integer")]),
    ]
}

/// How long finished workflows are kept; for ever, where nothing is said.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VacuumBody {
    /// A span such as `30d`.
    keep: Option<String>,
    /// The same for failed ones, if otherwise.
    keep_failed: Option<String>,
    /// Only those of these templates.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    templates: Vec<Arc<str>>,
}

async fn vacuum(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    given: Result<Json<VacuumBody>, JsonRejection>,
) -> Answer {
    caller.may(Role::Admin)?;
    let VacuumBody { keep, keep_failed, templates } = body(given)?;
    let span = |text: Option<String>| text.as_deref().map(days).transpose().map_err(invalid);
    let keep = Keep { over: span(keep)?, failed: span(keep_failed)?, templates, ..Keep::default() };
    let keeping = web.engine.reader().keeping().by(Actor::new(&caller, "http"));
    let done = keeping.vacuum(&keep).await?;
    Ok(Json(json!({"deleted": done.runs, "bytes": done.bytes})).into_response())
}
