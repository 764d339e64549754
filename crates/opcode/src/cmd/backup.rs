//! `opcode backup` and `opcode restore`: a copy of the store, and back.
//!
//! Keeps: a backup is made beside whoever works in the store; nothing is written over.
//! Not here: how a copy is made and checked (`opcode-store-sqlite`).

use std::path::PathBuf;

use clap::Args;
use opcode_model::ErrorCode;
use opcode_runtime::shapes;
use opcode_store::Report;
use opcode_store_sqlite::{CopyError, OpenError, backup, kept_as, restore};

use crate::cli::{self, Place};
use crate::cmd::verify;
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

pub(crate) fn run_backup(place: &Place, args: &BackupArgs) -> Result<Exit, Trouble> {
    let report = backup(&wire::db_path(place)?, &args.file).map_err(told)?;
    tell(args.json, &report, &format!("copied to {}", args.file.display()));
    Ok(Exit::Completed)
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
