//! Commands beside a server: it is asked to do what is wished, and what comes of it is read from the store.
//!
//! Keeps: told to stop, only this command ends; the workflow goes on where it runs.
//! Not here: commands that hold the store themselves (`session.rs`, `follow.rs`).

use std::time::Duration;

use hyper::Method;
use opcode_model::{RunId, Signal};
use opcode_runtime::{DefineRequest, RunRequest, Source, StatusView};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::cli::Place;
use crate::cmd;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::session::Interrupts;
use crate::trouble::Trouble;
use crate::{say, wire};

/// Looks are at least so far apart.
const PAUSE: Duration = Duration::from_millis(40);

/// Asks for a run; it is on disk when this returns.
pub(crate) async fn begin(daemon: &Daemon, request: &RunRequest) -> Result<RunId, Trouble> {
    let mut wish = json!({
        "params": request.params,
        "name": request.name,
        "agent_id": request.agent_id,
        "idempotency_key": request.idempotency_key,
        "traceparent": request.trace.map(|trace| trace.to_string()),
    });
    match &request.source {
        Source::Definition(definition) => wish["definition"] = definition.to_serde(),
        Source::Template { name, version } => {
            wish["template_name"] = name.as_ref().into();
            wish["version"] = json!(version);
        }
    }
    let begun = daemon.ask(Method::POST, "/api/v1/workflows", Some(&wish)).await?;
    let run = begun["workflow_id"].as_str().and_then(RunId::parse);
    run.ok_or_else(|| Trouble::fault("the server did not say which workflow it began"))
}

/// Asks for a template; answers its version.
pub(crate) async fn define(daemon: &Daemon, request: &DefineRequest) -> Result<Json, Trouble> {
    let wish = json!({
        "name": request.name,
        "definition": request.definition,
        "description": request.description,
        "agent_id": request.agent_id,
    });
    daemon.ask(Method::POST, "/api/v1/templates", Some(&wish)).await
}

/// Hands a signal over; it is on disk when this returns.
pub(crate) async fn signal(daemon: &Daemon, run: RunId, signal: &Signal) -> Result<(), Trouble> {
    let wish = json!({
        "signal_type": signal.kind,
        "step_id": signal.step_id,
        "signal_name": signal.name,
        "agent_id": signal.agent_id,
        "payload": signal.payload,
        "reasoning": signal.reasoning,
        "idempotency_key": signal.id,
    });
    let path = format!("/api/v1/workflows/{run}/signals");
    daemon.ask(Method::POST, &path, Some(&wish)).await.map(drop)
}

/// Says that the steps are not shown as they happen; the server's events are.
pub(crate) fn cannot_watch() {
    let follow = format!("{} events ID --follow", crate::cli::same_store());
    say::talk(&format!("a server holds the store: `{follow}` shows each step as it happens"));
}

/// Follows a workflow until it and all below it rest, and says where one of them is then.
pub(crate) async fn follow(
    place: &Place,
    (root, run): (RunId, RunId),
    limit: Option<Duration>,
    as_json: bool,
) -> Result<Exit, Trouble> {
    let reader = wire::reader(place)?;
    let mut interrupts = Interrupts::listen()?;
    let begun = Instant::now();
    let stopped = loop {
        let looked = Instant::now();
        if reader.rests(Some(root)).await? || limit.is_some_and(|limit| begun.elapsed() >= limit) {
            break None;
        }
        let pause = PAUSE.max(looked.elapsed() * 20);
        let left = limit.map_or(pause, |limit| limit.saturating_sub(begun.elapsed()).min(pause));
        tokio::select! {
            exit = interrupts.next() => break Some(exit),
            () = tokio::time::sleep(left) => {}
        }
    };
    let view: StatusView = reader.status(run).await?;
    cmd::run::tell_result(&view, as_json);
    if stopped.is_some() {
        say::talk("the workflow goes on where it runs");
    }
    Ok(stopped.unwrap_or_else(|| Exit::of(&view.result)))
}
