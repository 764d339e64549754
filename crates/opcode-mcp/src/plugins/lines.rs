//! Messages over a program's standard streams, one a line: a transport that survives whoever is at the other end.
//!
//! Keeps: a line has a limit, and what is no message is only noted; who sends without end what nobody asked for is cut off.
//! Not here: what messages mean (`rmcp`), the program (`opcode-sandbox`).

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::JsonRpcMessage;
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::MESSAGE_BYTES_MAX;

/// Messages nobody asked for, in one window.
const UNASKED_MAX: u32 = 5_000;
/// Lines that are no messages, in one window.
const JUNK_MAX: u32 = 1_000;
/// Bytes of such a line that are noted.
const NOTED_BYTES_MAX: usize = 16 << 10;
/// How long a window is.
const WINDOW: Duration = Duration::from_secs(10);

/// Both directions.
pub(super) struct Lines<R, W> {
    from: BufReader<R>,
    to: Arc<tokio::sync::Mutex<W>>,
    line: Vec<u8>,
    /// Requests that are not answered yet.
    asked: BTreeSet<String>,
    unasked: Meter,
    junk: Meter,
    end: End,
    note: Arc<dyn Fn(String) + Send + Sync>,
}

/// Why it was cut off, if it was.
#[derive(Clone, Debug, Default)]
pub(super) struct End(Arc<Mutex<Option<String>>>);

impl End {
    fn set(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// What was wrong.
    pub(super) fn told(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Counts within a window.
#[derive(Debug)]
pub(super) struct Meter {
    since: Instant,
    count: u32,
    most: u32,
}

impl Meter {
    /// Of messages nobody asked for.
    pub(super) fn unasked() -> Self {
        Self::new(UNASKED_MAX)
    }

    fn new(most: u32) -> Self {
        Self { since: Instant::now(), count: 0, most }
    }

    /// Whether one more is too many.
    pub(super) fn is_full(&mut self) -> bool {
        if self.since.elapsed() > WINDOW {
            *self = Self::new(self.most);
        }
        self.count += 1;
        self.count > self.most
    }
}

impl<R: AsyncRead + Unpin, W> Lines<R, W> {
    pub(super) fn new(
        (from, to): (R, W),
        end: End,
        note: Arc<dyn Fn(String) + Send + Sync>,
    ) -> Self {
        Self {
            from: BufReader::new(from),
            to: Arc::new(tokio::sync::Mutex::new(to)),
            line: Vec::new(),
            asked: BTreeSet::new(),
            unasked: Meter::unasked(),
            junk: Meter::new(JUNK_MAX),
            end,
            note,
        }
    }

    /// Reads on to the end of a line; let go of half-way, it goes on from there. `None` at the end of the stream.
    async fn read_line(&mut self) -> Option<()> {
        loop {
            let found = self.from.fill_buf().await.ok().filter(|found| !found.is_empty())?;
            let end = found.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(found.len());
            if self.line.len() + taken > MESSAGE_BYTES_MAX {
                self.end.set(format!("it sent a line of more than {MESSAGE_BYTES_MAX} bytes"));
                return None;
            }
            self.line.extend_from_slice(&found[..taken]);
            self.from.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                return Some(());
            }
        }
    }

    /// The message of a line, if it is one. `Err` if no more shall be read.
    fn message(&mut self, line: &[u8]) -> Result<Option<RxJsonRpcMessage<RoleClient>>, ()> {
        let Ok(message) = serde_json::from_slice::<RxJsonRpcMessage<RoleClient>>(line) else {
            if self.junk.is_full() {
                self.end.set("it goes on sending lines that are no messages".to_owned());
                return Err(());
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                let shown = &line[..line.len().min(NOTED_BYTES_MAX)];
                (self.note)(format!("no message: {}", String::from_utf8_lossy(shown)));
            }
            return Ok(None);
        };
        let id = match &message {
            JsonRpcMessage::Response(answer) => Some(answer.id.to_string()),
            JsonRpcMessage::Error(answer) => answer.id.as_ref().map(ToString::to_string),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let is_answer = id.is_some_and(|id| self.asked.remove(&id));
        if !is_answer && self.unasked.is_full() {
            self.end.set("it floods us with messages that nobody asked for".to_owned());
            return Err(());
        }
        Ok(Some(message))
    }
}

impl<R, W> Transport<RoleClient> for Lines<R, W>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        if let JsonRpcMessage::Request(request) = &item {
            self.asked.insert(request.id.to_string());
        }
        let (to, text) = (self.to.clone(), serde_json::to_vec(&item));
        async move {
            let mut text = text?;
            text.push(b'\n');
            to.lock().await.write_all(&text).await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            self.read_line().await?;
            let line = std::mem::take(&mut self.line);
            match self.message(&line) {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(()) => return None,
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        // Whoever still writes is stuck; the program is told to end by other means.
        match self.to.try_lock() {
            Ok(mut to) => to.shutdown().await,
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What is received of a stream, and why it ended.
    async fn received(stream: Vec<u8>) -> (usize, Option<String>) {
        let (ours, mut theirs) = duplex(1 << 16);
        let (from, to) = tokio::io::split(ours);
        let end = End::default();
        let mut lines = Lines::new((from, to), end.clone(), Arc::new(|_| {}));
        tokio::spawn(async move {
            // Whoever is cut off cannot write any more.
            theirs.write_all(&stream).await.unwrap_or_default();
        });
        let mut count = 0;
        while lines.receive().await.is_some() {
            count += 1;
        }
        (count, end.told())
    }

    #[tokio::test]
    async fn what_is_no_message_is_passed_over() {
        let stream =
            b"banner\n\n\xff\xfe\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\r\n[[[[\n".to_vec();
        assert_eq!(received(stream).await, (1, None));
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut_off() {
        let (count, why) = received(vec![b'x'; MESSAGE_BYTES_MAX + (1 << 20)]).await;
        assert!(count == 0 && why.unwrap().contains("more than"));
    }

    #[tokio::test]
    async fn a_flood_is_cut_off_whatever_it_is_of() {
        let note = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n";
        let (count, why) = received(note.repeat(20_000).into_bytes()).await;
        assert_eq!(count as u32, UNASKED_MAX);
        assert!(why.unwrap().contains("floods"));
        let answer = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";
        let (_, why) = received(answer.repeat(20_000).into_bytes()).await;
        assert!(why.unwrap().contains("floods"), "answers to nothing");
        let (_, why) = received("\n".repeat(20_000).into_bytes()).await;
        assert!(why.unwrap().contains("no messages"));
        let (_, why) = received("junk\n".repeat(20_000).into_bytes()).await;
        assert!(why.unwrap().contains("no messages"));
    }
}
