//! Finds out what this machine can do, by doing it.
//!
//! Keeps: each mechanism is tried in a child of the helper, as a step would use it; what was tried is gone afterwards.
//! Not here: what follows from it (`policy.rs`).

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use opcode_model::{Limits, Profile};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitOptions, waitpid};

use crate::linux::cgroup::{self, Controller, Groups, Hierarchy};
use crate::linux::enter::{self, Way};
use crate::policy::{Ability, Host, Mechanism, Plan};
use crate::word::Word;

/// Everything there is to find out. In a process of one thread only.
pub(crate) fn host() -> Host {
    use Mechanism::{Landlock, Namespaces, OwnProc, PrivateNetwork, SyscallFilter};
    let locks = [
        (Namespaces, vec![Namespaces]),
        (PrivateNetwork, vec![Namespaces, PrivateNetwork]),
        (OwnProc, vec![Namespaces, OwnProc]),
        (Landlock, vec![Landlock]),
        (SyscallFilter, vec![SyscallFilter]),
    ];
    let locks = locks.into_iter().map(|(mechanism, with)| (mechanism, ability(lock(&with))));
    let hierarchies = cgroup::hierarchies();
    let groups = [
        (Mechanism::MemoryLimit, Controller::Memory),
        (Mechanism::PidsLimit, Controller::Pids),
        (Mechanism::CpuLimit, Controller::Cpu),
        (Mechanism::CpuMeter, Controller::CpuMeter),
        (Mechanism::CgroupKill, Controller::Kill),
    ];
    let groups = groups
        .into_iter()
        .map(|(mechanism, controller)| (mechanism, ability(group(&hierarchies, controller))));
    Host::new(locks.chain(groups))
}

fn ability(tried: io::Result<String>) -> Ability {
    match tried {
        Ok(how) => Ability::Works(how),
        Err(why) => Ability::Lacks(why.to_string()),
    }
}

/// Closes locks on a child that then does nothing.
fn lock(with: &[Mechanism]) -> io::Result<String> {
    let in_force: BTreeSet<Mechanism> = with.iter().copied().collect();
    let plan = Plan { requested: Profile::Isolated, in_force, ..Plan::default() };
    match trial(&plan, |_| Ok(()))? {
        Some(Word::Tried(how)) => Ok(how),
        Some(Word::Lock(why)) => Err(io::Error::other(why)),
        Some(_) | None => Err(io::Error::other("the process that tried it died")),
    }
}

/// Makes a group with one controller and puts a child into it.
fn group(hierarchies: &[Hierarchy], controller: Controller) -> io::Result<String> {
    let (places, lacking) = cgroup::places(hierarchies, &[controller]);
    if let Some((_, why)) = lacking.into_iter().next() {
        return Err(why);
    }
    let groups = Groups::new(&places, &format!("probe-{}", std::process::id()));
    groups.make(&Limits {
        memory_bytes: Some(64 << 20),
        pids: Some(8),
        cpu_percent: Some(100),
        ..Limits::default()
    })?;
    trial(&Plan::default(), |pid| groups.take_in(pid))?;
    let works = match controller {
        Controller::Memory => groups.out_of_memory().is_some(),
        Controller::Pids => groups.out_of_pids().is_some(),
        Controller::CpuMeter => groups.computed().is_some(),
        Controller::Kill => groups.can_kill(),
        Controller::Cpu => true,
    };
    let version = places.first().map_or("cgroup", cgroup::Place::version);
    works.then(|| version.to_owned()).ok_or_else(|| io::Error::other("this kernel is too old"))
}

/// Sends a child the way of a plan, without a program at its end. Answers its last word.
fn trial(
    plan: &Plan,
    settle: impl FnOnce(rustix::process::Pid) -> io::Result<()>,
) -> io::Result<Option<Word>> {
    let stdin = OpenOptions::new().read(true).open("/dev/null")?.into();
    let (gate, open_gate) = pipe_with(PipeFlags::CLOEXEC)?;
    let (words, say) = pipe_with(PipeFlags::CLOEXEC)?;
    let child = enter::child(&Way { plan, spec: None, stdin: &stdin, gate: &gate, words: &say })?;
    drop((gate, say));
    let settled = settle(child.pid);
    let mut open_gate = File::from(open_gate);
    if settled.is_ok() {
        open_gate.write_all(b"!")?;
    }
    drop(open_gate);
    let mut text = String::new();
    File::from(words).read_to_string(&mut text)?;
    waitpid(Some(child.pid), WaitOptions::empty())?;
    settled.map(|()| Word::read(&text))
}
