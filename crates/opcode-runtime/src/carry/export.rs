//! A run and all below it, line by line.
//!
//! Keeps: one page of events in memory, however long a history is; secrets are slots in it, as they are in the store.
//! Not here: how a line is written (`document.rs`).

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use opcode_model::commit::RunRow;
use opcode_model::limits::EXPORT_BYTES_MAX;
use opcode_model::{DefinitionHash, ErrorCode, Failure, RunId, Seq};
use opcode_store::{EventFilter, RunFilter};
use serde_json::value::RawValue;

use super::document::{Begin, Chain, Definition, End, FORMAT, Head, Line, VERSION};
use crate::check::unknown;
use crate::clock::now;
use crate::plans::failure;
use crate::reader::Reader;

/// Events of one line.
const EVENTS: usize = 20;
/// Runs listed at once.
const PAGE: usize = 1_000;

/// A document on its way out.
pub struct Export {
    reader: Reader,
    chain: Chain,
    /// Lines to write next.
    ready: VecDeque<Line>,
    /// The run whose events are written: up to where it has them, from where.
    events: Option<(RunId, Seq, Seq)>,
    /// Runs to come.
    runs: Vec<RunId>,
    definitions: BTreeSet<DefinitionHash>,
    templates: BTreeSet<(Arc<str>, Arc<str>)>,
    end: End,
    is_over: bool,
    bytes: usize,
}

impl Reader {
    /// A run with all below it, as it is now.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such run; `STORE_ERROR` if it cannot be read.
    pub async fn export(&self, id: RunId) -> Result<Export, Failure> {
        if !self.is_known(id).await? {
            return Err(unknown(id));
        }
        let by = format!("opcode {}", env!("CARGO_PKG_VERSION"));
        let head =
            Head { format: FORMAT.to_owned(), version: VERSION, workflow: id, at: now(), by };
        Ok(Export {
            reader: self.clone(),
            chain: Chain::default(),
            ready: [Line { export: Some(head), ..Line::default() }].into(),
            events: None,
            runs: vec![id],
            definitions: BTreeSet::new(),
            templates: BTreeSet::new(),
            end: End::default(),
            is_over: false,
            bytes: 0,
        })
    }
}

impl Export {
    /// The next line, with its end; nothing, when all is told.
    ///
    /// # Errors
    /// `STORE_ERROR` if the store cannot be read; `LIMIT_EXCEEDED` if it is too much. What was told then has no end,
    /// and is refused where it is taken in.
    pub async fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                let line = self.chain.seal(&line)?;
                self.bytes = self.bytes.saturating_add(line.len());
                if self.bytes > EXPORT_BYTES_MAX {
                    return Err(Failure::limit("bytes of an export", EXPORT_BYTES_MAX as i64));
                }
                return Ok(Some(line));
            }
            if let Some((run, after, end)) = self.events.take() {
                self.page(run, after, end).await?;
            } else if let Some(run) = self.runs.pop() {
                self.begin(run).await?;
            } else if self.is_over {
                return Ok(None);
            } else {
                self.is_over = true;
                self.ready.push_back(Line { end: Some(self.end), ..Line::default() });
            }
        }
    }

    async fn page(&mut self, run: RunId, after: Seq, end: Seq) -> Result<(), Failure> {
        if after >= end {
            return Ok(());
        }
        let left = usize::try_from(end.0 - after.0).unwrap_or(EVENTS);
        let limit = EVENTS.min(left);
        let filter = EventFilter { run: Some(run), after, limit, ..EventFilter::default() };
        let page = self.reader.events(filter).await?;
        let Some(last) = page.last().map(|record| record.seq) else {
            return Err(Failure::new(ErrorCode::Store, format!("events of {run} are gone")));
        };
        self.events = Some((run, last, end));
        self.end.events += page.len() as u64;
        let events = page.into_iter().map(|record| record.event).collect();
        self.ready.push_back(Line { events: Some(events), ..Line::default() });
        Ok(())
    }

    async fn begin(&mut self, run: RunId) -> Result<(), Failure> {
        // Loading looks at the chain of its log.
        let loaded = self.reader.runs.load(run).await.map_err(failure)?;
        let Some(loaded) = loaded.filter(|loaded| loaded.position.seq.0 > 0) else {
            return Ok(());
        };
        self.define(&loaded.row).await?;
        let (definition, end) = (loaded.row.definition, loaded.position.seq);
        let begin = Begin { id: run, definition, events: end.0 };
        self.ready.push_back(Line { workflow: Some(begin), ..Line::default() });
        self.end.workflows += 1;
        self.events = Some((run, Seq(0), end));
        for offset in (0..).step_by(PAGE) {
            let filter =
                RunFilter { parent: Some(run), limit: PAGE, offset, ..RunFilter::default() };
            let children = self.reader.workflows(filter).await?;
            let is_last = children.len() < PAGE;
            self.runs.extend(children.into_iter().map(|child| child.run));
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// The definition and the template it came from, unless they were told before.
    async fn define(&mut self, row: &RunRow) -> Result<(), Failure> {
        let hash = row.definition;
        if self.definitions.insert(hash) {
            let text = self.reader.plans.text(hash).await?.to_string();
            let body = RawValue::from_string(text).map_err(|cause| {
                Failure::new(ErrorCode::Store, format!("definition {hash} is damaged: {cause}"))
            })?;
            let definition = Some(Definition { hash, body });
            self.ready.push_back(Line { definition, ..Line::default() });
        }
        let (Some(name), Some(version)) = (&row.template_name, &row.template_version) else {
            return Ok(());
        };
        if !self.templates.insert((name.clone(), version.clone())) {
            return Ok(());
        }
        match self.reader.templates.find(name, Some(version)).await {
            Ok(template) if template.hash() == hash => {
                self.ready.push_back(Line { template: Some(template), ..Line::default() });
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(failure) if failure.code == ErrorCode::NotFound => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}
