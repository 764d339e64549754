//! What `/proc` says about processes: who is whose child, since when, in which boot.
//!
//! Keeps: a process is meant by its id *and* its start time; an id alone may already be somebody else.
//! Not here: ending processes (`helper/tree.rs`).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::process::{Pid, geteuid};

/// A line of `/proc/<pid>/stat`, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub pid: Pid,
    /// Its parent's id; 0 for none.
    pub parent: i32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
    /// Whether it has ended and only waits to be reaped.
    pub zombie: bool,
    /// How long it has computed, with those of its children that it has taken in.
    pub computed: Duration,
}

/// How many ticks the kernel counts to a second, wherever Linux runs.
const TICKS: u64 = 100;

/// One process, if it is there.
pub(crate) fn process(pid: Pid) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The command's name stands in parentheses and may contain anything, also parentheses.
    let mut fields = stat.get(stat.rfind(')')? + 2..)?.split(' ');
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let mut numbers = fields.skip(9).map(|field| field.parse::<u64>().unwrap_or_default());
    let ticks: u64 = numbers.by_ref().take(4).sum();
    let computed = Duration::from_millis(ticks * 1_000 / TICKS);
    let start = numbers.nth(4)?;
    Some(Process { pid, parent, start, zombie, computed })
}

/// Every process there is.
pub(crate) fn processes() -> Vec<Process> {
    let names =
        fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let pids = names.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?));
    pids.filter_map(process).collect()
}

/// Everything that descends from `root`, nearest first; `root` itself is not in it.
pub(crate) fn descendants(root: Pid) -> Vec<Process> {
    let all = processes();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![root.as_raw_nonzero().get()];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent) {
            found.push(*process);
            parents.push(process.pid.as_raw_nonzero().get());
        }
    }
    found
}

/// How many threads this process's user has on the machine.
pub(crate) fn threads_of_this_user() -> u64 {
    let user = geteuid().as_raw();
    let threads = |process: Process| {
        let folder = format!("/proc/{}", process.pid.as_raw_nonzero());
        let is_ours = fs::metadata(&folder).is_ok_and(|there| there.uid() == user);
        let tasks = is_ours.then(|| fs::read_dir(folder + "/task").ok()).flatten();
        tasks.map_or(0, |tasks| tasks.count() as u64)
    };
    processes().into_iter().map(threads).sum()
}

/// Names this boot of the machine.
pub(crate) fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Whether the process was started with `entry` (`NAME=value`) in its environment.
pub(crate) fn has_environment(pid: Pid, entry: &str) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
    environment.unwrap_or_default().split(|byte| *byte == 0).any(|one| one == entry.as_bytes())
}

/// Whether `word` stands at `place` among the words the process was started with.
pub(crate) fn has_argument(pid: Pid, place: usize, word: &str) -> bool {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(place) == Some(word.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there_and_its_start_does_not_move() {
        let me = rustix::process::getpid();
        let found = process(me).unwrap();
        assert_eq!(Some(found), process(me));
        assert!(found.start > 0 && !found.zombie);
        assert_eq!(boot_id().len(), 36);
    }
}
