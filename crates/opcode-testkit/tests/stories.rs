//! `cargo story [filter] [--bless]`: plays every story, or those whose file, line or title contains the filter.
//!
//! Keeps: with `--bless` the files are rewritten with what the engine said, and without a filter the table of
//! transitions with what was seen; a defect is never blessed.
//! Not here: how a story is played (`opcode_testkit::story`).

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opcode_testkit::story::{Transitions, check};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let bless = arguments.iter().any(|argument| argument == "--bless");
    arguments.retain(|argument| !argument.starts_with("--"));
    match run(&arguments.join(" "), bless) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let said = writeln!(io::stderr(), "could not play the stories: {error}");
            if said.is_ok() { ExitCode::from(2) } else { ExitCode::from(3) }
        }
    }
}

fn run(filter: &str, bless: bool) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let (mut played, mut failed) = (0, 0);
    let mut seen = Transitions::default();
    for path in files()? {
        let text = fs::read_to_string(&path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let checked = check(&name.unwrap_or_default(), &text, filter);
        played += checked.played;
        seen.extend(&checked.seen);
        if bless && !checked.defective && checked.blessed != text {
            fs::write(&path, &checked.blessed)?;
            writeln!(out, "blessed {}", path.display())?;
            continue;
        }
        failed += checked.failures.len();
        for failure in &checked.failures {
            writeln!(out, "{failure}")?;
        }
    }
    if bless && filter.is_empty() && failed == 0 {
        fs::write(home().join("tests/snapshots/transitions.txt"), seen.table())?;
    }
    writeln!(out, "{played} stories played, {failed} did not go as written")?;
    Ok(failed == 0)
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every story file, by name.
fn files() -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(home().join("stories"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "story") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
