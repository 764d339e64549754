//! `fs.list`: lists a directory, or with `recursive` all below it.
//!
//! ```json
//! {"action": "fs.list", "params": {"path": "/srv/data", "pattern": "*.txt"}}
//! ```
//! gives
//! ```json
//! {"entries": [{"is_dir": false, "modified_at": "2026-11-20T15:41:07Z", "name": "note.txt", "path": "/srv/data/note.txt", "size": 6}], "path": "/srv/data"}
//! ```
//!
//! Keeps: entries are sorted by name, directories before what is in them; symlinks are not descended into.
//! Not here: patterns (`files/glob.rs`).

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use opcode_model::{EffectClass, Failure, Outcome, Value};
use rustix::fs::{Mode, OFlags, fstat, openat};
use schemars::JsonSchema;
use serde::Deserialize;

use super::fs_read::{OUTSIDE, shown};
use crate::action::{Built, Site};
use crate::files::{Access, Denial, Glob, Node, Roots, matches_each, read_dir};
use crate::limit::Job;
use crate::page::Page;
use crate::params::Text;

pub(super) struct FsList;

/// Entries of one listing.
const ENTRIES_MAX: usize = 50_000;
/// How deep a listing goes.
const DEPTH_MAX: usize = 128;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The directory.
    path: Text,
    /// Only what matches: `*`, `?`, `[a-z]`; with `recursive`, the name alone counts.
    pattern: Option<Text>,
    /// All below it.
    #[serde(default)]
    recursive: bool,
}

impl Built for FsList {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.list",
        class: EffectClass::Idempotent,
        source: include_str!("fs_list.rs"),
        output: &[
            ("entries", "a list of `{is_dir, modified_at, name, path, size}`"),
            ("path", "the directory's absolute path"),
        ],
    };

    fn examine(params: &Params) -> Result<(), String> {
        let is_open = params.pattern.as_ref().is_some_and(|pattern| pattern.0.contains("${{"));
        let wrong = |pattern| format!("param 'pattern': syntax error in {pattern:?}");
        if is_open { Ok(()) } else { Wanted::of(params).map(drop).map_err(wrong) }
    }

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        Job::run("fs.list", &site, move |job| {
            let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
            let wanted = Wanted::of(&params).map_err(|pattern| {
                let message =
                    format!("{}: param 'pattern': syntax error in {pattern:?}", job.action());
                Failure::new(opcode_model::ErrorCode::Validation, message)
            })?;
            let place = roots.place(&params.path.0, Access::Read).map_err(denied)?;
            let mut listing = Listing { job, roots: &roots, wanted: &wanted, entries: Vec::new() };
            match place.open(OFlags::RDONLY | OFlags::DIRECTORY, 0) {
                // As with a shell, a pattern that nothing can match gives nothing.
                Err(denial) if denial.is_missing() && matches!(wanted, Wanted::Each(_)) => {}
                opened => listing.directory(opened.map_err(denied)?.into(), &place.path, 0)?,
            }
            Ok(Value::object([("entries", listing.entries.into()), ("path", shown(&place))]))
        })
        .await
    }
}

/// Which entries are wanted.
enum Wanted {
    All { recursive: bool },
    Named(Glob),
    Each(Vec<Glob>),
}

impl Wanted {
    fn of(params: &Params) -> Result<Self, String> {
        let pattern = params.pattern.as_ref().map(|text| text.0.as_str()).unwrap_or_default();
        let malformed = || pattern.to_owned();
        if pattern.is_empty() {
            Ok(Self::All { recursive: params.recursive })
        } else if params.recursive {
            Glob::parse(pattern).map(Self::Named).ok_or_else(malformed)
        } else {
            matches_each(pattern).map(Self::Each).ok_or_else(malformed)
        }
    }

    /// Whether an entry is listed, and whether what is below it is looked at.
    fn judge(&self, name: &str, depth: usize) -> (bool, bool) {
        match self {
            Self::All { recursive } => (true, *recursive),
            Self::Named(glob) => (glob.matches(name), true),
            Self::Each(globs) => {
                let fits = globs.get(depth).is_some_and(|glob| glob.matches(name));
                (fits && depth + 1 == globs.len(), fits && depth + 1 < globs.len())
            }
        }
    }
}

struct Listing<'a> {
    job: &'a Job,
    roots: &'a Roots,
    wanted: &'a Wanted,
    entries: Vec<Value>,
}

impl Listing<'_> {
    fn directory(&mut self, directory: OwnedFd, path: &Path, depth: usize) -> Result<(), Failure> {
        let name = self.job.action();
        if depth == DEPTH_MAX {
            return Err(Failure::limit("levels of a listing", DEPTH_MAX));
        }
        let wrong = |error: rustix::io::Errno| {
            Denial::System("list", path.to_owned(), error.into()).failure(name, OUTSIDE)
        };
        for (name, node) in read_dir(&directory).map_err(wrong)? {
            self.job.go_on()?;
            let below = path.join(&name);
            let (listed, entered) = self.wanted.judge(&name.to_string_lossy(), depth);
            if listed {
                self.list(&name, &below, node)?;
            }
            if entered && node.is_dir() {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let inner = openat(&directory, &name, flags, Mode::empty()).map_err(wrong)?;
                // What may not be touched is not looked into.
                if self.roots.check(&below, &inner).is_err() {
                    continue;
                }
                self.directory(inner, &below, depth + 1)?;
            }
        }
        Ok(())
    }

    fn list(&mut self, name: &OsStr, path: &Path, node: Node) -> Result<(), Failure> {
        if self.entries.len() == ENTRIES_MAX {
            return Err(Failure::limit("entries of a listing", ENTRIES_MAX));
        }
        let node = if matches!(self.wanted, Wanted::Each(_)) && node.is_symlink() {
            self.followed(path).unwrap_or(node)
        } else {
            node
        };
        self.entries.push(Value::object([
            ("is_dir", Value::from(node.is_dir())),
            ("modified_at", node.modified_at().into()),
            ("name", name.to_string_lossy().as_ref().into()),
            ("path", path.to_string_lossy().as_ref().into()),
            ("size", node.size().into()),
        ]));
        Ok(())
    }

    /// What a symlink points to, if that is within reach.
    fn followed(&self, path: &Path) -> Option<Node> {
        let place = self.roots.place(path.to_str()?, Access::Read).ok()?;
        fstat(place.open(OFlags::PATH, 0).ok()?).ok().map(Node)
    }
}
