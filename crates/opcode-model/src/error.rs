//! The error table: every public failure has one code here, with its HTTP status, whether a retry may help, and a hint.
//!
//! Keeps: the reference's codes and their retryability; one row a code; docs are generated from it.
//! Not here: problems of a definition (`problem.rs`), faults of the world (each crate's own).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::Value;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $retryable:literal, $hint:literal;)*) => {
        /// What went wrong, as agents and people see it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl ErrorCode {
            /// Every code, in table order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it travels.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status a face answers with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whether trying again may help.
            pub fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)* }
            }

            /// What to do about it.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

error_codes! {
    /// Parameters, a definition, an input or a choice do not fit.
    Validation = "VALIDATION_ERROR", 400, false, "correct what the message points at and send it again";
    /// An action or an expression failed while running.
    Execution = "EXECUTION_ERROR", 500, true, "read the message; add `retry` if the cause comes and goes";
    /// A time limit passed.
    Timeout = "TIMEOUT_ERROR", 504, true, "raise `timeout`, or make the step faster";
    /// No such workflow, template, step or decision.
    NotFound = "NOT_FOUND", 404, false, "query `workflows`, `templates` or `decisions` to see what exists";
    /// The thing exists but not in a state that allows this.
    Conflict = "CONFLICT", 409, false, "look at where it stands first, and ask for what fits";
    /// A state machine was asked for a step it does not have.
    InvalidTransition = "INVALID_TRANSITION", 409, false, "look at the current status first";
    /// Steps depend on each other in a circle.
    CycleDetected = "CYCLE_DETECTED", 400, false, "remove one `depends_on` of the named circle";
    /// A step failed; the workflow failed with it.
    StepFailed = "STEP_FAILED", 500, true, "look at the named step's error";
    /// Somebody cancelled it.
    Cancelled = "CANCELLED", 499, true, "start it again if that was not wanted";
    /// A signal could not be taken.
    SignalFailed = "SIGNAL_FAILED", 503, true, "wait until earlier signals are handled";
    /// All retries were used up.
    RetryExhausted = "RETRY_EXHAUSTED", 500, true, "raise `retry.max`, or mend the cause";
    /// The store could not read or write.
    Store = "STORE_ERROR", 500, true, "check disk space and permissions, then `opcode doctor`";
    /// The disk is full or read-only.
    StorageFull = "STORAGE_FULL", 507, true, "free space; work goes on by itself afterwards";
    /// A `${{ … }}` could not be filled in.
    Interpolation = "INTERPOLATION_ERROR", 400, true, "check the named path against the listed names";
    /// Too many failures in a row at this target; calls are held back for a while.
    CircuitOpen = "CIRCUIT_OPEN", 503, false, "wait for the cooldown, or mend the target";
    /// Failed in a way no retry will cure.
    NonRetryable = "NON_RETRYABLE", 500, false, "mend the cause before running again";
    /// The caller may not do this.
    PermissionDenied = "PERMISSION_DENIED", 403, false, "ask an operator for the right";
    /// No such action.
    ActionUnavailable = "ACTION_UNAVAILABLE", 400, true, "use an action that `opcode query actions` lists; `opcode plugins list` shows where plugins stand";
    /// A plugin does not offer any more what was approved.
    PluginChanged = "PLUGIN_CHANGED", 409, false, "look at it with `opcode plugins list`, then `opcode plugins approve NAME`";
    /// An assertion of the workflow did not hold.
    AssertionFailed = "ASSERTION_FAILED", 422, false, "compare `expected` and `actual` in the details";
    /// The sandbox could not do what was asked.
    Isolation = "ISOLATION_ERROR", 500, true, "see `opcode doctor` for what this machine can isolate";
    /// A path lies outside what is allowed.
    PathDenied = "PATH_DENIED", 403, false, "use a path beneath the allowed roots";
    /// A secret could not be opened.
    Vault = "VAULT_ERROR", 500, true, "set it with `opcode secrets set NAME`, and give the server its passphrase in OPCODE_VAULT_KEY or a file that OPCODE_VAULT_KEY_FILE names";
    /// A limit of the house was hit.
    LimitExceeded = "LIMIT_EXCEEDED", 413, false, "make it smaller, or split the work between several workflows";
    /// An agent uses as much as it may.
    QuotaExceeded = "QUOTA_EXCEEDED", 429, true, "wait until it uses less, delete old workflows with `opcode vacuum`, or have an administrator raise the setting `quotas`";
    /// An attempt may or may not have happened before a crash.
    InDoubt = "IN_DOUBT", 500, false, "find out whether it happened, then decide or run again";
    /// It was not finished when its database was taken over from the original OPCODE.
    Interrupted = "INTERRUPTED", 500, true, "run it again with the inputs it has; `status` shows them";
    /// A defect of ours.
    Internal = "INTERNAL", 500, false, "report it with the message and the version";
}

impl ErrorCode {
    /// Reads a code as it travels.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.text() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A failure as it is recorded and shown: code, message, details, where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Which kind.
    pub code: ErrorCode,
    /// A lower-case fragment that says what happened; no trailing dot.
    pub message: Arc<str>,
    /// Facts for machines.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// The step it happened in, by full path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<Arc<str>>,
    /// How long the target asked us to stay away, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure with a code and a message.
    pub fn new(code: ErrorCode, message: impl Into<Arc<str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Value::Null,
            step_id: None,
            retry_after_ms: None,
        }
    }

    /// A limit was hit: its name and its number.
    pub fn limit(what: &str, limit: impl Into<Value> + fmt::Display) -> Self {
        let message = format!("{what} is limited to {limit}");
        Self::new(ErrorCode::LimitExceeded, message)
            .with_details(Value::object([("limit", Value::from(what)), ("value", limit.into())]))
    }

    /// The same failure with facts for machines.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The same failure, placed in a step unless it has a place already.
    #[must_use]
    pub fn in_step(mut self, path: &Arc<str>) -> Self {
        self.step_id.get_or_insert_with(|| path.clone());
        self
    }

    /// The failure as a value, for scopes and outputs.
    pub fn to_value(&self) -> Value {
        let mut pairs: Vec<(Arc<str>, Value)> = vec![
            ("code".into(), self.code.text().into()),
            ("message".into(), self.message.clone().into()),
        ];
        if !self.details.is_null() {
            pairs.push(("details".into(), self.details.clone()));
        }
        if let Some(step) = &self.step_id {
            pairs.push(("step_id".into(), step.clone().into()));
        }
        Value::Object(crate::value::Object::from_pairs(pairs))
    }
}

/// `[CODE] message`, or `[CODE] step X: message`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step_id {
            Some(step) => write!(f, "[{}] step {step}: {}", self.code, self.message),
            None => write!(f, "[{}] {}", self.code, self.message),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_is_unique() {
        let texts: std::collections::BTreeSet<_> =
            ErrorCode::ALL.iter().map(|c| c.text()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.text()), Some(*code));
        }
    }
}
