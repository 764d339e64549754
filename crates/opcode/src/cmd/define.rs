//! `opcode define`: checks a definition and stores it as the next version of a template.
//!
//! Keeps: nothing is stored unless all of it is fit; nothing runs meanwhile.
//! Not here: the checks (`opcode-engine`'s `plan`).

use std::sync::Arc;

use clap::Args;
use opcode_runtime::{DefineRequest, Defined};
use opcode_store::Runs;
use serde_json::json;

use crate::cli::Place;
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{beside, cli, daemon, say, show, source, wire};

#[derive(Args, Debug)]
pub(crate) struct DefineArgs {
    /// A definition in JSON; `-` is stdin
    #[arg(value_name = "FILE")]
    file: String,
    /// Its name [default: the definition's, or the file's]
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who defines it
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Only check it; store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(place: &Place, args: DefineArgs) -> Result<Exit, Trouble> {
    let read = source::definition(&args.file)?;
    let text = |text: &Option<String>| text.as_deref().map(Into::into);
    let name = text(&args.name).or_else(|| read.title(&args.file));
    let request = DefineRequest {
        name: name.ok_or_else(|| {
            Trouble::usage("what comes from stdin has no name").hint("name it: --name NAME")
        })?,
        description: text(&args.description).or_else(|| read.document.description.clone()),
        definition: read.document.definition,
        agent_id: text(&args.agent),
        dry_run: args.dry_run,
    };
    let checked = wire::reader_or_empty(place).await?.check_define(&request).await;
    let mut defined = checked.map_err(|error| Trouble::from(error).written(&read.written))?;
    if let (false, Some(server)) = (args.dry_run, daemon::find(place)?) {
        let stored = beside::define(&server, &request).await?;
        defined.version = stored["version"].as_str().unwrap_or_default().into();
    } else if !args.dry_run {
        let store = Arc::new(wire::store(place, None)?);
        let tools = Arc::new(wire::plugins(place, store.clone()).await?);
        defined = opcode_runtime::define(store.clone(), tools, request, &wire::actor()).await?;
        store.close().await.map_err(|fault| Trouble::store(&fault))?;
    }
    read.written.place(&mut defined.warnings);
    show::problems::tell(&defined.warnings, Some(&read.written));
    tell(&defined, &args);
    Ok(Exit::Completed)
}

fn tell(defined: &Defined, args: &DefineArgs) {
    let Defined { name, version, warnings } = defined;
    if args.json {
        say::json(&json!({
            "name": name,
            "version": version,
            "dry_run": args.dry_run,
            "warnings": warnings,
        }));
    } else if args.dry_run {
        say::data(&format!("{name} is fit; it would be {version}"));
    } else {
        say::data(&format!("{name} {version}"));
        say::hint(&format!("run it with `{} run {}`", cli::same_store(), cli::quoted(name)));
    }
}
