//! `fs.copy`: copies a file, or a directory and all in it.
//!
//! ```json
//! {"action": "fs.copy", "params": {"src": "/srv/data/note.txt", "dst": "/srv/backup/note.txt", "create_dirs": true}}
//! ```
//! gives
//! ```json
//! {"dst": "/srv/backup/note.txt", "is_dir": false, "size": 6, "src": "/srv/data/note.txt"}
//! ```
//!
//! Keeps: a new file gets the mode of the old one; symlinks inside a directory are copied as symlinks.
//! Not here: walking (`files/tree.rs`).

use std::os::fd::AsRawFd;

use opcode_model::{EffectClass, ErrorCode, Failure, Outcome, Value};
use rustix::fs::{OFlags, fstat};
use schemars::JsonSchema;
use serde::Deserialize;

use super::fs_read::{OUTSIDE, shown};
use crate::action::{Built, Site};
use crate::files::{Access, Denial, Node, Place, Roots, copy_file, copy_tree};
use crate::limit::Job;
use crate::page::Page;
use crate::params::Text;

pub(super) struct FsCopy;

/// What copying and moving give.
pub(super) const OUTPUT: &[(&str, &str)] = &[
    ("dst", "the absolute path of the new place"),
    ("is_dir", "whether it is a directory"),
    ("size", "bytes of all files"),
    ("src", "the absolute path of the old place"),
];

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// From where.
    pub(super) src: Text,
    /// To where.
    pub(super) dst: Text,
    /// Make the directories above `dst`.
    #[serde(default)]
    pub(super) create_dirs: bool,
}

impl Built for FsCopy {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.copy",
        class: EffectClass::Idempotent,
        source: include_str!("fs_copy.rs"),
        output: OUTPUT,
    };

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        Job::run("fs.copy", &site, move |job| {
            let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
            let src = roots.place(&params.src.0, Access::Read).map_err(denied)?;
            let dst = roots.place(&params.dst.0, Access::Write).map_err(denied)?;
            if params.create_dirs {
                dst.make_parents().map_err(denied)?;
            }
            let (is_dir, size) = copy(job, &roots, &src, &dst)?;
            Ok(output(&src, &dst, is_dir, size))
        })
        .await
    }
}

/// What copying and moving give.
pub(super) fn output(src: &Place, dst: &Place, is_dir: bool, size: u64) -> Value {
    Value::object([
        ("dst", shown(dst)),
        ("is_dir", is_dir.into()),
        ("size", size.into()),
        ("src", shown(src)),
    ])
}

/// Copies whatever is at `src`; tells whether it was a directory, and the bytes of its files.
pub(super) fn copy(
    job: &Job,
    roots: &Roots,
    src: &Place,
    dst: &Place,
) -> Result<(bool, u64), Failure> {
    let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
    let source = src.open(OFlags::RDONLY | OFlags::NONBLOCK, 0).map_err(denied)?;
    let node = Node(fstat(&source).map_err(|error| denied(src.denied("stat", error)))?);
    let wrong = |why: &str| {
        Failure::new(
            ErrorCode::Validation,
            format!("{}: {} {why}", job.action(), src.path.display()),
        )
    };
    if node.is_dir() {
        if dst.path.starts_with(&src.path) {
            return Err(wrong("cannot be copied into itself"));
        }
        dst.make_directory().map_err(denied)?;
        let target = dst.open(OFlags::RDONLY | OFlags::DIRECTORY, 0).map_err(denied)?;
        let real = |file: &std::fs::File| {
            std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default()
        };
        if real(&target).starts_with(real(&source)) {
            return Err(wrong("cannot be copied into itself"));
        }
        return Ok((true, copy_tree(job, roots, &source, &target, 0)?));
    }
    if !node.is_file() {
        return Err(wrong("is neither a file nor a directory"));
    }
    // Without truncating: they might be the same file.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK;
    let target = dst.open(flags, node.permissions()).map_err(denied)?;
    let there = fstat(&target).map_err(|error| denied(dst.denied("stat", error)))?;
    if (there.st_dev, there.st_ino) == (node.0.st_dev, node.0.st_ino) {
        return Err(wrong("cannot be copied onto itself"));
    }
    let cut = target.set_len(0);
    cut.map_err(|error| denied(Denial::System("write", dst.path.clone(), error)))?;
    Ok((false, copy_file(job, source, target)?))
}
