//! `opcode export` and `opcode import`: a workflow with all below it, carried to another store.
//!
//! Keeps: beside a server, the server does it; a file that is there is not written over, and none is left half written.
//! Not here: what stands in a document and what is refused of it (`opcode-runtime`'s `carry`).

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use opcode_model::limits::EXPORT_BYTES_MAX;
use opcode_model::{ErrorCode, RunId};
use opcode_runtime::{Export, Import};
use opcode_store::Runs;
use serde_json::{Value as Json, json};

use crate::cli::Place;
use crate::cmd::workflow_id;
use crate::daemon::{self, Daemon};
use crate::exit::Exit;
use crate::show::count;
use crate::trouble::Trouble;
use crate::{say, wire};

/// Bytes read from a file at once.
const PIECE: usize = 64 << 10;

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The workflow's id
    #[arg(value_parser = workflow_id)]
    id: RunId,
    /// Where it goes; nothing may be there [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print what was written as one JSON object
    #[arg(long, requires = "output")]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// What `opcode export` wrote, or - for stdin
    file: PathBuf,
    /// Take in what is unfinished as failed, with INTERRUPTED
    #[arg(long)]
    as_interrupted: bool,
    /// Print what was taken in as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run_export(place: &Place, args: ExportArgs) -> Result<Exit, Trouble> {
    let mut lines = match daemon::find(place)? {
        Some(daemon) => Lines::Asked(ask(&daemon, args.id).await?),
        None => Lines::Own(Box::new(wire::reader(place).await?.export(args.id).await?)),
    };
    let Some(path) = &args.output else {
        while let Some(piece) = lines.next().await? {
            say::bytes(&piece);
        }
        return Ok(Exit::Completed);
    };
    let mut file = create(path)?;
    let bytes = fill(&mut file, path, &mut lines).await.inspect_err(|_| {
        if let Err(cause) = std::fs::remove_file(path) {
            tracing::debug!(%cause, "could not remove {}", path.display());
        }
    })?;
    match args.json {
        true => say::json(&json!({"file": path, "bytes": bytes})),
        false => say::data(&format!("exported to {}; it has {} KiB", path.display(), bytes >> 10)),
    }
    Ok(Exit::Completed)
}

/// A document as it comes.
enum Lines {
    /// From a server.
    Asked(Incoming),
    /// From the store.
    Own(Box<Export>),
}

impl Lines {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        match self {
            Self::Own(export) => Ok(export.next().await?.map(String::into_bytes)),
            Self::Asked(body) => {
                let frame = body.frame().await.transpose().map_err(|cause| {
                    Trouble::fault(format!("the export was cut off: {cause}"))
                        .hint("look at what the server says: `opcode verify` looks for damage")
                })?;
                Ok(frame.map(|frame| frame.into_data().unwrap_or_default().to_vec()))
            }
        }
    }
}

fn unwritten(path: &Path, cause: &std::io::Error) -> Trouble {
    Trouble::usage(format!("could not write {}: {cause}", path.display()))
        .hint("check the directory, its permissions and its room")
}

fn create(path: &Path) -> Result<File, Trouble> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|cause| {
        if cause.kind() == std::io::ErrorKind::AlreadyExists {
            let message = format!("{} is there already", path.display());
            return Trouble::said(ErrorCode::Conflict, message)
                .hint("name another file, or move that one away; nothing was changed");
        }
        unwritten(path, &cause)
    })
}

/// Says how many bytes it has then.
async fn fill(file: &mut File, path: &Path, lines: &mut Lines) -> Result<usize, Trouble> {
    let failed = |cause: std::io::Error| unwritten(path, &cause);
    let mut bytes = 0;
    while let Some(piece) = lines.next().await? {
        file.write_all(&piece).map_err(failed)?;
        bytes += piece.len();
    }
    file.sync_all().map_err(failed)?;
    Ok(bytes)
}

async fn ask(daemon: &Daemon, id: RunId) -> Result<Incoming, Trouble> {
    let path = format!("/api/v1/workflows/{id}/export");
    let response = daemon.send(Method::GET, &path, &[], String::new()).await?;
    if response.status().is_success() {
        return Ok(response.into_body());
    }
    Err(refused(&daemon::text(response).await?))
}

/// What a server says that refuses.
fn refused(answer: &str) -> Trouble {
    let answer: Json = serde_json::from_str(answer).unwrap_or_default();
    let error = &answer["error"];
    let code = serde_json::from_value(error["code"].clone()).unwrap_or(ErrorCode::Internal);
    let message = error["message"].as_str().unwrap_or("it gave no reason");
    let trouble = Trouble::said(code, format!("the daemon refused: {message}"));
    match error["hint"].as_str() {
        Some(hint) => trouble.hint(hint),
        None => trouble,
    }
}

pub(crate) async fn run_import(place: &Place, args: ImportArgs) -> Result<Exit, Trouble> {
    let file: Box<dyn Read> = match args.file.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(File::open(&args.file).map_err(|cause| unreadable(&args.file, &cause))?),
    };
    let done = match daemon::find(place)? {
        Some(daemon) => hand_over(&daemon, file, &args).await?,
        None => by_ourselves(place, file, &args).await?,
    };
    if args.json {
        say::json(&done);
        return Ok(Exit::Completed);
    }
    let figure = |name: &str| done[name].as_u64().unwrap_or_default();
    let number = |name| usize::try_from(figure(name)).unwrap_or(usize::MAX);
    let known = match figure("known") {
        0 => String::new(),
        known => format!("; {known} were here already"),
    };
    let id = done["workflow_id"].as_str().unwrap_or_default();
    say::data(&format!("{id}: imported {}{known}", count(number("workflows"), "workflow")));
    for note in done["notes"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        say::hint(note);
    }
    Ok(Exit::Completed)
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Trouble {
    Trouble::usage(format!("could not read {}: {cause}", path.display()))
        .hint("name a file that `opcode export` wrote, or - for stdin")
}

async fn hand_over(
    daemon: &Daemon,
    file: Box<dyn Read>,
    args: &ImportArgs,
) -> Result<Json, Trouble> {
    let mut text = String::new();
    let mut bounded = file.take(EXPORT_BYTES_MAX as u64 + 1);
    bounded.read_to_string(&mut text).map_err(|cause| unreadable(&args.file, &cause))?;
    let path = format!("/api/v1/import?as_interrupted={}", args.as_interrupted);
    let response = daemon.send(Method::POST, &path, &[], text).await?;
    let is_done = response.status().is_success();
    let answer = daemon::text(response).await?;
    match is_done {
        true => Ok(serde_json::from_str(&answer).unwrap_or_default()),
        false => Err(refused(&answer)),
    }
}

async fn by_ourselves(
    place: &Place,
    mut file: Box<dyn Read>,
    args: &ImportArgs,
) -> Result<Json, Trouble> {
    // All of it is read before a store is opened, or made.
    let (mut import, mut piece) = (Import::default(), vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece).map_err(|cause| unreadable(&args.file, &cause))?;
        match piece.get(..read) {
            Some([]) | None => break,
            Some(bytes) => import.feed(bytes)?,
        }
    }
    let store = Arc::new(wire::store(place, None)?);
    let reader = wire::reader_of(place, store.clone()).await?;
    let done = import.save(&reader, &wire::actor(), args.as_interrupted).await;
    store.close().await.map_err(|fault| Trouble::store(&fault))?;
    serde_json::to_value(done?).map_err(|cause| Trouble::fault(cause.to_string()))
}
