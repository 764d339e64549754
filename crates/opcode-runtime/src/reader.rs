//! Everything that can be asked without changing anything. Needs no lock on the store.
//!
//! Keeps: only what is on disk is told.
//! Not here: doing (`engine.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_actions::Action;
use opcode_engine::{Plan, Run, StepState, apply};
use opcode_model::EffectClass;
use opcode_model::commit::RunRow;
use opcode_model::result::RunResult;
use opcode_model::{Failure, Object, RunId, Timestamp, Value};
use opcode_store::{
    About, Catalog, DecisionFilter, DecisionRow, EventFilter, EventRecord, MemoryStore, OpenRun,
    RunFilter, RunSummary, Runs,
};

use serde_json::{Value as Json, json};

use crate::agents::Agents;
use crate::audit::Audit;
use crate::check::unknown;
use crate::keeping::Keeping;
use crate::keys::Keys;
use crate::plans::{Plans, failure};
use crate::secrets::Secrets;
use crate::templates::{Template, Templates};
use crate::tokens::Tokens;
use crate::tools::Tools;

/// Everything that can be asked.
#[derive(Clone)]
pub struct Reader {
    pub(crate) runs: Arc<dyn Runs>,
    pub(crate) templates: Arc<Templates>,
    pub(crate) plans: Arc<Plans>,
    pub(crate) agents: Arc<Agents>,
    tokens: Tokens,
    keys: Keys,
    audit: Audit,
    secrets: Secrets,
    keeping: Keeping,
    tools: Arc<dyn Tools>,
}

/// Where a run is.
#[derive(Clone, Debug)]
pub struct StatusView {
    /// The run and its steps.
    pub result: RunResult,
    /// Its open decisions, and those of its descendants with their own `workflow_id`.
    pub decisions: Vec<DecisionRow>,
    /// Its context.
    pub context: Value,
    /// Its row.
    pub summary: RunSummary,
    /// The run itself, folded from its events.
    pub run: Run,
    /// What it runs.
    pub plan: Arc<Plan>,
    /// Steps that wait for a signal, of the run and all below it.
    pub waits: Vec<WaitView>,
    /// For each run below it that is not over, the path of the step that opened it, from this run's own steps down.
    pub opened_by: BTreeMap<RunId, String>,
}

/// A step that waits for a signal.
#[derive(Clone, Debug)]
pub struct WaitView {
    /// Whose.
    pub run: RunId,
    /// Its full path.
    pub step_id: Arc<str>,
    /// The name it listens for.
    pub signal: Arc<str>,
    /// When its time runs out, the step's or the whole run's.
    pub until: Option<Timestamp>,
}

/// A run as its events make it.
pub(crate) struct Folded {
    pub(crate) run: Run,
    pub(crate) plan: Arc<Plan>,
    pub(crate) row: RunRow,
}

impl Reader {
    /// Asks a store.
    pub fn new<S: Runs + Catalog>(store: Arc<S>, tools: Arc<dyn Tools>) -> Self {
        Self::over(store, tools, true)
    }

    /// Asks nobody: for checks where there is no store yet.
    pub fn without_store(tools: Arc<dyn Tools>) -> Self {
        Self::over(Arc::new(MemoryStore::default()), tools, false)
    }

    fn over<S: Runs + Catalog>(store: Arc<S>, tools: Arc<dyn Tools>, is_store: bool) -> Self {
        let catalog: Arc<dyn Catalog> = store.clone();
        Self {
            runs: store.clone(),
            templates: Arc::new(Templates { catalog: catalog.clone(), are_known: is_store }),
            agents: Arc::new(Agents::new(catalog.clone())),
            tokens: Tokens::new(catalog.clone()),
            keys: Keys::new(catalog.clone()),
            audit: Audit::new(catalog.clone()),
            secrets: Secrets::new(catalog.clone(), None),
            keeping: Keeping::new(store),
            plans: Arc::new(Plans::new(catalog, tools.clone())),
            tools,
        }
    }

    /// The same with a vault that opens.
    pub(crate) fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// What makes room in the store.
    pub fn keeping(&self) -> &Keeping {
        &self.keeping
    }

    /// Where a run is, from what is on disk.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such run; `STORE_ERROR` if it cannot be read.
    pub async fn status(&self, id: RunId) -> Result<StatusView, Failure> {
        let Folded { run, plan, row } = self.fold(id).await?.ok_or_else(|| unknown(id))?;
        let mut view = StatusView {
            result: run.result(),
            decisions: Vec::new(),
            context: match run.state.context.as_object() {
                Some(context) if *context != Object::default() => run.state.context.clone(),
                Some(_) | None => Value::Null,
            },
            summary: RunSummary { run: id, row },
            run,
            plan,
            waits: Vec::new(),
            opened_by: BTreeMap::new(),
        };
        self.look_below(&mut view).await?;
        Ok(view)
    }

    /// Whether there is a run of this id.
    pub(crate) async fn is_known(&self, id: RunId) -> Result<bool, Failure> {
        let loaded = self.runs.load(id).await.map_err(failure)?;
        Ok(loaded.is_some_and(|loaded| loaded.position.seq.0 > 0))
    }

    /// A run as its events make it, if there is one.
    pub(crate) async fn fold(&self, id: RunId) -> Result<Option<Folded>, Failure> {
        let Some(loaded) = self.runs.load(id).await.map_err(failure)? else { return Ok(None) };
        if loaded.position.seq.0 == 0 {
            return Ok(None);
        }
        let plan = self.plans.find_readable(loaded.row.definition).await?;
        let kept = loaded.snapshot.as_ref().and_then(|(_, text)| Run::restore(id, &plan, text));
        let mut run = kept.unwrap_or_else(|| Run::new(id, &plan));
        for event in &loaded.events {
            apply(&mut run, event);
        }
        Ok(Some(Folded { run, plan, row: loaded.row }))
    }

    /// Open decisions and waits of a run and all below it.
    async fn look_below(&self, view: &mut StatusView) -> Result<(), Failure> {
        listening(&view.run, &mut view.waits);
        let mut families = vec![view.run.id];
        while let Some(id) = families.pop() {
            let filter = DecisionFilter { run: Some(id), closed: false, limit: 1_000 };
            view.decisions.extend(self.runs.decisions(filter).await.map_err(failure)?);
            let filter = RunFilter { parent: Some(id), limit: 1_000, ..RunFilter::default() };
            let children = self.runs.workflows(filter).await.map_err(failure)?;
            for child in children.into_iter().filter(|child| !child.row.status.is_terminal()) {
                families.push(child.run);
                let step = child.row.parent.map(|parent| parent.step.path.to_string());
                let above = view.opened_by.get(&id).cloned();
                let path = above.into_iter().chain(step).collect::<Vec<_>>().join(" › ");
                view.opened_by.insert(child.run, path);
                if let Some(folded) = self.fold(child.run).await? {
                    listening(&folded.run, &mut view.waits);
                }
            }
        }
        Ok(())
    }

    /// Every run that is not finished.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn open(&self) -> Result<Vec<OpenRun>, Failure> {
        self.runs.open().await.map_err(failure)
    }

    /// Runs by filter.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn workflows(&self, filter: RunFilter) -> Result<Vec<RunSummary>, Failure> {
        self.runs.workflows(filter).await.map_err(failure)
    }

    /// Events by filter.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn events(&self, filter: EventFilter) -> Result<Vec<EventRecord>, Failure> {
        self.runs.events(filter).await.map_err(failure)
    }

    /// Decisions by filter.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn decisions(&self, filter: DecisionFilter) -> Result<Vec<DecisionRow>, Failure> {
        self.runs.decisions(filter).await.map_err(failure)
    }

    /// Templates, of one name or all.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn templates(&self, name: Option<&str>) -> Result<Vec<Template>, Failure> {
        self.templates.list(name).await
    }

    /// Agents that have defined or run something, by id.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn agents(&self) -> Result<Vec<Json>, Failure> {
        self.agents.list().await
    }

    /// What was done, and what was refused.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The secrets.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// What it signs with.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Every action: what it does, what it does outside, and its parameters as JSON Schema.
    pub fn actions(&self) -> Vec<Json> {
        let found = self.tools.names().into_iter().filter_map(|name| self.tools.find(&name));
        let page = |action: Arc<dyn Action>| {
            let effect = match action.class() {
                EffectClass::Pure => "pure",
                EffectClass::Idempotent => "idempotent",
                EffectClass::Unsafe => "unsafe",
            };
            json!({
                "name": action.name(),
                "summary": action.summary(),
                "effect": effect,
                "params": action.schema(),
            })
        };
        found.map(page).collect()
    }

    /// What the store is.
    pub fn about(&self) -> About {
        self.runs.about()
    }
}

fn listening(run: &Run, waits: &mut Vec<WaitView>) {
    for step in &run.state.steps {
        if let StepState::Listening { signal } = &step.state {
            let until = [step.deadline, run.state.limit_at].into_iter().flatten().min();
            let (run, step_id, signal) = (run.id, step.path.clone(), signal.clone());
            waits.push(WaitView { run, step_id, signal, until });
        }
    }
}
