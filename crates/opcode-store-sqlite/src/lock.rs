//! One process at a time: a locked file beside the database says who has it.
//!
//! Keeps: the lock goes with the process, however it ends; whoever starts right after is not refused for what it left
//! behind; the file stays, so that two openers never lock different files.
//! Not here: readers, who need no lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::open::{OpenError, beside};

/// Held while the store is open for writing.
pub(crate) struct Lock {
    _file: File,
}

/// `<database>.lock`.
pub(crate) fn lock_path(database: &Path) -> PathBuf {
    beside(database, ".lock")
}

/// How long a lock that is held is waited for. A process that was killed while it started another one has a child that
/// keeps the lock until it has become that other program; whoever starts again right away must not be refused for it.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(5);

/// Takes the lock, or says who has it.
pub(crate) fn take(database: &Path, command: &str) -> Result<Lock, OpenError> {
    let path = lock_path(database);
    let unusable = |cause: std::io::Error| OpenError::Unusable {
        path: path.clone(),
        cause: cause.to_string(),
        hint: "check that the directory is there and may be written to",
    };
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(unusable)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(held(database, &mut file)),
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
    }
    let note = format!("{}\n{command}\n", std::process::id());
    file.set_len(0).map_err(unusable)?;
    file.seek(SeekFrom::Start(0)).map_err(unusable)?;
    file.write_all(note.as_bytes()).map_err(unusable)?;
    Ok(Lock { _file: file })
}

fn held(database: &Path, file: &mut File) -> OpenError {
    let mut note = String::new();
    // Whoever holds it may be writing its note at this moment; then we say what we know.
    if let Err(cause) = file.read_to_string(&mut note) {
        tracing::debug!(%cause, "could not read the lock's note");
    }
    let mut lines = note.lines();
    OpenError::Held {
        path: database.to_owned(),
        pid: lines.next().and_then(|pid| pid.parse().ok()),
        command: lines.next().unwrap_or("another process").to_owned(),
    }
}
