//! `cargo sim`: lives through seeds, and tells the story of one that breaks a rule.
//!
//! Keeps: exit code 1 when a rule was broken.
//! Not here: the simulator (`opcode_testkit::sim`).

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use opcode_testkit::sim;

const USAGE: &str = "usage: sim [--seed N | --runs N [--from SEED]] [--trace]";

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let (code, text) = run(&std::env::args().skip(1).collect::<Vec<_>>());
    match writeln!(out, "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(args: &[String]) -> (ExitCode, String) {
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)?.parse::<u64>().ok()
    };
    if let Some(seed) = value("--seed") {
        if args.iter().any(|arg| arg == "--trace") {
            return (ExitCode::SUCCESS, sim::trace(seed, None));
        }
        return match sim::story(seed, None) {
            Some(story) => (ExitCode::FAILURE, story),
            None => (ExitCode::SUCCESS, format!("seed {seed} holds: {:?}", sim::live(seed, None))),
        };
    }
    let Some(runs) = value("--runs") else { return (ExitCode::FAILURE, USAGE.to_owned()) };
    let from = value("--from").unwrap_or(1);
    let began = Instant::now();
    for seed in from..from + runs {
        if let Some(story) = sim::story(seed, None) {
            return (ExitCode::FAILURE, story);
        }
    }
    let rate = runs as f64 / began.elapsed().as_secs_f64();
    (ExitCode::SUCCESS, format!("seeds {from}..{} hold; {rate:.0} seeds/s", from + runs))
}
