//! `opcode backup` and `opcode restore`: a copy of the store, and back.
//!
//! Keeps: a backup is made beside whoever works in the store; nothing is written over.
//! Not here: how a copy is made and checked (`opcode-store-sqlite`).

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use http_body_util::BodyExt;
use hyper::Method;
use opcode_model::ErrorCode;
use opcode_runtime::shapes;
use opcode_store::Report;
use opcode_store_sqlite::{CopyError, OpenError, backup, kept_as, restore};

use crate::cli::{self, Place};
use crate::cmd::verify;
use crate::daemon::{self, Daemon, refusal, text};
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{say, wire};

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// Where the copy goes; nothing may be there
    file: PathBuf,
    /// Print what was copied as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// A copy that `opcode backup` made
    file: PathBuf,
    /// Print what was restored as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run_backup(place: &Place, args: &BackupArgs) -> Result<Exit, Trouble> {
    let report = match daemon::find(place)? {
        None => backup(&wire::db_path(place)?, &args.file).map_err(told)?,
        Some(daemon) => {
            let sent = Sent::of(&daemon, &args.file).await?;
            // What came over is looked at again before it gets its name.
            backup(&sent.0, &args.file).map_err(told)?
        }
    };
    tell(args.json, &report, &format!("copied to {}", args.file.display()));
    Ok(Exit::Completed)
}

/// A copy as a server sent it, beside where it shall be; gone with this.
struct Sent(PathBuf);

impl Sent {
    async fn of(daemon: &Daemon, file: &Path) -> Result<Self, Trouble> {
        if file.symlink_metadata().is_ok() {
            return Err(told(CopyError::Taken(file.to_owned())));
        }
        let mut name = file.as_os_str().to_owned();
        name.push(".sent");
        let sent = Self(name.into());
        let lost = |cause: std::io::Error| {
            Trouble::usage(format!("could not write {}: {cause}", file.display()))
                .hint("check the directory, its permissions and its free space")
        };
        let mut to = File::options();
        let mut to = to.write(true).create_new(true).mode(0o600).open(&sent.0).map_err(lost)?;
        let response = daemon.send(Method::GET, "/api/v1/backup", &[], String::new()).await?;
        if !response.status().is_success() {
            let status = response.status();
            return Err(refusal(status, &text(response).await?));
        }
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|cause| daemon.silent(cause))?;
            to.write_all(frame.data_ref().map_or(&[], |part| part)).map_err(lost)?;
        }
        Ok(sent)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_file(&self.0) {
            tracing::warn!(%cause, "could not remove {}", self.0.display());
        }
    }
}

pub(crate) fn run_restore(place: &Place, args: &RestoreArgs) -> Result<Exit, Trouble> {
    let path = wire::db_path(place)?;
    wire::make_room(&path)?;
    let report = restore(&args.file, &path, &cli::command_line()).map_err(|error| match error {
        CopyError::Open(OpenError::Missing { .. }) => {
            Trouble::not_found(format!("there is no backup at {}", args.file.display()))
                .hint("name a file that `opcode backup` made")
        }
        CopyError::Open(_)
        | CopyError::Taken(_)
        | CopyError::Damaged { .. }
        | CopyError::Fault(_) => told(error),
    })?;
    tell(args.json, &report, &format!("restored to {}", path.display()));
    if !args.json && kept_as(&path).exists() {
        say::hint(&format!("the store that was there is {}", kept_as(&path).display()));
    }
    Ok(Exit::Completed)
}

fn tell(as_json: bool, report: &Report, done: &str) {
    match as_json {
        true => say::json(&shapes::report(report)),
        false => say::data(&format!("{}; {done}", verify::looked(report))),
    }
}

pub(crate) fn told(error: CopyError) -> Trouble {
    match error {
        CopyError::Open(error) => error.into(),
        CopyError::Fault(fault) => Trouble::store(&fault),
        CopyError::Taken(_) => Trouble::said(ErrorCode::Conflict, error.to_string())
            .hint("name another file, or move that one away; nothing was changed"),
        CopyError::Damaged { ref report, .. } => {
            let places: Vec<String> = report.damage.iter().map(verify::line).collect();
            Trouble::store_error(format!("{error}:\n{}", places.join("\n")))
                .hint("nothing was changed; take another backup, or keep this file and look closer")
        }
    }
}
