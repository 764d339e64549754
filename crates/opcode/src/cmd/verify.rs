//! `opcode verify`: looks at every byte of the store for damage.
//!
//! Keeps: only reads; damage is named as exactly as the bytes allow.
//! Not here: the checks (`opcode-store-sqlite`), repair.

use clap::Args;
use opcode_store::{Damage, Report};

use crate::cli::Place;
use crate::exit::Exit;
use crate::show::count;
use crate::trouble::Trouble;
use crate::{say, wire};
use opcode_runtime::shapes;

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Print the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(place: &Place, args: VerifyArgs) -> Result<Exit, Trouble> {
    let report = wire::reader(place).await?.verify().await?;
    let looked = looked(&report);
    if args.json {
        say::json(&shapes::report(&report));
    } else if report.damage.is_empty() {
        say::data(&format!("{looked}: no damage"));
    } else {
        let lines: Vec<String> = report.damage.iter().map(line).collect();
        say::data(&format!(
            "{looked}: {}\n{}",
            count(lines.len(), "damaged place"),
            lines.join("\n")
        ));
    }
    if report.damage.is_empty() {
        return Ok(Exit::Completed);
    }
    say::hint("keep a copy of the file and of its -wal, and restore a backup beside it");
    Ok(Exit::Fault)
}

/// How much was looked at.
pub(crate) fn looked(report: &Report) -> String {
    let figure = |n: u64, one| count(usize::try_from(n).unwrap_or(usize::MAX), one);
    format!("looked at {} and {}", figure(report.runs, "workflow"), figure(report.events, "event"))
}

/// One damaged place.
pub(crate) fn line(damage: &Damage) -> String {
    let place = match (damage.run, damage.seq) {
        (Some(run), Some(seq)) => format!("{run}, event {}: ", seq.0),
        (Some(run), None) => format!("{run}: "),
        (None, Some(seq)) => format!("event {}: ", seq.0),
        (None, None) => String::new(),
    };
    format!("  {place}{}", damage.what)
}
