//! A run as its row: what lists and recovery need without reading a log.
//!
//! Keeps: the row is a fold of the events like everything else, so it can be checked against them.
//! Not here: when it is written (the driver).

use std::sync::Arc;

use opcode_model::commit::{RowKey, RunRow};
use opcode_model::event::Started;
use opcode_model::{DefinitionHash, Timestamp};

use super::Run;

impl Run {
    /// The columns whose change makes its row worth writing again.
    pub fn row_key(&self) -> RowKey {
        let busy = self.state.in_flight > 0 || self.is_ready();
        RowKey {
            status: self.status(),
            due_at: self.due_at(),
            open_decisions: self.state.open_decisions,
            in_flight: busy && !self.is_terminal(),
        }
    }

    /// Its row, written at `now`; `None` before it has begun.
    pub fn row(&self, definition: DefinitionHash, now: Timestamp) -> Option<RunRow> {
        let started = self.started()?;
        let text = |pick: fn(&Started) -> &Option<Arc<str>>| pick(started).clone();
        let RowKey { status, due_at, open_decisions, in_flight } = self.row_key();
        Some(RunRow {
            status,
            due_at,
            open_decisions,
            in_flight,
            name: text(|started| &started.name),
            template_name: text(|started| &started.template_name),
            template_version: text(|started| &started.template_version),
            definition,
            agent_id: text(|started| &started.agent_id),
            parent: started.parent.clone(),
            inputs: started.inputs.clone(),
            output: self.state.output.clone(),
            error: self.state.error.clone(),
            created_at: self.state.started_at,
            completed_at: self.state.completed_at,
            updated_at: now,
        })
    }
}
