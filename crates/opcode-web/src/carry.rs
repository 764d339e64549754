//! Workflows written out as documents, and documents taken in.
//!
//! Keeps: neither is ever in memory as a text; a document that is cut off anywhere is refused where it is taken in.
//! Not here: what stands in a document and what is refused of it (`opcode-runtime`'s `carry`).

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Json, Path, Query, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use opcode_runtime::{Actor, Caller, Export, Import, Role};
use serde::Deserialize;

use crate::Web;
use crate::api::{Answer, invalid, workflow_id};
use crate::openapi::Operation;

/// What a document is: JSON, line by line.
pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";

/// What can be done.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/api/v1/workflows/{id}/export",
            "It and all below it, with their histories, definitions and templates; for operators",
            get(export),
        )
        .gives_text(MEDIA_TYPE),
        Operation::post(
            "/api/v1/import",
            "Takes in what such an export gave, all or nothing; for administrators",
            post(import),
        )
        .query(&["as_interrupted"])
        .takes_text(MEDIA_TYPE)
        .gives(&[
            ("workflow_id", "string"),
            ("workflows", "integer"),
            ("events", "integer"),
            ("known", "integer"),
            ("interrupted", "integer"),
            ("notes", "array"),
        ]),
    ]
}

async fn export(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.may(Role::Operator)?;
    let export = web.engine.reader().export(workflow_id(&id)?).await?;
    let next = async |mut export: Export| {
        let line =
            export.next().await.inspect_err(|cause| tracing::warn!(%cause, "an export ends"));
        line.transpose().map(|line| (line, export))
    };
    let lines = stream::unfold(export, next);
    Ok(([("content-type", MEDIA_TYPE)], Body::from_stream(lines)).into_response())
}

/// How it is wished.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    as_interrupted: Option<bool>,
}

async fn import(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    wish: Result<Query<Wish>, QueryRejection>,
    body: Body,
) -> Answer {
    caller.may(Role::Admin)?;
    let Query(wish) = wish.map_err(|rejection| invalid(rejection.body_text()))?;
    let (mut import, mut pieces) = (Import::default(), body.into_data_stream());
    while let Some(piece) = pieces.next().await {
        import.feed(&piece.map_err(|cause| invalid(cause.to_string()))?)?;
    }
    let actor = Actor::new(&caller, "http");
    let as_interrupted = wish.as_interrupted.unwrap_or(false);
    Ok(Json(import.save(web.engine.reader(), &actor, as_interrupted).await?).into_response())
}
