//! Whether a run rests: nothing in it moves until somebody says something.
//!
//! Keeps: a run with anything in flight, a due timer or an unread message does not rest.
//! Not here: what it waits for, in words (`StatusView`).

use std::collections::BTreeSet;

use opcode_engine::{Run, Status, StepState};
use opcode_model::{Failure, RunId, RunStatus};
use opcode_store::RunFilter;

use crate::clock::now;
use crate::plans::failure;
use crate::reader::Reader;

impl Reader {
    /// Whether a run and all below it rest, from what is on disk; of all runs, if none is named.
    /// A timer of a suspended run, or a run's own limit, is not waited for.
    ///
    /// # Errors
    /// `STORE_ERROR` if the store cannot be read.
    pub async fn rests(&self, id: Option<RunId>) -> Result<bool, Failure> {
        // In this order: what moves while we look is seen in the next thing looked at, and the family comes last, so that
        // a child born meanwhile is in it.
        let open = self.runs.open().await.map_err(failure)?;
        let waiting = self.runs.inbox(None).await.map_err(failure)?;
        let family = match id {
            Some(id) => Some(self.family(id).await?),
            None => None,
        };
        let ours = |run: &RunId| family.as_ref().is_none_or(|family| family.contains(run));
        if waiting.iter().any(|it| ours(&it.message.to) || ours(&it.message.from)) {
            return Ok(false);
        }
        let at = now();
        for one in open.into_iter().filter(|one| ours(&one.run)) {
            if one.urgent || one.due_at.is_some_and(|due| due <= at) {
                return Ok(false);
            }
            let is_timed = one.due_at.is_some() && one.status != RunStatus::Suspended;
            if is_timed && self.fold(one.run).await?.is_some_and(|it| moves(&it.run)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A run and all below it.
    async fn family(&self, id: RunId) -> Result<BTreeSet<RunId>, Failure> {
        let (mut family, mut queue) = (BTreeSet::from([id]), vec![id]);
        while let Some(id) = queue.pop() {
            let filter = RunFilter { parent: Some(id), limit: 100_000, ..RunFilter::default() };
            for child in self.runs.workflows(filter).await.map_err(failure)? {
                if family.insert(child.run) {
                    queue.push(child.run);
                }
            }
        }
        Ok(family)
    }
}

/// Whether time alone brings it further; its children are asked by themselves.
fn moves(run: &Run) -> bool {
    let is_timed =
        |state: &StepState| matches!(state, StepState::Sleeping { .. } | StepState::Backoff { .. });
    let steps = &run.state.steps;
    let listens = steps.iter().any(|step| matches!(step.state, StepState::Listening { .. }));
    let timed = steps.iter().any(|step| is_timed(&step.state));
    run.state.status == Status::Active && (timed || !listens)
}
