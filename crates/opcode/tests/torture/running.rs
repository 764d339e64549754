//! A process the test has started: what it says, how it ends, and how it is killed.
//!
//! Keeps: it is waited for by level and with a deadline; a signal reaches the process that was started, never one that
//! inherited its number; none outlives its test.
//! Not here: which program (`place.rs`, `strace.rs`).

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Nothing here takes so long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A started process.
pub(crate) struct Running {
    handle: OwnedFd,
    pub(crate) pid: u32,
    lines: Receiver<String>,
    done: Receiver<ExitStatus>,
    ended: Option<ExitStatus>,
    stderr: PathBuf,
}

/// How a process ended, and all it said.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<String>,
    pub(crate) said: String,
}

impl Running {
    /// Starts it; what it says to people goes to the file `stderr`.
    pub(crate) fn start(command: &mut Command, stderr: &Path) -> Self {
        let talk = File::create(stderr).expect("a file for what is said");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(talk);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let pid = Pid::from_child(&child);
        let handle = pidfd_open(pid, PidfdFlags::empty()).expect("a handle on a child");
        let stdout = child.stdout.take().expect("a pipe");
        let (say, lines) = channel();
        let (end, done) = channel();
        thread::spawn(move || {
            // Whoever stopped listening does not need the rest.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                say.send(line).unwrap_or_default();
            }
            drop(say);
            end.send(child.wait().expect("a child is waited for once")).unwrap_or_default();
        });
        let pid = pid.as_raw_nonzero().get().unsigned_abs();
        Self { handle, pid, lines, done, ended: None, stderr: stderr.to_owned() }
    }

    /// The next line it says before `by`.
    pub(crate) fn line(&self, by: Instant) -> Option<String> {
        self.lines.recv_timeout(by.saturating_duration_since(Instant::now())).ok()
    }

    /// What it has told people so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Waits for its end, until `by` at most.
    pub(crate) fn ends_by(&mut self, by: Instant) -> bool {
        if self.ended.is_none() {
            match self.done.recv_timeout(by.saturating_duration_since(Instant::now())) {
                Ok(status) => self.ended = Some(status),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("nobody waits for the child"),
            }
        }
        self.ended.is_some()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let ended = self.ends_by(Instant::now() + PATIENCE);
        assert!(ended, "process {} does not end; it said:\n{}", self.pid, self.said());
        let status = self.ended.expect("it has ended");
        Ended { status, lines: self.lines.iter().collect(), said: self.said() }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        // It may have ended by itself.
        pidfd_send_signal(&self.handle, signal).unwrap_or_default();
    }

    /// Kills it, and waits for its end.
    pub(crate) fn kill(self) -> Ended {
        self.signal(Signal::KILL);
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.signal(Signal::KILL);
        }
    }
}
