//! Looks at a whole store for damage: what the store sees in its bytes, then each run's row and open decisions beside its events.
//!
//! Keeps: the events are the truth, everything else must follow from them; damage in one run hides none in another.
//! Not here: bytes, chains and payloads (the store), repair.

use std::collections::BTreeSet;

use opcode_engine::{Run, outstanding};
use opcode_model::commit::{DecisionChange, RunRow};
use opcode_model::limits::OPEN_DECISIONS_MAX;
use opcode_model::{Effect, Failure, RunId};
use opcode_store::{Damage, DecisionFilter, Report, RunFilter};

use crate::plans::failure;
use crate::reader::{Folded, Reader};

/// Runs listed at once.
const PAGE: usize = 1_000;
/// How often a run is looked at before a difference counts: a holder beside us may write between two reads.
const LOOKS: usize = 3;

impl Reader {
    /// Checks the store.
    ///
    /// # Errors
    /// `STORE_ERROR` if it cannot be read at all.
    pub async fn verify(&self) -> Result<Report, Failure> {
        let mut report = self.runs.verify().await.map_err(failure)?;
        let known: BTreeSet<RunId> = report.damage.iter().filter_map(|damage| damage.run).collect();
        let found = |run, what| Damage { run, seq: None, what };
        match self.every_run().await {
            Ok(runs) => {
                for id in runs.difference(&known) {
                    let wrong = self.compare(*id).await;
                    report.damage.extend(wrong.into_iter().map(|what| found(Some(*id), what)));
                }
            }
            Err(error) => {
                let what = format!("no row was compared with its events: {error}");
                report.damage.push(found(None, what));
            }
        }
        Ok(report)
    }

    async fn every_run(&self) -> Result<BTreeSet<RunId>, Failure> {
        let mut runs = BTreeSet::new();
        for offset in (0..).step_by(PAGE) {
            let filter = RunFilter { limit: PAGE, offset, ..RunFilter::default() };
            let page = self.workflows(filter).await?;
            let last = page.len() < PAGE;
            runs.extend(page.into_iter().map(|summary| summary.run));
            if last {
                break;
            }
        }
        Ok(runs)
    }

    /// How what lists and recovery read of a run differs from its events.
    async fn compare(&self, id: RunId) -> Vec<String> {
        let mut wrong = Vec::new();
        for _ in 0..LOOKS {
            wrong = match self.fold(id).await {
                Ok(Some(folded)) => self.differences(&folded).await,
                Ok(None) => vec!["it has a row, and no event".to_owned()],
                Err(error) => vec![error.message.to_string()],
            };
            if wrong.is_empty() {
                break;
            }
        }
        wrong
    }

    async fn differences(&self, Folded { run, plan, row }: &Folded) -> Vec<String> {
        let Some(folded) = run.row(plan.hash, row.updated_at) else {
            return vec!["its events do not begin with its start".to_owned()];
        };
        let mut wrong = columns(row, &folded);
        let filter = DecisionFilter { run: Some(run.id), closed: false, limit: OPEN_DECISIONS_MAX };
        match self.decisions(filter).await {
            Ok(rows) => {
                let listed = rows.iter().map(|row| row.request.id.to_string()).collect();
                let open = asked(run);
                if open != listed {
                    let (open, listed) = (listing(&open), listing(&listed));
                    let what = format!("its open decisions are {listed}, its events say {open}");
                    wrong.push(what);
                }
            }
            Err(error) => wrong.push(format!("its decisions cannot be read: {error}")),
        }
        wrong
    }
}

/// Ids of the questions a run's events leave open.
fn asked(run: &Run) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for effect in outstanding(run).effects {
        if let Effect::Decision(change) = effect
            && let DecisionChange::Opened { request, .. } = *change
        {
            ids.insert(request.id.to_string());
        }
    }
    ids
}

fn listing(ids: &BTreeSet<String>) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    ids.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// A column as text.
type Text = fn(&RunRow) -> String;

/// Each column that is not what the events make it.
fn columns(row: &RunRow, folded: &RunRow) -> Vec<String> {
    let short: [(&str, Text); 11] = [
        ("status", |row| row.status.text().to_owned()),
        ("due_at", |row| or_none(row.due_at.as_ref())),
        ("open_decisions", |row| row.open_decisions.to_string()),
        ("in_flight", |row| row.in_flight.to_string()),
        ("name", |row| or_none(row.name.as_ref())),
        ("template_name", |row| or_none(row.template_name.as_ref())),
        ("template_version", |row| or_none(row.template_version.as_ref())),
        ("agent_id", |row| or_none(row.agent_id.as_ref())),
        ("parent", |row| or_none(row.parent.as_ref().map(|parent| parent.run).as_ref())),
        ("created_at", |row| row.created_at.to_string()),
        ("completed_at", |row| or_none(row.completed_at.as_ref())),
    ];
    let mut wrong = Vec::new();
    for (name, text) in short {
        let (says, events) = (text(row), text(folded));
        if says != events {
            wrong.push(format!("its row says {name} {says}, its events say {events}"));
        }
    }
    let large = [
        ("inputs", row.inputs == folded.inputs),
        ("output", row.output == folded.output),
        ("error", row.error == folded.error),
    ];
    let different = large.into_iter().filter(|(_, same)| !same);
    wrong.extend(different.map(|(name, _)| format!("its row has other {name} than its events")));
    wrong
}

fn or_none<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}
