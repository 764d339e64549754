//! The agent's face: MCP over Streamable HTTP (today's protocol and all before it), stdio, and the old HTTP+SSE.
//!
//! Keeps: one handler set behind every transport; the life of a workflow never hangs on the life of a request.
//! Not here: who may come in (`opcode-web`'s guard), what a tool does to a run (`opcode-runtime`).

mod answer;
mod args;
mod bounds;
mod elicit;
pub mod plugins;
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

use axum::http;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

pub use server::{Face, Names};
pub use sse::router as sse_router;

/// Sessions of older clients open at once.
const SESSIONS_MAX: usize = 1_000;
/// Bytes of one message.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// The Streamable HTTP transport, to be mounted at `/mcp`; also answers a POST to `/sse`.
#[derive(Clone)]
pub struct Http {
    /// Answers requests.
    pub service: HttpService<Face>,
    sessions: Arc<LocalSessionManager>,
}

impl Http {
    /// In front of a face.
    pub fn new(face: &Face) -> Self {
        let (face, sessions) = (face.clone(), Arc::<LocalSessionManager>::default());
        Self { service: transport_over(sessions.clone(), move || face.of_a_session()), sessions }
    }

    /// Whether a request opens a session.
    pub fn opens_session<B>(request: &http::Request<B>) -> bool {
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        // Clients of today have no sessions, and name their revision.
        let version = text("mcp-protocol-version");
        let is_modern = version.is_some_and(|version| version >= FIRST_STATELESS);
        let is_new = text("mcp-session-id").is_none();
        request.method() == http::Method::POST && is_new && !is_modern
    }

    /// How many sessions there may be, if there are as many.
    pub async fn is_full(&self) -> Option<usize> {
        let open = self.sessions.sessions.read().await.len();
        (open >= SESSIONS_MAX).then_some(SESSIONS_MAX)
    }
}

/// From this revision on there are no sessions.
const FIRST_STATELESS: &str = "2026-07-28";

/// The same transport in front of any handlers, one made for each session.
pub fn transport<H: ServerHandler>(make: impl Fn() -> H + Send + Sync + 'static) -> HttpService<H> {
    transport_over(Arc::default(), make)
}

/// The same over sessions that somebody else can reach as well.
pub fn transport_over<H: ServerHandler>(
    sessions: Arc<LocalSessionManager>,
    make: impl Fn() -> H + Send + Sync + 'static,
) -> HttpService<H> {
    // Host and Origin are looked at for every route by the guard before this one.
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts();
    let config = config.with_max_request_body_bytes(MESSAGE_BYTES_MAX);
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
