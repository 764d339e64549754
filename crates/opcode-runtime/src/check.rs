//! What would be refused, found out without changing anything: so that a bad wish never touches the store.
//!
//! Keeps: the same `decide` that would refuse it later refuses it here.
//! Not here: granting a wish (`engine.rs`).

use std::sync::Arc;

use opcode_engine::{Plan, Run, apply, decide};
use opcode_model::{
    DefinitionHash, ErrorCode, Failure, Input, InputKind, Problem, RunId, Signal, Start, Timestamp,
    Value,
};

use crate::clock::now;
use crate::engine::{EngineError, RunRequest, Source};
use crate::reader::{Folded, Reader};
use crate::templates::{DefineRequest, Defined, Template, plan_of};

/// Bytes of an idempotency key.
const KEY_BYTES_MAX: usize = 512;
/// Decisions that are looked ahead.
const LOOKAHEAD_MAX: usize = 1_000;

impl Reader {
    /// Whether a run would begin.
    ///
    /// # Errors
    /// Every problem of the definition; or why it cannot begin, as far as the store tells now.
    pub async fn check_run(&self, request: &RunRequest) -> Result<(), EngineError> {
        let (plan, mut start) = self.prepare(request).await?;
        let (id, fresh, fingerprint) = identity(request);
        start.request.clone_from(&fingerprint);
        if !fresh && let Some(known) = self.fold(id).await? {
            let before = known.run.started().and_then(|started| started.request.clone());
            if before == fingerprint {
                return Ok(());
            }
            let message =
                "this idempotency key was used for another request; take a new key for it";
            return Err(Failure::new(ErrorCode::Conflict, message).into());
        }
        let input = Input { at: now(), kind: InputKind::Start(Box::new(start)) };
        let decision = decide(&plan, &Run::new(id, &plan), &input);
        decision.map(drop).map_err(|refusal| refusal.to_failure().into())
    }

    /// Whether a signal would be taken by a run that nobody serves: one that a crash left in the middle is looked at as
    /// the next process would find it, without anything of it being begun.
    ///
    /// # Errors
    /// `NOT_FOUND`, or why it would be refused.
    pub async fn check_signal(&self, id: RunId, signal: &Signal) -> Result<(), Failure> {
        let mut known = self.fold(id).await?.ok_or_else(|| unknown(id))?;
        let at = now();
        let mut computes = known.run.state.in_flight > 0 && known.give(at, InputKind::Interrupted);
        for _ in 0..LOOKAHEAD_MAX {
            if computes || !known.run.is_ready() {
                break;
            }
            computes = known.give(at, InputKind::Proceed);
        }
        if computes || known.run.is_ready() {
            // What it will say once it has computed cannot be told now.
            return Ok(());
        }
        let input = Input { at, kind: InputKind::Signal(Box::new(signal.clone())) };
        let decision = decide(&known.plan, &known.run, &input);
        decision.map(drop).map_err(|refusal| refusal.to_failure())
    }

    /// What defining a template would come to.
    ///
    /// # Errors
    /// Every problem of the definition, or of the name.
    pub async fn check_define(&self, request: &DefineRequest) -> Result<Defined, EngineError> {
        check_name(&request.name)?;
        let plan = self.plans.admit(&request.definition).map_err(EngineError::Problems)?;
        let request = DefineRequest { dry_run: true, ..request.clone() };
        Ok(self.templates.define(&plan, &request, None).await?)
    }

    /// Checks a definition alone; answers its warnings.
    ///
    /// # Errors
    /// Every problem of it.
    pub fn check(&self, definition: &Value) -> Result<Vec<Problem>, Vec<Problem>> {
        self.plans.admit(definition).map(|plan| plan.warnings.clone())
    }

    /// What a request runs, and what it begins with.
    pub(crate) async fn prepare(
        &self,
        request: &RunRequest,
    ) -> Result<(Arc<Plan>, Start), EngineError> {
        let key = request.idempotency_key.as_deref();
        if key.is_some_and(|key| key.is_empty() || key.len() > KEY_BYTES_MAX) {
            let message = format!("an idempotency key is 1 to {KEY_BYTES_MAX} bytes");
            return Err(Failure::new(ErrorCode::Validation, message).into());
        }
        let mut start = Start {
            name: request.name.clone(),
            agent_id: request.agent_id.clone(),
            params: request.params.clone(),
            trace: request.trace.map(|trace| trace.to_string().into()),
            ..Start::default()
        };
        let (plan, template) = self.plan(&request.source).await?;
        if let Some(found) = template {
            start.template_name = Some(found.name);
            start.template_version = Some(found.version);
        }
        Ok((plan, start))
    }

    /// What would run, and the template it comes from.
    ///
    /// # Errors
    /// Every problem of the definition; `NOT_FOUND` if there is no such template.
    pub async fn plan(
        &self,
        source: &Source,
    ) -> Result<(Arc<Plan>, Option<Template>), EngineError> {
        match source {
            Source::Definition(definition) => {
                Ok((self.plans.admit(definition).map_err(EngineError::Problems)?, None))
            }
            Source::Template { name, version } => {
                let found = self.templates.find(name, version.as_deref()).await?;
                Ok((plan_of(&self.plans, &found).map_err(EngineError::Problems)?, Some(found)))
            }
        }
    }
}

impl Folded {
    /// Gives it an input, for the sake of looking. Whether it computes something now.
    fn give(&mut self, at: Timestamp, kind: InputKind) -> bool {
        let Ok(decision) = decide(&self.plan, &self.run, &Input { at, kind }) else { return false };
        decision.events.iter().for_each(|event| apply(&mut self.run, event));
        !decision.compute.is_empty()
    }
}

/// The run's id: minted, or derived from the key; and the fingerprint of what the key was used for.
pub(crate) fn identity(request: &RunRequest) -> (RunId, bool, Option<Arc<str>>) {
    let Some(key) = &request.idempotency_key else {
        return (RunId(*uuid::Uuid::now_v7().as_bytes()), true, None);
    };
    let agent = request.agent_id.as_deref().unwrap_or_default();
    // What was asked, not what it came to: the same call finds its run also after the template was defined anew.
    let source = match &request.source {
        Source::Definition(definition) => definition.to_json(),
        Source::Template { name, version } => {
            format!("{name}@{}", version.as_deref().unwrap_or_default())
        }
    };
    let wish = format!("{source}|{}|{agent}", request.params.to_json());
    (RunId::derived(&["key", key]), false, Some(DefinitionHash::of(&wish).to_string().into()))
}

/// A template's name may stand before `@version`.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    if name.is_empty() || name.contains('@') || name.len() > 200 {
        let message = "a template name is 1 to 200 characters without `@`";
        return Err(Failure::new(ErrorCode::Validation, message));
    }
    Ok(())
}

/// There is no such run.
pub(crate) fn unknown(id: RunId) -> Failure {
    Failure::new(ErrorCode::NotFound, format!("workflow {id} does not exist"))
}
