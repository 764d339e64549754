//! Walking, copying and removing directories by handle.
//!
//! Keeps: no symlink is followed on the way down; long work asks between two files whether to go on.
//! Not here: which directory (`roots.rs`).

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use opcode_model::time::Timestamp;
use opcode_model::{ErrorCode, Failure};
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, ftruncate, mkdirat, openat, readlinkat, statat,
    symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::{Denial, Roots};
use crate::limit::Job;

/// How deep directories may stand inside directories.
const DEPTH_MAX: usize = 128;

/// What the system knows of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node(pub Stat);

impl Node {
    pub(crate) fn is_dir(self) -> bool {
        FileType::from_raw_mode(self.0.st_mode) == FileType::Directory
    }

    pub(crate) fn is_symlink(self) -> bool {
        FileType::from_raw_mode(self.0.st_mode) == FileType::Symlink
    }

    pub(crate) fn is_file(self) -> bool {
        FileType::from_raw_mode(self.0.st_mode) == FileType::RegularFile
    }

    pub(crate) fn permissions(self) -> u32 {
        self.0.st_mode & 0o777
    }

    pub(crate) fn size(self) -> i64 {
        self.0.st_size
    }

    /// `2026-11-20T15:41:07Z`.
    pub(crate) fn modified_at(self) -> String {
        Timestamp(self.0.st_mtime.saturating_mul(1000)).to_string().replace(".000Z", "Z")
    }
}

/// The names in a directory, sorted, each with what is known of it; symlinks are not followed.
pub(crate) fn read_dir(directory: impl AsFd) -> Result<Vec<(OsString, Node)>, Errno> {
    let mut found = Vec::new();
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        let name = name_of(entry.file_name());
        if name == "." || name == ".." {
            continue;
        }
        match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => found.push((name.to_owned(), Node(stat))),
            // It was there a moment ago.
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn name_of(name: &CStr) -> &OsStr {
    OsStr::from_bytes(name.to_bytes())
}

/// Removes `name` and all below it.
pub(crate) fn remove_tree(
    job: &Job,
    parent: impl AsFd,
    name: &OsStr,
    depth: usize,
) -> Result<(), Failure> {
    job.go_on()?;
    let wrong = |error: Errno| failure(job, "remove", Path::new(name), error);
    match unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(wrong(error)),
    }
    deep(job, depth)?;
    let below = enter(&parent, name).map_err(wrong)?;
    for (inner, _) in read_dir(&below).map_err(wrong)? {
        remove_tree(job, &below, &inner, depth + 1)?;
    }
    match unlinkat(&parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(wrong(error)),
    }
}

/// Copies all that is in one directory into another; gives the bytes of the files copied.
pub(crate) fn copy_tree(
    job: &Job,
    roots: &Roots,
    from: impl AsFd,
    to: impl AsFd,
    depth: usize,
) -> Result<u64, Failure> {
    deep(job, depth)?;
    let judge = |name: &OsStr, file: &OwnedFd| {
        let judged = roots.check(Path::new(name), file);
        judged.map_err(|denial| denial.failure(job.action(), "path denied"))
    };
    let mut bytes = 0;
    for (name, node) in
        read_dir(&from).map_err(|error| failure(job, "read", Path::new("."), error))?
    {
        job.go_on()?;
        let wrong = |error: Errno| failure(job, "copy", Path::new(&name), error);
        // What is not there yet is judged by its name, before it is made.
        let there = roots.check_new(Path::new(&name), &to, &name);
        there.map_err(|denial| denial.failure(job.action(), "path denied"))?;
        if node.is_dir() {
            match mkdirat(&to, &name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(wrong(error)),
            }
            let (inner, outer) =
                (enter(&from, &name).map_err(wrong)?, enter(&to, &name).map_err(wrong)?);
            judge(&name, &inner)?;
            judge(&name, &outer)?;
            bytes += copy_tree(job, roots, inner, outer, depth + 1)?;
        } else if node.is_symlink() {
            let target = readlinkat(&from, &name, Vec::new()).map_err(wrong)?;
            match symlinkat(&target, &to, &name) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(wrong(error)),
            }
        } else {
            let read = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let write = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let source = openat(&from, &name, read, Mode::empty()).map_err(wrong)?;
            let mode = Mode::from_raw_mode(node.permissions());
            judge(&name, &source)?;
            let target = openat(&to, &name, write | OFlags::NONBLOCK, mode).map_err(wrong)?;
            judge(&name, &target)?;
            ftruncate(&target, 0).map_err(wrong)?;
            bytes += copy_file(job, source.into(), target.into())?;
        }
    }
    Ok(bytes)
}

/// Copies one file's content; gives its bytes.
pub(crate) fn copy_file(job: &Job, mut from: File, mut to: File) -> Result<u64, Failure> {
    let mut buffer = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        job.go_on()?;
        let wrong = |error: std::io::Error| {
            Denial::System("copy", "file".into(), error).failure(job.action(), "path denied")
        };
        let read = from.read(&mut buffer).map_err(wrong)?;
        if read == 0 {
            return Ok(bytes);
        }
        to.write_all(&buffer[..read]).map_err(wrong)?;
        bytes += read as u64;
    }
}

fn enter(parent: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

fn deep(job: &Job, depth: usize) -> Result<(), Failure> {
    if depth < DEPTH_MAX {
        return Ok(());
    }
    let message = format!("{}: directories are limited to {DEPTH_MAX} levels", job.action());
    Err(Failure::new(ErrorCode::LimitExceeded, message))
}

fn failure(job: &Job, verb: &'static str, path: &Path, error: Errno) -> Failure {
    Denial::System(verb, path.to_owned(), error.into()).failure(job.action(), "path denied")
}
