//! Runs of the original, as runs that are over.
//!
//! Keeps: a run's id stays, where it is a UUID; a parent came before its children; what was unfinished has its inputs.
//! Not here: what its events become (`history.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_engine::Plan;
use opcode_model::event::{Parent, Started};
use opcode_model::{Commit, ErrorCode, Failure, Problem, RunId, RunStatus, StepIx, StepRef, Value};
use opcode_store::{Catalog, CommitError, Fault, Runs};

use super::cells::{self, run_id, text};
use super::history::{History, Rows};
use super::take_over::Move;
use crate::plans::{failure, unfit};
use crate::told::commits;

/// Runs that are written at once.
const BATCH: usize = 100;

impl<S: Runs + Catalog> Move<'_, S> {
    pub(super) async fn runs(&mut self) -> Result<(), Failure> {
        let all = self.original.workflows().map_err(failure)?;
        let mut places: BTreeMap<RunId, i64> = BTreeMap::new();
        for batch in all.chunks(BATCH) {
            let mut commits = Vec::new();
            for (place, id) in batch {
                let run = run_id(id, *place);
                if let Some(other) = places.insert(run, *place) {
                    places.insert(run, other);
                    self.note(format!(
                        "workflow {} was not taken over: another has its id",
                        id.to_text()
                    ));
                    continue;
                }
                if id.as_str().is_none_or(|id| !id.eq_ignore_ascii_case(&run.to_string())) {
                    self.note(format!(
                        "workflow {} is listed as {run}: its id is no UUID",
                        id.to_text()
                    ));
                }
                let rows = self.rows_of(*place, id).map_err(failure)?;
                commits.extend(self.one(run, *place, rows, &places)?);
            }
            for answer in self.store.append(Arc::new(commits)).await {
                answer.map_err(|error| match error {
                    CommitError::Unavailable(fault) | CommitError::Lost(fault) => failure(fault),
                    CommitError::Stale { .. } => Failure::new(ErrorCode::Store, error.to_string()),
                })?;
            }
        }
        Ok(())
    }

    fn rows_of(&self, place: i64, id: &Value) -> Result<Rows, Fault> {
        let of = |table| self.original.rows(table, Some(("workflow_id", id)));
        let run = self.original.rows("workflows", Some(("rowid", &Value::Int(place))))?;
        Ok(Rows {
            run: run.into_iter().next().unwrap_or_default(),
            events: of("events")?,
            steps: of("step_state")?,
            context: of("workflow_context")?.into_iter().next(),
        })
    }

    /// The commits of one run.
    fn one(
        &mut self,
        run: RunId,
        place: i64,
        rows: Rows,
        places: &BTreeMap<RunId, i64>,
    ) -> Result<Vec<Commit>, Failure> {
        let plan = self.plan(run, &rows)?;
        let row = &rows.run;
        // A parent was there before its child; so nothing is below itself.
        let above = row.find("parent_workflow_id").filter(|parent| !parent.is_null());
        let above = above.map(|parent| run_id(parent, 0));
        let above = above.filter(|above| places.get(above).is_some_and(|other| *other < place));
        let step = StepRef { ix: StepIx(0), path: "".into() };
        let started = Started {
            definition: plan.hash,
            name: text(row, "name"),
            template_name: text(row, "template_name"),
            template_version: text(row, "template_version"),
            agent_id: text(row, "agent_id"),
            inputs: cells::json(row, "input_params"),
            parent: above.map(|run| Parent { run, step }),
            depth: 0,
            request: None,
            trace: None,
        };
        let (told, events) = History::tell(run, plan.clone(), started, rows, self.now);
        self.done.runs += 1;
        let is_interrupted =
            told.state.error.as_ref().is_some_and(|error| error.code == ErrorCode::Interrupted);
        self.done.interrupted += u64::from(is_interrupted && told.status() == RunStatus::Failed);
        Ok(commits(&told, &plan, events, self.now))
    }

    /// The plan of a run; of a stand-in with the same steps, where its definition does not make one.
    fn plan(&mut self, run: RunId, rows: &Rows) -> Result<Arc<Plan>, Failure> {
        let definition = cells::json(&rows.run, "definition");
        let why = match self.plans.make(&definition) {
            Ok(plan) => return Ok(plan),
            // What is quoted in it is no expression of ours.
            Err(problems) => shortly(&problems).replace("${{", "$${{"),
        };
        self.note(format!("workflow {run} has a stand-in for its definition: {why}"));
        let steps = definition.find("steps").and_then(Value::as_list).unwrap_or_default();
        let ids = steps.iter().filter_map(|step| step.find("id").and_then(Value::as_str)).collect();
        let with_steps = self.plans.make(&stand_in(&definition, &why, ids));
        let why = "it was defined in the original OPCODE and cannot run here";
        let bare = |_| self.plans.make(&stand_in(&Value::Null, why, vec!["original"]));
        with_steps.or_else(bare).map_err(|problems| unfit(&problems))
    }
}

/// What is wrong with a definition, in a few words.
pub(super) fn shortly(problems: &[Problem]) -> String {
    const CHARS_MAX: usize = 300;
    unfit(problems).message.chars().take(CHARS_MAX).collect()
}

/// Steps of these ids that say why they cannot run, and what was defined.
fn stand_in(definition: &Value, why: &str, ids: Vec<&str>) -> Value {
    let reason = Value::from(why);
    let step = |id: &str| {
        let params = Value::object([("reason", reason.clone())]);
        Value::object([("id", id.into()), ("action", "workflow.fail".into()), ("params", params)])
    };
    let steps = Value::list(ids.into_iter().map(step));
    let metadata = Value::object([("original", definition.clone())]);
    Value::object([("metadata", metadata), ("steps", steps)])
}
