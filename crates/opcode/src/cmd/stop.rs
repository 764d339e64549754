//! `opcode stop`: ends the server that holds the store, and waits for that.
//!
//! Keeps: only the process that holds this store's lock is told; it lets what is in flight end, as on any SIGTERM.
//! Not here: how it ends (`serve.rs`).

use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::cli::Place;
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{cmd, daemon, say};

#[derive(Args, Debug)]
pub(crate) struct StopArgs {
    /// How long to wait until it has ended
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = cmd::duration)]
    wait: Duration,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(place: &Place, args: &StopArgs) -> Result<Exit, Trouble> {
    let Some(daemon) = daemon::find(place)? else {
        match args.json {
            true => say::json(&json!({"stopped": null})),
            false => say::data("no server holds this store"),
        }
        return Ok(Exit::Completed);
    };
    let pid = i32::try_from(daemon.pid).ok().and_then(Pid::from_raw);
    let told = pid.map(|pid| kill_process(pid, Signal::TERM));
    if let Some(Err(cause)) = told {
        let message = format!("could not tell process {} to end: {cause}", daemon.pid);
        return Err(Trouble::fault(message).hint("it may be somebody else's: ask its owner"));
    }
    let begun = Instant::now();
    while daemon::find(place)?.is_some_and(|other| other.pid == daemon.pid) {
        if begun.elapsed() > args.wait {
            let message = format!("process {} has not ended yet", daemon.pid);
            let hint = "its actions may need longer: wait, or call it again to end them at once";
            return Err(Trouble::fault(message).hint(hint));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    match args.json {
        true => say::json(&json!({"stopped": daemon.pid})),
        false => say::data(&format!("stopped process {}", daemon.pid)),
    }
    Ok(Exit::Completed)
}
