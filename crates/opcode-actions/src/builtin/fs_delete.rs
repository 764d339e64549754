//! `fs.delete`: removes a file or an empty directory, or with `recursive` a directory and all in it.
//!
//! ```json
//! {"action": "fs.delete", "params": {"path": "/srv/data/old", "recursive": true}}
//! ```
//! gives
//! ```json
//! {"deleted": true, "path": "/srv/data/old"}
//! ```
//!
//! Keeps: a symlink is removed, never what it points to; a root itself stays.
//! Not here: walking (`files/tree.rs`).

use opcode_model::{EffectClass, Outcome, Value};
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::Deserialize;

use super::fs_read::{OUTSIDE, shown};
use crate::action::{Built, Site};
use crate::files::{Access, Denial, remove_tree};
use crate::limit::Job;
use crate::page::Page;
use crate::params::Text;

pub(super) struct FsDelete;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// What to remove.
    path: Text,
    /// All in it as well; then it may also be missing.
    #[serde(default)]
    recursive: bool,
}

impl Built for FsDelete {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.delete",
        class: EffectClass::Unsafe,
        source: include_str!("fs_delete.rs"),
        output: &[("deleted", "always `true`"), ("path", "the absolute path")],
    };

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        Job::run("fs.delete", &site, move |job| {
            let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
            let place = roots.place(&params.path.0, Access::Write).map_err(denied)?;
            let gone = || Ok(Value::object([("deleted", true.into()), ("path", shown(&place))]));
            let (parent, name) = match place.parent_of_whole() {
                Err(denial) if params.recursive && denial.is_missing() => return gone(),
                found => found.map_err(denied)?,
            };
            if params.recursive {
                remove_tree(job, &parent, &name, 0)?;
                return gone();
            }
            let removed = match unlinkat(&parent, &name, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => unlinkat(&parent, &name, AtFlags::REMOVEDIR),
                removed => removed,
            };
            removed.map_err(|error| denied(place.denied("remove", error)))?;
            gone()
        })
        .await
    }
}
