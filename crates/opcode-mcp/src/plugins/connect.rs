//! Brings one plugin up: its program in the sandbox or its server, the handshake, the list of its tools.
//!
//! Keeps: it comes up in time or not at all; what it says is cleaned of its secrets; it dies with what is returned here.
//! Not here: when to try (`supervise.rs`), what its tools mean (`book.rs`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use opcode_model::{ErrorCode, Failure, Object, Value};
use opcode_runtime::Use;
use opcode_sandbox::{ExecEnd, ExecFault, ExecSpec, Held};
use rmcp::model::{PaginatedRequestParams, ProtocolVersion, ServerPeerInfo, Tool};
use rmcp::service::{
    ClientLifecycleMode, Peer, RoleClient, RunningService, RunningServiceCancellationToken,
    serve_client_with_lifecycle,
};
use rmcp::transport::IntoTransport;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::Shell;
use super::config::{PluginConfig, Program, Reached};
use super::line::Line;
use super::lines::{End, Lines, Meter};
use super::listener::{Calls, Listener};
use opcode_runtime::now;

/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);
/// How long telling its tools may take.
const LISTING_MAX: Duration = Duration::from_secs(10);
/// How long a program may take to end, before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes of one line beside its messages that are looked through.
const OVERHEARD_BYTES_MAX: usize = 64 << 10;
/// Tools of one plugin.
const TOOLS_MAX: usize = 1_000;
/// Pages its list of tools may have.
const PAGES_MAX: usize = 100;

/// A plugin that is up.
pub(super) struct Connected {
    pub peer: Peer<RoleClient>,
    pub calls: Calls,
    pub changed: Arc<Notify>,
    pub flooded: Arc<Notify>,
    line: Arc<Line>,
    cancel: Option<RunningServiceCancellationToken>,
    /// Its connection has ended.
    over: Shared<BoxFuture<'static, ()>>,
    held: Option<Held>,
    end: End,
}

impl Connected {
    /// Waits until it has gone; answers why.
    pub(super) async fn gone(&mut self) -> Failure {
        let exit = match &mut self.held {
            Some(held) => tokio::select! {
                () = self.over.clone() => None,
                exit = held.wait() => Some(exit),
            },
            None => {
                self.over.clone().await;
                None
            }
        };
        let why = match (self.end.told(), exit) {
            (Some(why), _) => why,
            (None, Some(exit)) => ending(&exit),
            (None, None) => match self.dead().await {
                Some(exit) => ending(&exit),
                None => "its connection was closed".to_owned(),
            },
        };
        self.line.unavailable(&why)
    }

    /// Sees to it that its program is dead; answers how it ended.
    async fn dead(&mut self) -> Option<Result<ExecEnd, ExecFault>> {
        let held = self.held.as_mut()?;
        held.terminate().await;
        timeout(GRACE * 2, held.wait()).await.ok()
    }

    /// Ends it.
    pub(super) async fn close(mut self) {
        if let Some(cancel) = self.cancel.take() {
            cancel.cancel();
        }
        // A transport that is stuck goes with its program.
        drop(timeout(GRACE, self.over.clone()).await);
        self.dead().await;
    }

    /// Who it says it is.
    pub(super) fn info(&self) -> Option<Arc<ServerPeerInfo>> {
        self.peer.peer_info()
    }
}

fn ending(exit: &Result<ExecEnd, ExecFault>) -> String {
    match exit {
        Ok(ExecEnd::Exited(status)) => format!("it ended with status {status}"),
        Ok(ExecEnd::Signalled(signal)) => format!("signal {signal} ended it"),
        Ok(ExecEnd::Stopped | ExecEnd::TimedOut) => "it did not go on and was ended".to_owned(),
        Ok(ExecEnd::Limited(hit)) => format!("it used up its `{}`", hit.text()),
        Err(fault) => fault.to_string(),
    }
}

/// What it said last may say why.
fn with_last_words(line: &Line, why: String) -> String {
    let told = line.log.told();
    let last = told.iter().rev().find(|it| it["by"] == "plugin");
    match last.and_then(|it| it["text"].as_str()) {
        Some(words) => {
            format!("{why}; it last said: {}", words.chars().take(300).collect::<String>())
        }
        None => why,
    }
}

/// Brings it up. `speaks_old` says that it is known not to speak today's protocol.
///
/// # Errors
/// Why it did not come up.
pub(super) async fn connect(
    line: &Arc<Line>,
    config: &PluginConfig,
    shell: &Shell,
    speaks_old: bool,
) -> Result<Connected, Failure> {
    match &config.reached {
        Reached::Program(program) => {
            let filled = fill(line, shell, &program.env, None).await?;
            let spec = spec(line, config, program, filled, shell).await?;
            Coming { line, shell, speaks_old }.start(&spec).await
        }
        Reached::Server { url, headers } => {
            line.cleaner.set_url(url);
            let filled = fill(line, shell, headers, host(url)).await?;
            Coming { line, shell, speaks_old }.reach(url, &filled).await
        }
    }
}

/// Texts with their secrets in place.
async fn fill(
    line: &Line,
    shell: &Shell,
    texts: &Object,
    host: Option<String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let (action, whom) = (format!("{}.*", line.name), format!("plugin {}", line.name));
    let wish = Use {
        action: &action,
        host: host.as_deref(),
        template: None,
        workflow_id: &whom,
        agent: None,
    };
    let (filled, redactor) = shell.secrets.fill(&Value::Object(texts.clone()), wish).await?;
    line.cleaner.set_own(Arc::new(redactor));
    let pair = |(name, value): &(Arc<str>, Value)| (name.to_string(), value.to_text());
    Ok(filled.as_object().into_iter().flatten().map(pair).collect())
}

/// `host:port` of a URL, as it will be connected to.
fn host(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    Some(format!("{}:{port}", uri.host()?))
}

async fn spec(
    line: &Line,
    config: &PluginConfig,
    program: &Program,
    own_env: BTreeMap<String, String>,
    shell: &Shell,
) -> Result<ExecSpec, Failure> {
    let world = shell.world.config();
    let demand = world.rules.demand(&config.wishes);
    let demand = demand.map_err(|ungranted| line.unavailable(&ungranted.to_string()))?;
    let plan = Box::pin(shell.world.exec().plan(demand)).await;
    let plan = plan.map_err(|fault| line.unavailable(&fault.to_string()))?;
    let usual = [
        ("PATH", &world.path),
        ("HOME", &world.home),
        ("LANG", &world.lang),
        ("TMPDIR", &world.tmpdir),
    ];
    let mut env: BTreeMap<String, String> =
        usual.map(|(name, value)| (name.to_owned(), value.clone())).into();
    env.extend(world.shell_env.clone());
    env.extend(own_env);
    Ok(ExecSpec {
        program: program.command.clone(),
        args: program.args.clone(),
        cwd: program.cwd.clone().map(Into::into),
        env,
        key: Some(format!("plugin-{}", line.name).into()),
        plan: Arc::new(plan),
    })
}

type Service = RunningService<RoleClient, Listener>;

/// A plugin on its way up.
struct Coming<'a> {
    line: &'a Arc<Line>,
    shell: &'a Shell,
    speaks_old: bool,
}

impl Coming<'_> {
    /// Shakes hands over a transport, in time.
    async fn shake<T, E, A>(&self, transport: T) -> Result<Service, String>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let listener = Listener {
            line: self.line.clone(),
            calls: Calls::default(),
            hub: self.shell.hub.clone(),
            changed: Arc::new(Notify::new()),
            flooded: Arc::new(Notify::new()),
            meter: Mutex::new(Meter::unasked()),
        };
        let lifecycle = match self.speaks_old {
            true => ClientLifecycleMode::Initialize,
            false => ClientLifecycleMode::Auto {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                legacy_version: Some(ProtocolVersion::V_2025_11_25),
            },
        };
        let handshake = serve_client_with_lifecycle(listener, transport, lifecycle);
        match timeout(HANDSHAKE_MAX, Box::pin(handshake)).await {
            Ok(Ok(service)) => Ok(service),
            Ok(Err(error)) => Err(format!("the handshake failed: {error}")),
            Err(_) => Err(format!("it said nothing for {}s", HANDSHAKE_MAX.as_secs())),
        }
    }

    fn connected(&self, service: Service, held: Option<Held>, end: End) -> Connected {
        let (peer, heard) = (service.peer().clone(), service.service());
        Connected {
            calls: heard.calls.clone(),
            changed: heard.changed.clone(),
            flooded: heard.flooded.clone(),
            peer,
            line: self.line.clone(),
            cancel: Some(service.cancellation_token()),
            over: async move { drop(service.waiting().await) }.boxed().shared(),
            held,
            end,
        }
    }

    fn failed(&self, why: String) -> Failure {
        self.line.unavailable(&with_last_words(self.line, why))
    }

    /// A program.
    async fn start(&self, spec: &ExecSpec) -> Result<Connected, Failure> {
        let session = Box::pin(self.shell.world.exec().open(spec, GRACE)).await;
        let session = session.map_err(|fault| self.failed(fault.to_string()))?;
        let (mut held, end) = (session.held, End::default());
        tokio::spawn(overhear(session.stderr, self.line.clone()));
        let line = self.line.clone();
        let note = move |text: String| line.log.noted(now(), line.cleaner.cut(&text, 200));
        let lines = Lines::new((session.stdout, session.stdin), end.clone(), Arc::new(note));
        match self.shake(lines).await {
            Ok(service) => Ok(self.connected(service, Some(held), end)),
            Err(why) => {
                held.terminate().await;
                let exit = timeout(GRACE * 2, held.wait()).await.ok();
                Err(self.failed(match (end.told(), exit) {
                    (Some(told), _) => told,
                    (None, Some(exit)) if !matches!(exit, Ok(ExecEnd::Stopped)) => ending(&exit),
                    (None, _) => why,
                }))
            }
        }
    }

    /// A server.
    async fn reach(
        &self,
        url: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Connected, Failure> {
        let client = self.shell.world.client_for(url).await.map_err(|why| self.failed(why))?;
        let header = |(name, text): (&String, &String)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            let mut value = HeaderValue::try_from(text.as_str()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        };
        let all = headers.iter().map(header).collect::<Option<_>>();
        let all = all.ok_or_else(|| self.failed("a header has characters that none may".into()))?;
        let config = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(all);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let service = self.shake(transport).await.map_err(|why| self.failed(why))?;
        Ok(self.connected(service, None, End::default()))
    }
}

/// Keeps the last of what it says beside its messages.
async fn overhear(mut stderr: impl AsyncRead + Unpin, line: Arc<Line>) {
    let mut said: Vec<u8> = Vec::new();
    let keep = |said: &mut Vec<u8>| {
        let text = line.cleaner.clean(&String::from_utf8_lossy(said));
        if !text.trim().is_empty() {
            line.log.heard(now(), text.trim_end().to_owned());
        }
        said.clear();
    };
    let mut part = [0; 4096];
    while let Ok(bytes @ 1..) = stderr.read(&mut part).await {
        for byte in &part[..bytes] {
            // A line is cut only where a secret in it would be long past.
            if *byte == b'\n' || said.len() >= OVERHEARD_BYTES_MAX {
                keep(&mut said);
            }
            if *byte != b'\n' {
                said.push(*byte);
            }
        }
    }
    keep(&mut said);
}

/// Every tool it offers.
///
/// # Errors
/// If it does not tell them in time, or there are too many.
pub(super) async fn discover(line: &Line, peer: &Peer<RoleClient>) -> Result<Vec<Tool>, Failure> {
    let listing = async {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let mut wish = PaginatedRequestParams::default();
            wish.cursor = cursor;
            let page = peer.list_tools(Some(wish)).await;
            let page = page.map_err(|error| {
                line.unavailable(&format!("it does not tell its tools: {error}"))
            })?;
            tools.extend(page.tools);
            if tools.len() > TOOLS_MAX {
                return Err(Failure::limit("tools of a plugin", TOOLS_MAX as i64));
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(tools);
            }
        }
        Err(Failure::limit("pages of a plugin's tools", PAGES_MAX as i64))
    };
    let late = || {
        Failure::new(ErrorCode::Timeout, format!("plugin `{}` does not tell its tools", line.name))
    };
    timeout(LISTING_MAX, listing).await.map_err(|_| late())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_their_port() {
        for (url, meant) in [
            ("https://a.example/mcp", Some("a.example:443")),
            ("http://a.example", Some("a.example:80")),
            ("http://127.0.0.1:9/x?y", Some("127.0.0.1:9")),
            ("https://[::1]/", Some("[::1]:443")),
            ("https://[::1]:8/", Some("[::1]:8")),
            ("http://127.0.0.1:4\\.trusted.example/mcp", None),
        ] {
            assert_eq!(host(url).as_deref(), meant, "{url}");
        }
    }
}
