//! A program that is spoken with while it runs, such as a plugin.
//!
//! Keeps: it and all it started die when the session is dropped.
//! Not here: programs that run to their end (`exec.rs`).

use std::io;
use std::os::unix::net::UnixStream as Socket;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, ChildStderr};

use crate::exec::{Exec, ExecEnd, ExecFault};
use crate::helper::TERMINATE;

/// A running program and the lines to it.
#[derive(Debug)]
pub struct Session {
    /// What it reads. Shut down, it reads an end.
    pub stdin: OwnedWriteHalf,
    /// What it writes.
    pub stdout: OwnedReadHalf,
    /// What it writes beside that. Somebody has to read it.
    pub stderr: ChildStderr,
    /// The program itself.
    pub held: Held,
}

/// A running program; let go of, it dies.
#[derive(Debug)]
pub struct Held {
    control: UnixStream,
    /// What its helper said up to now.
    said: Vec<u8>,
    helper: Child,
    exec: Exec,
    program: String,
}

impl Session {
    /// A session with what was ordered of a helper.
    pub(crate) fn new(
        exec: Exec,
        program: String,
        (mut helper, control): (Child, UnixStream),
        lines: Socket,
    ) -> io::Result<Self> {
        lines.set_nonblocking(true)?;
        let (stdout, stdin) = UnixStream::from_std(lines)?.into_split();
        let stderr = helper.stderr.take().ok_or_else(|| io::Error::other("no line for errors"))?;
        let held = Held { control, said: Vec::new(), helper, exec, program };
        Ok(Self { stdin, stdout, stderr, held })
    }
}

impl Held {
    /// Asks it to end. It is killed if it does not within its grace.
    pub async fn terminate(&mut self) {
        // It may have ended already.
        self.control.write_all(&[TERMINATE]).await.unwrap_or_default();
    }

    /// Waits until it has ended, and everything it started. Let go of half-way, it can be asked again.
    ///
    /// # Errors
    /// Why it did not begin, if it did not.
    pub async fn wait(&mut self) -> Result<ExecEnd, ExecFault> {
        while self.control.read_buf(&mut self.said).await.is_ok_and(|bytes| bytes > 0) {}
        let word = String::from_utf8_lossy(&self.said);
        self.helper.wait().await.map_err(|error| self.exec.fault(&error))?;
        self.exec.verdict(&self.program, &word)
    }
}
