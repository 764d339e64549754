//! `opcode vacuum`: takes old finished workflows away, and gives the space back to the disk.
//!
//! Keeps: without a span nothing but free space goes; beside a server, the server does it.
//! Not here: what goes with a workflow (the store), what a server does by itself (`serve.rs`).

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use hyper::Method;
use opcode_runtime::{Keep, Keeping, days};
use opcode_store::Runs;
use opcode_store_sqlite::SqliteStore;
use serde_json::{Value as Json, json};

use crate::cli::Place;
use crate::exit::Exit;
use crate::show::count;
use crate::trouble::Trouble;
use crate::{daemon, say, wire};

/// How long finished workflows are kept.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct KeepArgs {
    /// Finished workflows go after so long, such as 30d [default: never]
    #[arg(long, value_name = "SPAN", env = "OPCODE_KEEP", hide_env = true, value_parser = days)]
    pub(crate) keep: Option<Duration>,
    /// Failed ones go after so long [default: as --keep]
    #[arg(
        long,
        value_name = "SPAN",
        env = "OPCODE_KEEP_FAILED",
        hide_env = true,
        value_parser = days
    )]
    pub(crate) keep_failed: Option<Duration>,
}

impl KeepArgs {
    /// The same in the words of the engine.
    pub(crate) fn of(&self, templates: &[String]) -> Keep {
        let templates = templates.iter().map(|name| name.as_str().into()).collect();
        Keep { over: self.keep, failed: self.keep_failed, templates, ..Keep::default() }
    }
}

#[derive(Args, Debug)]
pub(crate) struct VacuumArgs {
    #[command(flatten)]
    keep: KeepArgs,
    /// Only those of this template; repeatable
    #[arg(long = "template", value_name = "NAME")]
    templates: Vec<String>,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(place: &Place, args: VacuumArgs) -> Result<Exit, Trouble> {
    let keep = args.keep.of(&args.templates);
    let answer = match daemon::find(place)? {
        Some(daemon) => {
            let span = |span: Option<Duration>| span.map(|it| format!("{}ms", it.as_millis()));
            let wish = json!({"keep": span(keep.over), "keep_failed": span(keep.failed),
                "templates": keep.templates});
            daemon.ask(Method::POST, "/api/v1/vacuum", Some(&wish)).await?
        }
        None => by_ourselves(place, &keep).await?,
    };
    let figure = |name: &str| answer[name].as_u64().unwrap_or_default();
    let deleted = usize::try_from(figure("deleted")).unwrap_or(usize::MAX);
    match args.json {
        true => say::json(&answer),
        false => say::data(&format!(
            "deleted {}; the store has {} KiB",
            count(deleted, "workflow"),
            figure("bytes") >> 10
        )),
    }
    Ok(Exit::Completed)
}

async fn by_ourselves(place: &Place, keep: &Keep) -> Result<Json, Trouble> {
    // Where there is no store, none is made.
    drop(SqliteStore::open_read_only(wire::db_path(place)?)?);
    let store = Arc::new(wire::store(place, None)?);
    let done = Keeping::new(store.clone()).by(wire::actor()).vacuum(keep).await;
    store.close().await.map_err(|fault| Trouble::store(&fault))?;
    let done = done?;
    Ok(json!({"deleted": done.runs, "bytes": done.bytes}))
}
