//! A document taken in: read whole and checked whole, then written whole, or not at all.
//!
//! Keeps: ids stay; a run that is here already is never written to; what is unfinished does not go on in two places.
//! Not here: how a line is checked (`document.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opcode_engine::{Plan, Run, StepState, apply};
use opcode_model::event::{Failed, Reason, SkipReason, StepSkipped};
use opcode_model::limits::EXPORT_BYTES_MAX;
use opcode_model::{
    Commit, DefinitionHash, ErrorCode, Event, EventKind, Failure, RunId, Seq, StepIx, Timestamp,
    Value,
};
use opcode_store::{CommitError, EventFilter};
use serde::Serialize;
use serde_json::Value as Json;

use super::document::{Begin, Chain, End, FORMAT, Head, Line, VERSION};
use crate::audit::{Actor, Deed};
use crate::clock::now;
use crate::plans::failure;
use crate::reader::Reader;
use crate::templates::Template;
use crate::told::commits;
use crate::tools::last_words;

/// Events compared at once.
const PAGE: usize = 1_000;

/// A document on its way in.
#[derive(Default)]
pub struct Import {
    chain: Chain,
    /// Lines read.
    lines: u64,
    bytes: usize,
    /// The line that is not yet whole.
    partial: Vec<u8>,
    head: Option<Head>,
    definitions: BTreeMap<DefinitionHash, Value>,
    templates: Vec<Template>,
    runs: Vec<(Begin, Vec<Event>)>,
    end: Option<End>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// The run that the document is of.
    pub workflow_id: RunId,
    /// Runs that were written.
    pub workflows: u64,
    /// Their events.
    pub events: u64,
    /// Runs that were here already.
    pub known: u64,
    /// Runs among those written that were not finished.
    pub interrupted: u64,
    /// What is not as it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

fn refused(message: impl Into<Arc<str>>) -> Failure {
    Failure::new(ErrorCode::Validation, message)
}

impl Import {
    /// Takes in some bytes of it.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, with the line, where it is not as it was written.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > EXPORT_BYTES_MAX {
            return Err(Failure::limit("bytes of an export", EXPORT_BYTES_MAX as i64));
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(rest) => {
                    self.partial.extend_from_slice(rest);
                    self.line()?;
                }
                None => self.partial.extend_from_slice(piece),
            }
        }
        Ok(())
    }

    /// A line is whole.
    fn line(&mut self) -> Result<(), Failure> {
        let line = std::mem::take(&mut self.partial);
        self.lines += 1;
        let text = std::str::from_utf8(&line).map_err(|_| "it is not text".to_owned());
        let read = text.and_then(|text| {
            if self.lines == 1 {
                look_at_head(text)?;
            }
            let line = self.chain.open(text)?;
            self.take(line)
        });
        let place = self.lines;
        read.map_err(|why| refused(format!("line {place} of the export cannot be taken: {why}")))
    }

    fn take(&mut self, line: Line) -> Result<(), String> {
        if self.end.is_some() {
            return Err("it stands after the end".to_owned());
        }
        if let Some(definition) = line.definition {
            let text = definition.body.get();
            let value = Value::from_json(text).map_err(|cause| cause.to_string())?;
            if DefinitionHash::of(text) != definition.hash || value.to_json() != text {
                return Err("the definition does not match its hash".to_owned());
            }
            self.definitions.insert(definition.hash, value);
        } else if let Some(events) = line.events {
            let (_, all) = self.runs.last_mut().ok_or("its events belong to no workflow")?;
            all.extend(events);
        } else if let Some(begin) = line.workflow {
            self.runs.push((begin, Vec::new()));
        } else if let Some(template) = line.template {
            self.templates.push(template);
        } else if let Some(end) = line.end {
            self.end = Some(end);
        } else {
            self.head = Some(line.export.ok_or("it has nothing that is known here")?);
        }
        Ok(())
    }

    /// Writes it into a store, all or nothing.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` if it is not whole, or something in it is unfinished and shall not end here as
    /// `INTERRUPTED`; `CONFLICT` if a run is here with another history. Nothing is written then.
    pub async fn save(
        mut self,
        reader: &Reader,
        actor: &Actor,
        as_interrupted: bool,
    ) -> Result<Imported, Failure> {
        if !self.partial.is_empty() {
            self.line()?;
        }
        let root = self.check_whole()?;
        let mut saving = Saving {
            reader,
            now: now(),
            commits: Vec::new(),
            done: Imported {
                workflow_id: root,
                workflows: 0,
                events: 0,
                known: 0,
                interrupted: 0,
                notes: Vec::new(),
            },
        };
        let told = self.tell(reader)?;
        check_finished(&told, as_interrupted)?;
        for told in told {
            saving.one(told).await?;
        }
        if saving.commits.is_empty() {
            return Ok(saving.done);
        }
        saving.templates(&self.templates).await?;
        saving.write(actor).await
    }

    /// Whether all of it is there; the run it is of.
    fn check_whole(&self) -> Result<RunId, Failure> {
        let (Some(head), Some(end)) = (&self.head, self.end) else {
            let message = format!("the export ends after line {}, before its end", self.lines);
            return Err(refused(message));
        };
        let events = self.runs.iter().map(|(_, events)| events.len() as u64).sum();
        if end != (End { workflows: self.runs.len() as u64, events }) {
            return Err(refused("the export does not hold as much as it says"));
        }
        let ids: BTreeSet<RunId> = self.runs.iter().map(|(begin, _)| begin.id).collect();
        if ids.len() != self.runs.len() || !ids.contains(&head.workflow) {
            return Err(refused("the export does not hold the workflows it says"));
        }
        Ok(head.workflow)
    }

    /// Its runs, folded from their events.
    fn tell(&mut self, reader: &Reader) -> Result<Vec<Told>, Failure> {
        let mut plans: BTreeMap<DefinitionHash, Arc<Plan>> = BTreeMap::new();
        for (hash, definition) in &self.definitions {
            plans.insert(*hash, reader.plans.make_readable(definition)?);
        }
        let mut told = Vec::with_capacity(self.runs.len());
        for (begin, events) in std::mem::take(&mut self.runs) {
            let unfit = |why: &str| refused(format!("the events of {} {why}", begin.id));
            let plan = plans.get(&begin.definition).cloned();
            let plan = plan.ok_or_else(|| unfit("have no definition in the export"))?;
            let is_started = matches!(events.first().map(|event| &event.kind),
                Some(EventKind::WorkflowStarted(started)) if started.definition == begin.definition);
            if !is_started || events.len() as u64 != begin.events || plan.hash != begin.definition {
                return Err(unfit("are not those of a workflow from its start"));
            }
            // Nothing but the events themselves says that they fit the definition.
            let folded = catch_unwind(AssertUnwindSafe(|| {
                let mut run = Run::new(begin.id, &plan);
                events.iter().for_each(|event| apply(&mut run, event));
                run
            }));
            let run = folded.map_err(|cause| {
                let words = last_words(cause.as_ref());
                unfit(&format!("do not fit its definition: {words}"))
            })?;
            told.push(Told { run, plan, events });
        }
        Ok(told)
    }
}

/// Whether it can be read at all, before its hash is looked at.
fn look_at_head(text: &str) -> Result<(), String> {
    let line: Json = serde_json::from_str(text).unwrap_or_default();
    let head = &line["export"];
    if head["format"] != FORMAT {
        return Err("this is no export of a workflow; `opcode export` makes one".to_owned());
    }
    match head["version"].as_u64() {
        Some(version) if version > u64::from(VERSION) => Err(format!(
            "it is of version {version}, and this program reads up to {VERSION}: update it with `opcode update`"
        )),
        Some(_) | None => Ok(()),
    }
}

fn check_finished(told: &[Told], as_interrupted: bool) -> Result<(), Failure> {
    let open = told.iter().find(|told| !told.run.is_terminal()).filter(|_| !as_interrupted);
    open.map_or(Ok(()), |told| {
        let (id, status) = (told.run.id, told.run.status().text());
        Err(refused(format!(
            "workflow {id} is {status}: it would go on here as well as where it comes from; end it there and \
             export it again, or take it in as it is, `failed` with `INTERRUPTED`: --as-interrupted"
        )))
    })
}

/// A run of a document.
struct Told {
    run: Run,
    plan: Arc<Plan>,
    events: Vec<Event>,
}

impl Told {
    /// Ends what is unfinished.
    fn interrupt(&mut self, at: Timestamp) {
        let reason = format!("it was `{}` when it was exported", self.run.status().text());
        let reason: Arc<str> = reason.into();
        let begun = |ix: &StepIx| self.run.find(*ix).is_some_and(|step| step.attempt > 0);
        let steps = self.run.state.steps.iter().filter(|step| !step.is_settled());
        // What stands inside of others came after them, and ends before them.
        let open: Vec<StepIx> = steps.map(|step| step.ix).filter(begun).rev().collect();
        for ix in open {
            let name = self.run.name(ix);
            if matches!(self.run.step(ix).state, StepState::Asking { .. }) {
                let cancelled = Reason { reason: reason.clone() };
                self.push(at, EventKind::DecisionCancelled(name.clone(), cancelled));
            }
            let skipped = StepSkipped { reason: SkipReason::Stopped, detail: Some(reason.clone()) };
            self.push(at, EventKind::StepSkipped(name, skipped));
        }
        self.push(at, EventKind::WorkflowInterrupted(Reason { reason: reason.clone() }));
        let error = Failure::new(ErrorCode::Interrupted, reason);
        self.push(at, EventKind::WorkflowFailed(Failed { error }));
    }

    fn push(&mut self, at: Timestamp, kind: EventKind) {
        let event = Event { at, kind };
        apply(&mut self.run, &event);
        self.events.push(event);
    }
}

/// A document on its way into a store.
struct Saving<'a> {
    reader: &'a Reader,
    now: Timestamp,
    commits: Vec<Commit>,
    done: Imported,
}

impl Saving<'_> {
    async fn one(&mut self, mut told: Told) -> Result<(), Failure> {
        if self.is_known(&told).await? {
            self.done.known += 1;
            return Ok(());
        }
        if !told.run.is_terminal() {
            told.interrupt(self.now);
            self.done.interrupted += 1;
        }
        self.done.workflows += 1;
        self.done.events += told.events.len() as u64;
        self.commits.extend(commits(&told.run, &told.plan, told.events, self.now));
        Ok(())
    }

    /// Whether the run is here, with this history and perhaps more.
    async fn is_known(&self, told: &Told) -> Result<bool, Failure> {
        let id = told.run.id;
        if !self.reader.is_known(id).await? {
            return Ok(false);
        }
        let mut seq = Seq(0);
        for events in told.events.chunks(PAGE) {
            let filter =
                EventFilter { run: Some(id), after: seq, limit: PAGE, ..EventFilter::default() };
            let here = self.reader.events(filter).await?;
            let mut pairs = here.iter().map(|record| &record.event).zip(events);
            let same = pairs.by_ref().take_while(|(here, told)| here == told).count();
            if same < events.len() {
                let at = seq.0 + same as u64 + 1;
                let message =
                    format!("workflow {id} is here with another history, from event {at} on");
                return Err(Failure::new(ErrorCode::Conflict, message));
            }
            seq = Seq(seq.0 + same as u64);
        }
        Ok(true)
    }

    /// Templates that are not here come along; one that is here with another definition stays as it is.
    async fn templates(&mut self, templates: &[Template]) -> Result<(), Failure> {
        for template in templates {
            let found = self.reader.templates.find(&template.name, Some(&template.version)).await;
            match found {
                Ok(here) if here.hash() == template.hash() => {}
                Ok(_) => self.done.notes.push(format!(
                    "template `{}` has another `{}` here; what was imported keeps its own definition",
                    template.name, template.version
                )),
                Err(failure) if failure.code == ErrorCode::NotFound => {
                    let first = self.commits.first_mut();
                    let catalog = first.into_iter().map(|commit| &mut commit.catalog);
                    catalog.for_each(|catalog| catalog.push(template.write(self.now)));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn write(mut self, actor: &Actor) -> Result<Imported, Failure> {
        let id = self.done.workflow_id.to_string();
        let deed = Deed { action: "workflow.import", kind: "workflow", id: &id, agent: None };
        if let Some(first) = self.commits.first_mut() {
            first.catalog.push(actor.did(deed));
        }
        let written = self.reader.runs.append_whole(Arc::new(self.commits)).await;
        written.map_err(|error| match error {
            CommitError::Unavailable(fault) | CommitError::Lost(fault) => failure(fault),
            CommitError::Stale { run, .. } => {
                let message = format!("workflow {run} has come here meanwhile; try again");
                Failure::new(ErrorCode::Conflict, message)
            }
        })?;
        Ok(self.done)
    }
}
