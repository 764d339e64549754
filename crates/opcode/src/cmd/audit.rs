//! `opcode audit`: who did what to what, and what was refused, newest first.
//!
//! Keeps: works beside whoever holds the store; `--verify` says whether anything was changed, taken out or cut off.
//! Not here: what is written down (`opcode-runtime`).

use clap::Args;
use serde_json::{Value as Json, json};

use crate::cli::Place;
use crate::exit::Exit;
use crate::show::count;
use crate::show::table;
use crate::trouble::Trouble;
use crate::{cmd, say, wire};

#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// Entries shown
    #[arg(long, value_name = "N", default_value = "50", value_parser = cmd::count)]
    limit: usize,
    /// Look whether the log is whole, instead of showing it
    #[arg(long)]
    verify: bool,
    /// Print it as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(place: &Place, args: AuditArgs) -> Result<Exit, Trouble> {
    let reader = wire::reader_or_empty(place).await?;
    if args.verify {
        let (entries, wrong) = reader.audit().verify().await?;
        return Ok(whole(entries, wrong.as_deref(), args.json));
    }
    let entries = reader.audit().newest(args.limit).await?;
    if args.json {
        say::json(&json!({"entries": entries}));
    } else if entries.is_empty() {
        say::data("nothing was done yet");
    } else {
        let head = ["AT", "BY", "THROUGH", "AGENT", "ACTION", "WHAT", "RESULT"];
        let rows = entries.iter().map(row).collect();
        say::data(&table::text(&head, rows, say::out()));
    }
    Ok(Exit::Completed)
}

fn whole(entries: u64, wrong: Option<&str>, as_json: bool) -> Exit {
    let number = count(usize::try_from(entries).unwrap_or(usize::MAX), "line");
    if as_json {
        say::json(&json!({"entries": entries, "ok": wrong.is_none(), "wrong": wrong}));
    } else {
        let text = wrong.map_or_else(|| format!("whole: {number}"), str::to_owned);
        say::data(&text);
    }
    if wrong.is_some() { Exit::Fault } else { Exit::Completed }
}

fn row(entry: &Json) -> Vec<table::Cell> {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let what = format!("{} {}", text("resource_type"), text("resource_id"));
    let result = &entry["result"];
    let result = result.as_str().or(result["code"].as_str()).unwrap_or_default().to_owned();
    let cells = [
        text("at"),
        text("by"),
        text("face"),
        text("agent_id"),
        text("action"),
        what.trim_end().to_owned(),
        result,
    ];
    cells.map(Into::into).to_vec()
}
