//! A directory with a store in it, and short words for what tests do to it.
//!
//! Keeps: the directory goes with the test.
//! Not here: any assertion.

use std::path::PathBuf;
use std::sync::Arc;

use opcode_model::commit::{Commit, Position};
use opcode_model::{Event, RunId, RunStatus};
use opcode_store::{CommitError, Durability, Runs};
use opcode_store_sqlite::{OpenError, SqliteConfig, SqliteStore};
use opcode_testkit::conformance::{commit_of, row, wait};
use tempfile::TempDir;

pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.file("store.db")
    }

    pub(crate) fn open(&self) -> SqliteStore {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<SqliteStore, OpenError> {
        open(self.database())
    }

    /// A connection behind the store's back.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }

    /// Name and content of every file.
    pub(crate) fn content(&self) -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap().map(Result::unwrap);
        let read = |entry: std::fs::DirEntry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        };
        let mut content: Vec<_> = entries.map(read).collect();
        content.sort();
        content
    }
}

pub(crate) fn open(path: PathBuf) -> Result<SqliteStore, OpenError> {
    let command_name = "a test".to_owned();
    SqliteStore::open(SqliteConfig { path, durability: Durability::Process, command_name })
}

pub(crate) fn append(store: &SqliteStore, commit: Commit) -> Result<Position, CommitError> {
    wait(store.append(Arc::new(vec![commit]))).remove(0)
}

/// Begins a run with an active row and goes on with one commit for each of `rest`.
pub(crate) fn history(
    store: &SqliteStore,
    run: RunId,
    first: Vec<Event>,
    rest: Vec<Vec<Event>>,
) -> Position {
    let mut commit = commit_of(run, Position::default(), first);
    commit.row = Some(Box::new(row(RunStatus::Active, 1)));
    let end = append(store, commit).unwrap();
    rest.into_iter().fold(end, |end, events| append(store, commit_of(run, end, events)).unwrap())
}
