//! A server on a free port of this machine that answers as a story tells it and remembers what it was asked.
//!
//! Keeps: a route's answers come in turn, the last one again and again; what no route answers is a 404.
//! Not here: what is done with what it saw (`check.rs`).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde::Deserialize;
use serde_json::Value;

/// One answer of a route.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    /// Never answers; ends when the other side gives up.
    hang: bool,
}

/// What every route answers, by `METHOD /path?query`.
pub(crate) type Routes = BTreeMap<String, Vec<Answer>>;

/// A request as the server saw it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) route: String,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: String,
}

/// A server that lives as long as this does.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    routes: Routes,
    seen: Mutex<Vec<Seen>>,
    stop: AtomicBool,
}

impl Server {
    pub(crate) fn start(routes: Routes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared =
            Arc::new(Shared { routes, seen: Mutex::default(), stop: AtomicBool::default() });
        let server = Self { address, shared: shared.clone() };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Acquire) {
                    return;
                }
                let shared = shared.clone();
                if let Ok(stream) = stream {
                    thread::spawn(move || shared.serve(&stream));
                }
            }
        });
        server
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self, route: &str) -> Vec<Seen> {
        let seen = self.shared.seen.lock().expect("nobody panics with it");
        seen.iter().filter(|seen| seen.route == route).cloned().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // Wakes the listener, so that it sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut from = BufReader::new(stream);
        let mut to = stream;
        while let Some(seen) = request(&mut from) {
            let answer = self.note(seen);
            if answer.hang {
                // Ends when the other side closes.
                drop(from.read(&mut [0]));
                return;
            }
            if to.write_all(&answer.bytes()).is_err() {
                return;
            }
        }
    }

    /// The route's answer to its next request.
    fn note(&self, seen: Seen) -> Answer {
        let mut all = self.seen.lock().expect("nobody panics with it");
        let turn = all.iter().filter(|other| other.route == seen.route).count();
        let answers = self.routes.get(&seen.route);
        let answer = answers.and_then(|answers| answers.get(turn).or(answers.last()));
        all.push(seen);
        answer.cloned().unwrap_or_else(|| Answer { status: Some(404), ..Answer::default() })
    }
}

impl Answer {
    fn bytes(&self) -> Vec<u8> {
        let (kind, body) = match (&self.json, &self.text) {
            (Some(json), _) => ("application/json", json.to_string()),
            (None, text) => ("text/plain", text.clone().unwrap_or_default()),
        };
        let mut head =
            format!("HTTP/1.1 {} Told\r\nContent-Type: {kind}\r\n", self.status.unwrap_or(200));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }
}

fn request(from: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let route = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut seen = Seen { route, ..Seen::default() };
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "idempotency-key" => seen.idempotency_key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).ok()?;
    Some(seen)
}
