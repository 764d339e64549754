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
use opcode_model::{Effect, ErrorCode, Failure};
use opcode_store::Committed;
use tokio::runtime::Handle;

use crate::clock::now;
use crate::pump::Tell;
use crate::tools::{Tools, died};

/// An attempt whose intent is in the store. Only `Performer::permit` makes one, out of a `Committed`.
struct Permit(Perform);

/// Attempts that may be performed, and those that are.
pub(crate) struct Performer {
    tools: Arc<dyn Tools>,
    world: Arc<World>,
    breakers: Arc<Mutex<Breakers>>,
    permits: BTreeMap<AttemptKey, Permit>,
    running: BTreeMap<AttemptKey, Stopper>,
    tell: Tell,
    tokio: Handle,
}

impl Performer {
    pub(crate) fn new(tools: Arc<dyn Tools>, world: Arc<World>, tell: Tell, tokio: Handle) -> Self {
        let breakers = Breakers::new(world.config().breaker_cooldown);
        Self {
            tools,
            world,
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
        let (stopper, stop) = Stop::pair();
        self.running.insert(key, stopper);
        let attempt = Attempt {
            tools: self.tools.clone(),
            world: self.world.clone(),
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
    breakers: Arc<Mutex<Breakers>>,
    stop: Stop,
}

impl Attempt {
    async fn run(self, Permit(perform): Permit) -> (Outcome, Vec<BreakerChange>) {
        let Some(action) = self.tools.find(&perform.action) else {
            let message = format!("action `{}` does not exist", perform.action);
            return (Err(Failure::new(ErrorCode::ActionUnavailable, message)), Vec::new());
        };
        if let Some(name) = perform.secrets.iter().find_map(first_secret) {
            let message = format!("could not open secret `{name}`: no vault is configured");
            return (Err(Failure::new(ErrorCode::Vault, message)), Vec::new());
        }
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
        let call = call(perform);
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

fn first_secret(slot: &opcode_model::SecretSlot) -> Option<Arc<str>> {
    slot.pieces.iter().find_map(|piece| match piece {
        opcode_model::secret::Piece::Secret(name) => Some(name.clone()),
        opcode_model::secret::Piece::Text(_) => None,
    })
}

fn call(perform: Perform) -> Call {
    Call {
        workflow_id: perform.run.to_string().into(),
        step_id: perform.step.path,
        agent_id: perform.agent_id,
        attempt: perform.attempt,
        idempotency_key: perform.key,
        params: perform.params,
        timeout: perform.timeout,
        wishes: perform.wishes,
    }
}
