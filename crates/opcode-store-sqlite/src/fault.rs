//! What an error of SQLite means for a write and for its reader.
//!
//! Keeps: an I/O error leaves the outcome unknown; a full or read-only disk does not.
//! Not here: errors of opening (`open.rs`).

use opcode_store::Fault;
use opcode_store::codec::CodecError;
use rusqlite::ErrorCode;

/// Why a transaction did not come about.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No space or no permission: nothing is written, and later it may work.
    Full(String),
    /// The disk failed: what is written is not known.
    Lost(String),
    /// Anything else, such as a damaged page: nothing is written.
    Other(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        let cause = error.to_string();
        if is_full(&error) {
            Self::Full(cause)
        } else if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
            Self::Lost(cause)
        } else {
            Self::Other(cause)
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    [ErrorCode::DiskFull, ErrorCode::ReadOnly, ErrorCode::CannotOpen].map(Some).contains(&code)
}

/// Why something could not be read: the database's reason, or the row's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Damaged(String),
}

impl ReadError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub(crate) fn into_fault(self, doing: &str) -> Fault {
        let storage_full = matches!(&self, Self::Sql(error) if is_full(error));
        Fault { storage_full, ..Fault::new(doing, self) }
    }
}
