//! HTTP as it is on the wire: one connection a request, every header as told.
//!
//! Keeps: nothing is sent that was not asked for but `Content-Length` and `Connection`.
//! Not here: what is asked (`mcp.rs`, the tests).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path, "")
    }

    pub(crate) fn post(path: &str, body: &Json) -> Self {
        Self::new("POST", path, &body.to_string()).with("Content-Type", "application/json")
    }

    pub(crate) fn new(method: &str, path: &str, body: &str) -> Self {
        let (method, path, body) = (method.to_owned(), path.to_owned(), body.to_owned());
        Self { method, path, headers: Vec::new(), body }
    }

    /// The same with this header, in place of another of its name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it; what is answered is still on its way.
    pub(crate) fn open(&self, address: SocketAddr) -> Answer {
        Answer::read(self.begin(address))
    }

    /// Sends it and waits for nothing.
    pub(crate) fn begin(&self, address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            head += &format!("Host: {address}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", self.body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(self.body.as_bytes()).unwrap();
        stream
    }

    /// Sends it; answers what is answered in the end.
    pub(crate) fn send(&self, address: SocketAddr) -> Reply {
        let answer = self.open(address);
        let (status, headers) = (answer.status, answer.headers.clone());
        Reply { status, headers, body: String::from_utf8(answer.bytes()).unwrap() }
    }
}

/// An answer on its way.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: BufReader<Box<dyn Read>>,
}

impl Answer {
    fn read(stream: TcpStream) -> Self {
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_default().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            lines.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let is_chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
        let body: Box<dyn Read> = match is_chunked {
            true => Box::new(Chunks { lines, left: 0 }),
            false => Box::new(lines),
        };
        Self { status, headers, body: BufReader::new(body) }
    }

    /// A header of it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// All of it, which need not be text.
    pub(crate) fn bytes(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.body.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// The next event of a stream that has data; none at its end.
    pub(crate) fn event(&mut self) -> Option<Event> {
        let mut event = Event::default();
        let begun = Instant::now();
        loop {
            // What only keeps a stream alive is no answer.
            assert!(begun.elapsed() < PATIENCE, "no event came");
            let mut line = String::new();
            if self.body.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            match (key, value.strip_prefix(' ').unwrap_or(value)) {
                ("event", value) => event.name = value.to_owned(),
                ("id", value) => event.id = value.to_owned(),
                ("data", value) => event.data += value,
                ("", "") if line.is_empty() && !event.data.is_empty() => return Some(event),
                ("", "") if line.is_empty() => event = Event::default(),
                _ => {}
            }
        }
    }
}

/// An event of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

impl Event {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.data).unwrap()
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|cause| panic!("{cause}: {self:?}"))
    }

    /// The same, if it was answered like this.
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The message for an id, whether it came alone or in a stream.
    pub(crate) fn message(&self, id: i64) -> Json {
        let lines = self.body.lines().map(|line| line.strip_prefix("data:").unwrap_or(line));
        let mut messages = lines.filter_map(|line| serde_json::from_str::<Json>(line).ok());
        messages.find(|it| it["id"] == id).unwrap_or_else(|| panic!("no answer: {self:?}"))
    }
}

/// Chunks put together.
struct Chunks {
    lines: BufReader<TcpStream>,
    left: usize,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.left == 0 {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 {
                return Ok(0);
            }
            let size = line.trim();
            if size.is_empty() {
                continue;
            }
            self.left = usize::from_str_radix(size, 16).map_err(std::io::Error::other)?;
            if self.left == 0 {
                return Ok(0);
            }
        }
        let room = self.left.min(into.len());
        let read = self.lines.read(&mut into[..room])?;
        self.left -= read;
        Ok(read)
    }
}
