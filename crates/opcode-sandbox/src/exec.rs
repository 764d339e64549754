//! Asks a helper to run something, and waits until it and everything it started is gone.
//!
//! Keeps: when `run` returns, nothing of the attempt lives; when its future is dropped, the helper sees to that.
//! Not here: the helper (`helper/`).

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Socket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opcode_model::limits::CAPTURE_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

use crate::capture::{Captured, Tally};
use crate::helper::{KILL, TERMINATE};
use crate::linux::meter::Hit;
use crate::note::ensure_dead;
use crate::policy::{self, Demand, Host, Plan, Refused};
use crate::session::Session;
use crate::spec::{ExecSpec, HELPER_WORD, Input, Order, Run};
use crate::stop::Stop;
use crate::word::Word;

/// What people who list processes see; the helper's path may say nothing.
const HELPER_NAME: &str = "opcode";
/// How long streams may take to end once every known writer is dead.
const DRAIN: Duration = Duration::from_secs(1);
/// How long finding out what the machine can do may take.
const PROBE_MAX: Duration = Duration::from_secs(30);

/// Starts helpers.
#[derive(Clone, Debug)]
pub struct Exec {
    helper: PathBuf,
    attempts_dir: Option<PathBuf>,
    host: Arc<OnceCell<Host>>,
}

/// How far an attempt may go.
#[derive(Clone, Debug)]
pub struct ExecLimits {
    /// When it is killed.
    pub timeout: Option<Duration>,
    /// Bytes kept of each stream.
    pub capture_bytes_max: usize,
    /// How long it may take to end after a stop, before it is killed.
    pub grace: Duration,
}

impl Default for ExecLimits {
    fn default() -> Self {
        Self { timeout: None, capture_bytes_max: CAPTURE_BYTES_MAX, grace: Duration::from_secs(2) }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecEnd {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// By us: its time was up.
    TimedOut,
    /// By us: it was told to stop.
    Stopped,
    /// By us or the kernel: it had used up what it may.
    Limited(Hit),
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct ExecOutcome {
    /// How it ended.
    pub end: ExecEnd,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// How long it took.
    pub duration: Duration,
}

impl ExecOutcome {
    /// Stopped before it began.
    pub(crate) fn unstarted(begun: Instant) -> Self {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        Self { end: ExecEnd::Stopped, stdout, stderr, duration: begun.elapsed() }
    }
}

/// Why an attempt did not run, or why nobody knows how it ended.
#[derive(Debug, thiserror::Error)]
pub enum ExecFault {
    /// There is no such program.
    #[error("exec: {program:?}: executable file not found in $PATH")]
    Missing {
        /// What was looked for.
        program: String,
    },
    /// It could not be started.
    #[error("exec: {program:?}: {reason}")]
    Start {
        /// What was to be started.
        program: String,
        /// What the system said.
        reason: String,
    },
    /// The helper could not be started, or could not do its work.
    #[error("could not run the helper {helper}: {reason}")]
    Helper {
        /// Which program.
        helper: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The sandbox could not be made as planned.
    #[error("could not close the sandbox: {0}")]
    Lock(String),
    /// A sandbox that may lack nothing would lack something.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// An earlier attempt with the same key does not end.
    #[error("could not end an earlier attempt")]
    Earlier(#[source] io::Error),
    /// The helper was killed from outside.
    #[error("the helper was killed before it could say how the program ended")]
    Lost,
}

impl Exec {
    /// Helpers are `helper __exec`; they leave their notes in `attempts_dir`.
    pub fn new(helper: impl Into<PathBuf>, attempts_dir: Option<PathBuf>) -> Self {
        Self { helper: helper.into(), attempts_dir, host: Arc::default() }
    }

    /// What this machine can do; found out once, by trying it.
    pub async fn host(&self) -> Result<&Host, ExecFault> {
        self.host.get_or_try_init(|| self.probe()).await
    }

    async fn probe(&self) -> Result<Host, ExecFault> {
        let frames = Order::Probe.frames(b"").map_err(|error| self.fault(&error))?;
        let (helper, control) = self
            .spawn("probe", (Stdio::null(), Stdio::null()))
            .map_err(|error| self.fault(&error))?;
        let (stop, tally) = (&Stop::never(), &Tally::new(None));
        let bounds = Bounds { timeout: Some(PROBE_MAX), stop, tally };
        let said = converse(helper, control, &frames, bounds).await;
        match Word::read(&said.map_err(|error| self.fault(&error))?.word) {
            Some(Word::Host(host)) => Ok(host),
            Some(_) | None => {
                Err(self.fault(&io::Error::other("it could not try what this machine can do")))
            }
        }
    }

    /// What a demand comes to here. Whoever demands nothing beside the usual does not wait for the machine.
    pub async fn plan(&self, demand: Demand) -> Result<Plan, ExecFault> {
        let unknown = Host::default();
        let host = if demand.needs_host() { self.host().await? } else { &unknown };
        Ok(policy::plan(demand, host)?)
    }

    /// Runs `spec`, feeding it `stdin`, until it ends, its time is up, or `stop` fires.
    pub async fn run(
        &self,
        spec: &ExecSpec,
        stdin: &[u8],
        limits: &ExecLimits,
        stop: &Stop,
    ) -> Result<ExecOutcome, ExecFault> {
        let begun = Instant::now();
        if let (Some(dir), Some(key)) = (&self.attempts_dir, &spec.key) {
            tokio::select! {
                biased;
                dead = ensure_dead(dir, key) => dead.map_err(ExecFault::Earlier)?,
                () = stop.wait() => return Ok(ExecOutcome::unstarted(begun)),
            }
        }
        let frames = self.order(spec, limits.grace, Input::Order).frames(stdin);
        let frames = frames.map_err(|error| self.fault(&error))?;
        let (mut helper, control) = self
            .spawn(&spec.program, (Stdio::piped(), Stdio::piped()))
            .map_err(|error| self.fault(&error))?;
        let (mut stdout, mut stderr) = (Captured::default(), Captured::default());
        let tally = Tally::new(spec.plan.limits.output_bytes);
        let said = {
            let bytes_max = limits.capture_bytes_max;
            let out = stdout.fill(helper.stdout.take(), bytes_max, &tally);
            let err = stderr.fill(helper.stderr.take(), bytes_max, &tally);
            let captures = async { tokio::join!(out, err) };
            let bounds = Bounds { timeout: limits.timeout, stop, tally: &tally };
            drained(captures, converse(helper, control, &frames, bounds)).await
        };
        let said = said.map_err(|error| self.fault(&error))?;
        let end = match said.hung_up.map_or_else(|| self.verdict(&spec.program, &said.word), Ok) {
            Ok(end) => end,
            Err(fault) => return Err(self.left_over(spec, fault).await),
        };
        let end = if tally.is_over() { ExecEnd::Limited(Hit::Output) } else { end };
        Ok(ExecOutcome { end, stdout, stderr, duration: begun.elapsed() })
    }

    /// Starts something that is spoken with while it runs, and dies with its session.
    pub async fn open(&self, spec: &ExecSpec, grace: Duration) -> Result<Session, ExecFault> {
        let frames = self.order(spec, grace, Input::Output).frames(b"");
        let frames = frames.map_err(|error| self.fault(&error))?;
        let open = async || {
            let (ours, theirs) = Socket::pair()?;
            let mut helper =
                self.spawn(&spec.program, (OwnedFd::from(theirs).into(), Stdio::piped()))?;
            helper.1.write_all(&frames).await?;
            Session::new(self.clone(), spec.program.clone(), helper, ours)
        };
        open().await.map_err(|error| self.fault(&error))
    }

    pub(crate) fn attempts_dir(&self) -> Option<&Path> {
        self.attempts_dir.as_deref()
    }

    pub(crate) fn order(&self, spec: &ExecSpec, grace: Duration, input: Input) -> Order {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let attempts_dir = self.attempts_dir.clone();
        Order::Run(Run { spec: spec.clone(), attempts_dir, grace_ms, input, detached: None })
    }

    pub(crate) fn spawn(
        &self,
        program: &str,
        (stdout, stderr): (Stdio, Stdio),
    ) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = Socket::pair()?;
        ours.set_nonblocking(true)?;
        let ours = UnixStream::from_std(ours)?;
        // The command holds its copy of the helper's end, so it must not live longer than the call.
        let child = Command::new(&self.helper)
            .arg0(HELPER_NAME)
            .arg(HELPER_WORD)
            .arg(program)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()?;
        Ok((child, ours))
    }

    /// A helper that was killed could not end what it held; so we do.
    async fn left_over(&self, spec: &ExecSpec, fault: ExecFault) -> ExecFault {
        match (&fault, &self.attempts_dir, &spec.key) {
            (ExecFault::Lost, Some(dir), Some(key)) => match ensure_dead(dir, key).await {
                Ok(()) => fault,
                Err(cause) => ExecFault::Earlier(cause),
            },
            _ => fault,
        }
    }

    pub(crate) fn fault(&self, error: &io::Error) -> ExecFault {
        ExecFault::Helper { helper: self.helper.clone(), reason: error.to_string() }
    }

    /// What the helper's last word comes to.
    pub(crate) fn verdict(&self, program: &str, said: &str) -> Result<ExecEnd, ExecFault> {
        let program = program.to_owned();
        match Word::read(said) {
            Some(Word::Exit(status)) => Ok(ExecEnd::Exited(status)),
            Some(Word::Signal(signal)) => Ok(ExecEnd::Signalled(signal)),
            Some(Word::Stopped) => Ok(ExecEnd::Stopped),
            Some(Word::Killed) => Ok(ExecEnd::TimedOut),
            Some(Word::Hit(hit)) => Ok(ExecEnd::Limited(hit)),
            Some(Word::Missing) => Err(ExecFault::Missing { program }),
            Some(Word::Start(reason)) => Err(ExecFault::Start { program, reason }),
            Some(Word::Lock(reason)) => Err(ExecFault::Lock(reason)),
            Some(Word::Helper(reason)) => {
                Err(ExecFault::Helper { helper: self.helper.clone(), reason })
            }
            Some(Word::Tried(_) | Word::Host(_)) | None => Err(ExecFault::Lost),
        }
    }
}

/// Follows the streams while the conversation lasts, and to their ends if they come soon after it.
async fn drained<T>(captures: impl Future, conversation: impl Future<Output = T>) -> T {
    tokio::pin!(captures, conversation);
    tokio::select! {
        biased;
        said = &mut conversation => {
            // Only a process that outlived a killed helper could still hold a stream.
            drop(tokio::time::timeout(DRAIN, captures).await);
            said
        }
        _ = &mut captures => conversation.await,
    }
}

/// What the helper said, and whether we hung up before it had its whole order.
struct Said {
    word: String,
    hung_up: Option<ExecEnd>,
}

/// What may end a conversation from our side.
struct Bounds<'a> {
    timeout: Option<Duration>,
    stop: &'a Stop,
    tally: &'a Tally,
}

impl Bounds<'_> {
    /// Waits until time is up, or too much was said; for ever if neither comes.
    async fn end(&self) {
        let time = async {
            match self.timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time => {}
            () = self.tally.over() => {}
        }
    }
}

/// Gives the order, passes on a stop or the end of time, and returns what the helper said once it has ended.
async fn converse(
    mut helper: Child,
    control: UnixStream,
    frames: &[u8],
    bounds: Bounds<'_>,
) -> io::Result<Said> {
    let (mut from, to) = control.into_split();
    let mut hung_up = None;
    let telling = async {
        hung_up = command(to, frames, bounds).await;
        std::future::pending().await
    };
    let word = tokio::select! {
        word = telling => word,
        word = heard(&mut from) => word,
    };
    helper.wait().await?;
    Ok(Said { word, hung_up })
}

/// All that a helper says until it ends. A reset means that it ended with a word of ours unread; what it said before is
/// as valid as ever.
pub(crate) async fn heard(from: &mut (impl AsyncRead + Unpin)) -> String {
    let mut said = Vec::new();
    while from.read_buf(&mut said).await.is_ok_and(|bytes| bytes > 0) {}
    String::from_utf8_lossy(&said).into_owned()
}

/// Our side of the conversation. Answers early only if the order could not be given in time.
async fn command(mut to: OwnedWriteHalf, frames: &[u8], bounds: Bounds<'_>) -> Option<ExecEnd> {
    let (stop, late) = (bounds.stop, bounds.end());
    tokio::pin!(late);
    // An order given by half cannot be followed by a word: we hang up, and the helper goes.
    tokio::select! {
        () = tell(&mut to, frames) => {}
        () = &mut late => return Some(ExecEnd::TimedOut),
        () = stop.wait() => return Some(ExecEnd::Stopped),
    }
    tokio::select! {
        () = &mut late => {}
        () = stop.wait() => {
            tell(&mut to, &[TERMINATE]).await;
            late.await;
        }
    }
    tell(&mut to, &[KILL]).await;
    std::future::pending().await
}

/// Tells the helper something. It may have ended already; then there is nobody to tell.
async fn tell(to: &mut OwnedWriteHalf, bytes: &[u8]) {
    to.write_all(bytes).await.unwrap_or_default();
}
