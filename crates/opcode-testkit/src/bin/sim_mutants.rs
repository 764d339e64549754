//! Plants each bug of `sim::MUTATIONS` in a copy of the workspace, builds the simulator there, and lets it hunt.
//!
//! Keeps: the checkout is only read; a bug that is not found within the seeds is an error.
//! Not here: the bugs (`sim/mutations.rs`).

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use opcode_testkit::sim::{MUTATIONS, Mutation};

/// Seeds within which a bug must be found.
const SEEDS: &str = "2000";

fn main() -> ExitCode {
    match hunt() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            let said = writeln!(io::stderr(), "could not hunt: {why}");
            debug_assert!(said.is_ok(), "stderr is there");
            ExitCode::FAILURE
        }
    }
}

/// Whether every bug was found.
fn hunt() -> io::Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let place = root.join("target/mutants");
    let copy = place.join("workspace");
    let mut all = true;
    mirror(&root, &copy)?;
    for mutation in wanted()? {
        let file = copy.join(mutation.file);
        let whole = fs::read_to_string(&file)?;
        fs::write(&file, plant(mutation, &whole)?)?;
        let verdict = verdict(&simulate(&copy, &place.join("target"))?);
        fs::write(&file, whole)?;
        all &= verdict.is_ok();
        let text = verdict.unwrap_or_else(|why| format!("NOT FOUND: {why}"));
        writeln!(io::stdout(), "{:<46} {text}", mutation.name)?;
    }
    Ok(all)
}

/// All of them; with `--every N` one of N; with a part of a name those that have it.
fn wanted() -> io::Result<Vec<&'static Mutation>> {
    let mut args = std::env::args().skip(1);
    let Some(first) = args.next() else { return Ok(MUTATIONS.iter().collect()) };
    if first != "--every" {
        return Ok(MUTATIONS.iter().filter(|it| it.name.contains(first.as_str())).collect());
    }
    match args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0) {
        Some(n) => Ok(MUTATIONS.iter().step_by(n).collect()),
        None => Err(io::Error::other("--every needs a number from 1")),
    }
}

fn plant(mutation: &Mutation, whole: &str) -> io::Result<String> {
    if whole.matches(mutation.from).count() == 1 {
        return Ok(whole.replacen(mutation.from, mutation.to, 1));
    }
    let what = format!("`{}` must occur once in {}", mutation.from, mutation.file);
    Err(io::Error::other(what))
}

/// Copies sources, leaving alone what is the same, so that cargo builds only what changed. What is no source any more
/// goes from the copy as well.
fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let copy = entry?.path();
        let source = copy.file_name().map(|name| from.join(name));
        let is_same_kind = source.is_some_and(|it| it.exists() && it.is_dir() == copy.is_dir());
        if !is_same_kind && copy.is_dir() {
            fs::remove_dir_all(&copy)?;
        } else if !is_same_kind {
            fs::remove_file(&copy)?;
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let (source, copy): (PathBuf, PathBuf) = (entry.path(), to.join(&name));
        if name == "target" || name == ".git" {
            continue;
        }
        if fs::metadata(&source)?.is_dir() {
            mirror(&source, &copy)?;
        } else if fs::read(&source)? != fs::read(&copy).unwrap_or_default() || !copy.exists() {
            fs::copy(&source, &copy)?;
        }
    }
    Ok(())
}

fn simulate(copy: &Path, target: &Path) -> io::Result<Output> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = ["run", "--quiet", "--package", "opcode-testkit", "--bin", "sim", "--"];
    let mut run = Command::new(cargo);
    run.current_dir(copy).env("CARGO_TARGET_DIR", target).env("RUST_BACKTRACE", "0");
    run.env("RUSTFLAGS", "--cap-lints=allow").args(args).args(["--runs", SEEDS]).output()
}

/// The first line of the story, or why there is none.
fn verdict(output: &Output) -> Result<String, String> {
    let said = String::from_utf8_lossy(&output.stdout);
    let first = said.lines().next().unwrap_or_default();
    if !output.status.success() && first.starts_with("seed ") {
        return Ok(first.chars().take(110).collect());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    let error = why.lines().find(|line| line.starts_with("error")).unwrap_or(first);
    Err(error.to_owned())
}
