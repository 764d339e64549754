//! Running scripts under the helper, and a pipe that tells when the last of its holders is dead.
//!
//! Keeps: every wait has an end, so that a broken promise is a failed test and not a hung one.
//! Not here: the tests.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use opcode_sandbox::{Exec, ExecFault, ExecLimits, ExecOutcome, ExecSpec, Stop};
use tokio::sync::oneshot;

/// How long anything may take before it counts as broken.
pub(crate) const BROKEN: Duration = Duration::from_secs(60);

/// Says where another copy of the helper is, for a user who cannot reach the usual one.
pub(crate) const HELPER_ENV: &str = "OPCODE_TEST_HELPER";

/// Where the helper is.
pub(crate) fn helper() -> PathBuf {
    let usual = env!("CARGO_BIN_EXE_opcode-exec-helper");
    std::env::var_os(HELPER_ENV).map_or_else(|| usual.into(), PathBuf::from)
}

/// One for all tests, so that the machine is tried once.
pub(crate) fn exec() -> Exec {
    static EXEC: LazyLock<Exec> = LazyLock::new(|| Exec::new(helper(), None));
    EXEC.clone()
}

pub(crate) fn sh(script: &str) -> ExecSpec {
    ExecSpec {
        program: "/bin/sh".to_owned(),
        args: vec!["-c".to_owned(), script.to_owned()],
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        ..ExecSpec::default()
    }
}

pub(crate) async fn run(script: &str) -> Result<ExecOutcome, ExecFault> {
    within(exec().run(&sh(script), b"", &ExecLimits::default(), &Stop::never())).await
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(BROKEN, future).await.expect("this takes too long")
}

/// Runs blocking work on a thread of its own, which a failed test may leave behind.
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
    let (done, receiver) = oneshot::channel();
    std::thread::spawn(move || drop(done.send(work())));
    receiver
}

/// A named pipe that processes hold open for writing: the first line says they live, its end that they do not.
pub(crate) struct Pulse {
    pub path: PathBuf,
    reader: oneshot::Receiver<(BufReader<File>, String)>,
}

impl Pulse {
    pub(crate) fn new(dir: &Path) -> Self {
        let path = dir.join("pulse");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let opened = path.clone();
        let reader = aside(move || {
            let mut lines = BufReader::new(File::open(opened).unwrap());
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            (lines, line)
        });
        Self { path, reader }
    }

    /// A script that leaves a grandchild in a session of its own, which holds the pipe, and then does `then`.
    pub(crate) fn script(&self, then: &str) -> String {
        let path = self.path.display();
        format!("setsid sh -c 'exec 3>{path}; echo alive >&3; sleep 1000 & sleep 1000' & {then}")
    }

    /// A pipe beside it that scripts may `cat` to wait for a word.
    pub(crate) fn gate(&self) -> PathBuf {
        let path = self.path.with_extension("gate");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// Waits until it is held.
    pub(crate) async fn beats(self) -> Beating {
        let (lines, line) = within(self.reader).await.unwrap();
        assert_eq!(line, "alive\n");
        Beating(lines)
    }
}

pub(crate) struct Beating(BufReader<File>);

impl Beating {
    /// Waits until every holder is dead.
    pub(crate) async fn ends(self) {
        assert_eq!(self.rest().await, "");
    }

    /// What the holders still said before they ended.
    pub(crate) async fn rest(mut self) -> String {
        let rest = aside(move || {
            let mut rest = String::new();
            self.0.read_to_string(&mut rest).map(|_| rest)
        });
        within(rest).await.unwrap().unwrap()
    }
}

/// Lets whoever waits at a gate go on.
pub(crate) async fn open(gate: PathBuf) {
    let opening = aside(|| std::fs::write(gate, ""));
    within(opening).await.unwrap().unwrap();
}
