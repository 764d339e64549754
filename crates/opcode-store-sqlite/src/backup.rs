//! Copies of a store: made beside whoever writes to it, checked to the last byte, and put in its place again.
//!
//! Keeps: a copy appears whole and verified or not at all; nothing that is there is written over, and what a restored
//! copy takes the place of is kept.
//! Not here: what is checked (`verify.rs`), when copies are made.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use opcode_store::{Durability, Fault, Report};
use rusqlite::Connection;

use crate::lock;
use crate::open::{
    OpenError, beside, check_version, close_boot, look, readable, truncate_wal, writable,
};
use crate::verify::verify;

/// Why a store was not copied, or a copy not put in its place.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two is not what it should be, or somebody holds it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something is there that would have been written over.
    #[error("{} is there already", .0.display())]
    Taken(PathBuf),
    /// The copy was made, looked at, and thrown away: so is what it was made of.
    #[error("{} is damaged", .path.display())]
    Damaged {
        /// What was copied.
        path: PathBuf,
        /// What was found.
        report: Report,
    },
    /// The world's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Copies a store as it is at this moment, whoever holds it. What is acknowledged by now is in the copy.
pub fn backup(store: &Path, to: &Path) -> Result<Report, CopyError> {
    if to.symlink_metadata().is_ok() {
        return Err(CopyError::Taken(to.to_owned()));
    }
    let (draft, report) = Draft::of(store, to)?;
    // Whoever makes the name has it; only this empty file of our own is then replaced.
    match File::options().write(true).create_new(true).mode(0o600).open(to) {
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            return Err(CopyError::Taken(to.to_owned()));
        }
        Err(cause) => return Err(fault(to, cause).into()),
    }
    draft.rename(to)?;
    Ok(report)
}

/// Puts a copy of a backup where a store is, or shall be. What was there stays as [`kept_as`] says.
/// `command_name` is told to others who want the store meanwhile.
pub fn restore(from: &Path, store: &Path, command_name: &str) -> Result<Report, CopyError> {
    refuse_strangers(store)?;
    is_kept(store, &kept_as(store))?;
    let _lock = lock::take(store, command_name)?;
    let (draft, report) = Draft::of(from, store)?;
    if store.exists() {
        settle(store);
        for ending in ["", "-wal"] {
            keep(&beside(store, ending), &beside(&kept_as(store), ending))?;
        }
        sync_folder(store)?;
    }
    // A log that is left beside another database would be played into it.
    for ending in ["-wal", "-shm"] {
        remove(&beside(store, ending))?;
    }
    draft.rename(store)?;
    Ok(report)
}

/// Where the store is kept that a restored one took the place of.
pub fn kept_as(store: &Path) -> PathBuf {
    beside(store, ".before-restore")
}

/// A damaged store may be replaced; what is none, or knows more than we do, is left alone.
fn refuse_strangers(store: &Path) -> Result<(), OpenError> {
    match look(store) {
        Err(
            error @ (OpenError::Newer { .. }
            | OpenError::Foreign { .. }
            | OpenError::Original { .. }
            | OpenError::Directory { .. }
            | OpenError::Unreachable { .. }),
        ) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Moves a store's log into it, so that one file is all of it. One that is damaged may not let us; then its log is kept
/// beside it as it is.
fn settle(store: &Path) {
    let settled = writable(store, Durability::Disk).and_then(|connection| {
        close_boot(&connection)?;
        truncate_wal(&connection)
    });
    if let Err(cause) = settled {
        tracing::warn!(%cause, "the log of the old store stays beside it");
    }
}

/// Whether the file is kept under that name already, from an attempt that was cut off.
pub(crate) fn is_kept(path: &Path, name: &Path) -> Result<bool, CopyError> {
    let node = |path: &Path| match fs::symlink_metadata(path) {
        Ok(file) => Ok(Some((file.dev(), file.ino()))),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(fault(path, cause)),
    };
    match node(name)? {
        None => Ok(false),
        kept if kept == node(path)? => Ok(true),
        Some(_) => Err(CopyError::Taken(name.to_owned())),
    }
}

/// Gives a file a second name.
pub(crate) fn keep(path: &Path, name: &Path) -> Result<(), CopyError> {
    if is_kept(path, name)? || !path.exists() {
        return Ok(());
    }
    Ok(fs::hard_link(path, name).map_err(|cause| fault(name, cause))?)
}

/// A copy that has no name of its own yet; it goes with this value.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// A whole and verified copy of a store, to be renamed to `to`.
    fn of(store: &Path, to: &Path) -> Result<(Self, Report), CopyError> {
        check_version()?;
        if look(store)?.is_none() {
            return Err(OpenError::Missing { path: store.to_owned() }.into());
        }
        let draft = Self { path: beside(to, &format!(".{}.part", std::process::id())) };
        remove(&draft.path)?;
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft.path)
            .map_err(|cause| fault(&draft.path, cause))?;
        let copied = copy(store, &draft.path);
        let report = copied.map_err(|cause| {
            let full = cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
            Fault { storage_full: full, ..fault(store, cause) }
        })?;
        if report.damage.is_empty() {
            return Ok((draft, report));
        }
        Err(CopyError::Damaged { path: store.to_owned(), report })
    }

    fn rename(&self, to: &Path) -> Result<(), Fault> {
        let moved = File::open(&self.path)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.path, to));
        moved.map_err(|cause| fault(to, cause))?;
        sync_folder(to)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for ending in ["", "-journal"] {
            if let Err(fault) = remove(&beside(&self.path, ending)) {
                tracing::warn!(%fault, "a draft stays behind");
            }
        }
    }
}

/// Copies all that is committed, in one reading transaction, and checks what came out of it.
fn copy(store: &Path, draft: &Path) -> rusqlite::Result<Report> {
    readable(store)?.execute("VACUUM INTO ?1", [draft.to_string_lossy()])?;
    // Whoever serves the original does not serve the copy.
    close_boot(&Connection::open(draft)?)?;
    let report = verify(&readable(draft)?);
    Ok(report.unwrap_or_else(|error| {
        let what = error.to_string();
        let damage = vec![opcode_store::Damage { run: None, seq: None, what }];
        Report { damage, ..Report::default() }
    }))
}

/// Takes a file away, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(fault(path, cause)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A name is on disk when its folder is.
pub(crate) fn sync_folder(of: &Path) -> Result<(), Fault> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|it| it.sync_all()).map_err(|cause| fault(folder, cause))
}

pub(crate) fn fault(path: &Path, cause: impl std::fmt::Display) -> Fault {
    Fault::new(format!("copy a store ({})", path.display()), cause)
}
