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

pub use server::{Face, Names};
pub use sse::router as sse_router;

/// The Streamable HTTP transport, to be mounted at `/mcp`; also answers a POST to `/sse`.
pub fn http_service(face: &Face) -> HttpService {
    use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
    use rmcp::transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService,
    };
    let face = face.clone();
    // Host and Origin are looked at for every route by the guard before this one.
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts();
    StreamableHttpService::new(
        move || Ok(face.of_a_session()),
        std::sync::Arc::new(LocalSessionManager::default()),
        config,
    )
}

/// What [`http_service`] makes.
pub type HttpService = rmcp::transport::streamable_http_server::StreamableHttpService<
    Face,
    rmcp::transport::streamable_http_server::session::local::LocalSessionManager,
>;

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
