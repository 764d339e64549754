//! `opcode dev`: a server in a folder of its own, with workflows that complete, fail, retry and wait for somebody.
//!
//! Keeps: everything is in that folder; called again, it goes on with what is there.
//! Not here: serving (`serve.rs`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use opcode_model::{RunId, Value};
use opcode_runtime::{DefineRequest, Engine, RunAnswer, RunRequest, Source, Wait};

use crate::cli::{self, Place};
use crate::cmd::serve::{self, ServeArgs};
use crate::exit::Exit;
use crate::say;
use crate::trouble::Trouble;

/// Whose the demos are.
const AGENT: &str = "demo";
/// A template each, and what its workflow shows.
const DEMOS: [(&str, &str, &str); 4] = [
    ("demo-complete", include_str!("demos/complete.json"), "completes"),
    ("demo-fail", include_str!("demos/fail.json"), "fails, and says why"),
    (
        "demo-retry",
        include_str!("demos/retry.json"),
        "tries again for some seconds, then completes",
    ),
    ("demo-decision", include_str!("demos/decision.json"), "waits for your answer"),
];

#[derive(Args, Debug)]
pub(crate) struct DevArgs {
    /// Where everything is kept
    #[arg(default_value = "opcode-dev")]
    folder: PathBuf,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

pub(crate) async fn run(place: &Place, args: DevArgs) -> Result<Exit, Trouble> {
    let folder = std::path::absolute(&args.folder)
        .map_err(|cause| Trouble::fault(format!("could not tell where we are: {cause}")))?;
    let place = Place { db_path: Some(folder.join("opcode.db")), ..place.clone() };
    serve::with(&place, args.serve, async |engine| begin(engine, &folder).await).await
}

/// Defines the demos and starts one workflow of each.
async fn begin(engine: &Engine, folder: &Path) -> Result<(), Trouble> {
    say::talk(&format!("everything of this server is in {}", folder.display()));
    let store =
        format!("opcode --db-path {}", cli::quoted(&folder.join("opcode.db").to_string_lossy()));
    for (name, text, shows) in DEMOS {
        let definition = Value::from_json(text)
            .map_err(|cause| Trouble::fault(format!("the demo {name} is not JSON: {cause}")))?;
        let description = definition.find("description").and_then(Value::as_str).map(Into::into);
        let request = DefineRequest {
            name: name.into(),
            description,
            definition,
            agent_id: Some(AGENT.into()),
            dry_run: false,
        };
        engine.define(request).await?;
        let run = start(engine, name, folder).await?;
        say::talk(&format!("{name} {shows}: {store} status {run}"));
    }
    Ok(())
}

async fn start(engine: &Engine, name: &str, folder: &Path) -> Result<RunId, Trouble> {
    let file = folder.join("demo.txt");
    let params = match name {
        "demo-retry" => Value::object([("file", Value::from(&*file.to_string_lossy()))]),
        _ => Value::Null,
    };
    let request = RunRequest {
        source: Source::Template { name: name.into(), version: None },
        name: None,
        params,
        agent_id: Some(AGENT.into()),
        idempotency_key: Some(Arc::from(name)),
        wait: Wait::Started,
        trace: None,
    };
    match engine.run(request).await? {
        RunAnswer::Started(run) => Ok(run),
        RunAnswer::Settled(result) | RunAnswer::Ongoing(result) => Ok(result.workflow_id),
    }
}
