//! The process that serves a store: where it says it is, and how to ask it.
//!
//! Keeps: a file that nobody stands behind any more is as good as none; nothing is asked through a proxy.
//! Not here: serving (`cmd/serve.rs`).

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use opcode_model::ErrorCode;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::net::TcpStream;

use crate::cli::Place;
use crate::trouble::Trouble;
use crate::wire;

/// Shown to a daemon that asks for a token.
const TOKEN: &str = "OPCODE_TOKEN";
/// How long a daemon may take to pick up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process that serves a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Daemon {
    pub(crate) pid: u32,
    pub(crate) address: SocketAddr,
}

/// `<database><end>`.
fn beside(place: &Place, end: &str) -> Result<PathBuf, Trouble> {
    let mut path = wire::db_path(place)?.into_os_string();
    path.push(end);
    Ok(path.into())
}

/// The file that says where a daemon is; taken away when it ends.
pub(crate) struct Sign(PathBuf);

impl Sign {
    /// Puts it up.
    pub(crate) fn put(place: &Place, daemon: &Daemon) -> Result<Self, Trouble> {
        let path = beside(place, ".serve.json")?;
        let written = serde_json::to_string(daemon).map_err(std::io::Error::other);
        written.and_then(|text| write(&path, &text)).map_err(|cause| {
            Trouble::fault(format!("could not write {}: {cause}", path.display()))
        })?;
        Ok(Self(path))
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_file(&self.0) {
            tracing::warn!(%cause, "could not remove {}", self.0.display());
        }
    }
}

/// A reader sees the old text or the new one, never half of it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{text}")?;
    std::fs::rename(&new, path)
}

/// The daemon that holds a store, if one does.
pub(crate) fn find(place: &Place) -> Result<Option<Daemon>, Trouble> {
    let sign = std::fs::read_to_string(beside(place, ".serve.json")?).unwrap_or_default();
    let Ok(daemon) = serde_json::from_str::<Daemon>(&sign) else { return Ok(None) };
    // Its number may be somebody else's by now; the lock names who has the store.
    let lock = std::fs::read_to_string(beside(place, ".lock")?).unwrap_or_default();
    let holds = lock.lines().next().and_then(|pid| pid.parse().ok()) == Some(daemon.pid);
    let pid = i32::try_from(daemon.pid).ok().and_then(Pid::from_raw);
    let lives = pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH));
    Ok((holds && lives).then_some(daemon))
}

impl Daemon {
    /// Where it is reached from this machine.
    fn reached_at(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }

    /// Its address, for people and clients.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.reached_at())
    }

    pub(crate) fn silent(&self, cause: impl std::fmt::Display) -> Trouble {
        let (pid, address) = (self.pid, self.reached_at());
        Trouble::fault(format!("could not ask process {pid} at {address}: {cause}"))
            .hint("look at what it says, or stop it and start it again: opcode serve")
    }

    async fn connect(&self) -> Result<TcpStream, Trouble> {
        let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(self.reached_at())).await;
        let stream = connected.map_err(|_| self.silent("it does not pick up"))?;
        stream.map_err(|cause| self.silent(cause))
    }

    /// Whether it can be asked now.
    pub(crate) async fn picks_up(&self) -> Result<(), Trouble> {
        self.connect().await.map(drop)
    }

    /// Sends a request; its answer may still be on its way.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Response<Incoming>, Trouble> {
        let request = self.request(method, path, headers, body)?;
        let answered = self.line().await?.send_request(request).await;
        answered.map_err(|cause| self.silent(cause))
    }

    /// A new connection.
    pub(crate) async fn line(&self) -> Result<SendRequest<String>, Trouble> {
        let stream = TokioIo::new(self.connect().await?);
        let opened = hyper::client::conn::http1::handshake(stream).await;
        let (sender, connection) = opened.map_err(|cause| self.silent(cause))?;
        tokio::spawn(async move {
            if let Err(cause) = connection.await {
                tracing::debug!(%cause, "a connection to the daemon ended");
            }
        });
        Ok(sender)
    }

    /// A request as it understands it.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Request<String>, Trouble> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.reached_at().to_string())
            .header(header::CONTENT_TYPE, "application/json");
        if let Ok(token) = std::env::var(TOKEN) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).map_err(|cause| self.silent(cause))
    }

    /// Asks its API.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Json, Trouble> {
        let body = body.map(Json::to_string).unwrap_or_default();
        let response = self.send(method, path, &[], body).await?;
        let status = response.status();
        let bytes = text(response).await?;
        if status.is_success() {
            return Ok(serde_json::from_str(&bytes).unwrap_or_default());
        }
        Err(refusal(status, &bytes))
    }
}

/// The whole of an answer.
pub(crate) async fn text(response: Response<Incoming>) -> Result<String, Trouble> {
    let cut =
        |cause: hyper::Error| Trouble::fault(format!("the daemon's answer was cut off: {cause}"));
    let bytes = response.into_body().collect().await.map_err(cut)?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What it said when it refused.
pub(crate) fn refusal(status: StatusCode, answer: &str) -> Trouble {
    let answer: Json = serde_json::from_str(answer).unwrap_or_default();
    let error = &answer["error"];
    let code = serde_json::from_value(error["code"].clone()).unwrap_or(ErrorCode::Internal);
    let message = error["message"].as_str().unwrap_or("it gave no reason");
    let trouble = Trouble::said(code, format!("the daemon refused: {message}"));
    match error["hint"].as_str() {
        _ if status == StatusCode::UNAUTHORIZED => {
            trouble.hint(format!("put a token into {TOKEN}"))
        }
        Some(hint) => trouble.hint(hint),
        None => trouble,
    }
}
