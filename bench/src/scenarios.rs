//! The scenarios: append, replay, a skewed DAG, sleepers, recovery, the binary itself.
//!
//! Keeps: what is counted is acknowledged.
//! Not here: choosing one (`main.rs`).

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::Noop;
use opcode_actions::{World, WorldConfig};
use opcode_engine::{Run, apply, plan};
use opcode_model::commit::{Commit, Position};
use opcode_model::event::{EventKind, StepCompleted};
use opcode_model::{Event, RunId, StepIx, StepRef, Timestamp, Value};
use opcode_runtime::{Engine, EngineConfig, Quotas, RunAnswer, RunRequest, Source, Wait};
use opcode_store::{Durability, Runs};
use opcode_store_sqlite::{SqliteConfig, SqliteStore};

type Done = Result<(), Box<dyn Error>>;

fn store(dir: &Path, durability: Durability) -> Result<Arc<SqliteStore>, Box<dyn Error>> {
    Ok(Arc::new(SqliteStore::open(SqliteConfig {
        path: dir.join("bench.db"),
        durability,
        command_name: "bench".to_owned(),
    })?))
}

async fn engine(store: Arc<SqliteStore>, pool_size: usize) -> Result<Engine, Box<dyn Error>> {
    let config = EngineConfig {
        tools: Arc::new(Noop::default()),
        world: Arc::new(World::new(WorldConfig::default())?),
        pool_size,
        passphrase: None,
        quotas: Quotas::default(),
        on_wrong_passphrase: Arc::new(|_| {}),
        on_halt: Arc::new(|failure| panic!("{failure}")),
    };
    Ok(Engine::open(config, store).await?)
}

fn request(definition: Value, params: Value, wait: Wait) -> RunRequest {
    let source = Source::Definition(definition);
    RunRequest {
        source,
        name: None,
        params,
        agent_id: None,
        idempotency_key: None,
        wait,
        trace: None,
    }
}

/// The middle of some spans, in milliseconds.
fn p50(mut spans: Vec<Duration>) -> f64 {
    spans.sort();
    spans.get(spans.len() / 2).map_or(f64::NAN, |span| span.as_secs_f64() * 1e3)
}

fn some_events(count: usize, at: Timestamp) -> Vec<Event> {
    let step = StepRef { ix: StepIx(0), path: "fetch".into() };
    let output =
        Value::object([("status_code", Value::from(200)), ("body", "x".repeat(120).into())]);
    let done = StepCompleted { output };
    (0..count)
        .map(|_| Event { at, kind: EventKind::StepCompleted(step.clone(), done.clone()) })
        .collect()
}

/// A hundred writers, each with a run of its own, each waiting for its acknowledgement.
pub(crate) async fn append(dir: &Path) -> Done {
    for per_commit in [1, 10] {
        let dir = dir.join(format!("append-{per_commit}"));
        std::fs::create_dir_all(&dir)?;
        let store = store(&dir, Durability::Disk)?;
        let until = Instant::now() + Duration::from_secs(5);
        let begun = Instant::now();
        let writers = (0..100_u8).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move { write(&store, writer, per_commit, until).await })
        });
        let writers: Vec<_> = writers.collect();
        let mut commits = 0;
        for writer in writers {
            commits += writer.await?;
        }
        let per_s = (commits * per_commit) as f64 / begun.elapsed().as_secs_f64();
        println!("append, 100 writers, {per_commit} events a commit, disk: {per_s:.0} events/s");
        store.close().await?;
    }
    Ok(())
}

async fn write(store: &SqliteStore, writer: u8, per_commit: usize, until: Instant) -> usize {
    let run = RunId([writer; 16]);
    let mut after = Position::default();
    let mut commits = 0;
    while Instant::now() < until {
        let row = (commits == 0).then(|| Box::new(opcode_store::blank_row()));
        let commit = Commit {
            run,
            agent_id: None,
            after,
            events: some_events(per_commit, Timestamp(1_790_000_000_000)).into(),
            row,
            decisions: Vec::new(),
            messages: Vec::new(),
            consumed: Vec::new(),
            catalog: Vec::new(),
            snapshot: None,
            effects: Vec::new(),
        };
        let answer = store.commit(Arc::new(vec![commit])).await.pop();
        match answer {
            Some(Ok(done)) => after = done.position,
            other => panic!("{other:?}"),
        }
        commits += 1;
    }
    commits
}

/// A run of a thousand events, from the file to a folded run.
pub(crate) async fn replay(dir: &Path) -> Done {
    let store = store(dir, Durability::Disk)?;
    let engine = engine(store.clone(), 20).await?;
    let definition = bench::pure_loop(249);
    let items = Value::object([("items", Value::list((0..249).map(Value::from)))]);
    let wish = request(definition.clone(), items, Wait::Settled(None));
    let RunAnswer::Settled(result) = engine.run(wish).await? else { return Err("not over".into()) };
    let plan = plan(&definition, &Noop::default()).map_err(|problems| format!("{problems:?}"))?;
    let (mut reads, mut whole, mut events) = (Vec::new(), Vec::new(), 0);
    for _ in 0..500 {
        let before = Instant::now();
        let loaded = store.load(result.workflow_id).await?.ok_or("gone")?;
        reads.push(before.elapsed());
        let mut run = Run::new(result.workflow_id, &plan);
        loaded.events.iter().for_each(|event| apply(&mut run, event));
        whole.push(before.elapsed());
        events = loaded.events.len();
    }
    println!(
        "replay of {events} events: read {:.3} ms, read and folded {:.3} ms",
        p50(reads),
        p50(whole)
    );
    Ok(engine.shutdown(Duration::from_secs(5)).await?)
}

/// A DAG that a barrier would slow down, against its critical path.
pub(crate) async fn skewed(dir: &Path) -> Done {
    let engine = engine(store(dir, Durability::Disk)?, 20).await?;
    let wish = request(bench::skewed(20, 100), Value::Null, Wait::Settled(None));
    let mut spans = Vec::new();
    for _ in 0..20 {
        let before = Instant::now();
        engine.run(wish.clone()).await?;
        spans.push(before.elapsed());
    }
    println!("skewed DAG, critical path 100 ms, disk: {:.1} ms (with a barrier: 180)", p50(spans));
    Ok(engine.shutdown(Duration::from_secs(5)).await?)
}

fn resident_mb(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kb.unwrap_or(f64::NAN) / 1024.0
}

async fn start_many(engine: &Engine, definition: &Value, count: usize) -> Done {
    let clients = (0..256).map(|client| {
        let (engine, definition) = (engine.clone(), definition.clone());
        tokio::spawn(async move {
            for _ in (client..count).step_by(256) {
                let wish = request(definition.clone(), Value::Null, Wait::Started);
                if let Err(failure) = engine.run(wish).await {
                    panic!("{failure}");
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await?;
    }
    Ok(())
}

/// Runs that wait for an hour.
pub(crate) async fn sleepers(dir: &Path, count: usize) -> Done {
    let engine = engine(store(dir, Durability::Process)?, 20).await?;
    let before = resident_mb("self");
    start_many(&engine, &bench::sleeper(), count).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let in_memory = engine.in_memory().await;
    println!(
        "{count} sleeping runs: {:.0} MB resident ({before:.0} MB before), {in_memory} in memory",
        resident_mb("self")
    );
    Ok(engine.shutdown(Duration::from_secs(5)).await?)
}

/// Fills a store with runs in flight, says so, and waits to be killed.
pub(crate) async fn fill(dir: &Path, count: usize) -> Done {
    let engine = engine(store(dir, Durability::Process)?, 20).await?;
    start_many(&engine, &bench::chain(2, "hold"), count).await?;
    println!("filled");
    std::future::pending().await
}

/// Opens what `fill` left; its effects say `moving` as soon as they do.
pub(crate) async fn moves(dir: &Path) -> Done {
    let engine = engine(store(dir, Durability::Disk)?, 20).await?;
    std::future::pending::<()>().await;
    drop(engine);
    Ok(())
}

/// Kills a process with 10,000 runs in flight, and measures from the next start to the first one moving.
pub(crate) fn recovery(dir: &Path) -> Done {
    let own = std::env::current_exe()?;
    let start = |name: &str| Command::new(&own).arg(name).arg(dir).stdout(Stdio::piped()).spawn();
    let mut filling = start("fill")?;
    await_line(&mut filling, "filled")?;
    filling.kill()?;
    filling.wait()?;
    let mut spans = Vec::new();
    for _ in 0..5 {
        let before = Instant::now();
        let mut moving = start("move")?;
        await_line(&mut moving, "moving")?;
        spans.push(before.elapsed());
        moving.kill()?;
        moving.wait()?;
    }
    println!(
        "kill -9 with 10000 runs in flight, disk: first one moving after {:.0} ms",
        p50(spans)
    );
    Ok(())
}

fn await_line(child: &mut std::process::Child, wanted: &str) -> Done {
    let out = child.stdout.take().ok_or("no output")?;
    for line in BufReader::new(out).lines() {
        if line? == wanted {
            return Ok(());
        }
    }
    Err(format!("never said {wanted}").into())
}

/// The shipped binary: how large, how long until it has answered, until its first run is on disk, and what it takes then.
pub(crate) fn start(dir: &Path) -> Done {
    let own = std::env::current_exe()?;
    let binary = own.with_file_name("opcode");
    let size =
        std::fs::metadata(&binary).map_err(|cause| format!("build opcode first: {cause}"))?;
    let mut spans = Vec::new();
    for _ in 0..50 {
        let before = Instant::now();
        Command::new(&binary).arg("version").stdout(Stdio::null()).status()?;
        spans.push(before.elapsed());
    }
    let mb = size.len() as f64 / (1 << 20) as f64;
    println!("binary: {mb:.1} MiB; `opcode version`: {:.1} ms", p50(spans));
    let definition = dir.join("sleeper.json");
    std::fs::write(&definition, serde_json::to_string(&bench::sleeper())?)?;
    let (mut ready, mut resident) = (Vec::new(), f64::NAN);
    for n in 0..10 {
        let mut holder = Command::new(&binary);
        holder.args(["run", "--detached", "--json", "--db-path"]);
        holder.arg(dir.join(format!("holder-{n}.db"))).arg(&definition).stdout(Stdio::piped());
        let before = Instant::now();
        let mut holder = holder.spawn()?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take().ok_or("no output")?).read_line(&mut said)?;
        ready.push(before.elapsed());
        std::thread::sleep(Duration::from_millis(200));
        resident = resident_mb(&holder.id().to_string());
        holder.kill()?;
        holder.wait()?;
    }
    println!(
        "a process that holds a sleeping run, disk: {:.0} ms from its start to its first run on disk; \
         {resident:.0} MB resident",
        p50(ready)
    );
    Ok(())
}
