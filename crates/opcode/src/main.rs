//! The binary: durable JSON workflows from the command line.
//!
//! Keeps: `--help` and `version` touch nothing; the helper of child processes starts before anything else is set up.
//! Not here: what a command does (`cmd/`), how things are wired (`wire.rs`), how they are said (`say.rs`).

mod beside;
mod bridge;
mod cli;
mod cmd;
mod daemon;
mod detach;
mod distant;
mod docs;
mod exit;
mod follow;
mod isolation;
mod live;
mod logs;
mod once;
mod passphrase;
mod place;
mod plugins;
mod say;
mod session;
mod settings;
mod show;
mod source;
mod takeover;
mod traces;
mod trouble;
mod usage;
mod wire;

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let first = args.next();
    match first.as_deref().and_then(OsStr::to_str) {
        Some("__exec") => return opcode_sandbox::helper_main(args),
        Some("__docs") => return docs::write(args.next()),
        Some(_) | None => {}
    }
    let (cli, settings) = match Cli::read() {
        Ok(read) => read,
        Err(exit) => return exit.code(),
    };
    if cli.command.is_detached() {
        detach::leave_terminal();
    }
    say::finish(run(cli, &settings)).code()
}

fn run(cli: Cli, settings: &Settings) -> Exit {
    let as_json = cli.command.wants_json();
    if let Err(trouble) = logs::start(cli.command.logs(), settings) {
        return trouble.tell(as_json);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(cmd::run(cli));
            // What still reads a terminal or talks to nobody is not waited for.
            runtime.shutdown_background();
            outcome
        }
        Err(cause) => Err(trouble::Trouble::fault(format!("could not start: {cause}"))),
    };
    match outcome {
        Ok(exit) => exit,
        Err(trouble) => trouble.tell(as_json),
    }
}
