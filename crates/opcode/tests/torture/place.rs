//! A folder with a store in it, and the real binary at work there.
//!
//! Keeps: every process at work here has its directory here, so that none that is left over goes unseen.
//! Not here: what must be true of the store (`history.rs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;
use tempfile::TempDir;

use crate::running::{Ended, PATIENCE, Running};

/// A folder with a store in it.
pub(crate) struct Place {
    dir: TempDir,
    talks: AtomicU32,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().expect("a folder"), talks: AtomicU32::new(0) }
    }

    /// A file of this place.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.file("opcode.db")
    }

    /// Where effects leave their mark.
    pub(crate) fn effects(&self) -> PathBuf {
        self.file("effects")
    }

    /// Writes a definition, and gives its path.
    pub(crate) fn definition(&self, name: &str, definition: &Value) -> String {
        let path = self.file(&format!("{name}.json"));
        fs::write(&path, definition.to_string()).expect("a definition");
        path.to_string_lossy().into_owned()
    }

    /// A command of the binary, after `before` (a tracer, a limiter).
    pub(crate) fn command(&self, before: &[String], words: &[&str]) -> Command {
        self.command_on(&self.db(), before, words)
    }

    /// The same, on another store.
    pub(crate) fn command_on(&self, db: &Path, before: &[String], words: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_opcode").to_owned();
        let mut all = before.iter().chain([&binary]);
        let mut command = Command::new(all.next().expect("at least the binary"));
        command.args(all);
        self.call_on(&mut command, db, words);
        command
    }

    /// What a command of the binary shall do, here and for machines.
    pub(crate) fn call_on(&self, command: &mut Command, db: &Path, words: &[&str]) {
        command.args(words).arg("--json").arg("--db-path").arg(db);
        command.current_dir(self.dir()).env("HOME", self.dir());
        // One of its scripts differs from run to run.
        command.env("OPCODE_LENIENT_SHELL", "true");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OPCODE_")) {
            command.env_remove(name);
        }
    }

    /// A file for what the next process says.
    pub(crate) fn talk(&self) -> PathBuf {
        self.file(&format!("said-{}", self.talks.fetch_add(1, Ordering::Relaxed)))
    }

    /// Starts a command of the binary.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        Running::start(&mut self.command(&[], words), &self.talk())
    }

    /// Runs a command of the binary to its end.
    pub(crate) fn call(&self, words: &[&str]) -> Ended {
        self.start(words).end()
    }

    /// Lets everything unfinished go on until it rests.
    pub(crate) fn resume(&self) {
        let ended = self.call(&["resume"]);
        assert!(ended.status.success() || ended.code() == 3, "resume: {ended:?}");
    }

    /// Waits until no process is at work here.
    pub(crate) fn is_deserted(&self) {
        let by = Instant::now() + PATIENCE;
        while let Some((pid, name)) = self.processes().into_iter().next() {
            let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
            let left = by.saturating_duration_since(Instant::now());
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: 0 };
            let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&left)).unwrap_or(0);
            assert!(ended > 0, "process {pid:?} ({name}) is left over");
        }
    }

    /// Processes at work here, with their command lines.
    pub(crate) fn processes(&self) -> Vec<(Pid, String)> {
        let Ok(dir) = fs::canonicalize(self.dir()) else { return Vec::new() };
        let here = |entry: fs::DirEntry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let cwd = fs::read_link(entry.path().join("cwd")).ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let name = String::from_utf8_lossy(&line).replace('\0', " ");
            cwd.starts_with(&dir).then_some((pid, name))
        };
        let all = fs::read_dir("/proc").expect("a /proc").flatten();
        all.filter_map(here).collect()
    }
}

impl Drop for Place {
    /// What a failed test has left over does not stay.
    fn drop(&mut self) {
        self.processes().into_iter().for_each(|(pid, _)| signal(pid, Signal::KILL));
    }
}

/// Sends a signal to a process at work here, unless it has ended.
pub(crate) fn signal(pid: Pid, signal: Signal) {
    if let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) {
        pidfd_send_signal(&handle, signal).unwrap_or_default();
    }
}

impl Ended {
    /// The exit code; -1 if a signal ended it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// What it answered machines, if all of it came.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.lines.join("\n")).ok()
    }
}
