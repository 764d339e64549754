//! What the process answers with when it ends.
//!
//! Keeps: one number a meaning; scripts rely on them.
//! Not here: what is said beside it (`trouble.rs`, `show/`).

use std::process::ExitCode;

use opcode_model::result::RunResult;
use opcode_model::{ErrorCode, RunStatus};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked; a workflow completed.
    Completed,
    /// The workflow failed.
    Failed,
    /// What was asked cannot be done as asked: usage, definition, input, moment.
    Refused,
    /// The workflow is not over: it waits for somebody, or nobody waited for it any longer.
    Waiting,
    /// The workflow was cancelled.
    Cancelled,
    /// The workflow failed because its own time was up.
    TimedOut,
    /// The store, the machine or we ourselves are at fault.
    Fault,
    /// What is on disk is not known; start again.
    Lost,
    /// Ended by SIGHUP.
    HungUp,
    /// Ended by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
}

impl Exit {
    /// The number for it.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Completed => 0,
            Self::Failed => 1,
            Self::Refused => 2,
            Self::Waiting => 3,
            Self::Cancelled => 4,
            Self::TimedOut => 5,
            Self::Fault => 70,
            Self::Lost => 75,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The number, for the system.
    pub(crate) fn code(self) -> ExitCode {
        self.number().into()
    }

    /// How a workflow stands.
    pub(crate) fn of(result: &RunResult) -> Self {
        match result.status {
            RunStatus::Completed => Self::Completed,
            RunStatus::Cancelled => Self::Cancelled,
            RunStatus::Pending | RunStatus::Active | RunStatus::Suspended => Self::Waiting,
            RunStatus::Failed => match &result.error {
                Some(error) if error.code == ErrorCode::Timeout && error.step_id.is_none() => {
                    Self::TimedOut
                }
                Some(_) | None => Self::Failed,
            },
        }
    }
}
