//! Starts many programs, one way after the other: how long each takes, and whether anything is left afterwards.
//!
//! Keeps: a process, mount, control group or descriptor that was not there before is a failure.
//! Not here: what the programs may do (`tests/`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use opcode_model::{Limits, Profile};
use opcode_sandbox::policy::Demand;
use opcode_sandbox::{Exec, ExecEnd, ExecLimits, ExecSpec, Stop};

/// The ways a program can be started.
const WAYS: [&str; 4] = ["bare", "process", "isolated", "isolated and limited"];
/// How long the kernel may take to take away what nobody holds any more.
const SETTLE: Duration = Duration::from_secs(5);

/// `spawn COUNT [HELPER]`: starts so many programs in each way, under this program or another helper.
pub(crate) async fn run(args: &[String]) -> ExitCode {
    let [count, helper @ ..] = args else { return ExitCode::from(2) };
    let Ok(count) = count.parse::<usize>() else { return ExitCode::from(2) };
    let own = std::env::current_exe().unwrap_or_default();
    let exec = Exec::new(helper.first().map_or(own, PathBuf::from), None);
    let mut is_clean = true;
    for way in WAYS {
        // The first one opens what stays open: the runtime's own descriptors.
        if let Err(why) = one(&exec, way).await {
            eprintln!("{way}: {why}");
            return ExitCode::FAILURE;
        }
        let before = There::now();
        let mut spans = Vec::with_capacity(count);
        for _ in 0..count {
            match one(&exec, way).await {
                Ok(span) => spans.push(span),
                Err(why) => {
                    eprintln!("{way}: {why}");
                    return ExitCode::FAILURE;
                }
            }
        }
        let left = settled(&before).await;
        spans.sort();
        let at =
            |percent: usize| spans.get(spans.len() * percent / 100).copied().unwrap_or_default();
        eprintln!("{way}: {count} runs, p50 {:?}, p95 {:?}, left: {left}", at(50), at(95));
        is_clean &= left == "nothing";
    }
    if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn one(exec: &Exec, way: &str) -> Result<Duration, String> {
    let begun = Instant::now();
    if way == "bare" {
        let ended = tokio::process::Command::new("true").output().await;
        let ended = ended.map_err(|error| error.to_string())?;
        return ended.status.success().then(|| begun.elapsed()).ok_or_else(|| "failed".to_owned());
    }
    let profile = if way == "process" { Profile::Process } else { Profile::Isolated };
    let limits = match way {
        "isolated and limited" => {
            Limits { memory_bytes: Some(64 << 20), pids: Some(16), ..Limits::default() }
        }
        _ => Limits::default(),
    };
    let plan = exec.plan(Demand { profile, limits, ..Demand::default() }).await;
    let spec = ExecSpec {
        program: "true".to_owned(),
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        plan: plan.map_err(|fault| fault.to_string())?.into(),
        ..ExecSpec::default()
    };
    let outcome = exec.run(&spec, b"", &ExecLimits::default(), &Stop::never()).await;
    let end = outcome.map_err(|fault| fault.to_string())?.end;
    (end == ExecEnd::Exited(0)).then(|| begun.elapsed()).ok_or_else(|| format!("{end:?}"))
}

/// What could be left behind.
#[derive(Debug, PartialEq, Eq)]
struct There {
    children: usize,
    mounts: usize,
    groups: BTreeSet<PathBuf>,
    descriptors: usize,
}

impl There {
    fn now() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mut groups = BTreeSet::new();
        ours(Path::new("/sys/fs/cgroup"), 0, &mut groups);
        let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Self { children: children(), mounts: mounts.lines().count(), groups, descriptors }
    }
}

/// How many processes are this one's children, or have ended as such.
fn children() -> usize {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let children = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).ok();
    tasks.filter_map(children).map(|text| text.split_whitespace().count()).sum()
}

/// The groups this process's helpers could have made.
fn ours(at: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    let folders = fs::read_dir(at).into_iter().flatten().flatten();
    for folder in folders.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if folder.file_name().to_string_lossy().starts_with("opcode-process-") {
            found.insert(folder.path());
        } else if depth < 8 {
            ours(&folder.path(), depth + 1, found);
        }
    }
}

/// What is left, in words, once it does not become less any more.
async fn settled(before: &There) -> String {
    let begun = Instant::now();
    loop {
        let now = There::now();
        let fewer = now.children <= before.children
            && now.mounts <= before.mounts
            && now.groups.is_subset(&before.groups)
            && now.descriptors <= before.descriptors;
        if fewer {
            return "nothing".to_owned();
        }
        if begun.elapsed() > SETTLE {
            return format!("{now:?}, before {before:?}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
