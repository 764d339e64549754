//! What happens in a world, a line each.
//!
//! Keeps: short enough to read.
//! Not here: what is written down when (`world.rs`).

use opcode_driver::{Command, Incoming};
use opcode_model::commit::Commit;

/// A commit in a line.
pub(crate) fn brief(commit: &Commit) -> String {
    let names: Vec<String> = commit
        .events
        .iter()
        .map(|event| match event.kind.step() {
            Some(step) => format!("{} {}", event.kind.name(), step.path),
            None => event.kind.name().to_owned(),
        })
        .collect();
    let id = commit.run.to_string();
    let sent = commit.messages.len();
    let taken = commit.consumed.len();
    format!("{} @{} [{}] +{sent} -{taken}", &id[..4], commit.after.seq.0, names.join(", "))
}

/// News in a line.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these are too long")]
pub(crate) fn heard(incoming: &Incoming) -> String {
    match incoming {
        Incoming::Start(start) => format!("start {} for {}", start.run, start.ticket.0),
        Incoming::Loaded { run, loaded: Ok(loaded) } => {
            let (end, waits) = (loaded.position.seq.0, loaded.deliveries.len());
            format!("loaded {run} @{end}, {waits} messages")
        }
        Incoming::Resolved { run, resolved: Ok(_) } => format!("resolved {run}"),
        Incoming::Committed { batch, answers } => {
            let answers: Vec<String> = answers
                .iter()
                .map(|answer| match answer {
                    Ok(position) => format!("@{}", position.seq.0),
                    Err(refused) => format!("{refused:?}"),
                })
                .collect();
            format!("committed {} {}", batch.0, answers.join(" "))
        }
        other => format!("{other:?}"),
    }
}

/// A command in a line.
#[expect(clippy::wildcard_enum_match_arm, reason = "only this is too long")]
pub(crate) fn asked(command: &Command) -> String {
    match command {
        Command::Commit { batch, .. } => format!("commit {}", batch.0),
        other => format!("{other:?}"),
    }
}
