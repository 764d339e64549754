//! Ends everything below this process.
//!
//! Keeps: when `kill_all` returns, this process has no descendants; it is their reaper, so none can slip away.
//! Not here: when to do it (`helper/mod.rs`).

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

/// Kills everything below, also what is born meanwhile, and takes it all in.
pub(super) fn kill_all() {
    loop {
        let below = procfs::descendants(getpid());
        let any_direct =
            below.iter().any(|process| process.parent == getpid().as_raw_nonzero().get());
        below.into_iter().for_each(note::kill);
        // Every direct child has been killed, so waiting for one of them is short.
        let options = if any_direct { WaitOptions::empty() } else { WaitOptions::NOHANG };
        let mut waited = wait(options);
        while let Ok(Some(_)) = waited {
            waited = wait(WaitOptions::NOHANG);
        }
        if matches!(waited, Err(Errno::CHILD)) {
            return;
        }
    }
}
