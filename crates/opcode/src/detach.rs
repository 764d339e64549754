//! `--detach`: a background process takes the work over, and says so once it is on disk.
//!
//! Keeps: what it says until then is said to whoever started it; afterwards it writes to a log beside the database.
//! Not here: the work (`cmd/run.rs`, `cmd/signal.rs`).

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::exit::Exit;
use crate::say;
use crate::session::Session;
use crate::trouble::Trouble;

/// Starts this very command again in the background, and waits for its first word.
pub(crate) fn start() -> Result<Exit, Trouble> {
    let words = std::env::args_os().skip(1);
    start_as(words.map(|word| if word == "--detach" { "--detached".into() } else { word }))
}

/// Starts a command in the background, and waits for its first word. One of the words is `--detached`.
pub(crate) fn start_as(words: impl Iterator<Item = OsString>) -> Result<Exit, Trouble> {
    let fault = |cause: std::io::Error| {
        Trouble::fault(format!("could not start a background process: {cause}"))
    };
    let program = std::env::current_exe().map_err(fault)?;
    let mut child = Command::new(program)
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    // Both streams end when it has said what it had to say, or has ended.
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let talk = std::thread::spawn(move || all_of(stderr));
    let out = all_of(stdout).map_err(fault)?;
    let err = talk.join().unwrap_or_else(|_| Ok(String::new())).map_err(fault)?;
    if !err.is_empty() {
        say::talk(&err);
    }
    if !out.is_empty() {
        say::data(&out);
    }
    if is_acknowledged(&out) {
        return Ok(Exit::Completed);
    }
    let ended = child.wait().map_err(fault)?;
    match ended.code() {
        Some(2) => Err(Trouble::Ended(Exit::Refused)),
        Some(_) if !err.is_empty() => Err(Trouble::Ended(Exit::Fault)),
        Some(_) | None => Err(Trouble::fault(format!("the background process ended: {ended}"))),
    }
}

fn all_of(stream: Option<impl Read>) -> std::io::Result<String> {
    let mut text = String::new();
    if let Some(mut stream) = stream {
        stream.read_to_string(&mut text)?;
    }
    Ok(text)
}

/// What was refused is told in other words.
fn is_acknowledged(out: &str) -> bool {
    let first = out.trim_start();
    !first.is_empty() && !first.starts_with("{\"error\"") && !first.starts_with("{\"problems\"")
}

/// The background process leaves the terminal of whoever started it.
pub(crate) fn leave_terminal() {
    if let Err(cause) = rustix::process::setsid() {
        say::talk(&format!("could not leave the terminal: {cause}"));
    }
}

/// Where the background process writes to.
pub(crate) fn log_path(db: &Path) -> PathBuf {
    let mut name = db.as_os_str().to_owned();
    name.push(".log");
    name.into()
}

/// All is said: from here on, only the log hears anything.
pub(crate) fn hang_up(db: &Path) -> Result<(), Trouble> {
    let path = log_path(db);
    let fault = |cause: std::io::Error| {
        Trouble::fault(format!("could not write the log {}: {cause}", path.display()))
    };
    let mut log =
        OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(fault)?;
    writeln!(log, "process {} goes on in the background", std::process::id()).map_err(fault)?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null").map_err(fault)?;
    rustix::stdio::dup2_stdin(&null).map_err(|cause| fault(cause.into()))?;
    rustix::stdio::dup2_stderr(&log).map_err(|cause| fault(cause.into()))?;
    rustix::stdio::dup2_stdout(&null).map_err(|cause| fault(cause.into()))?;
    Ok(())
}

/// Goes on until nothing is open but decisions and signals.
pub(crate) async fn hold(mut session: Session) -> Result<Exit, Trouble> {
    match session.rest().await? {
        Some(exit) => session.stop().await.map(|()| exit),
        None => session.close().await.map(|()| Exit::Completed),
    }
}
