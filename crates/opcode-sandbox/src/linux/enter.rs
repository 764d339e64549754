//! The way into a sandbox: from a fresh copy of the helper to the program, one lock after the other.
//!
//! Keeps: whoever goes this way ends as the program or not at all; the locks are on before the first byte of the
//! program runs. In namespaces of its own, the first process stays behind as their `init`: it takes in orphans, tells
//! how the program ended, and takes everything with it when it ends.
//! Not here: who holds the tree from outside (`helper/`).

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use opcode_model::Profile;
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Gid, Pid, Signal, Uid, WaitOptions, getegid, geteuid, set_dumpable_behavior,
    set_parent_process_death_signal, wait,
};

use super::landlock::Reach;
use super::{caps, landlock, rlimits, root, seccomp, sys};
use crate::policy::{Mechanism, Plan};
use crate::spec::ExecSpec;
use crate::word::Word;

/// Everything a child needs on its way.
pub(crate) struct Way<'a> {
    pub plan: &'a Plan,
    /// What to run. Without it, the locks are tried, and no more.
    pub spec: Option<&'a ExecSpec>,
    /// What the program reads.
    pub stdin: &'a OwnedFd,
    /// Says a byte once this process stands in its groups; ends if nobody wants it any more.
    pub gate: &'a OwnedFd,
    /// Where to say what went wrong, or how the program ended.
    pub words: &'a OwnedFd,
}

/// What can be told only from outside the namespaces.
#[derive(Clone, Copy)]
struct Outside {
    user: Uid,
    group: Gid,
    /// Processes of this user that a brake would count too.
    others: u64,
}

/// Makes the child that goes the way.
pub(crate) fn child(way: &Way<'_>) -> io::Result<sys::Child> {
    let mut namespaces = 0;
    if way.plan.has(Mechanism::Namespaces) {
        namespaces |= sys::APART;
    }
    if way.plan.has(Mechanism::PrivateNetwork) {
        namespaces |= sys::APART_NET;
    }
    let outside = Outside { user: geteuid(), group: getegid(), others: rlimits::others(way.plan) };
    let keep = [way.stdin.as_fd(), way.gate.as_fd(), way.words.as_fd()];
    sys::fork(&sys::Alone::here()?, namespaces, &keep, |alone| way.told(go(way, outside, alone)))
}

fn go(way: &Way<'_>, outside: Outside, alone: &sys::Alone) -> Result<u8, Word> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(lock("tie"))?;
    if !is_wanted(way.gate).map_err(lock("gate"))? {
        return Ok(0);
    }
    rustix::stdio::dup2_stdin(way.stdin).map_err(lock("stdin"))?;
    if !way.plan.has(Mechanism::Namespaces) {
        return run(way, outside);
    }
    be_yourself(outside).map_err(lock("user namespace"))?;
    rustix::system::sethostname(b"opcode").map_err(lock("uts namespace"))?;
    if way.plan.has(Mechanism::PrivateNetwork) {
        sys::raise_loopback().map_err(lock("network namespace"))?;
    }
    root::enter(way.plan).map_err(lock("root view"))?;
    caps::drop_all().map_err(lock("capabilities"))?;
    // Whoever runs here may not look into this process, which holds the line to the helper.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(lock("init"))?;
    let program = sys::fork(alone, 0, &[way.words.as_fd()], |_| way.told(run(way, outside)));
    init(way, program.map_err(lock("init"))?.pid)
}

/// What is said when a lock does not close.
fn lock<E: Into<io::Error>>(what: &'static str) -> impl Fn(E) -> Word {
    move |error| Word::Lock(format!("{what}: {}", error.into()))
}

/// Waits for the byte that lets us on. Its absence says that nobody wants us any more.
fn is_wanted(gate: &OwnedFd) -> io::Result<bool> {
    let mut gate = fs::File::from(gate.try_clone()?);
    Ok(gate.read(&mut [0])? == 1)
}

/// In the new user namespace we are who we were outside, and nobody else is there.
fn be_yourself(Outside { user, group, .. }: Outside) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))
}

/// The last locks, and then the program in our place.
fn run(way: &Way<'_>, outside: Outside) -> Result<u8, Word> {
    let plan = way.plan;
    if let Some(dir) = way.spec.and_then(|spec| spec.cwd.as_deref()).or_else(|| root::work(plan)) {
        std::env::set_current_dir(dir).map_err(|error| {
            let hint = match plan.has(Mechanism::Namespaces) {
                true => "; the sandbox shows what `read` and `write` list",
                false => "",
            };
            Word::Start(format!("chdir {}: {error}{hint}", dir.display()))
        })?;
    }
    rlimits::brake(plan, outside.others).map_err(lock("limits"))?;
    let is_isolated = plan.requested >= Profile::Isolated;
    if is_isolated {
        // In a session of its own it has no terminal, and so no way to whoever sits at ours.
        rustix::process::setsid().map_err(lock("session"))?;
    }
    if is_isolated && !plan.has(Mechanism::Namespaces) {
        caps::drop_all().map_err(lock("capabilities"))?;
    }
    let mut held = String::new();
    if plan.has(Mechanism::Landlock) {
        let (read, write) = (root::readable(plan), root::writable(plan));
        let no_tcp = plan.lacks(Mechanism::PrivateNetwork);
        held = landlock::confine(&Reach { read, write, no_tcp }).map_err(lock("landlock"))?;
    }
    if plan.has(Mechanism::SyscallFilter) {
        seccomp::confine().map_err(lock("system call filter"))?;
    }
    let Some(spec) = way.spec else { return Err(Word::Tried(held)) };
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).env_clear().envs(&spec.env);
    if !is_isolated {
        command.process_group(0);
    }
    Err(Word::unstarted(&command.exec()))
}

/// Takes in whoever ends, until the program has; then all that is left here ends with us.
fn init(way: &Way<'_>, program: Pid) -> Result<u8, Word> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => {
                way.say(&Word::ended(status));
                return Ok(0);
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Word::Lock(format!("init: {error}"))),
        }
    }
}

impl Way<'_> {
    /// The code to end with, once what there is to say was said.
    fn told(&self, gone: Result<u8, Word>) -> u8 {
        gone.unwrap_or_else(|word| {
            self.say(&word);
            1
        })
    }

    fn say(&self, word: &Word) {
        // Whoever would have heard it may be gone; then so are we.
        if let Ok(words) = self.words.try_clone() {
            fs::File::from(words).write_all(word.line().as_bytes()).unwrap_or_default();
        }
    }
}
