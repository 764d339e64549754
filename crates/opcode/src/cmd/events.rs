//! `opcode events`: what happened in a workflow, one line an event; `--follow` goes on until it is over.
//!
//! Keeps: asks the store, so it works beside whoever holds it; no event is told twice or left out.
//! Not here: events of many workflows (`query.rs`).

use std::time::Duration;

use clap::Args;
use opcode_model::{EventKind, RunId, Seq, Timestamp};
use opcode_runtime::Reader;
use opcode_store::{EventFilter, EventRecord};

use crate::cli::Place;
use crate::exit::Exit;
use crate::session::Interrupts;
use crate::trouble::Trouble;
use crate::{cmd, say, show, wire};
use opcode_runtime::shapes;

/// Events read at once.
const PAGE: usize = 1_000;
/// How long nothing may happen before it is asked again.
const PAUSE: Duration = Duration::from_millis(150);

#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// The workflow
    #[arg(value_name = "ID", value_parser = cmd::workflow_id)]
    workflow: RunId,
    /// Go on until the workflow is over
    #[arg(long, short)]
    follow: bool,
    /// Only after this sequence
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    /// Print each event as one JSON object on a line
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(place: &Place, args: EventsArgs) -> Result<Exit, Trouble> {
    let reader = wire::reader(place).await?;
    let mut interrupts = Interrupts::listen()?;
    let now = reader.status(args.workflow).await?.result;
    let mut told = Told { began: now.started_at, is_over: now.status.is_terminal(), args };
    loop {
        told.tell_new(&reader).await?;
        if !told.args.follow || told.is_over || say::is_closed() {
            return Ok(Exit::Completed);
        }
        tokio::select! {
            exit = interrupts.next() => return Ok(exit),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// What was told up to now.
struct Told {
    began: Timestamp,
    is_over: bool,
    args: EventsArgs,
}

/// Whether nothing follows it.
fn is_last(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::WorkflowCompleted(_)
            | EventKind::WorkflowFailed(_)
            | EventKind::WorkflowCancelled(_)
    )
}

impl Told {
    async fn tell_new(&mut self, reader: &Reader) -> Result<(), Trouble> {
        loop {
            let filter = EventFilter {
                run: Some(self.args.workflow),
                after: Seq(self.args.after),
                limit: PAGE,
                ..EventFilter::default()
            };
            let events = reader.events(filter).await?;
            for event in &events {
                self.tell(event);
                self.is_over |= is_last(&event.event.kind);
                self.args.after = event.seq.0;
            }
            if events.len() < PAGE || say::is_closed() {
                return Ok(());
            }
        }
    }

    fn tell(&self, record: &EventRecord) {
        if self.args.json {
            say::json(&shapes::event(record));
        } else {
            say::data(&show::event::line(record.seq, &record.event, self.began, say::out()));
        }
    }
}
