//! The load: so many clients, each running one workflow after the other and waiting for its result.
//!
//! Keeps: every counted workflow completed and was acknowledged at the level named beside the figure.
//! Not here: rendering.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opcode_actions::{World, WorldConfig};
use opcode_model::{ErrorCode, Failure, RunId, RunStatus, Value};
use opcode_runtime::{Engine, EngineConfig, Quotas, RunAnswer, RunRequest, Source, Wait};
use opcode_store::{Durability, EventFilter, Runs};
use opcode_store_sqlite::{SqliteConfig, SqliteStore};

use super::tools::BenchTools;

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) clients: usize,
    pub(super) steps: usize,
    /// Whether steps are outside effects.
    pub(super) effects: bool,
    pub(super) durability: Durability,
    pub(super) span: Duration,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) workflows_per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) commits_per_workflow: f64,
    pub(super) events_per_s: f64,
}

fn definition(load: Load) -> Value {
    let action = if load.effects { "bench.effect" } else { "bench.pure" };
    let steps = (0..load.steps).map(|i| {
        let before = i.checked_sub(1).map(|i| Value::from(format!("s{i}")));
        Value::object([
            ("id", Value::from(format!("s{i}"))),
            ("action", Value::from(action)),
            ("depends_on", Value::list(before)),
        ])
    });
    Value::object([("steps", Value::list(steps))])
}

/// Puts a load on a fresh store in `dir`.
pub(super) async fn measure(dir: &Path, load: Load) -> Result<Measured, Failure> {
    let internal = |cause: String| Failure::new(ErrorCode::Internal, cause);
    let store = SqliteStore::open(SqliteConfig {
        path: dir.join("bench.db"),
        durability: load.durability,
        command_name: "opcode bench".to_owned(),
    });
    let store = Arc::new(store.map_err(|cause| internal(cause.to_string()))?);
    let world = World::new(WorldConfig::default()).map_err(|cause| internal(cause.to_string()))?;
    let config = EngineConfig {
        tools: Arc::new(BenchTools::new()),
        world: Arc::new(world),
        pool_size: load.clients.max(20),
        passphrase: None,
        quotas: Quotas::default(),
        on_wrong_passphrase: Arc::new(|_| {}),
        on_halt: Arc::new(|failure| tracing::error!(%failure, "the store is lost")),
    };
    let engine = Engine::open(config, store.clone()).await?;
    let request = RunRequest {
        source: Source::Definition(definition(load)),
        name: None,
        params: Value::Null,
        agent_id: None,
        idempotency_key: None,
        wait: Wait::Settled(None),
        trace: None,
    };
    let first = run_one(&engine, &request).await?;
    let filter = EventFilter { run: Some(first), limit: 1_000_000, ..EventFilter::default() };
    let events = engine.reader().events(filter).await?.len();
    let commits = store.about().commits;
    let begun = Instant::now();
    let mut spans = drive(&engine, &request, load).await?;
    let took = begun.elapsed().as_secs_f64();
    let commits = store.about().commits - commits;
    engine.shutdown(Duration::from_secs(10)).await?;
    spans.sort_by(f64::total_cmp);
    let count = spans.len().max(1) as f64;
    let at = |part: f64| spans.get((count * part) as usize).copied().unwrap_or(f64::NAN);
    Ok(Measured {
        workflows_per_s: spans.len() as f64 / took,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        commits_per_workflow: commits as f64 / count,
        events_per_s: spans.len() as f64 * events as f64 / took,
    })
}

async fn run_one(engine: &Engine, request: &RunRequest) -> Result<RunId, Failure> {
    let unfit = |cause: String| Failure::new(ErrorCode::Internal, cause);
    let answer = engine.run(request.clone()).await.map_err(|cause| unfit(cause.to_string()))?;
    if let RunAnswer::Settled(result) = &answer
        && result.status == RunStatus::Completed
    {
        return Ok(result.workflow_id);
    }
    Err(unfit(format!("a workflow did not complete: {answer:?}")))
}

/// Milliseconds each workflow took.
async fn drive(engine: &Engine, request: &RunRequest, load: Load) -> Result<Vec<f64>, Failure> {
    let until = Instant::now() + load.span;
    let clients = (0..load.clients).map(|_| {
        let (engine, request) = (engine.clone(), request.clone());
        tokio::spawn(async move {
            let mut spans = Vec::new();
            while Instant::now() < until {
                let before = Instant::now();
                run_one(&engine, &request).await?;
                spans.push(before.elapsed().as_secs_f64() * 1e3);
            }
            Ok::<_, Failure>(spans)
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut all = Vec::new();
    for client in clients {
        let spans = client.await.map_err(|cause| {
            Failure::new(ErrorCode::Internal, format!("a client died: {cause}"))
        })?;
        all.extend(spans?);
    }
    Ok(all)
}
