//! Starts the program: as any other, or through the locks of a sandbox.
//!
//! Keeps: a program without locks is started without a copy of the helper; it is the common case.
//! Not here: the locks (`linux/`), what follows the start (`mod.rs`).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use opcode_model::Limits;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::Feed;
use crate::linux::cgroup::{self, Controller, Groups};
use crate::linux::enter::{self, Way};
use crate::note::Note;
use crate::policy::{Mechanism, Plan};
use crate::spec::{ExecSpec, Input, Run};
use crate::word::Word;

/// A program that was started.
pub(super) struct Planted {
    /// The process to wait for: the program, or the first one of its namespaces.
    pub direct: Pid,
    pub handle: OwnedFd,
    pub feed: Option<Feed>,
    /// Where it says more than its status does.
    words: Option<OwnedFd>,
    /// The groups it is in.
    pub groups: Option<Groups>,
}

impl Planted {
    /// What it said, after it has ended.
    pub(super) fn word(&mut self) -> Option<Word> {
        let mut text = String::new();
        File::from(self.words.take()?).read_to_string(&mut text).ok()?;
        Word::read(&text)
    }
}

/// Starts what was ordered.
pub(super) fn plant(run: &Run, bytes: Vec<u8>, note: Option<&mut Note>) -> Result<Planted, Word> {
    if run.spec.plan.is_plain() {
        plain(&run.spec, run.input, bytes)
    } else {
        locked(run, bytes, note).map_err(|error| Word::Lock(error.to_string()))
    }
}

fn helper(error: impl Into<io::Error>) -> Word {
    Word::Helper(error.into().to_string())
}

fn plain(spec: &ExecSpec, input: Input, bytes: Vec<u8>) -> Result<Planted, Word> {
    if let Some(dir) = spec.cwd.as_ref().filter(|dir| !dir.is_dir()) {
        return Err(Word::Start(format!("chdir {}: no such directory", dir.display())));
    }
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).env_clear().envs(&spec.env).process_group(0);
    command.stdin(match input {
        Input::Output => output().map_err(helper)?.into(),
        Input::Order if bytes.is_empty() => Stdio::null(),
        Input::Order => Stdio::piped(),
    });
    if let Some(dir) = &spec.cwd {
        command.current_dir(dir);
    }
    let mut child = command.spawn().map_err(|error| Word::unstarted(&error))?;
    let direct = Pid::from_child(&child);
    let handle = pidfd_open(direct, PidfdFlags::empty()).map_err(helper)?;
    let feed = child.stdin.take().map(|pipe| Feed::new(pipe.into(), bytes)).transpose();
    Ok(Planted { direct, handle, feed: feed.map_err(helper)?, words: None, groups: None })
}

/// The helper's own standard output, once more.
fn output() -> io::Result<OwnedFd> {
    rustix::stdio::stdout().try_clone_to_owned()
}

fn locked(run: &Run, bytes: Vec<u8>, note: Option<&mut Note>) -> io::Result<Planted> {
    let plan = &run.spec.plan;
    let groups = groups(plan, &run.spec, note)?;
    let mut feed = None;
    let stdin = match run.input {
        Input::Output => output()?,
        Input::Order if bytes.is_empty() => OpenOptions::new().read(true).open("/dev/null")?.into(),
        Input::Order => {
            let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
            feed = Some(Feed::new(ours, bytes)?);
            theirs
        }
    };
    let (gate, open_gate) = pipe_with(PipeFlags::CLOEXEC)?;
    let (words, say) = pipe_with(PipeFlags::CLOEXEC)?;
    let way = Way { plan, spec: Some(&run.spec), stdin: &stdin, gate: &gate, words: &say };
    let child = enter::child(&way)?;
    // A child that stands outside its groups never passes the gate.
    if let Some(groups) = &groups {
        groups.take_in(child.pid)?;
    }
    File::from(open_gate).write_all(b"!")?;
    Ok(Planted { direct: child.pid, handle: child.handle, feed, words: Some(words), groups })
}

/// Makes the groups a plan needs, and notes where they are before they hold anybody.
fn groups(plan: &Plan, spec: &ExecSpec, note: Option<&mut Note>) -> io::Result<Option<Groups>> {
    let wanted: Vec<Controller> = [
        (Mechanism::MemoryLimit, Controller::Memory),
        (Mechanism::PidsLimit, Controller::Pids),
        (Mechanism::CpuLimit, Controller::Cpu),
        (Mechanism::CpuMeter, Controller::CpuMeter),
        (Mechanism::CgroupKill, Controller::Kill),
    ]
    .into_iter()
    .filter_map(|(mechanism, controller)| plan.has(mechanism).then_some(controller))
    .collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let (places, lacking) = cgroup::places(&cgroup::hierarchies(), &wanted);
    if let Some((_, error)) = lacking.into_iter().next() {
        return Err(error);
    }
    // The first process of the namespaces is not the program's.
    let above = u32::from(plan.has(Mechanism::Namespaces));
    let pids = plan.limits.pids.map(|pids| pids.saturating_add(above));
    // A key is one attempt's only where there are notes; with the helper's number, nobody takes another's group.
    let key = spec.key.as_deref().unwrap_or("process");
    let groups = Groups::new(&places, &format!("{key}-{}", std::process::id()));
    if let Some(note) = note {
        groups.paths().try_for_each(|path| note.add_group(path))?;
    }
    groups.make(&Limits { pids, ..plan.limits })?;
    Ok(Some(groups))
}
