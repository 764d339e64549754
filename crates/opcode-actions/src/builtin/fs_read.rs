//! `fs.read`: reads a file as text, or as base64 if it is not text.
//!
//! ```json
//! {"action": "fs.read", "params": {"path": "/srv/data/note.txt"}}
//! ```
//! gives
//! ```json
//! {"content": "hello\n", "encoding": "text", "path": "/srv/data/note.txt", "size": 6}
//! ```
//!
//! Keeps: what is cut says so; nothing that is not text is turned into text unless asked for.
//! Not here: reaching the file (`files/`).

use std::fs::File;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opcode_model::{EffectClass, Failure, Object, Outcome, Value};
use rustix::fs::OFlags;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{Built, Site};
use crate::files::{Access, Denial, Place};
use crate::limit::Job;
use crate::page::Page;
use crate::params::Text;

pub(super) struct FsRead;

/// What every file action says of a path outside the roots.
pub(super) const OUTSIDE: &str = "path denied";
/// Bytes that are looked at to tell text from anything else.
const SNIFF_BYTES: usize = 8192;

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Auto,
    Text,
    Base64,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The file.
    path: Text,
    /// How its content is given; `auto` unless given.
    #[serde(default)]
    encoding: Encoding,
}

impl Built for FsRead {
    type Params = Params;
    const PAGE: Page = Page {
        name: "fs.read",
        class: EffectClass::Idempotent,
        source: include_str!("fs_read.rs"),
        output: &[
            ("content", "what is in it"),
            ("encoding", "`text` or `base64`"),
            ("path", "the absolute path"),
            ("size", "bytes read"),
            ("truncated", "`true`, only if the file was longer"),
        ],
    };

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let roots = site.world.roots().clone();
        let bytes_max = site.world.config().file_bytes_max;
        Job::run("fs.read", &site, move |job| {
            let place = roots
                .place(&params.path.0, Access::Read)
                .map_err(|denial| denial.failure(job.action(), OUTSIDE))?;
            let file = place.open(OFlags::RDONLY | OFlags::NONBLOCK, 0);
            let file = file.map_err(|denial| denial.failure(job.action(), OUTSIDE))?;
            let (bytes, truncated) = read(job, &place, file, bytes_max)?;
            Ok(output(&place, bytes, truncated, params.encoding))
        })
        .await
    }
}

/// The path of a place, as it is given back.
pub(super) fn shown(place: &Place) -> Value {
    place.path.to_string_lossy().as_ref().into()
}

fn read(
    job: &Job,
    place: &Place,
    mut file: File,
    bytes_max: usize,
) -> Result<(Vec<u8>, bool), Failure> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        job.go_on()?;
        let read = file.read(&mut buffer).map_err(|error| {
            Denial::System("read", place.path.clone(), error).failure(job.action(), OUTSIDE)
        })?;
        let room = bytes_max - bytes.len();
        bytes.extend_from_slice(&buffer[..read.min(room)]);
        if read == 0 || read > room {
            return Ok((bytes, read > room));
        }
    }
}

fn output(place: &Place, bytes: Vec<u8>, truncated: bool, encoding: Encoding) -> Value {
    let size = bytes.len();
    // A cut may fall into the middle of a character; that does not make the rest less of a text.
    let valid = match std::str::from_utf8(&bytes) {
        Ok(_) => Some(size),
        Err(error) => (truncated && error.error_len().is_none()).then(|| error.valid_up_to()),
    };
    let looks_like_text = valid.is_some() && !bytes[..size.min(SNIFF_BYTES)].contains(&0);
    let as_text = match encoding {
        Encoding::Auto => looks_like_text,
        Encoding::Text => true,
        Encoding::Base64 => false,
    };
    let (content, encoding) = if as_text {
        let text = &bytes[..valid.unwrap_or(size)];
        (String::from_utf8_lossy(text).into_owned(), "text")
    } else {
        (STANDARD.encode(&bytes), "base64")
    };
    let output: Object = [
        ("content", Value::from(content)),
        ("encoding", encoding.into()),
        ("path", shown(place)),
        ("size", size.into()),
    ]
    .into_iter()
    .collect();
    Value::Object(if truncated { output.with("truncated", true.into()) } else { output })
}
