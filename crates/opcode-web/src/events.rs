//! A workflow's events as they are committed, as a stream that can be taken up again.
//!
//! Keeps: the id of each event is its sequence; whoever comes back with the last one misses none, and one that reads too
//! slowly is served from the log, not from memory.
//! Not here: events of all workflows at once.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use opcode_model::{EventKind, RunId, Seq};
use opcode_runtime::{Caller, Engine, Note, Role, shapes};
use opcode_store::EventFilter;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::Web;
use crate::api::workflow_id;
use crate::refusal::Refusal;

/// Events read from the log at once; what a reader who does not read holds in memory.
const PAGE: usize = 20;
/// A sign of life on a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where a reader is.
struct Reading {
    engine: Engine,
    run: RunId,
    notes: Receiver<Note>,
    last: Seq,
    is_over: bool,
}

pub(crate) async fn stream(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.may(Role::Viewer)?;
    let run = workflow_id(&id)?;
    let notes = web.engine.hub().listen();
    let view = web.engine.reader().status(run).await?;
    let end = view.result.status.is_terminal().then_some(view.run.state.seq);
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last = Seq(seen.and_then(|seen| seen.parse().ok()).unwrap_or(0));
    let is_over = end.is_some_and(|end| last >= end);
    let reading = Reading { engine: web.engine, run, notes, last, is_over };
    let events =
        pages(reading).flat_map(|page| stream::iter(page.into_iter().map(Ok::<_, Infallible>)));
    let mut response =
        Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    Ok(response)
}

/// One page after the other, until the workflow is over.
fn pages(reading: Reading) -> impl Stream<Item = Vec<Event>> {
    stream::unfold(reading, |mut reading| async move {
        loop {
            if reading.is_over {
                return None;
            }
            let page = reading.page().await?;
            if !page.is_empty() {
                return Some((page, reading));
            }
            reading.wait().await?;
        }
    })
}

impl Reading {
    /// What has come since; `None` if the store cannot be read any more.
    async fn page(&mut self) -> Option<Vec<Event>> {
        let filter = EventFilter {
            run: Some(self.run),
            after: self.last,
            limit: PAGE,
            ..EventFilter::default()
        };
        let records = self.engine.reader().events(filter).await.ok()?;
        if let Some(last) = records.last() {
            self.last = last.seq;
            self.is_over = is_end(&last.event.kind);
        }
        let one = |record| {
            let shape = shapes::event(record);
            let name = shape["event_type"].as_str().unwrap_or_default().to_owned();
            Event::default().id(record.seq.0.to_string()).event(name).data(shape.to_string())
        };
        Some(records.iter().map(one).collect())
    }

    /// Until something of this workflow is committed.
    async fn wait(&mut self) -> Option<()> {
        loop {
            match self.notes.recv().await {
                Ok(note) if note.run == self.run => return Some(()),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some(()),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Whether nothing can follow it.
fn is_end(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::WorkflowCompleted(_)
            | EventKind::WorkflowFailed(_)
            | EventKind::WorkflowCancelled(_)
    )
}
