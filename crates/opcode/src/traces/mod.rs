//! OpenTelemetry: a trace of each workflow, told to a collector when `OTEL_EXPORTER_OTLP_ENDPOINT` names one.
//!
//! Keeps: made of committed events alone, with ids made of names, so that a restart goes on with the same trace; the
//! engine never waits for a collector, and what it does not take in time is dropped and counted.
//! Not here: what a span is (`spans.rs`), how it travels (`otlp.rs`).
//!
//! Source of the variables: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

mod config;
mod otlp;
mod spans;

use std::collections::BTreeMap;
use std::time::Duration;

use opcode_model::trace::{TraceParent, step_span};
use opcode_model::{RunId, Seq, idempotency_key};
use opcode_runtime::{Engine, Note, Reader};
use opcode_store::EventFilter;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::config::Config;
use self::otlp::{Collector, QUEUE_MAX};
use self::spans::{Family, OpenRun, Span};
use crate::trouble::Trouble;

/// Workflows whose open steps are remembered; one that was forgotten is read again when it moves.
const OPEN_MAX: usize = 10_000;
/// Events read at once of a workflow that is not remembered.
const PAGE: usize = 1_000;
/// How far up the parents of a workflow are looked for; more there cannot be.
const ANCESTORS_MAX: usize = opcode_model::limits::CHILD_DEPTH_MAX as usize + 1;
/// How long the last spans may take once we end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The trace this process was started in, as its environment says.
pub(crate) fn given() -> Option<TraceParent> {
    TraceParent::parse(&std::env::var("TRACEPARENT").ok()?)
}

/// Traces being told.
pub(crate) struct Traces {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Traces {
    /// Tells of what is committed from now on, if the environment names a collector.
    ///
    /// # Errors
    /// If what it names cannot be used.
    pub(crate) fn begin(engine: &Engine) -> Result<Option<Self>, Trouble> {
        let Some(config) = Config::read(|name| std::env::var(name).ok())? else { return Ok(None) };
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let collector = Collector::new(config)?;
        let sending = tokio::spawn(collector.send_all(waiting));
        let (end, ended) = oneshot::channel();
        let watch = Watch {
            reader: engine.reader().clone(),
            notes: engine.hub().listen(),
            open: BTreeMap::new(),
            queue,
            dropped: 0,
        };
        let task = tokio::spawn(async move {
            watch.follow(ended).await;
            // The queue is closed now; its last spans are on their way.
            drop(tokio::time::timeout(LAST_WORDS, sending).await);
        });
        Ok(Some(Self { end, task }))
    }

    /// Tells the last spans, and ends.
    pub(crate) async fn finish(self) {
        // A task that ended by itself has told all it could.
        self.end.send(()).unwrap_or_default();
        drop(self.task.await);
    }
}

/// Follows what is committed.
struct Watch {
    reader: Reader,
    notes: Receiver<Note>,
    open: BTreeMap<RunId, OpenRun>,
    queue: mpsc::Sender<Span>,
    dropped: u64,
}

impl Watch {
    async fn follow(mut self, mut ended: oneshot::Receiver<()>) {
        loop {
            let heard = tokio::select! {
                biased;
                heard = self.notes.recv() => heard,
                _ = &mut ended => return,
            };
            match heard {
                Ok(note) => self.take(&note).await,
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(
                        missed,
                        "spans are missing: more was committed than could be told"
                    );
                    self.open.clear();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn take(&mut self, note: &Note) {
        let Some(mut run) = self.at(note.run, note.after).await else { return };
        let commit = note.commit();
        run.learn(&commit.effects);
        for event in commit.events.iter() {
            if let Some(span) = run.take(event) {
                self.tell(span);
            }
        }
        run.upto = commit.last();
        if !run.is_over() {
            if self.open.len() >= OPEN_MAX {
                self.open.pop_first();
            }
            self.open.insert(note.run, run);
        }
    }

    /// A run as it was after this event: remembered, new, or read again.
    async fn at(&mut self, id: RunId, upto: Seq) -> Option<OpenRun> {
        match self.open.remove(&id) {
            Some(run) if run.upto == upto => Some(run),
            Some(_) | None => self.read(id, upto).await,
        }
    }

    async fn read(&self, id: RunId, upto: Seq) -> Option<OpenRun> {
        let mut run = OpenRun::new(id, self.family(id).await);
        while run.upto < upto {
            let filter = EventFilter {
                run: Some(id),
                after: run.upto,
                limit: PAGE,
                ..EventFilter::default()
            };
            let events = match self.reader.events(filter).await {
                Ok(events) if !events.is_empty() => events,
                Ok(_) => return None,
                Err(failure) => {
                    tracing::warn!(%failure, "spans are missing: a workflow could not be read");
                    return None;
                }
            };
            for record in events.into_iter().take_while(|record| record.seq <= upto) {
                // What ended before has been told, or is lost with the process that saw it.
                drop(run.take(&record.event));
                run.upto = record.seq;
            }
        }
        Some(run)
    }

    /// Where a run that another one started belongs to.
    async fn family(&self, id: RunId) -> Family {
        let mut family = Family::of(id);
        let mut at = id;
        for _ in 0..ANCESTORS_MAX {
            let Some(parent) = self.parent(at).await else { break };
            if at == id {
                let (run, path) = (parent.run, &parent.step.path);
                let known = self.open.get(&run).and_then(|open| open.span_of(path));
                // A parent that is not remembered has most likely wished for it once.
                family.parent = Some(known.unwrap_or_else(|| first_span(run, path)));
            }
            at = parent.run;
            family.trace = at.0;
        }
        family
    }

    async fn parent(&self, id: RunId) -> Option<opcode_model::event::Parent> {
        if let Some(open) = self.open.get(&id) {
            return open.parent.clone();
        }
        let filter = EventFilter { run: Some(id), limit: 1, ..EventFilter::default() };
        let first = self.reader.events(filter).await.ok()?.into_iter().next()?;
        spans::parent_of(&first.event)
    }

    fn tell(&mut self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.dropped += 1;
            if self.dropped.is_power_of_two() {
                let dropped = self.dropped;
                tracing::warn!(dropped, "spans are missing: the collector takes too long");
            }
        }
    }
}

/// The span of a step that nobody asked for anew.
fn first_span(run: RunId, path: &str) -> [u8; 8] {
    step_span(&idempotency_key(run, path, 0))
}
