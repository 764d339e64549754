//! From a path an author wrote to a handle beneath one of the allowed roots.
//!
//! Keeps: with roots, the kernel resolves every path (`openat2`, beneath, no magic links), so a symlink that points
//! outside is refused whenever it is put there; without roots, paths are plain.
//! Not here: what is done with a handle (`tree.rs`, `builtin/fs_*.rs`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use opcode_model::{ErrorCode, Failure, Value};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2};
use rustix::io::Errno;

use super::guard::{Guard, Why};

/// How often a path is looked up anew because something was renamed meanwhile.
const LOOKS_MAX: usize = 100;

/// Which files actions may touch, as an operator says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRules {
    /// Directories that may be read beneath. With neither these nor `write`, everything may.
    pub read: Vec<PathBuf>,
    /// Directories that may be written beneath, and read.
    pub write: Vec<PathBuf>,
    /// Files and directories that may not be touched, wherever they are.
    pub deny: Vec<PathBuf>,
    /// The same for what belongs to the engine.
    pub own: Vec<PathBuf>,
}

/// What is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The directories file actions may touch; none means any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    roots: Option<Arc<[Root]>>,
    guard: Arc<Guard>,
}

#[derive(Debug)]
struct Root {
    /// As configured, and as it really is.
    names: [PathBuf; 2],
    handle: OwnedFd,
    is_writable: bool,
}

/// A path that has been matched with a root; nothing has been opened yet.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The whole path, absolute and tidy.
    pub path: PathBuf,
    roots: Roots,
    root: Option<usize>,
    /// Relative to the root; absolute without one.
    rest: PathBuf,
}

/// Why a path could not be reached.
#[derive(Debug)]
pub(crate) enum Denial {
    /// It lies outside the roots, or leads there.
    Outside(PathBuf),
    /// It may not be touched, wherever it is.
    Forbidden(PathBuf, Why),
    /// The system refused.
    System(&'static str, PathBuf, io::Error),
}

impl Denial {
    /// As an action's failure; `outside` says what a path outside the roots is to it.
    pub(crate) fn failure(&self, action: &str, outside: &str) -> Failure {
        let (code, text, path) = match self {
            Self::Outside(path) => {
                let text = format!("{outside}: {} is not beneath an allowed root", path.display());
                (ErrorCode::PathDenied, text, path)
            }
            Self::Forbidden(path, why) => {
                (ErrorCode::PathDenied, format!("{outside}: {} {why}", path.display()), path)
            }
            Self::System(verb, path, error) => {
                let text = format!("{verb} {}: {}", path.display(), os_text(error));
                (ErrorCode::Execution, text, path)
            }
        };
        let details = Value::object([("path", path.to_string_lossy().as_ref())]);
        Failure::new(code, format!("{action}: {text}")).with_details(details)
    }

    /// Whether the system said that there is nothing there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::System(_, _, error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// What the system said, without the number that only some readers know.
fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

impl Roots {
    /// Opens the roots.
    pub(crate) fn open(rules: &FileRules) -> Result<Self, (PathBuf, io::Error)> {
        let has_roots = !rules.read.is_empty() || !rules.write.is_empty();
        let guard = Arc::new(Guard::new(&rules.deny, &rules.own, has_roots));
        if !has_roots {
            return Ok(Self { roots: None, guard });
        }
        let open = |path: &PathBuf, is_writable: bool| -> io::Result<Root> {
            let names = [tidy(path)?, path.canonicalize()?];
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let handle = openat(CWD, path, flags, Mode::empty())?;
            Ok(Root { handle, names, is_writable })
        };
        let read = rules.read.iter().map(|path| (path, false));
        let all = read.chain(rules.write.iter().map(|path| (path, true)));
        let opened = all.map(|(path, is_writable)| {
            open(path, is_writable).map_err(|error| (path.clone(), error))
        });
        Ok(Self { roots: Some(opened.collect::<Result<Vec<_>, _>>()?.into()), guard })
    }

    /// Finds the root a path lies beneath.
    pub(crate) fn place(&self, path: &str, access: Access) -> Result<Place, Denial> {
        let path = tidy(Path::new(path))
            .map_err(|error| Denial::System("resolve", PathBuf::from(path), error))?;
        let Some(roots) = &self.roots else {
            return Ok(Place { rest: path.clone(), path, roots: self.clone(), root: None });
        };
        let fits = |root: &Root| root.is_writable || access == Access::Read;
        let fit = roots.iter().enumerate().filter(|(_, root)| fits(root));
        let beneath = fit.flat_map(|(at, root)| {
            root.names.iter().map(move |name| (at, name.as_os_str().len(), name))
        });
        let nearest = beneath
            .filter_map(|(at, length, name)| Some((length, at, path.strip_prefix(name).ok()?)))
            .max_by_key(|(length, ..)| *length);
        match nearest {
            Some((_, at, rest)) => {
                let rest = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
                let (rest, roots) = (rest.to_owned(), self.clone());
                Ok(Place { path, roots, root: Some(at), rest })
            }
            None => Err(Denial::Outside(path)),
        }
    }

    /// Judges a name in an open directory before something is made there.
    pub(crate) fn check_new(
        &self,
        path: &Path,
        parent: impl AsFd,
        name: &OsStr,
    ) -> Result<(), Denial> {
        let checked = self.guard.check_new(parent, name);
        checked.map_err(|why| Denial::Forbidden(path.to_owned(), why))
    }

    /// Judges an open file by more than where it is.
    pub(crate) fn check(&self, path: &Path, file: impl AsFd) -> Result<(), Denial> {
        self.guard.check(file).map_err(|why| Denial::Forbidden(path.to_owned(), why))
    }

    /// A directory that exists beneath the roots, by its real name.
    pub(crate) fn directory(&self, path: &str) -> Result<PathBuf, Denial> {
        let place = self.place(path, Access::Read)?;
        let handle = place.open(OFlags::PATH | OFlags::DIRECTORY, 0)?;
        std::fs::read_link(format!("/proc/self/fd/{}", handle.as_raw_fd()))
            .map_err(|error| Denial::System("resolve", place.path, error))
    }
}

impl Place {
    /// Opens the path, following symlinks only as far as the roots reach. Nothing is cut or made before it is known
    /// that it may be.
    pub(crate) fn open(&self, flags: OFlags, mode: u32) -> Result<File, Denial> {
        // A handle that only names a file takes no further flags.
        let more = if flags.contains(OFlags::PATH) { OFlags::empty() } else { OFlags::NOCTTY };
        let plain = (flags | OFlags::CLOEXEC | more) - (OFlags::CREATE | OFlags::TRUNC);
        let opened = match self.open_part(&self.rest, plain, 0) {
            Err(Errno::NOENT) if flags.contains(OFlags::CREATE) => {
                let (parent, name) = self.parent()?;
                self.check_whole(&parent, &name)?;
                let new = plain | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                match openat(parent, name, new, Mode::from_raw_mode(mode)) {
                    // Somebody else made it in between.
                    Err(Errno::EXIST) => self.open_part(&self.rest, plain, 0),
                    opened => opened,
                }
            }
            opened => opened,
        };
        let file = File::from(opened.map_err(|error| self.denied("open", error))?);
        self.roots.check(&self.path, &file)?;
        if flags.contains(OFlags::TRUNC) {
            let cut = file.set_len(0);
            cut.map_err(|error| Denial::System("write", self.path.clone(), error))?;
        }
        Ok(file)
    }

    /// The directory that holds the path, and the name in it. A root itself is in no directory.
    pub(crate) fn parent(&self) -> Result<(OwnedFd, OsString), Denial> {
        let name = self.rest.file_name().filter(|_| self.rest != Path::new("."));
        let Some(name) = name.map(OsStr::to_owned) else {
            return Err(Denial::Outside(self.path.clone()));
        };
        let above = self.rest.parent().filter(|above| !above.as_os_str().is_empty());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = self.open_part(above.unwrap_or(Path::new(".")), flags, 0);
        Ok((handle.map_err(|error| self.denied("open", error))?, name))
    }

    /// The same for what is moved or removed as a whole.
    pub(crate) fn parent_of_whole(&self) -> Result<(OwnedFd, OsString), Denial> {
        let (parent, name) = self.parent()?;
        self.check_whole(&parent, &name)?;
        Ok((parent, name))
    }

    fn check_whole(&self, parent: impl AsFd, name: &OsStr) -> Result<(), Denial> {
        let checked = self.roots.guard.check_whole(parent, name);
        checked.map_err(|why| Denial::Forbidden(self.path.clone(), why))
    }

    /// Makes the directories above the path that are not there yet.
    pub(crate) fn make_parents(&self) -> Result<(), Denial> {
        let above = self.rest.parent().unwrap_or(Path::new(""));
        self.make(above)
    }

    /// Makes the directory itself; one that is there already will do.
    pub(crate) fn make_directory(&self) -> Result<(), Denial> {
        let (parent, name) = self.parent()?;
        self.roots.check_new(&self.path, &parent, &name)?;
        match mkdirat(&parent, &name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(self.denied("mkdir", error)),
        }
    }

    /// What an error means for this path.
    pub(crate) fn denied(&self, verb: &'static str, error: Errno) -> Denial {
        // With roots, `EXDEV` and `ELOOP` are how the kernel says that a path would leave them.
        if self.root.is_some() && (error == Errno::XDEV || error == Errno::LOOP) {
            return Denial::Outside(self.path.clone());
        }
        Denial::System(verb, self.path.clone(), error.into())
    }

    fn make(&self, directory: &Path) -> Result<(), Denial> {
        let wrong = |error| self.denied("mkdir", error);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut made = PathBuf::from(if self.root.is_some() { "." } else { "/" });
        let mut parent = self.open_part(&made, flags, 0).map_err(wrong)?;
        for part in directory.components().filter(|part| matches!(part, Component::Normal(_))) {
            made.push(part);
            parent = match self.open_part(&made, flags, 0) {
                Err(Errno::NOENT) => {
                    self.roots.check_new(&self.path, &parent, part.as_os_str())?;
                    match mkdirat(&parent, part.as_os_str(), Mode::from_raw_mode(0o755)) {
                        Ok(()) | Err(Errno::EXIST) => {
                            self.open_part(&made, flags, 0).map_err(wrong)?
                        }
                        Err(error) => return Err(wrong(error)),
                    }
                }
                opened => opened.map_err(wrong)?,
            };
        }
        Ok(())
    }

    fn open_part(&self, part: &Path, flags: OFlags, mode: u32) -> Result<OwnedFd, Errno> {
        let mode = Mode::from_raw_mode(mode);
        match (self.root, &self.roots.roots) {
            (Some(at), Some(roots)) => {
                let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
                // The kernel answers `EAGAIN` when something was renamed while it looked.
                let mut open = || openat2(roots[at].handle.as_fd(), part, flags, mode, resolve);
                let mut tries = std::iter::repeat_with(&mut open).take(LOOKS_MAX);
                tries.find(|opened| !matches!(opened, Err(Errno::AGAIN))).unwrap_or_else(open)
            }
            (_, _) => openat(CWD, part, flags, mode),
        }
    }
}

/// Absolute, without `.` and `..`, as Go's `filepath.Abs` does it: by name, without looking at the disk.
fn tidy(path: &Path) -> io::Result<PathBuf> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path has no zero bytes"));
    }
    let mut tidy = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::ParentDir => {
                tidy.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => tidy.push(part),
        }
    }
    Ok(tidy)
}
