//! A development tool for tests: the helper as a program of its own, a parent that can be killed, and many programs
//! one after the other.
//!
//! Keeps: it is never shipped; the shipped binary runs the same function as `opcode __exec`.
//! Not here: the helper itself (`helper/`).

mod spawn;

use std::ffi::OsString;
use std::process::ExitCode;

use opcode_sandbox::{Exec, ExecLimits, ExecSpec, Stop, helper_main};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|first| first.to_str()) {
        Some("hold") => hold(&args[1..]),
        Some("spawn") => spawning(&args[1..]),
        Some(_) | None => helper_main(args),
    }
}

fn spawning(args: &[OsString]) -> ExitCode {
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::from(2) };
    runtime.block_on(spawn::run(&args))
}

/// `hold ATTEMPTS_DIR KEY SCRIPT`: runs a shell script under this same program, and waits for it.
fn hold(args: &[OsString]) -> ExitCode {
    let texts: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let [dir, key, script] = texts.as_slice() else { return ExitCode::from(2) };
    let (Ok(me), Ok(runtime)) = (std::env::current_exe(), tokio::runtime::Runtime::new()) else {
        return ExitCode::from(2);
    };
    let spec = ExecSpec {
        program: "/bin/sh".to_owned(),
        args: vec!["-c".to_owned(), script.clone()],
        env: [
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            (opcode_sandbox::IDEMPOTENCY_KEY_ENV.to_owned(), key.clone()),
        ]
        .into(),
        key: Some(key.as_str().into()),
        ..ExecSpec::default()
    };
    let exec = Exec::new(me, Some(dir.into()));
    match runtime.block_on(exec.run(&spec, b"", &ExecLimits::default(), &Stop::never())) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
