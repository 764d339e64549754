//! `fs.stat`: says what is known of a file or directory.
//!
//! ```json
//! {"action": "fs.stat", "params": {"path": "/srv/data/note.txt"}}
//! ```
//! gives
//! ```json
//! {"is_dir": false, "modified_at": "2026-11-20T15:41:07Z", "path": "/srv/data/note.txt", "permissions": "0644", "size": 6}
//! ```
//!
//! Keeps: symlinks are followed.
//! Not here: what is in a directory (`fs_list.rs`).

use opcode_model::{EffectClass, Outcome, Value};
use rustix::fs::{OFlags, fstat};
use schemars::JsonSchema;
use serde::Deserialize;

use super::fs_read::{OUTSIDE, shown};
use crate::action::{Built, Site};
use crate::files::{Access, Denial, Node};
use crate::limit::Job;
use crate::page::Page;
use crate::params::Text;

pub(super) struct FsStat;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The file or directory.
    path: Text,
}

impl Built for FsStat {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.stat",
        class: EffectClass::Idempotent,
        source: include_str!("fs_stat.rs"),
        output: &[
            ("is_dir", "whether it is a directory"),
            ("modified_at", "when it was last changed, in UTC"),
            ("path", "the absolute path"),
            ("permissions", "four octal digits"),
            ("size", "bytes"),
        ],
    };

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        Job::run("fs.stat", &site, move |job| {
            let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
            let place = roots.place(&params.path.0, Access::Read).map_err(denied)?;
            let file = place.open(OFlags::PATH, 0).map_err(denied)?;
            let node = Node(fstat(&file).map_err(|error| denied(place.denied("stat", error)))?);
            Ok(Value::object([
                ("is_dir", node.is_dir().into()),
                ("modified_at", node.modified_at().into()),
                ("path", shown(&place)),
                ("permissions", format!("{:04o}", node.permissions()).into()),
                ("size", node.size().into()),
            ]))
        })
        .await
    }
}
