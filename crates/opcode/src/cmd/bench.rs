//! `opcode bench`: measures this machine, its disk calibrated in the same minute.
//!
//! Keeps: it works in a directory of its own and leaves nothing behind; the durability level stands beside every figure.
//! Not here: the load (`bench/load.rs`), comparing with others (`docs/benchmarks.md`).

pub(crate) mod calibrate;
mod load;
mod tools;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use self::calibrate::calibrate;
use self::load::{Load, measure};
use crate::cli::DurabilityArg;
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{cmd, say};

#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// Workflows at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = cmd::count)]
    pub(crate) clients: usize,
    /// Steps of each
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = cmd::count)]
    pub(crate) steps: usize,
    /// What the steps do
    #[arg(long, default_value = "pure")]
    pub(crate) kind: Kind,
    /// Survive power loss (disk) or kill -9 (process)
    #[arg(long, value_name = "LEVEL", default_value = "disk", hide_possible_values = true)]
    pub(crate) durability: DurabilityArg,
    /// How long to measure
    #[arg(long, value_name = "S", default_value = "5s", value_parser = seconds)]
    pub(crate) seconds: Duration,
    /// Where to make the database [default: a new one, here]
    #[arg(long, value_name = "D")]
    pub(crate) dir: Option<PathBuf>,
    /// Print the figures as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the steps of a measured workflow do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    // Nothing outside.
    Pure,
    // An outside effect each.
    Effect,
}

/// `5`, or `500ms`.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => cmd::duration(text),
    }
}

pub(crate) async fn run(args: BenchArgs) -> Result<Exit, Trouble> {
    let parent = args.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let dir = parent.join(format!("opcode-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|cause| unusable(&dir, &cause))?;
    let figures = figures(&args, &dir).await;
    std::fs::remove_dir_all(&dir).map_err(|cause| unusable(&dir, &cause))?;
    let figures = figures?;
    if args.json {
        say::json(&figures);
    } else {
        say::data(&figures.lines().join("\n"));
    }
    Ok(Exit::Completed)
}

/// What was measured, under the names that `--json` gives.
#[derive(Clone, Debug, Serialize)]
struct Figures {
    workflows_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    commits_per_workflow: f64,
    events_per_s: f64,
    durability: &'static str,
    fsync_p50_ms: f64,
    fsync_per_s: f64,
    clients: usize,
    steps: usize,
    kind: &'static str,
    seconds: f64,
}

impl Figures {
    /// For people, a figure a line.
    fn lines(&self) -> Vec<String> {
        let level = self.durability;
        vec![
            format!(
                "{} clients, workflows of {} {} steps, durability {level}",
                self.clients, self.steps, self.kind
            ),
            format!("  workflows            {:>10.0} /s", self.workflows_per_s),
            format!("  latency p50          {:>10.3} ms", self.p50_ms),
            format!("  latency p99          {:>10.3} ms", self.p99_ms),
            format!("  commits a workflow   {:>10.3}", self.commits_per_workflow),
            format!("  events               {:>10.0} /s", self.events_per_s),
            "this disk, in the same minute".to_owned(),
            format!("  one sync p50         {:>10.3} ms", self.fsync_p50_ms),
            format!("  syncs                {:>10.0} /s", self.fsync_per_s),
        ]
    }
}

async fn figures(args: &BenchArgs, dir: &Path) -> Result<Figures, Trouble> {
    let durability = args.durability.level();
    let load = Load {
        clients: args.clients,
        steps: args.steps,
        effects: args.kind == Kind::Effect,
        durability,
        span: args.seconds,
    };
    let disk = calibrate(dir).map_err(|cause| unusable(dir, &cause))?;
    let measured = measure(dir, load).await?;
    Ok(Figures {
        workflows_per_s: measured.workflows_per_s,
        p50_ms: measured.p50_ms,
        p99_ms: measured.p99_ms,
        commits_per_workflow: measured.commits_per_workflow,
        events_per_s: measured.events_per_s,
        durability: durability.text(),
        fsync_p50_ms: disk.p50_ms,
        fsync_per_s: disk.per_s,
        clients: load.clients,
        steps: load.steps,
        kind: if load.effects { "effect" } else { "pure" },
        seconds: args.seconds.as_secs_f64(),
    })
}

fn unusable(dir: &Path, cause: &std::io::Error) -> Trouble {
    Trouble::usage(format!("could not use {}: {cause}", dir.display()))
        .hint("name a directory that can be written with `--dir`")
}
