//! `opcode resume`: goes on with every unfinished workflow until each is over or waits for somebody.
//!
//! Keeps: the store is opened only if something is unfinished.
//! Not here: recovery itself (`opcode-driver`).

use clap::Args;
use opcode_model::{RunId, RunStatus};
use opcode_runtime::{Reader, StatusView};
use opcode_store::RunFilter;
use serde_json::json;

use crate::cli::{EngineArgs, Place};
use crate::exit::Exit;
use crate::session::Session;
use crate::show::table::{self, Cell};
use crate::trouble::Trouble;
use crate::{cli, say, show, wire};

#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// Print `{"workflows": [result, …]}`
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) async fn run(place: &Place, args: ResumeArgs) -> Result<Exit, Trouble> {
    let before = unfinished(&wire::reader_or_empty(place).await?).await?;
    if before.is_empty() {
        match args.json {
            true => say::json(&json!({"workflows": []})),
            false => say::data("nothing to resume: every workflow is over"),
        }
        return Ok(Exit::Completed);
    }
    let mut session = Session::open(place, &args.engine).await?;
    if !args.json {
        say::talk(&format!("going on with {}", show::count(before.len(), "workflow")));
    }
    if let Some(exit) = session.rest().await? {
        session.stop().await?;
        say::talk("stopped; everything acknowledged is on disk");
        say::hint(&format!("go on with `{} resume`", cli::same_store()));
        return Ok(exit);
    }
    let (mut views, mut lost) = (Vec::with_capacity(before.len()), Vec::new());
    for run in before {
        match session.engine.reader().status(run).await {
            Ok(view) => views.push(view),
            Err(failure) => lost.push(failure),
        }
    }
    tell(&views, args.json);
    session.close().await?;
    match lost.first() {
        None => Ok(worst(&views)),
        Some(failure) => {
            let count = show::count(lost.len(), "workflow");
            let message = format!("{count} could not be read: {}", failure.message);
            let hint = format!("`{} verify` names all that is damaged", cli::same_store());
            Err(Trouble::store_error(message).hint(hint))
        }
    }
}

/// Workflows that are not over, oldest first; a child goes on with its parent.
async fn unfinished(reader: &Reader) -> Result<Vec<RunId>, Trouble> {
    let mut found = Vec::new();
    for status in [RunStatus::Pending, RunStatus::Active, RunStatus::Suspended] {
        let filter = RunFilter { status: Some(status), limit: 1_000_000, ..RunFilter::default() };
        let open = reader.workflows(filter).await?;
        found.extend(open.into_iter().filter(|one| one.row.parent.is_none()));
    }
    found.sort_by_key(|one| one.row.created_at);
    Ok(found.into_iter().map(|one| one.run).collect())
}

fn tell(views: &[StatusView], as_json: bool) {
    let paint = say::out();
    if as_json {
        let results: Vec<_> = views.iter().map(|view| &view.result).collect();
        return say::json(&json!({"workflows": results}));
    }
    let row = |view: &StatusView| {
        let (result, row) = (&view.result, &view.summary.row);
        let why = result.error.as_ref().map(|error| format!("[{}] {}", error.code, error.message));
        vec![
            Cell::from(result.workflow_id.to_string()),
            show::run::status_cell(result.status),
            Cell::from(row.name.as_deref().unwrap_or("unnamed")),
            Cell::from(why.unwrap_or_default()),
        ]
    };
    let rows: Vec<_> = views.iter().map(row).collect();
    say::data(&table::lines(&rows, 0, say::width(), paint).join("\n"));
    for view in views {
        let asks = show::asks::lines_of(view, paint);
        if !asks.is_empty() {
            say::data(&asks.join("\n"));
        }
    }
}

/// A failure outweighs a wait, a wait the rest.
fn worst(views: &[StatusView]) -> Exit {
    let exits: Vec<Exit> = views.iter().map(|view| Exit::of(&view.result)).collect();
    let is_failed = |exit: &Exit| matches!(exit, Exit::Failed | Exit::TimedOut);
    if exits.iter().any(is_failed) {
        Exit::Failed
    } else if exits.contains(&Exit::Waiting) {
        Exit::Waiting
    } else {
        Exit::Completed
    }
}
