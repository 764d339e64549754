//! What is said of a program between the processes that hold it: one line of JSON each.
//!
//! Keeps: every way a program can end, or not begin, has a word of its own.
//! Not here: what follows from it (`exec.rs`).

use std::io;

use rustix::process::WaitStatus;
use serde::{Deserialize, Serialize};

use crate::linux::meter::Hit;
use crate::policy::Host;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// It ended by itself, with this status.
    Exit(i32),
    /// A signal ended it that was not ours.
    Signal(i32),
    /// It was stopped, as asked.
    Stopped,
    /// It was killed, as asked.
    Killed,
    /// It was killed because it had used up what it may.
    Hit(Hit),
    /// There is no such program.
    Missing,
    /// It could not be started.
    Start(String),
    /// A lock of the sandbox did not close.
    Lock(String),
    /// The helper could not do its work.
    Helper(String),
    /// The locks were tried, and this is how one of them holds.
    Tried(String),
    /// What this machine can do.
    Host(Host),
}

impl Word {
    /// How a process ended, as `wait` tells it.
    pub(crate) fn ended(status: WaitStatus) -> Self {
        match status.terminating_signal() {
            Some(number) => Self::Signal(number),
            None => Self::Exit(status.exit_status().unwrap_or(-1)),
        }
    }

    /// Why a program could not be started.
    pub(crate) fn unstarted(error: &io::Error) -> Self {
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        if is_missing { Self::Missing } else { Self::Start(error.to_string()) }
    }

    /// The word as it travels.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Reads the first word of what arrived.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text.lines().next()?).ok()
    }
}
