//! The note a helper leaves while it lives: `attempts_dir/<key>`, so that nobody runs the same attempt beside it.
//!
//! Keeps: a helper holds a lock on its note; whoever wants the same key waits for it, or sees to its end.
//! Not here: the helper's own killing (`helper/tree.rs`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

use crate::detached;
use crate::linux::cgroup;
use crate::procfs::{self, Process};
use crate::spec::{HELPER_WORD, IDEMPOTENCY_KEY_ENV};

/// The line of a helper that goes on alone.
const DETACHED: &str = "detached";
/// How long an orphaned helper may take to end its tree before we help.
const ORPHAN_GRACE: Duration = Duration::from_millis(200);
/// How long an earlier attempt may take to die in all.
const DEATH_MAX: Duration = Duration::from_secs(30);
/// How long between two looks at a lock.
const LOOK_MS: i64 = 20;

/// A note this process has left.
pub(crate) struct Note {
    path: PathBuf,
    locked: File,
}

impl Note {
    /// Leaves a note, once nobody else's lies there. `None` if `wanted` turns false while waiting.
    pub(crate) fn leave(
        dir: &Path,
        key: &str,
        wanted: impl Fn() -> bool,
    ) -> io::Result<Option<Self>> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let path = place(dir, key);
        loop {
            let mut options = OpenOptions::new();
            let mut file = options
                .create(true)
                .read(true)
                .write(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)?;
            while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                if !wanted() {
                    return Ok(None);
                }
                pause(LOOK_MS)?;
            }
            // The one before us may have taken the file away before it let go of the lock.
            let there = fs::metadata(&path).is_ok_and(|now| {
                file.metadata().is_ok_and(|ours| (now.dev(), now.ino()) == (ours.dev(), ours.ino()))
            });
            if there {
                let start = procfs::process(getpid()).map_or(0, |me| me.start);
                let line = format!("{} {start} {}\n", getpid().as_raw_nonzero(), procfs::boot_id());
                file.set_len(0)?;
                file.rewind()?;
                file.write_all(line.as_bytes())?;
                return Ok(Some(Self { path, locked: file }));
            }
        }
    }

    /// Notes that it goes on when nobody is left who asked for it.
    pub(crate) fn detach(&mut self) -> io::Result<()> {
        writeln!(self.locked, "{DETACHED}")
    }

    /// Notes a control group that is about to be made.
    pub(crate) fn add_group(&mut self, path: &Path) -> io::Result<()> {
        writeln!(self.locked, "{}", path.display())
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // A note that stays behind is recognised as stale by its start time.
        fs::remove_file(&self.path).unwrap_or_default();
    }
}

/// Makes sure that no attempt named `key` runs any more: waits for its helper, helps it kill, and kills what it left.
pub async fn ensure_dead(attempts_dir: &Path, key: &str) -> io::Result<()> {
    let (path, key) = (place(attempts_dir, key), key.to_owned());
    match tokio::task::spawn_blocking(move || end(&path, &key)).await {
        Ok(done) => done,
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Makes sure that no attempt runs any more of which a note lies there: for whoever has the place to himself, before he
/// starts the first.
pub async fn ensure_all_dead(attempts_dir: &Path) -> io::Result<()> {
    let notes = match fs::read_dir(attempts_dir) {
        Ok(notes) => notes.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for note in notes {
        let name = note.file_name();
        let name = name.to_string_lossy();
        // What lies beside a note has a dot in its name; who goes on alone is found again by his key.
        if !name.contains('.') && !goes_on_alone(&note.path()) {
            ensure_dead(attempts_dir, &name).await?;
        }
    }
    detached::sweep(attempts_dir);
    Ok(())
}

/// Whether the helper of a note goes on alone.
pub(crate) fn goes_on_alone(note: &Path) -> bool {
    let note = fs::read_to_string(note).unwrap_or_default();
    note.lines().any(|line| line == DETACHED) && living(&note).is_some()
}

fn end(path: &Path, key: &str) -> io::Result<()> {
    let mut line = String::new();
    match File::open(path) {
        Ok(mut file) => file.read_to_string(&mut line)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let begun = Instant::now();
    while let Some(helper) = living(&line) {
        if begun.elapsed() > DEATH_MAX {
            let pid = helper.pid.as_raw_nonzero();
            return Err(io::Error::other(format!(
                "process {pid} of an earlier attempt does not end"
            )));
        }
        if await_end(helper.pid, ORPHAN_GRACE)? {
            break;
        }
        procfs::descendants(helper.pid).into_iter().for_each(kill);
    }
    if boot(&line) == Some(&procfs::boot_id()) {
        kill_marked(key);
        // A group that stays is only a name; nothing runs in it.
        let groups = line.lines().skip(1).map(Path::new);
        groups.for_each(|group| cgroup::remove(group).unwrap_or_default());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The boot in which a note was left.
fn boot(note: &str) -> Option<&str> {
    note.lines().next()?.split(' ').nth(2)
}

/// The helper of a note, if it is still that one.
fn living(note: &str) -> Option<Process> {
    let mut words = note.lines().next()?.split(' ');
    let pid = Pid::from_raw(words.next()?.parse().ok()?)?;
    let start: u64 = words.next()?.parse().ok()?;
    let same_boot = boot(note)? == procfs::boot_id();
    // A note is only a file: what it names must also look like a helper before anything below it is killed.
    procfs::process(pid).filter(|now| {
        let same = same_boot && now.start == start && !now.zombie;
        same && procfs::has_argument(pid, 1, HELPER_WORD)
    })
}

/// Kills what still carries the key, should a helper itself have been killed from outside. What stands below a living
/// helper is that helper's business.
fn kill_marked(key: &str) {
    let entry = format!("{IDEMPOTENCY_KEY_ENV}={key}");
    loop {
        let all = procfs::processes();
        let marked = |process: &&Process| {
            process.pid != getpid()
                && !process.zombie
                && procfs::has_environment(process.pid, &entry)
                && !below_a_helper(process, &all)
        };
        let found: Vec<Process> = all.iter().filter(marked).copied().collect();
        if found.is_empty() {
            return;
        }
        for process in found {
            kill(process);
            await_end(process.pid, ORPHAN_GRACE).unwrap_or_default();
        }
    }
}

fn below_a_helper(process: &Process, all: &[Process]) -> bool {
    let parent = |process: &Process| {
        all.iter().find(|other| other.pid.as_raw_nonzero().get() == process.parent)
    };
    let ancestors = std::iter::successors(parent(process), |above| parent(above));
    // Ids may be used again while we look, so a chain that never ends is cut.
    ancestors.take(all.len()).any(|above| procfs::has_argument(above.pid, 1, HELPER_WORD))
}

/// Kills one process; never one that only inherited its number.
pub(crate) fn kill(process: Process) {
    signal(process, Signal::KILL);
}

/// Signals one process; never one that only inherited its number.
pub(crate) fn signal(process: Process, signal: Signal) {
    let Ok(handle) = pidfd_open(process.pid, PidfdFlags::empty()) else { return };
    let same = procfs::process(process.pid).is_some_and(|now| now.start == process.start);
    if same {
        // It may have ended in between, which is what was wanted.
        pidfd_send_signal(&handle, signal).unwrap_or_default();
    }
}

/// Whether a process ends within `span`.
fn await_end(pid: Pid, span: Duration) -> io::Result<bool> {
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(true) };
    let span = Timespec { tv_sec: 0, tv_nsec: i64::from(span.subsec_nanos()) };
    Ok(poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&span))? > 0)
}

fn pause(millis: i64) -> io::Result<()> {
    poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: millis * 1_000_000 }))?;
    Ok(())
}

/// Where the note of `key` lies. Keys are base32; anything else is made harmless.
pub(crate) fn place(dir: &Path, key: &str) -> PathBuf {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    dir.join(key.chars().map(safe).collect::<String>())
}
