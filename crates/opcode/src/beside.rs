//! Commands beside a server: it is asked to do what is wished, and what comes of it is read from the store.
//!
//! Keeps: told to stop, only this command ends; the workflow goes on where it runs.
//! Not here: commands that hold the store themselves (`session.rs`, `follow.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use opcode_model::{EventKind, RunId, Seq, Signal};
use opcode_runtime::{DefineRequest, Reader, RunRequest, Source, StatusView};
use opcode_store::EventFilter;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::cli::Place;
use crate::cmd;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::follow::Followed;
use crate::live::{Answer, Screen};
use crate::session::Interrupts;
use crate::trouble::Trouble;
use crate::{say, wire};

/// Looks are at least so far apart.
const PAUSE: Duration = Duration::from_millis(40);
/// Events read at once.
const PAGE: usize = 1_000;

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

/// Events told so far, of a workflow and all below it.
struct Tail {
    root: RunId,
    seen: BTreeMap<RunId, Seq>,
}

impl Tail {
    /// Tells what was committed since.
    async fn tell(&mut self, reader: &Reader, screen: &mut Screen) -> Result<(), Trouble> {
        let mut family: Vec<RunId> = self.seen.keys().copied().collect();
        while let Some(run) = family.pop() {
            let after = self.seen.get(&run).copied().unwrap_or_default();
            let filter =
                EventFilter { run: Some(run), after, limit: PAGE, ..EventFilter::default() };
            let news = reader.events(filter).await?;
            if news.len() == PAGE {
                family.push(run);
            }
            for record in news {
                self.seen.insert(run, record.seq);
                if let EventKind::ChildStarted(_, child) = &record.event.kind {
                    self.seen.entry(child.workflow_id).or_default();
                    family.push(child.workflow_id);
                }
                screen.event(self.root, run, record.seq, &record.event);
            }
        }
        Ok(())
    }
}

/// Follows a workflow until it and all below it rest, and says where one of them is then.
pub(crate) async fn follow(
    place: &Place,
    daemon: &Daemon,
    root: RunId,
    limit: Option<Duration>,
    screen: &mut Screen,
) -> Result<Followed, Trouble> {
    let reader = wire::reader(place).await?;
    let mut interrupts = Interrupts::listen()?;
    let mut tail = Tail { root, seen: BTreeMap::from([(root, Seq::default())]) };
    let begun = Instant::now();
    loop {
        let looked = Instant::now();
        if screen.tells() {
            tail.tell(&reader, screen).await?;
        }
        if screen.is_live() {
            screen.draw(&reader.status(root).await?);
        }
        let rests = reader.rests(Some(root)).await? && !screen.asks(&reader.status(root).await?);
        if rests || limit.is_some_and(|limit| begun.elapsed() >= limit) {
            if screen.tells() {
                tail.tell(&reader, screen).await?;
            }
            return Ok(Followed::Seen);
        }
        let pause = PAUSE.max(screen.pause()).max(looked.elapsed() * 20);
        let left = limit.map_or(pause, |limit| limit.saturating_sub(begun.elapsed()).min(pause));
        tokio::select! {
            exit = interrupts.next() => return Ok(Followed::Stopped(exit)),
            answer = screen.answer() => match answer {
                Answer::Signal(to, said) => {
                    if let Err(trouble) = signal(daemon, to, &said).await {
                        screen.refused(&trouble.to_string());
                    }
                }
                Answer::Nothing => {}
                Answer::Leave => return Ok(Followed::Seen),
            },
            () = tokio::time::sleep(left) => {}
        }
    }
}

/// Says where one of the workflows that were followed is now.
pub(crate) async fn conclude(
    place: &Place,
    run: RunId,
    followed: Followed,
    as_json: bool,
) -> Result<Exit, Trouble> {
    let view: StatusView = wire::reader(place).await?.status(run).await?;
    cmd::run::tell_result(&view, as_json);
    match followed {
        Followed::Seen => Ok(Exit::of(&view.result)),
        Followed::Stopped(exit) => {
            say::talk("the workflow goes on where it runs");
            Ok(exit)
        }
    }
}
