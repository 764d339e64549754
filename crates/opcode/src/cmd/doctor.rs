//! `opcode doctor`: what is in force, and whether this machine is fit.
//!
//! Keeps: changes nothing but for a scratch file that it removes; works beside whoever holds the store.
//! Not here: damage inside the store (`verify.rs`), throughput (`bench.rs`).

mod sandbox;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use opcode_model::{RunStatus, limits};
use opcode_sandbox::{Exec, ExecEnd, ExecLimits, ExecSpec, Stop};
use opcode_store::{DecisionFilter, Durability};
use serde_json::{Value as Json, json};

use crate::cli::{EngineArgs, Place};
use crate::exit::Exit;
use crate::show::table::{self, Cell, Tone};
use crate::show::{bytes, count};
use crate::trouble::Trouble;
use crate::{isolation, passphrase, say, wire};

/// Appends that are measured.
const SYNCS: usize = 50;

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Print it as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

/// What was found out about one thing.
struct Finding {
    name: &'static str,
    text: String,
    json: Json,
    /// What is wrong with it, if something is: what to do.
    cure: Option<String>,
}

impl Finding {
    fn new(name: &'static str, text: impl Into<String>, json: Json) -> Self {
        Self { name, text: text.into(), json, cure: None }
    }

    fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

pub(crate) async fn run(place: &Place, args: DoctorArgs) -> Result<Exit, Trouble> {
    let path = wire::db_path(place)?;
    let version = env!("CARGO_PKG_VERSION");
    let mut found = vec![Finding::new("version", version, json!(version))];
    found.extend(store(place, &path).await);
    found.push(durability(args.engine.durability.level()));
    found.push(holder(&path));
    found.push(disk(&path));
    found.push(syncs(&path));
    found.push(helper().await);
    let rules = isolation::rules(args.engine.sandbox.as_ref(), args.engine.limits);
    found.extend(sandbox::findings(&wire::own_program()?, &rules).await);
    let pool = wire::pool_size(&args.engine);
    found.push(Finding::new("pool", format!("{} at once", count(pool, "action")), json!(pool)));
    found.push(roots(&args.engine.fs_roots));
    found.push(vault(place, &args).await);
    found.push(house_limits());
    tell(&found, args.json);
    let is_well = found.iter().all(|finding| finding.cure.is_none());
    Ok(if is_well { Exit::Completed } else { Exit::Fault })
}

fn tell(found: &[Finding], as_json: bool) {
    if as_json {
        let pairs = found.iter().map(|it| (it.name.replace(' ', "_"), it.json.clone()));
        let mut all: serde_json::Map<String, Json> = pairs.collect();
        all.insert("ok".to_owned(), found.iter().all(|it| it.cure.is_none()).into());
        return say::json(&all);
    }
    let row = |it: &Finding| {
        let tone = if it.cure.is_some() { Tone::Bad } else { Tone::Plain };
        vec![Cell::toned(it.name, Tone::Dim), Cell::toned(it.text.clone(), tone)]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    say::data(&table::lines(&rows, 0, usize::MAX, say::out()).join("\n"));
    for cure in found.iter().filter_map(|it| it.cure.as_ref()) {
        say::hint(cure);
    }
}

/// Whether secrets can be opened, and how many there are.
async fn vault(place: &Place, args: &DoctorArgs) -> Finding {
    let read = wire::reader_or_empty(place).await.map(|reader| reader.secrets().clone());
    let all = match read {
        Ok(secrets) => secrets.list().await.unwrap_or_default().len(),
        Err(_) => 0,
    };
    let secrets = count(all, "secret");
    match passphrase::find(args.engine.vault_key_file.as_deref()) {
        Ok(Some(_)) => {
            let text = format!("{secrets}, and a passphrase here");
            Finding::new("vault", text, json!({"secrets": all, "passphrase": true}))
        }
        Ok(None) => {
            let text = format!("{secrets}, and no passphrase here");
            Finding::new("vault", text, json!({"secrets": all, "passphrase": false}))
        }
        Err(trouble) => {
            let json = json!({"secrets": all, "error": trouble.to_string()});
            Finding::new("vault", trouble.to_string(), json).cure("see OPCODE_VAULT_KEY_FILE")
        }
    }
}

/// The store and what is in it.
async fn store(here: &Place, path: &Path) -> Vec<Finding> {
    let place = path.display().to_string();
    if !path.exists() {
        let text = format!("{place} (not there yet)");
        return vec![Finding::new("store", text, json!({"path": place, "exists": false}))];
    }
    let reader = match wire::reader(here).await {
        Ok(reader) => reader,
        Err(trouble) => {
            let json = json!({"path": place, "exists": true, "error": trouble.to_string()});
            let finding = Finding::new("store", trouble.to_string(), json);
            return vec![finding.cure(trouble.cure())];
        }
    };
    let about = reader.about();
    let size = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(PathBuf::from(name)).map_or(0, |file| file.len())
    };
    let (db, wal) = (size(""), size("-wal"));
    let text = format!("{place}, {} and {} of log", bytes(db), bytes(wal));
    let json = json!({"path": place, "exists": true, "db_bytes": db, "wal_bytes": wal});
    let backend = format!("{} {}, schema {}", about.backend, about.version, about.schema);
    let facts = json!({"name": about.backend, "version": about.version, "schema": about.schema});
    vec![
        Finding::new("store", text, json),
        Finding::new("backend", backend, facts),
        open(&reader).await,
    ]
}

/// What is not over.
async fn open(reader: &opcode_runtime::Reader) -> Finding {
    let filter = DecisionFilter { limit: 1_000_000, ..DecisionFilter::default() };
    let (open, decisions) = match (reader.open().await, reader.decisions(filter).await) {
        (Ok(open), Ok(decisions)) => (open, decisions.len()),
        (Err(failure), _) | (_, Err(failure)) => {
            let text = failure.to_string();
            return Finding::new("unfinished", text.clone(), json!({"error": text}))
                .cure("look closer with `opcode verify`");
        }
    };
    let suspended = open.iter().filter(|one| one.status == RunStatus::Suspended).count();
    let text = match open.len() {
        0 => "nothing".to_owned(),
        n => format!(
            "{}, {suspended} suspended, {}",
            count(n, "workflow"),
            count(decisions, "open decision")
        ),
    };
    let json = json!({"workflows": open.len(), "suspended": suspended, "decisions": decisions});
    Finding::new("unfinished", text, json)
}

fn durability(level: Durability) -> Finding {
    let meaning = match level {
        Durability::Disk => "what is acknowledged survives loss of power",
        Durability::Process => "what is acknowledged survives kill -9, not loss of power",
        Durability::Memory => "nothing survives this process",
    };
    let json = json!({"level": level.text(), "meaning": meaning});
    Finding::new("durability", format!("{}: {meaning}", level.text()), json)
}

/// Who has the store now.
fn holder(path: &Path) -> Finding {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let held = File::open(PathBuf::from(&name)).map(|file| file.try_lock_shared());
    let Ok(Err(TryLockError::WouldBlock)) = held else {
        return Finding::new("holder", "nobody", Json::Null);
    };
    let note = std::fs::read_to_string(PathBuf::from(name)).unwrap_or_default();
    let mut lines = note.lines();
    let pid: Option<u32> = lines.next().and_then(|pid| pid.parse().ok());
    let command = lines.next().unwrap_or("another process");
    let text = pid.map_or_else(|| command.to_owned(), |pid| format!("process {pid} ({command})"));
    Finding::new("holder", text, json!({"pid": pid, "command": command}))
}

/// The directory of the database, or the nearest one above it that is there.
fn folder(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let above = path.ancestors().skip(1).find(|folder| folder.is_dir());
    above.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn disk(path: &Path) -> Finding {
    match rustix::fs::statvfs(folder(path)) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let finding =
                Finding::new("disk", format!("{} free", bytes(free)), json!({"free_bytes": free}));
            match free < 2 * limits::WAL_BYTES_MAX {
                true => finding.cure("free space on this disk"),
                false => finding,
            }
        }
        Err(cause) => Finding::new("disk", cause.to_string(), json!({"error": cause.to_string()})),
    }
}

/// How long it takes until a small append is on this disk.
fn syncs(path: &Path) -> Finding {
    let scratch = folder(path).join(format!(".opcode-doctor-{}", std::process::id()));
    let measured = measure(&scratch);
    if scratch.exists()
        && let Err(cause) = std::fs::remove_file(&scratch)
    {
        say::talk(&format!("could not remove {}: {cause}", scratch.display()));
    }
    match measured {
        Ok(mut spans) => {
            spans.sort();
            let us = |place: usize| spans.get(place).map_or(0, Duration::as_micros);
            let (p50, p95) = (us(SYNCS / 2), us(SYNCS * 95 / 100));
            let ms = |us: u128| us as f64 / 1_000.0;
            let text = format!("{:.2}ms for 4 KiB, 95 of 100 within {:.2}ms", ms(p50), ms(p95));
            Finding::new("sync", text, json!({"p50_us": p50, "p95_us": p95, "samples": SYNCS}))
        }
        Err(cause) => {
            let text = format!("could not write in {}: {cause}", folder(path).display());
            Finding::new("sync", text.clone(), json!({"error": text}))
                .cure("let this user write there, or name another place: --db-path FILE")
        }
    }
}

fn measure(scratch: &Path) -> std::io::Result<Vec<Duration>> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(scratch)?;
    let page = [b'.'; 4_096];
    let mut spans = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        spans.push(begun.elapsed());
    }
    Ok(spans)
}

/// Whether programs can be run and their end be told.
async fn helper() -> Finding {
    match try_helper().await {
        Ok(()) => Finding::new("helper", "runs programs and sees them end", json!({"ok": true})),
        Err(cause) => {
            let json = json!({"ok": false, "error": cause});
            Finding::new("helper", cause, json).cure("shell.exec will not work here")
        }
    }
}

async fn try_helper() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|cause| cause.to_string())?;
    let path = opcode_actions::WorldConfig::default().path;
    let spec = ExecSpec {
        program: "true".to_owned(),
        env: [("PATH".to_owned(), path)].into(),
        ..ExecSpec::default()
    };
    let limits = ExecLimits { timeout: Some(Duration::from_secs(5)), ..ExecLimits::default() };
    match Exec::new(program, None).run(&spec, b"", &limits, &Stop::never()).await {
        Ok(outcome) if outcome.end == ExecEnd::Exited(0) => Ok(()),
        Ok(outcome) => Err(format!("`true` ended with {:?}", outcome.end)),
        Err(fault) => Err(fault.to_string()),
    }
}

fn roots(roots: &[PathBuf]) -> Finding {
    let names: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    let text = match names.as_slice() {
        [] => "everywhere this user may".to_owned(),
        names => names.join(", "),
    };
    let json = if names.is_empty() { Json::Null } else { json!(names) };
    Finding::new("file roots", text, json)
}

fn house_limits() -> Finding {
    let text = format!(
        "{} a definition, {} a workflow, {} an output",
        bytes(limits::DEFINITION_BYTES_MAX as u64),
        count(limits::RUN_STEPS_MAX, "step"),
        bytes(limits::OUTPUT_BYTES_MAX as u64),
    );
    let json = json!({
        "definition_bytes": limits::DEFINITION_BYTES_MAX,
        "definition_steps": limits::DEFINITION_STEPS_MAX,
        "nesting_depth": limits::NESTING_DEPTH_MAX,
        "loop_iterations": limits::LOOP_ITERATIONS_MAX,
        "run_steps": limits::RUN_STEPS_MAX,
        "run_events": limits::RUN_EVENTS_MAX,
        "open_decisions": limits::OPEN_DECISIONS_MAX,
        "input_bytes": limits::INPUT_BYTES_MAX,
        "output_bytes": limits::OUTPUT_BYTES_MAX,
        "wal_bytes": limits::WAL_BYTES_MAX,
    });
    Finding::new("limits", text, json)
}
