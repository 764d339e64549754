//! Carries MCP messages between stdin and stdout and the daemon's `/mcp`.
//!
//! Keeps: messages go on as they are, in the order they came; a daemon that was started again is found again, and its
//! session is opened again as the client opened it.
//! Not here: what messages mean (`opcode-mcp`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Response, StatusCode, header};
use opcode_mcp::Names;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::{AbortHandle, JoinSet};

use crate::cli::Place;
use crate::daemon::{self, Daemon};
use crate::say;
use crate::trouble::Trouble;

/// Where a message says which version of the protocol it speaks, if it is one without sessions.
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// How long a daemon may take to come back.
const COME_BACK: Duration = Duration::from_secs(10);
/// How long answers may take once the client has nothing more to say.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// Before a stream that ended is opened again.
const PAUSE: Duration = Duration::from_millis(200);

/// Between a client and the daemon.
#[derive(Clone)]
pub(crate) struct Bridge(Arc<Inner>);

struct Inner {
    place: Place,
    path: &'static str,
    talk: Mutex<Talk>,
}

/// What is known of the other side.
struct Talk {
    daemon: Daemon,
    session: Option<Session>,
    /// How the client opened the session.
    opening: Option<Message>,
    /// Answers on their way that can be called off.
    calls: BTreeMap<String, AbortHandle>,
}

/// A message as it came, and what it says.
#[derive(Clone)]
struct Message {
    text: String,
    json: Json,
}

impl Message {
    fn read(text: &[u8]) -> Option<Self> {
        let json = serde_json::from_slice(text).ok().filter(Json::is_object)?;
        Some(Self { text: String::from_utf8_lossy(text).trim().replace('\n', " "), json })
    }

    fn say(&self) {
        say::data(&self.text);
    }
}

/// A session of the protocols before 2026-07-28.
#[derive(Clone, PartialEq, Eq)]
struct Session {
    id: String,
    version: String,
}

impl Bridge {
    pub(crate) fn new(place: Place, daemon: Daemon, names: Names) -> Self {
        let path = match names {
            Names::Dotted => "/mcp",
            Names::Underscore => "/mcp?names=underscore",
        };
        let talk = Talk { daemon, session: None, opening: None, calls: BTreeMap::new() };
        Self(Arc::new(Inner { place, path, talk: Mutex::new(talk) }))
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.0.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self) -> Option<Session> {
        self.talk().session.clone()
    }

    /// Carries until the client has nothing more to say.
    pub(crate) async fn carry(&self) {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let mut calls = JoinSet::new();
        let mut listening = JoinSet::new();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.trim().is_empty() {
                continue;
            }
            let Ok(message) = serde_json::from_str::<Json>(&line) else {
                refuse(&Json::Null, -32700, "this line is not JSON");
                continue;
            };
            let message = Message { text: line, json: message };
            match Kind::of(&message.json) {
                Kind::Opening => self.open(message).await,
                Kind::Call(id) => {
                    let (bridge, call) = (self.clone(), message);
                    let mut talk = self.talk();
                    let handle = calls.spawn(async move { bridge.call(&call).await });
                    talk.calls.insert(id, handle);
                }
                // Where there is no session, a call is called off by hanging up.
                Kind::CallOff(id) if self.talk().session.is_none() => {
                    if let Some(call) = self.talk().calls.remove(&id) {
                        call.abort();
                    }
                }
                Kind::CallOff(_) | Kind::Word => self.call(&message).await,
                Kind::Opened => {
                    self.call(&message).await;
                    let bridge = self.clone();
                    listening.spawn(async move { bridge.listen().await });
                }
            }
            while calls.try_join_next().is_some() {}
        }
        let rest = async { while calls.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ANSWERS, rest).await.is_err() {
            tracing::debug!("some answers were not waited for");
        }
        self.leave().await;
    }

    /// Opens a session, and remembers how.
    async fn open(&self, message: Message) {
        {
            let mut talk = self.talk();
            talk.session = None;
            talk.opening = Some(message.clone());
        }
        match self.send(&message).await {
            Ok(response) => {
                let answers = self.enter(response).await;
                answers.iter().for_each(Message::say);
                if answers.is_empty() {
                    refuse(&message.json["id"], -32603, "the daemon gave no answer");
                }
            }
            Err(trouble) => refuse(&message.json["id"], -32603, &trouble.to_string()),
        }
    }

    /// Takes the session that an answer opens.
    async fn enter(&self, response: Response<Incoming>) -> Vec<Message> {
        let header = response.headers().get("mcp-session-id");
        let id = header.and_then(|id| id.to_str().ok()).map(str::to_owned);
        let mut answers = Vec::new();
        read(response, |message| answers.push(message)).await;
        let version =
            answers.iter().find_map(|answer| answer.json["result"]["protocolVersion"].as_str());
        if let (Some(id), Some(version)) = (id, version) {
            self.talk().session = Some(Session { id, version: version.to_owned() });
        }
        answers
    }

    /// Carries a message there and what is said to it back.
    async fn call(&self, message: &Message) {
        let id = &message.json["id"];
        let is_asked = !id.is_null() && message.json.get("method").is_some();
        let mut is_answered = !is_asked;
        match self.send(message).await {
            Ok(response) => {
                let status = response.status();
                read(response, |said| {
                    is_answered |= said.json["id"] == *id;
                    said.say();
                })
                .await;
                if !is_answered {
                    refuse(id, -32603, &format!("the daemon gave no answer (HTTP {status})"));
                }
            }
            Err(trouble) if is_asked => refuse(id, -32603, &trouble.to_string()),
            Err(trouble) => tracing::warn!("{trouble}"),
        }
        self.talk().calls.remove(&id.to_string());
    }

    /// Sends a message; where its session is gone, opens another and sends it again.
    async fn send(&self, message: &Message) -> Result<Response<Incoming>, Trouble> {
        let session = self.session();
        let response = self.post(message, session.as_ref()).await?;
        let is_lost = session.is_some() && response.status() == StatusCode::NOT_FOUND;
        let opening = self.talk().opening.clone();
        let (true, Some(opening)) = (is_lost, opening) else { return Ok(response) };
        if self.talk().session == session {
            self.talk().session = None;
            let opened = self.post(&opening, None).await?;
            self.enter(opened).await;
            let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
            let ready = Message { text: ready.to_string(), json: ready };
            drop(self.post(&ready, self.session().as_ref()).await?);
        }
        self.post(message, self.session().as_ref()).await
    }

    async fn post(
        &self,
        message: &Message,
        session: Option<&Session>,
    ) -> Result<Response<Incoming>, Trouble> {
        let headers = headers(&message.json, session);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let daemon = self.daemon().await?;
        daemon.send(Method::POST, self.0.path, &headers, message.text.clone()).await
    }

    /// The daemon, as soon as it picks up.
    async fn daemon(&self) -> Result<Daemon, Trouble> {
        let known = self.talk().daemon;
        let began = tokio::time::Instant::now();
        loop {
            let found = daemon::find(&self.0.place)?;
            let tried = found.unwrap_or(known);
            match tried.picks_up().await {
                Ok(()) => {
                    self.talk().daemon = tried;
                    return Ok(tried);
                }
                Err(trouble) if began.elapsed() > COME_BACK => return Err(trouble),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Carries what the daemon says by itself, as long as there is a session.
    async fn listen(&self) {
        while let Some(session) = self.session() {
            let Ok(daemon) = self.daemon().await else { return };
            let headers = [
                ("accept", "text/event-stream"),
                ("mcp-session-id", session.id.as_str()),
                ("mcp-protocol-version", session.version.as_str()),
            ];
            if let Ok(response) =
                daemon.send(Method::GET, self.0.path, &headers, String::new()).await
            {
                if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                    return;
                }
                read(response, |message| message.say()).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets the daemon forget the session.
    async fn leave(&self) {
        let (daemon, session) = {
            let mut talk = self.talk();
            (talk.daemon, talk.session.take())
        };
        let Some(session) = session else { return };
        let headers = [
            ("mcp-session-id", session.id.as_str()),
            ("mcp-protocol-version", session.version.as_str()),
        ];
        if let Err(trouble) =
            daemon.send(Method::DELETE, self.0.path, &headers, String::new()).await
        {
            tracing::debug!("{trouble}");
        }
    }
}

/// What is to be done about a message.
enum Kind {
    /// Opens a session.
    Opening,
    /// Says that the session is open.
    Opened,
    /// Waits for an answer.
    Call(String),
    /// Does not wait for an answer any more.
    CallOff(String),
    /// Anything else.
    Word,
}

impl Kind {
    fn of(message: &Json) -> Self {
        match (message["method"].as_str(), message.get("id")) {
            (Some("initialize"), _) => Self::Opening,
            (Some("notifications/initialized"), _) => Self::Opened,
            (Some("notifications/cancelled"), _) => {
                Self::CallOff(message["params"]["requestId"].to_string())
            }
            (Some(_), Some(id)) => Self::Call(id.to_string()),
            (Some(_) | None, _) => Self::Word,
        }
    }
}

/// What HTTP shall say beside a message.
fn headers(message: &Json, session: Option<&Session>) -> Vec<(&'static str, String)> {
    let mut headers = vec![("accept", "application/json, text/event-stream".to_owned())];
    let params = &message["params"];
    if let Some(version) = params["_meta"][VERSION].as_str() {
        headers.push(("mcp-protocol-version", version.to_owned()));
        let method = message["method"].as_str().unwrap_or_default();
        headers.push(("mcp-method", method.to_owned()));
        let named = match method {
            "resources/read" => params["uri"].as_str(),
            _ if method.starts_with("tasks/") => params["taskId"].as_str(),
            "tools/call" | "prompts/get" => params["name"].as_str(),
            _ => None,
        };
        headers.extend(named.map(|name| ("mcp-name", plain(name))));
    } else if let Some(session) = session {
        headers.push(("mcp-session-id", session.id.clone()));
        headers.push(("mcp-protocol-version", session.version.clone()));
    }
    headers
}

/// A name as a header can hold it.
fn plain(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| (0x21..0x7f).contains(&byte)) && !name.starts_with("=?");
    match is_plain {
        true => name.to_owned(),
        false => format!("=?base64?{}?=", STANDARD.encode(name)),
    }
}

/// Every message of an answer, as it comes.
async fn read(response: Response<Incoming>, mut take: impl FnMut(Message)) {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_stream = kind.is_some_and(|kind| kind.starts_with("text/event-stream"));
    let (mut body, mut bytes) = (response.into_body(), Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        bytes.extend_from_slice(data);
        while is_stream && let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = bytes.drain(..=end).collect();
            // A message is one line of JSON, so one `data:` line is the whole of it.
            let data = line.strip_prefix(b"data:").unwrap_or_default();
            if let Some(message) = Message::read(data) {
                take(message);
            }
        }
    }
    if !is_stream && let Some(message) = Message::read(&bytes) {
        take(message);
    }
}

fn refuse(id: &Json, code: i32, message: &str) {
    say::json(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}));
}
