//! Everything that must hold before a change lands, in order, cheapest first, each step with its time and its limit.
//!
//! Keeps: a step's own output is seen as it comes; a stage that fails stops the next stages, not its own steps.
//! Not here: getting the tools (`.ci/run`).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::house::House;
use crate::say::{say, talk};
use crate::tidy::guests;

/// One command, and for how long it may run.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which stage it belongs to.
    pub stage: &'static str,
    /// What to run.
    pub words: Vec<String>,
    /// What to set in its environment.
    pub environment: Vec<(&'static str, String)>,
    /// When it is ended.
    pub minutes_max: u64,
}

/// Where a step's lines go as they come.
type Show = fn(&str);

/// How a step went.
#[derive(Clone, Debug)]
struct Outcome {
    line: String,
    failed: bool,
}

/// Every step, in order.
pub fn steps(pure: &[String]) -> Vec<Step> {
    let step = |stage, minutes_max, words: &[&str]| Step {
        stage,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        environment: Vec::new(),
        minutes_max,
    };
    let mut wasm = step("law", 8, &["cargo", "build", "--target", "wasm32-unknown-unknown"]);
    wasm.words.extend(pure.iter().flat_map(|name| ["--package".to_owned(), name.clone()]));
    let mut paper = step("paper", 8, &["cargo", "doc", "--workspace", "--no-deps"]);
    paper.environment.push(("RUSTDOCFLAGS", "-D warnings".to_owned()));
    let mut drift = step("meaning", 5, &["cargo", "xt", "gen", "--check"]);
    drift.environment.push(("OPCODE_BIN", built("opcode").to_string_lossy().into_owned()));
    vec![
        step("form", 2, &["cargo", "fmt", "--all", "--check"]),
        step("form", 5, &["cargo", "xt", "tidy"]),
        step(
            "law",
            15,
            &["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        ),
        wasm,
        // Not a member of the workspace: what it compares with must not reach the product.
        step(
            "law",
            8,
            &["cargo", "check", "--manifest-path", "bench-lang/Cargo.toml", "--benches"],
        ),
        step("meaning", 30, &["cargo", "test", "--workspace"]),
        drift,
        step("meaning", 8, &["cargo", "xt", "mcp"]),
        step(
            "evidence",
            15,
            &[
                "cargo",
                "run",
                "--package",
                "opcode-testkit",
                "--bin",
                "sim_mutants",
                "--",
                "--every",
                "2",
            ],
        ),
        paper,
    ]
}

/// Where the tests before left a binary.
pub fn built(name: &str) -> PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Path::new(&target).join("debug").join(name)
}

/// Runs every step; an error says how many failed.
pub fn run(root: &Path) -> Result<(), String> {
    let house = House::read(root)?;
    let begin = Instant::now();
    let outcomes = perform_all(root, &steps(&guests::pure(&house.toml("Cargo.toml")?)), say);
    say("");
    outcomes.iter().for_each(|outcome| say(&outcome.line));
    let failed = outcomes.iter().filter(|outcome| outcome.failed).count();
    let took = begin.elapsed().as_secs();
    match failed {
        0 => say(&format!("ci: everything holds, {} min {:02} s", took / 60, took % 60)),
        n => return Err(format!("ci: {n} failed, {} min {:02} s", took / 60, took % 60)),
    }
    Ok(())
}

fn perform_all(root: &Path, steps: &[Step], show: Show) -> Vec<Outcome> {
    let mut failed_stage = None;
    let outcomes = steps.iter().map(|step| {
        if failed_stage.is_some_and(|stage| stage != step.stage) {
            return Outcome { line: row("not run", None, step), failed: false };
        }
        let outcome = perform(root, step, show);
        failed_stage = failed_stage.or(outcome.failed.then_some(step.stage));
        outcome
    });
    outcomes.collect()
}

fn row(word: &str, took: Option<Duration>, step: &Step) -> String {
    let took = took.map_or(String::new(), |took| format!("{:.1} s", took.as_secs_f64()));
    format!("{:<8} {word:<8} {took:>8}  {}", step.stage, step.words.join(" "))
}

fn perform(root: &Path, step: &Step, show: Show) -> Outcome {
    talk(&format!("\n── {} ── {}", step.stage, step.words.join(" ")));
    let begin = Instant::now();
    let mut tally = Tally::default();
    let ended = follow(root, step, show, &mut tally);
    let took = Some(begin.elapsed());
    let mut line = match &ended {
        Ok(status) if status.success() => row("ok", took, step),
        Ok(_) => row("FAILED", took, step),
        Err(error) => format!("{}: {error}", row("FAILED", took, step)),
    };
    if tally.binaries > 0 {
        line.push_str(&format!("\n{:27}{}", "", tally.line()));
    }
    Outcome { line, failed: !ended.is_ok_and(|status| status.success()) }
}

/// Runs a step, passing its lines on, until it ends or its time is up.
fn follow(root: &Path, step: &Step, show: Show, tally: &mut Tally) -> Result<ExitStatus, String> {
    let deadline = Instant::now() + Duration::from_secs(60 * step.minutes_max);
    let (program, args) = step.words.split_first().ok_or("a step without words")?;
    let mut command = Command::new(program);
    command.args(args).envs(step.environment.clone()).current_dir(root);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("could not run {program}: {error}"))?;
    let (send, lines) = mpsc::channel();
    let stdout = child.stdout.take().ok_or("a step without output")?;
    let reader = thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines.map(|line| send.send(line)).all(|sent| sent.is_ok())
    });
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                tally.read(&line);
                show(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => return Err(end(&mut child, step.minutes_max)),
        }
    }
    if reader.join().is_err() {
        return Err("the reader of its output panicked".to_owned());
    }
    child.wait().map_err(|error| format!("could not wait for {program}: {error}"))
}

fn end(child: &mut Child, minutes: u64) -> String {
    let ended = child.kill().and_then(|()| child.wait());
    let so = if ended.is_ok() { "" } else { ", and it would not end" };
    format!("not done in {minutes} min{so}")
}

/// The closing lines of test binaries, added up.
#[derive(Debug, Default)]
struct Tally {
    binaries: u32,
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    fn read(&mut self, line: &str) {
        let Some(facts) = line.strip_prefix("test result: ") else { return };
        self.binaries += 1;
        for fact in facts.split([';', '.']).map(str::trim) {
            let Some((number, word)) = fact.split_once(' ') else { continue };
            let number = number.parse().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    fn line(&self) -> String {
        let Self { binaries, passed, failed, ignored } = self;
        let verdict = if *failed == 0 { "ok" } else { "FAILED" };
        format!(
            "test result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; {binaries} binaries"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.read("test result: FAILED. 4 passed; 2 failed; 1 ignored; 0 measured");
        tally.read("test it::one ... ok");
        assert_eq!(tally.line(), "test result: FAILED. 7 passed; 2 failed; 1 ignored; 2 binaries");
    }

    fn shell(stage: &'static str, minutes_max: u64, script: &str) -> Step {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        Step { stage, words, environment: vec![("WORD", "test".to_owned())], minutes_max }
    }

    fn said(steps: &[Step]) -> Vec<(bool, String)> {
        let outcomes = perform_all(Path::new("."), steps, |_| {});
        outcomes.into_iter().map(|outcome| (outcome.failed, outcome.line)).collect()
    }

    #[test]
    fn a_failed_stage_ends_itself_and_stops_the_next() {
        let said = said(&[
            shell("one", 5, "echo \"$WORD result: ok. 3 passed; 0 failed; 0 ignored\""),
            shell("two", 5, "exit 3"),
            shell("two", 5, "exit 0"),
            shell("three", 5, "exit 0"),
        ]);
        let failed: Vec<bool> = said.iter().map(|(failed, _)| *failed).collect();
        assert_eq!(failed, [false, true, false, false]);
        assert!(said[0].1.ends_with("test result: ok. 3 passed; 0 failed; 0 ignored; 1 binaries"));
        assert!(said[1].1.contains("FAILED") && said[2].1.contains(" ok "), "{said:?}");
        assert!(said[3].1.contains("not run"), "{said:?}");
    }

    #[test]
    fn a_step_that_does_not_end_is_ended() {
        let said = said(&[shell("one", 0, "exec tail -f /dev/null")]);
        assert!(said[0].0 && said[0].1.ends_with("not done in 0 min"), "{said:?}");
    }

    #[test]
    fn the_tests_run_by_the_command_the_readme_gives() {
        let steps = steps(&["opcode-model".to_owned()]);
        assert!(steps.iter().any(|step| step.words == ["cargo", "test", "--workspace"]));
    }
}
