//! Plans by definition, made once and shared by all runs.
//!
//! Keeps: at most `PLANS_MAX` plans; a definition is stored once under its hash.
//! Not here: names and versions (`templates.rs`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use opcode_engine::{Plan, plan};
use opcode_model::action::{Actions, Answer, EffectClass, ParamProblem};
use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{DefinitionHash, ErrorCode, Failure, Language, Problem, Timestamp, Value};
use opcode_store::{Catalog, Fault};

use crate::tools::Tools;

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
    stored: BTreeSet<DefinitionHash>,
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
            let stored = std::mem::take(&mut kept.stored);
            *kept = Kept { stored, revision, ..Kept::default() };
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
            kept.stored.remove(&oldest);
        }
    }

    /// What must be in the catalog for a run of this plan: its definition, unless it is known to be there.
    pub fn writes(&self, plan: &Plan, at: Timestamp) -> Vec<CatalogWrite> {
        if self.kept().stored.contains(&plan.hash) {
            return Vec::new();
        }
        vec![CatalogWrite {
            kind: CatalogKind::Definition,
            key: plan.hash.to_string().into(),
            body: Some(plan.text.clone()),
            at,
            replace: false,
        }]
    }

    /// This definition is in the catalog now.
    pub(crate) fn stored(&self, hash: DefinitionHash) {
        self.kept().stored.insert(hash);
    }

    /// The plan of a stored definition.
    ///
    /// # Errors
    /// If it is not there, cannot be read, or needs actions this program does not have.
    pub async fn find(&self, hash: DefinitionHash) -> Result<Arc<Plan>, Failure> {
        if let Some(plan) = self.kept().plans.get(&hash) {
            return Ok(plan.clone());
        }
        let key: Arc<str> = hash.to_string().into();
        let text = self.catalog.find(CatalogKind::Definition, key).await.map_err(failure)?;
        let missing = || Failure::new(ErrorCode::Store, format!("definition {hash} is missing"));
        let damaged = |cause: serde_json::Error| {
            Failure::new(ErrorCode::Store, format!("definition {hash} is damaged: {cause}"))
        };
        let definition = Value::from_json(&text.ok_or_else(missing)?).map_err(damaged)?;
        self.stored(hash);
        match self.make(&definition) {
            Ok(plan) => Ok(plan),
            // An action that is not there any more does not keep what was done with it from being read, or cancelled.
            Err(problems) => {
                let stored = Stored(self.tools.as_ref());
                plan(&definition, &stored).map(Arc::new).map_err(|_| unfit(&problems))
            }
        }
    }
}

/// The actions of a definition that was taken in: what is not there any more cannot be performed, and that is all.
struct Stored<'a>(&'a dyn Tools);

impl Actions for Stored<'_> {
    fn class(&self, name: &str) -> Option<EffectClass> {
        self.0.class(name).or(Some(EffectClass::Unsafe))
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        self.0.check(name, params)
    }

    fn program(&self, name: &str) -> Option<(&'static str, Language)> {
        self.0.program(name)
    }

    fn runs_programs(&self, name: &str) -> bool {
        self.0.runs_programs(name)
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        self.0.compute(name, params)
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
