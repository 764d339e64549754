//! Calling actions, and a server on a free port that answers as it is told.
//!
//! Keeps: every wait has an end.
//! Not here: the tests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opcode_actions::{Registry, Stop, World, WorldConfig};
use opcode_model::action::{Actions, Answer, Call};
use opcode_model::{Failure, Outcome, Value};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A value from JSON.
pub(crate) fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Runs a pure action to its value.
pub(crate) fn compute(name: &str, params: &str) -> Result<Value, Failure> {
    match Registry::builtin().compute(name, &json(params))? {
        Answer::Value(value) => Ok(value),
        Answer::Native(call) => panic!("{call:?}"),
    }
}

pub(crate) fn config() -> WorldConfig {
    WorldConfig {
        helper: env!("CARGO_BIN_EXE_opcode-actions-helper").into(),
        ..WorldConfig::default()
    }
}

pub(crate) fn call(params: &str) -> Call {
    Call {
        workflow_id: "run_1".into(),
        step_id: "step.a".into(),
        agent_id: None,
        attempt: 1,
        idempotency_key: "KEY".into(),
        params: json(params),
        timeout: None,
        trace: None,
        hosts: Vec::new(),
        wishes: None,
        hides: None,
    }
}

/// Performs an action in a plain world.
pub(crate) async fn perform(name: &str, params: &str) -> Outcome {
    perform_in(config(), name, &call(params), Stop::never()).await
}

pub(crate) async fn perform_in(
    config: WorldConfig,
    name: &str,
    call: &Call,
    stop: Stop,
) -> Outcome {
    let (registry, world) = (Registry::builtin(), World::new(config).unwrap());
    within(registry.find(name).unwrap().perform(call, &world, stop)).await
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("this takes too long")
}

/// A request as the server saw it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

type Answerer = dyn Fn(&Seen) -> Vec<u8> + Send + Sync;

/// A server that answers by rule and remembers what it was asked.
pub(crate) struct Server {
    pub base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn new(answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all, answer): (_, Arc<Answerer>) = (seen.clone(), Arc::new(answer));
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, connection, answer.clone(), all.clone()));
            }
        });
        Self { base, seen }
    }

    /// Answers everything alike.
    pub(crate) async fn fixed(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::new(move |_| response.clone()).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A response with its length.
pub(crate) fn response(head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    answer: Arc<Answerer>,
    all: Arc<Mutex<Vec<Seen>>>,
) {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    while let Some(seen) = request(&mut from, connection).await {
        let response = answer(&seen);
        all.lock().unwrap().push(seen);
        // An empty answer means none at all.
        if response.is_empty() {
            return std::future::pending().await;
        }
        if to.write_all(&response).await.is_err() {
            return;
        }
    }
}

async fn request(from: &mut (impl AsyncBufReadExt + Unpin), connection: usize) -> Option<Seen> {
    let mut seen = Seen { connection, ..Seen::default() };
    from.read_line(&mut seen.line).await.ok().filter(|bytes| *bytes > 0)?;
    seen.line = seen.line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        seen.headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = seen.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.ok()?;
    seen.body = String::from_utf8(body).unwrap();
    Some(seen)
}
