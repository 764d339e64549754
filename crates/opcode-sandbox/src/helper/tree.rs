//! Ends everything below this process.
//!
//! Keeps: when `kill_all` returns, this process has no descendants; it is their reaper, so none can slip away.
//! Not here: when to do it (`helper/mod.rs`).

use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, wait};

use crate::{note, procfs};

/// Takes in whoever has ended; tells how `direct` ended, if it is among them.
pub(super) fn reap(direct: Pid) -> Option<WaitStatus> {
    let mut ended = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == direct {
            ended = Some(status);
        }
    }
    ended
}

/// Asks everything below to end.
pub(super) fn terminate_all() {
    for process in procfs::descendants(getpid()) {
        note::signal(process, Signal::TERM);
    }
}

/// How long is waited for what we may not kill.
const UNKILLABLE: Duration = Duration::from_secs(1);

/// Kills everything below that we may kill, where some of it may have gained other rights.
pub(super) fn kill_what_we_may() {
    let begun = Instant::now();
    while has_children() && begun.elapsed() < UNKILLABLE {
        procfs::descendants(getpid()).into_iter().for_each(note::kill);
        // What has other rights may not even be watched; the helper has nothing else to do.
        std::thread::sleep(UNKILLABLE / 50);
    }
}

/// Kills everything below, also what is born meanwhile, and takes it all in.
pub(super) fn kill_all() {
    // Whoever lost its parent is a child of ours: without children there is nobody below, and nothing to look through.
    while has_children() {
        let below = procfs::descendants(getpid());
        let me = getpid().as_raw_nonzero().get();
        let any_direct = below.iter().any(|process| process.parent == me);
        below.into_iter().for_each(note::kill);
        if any_direct {
            // Every direct child has been killed, so waiting for one of them is short.
            while matches!(wait(WaitOptions::empty()), Err(Errno::INTR)) {}
        }
    }
}

/// Takes in whoever has ended; whether there are others.
fn has_children() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            // There is no child.
            Err(_) => return false,
        }
    }
}
