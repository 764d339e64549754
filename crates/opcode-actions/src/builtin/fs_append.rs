//! `fs.append`: adds to the end of a file, which is made if it is not there.
//!
//! ```json
//! {"action": "fs.append", "params": {"path": "/srv/data/log.txt", "content": "one line\n"}}
//! ```
//! gives
//! ```json
//! {"path": "/srv/data/log.txt", "size": 2048}
//! ```
//!
//! Keeps: all of it goes to the end as it is at that moment.
//! Not here: replacing a file (`fs_write.rs`).

use std::io::Write;

use opcode_model::{EffectClass, Outcome, Value};
use rustix::fs::OFlags;
use schemars::JsonSchema;
use serde::Deserialize;

use super::fs_read::{OUTSIDE, shown};
use super::fs_write::content;
use crate::action::{Built, Site};
use crate::files::{Access, Denial};
use crate::limit::Job;
use crate::page::Page;
use crate::params::Text;

pub(super) struct FsAppend;

// The content may be null, so serde has a default for it; it must be there all the same.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["path", "content"]))]
pub(super) struct Params {
    /// The file.
    path: Text,
    /// What to add; anything but text is added as JSON.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    content: Value,
}

impl Built for FsAppend {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.append",
        class: EffectClass::Unsafe,
        source: include_str!("fs_append.rs"),
        output: &[("path", "the absolute path"), ("size", "bytes in the file afterwards")],
    };

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        Job::run("fs.append", &site, move |job| {
            let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
            let place = roots.place(&params.path.0, Access::Write).map_err(denied)?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NONBLOCK;
            let mut file = place.open(flags, 0o644).map_err(denied)?;
            let written = file.write_all(content(&params.content).as_bytes());
            let size = written.and_then(|()| file.metadata()).map(|metadata| metadata.len());
            let size =
                size.map_err(|error| denied(Denial::System("append", place.path.clone(), error)))?;
            Ok(Value::object([("path", shown(&place)), ("size", size.into())]))
        })
        .await
    }
}
