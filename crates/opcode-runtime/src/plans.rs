//! Plans by definition, made once and shared by all runs.
//!
//! Keeps: at most `PLANS_MAX` plans; a definition is stored once under its hash, in the very commit of the run that has it,
//! so that none is lost to whoever makes room meanwhile.
//! Not here: names and versions (`templates.rs`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use opcode_engine::{Plan, plan};
use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{DefinitionHash, ErrorCode, Failure, Problem, Timestamp, Value};
use opcode_store::{Catalog, Fault};

use crate::tools::{Named, Tools};

/// Plans kept.
const PLANS_MAX: usize = 1_024;

/// Plans by definition.
pub struct Plans {
    catalog: Arc<dyn Catalog>,
    tools: Arc<dyn Tools>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    plans: BTreeMap<DefinitionHash, Arc<Plan>>,
    order: VecDeque<DefinitionHash>,
    /// Of the actions that the plans were made with.
    revision: u64,
}

impl Plans {
    /// No plans yet.
    pub fn new(catalog: Arc<dyn Catalog>, tools: Arc<dyn Tools>) -> Self {
        Self { catalog, tools, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a definition runnable.
    ///
    /// # Errors
    /// Every problem of it.
    pub fn make(&self, definition: &Value) -> Result<Arc<Plan>, Vec<Problem>> {
        let hash = DefinitionHash::of(&definition.to_json());
        self.forget_old();
        if let Some(plan) = self.kept().plans.get(&hash) {
            return Ok(plan.clone());
        }
        let revision = self.tools.revision();
        let made = Arc::new(plan(definition, self.tools.as_ref())?);
        // If the actions changed meanwhile, it may say something else next time.
        if revision == self.tools.revision() {
            self.keep(made.clone());
        }
        Ok(made)
    }

    /// Makes a definition runnable that is new here.
    ///
    /// # Errors
    /// Every problem of it, also those that one taken in before may have.
    pub fn admit(&self, definition: &Value) -> Result<Arc<Plan>, Vec<Problem>> {
        let made = self.make(definition)?;
        if made.warnings.iter().any(Problem::is_barred) {
            return Err(made.warnings.clone());
        }
        Ok(made)
    }

    /// A plan that was made with other actions may say another thing now. Runs that have one keep it.
    fn forget_old(&self) {
        let (revision, mut kept) = (self.tools.revision(), self.kept());
        if kept.revision != revision {
            *kept = Kept { revision, ..Kept::default() };
        }
    }

    fn keep(&self, plan: Arc<Plan>) {
        let mut kept = self.kept();
        if kept.plans.insert(plan.hash, plan.clone()).is_none() {
            kept.order.push_back(plan.hash);
        }
        if kept.order.len() > PLANS_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.plans.remove(&oldest);
        }
    }

    /// The plan of a stored definition. An action that is not there any more fails when it is performed, and keeps
    /// nobody from reading what was done, or from cancelling the rest.
    ///
    /// # Errors
    /// If it is not there, or cannot be read.
    pub async fn find(&self, hash: DefinitionHash) -> Result<Arc<Plan>, Failure> {
        if let Some(plan) = self.kept().plans.get(&hash) {
            return Ok(plan.clone());
        }
        self.make_readable(&self.definition(hash).await?)
    }

    /// A plan also of a definition whose actions are not all here.
    pub(crate) fn make_readable(&self, definition: &Value) -> Result<Arc<Plan>, Failure> {
        let named = |_| plan(definition, &Named(self.tools.as_ref())).map(Arc::new);
        self.make(definition).or_else(named).map_err(|problems| unfit(&problems))
    }

    async fn definition(&self, hash: DefinitionHash) -> Result<Value, Failure> {
        let damaged = |cause: serde_json::Error| {
            Failure::new(ErrorCode::Store, format!("definition {hash} is damaged: {cause}"))
        };
        Value::from_json(&self.text(hash).await?).map_err(damaged)
    }

    /// The text of a stored definition.
    pub(crate) async fn text(&self, hash: DefinitionHash) -> Result<Arc<str>, Failure> {
        let key = hash.to_string().into();
        let text = self.catalog.find(CatalogKind::Definition, key).await.map_err(failure)?;
        let missing = || Failure::new(ErrorCode::Store, format!("definition {hash} is missing"));
        text.ok_or_else(missing)
    }
}

/// What must be in the catalog with a run of this plan: its definition. Where it is there already, nothing is written.
pub(crate) fn definition_of(plan: &Plan, at: Timestamp) -> CatalogWrite {
    CatalogWrite {
        kind: CatalogKind::Definition,
        key: plan.hash.to_string().into(),
        body: Some(plan.text.clone()),
        at,
        replace: false,
    }
}

/// Problems as one failure.
pub(crate) fn unfit(problems: &[Problem]) -> Failure {
    let errors: Vec<String> =
        problems.iter().filter(|it| it.is_error()).map(ToString::to_string).collect();
    Failure::new(ErrorCode::Validation, errors.join("; "))
}

/// A fault of the store as a failure to show.
pub(crate) fn failure(fault: Fault) -> Failure {
    let code = if fault.storage_full { ErrorCode::StorageFull } else { ErrorCode::Store };
    Failure::new(code, format!("could not {fault}"))
}
