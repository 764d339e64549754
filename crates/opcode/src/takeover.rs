//! A database of the original OPCODE becomes a store of ours before the first command that writes.
//!
//! Keeps: it happens once, or not at all; what does not come along is said, and written beside the database.
//! Not here: what its rows become (`opcode-runtime`), files and their places (`opcode-store-sqlite`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use opcode_runtime::{TakenOver, take_over};
use opcode_store::Runs;
use opcode_store_sqlite::{Takeover, original_as};

use crate::cli::{self, Place};
use crate::cmd::backup;
use crate::show::count;
use crate::trouble::Trouble;
use crate::{daemon, say, settings, wire};

/// Notes that are said one by one; the file has all.
const NOTES_SAID: usize = 20;

/// Takes over what is at the place of the store, if it is the original's.
pub(crate) async fn first(place: &Place) -> Result<(), Trouble> {
    // Whoever serves a store has one of ours.
    if daemon::find(place)?.is_some() {
        return Ok(());
    }
    let path = wire::db_path(place)?;
    let begun = Takeover::begin(&path, &cli::command_line()).map_err(backup::told)?;
    let Some(takeover) = begun else { return Ok(()) };
    say::talk(&format!("{} is the original OPCODE's; taking it over", path.display()));
    let original = takeover.original().map_err(|fault| Trouble::store(&fault))?;
    let draft = Arc::new(takeover.draft()?);
    let done = take_over(&original, draft.clone(), wire::own_tools(place), &wire::actor()).await;
    drop(original);
    draft.close().await.map_err(|fault| Trouble::store(&fault))?;
    drop(draft);
    let done = done?;
    let notes = notes_of(&path);
    if !done.notes.is_empty() {
        settings::write(&notes, &done.notes.join("\n")).map_err(|cause| {
            Trouble::fault(format!("could not write {}: {cause}", notes.display()))
        })?;
    }
    let kept = takeover.finish().map_err(backup::told)?;
    tell(&done, &kept, &notes);
    Ok(())
}

/// Where is written what did not come along.
fn notes_of(path: &Path) -> PathBuf {
    let mut name = original_as(path).into_os_string();
    name.push(".notes");
    name.into()
}

fn tell(done: &TakenOver, kept: &Path, notes: &Path) {
    let all = [
        (done.runs, "workflow"),
        (done.templates, "template version"),
        (done.agents, "agent"),
        (done.secrets, "secret"),
        (done.schedules, "schedule"),
    ];
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let all = all.map(|(many, what)| count(number(many), what)).join(", ");
    say::talk(&format!("taken over: {all}; {} is as it was", kept.display()));
    if done.interrupted > 0 {
        let many = count(number(done.interrupted), "workflow");
        say::talk(&format!("{many} had not finished: failed with INTERRUPTED, inputs kept"));
    }
    for note in done.notes.iter().take(NOTES_SAID) {
        say::talk(&format!("note: {note}"));
    }
    if !done.notes.is_empty() {
        let many = count(done.notes.len(), "note");
        say::talk(&format!("{many} in {}", notes.display()));
    }
}
