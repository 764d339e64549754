//! `opcode status`: where a workflow is, what its steps came to, what it waits for.
//!
//! Keeps: only reads; works beside whoever holds the store.
//! Not here: what happened in which order (`events.rs`).

use clap::Args;
use opcode_model::RunId;

use crate::cli::Place;
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{cmd, say, show, wire};
use opcode_runtime::shapes;

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// The workflow
    #[arg(value_name = "ID", value_parser = cmd::workflow_id)]
    workflow: RunId,
    /// Print it as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(place: &Place, args: StatusArgs) -> Result<Exit, Trouble> {
    let view = wire::reader(place).await?.status(args.workflow).await?;
    if args.json {
        say::json(&shapes::status(&view));
    } else {
        say::data(&show::run::report(&view, say::out()));
    }
    Ok(Exit::Completed)
}
