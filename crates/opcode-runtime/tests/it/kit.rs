//! An engine for one test, and waiting for what comes about.
//!
//! Keeps: every wait has an end, so that a broken promise is a failed test and not a hung one.
//! Not here: the actions (`hands.rs`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use opcode_actions::{World, WorldConfig};
use opcode_model::result::{RunResult, StepResult};
use opcode_model::{ErrorCode, Event, Failure, RunId, RunStatus, Signal, SignalKind, Value};
use opcode_runtime::{
    DefineRequest, Engine, EngineConfig, EngineError, Quotas, RunAnswer, RunRequest, Source, Wait,
};
use opcode_store::{Catalog, EventFilter, MemoryStore, Runs};
use opcode_store_sqlite::{SqliteConfig, SqliteStore};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::hands::Hands;

/// How long anything may take before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is there.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits for the end of something.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes too long")
}

/// An engine, what it stands on, and its hands.
pub(crate) struct House<S> {
    pub(crate) engine: Engine,
    pub(crate) hands: Arc<Hands>,
    pub(crate) store: Arc<S>,
}

/// An engine over a store in memory, with a pool so large.
pub(crate) async fn house(pool_size: usize) -> House<MemoryStore> {
    house_over(MemoryStore::new(), Hands::new(), pool_size).await
}

pub(crate) async fn house_over<S: Runs + Catalog>(
    store: S,
    hands: Arc<Hands>,
    pool_size: usize,
) -> House<S> {
    house_with(store, hands, pool_size, |failure| panic!("{failure}")).await
}

pub(crate) async fn house_with<S: Runs + Catalog>(
    store: S,
    hands: Arc<Hands>,
    pool_size: usize,
    on_halt: impl Fn(&Failure) + Send + Sync + 'static,
) -> House<S> {
    house_in(WorldConfig::default(), store, hands, pool_size, on_halt).await
}

pub(crate) async fn house_in<S: Runs + Catalog>(
    world: WorldConfig,
    store: S,
    hands: Arc<Hands>,
    pool_size: usize,
    on_halt: impl Fn(&Failure) + Send + Sync + 'static,
) -> House<S> {
    let helper = env!("CARGO_BIN_EXE_opcode-runtime-helper").into();
    let world = World::new(WorldConfig { helper, ..world }).unwrap();
    let config = EngineConfig {
        tools: hands.clone(),
        world: Arc::new(world),
        pool_size,
        passphrase: None,
        quotas: Quotas::default(),
        on_wrong_passphrase: Arc::new(|_| {}),
        on_halt: Arc::new(on_halt),
    };
    let store = Arc::new(store);
    let engine = Engine::open(config, store.clone()).await.unwrap();
    House { engine, hands, store }
}

/// A SQLite file for one test.
pub(crate) struct Disk(TempDir);

impl Disk {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Opens it; waits until whoever holds it lets go.
    pub(crate) async fn open(&self) -> SqliteStore {
        let config = SqliteConfig {
            path: self.0.path().join("store.db"),
            durability: opcode_store::Durability::Process,
            command_name: "test".to_owned(),
        };
        until("the store is free", async || SqliteStore::open(config.clone()).ok()).await
    }

    /// The same engine again, as a new process would open it.
    pub(crate) async fn house(&self, hands: Arc<Hands>, pool_size: usize) -> House<SqliteStore> {
        house_over(self.open().await, hands, pool_size).await
    }
}

/// A wish for a run.
pub(crate) fn request(definition: &Json) -> RunRequest {
    RunRequest {
        source: Source::Definition(Value::from_serde(definition)),
        name: None,
        params: Value::Null,
        agent_id: None,
        idempotency_key: None,
        wait: Wait::Settled(None),
        trace: None,
    }
}

impl<S: Runs + Catalog> House<S> {
    /// Runs it until it is over or suspended.
    pub(crate) async fn run(&self, definition: &Json) -> RunResult {
        match within(self.engine.run(request(definition))).await.unwrap() {
            RunAnswer::Settled(result) => Arc::unwrap_or_clone(result),
            other @ (RunAnswer::Started(_) | RunAnswer::Ongoing(_)) => panic!("{other:?}"),
        }
    }

    /// Starts it.
    pub(crate) async fn start(&self, definition: &Json) -> RunId {
        self.begin(request(definition)).await.unwrap()
    }

    /// Starts it, or says why not.
    pub(crate) async fn begin(&self, request: RunRequest) -> Result<RunId, EngineError> {
        let request = RunRequest { wait: Wait::Started, ..request };
        match within(self.engine.run(request)).await? {
            RunAnswer::Started(run) => Ok(run),
            other @ (RunAnswer::Settled(_) | RunAnswer::Ongoing(_)) => panic!("{other:?}"),
        }
    }

    /// Waits until a run is over or suspended.
    pub(crate) async fn settled(&self, run: RunId) -> RunResult {
        match within(self.engine.wait(run, None)).await.unwrap() {
            RunAnswer::Settled(result) => Arc::unwrap_or_clone(result),
            other @ (RunAnswer::Started(_) | RunAnswer::Ongoing(_)) => panic!("{other:?}"),
        }
    }

    /// Waits until a run is completed whose child somebody has just answered: it hears of it later.
    pub(crate) async fn completes(&self, run: RunId) {
        until(&format!("{run} is completed"), async || {
            (self.settled(run).await.status == RunStatus::Completed).then_some(())
        })
        .await;
    }

    /// Waits until a run is completed.
    pub(crate) async fn completed(&self, run: RunId) -> RunResult {
        let result = self.settled(run).await;
        assert_eq!(result.status, RunStatus::Completed, "{result:?}");
        result
    }

    /// Stores a template; answers its version.
    pub(crate) async fn define(&self, name: &str, definition: &Json) -> String {
        let definition = Value::from_serde(definition);
        let request = DefineRequest { name: name.into(), definition, ..DefineRequest::default() };
        self.engine.define(request).await.unwrap().version.to_string()
    }

    pub(crate) async fn signal(&self, run: RunId, signal: Signal) -> Result<(), Failure> {
        within(self.engine.signal(run, signal)).await
    }

    /// All events of a run.
    pub(crate) async fn events(&self, run: RunId) -> Vec<Event> {
        let filter = EventFilter { run: Some(run), limit: usize::MAX, ..EventFilter::default() };
        let events = self.engine.reader().events(filter).await.unwrap();
        events.into_iter().map(|record| record.event).collect()
    }

    /// Names of all events of a run.
    pub(crate) async fn trail(&self, run: RunId) -> Vec<&'static str> {
        self.events(run).await.iter().map(|event| event.kind.name()).collect()
    }

    /// Waits until a run's event is on disk.
    pub(crate) async fn until_event(&self, run: RunId, name: &str) {
        let what = format!("{name} of {run} is on disk");
        until(&what, async || self.trail(run).await.contains(&name).then_some(())).await;
    }

    /// Lets go of the engine without a shutdown, as if the process had been killed; answers the hands.
    pub(crate) async fn abandon(self) -> Arc<Hands> {
        let Self { engine, hands, store } = self;
        drop(engine);
        let what = "nobody holds the store";
        until(what, async || (Arc::strong_count(&store) == 1).then_some(())).await;
        hands
    }
}

/// One step that runs an action.
pub(crate) fn step(id: &str, action: &str, params: Json) -> Json {
    json!({"id": id, "action": action, "params": params})
}

/// A workflow of these steps.
pub(crate) fn steps(steps: &[Json]) -> Json {
    json!({ "steps": steps })
}

/// A workflow of one step that holds.
pub(crate) fn holding(tag: &str) -> Json {
    steps(&[step("a", "hand.idempotent", json!({"tag": tag, "hold": true}))])
}

/// A signal with a step or a name, and a payload.
pub(crate) fn signal(kind: SignalKind, at: Option<&str>, payload: Json) -> Signal {
    let at = at.map(Into::into);
    let payload = Value::from_serde(&payload);
    match kind {
        SignalKind::Data => Signal { name: at, payload, ..Signal::new(kind) },
        SignalKind::Decision | SignalKind::Cancel | SignalKind::Retry | SignalKind::Skip => {
            Signal { step_id: at, payload, ..Signal::new(kind) }
        }
    }
}

/// A step of a result.
pub(crate) fn of<'a>(result: &'a RunResult, step: &str) -> &'a StepResult {
    result.steps.get(step).unwrap_or_else(|| panic!("there is no {step} in {result:?}"))
}

/// The code a run failed with.
pub(crate) fn code(result: &RunResult) -> Option<ErrorCode> {
    result.error.as_ref().map(|failure| failure.code)
}

/// The code a step failed with.
pub(crate) fn code_of(result: &RunResult, step: &str) -> Option<ErrorCode> {
    of(result, step).error.as_ref().map(|failure| failure.code)
}

/// A failure among the reasons for a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, EngineError>) -> Failure {
    match answer {
        Err(EngineError::Failure(failure)) => failure,
        other => panic!("{other:?}"),
    }
}
