//! The tracer: writes down system calls, makes chosen ones fail, or kills at them.
//!
//! Keeps: its absence is a failure that says what to install.
//! Not here: reading what it wrote (`trace.rs`).

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use rustix::process::Signal;

use crate::place::Place;
use crate::running::{Ended, PATIENCE, Running};

/// What SQLite calls to sync.
pub(crate) const SYNCS: &str = "fsync,fdatasync";

/// A program that must be there.
pub(crate) fn needs(program: &str) {
    let found = Command::new(program).arg("--version").output();
    assert!(
        found.is_ok_and(|found| found.status.success()),
        "could not run {program}; hint: apt-get install strace util-linux"
    );
}

/// What to do at system calls.
#[derive(Clone, Debug)]
pub(crate) enum Inject {
    /// Kill at the nth call that one thread makes.
    Kill { calls: &'static str, nth: u32 },
    /// Let calls fail with this error: `3` the third, `3+` all from there, `3..5` those.
    Fail { calls: &'static str, error: &'static str, when: String },
}

impl Inject {
    /// As strace takes it.
    fn words(&self) -> Vec<String> {
        let (calls, what) = match self {
            Self::Kill { calls, nth } => (calls, format!("signal=KILL:when={nth}")),
            Self::Fail { calls, error, when } => (calls, format!("error={error}:when={when}")),
        };
        vec!["-e".into(), format!("trace={calls}"), "-e".into(), format!("inject={calls}:{what}")]
    }
}

/// What goes before a command so that it runs under the tracer from its first call.
pub(crate) fn under(inject: &Inject, log: &Path) -> Vec<String> {
    needs("strace");
    let mut words: Vec<String> =
        ["strace", "-f", "-qqq", "-y", "-o"].map(str::to_owned).into_iter().collect();
    words.push(log.to_string_lossy().into_owned());
    words.extend(inject.words());
    words.push("--".to_owned());
    words
}

/// What is written down, with all bytes.
const RECORDED: [&str; 6] =
    ["-y", "-xx", "-s", "70000", "-e", "trace=pwrite64,write,fsync,fdatasync,ftruncate"];

/// What goes before a command so that its writes, syncs and sizes are written down with their bytes.
pub(crate) fn recording(log: &Path) -> Vec<String> {
    needs("strace");
    let mut words: Vec<String> = ["strace", "-f", "-qqq"].map(str::to_owned).to_vec();
    words.extend(RECORDED.map(str::to_owned));
    words.extend(["-o".to_owned(), log.to_string_lossy().into_owned(), "--".to_owned()]);
    words
}

/// A tracer on a process that runs already.
pub(crate) struct Tracer {
    running: Running,
}

impl Tracer {
    /// Attaches; when this returns, every call of every thread is seen.
    pub(crate) fn attach(place: &Place, pid: u32, inject: &Inject) -> Self {
        let mut words = vec!["-y".to_owned()];
        words.extend(inject.words());
        Self::start(place, pid, &words)
    }

    /// Attaches, writes down with all bytes, and lets one sync fail.
    pub(crate) fn record(place: &Place, pid: u32, log: &Path, failing: u32) -> Self {
        let mut words: Vec<String> = RECORDED.map(str::to_owned).to_vec();
        let fail = format!("inject={SYNCS}:error=EIO:when={failing}");
        words.extend(["-e".to_owned(), fail, "-o".to_owned(), log.to_string_lossy().into_owned()]);
        Self::start(place, pid, &words)
    }

    fn start(place: &Place, pid: u32, words: &[String]) -> Self {
        needs("strace");
        let mut command = Command::new("sh");
        // What strace says to people is what is waited for.
        command.args(["-c", "exec \"$@\" 2>&1", "sh", "strace", "-f", "-p"]);
        command.arg(pid.to_string()).args(words);
        let running = Running::start(&mut command, &place.talk());
        let attached = running.line(Instant::now() + PATIENCE).unwrap_or_default();
        assert!(attached.contains("attached"), "strace: {attached:?} {}", running.said());
        Self { running }
    }

    /// Waits until so many calls were made to fail.
    pub(crate) fn failed(&self, times: usize) {
        let by = Instant::now() + PATIENCE;
        let lines = std::iter::from_fn(|| self.running.line(by));
        let seen = lines.filter(|line| line.contains("(INJECTED)")).take(times).count();
        assert_eq!(seen, times, "calls that were made to fail");
    }

    /// Lets go of the process; it goes on.
    pub(crate) fn detach(self) -> Ended {
        self.running.signal(Signal::TERM);
        self.running.end()
    }

    /// Waits until the process has ended.
    pub(crate) fn end(self) -> Ended {
        self.running.end()
    }
}
