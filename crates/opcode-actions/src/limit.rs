//! The two ways an attempt is cut short: its time is up, or it is told to stop.
//!
//! Keeps: what blocks looks here between two pieces of work; what awaits is raced against it.
//! Not here: processes, which the sandbox ends itself.

use std::time::{Duration, Instant};

use opcode_model::time::format_duration;
use opcode_model::{ErrorCode, Failure, Outcome};
use opcode_sandbox::Stop;

use crate::action::Site;

/// `CANCELLED`, in an action's name.
pub(crate) fn cancelled(action: &str) -> Failure {
    Failure::new(ErrorCode::Cancelled, format!("{action}: told to stop"))
}

/// `TIMEOUT_ERROR`: the step's own limit passed.
pub(crate) fn timed_out(action: &str, span: Duration) -> Failure {
    let span = format_duration(span);
    Failure::new(ErrorCode::Timeout, format!("{action}: timed out after {span}"))
}

/// Races an attempt that owns everything it started, so that dropping it ends it.
pub(crate) async fn race(
    action: &str,
    site: &Site<'_>,
    attempt: impl Future<Output = Outcome>,
) -> Outcome {
    let late = async {
        match site.call.timeout {
            Some(span) => {
                tokio::time::sleep(span).await;
                span
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = site.stop.wait() => Err(cancelled(action)),
        outcome = attempt => outcome,
        span = late => Err(timed_out(action, span)),
    }
}

/// Blocking work, with the limits it has to look at.
pub(crate) struct Job {
    action: &'static str,
    stop: Stop,
    timeout: Option<Duration>,
    begun: Instant,
}

impl Job {
    /// Runs `work` where it may block, and waits until it is done or has noticed that it should end.
    pub(crate) async fn run<W>(action: &'static str, site: &Site<'_>, work: W) -> Outcome
    where
        W: FnOnce(&Self) -> Outcome + Send + 'static,
    {
        let (stop, timeout) = (site.stop.clone(), site.call.timeout);
        let job = Self { action, stop, timeout, begun: Instant::now() };
        let done = tokio::task::spawn_blocking(move || {
            job.go_on()?;
            work(&job)
        });
        done.await.unwrap_or_else(|error| {
            Err(Failure::new(ErrorCode::Internal, format!("{action}: {error}")))
        })
    }

    /// Whether to go on. To be asked between two pieces of work.
    pub(crate) fn go_on(&self) -> Result<(), Failure> {
        if self.stop.fired() {
            return Err(cancelled(self.action));
        }
        match self.timeout {
            Some(span) if self.begun.elapsed() >= span => Err(timed_out(self.action, span)),
            Some(_) | None => Ok(()),
        }
    }

    /// Whose work it is.
    pub(crate) fn action(&self) -> &'static str {
        self.action
    }
}
