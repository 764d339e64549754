//! `fs.write`: writes a file, replacing what was in it.
//!
//! ```json
//! {"action": "fs.write", "params": {"path": "/srv/data/note.txt", "content": "hello\n"}}
//! ```
//! gives
//! ```json
//! {"path": "/srv/data/note.txt", "size": 6}
//! ```
//!
//! Keeps: `mode` is for a new file only; content that is not text is written as JSON.
//! Not here: adding to a file (`fs_append.rs`).

use std::io::Write;

use opcode_model::{EffectClass, Outcome, Value};
use rustix::fs::OFlags;
use schemars::JsonSchema;
use serde::Deserialize;

use super::fs_read::{OUTSIDE, shown};
use crate::action::{Built, Site};
use crate::files::{Access, Denial};
use crate::limit::Job;
use crate::page::Page;
use crate::params::{Mode, Text};

pub(super) struct FsWrite;

// The content may be null, so serde has a default for it; it must be there all the same.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["path", "content"]))]
pub(super) struct Params {
    /// The file.
    path: Text,
    /// What to write; anything but text is written as JSON.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    content: Value,
    /// Make the directories above it.
    #[serde(default)]
    create_dirs: bool,
    /// Permission bits of a new file: 420, or `"0644"`, unless given.
    mode: Option<Mode>,
}

impl Built for FsWrite {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.write",
        class: EffectClass::Idempotent,
        source: include_str!("fs_write.rs"),
        output: &[("path", "the absolute path"), ("size", "bytes written")],
    };

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        Job::run("fs.write", &site, move |job| {
            let denied = |denial: Denial| denial.failure(job.action(), OUTSIDE);
            let place = roots.place(&params.path.0, Access::Write).map_err(denied)?;
            if params.create_dirs {
                place.make_parents().map_err(denied)?;
            }
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NONBLOCK;
            let mut file =
                place.open(flags, params.mode.map_or(0o644, |mode| mode.0)).map_err(denied)?;
            let text = content(&params.content);
            for chunk in text.as_bytes().chunks(1 << 20) {
                job.go_on()?;
                file.write_all(chunk)
                    .map_err(|error| denied(Denial::System("write", place.path.clone(), error)))?;
            }
            Ok(Value::object([("path", shown(&place)), ("size", text.len().into())]))
        })
        .await
    }
}

/// What a file gets to hold: text as it is, nothing for null, else JSON.
pub(super) fn content(value: &Value) -> String {
    if value.is_null() { String::new() } else { value.to_text() }
}
