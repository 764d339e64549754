//! The HTTP face: one gate before every route, then MCP, the JSON API, health and metrics.
//!
//! Keeps: no route stands before the gate but `/healthz` and `/readyz`, which tell nothing.
//! Not here: the protocol of agents (`opcode-mcp`), what anything does (`opcode-runtime`).

mod api;
mod backup;
mod carry;
mod diagram;
mod events;
mod gate;
mod health;
mod look;
mod metrics;
mod openapi;
mod peer;
mod plugins;
mod refusal;
mod secrets;
mod serve;
mod vacuum;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any_service, get, post_service};
use opcode_mcp::plugins::Plugins;
use opcode_mcp::{Face, Http};
use opcode_model::Failure;
use opcode_runtime::{Actor, Caller, Engine, Tokens};

use crate::refusal::Refusal;

pub use gate::Gate;
pub use openapi::document as openapi;
pub use serve::{Limits, serve};

/// Bytes of one request's body.
const BODY_BYTES_MAX: usize = 16 << 20;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) engine: Engine,
    pub(crate) plugins: Plugins,
    pub(crate) metrics: Arc<metrics::Metrics>,
}

impl Web {
    /// The tokens, for somebody whose deeds are written down.
    pub(crate) fn tokens(&self, caller: &Caller) -> Tokens {
        self.engine.reader().tokens().by(Actor::new(caller, "http"))
    }
}

/// Every route.
pub fn router(engine: &Engine, plugins: &Plugins, face: &Face, gate: Gate) -> Router {
    let metrics = Arc::new(metrics::Metrics::watch(engine));
    let web = Web { engine: engine.clone(), plugins: plugins.clone(), metrics };
    let mcp = Http::new(face);
    let inside = Router::new()
        .route("/mcp", any_service(mcp.service.clone()))
        // Some clients try the new transport at the old address first.
        .route("/sse", post_service(mcp.service.clone()))
        .route_layer(from_fn_with_state(mcp, check_sessions))
        .merge(opcode_mcp::sse_router(face))
        .merge(api::router(web.clone()))
        .fallback(refusal::no_route)
        .method_not_allowed_fallback(refusal::no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(gate.clone(), gate::check));
    let health = Router::new()
        .route("/healthz", get(health::alive))
        .route("/health", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(from_fn_with_state(gate, gate::check_page))
        .with_state(web);
    inside.merge(health)
}

/// Lets no more sessions be opened than there may be.
async fn check_sessions(State(mcp): State<Http>, request: Request, next: Next) -> Response {
    let is_full = if Http::opens_session(&request) { mcp.is_full().await } else { None };
    match is_full {
        None => next.run(request).await,
        Some(most) => {
            Refusal::from(Failure::limit("open MCP sessions", most as i64)).into_response()
        }
    }
}
