//! What a filter lets through, said once for every store that filters by hand.
//!
//! Keeps: a limit of 0 means the documented default; an absent condition admits everything.
//! Not here: the order of answers (each store walks its own).

use std::sync::Arc;

use opcode_model::commit::RunRow;
use opcode_model::{DefinitionHash, Event, RunId, RunStatus, Seq, Timestamp, Value};

use crate::contract::{DecisionFilter, DecisionRow, EventFilter, Pruning, RunFilter};

impl RunFilter {
    /// How many at most.
    pub fn limit(&self) -> usize {
        if self.limit == 0 { 50 } else { self.limit }
    }

    /// Whether this row is wanted.
    pub fn admits(&self, row: &RunRow) -> bool {
        self.status.is_none_or(|status| row.status == status)
            && self.agent_id.as_ref().is_none_or(|id| row.agent_id.as_ref() == Some(id))
            && self.template_name.as_ref().is_none_or(|it| row.template_name.as_ref() == Some(it))
            && self.parent.is_none_or(|run| row.parent.as_ref().is_some_and(|it| it.run == run))
            && self.since.is_none_or(|since| row.created_at >= since)
    }
}

impl Pruning {
    /// Whether this run may go, if nobody has it below it and all below it are over.
    pub fn admits(&self, row: &RunRow) -> bool {
        let before = match row.status {
            RunStatus::Completed | RunStatus::Cancelled => self.over_before,
            RunStatus::Failed => self.failed_before,
            RunStatus::Pending | RunStatus::Active | RunStatus::Suspended => None,
        };
        let is_named = |name: &Arc<str>| self.templates.contains(name);
        let is_spared = |name: &Arc<str>| self.but.contains(name);
        row.completed_at.zip(before).is_some_and(|(over, before)| over < before)
            && (self.templates.is_empty() || row.template_name.as_ref().is_some_and(is_named))
            && !row.template_name.as_ref().is_some_and(is_spared)
    }
}

impl EventFilter {
    /// How many at most.
    pub fn limit(&self) -> usize {
        if self.limit == 0 { 100 } else { self.limit }
    }

    /// Whether this event of this run is wanted.
    pub fn admits(&self, run: RunId, seq: Seq, event: &Event) -> bool {
        let step = || event.kind.step().map(|step| &step.path);
        seq > self.after
            && self.run.is_none_or(|wanted| wanted == run)
            && self.step_id.as_ref().is_none_or(|wanted| step() == Some(wanted))
            && self.event_type.as_ref().is_none_or(|wanted| **wanted == *event.kind.name())
            && self.since.is_none_or(|since| event.at >= since)
    }
}

impl DecisionFilter {
    /// How many at most.
    pub fn limit(&self) -> usize {
        if self.limit == 0 { 100 } else { self.limit }
    }

    /// Whether this decision is wanted.
    pub fn admits(&self, row: &DecisionRow) -> bool {
        self.run.is_none_or(|run| row.run == run) && (self.closed || row.status == "pending")
    }
}

/// The row of a run of which nothing is known yet: pending, of no definition, born at the beginning of time.
pub fn blank_row() -> RunRow {
    RunRow {
        status: RunStatus::Pending,
        due_at: None,
        open_decisions: 0,
        in_flight: false,
        name: None,
        template_name: None,
        template_version: None,
        definition: DefinitionHash([0; 32]),
        agent_id: None,
        parent: None,
        inputs: Value::Null,
        output: Value::Null,
        error: None,
        created_at: Timestamp(0),
        completed_at: None,
        updated_at: Timestamp(0),
    }
}
