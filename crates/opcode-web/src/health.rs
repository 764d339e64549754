//! Whether this process lives, and whether it can do its work.
//!
//! Keeps: neither tells anything about workflows.
//! Not here: figures (`metrics.rs`).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::Web;

/// It lives.
pub(crate) async fn alive() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// It can read its store.
pub(crate) async fn ready(State(web): State<Web>) -> Response {
    match web.engine.reader().open().await {
        Ok(_) => Json(json!({"status": "ready"})).into_response(),
        Err(_) => {
            let body = Json(json!({"status": "the store cannot be read"}));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}
