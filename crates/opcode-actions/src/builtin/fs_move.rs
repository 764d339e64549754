//! `fs.move`: moves a file or directory.
//!
//! ```json
//! {"action": "fs.move", "params": {"src": "/srv/inbox/a.csv", "dst": "/srv/done/a.csv"}}
//! ```
//! gives
//! ```json
//! {"dst": "/srv/done/a.csv", "is_dir": false, "size": 120, "src": "/srv/inbox/a.csv"}
//! ```
//!
//! Keeps: within one file system it happens at once; across two, the old one goes only when the new one is whole.
//! Not here: copying (`fs_copy.rs`).

use opcode_model::{EffectClass, Outcome};
use rustix::fs::{AtFlags, renameat, statat};
use rustix::io::Errno;

use super::fs_copy::{OUTPUT, Params, copy, output};
use super::fs_read::OUTSIDE;
use crate::action::{Built, Site};
use crate::files::{Access, Denial, Node, remove_tree};
use crate::limit::Job;
use crate::page::Page;

pub(super) struct FsMove;

impl Built for FsMove {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.move",
        class: EffectClass::Unsafe,
        source: include_str!("fs_move.rs"),
        output: OUTPUT,
    };

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        Job::run("fs.move", &site, move |job| {
            let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
            let src = roots.place(&params.src.0, Access::Write).map_err(denied)?;
            let dst = roots.place(&params.dst.0, Access::Write).map_err(denied)?;
            let (from, name) = src.parent_of_whole().map_err(denied)?;
            if params.create_dirs {
                dst.make_parents().map_err(denied)?;
            }
            let (to, new_name) = dst.parent_of_whole().map_err(denied)?;
            let node = statat(&from, &name, AtFlags::SYMLINK_NOFOLLOW);
            let node = Node(node.map_err(|error| denied(src.denied("stat", error)))?);
            match renameat(&from, &name, &to, &new_name) {
                Ok(()) => {
                    let size = u64::try_from(node.size()).unwrap_or_default();
                    Ok(output(&src, &dst, node.is_dir(), size))
                }
                // Two file systems.
                Err(Errno::XDEV) => {
                    let (is_dir, size) = copy(job, &roots, &src, &dst)?;
                    remove_tree(job, &from, &name, 0)?;
                    Ok(output(&src, &dst, is_dir, size))
                }
                Err(error) => Err(denied(Denial::System("rename", src.path.clone(), error.into()))),
            }
        })
        .await
    }
}
