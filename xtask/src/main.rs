//! `cargo xt tidy | gen [--check] | mcp | ci`.
//!
//! Keeps: an exit code of 0 means that nothing is wrong; every finding is printed before it ends.
//! Not here: what is checked or written (the library beside it).

use std::process::ExitCode;
use std::time::Instant;

use xtask::house::House;
use xtask::say::{say, talk};
use xtask::{ci, generate, mcp, tidy};

const USAGE: &str =
    "cargo xt tidy         arrows, rings, headers, budgets, dead files, words, links, guests, drift
cargo xt gen          write reference pages and the arrow diagram
cargo xt gen --check  compare them with what would be written
cargo xt mcp          the protocol's conformance suite and Inspector against the built binary
cargo xt ci           form, law, meaning and paper, in order, with times";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => run_tidy(),
        ["gen"] => House::read(&xtask::house::root()).and_then(|house| generate::write(&house)),
        ["gen", "--check"] => {
            House::read(&xtask::house::root()).and_then(|house| generate::check(&house))
        }
        ["mcp"] => {
            mcp::run(&xtask::house::root(), &ci::built("opcode"), &ci::built("examples/fixtures"))
        }
        ["ci"] => ci::run(&xtask::house::root()),
        ["--help" | "-h" | "help"] => {
            say(USAGE);
            Ok(())
        }
        _ => Err(format!("not a command of this house; there are:\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            talk(&text);
            ExitCode::FAILURE
        }
    }
}

fn run_tidy() -> Result<(), String> {
    let begin = Instant::now();
    let house = House::read(&xtask::house::root())?;
    let found = tidy::whole(&house)?;
    found.iter().for_each(|violation| say(&violation.to_string()));
    let took = begin.elapsed().as_secs_f64();
    match found.len() {
        0 => talk(&format!("tidy: nothing to mend in {} files, {took:.1} s", house.files.len())),
        n => return Err(format!("tidy: {n} to mend, {took:.1} s")),
    }
    Ok(())
}
