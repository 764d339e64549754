//! Why a command did not do what was asked, told to people and machines.
//!
//! Keeps: code, place, cause and what to do next; the exit code follows from the kind.
//! Not here: a workflow that failed, which is an answer (`show/`).

use opcode_model::{ErrorCode, Failure, Problem};
use opcode_runtime::EngineError;
use opcode_store::Fault;
use opcode_store_sqlite::OpenError;
use serde_json::json;

use crate::cli;
use crate::exit::Exit;
use crate::say;
use crate::show;
use crate::source::{SyntaxError, Written};

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Said in words.
    Said {
        /// Which kind.
        code: ErrorCode,
        /// What happened.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A text that is not JSON.
    Syntax(SyntaxError),
    /// A definition that cannot run.
    Problems {
        /// What all of them are.
        problems: Vec<Problem>,
        /// Where it is written, if it was read just now.
        written: Option<Box<Written>>,
    },
    /// The command is over, and all is said.
    Ended(Exit),
}

impl Trouble {
    /// In words, of this kind.
    pub(crate) fn said(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Said { code, message: message.into(), hint: None }
    }

    /// The command cannot be meant like this.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::said(ErrorCode::Validation, message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::said(ErrorCode::NotFound, message)
    }

    /// The machine or we ourselves are at fault.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self::said(ErrorCode::Internal, message)
    }

    /// The store did not do its part.
    pub(crate) fn store(fault: &Fault) -> Self {
        let code = if fault.storage_full { ErrorCode::StorageFull } else { ErrorCode::Store };
        Self::said(code, format!("could not {fault}"))
    }

    /// Something is more than is taken.
    pub(crate) fn limit(what: &str, number: usize) -> Self {
        Self::said(ErrorCode::LimitExceeded, format!("{what} is limited to {number}")).hint(
            "put large data into files that steps read, and parts into templates of their own",
        )
    }

    /// The store holds what cannot be read.
    pub(crate) fn store_error(message: impl Into<String>) -> Self {
        Self::said(ErrorCode::Store, message)
    }

    /// The same, with what to do about it.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Said { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// The same, with the text in which the problems are.
    pub(crate) fn written(self, text: &Written) -> Self {
        match self {
            Self::Problems { mut problems, .. } => {
                text.place(&mut problems);
                Self::Problems { problems, written: Some(Box::new(text.clone())) }
            }
            other @ (Self::Said { .. } | Self::Syntax(_) | Self::Ended(_)) => other,
        }
    }

    /// What to do about it.
    pub(crate) fn cure(&self) -> &str {
        match self {
            Self::Said { code, hint, .. } => hint.as_deref().unwrap_or_else(|| code.hint()),
            Self::Syntax(_) | Self::Problems { .. } | Self::Ended(_) => "",
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Said { code, .. } => exit_of(*code),
            Self::Syntax(_) | Self::Problems { .. } => Exit::Refused,
            Self::Ended(exit) => *exit,
        }
    }

    /// Tells it, on stderr for people; beside it on stdout for machines, if they asked.
    pub(crate) fn tell(self, as_json: bool) -> Exit {
        match &self {
            Self::Said { code, message, .. } => {
                let hint = self.cure();
                say::trouble(&format!("[{code}] {message}"), hint);
                if as_json {
                    say::json(&json!({"error": {"code": code, "message": message, "hint": hint}}));
                }
            }
            Self::Syntax(error) => {
                error.tell();
                if as_json {
                    say::json(&json!({"problems": [error.to_json()]}));
                }
            }
            Self::Problems { problems, written } => {
                show::problems::tell(problems, written.as_deref());
                if as_json {
                    let written = written.as_deref();
                    let one = |problem| show::problems::to_json(problem, written);
                    say::json(&json!({"problems": problems.iter().map(one).collect::<Vec<_>>()}));
                }
            }
            Self::Ended(_) => {}
        }
        self.exit()
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said { message, .. } => f.write_str(message),
            Self::Syntax(_) => f.write_str("a text is not JSON"),
            Self::Problems { problems, .. } => {
                write!(f, "a definition has {} problem(s)", problems.len())
            }
            Self::Ended(_) => f.write_str("the command is over"),
        }
    }
}

fn exit_of(code: ErrorCode) -> Exit {
    match code {
        ErrorCode::Store | ErrorCode::StorageFull | ErrorCode::Internal => Exit::Fault,
        ErrorCode::Validation
        | ErrorCode::Execution
        | ErrorCode::Timeout
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::InvalidTransition
        | ErrorCode::CycleDetected
        | ErrorCode::StepFailed
        | ErrorCode::Cancelled
        | ErrorCode::SignalFailed
        | ErrorCode::RetryExhausted
        | ErrorCode::Interpolation
        | ErrorCode::CircuitOpen
        | ErrorCode::NonRetryable
        | ErrorCode::PermissionDenied
        | ErrorCode::ActionUnavailable
        | ErrorCode::PluginChanged
        | ErrorCode::AssertionFailed
        | ErrorCode::Isolation
        | ErrorCode::PathDenied
        | ErrorCode::Vault
        | ErrorCode::LimitExceeded
        | ErrorCode::QuotaExceeded
        | ErrorCode::InDoubt
        | ErrorCode::Interrupted => Exit::Refused,
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let message = match &failure.step_id {
            Some(step) => format!("step {step}: {}", failure.message),
            None => failure.message.to_string(),
        };
        Self::said(failure.code, message)
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Problems(problems) => Self::Problems { problems, written: None },
            EngineError::Failure(failure) => failure.into(),
        }
    }
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        let hint = error.hint().to_owned();
        let (code, message, hint) = match &error {
            OpenError::Held { pid, command, .. } => return held(*pid, command),
            OpenError::Missing { .. } => {
                let hint = "check --db-path, or run a workflow first: opcode run FILE".to_owned();
                (ErrorCode::NotFound, error.to_string(), hint)
            }
            OpenError::Newer { .. }
            | OpenError::Foreign { .. }
            | OpenError::Original { .. }
            | OpenError::Directory { .. }
            | OpenError::Unreachable { .. }
            | OpenError::NotADatabase { .. } => (ErrorCode::Validation, error.to_string(), hint),
            OpenError::Damaged { .. } | OpenError::Unusable { .. } | OpenError::OldSqlite(_) => {
                (ErrorCode::Store, error.to_string(), hint)
            }
        };
        Self::said(code, message).hint(hint)
    }
}

/// Somebody else has the store.
fn held(pid: Option<u32>, command: &str) -> Trouble {
    let (holder, stop) = match pid {
        Some(pid) => (format!("process {pid} ({command})"), format!("stop it: kill {pid}")),
        None => ("another process".to_owned(), "stop it".to_owned()),
    };
    let follow = format!("follow it with `{} events ID --follow`", cli::same_store());
    let hint = if command.split(' ').any(|word| word == "serve") {
        format!("{follow}; ask it at the address it printed, or {stop}")
    } else {
        format!(
            "{follow}, answer its decisions where it runs (with --watch), wait until it is done, or {stop}"
        )
    };
    Trouble::said(ErrorCode::Conflict, format!("the store is in use by {holder}")).hint(hint)
}
