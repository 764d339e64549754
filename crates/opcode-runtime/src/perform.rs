//! Performing: one task an attempt, from its permit to its answer.
//!
//! Keeps: only what came out of a commit is performed; every attempt is answered, also when it panics.
//! Not here: how many at once (the driver's slots), retries (the engine).

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use opcode_actions::breaker::Breakers;
use opcode_actions::{Action, Stop, Stopper, World};
use opcode_driver::{AttemptKey, Incoming};
use opcode_model::action::{Answer, Call, EffectClass, Outcome};
use opcode_model::effect::{BreakerChange, Perform};
use opcode_model::event::Breaker;
use opcode_model::secret::Hides;
use opcode_model::{Effect, ErrorCode, Failure, TraceParent};
use opcode_store::Committed;
use opcode_vault::{Opened, Redactor, Use};
use tokio::runtime::Handle;

use crate::clock::now;
use crate::fill::{filled, names};
use crate::pump::Tell;
use crate::secrets::Secrets;
use crate::tools::{Tools, died};

/// An attempt whose intent is in the store. Only `Performer::permit` makes one, out of a `Committed`.
struct Permit(Perform);

/// Attempts that may be performed, and those that are.
pub(crate) struct Performer {
    tools: Arc<dyn Tools>,
    world: Arc<World>,
    secrets: Secrets,
    breakers: Arc<Mutex<Breakers>>,
    permits: BTreeMap<AttemptKey, Permit>,
    running: BTreeMap<AttemptKey, Stopper>,
    tell: Tell,
    tokio: Handle,
}

impl Performer {
    pub(crate) fn new(
        tools: Arc<dyn Tools>,
        world: Arc<World>,
        secrets: Secrets,
        tell: Tell,
        tokio: Handle,
    ) -> Self {
        let breakers = Breakers::new(world.config().breaker_cooldown);
        Self {
            tools,
            world,
            secrets,
            breakers: Arc::new(Mutex::new(breakers)),
            permits: BTreeMap::new(),
            running: BTreeMap::new(),
            tell,
            tokio,
        }
    }

    /// Takes in what a commit set free. There is no other way to a permit.
    pub(crate) fn permit(&mut self, committed: Committed) {
        for effect in committed.release() {
            match effect {
                Effect::Perform(perform) => {
                    let (run, step, attempt) = (perform.run, perform.step.ix, perform.attempt);
                    self.permits.insert(AttemptKey { run, step, attempt }, Permit(*perform));
                }
                Effect::Stop { .. } | Effect::Decision(_) => {}
            }
        }
    }

    /// Performs an attempt.
    pub(crate) fn perform(&mut self, key: AttemptKey) {
        let Some(permit) = self.permits.remove(&key) else {
            let message = "an attempt without a committed intent is not performed";
            return self.answer(key, Err(Failure::new(ErrorCode::Internal, message)));
        };
        let action = self.tools.find(&permit.0.action);
        if action.is_some_and(|action| action.has_own_line()) {
            self.tell.incoming(Incoming::Aside(key));
        }
        let (stopper, stop) = Stop::pair();
        self.running.insert(key, stopper);
        let attempt = Attempt {
            tools: self.tools.clone(),
            world: self.world.clone(),
            secrets: self.secrets.clone(),
            breakers: self.breakers.clone(),
            stop,
        };
        let tell = self.tell.clone();
        self.tokio.spawn(async move {
            let tried = AssertUnwindSafe(attempt.run(permit)).catch_unwind().await;
            let (outcome, breakers) =
                tried.unwrap_or_else(|cause| (Err(died(cause.as_ref())), Vec::new()));
            tell.incoming(Incoming::Finished { key, outcome, breakers });
        });
    }

    /// Tells an attempt to stop. One that is not there is answered at once.
    pub(crate) fn stop(&mut self, key: AttemptKey) {
        match self.running.get(&key) {
            Some(stopper) => stopper.fire(),
            None => {
                let failure = Failure::new(ErrorCode::Cancelled, "stopped before it began");
                self.answer(key, Err(failure));
            }
        }
    }

    /// An attempt has been answered.
    pub(crate) fn done(&mut self, key: AttemptKey) {
        self.running.remove(&key);
        self.permits.remove(&key);
    }

    fn answer(&self, key: AttemptKey, outcome: Outcome) {
        self.tell.incoming(Incoming::Finished { key, outcome, breakers: Vec::new() });
    }
}

/// Nobody hears the answers any more, and the next process will repeat these attempts: what cannot go on alone is told to stop.
impl Drop for Performer {
    fn drop(&mut self) {
        self.running.values().for_each(Stopper::let_go);
    }
}

/// One attempt on its way.
struct Attempt {
    tools: Arc<dyn Tools>,
    world: Arc<World>,
    secrets: Secrets,
    breakers: Arc<Mutex<Breakers>>,
    stop: Stop,
}

impl Attempt {
    async fn run(self, Permit(perform): Permit) -> (Outcome, Vec<BreakerChange>) {
        let Some(action) = self.tools.find(&perform.action) else {
            let message = format!("action `{}` does not exist", perform.action);
            return (Err(Failure::new(ErrorCode::ActionUnavailable, message)), Vec::new());
        };
        if perform.secrets.is_empty() {
            return self.act(action.as_ref(), perform, &[], None).await;
        }
        let opened = match self.open(action.as_ref(), &perform).await {
            Ok(opened) => opened,
            Err(failure) => return (Err(failure), Vec::new()),
        };
        let params = filled(&perform.params, &perform.secrets, &opened);
        // A place that is made of a secret is one itself, however its parts are written.
        let place = action.target(&params);
        let is_secret = place != action.target(&perform.params);
        let place = place.filter(|_| is_secret).unwrap_or_default();
        let host = place.rsplit_once(':').map_or("", |(host, _)| host).to_owned();
        let redactor = Arc::new(opened.redactor(&[place, host]));
        let perform = Perform { params, ..perform };
        let hides = Some(redactor.clone() as _);
        let (outcome, changes) = self.act(action.as_ref(), perform, opened.hosts(), hides).await;
        let outcome = outcome
            .map(|output| redactor.value(output))
            .map_err(|failure| redactor.failure(failure));
        (outcome, changes.into_iter().map(|change| without(change, &redactor)).collect())
    }

    /// Opens what an attempt needs, unless it is told to stop before.
    async fn open(&self, action: &dyn Action, perform: &Perform) -> Result<Opened, Failure> {
        let workflow_id = perform.run.to_string();
        // Where it would go is told by the parameters as they stand: a place that is itself a secret is not known.
        let host = action.target(&perform.params).filter(|_| action.name().starts_with("http."));
        let wish = Use {
            action: action.name(),
            host: host.as_deref(),
            template: perform.template.as_deref(),
            workflow_id: &workflow_id,
            agent: perform.agent_id.as_deref(),
        };
        tokio::select! {
            biased;
            () = self.stop.wait() => {
                Err(Failure::new(ErrorCode::Cancelled, "stopped before it began"))
            }
            opened = self.secrets.open(names(&perform.secrets), wish) => opened,
        }
    }

    async fn act(
        &self,
        action: &dyn Action,
        perform: Perform,
        hosts: &[Vec<String>],
        hides: Option<Arc<dyn Hides>>,
    ) -> (Outcome, Vec<BreakerChange>) {
        if action.class() == EffectClass::Pure {
            return (self.compute(action, &perform), Vec::new());
        }
        let target = action.target(&perform.params);
        let mut changes = match &target {
            Some(target) => match self.breakers().admit(action.name(), target, now()) {
                Ok(changes) => changes,
                Err(failure) => return (Err(failure), Vec::new()),
            },
            None => Vec::new(),
        };
        let call = Call { hides, ..call(perform, hosts) };
        let outcome = action.perform(&call, &self.world, self.stop.clone()).await;
        if let Some(target) = &target {
            changes.extend(self.breakers().record(action.name(), target, now(), &outcome));
        }
        (outcome, changes)
    }

    fn compute(&self, action: &dyn Action, perform: &Perform) -> Outcome {
        match action.compute(&perform.params)? {
            Answer::Value(value) => Ok(value),
            Answer::Native(_) => {
                let message = format!("{} cannot take a secret", perform.action);
                Err(Failure::new(ErrorCode::Validation, message))
            }
        }
    }

    fn breakers(&self) -> std::sync::MutexGuard<'_, Breakers> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A breaker's target may be a place that is a secret.
fn without(change: BreakerChange, redactor: &Redactor) -> BreakerChange {
    let clean = |breaker: Breaker| {
        let target = redactor.text(&breaker.target).map_or(breaker.target.clone(), Into::into);
        Breaker { target, ..breaker }
    };
    match change {
        BreakerChange::Opened(breaker) => BreakerChange::Opened(clean(breaker)),
        BreakerChange::HalfOpened(breaker) => BreakerChange::HalfOpened(clean(breaker)),
        BreakerChange::Closed(breaker) => BreakerChange::Closed(clean(breaker)),
    }
}

fn call(perform: Perform, hosts: &[Vec<String>]) -> Call {
    let trace = perform.trace.as_deref().and_then(TraceParent::parse);
    Call {
        workflow_id: perform.run.to_string().into(),
        step_id: perform.step.path,
        agent_id: perform.agent_id,
        attempt: perform.attempt,
        trace: trace.map(|trace| trace.of_step(&perform.key)),
        idempotency_key: perform.key,
        params: perform.params,
        timeout: perform.timeout,
        hosts: hosts.to_vec(),
        wishes: perform.wishes,
        hides: None,
    }
}
