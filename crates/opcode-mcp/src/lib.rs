//! The agent's face: MCP over Streamable HTTP (today's protocol and all before it), stdio, and the old HTTP+SSE.
//!
//! Keeps: one handler set behind every transport; the life of a workflow never hangs on the life of a request.
//! Not here: who may come in (`opcode-web`'s guard), what a tool does to a run (`opcode-runtime`).

mod answer;
mod args;
mod bounds;
mod elicit;
mod progress;
mod prompts;
mod resources;
mod server;
mod sessions;
mod skill;
mod sse;
mod subscribe;
mod task;
mod tools;

use std::sync::Arc;

use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

pub use server::{Face, Names};
pub use sse::router as sse_router;

/// The Streamable HTTP transport, to be mounted at `/mcp`; also answers a POST to `/sse`.
pub fn http_service(face: &Face) -> HttpService<Face> {
    let face = face.clone();
    transport(move || face.of_a_session())
}

/// The same transport in front of any handlers, one made for each session.
pub fn transport<H: ServerHandler>(make: impl Fn() -> H + Send + Sync + 'static) -> HttpService<H> {
    // Host and Origin are looked at for every route by the guard before this one.
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts();
    let sessions = Arc::new(LocalSessionManager::default());
    StreamableHttpService::new(move || Ok(make()), sessions, config)
}

/// What [`transport`] makes.
pub type HttpService<H> = StreamableHttpService<H, LocalSessionManager>;

/// Serves one client over this process's stdin and stdout, until it goes.
///
/// # Errors
/// If the client does not open as MCP asks.
pub async fn serve_stdio(face: Face) -> Result<(), String> {
    use rmcp::ServiceExt as _;
    let running = face
        .of_a_session()
        .serve(rmcp::transport::stdio())
        .await
        .map_err(|cause| cause.to_string())?;
    running.waiting().await.map(drop).map_err(|cause| cause.to_string())
}
