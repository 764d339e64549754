//! The store of a server that runs: questions go over one connection, which is opened again if it was closed.
//!
//! Keeps: commands that only look see what they would see beside the store.
//! Not here: what is asked (`opcode-store`'s `look`), where the server is (`daemon.rs`).

use std::sync::Arc;

use hyper::client::conn::http1::SendRequest;
use hyper::{Method, StatusCode};
use opcode_store::{Ask, Distant, Fault, Look, Pending};
use tokio::sync::Mutex;

use crate::daemon::{Daemon, refusal, text};
use crate::trouble::Trouble;

/// A line to a server.
struct Line {
    daemon: Daemon,
    open: Mutex<Option<SendRequest<String>>>,
}

impl Line {
    /// Asks over the connection there is, or over a new one.
    async fn say(&self, question: &str) -> Result<(StatusCode, String), Trouble> {
        let request =
            || self.daemon.request(Method::POST, "/api/v1/look", &[], question.to_owned());
        let mut open = self.open.lock().await;
        // A server closes connections that nobody uses; that is found out by using one.
        if let Some(line) = open.as_mut().filter(|line| line.is_ready())
            && let Ok(response) = line.send_request(request()?).await
        {
            return Ok((response.status(), text(response).await?));
        }
        let line = open.insert(self.daemon.line().await?);
        let response = line.send_request(request()?).await;
        let response = response.map_err(|cause| self.daemon.silent(cause))?;
        Ok((response.status(), text(response).await?))
    }
}

/// Asks over a line that its answers keep open.
struct Asker(Arc<Line>);

impl Ask for Asker {
    fn ask(&self, look: Look) -> Pending<Result<String, Fault>> {
        let line = self.0.clone();
        Box::pin(async move {
            let lost = |cause: String| Fault::new("ask the server", cause);
            let question = serde_json::to_string(&look).map_err(|cause| lost(cause.to_string()))?;
            let said = line.say(&question).await.map_err(|trouble| lost(trouble.to_string()))?;
            match said {
                (status, answer) if status.is_success() => Ok(answer),
                (status, answer) => Err(lost(refusal(status, &answer).to_string())),
            }
        })
    }
}

/// The store a server holds.
///
/// # Errors
/// If it does not answer, or lets us not look.
pub(crate) async fn store(daemon: &Daemon) -> Result<Distant, Trouble> {
    let line = Arc::new(Line { daemon: *daemon, open: Mutex::new(None) });
    let (status, answer) = line.say(r#"{"look": "about"}"#).await?;
    if !status.is_success() {
        return Err(refusal(status, &answer));
    }
    Distant::open(Arc::new(Asker(line))).await.map_err(|fault| Trouble::store(&fault))
}
