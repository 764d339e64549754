//! What no file action may touch, wherever the roots reach: the operator's `deny`, the engine's own files, other
//! processes' insides, and what is no file at all.
//!
//! Keeps: a file is judged by its handle, after it was opened and before anything is read or written, so that neither a
//! symbolic nor a hard link leads around the judgement.
//! Not here: the roots (`roots.rs`).

use std::os::fd::{AsFd, AsRawFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Stat, fstat, statat};

/// What no file action may touch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// Files and directories of the operator's choice, by their real names.
    deny: Vec<PathBuf>,
    /// Files and directories of the engine.
    own: Vec<PathBuf>,
    /// Whether a file with several names may have one of them elsewhere.
    is_fenced: bool,
}

/// Why something may not be touched.
pub(crate) type Why = &'static str;

const DENIED: Why = "is denied by this server";
const OWN: Why = "belongs to the engine itself";
const PROCESS: Why = "is the inside of a process";
const SPECIAL: Why = "is neither a file nor a directory";
const LINKED: Why = "has other names, which may lie elsewhere";
const HOLDS: Why = "holds what may not be touched";

impl Guard {
    pub(crate) fn new(deny: &[PathBuf], own: &[PathBuf], has_roots: bool) -> Self {
        let real = |path: &PathBuf| real_name(path);
        let deny: Vec<PathBuf> = deny.iter().map(real).collect();
        let is_fenced = has_roots || !deny.is_empty();
        Self { deny, own: own.iter().map(real).collect(), is_fenced }
    }

    /// Judges an open file or directory.
    pub(crate) fn check(&self, file: impl AsFd) -> Result<(), Why> {
        let Ok(stat) = fstat(&file) else { return Ok(()) };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if !matches!(kind, FileType::RegularFile | FileType::Directory) {
            return Err(SPECIAL);
        }
        if self.own.iter().any(|own| is_same(own, &stat)) {
            return Err(OWN);
        }
        if kind == FileType::RegularFile && stat.st_nlink > 1 && self.is_fenced {
            return Err(LINKED);
        }
        // A file that has no name any more is nobody's but ours.
        real_path(&file).map_or(Ok(()), |path| self.check_path(&path))
    }

    /// Judges a place by its real name.
    pub(crate) fn check_path(&self, path: &Path) -> Result<(), Why> {
        let below = |list: &[PathBuf]| list.iter().any(|denied| path.starts_with(denied));
        if below(&self.deny) {
            Err(DENIED)
        } else if below(&self.own) {
            Err(OWN)
        } else if is_inside_of_a_process(path) {
            Err(PROCESS)
        } else {
            Ok(())
        }
    }

    /// Judges a name in an open directory before something is made there.
    pub(crate) fn check_new(&self, parent: impl AsFd, name: &std::ffi::OsStr) -> Result<(), Why> {
        real_path(&parent).map_or(Ok(()), |path| self.check_path(&path.join(name)))
    }

    /// Judges a name in an open directory, with all that is below it: for what is moved or removed as a whole.
    pub(crate) fn check_whole(&self, parent: impl AsFd, name: &std::ffi::OsStr) -> Result<(), Why> {
        let Some(path) = real_path(&parent).map(|path| path.join(name)) else { return Ok(()) };
        self.check_path(&path)?;
        if self.deny.iter().chain(&self.own).any(|held| held.starts_with(&path)) {
            return Err(HOLDS);
        }
        match statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if self.own.iter().any(|own| is_same(own, &stat)) => Err(OWN),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// A path by the real name of as much of it as there is.
fn real_name(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = whole.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match known.and_then(|(above, real)| Some(real.join(whole.strip_prefix(above).ok()?))) {
        // An end without a name would stand for a directory only.
        Some(real) => real.components().collect(),
        None => whole,
    }
}

/// Whether a path names this very file, under whatever other name it was found.
fn is_same(path: &Path, stat: &Stat) -> bool {
    let own = statat(CWD, path, AtFlags::empty());
    own.is_ok_and(|own| (own.st_dev, own.st_ino) == (stat.st_dev, stat.st_ino))
}

/// The name under which the system knows an open file.
fn real_path(file: impl AsFd) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())).ok()
}

/// `/proc/<number>/…`: environments, memories and descriptors of others, and our own.
fn is_inside_of_a_process(path: &Path) -> bool {
    let mut parts = path.strip_prefix("/proc").ok().into_iter().flat_map(Path::components);
    match parts.next() {
        Some(Component::Normal(name)) => {
            let name = name.to_string_lossy();
            matches!(name.as_ref(), "self" | "thread-self")
                || name.bytes().all(|byte| byte.is_ascii_digit())
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_have_no_inside_for_files() {
        for (path, is_inside) in [
            ("/proc/1/environ", true),
            ("/proc/self/maps", true),
            ("/proc/42", true),
            ("/proc/meminfo", false),
            ("/proc", false),
            ("/home/proc/1", false),
        ] {
            assert_eq!(is_inside_of_a_process(Path::new(path)), is_inside, "{path}");
        }
    }
}
