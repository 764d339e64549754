//! Whether a tree of processes has used up what it may use, and what it had used up.
//!
//! Keeps: where the kernel holds a limit, its own count is what is told; elsewhere the tree is added up from `/proc`.
//! Not here: holding (`cgroup.rs`, `rlimits.rs`), killing (`helper/tree.rs`).

use std::fs;
use std::time::Duration;

use opcode_model::Limits;
use rustix::process::getpid;
use serde::{Deserialize, Serialize};

use super::cgroup::Groups;
use crate::policy::{Mechanism, Plan};
use crate::procfs::{self, Process};

/// A limit that was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hit {
    /// Memory ran out.
    Memory,
    /// It computed for too long.
    CpuTime,
    /// It had too many processes and threads.
    Pids,
    /// It wrote too much.
    Output,
}

impl Hit {
    /// The limit's name in a definition.
    pub fn text(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::CpuTime => "cpu_time",
            Self::Pids => "pids",
            Self::Output => "output",
        }
    }
}

/// Watches one tree.
pub(crate) struct Meter<'a> {
    limits: Limits,
    groups: Option<&'a Groups>,
    held: Held,
}

/// What the kernel holds by itself.
struct Held {
    memory: bool,
    pids: bool,
    cpu: bool,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(plan: &Plan, groups: Option<&'a Groups>) -> Self {
        let held = Held {
            memory: plan.has(Mechanism::MemoryLimit),
            pids: plan.has(Mechanism::PidsLimit),
            cpu: plan.has(Mechanism::CpuMeter),
        };
        Self { limits: plan.limits, groups, held }
    }

    /// Looks. Answers the first limit that was hit.
    pub(crate) fn look(&self) -> Option<Hit> {
        let by_kernel = self.groups.and_then(|groups| self.in_groups(groups));
        by_kernel.or_else(|| self.in_proc())
    }

    fn in_groups(&self, groups: &Groups) -> Option<Hit> {
        let any = |count: Option<u64>| count.is_some_and(|count| count > 0);
        let long = |most| groups.computed().is_some_and(|computed| computed >= most);
        if self.limits.memory_bytes.is_some() && any(groups.out_of_memory()) {
            Some(Hit::Memory)
        } else if self.limits.pids.is_some() && any(groups.out_of_pids()) {
            Some(Hit::Pids)
        } else if self.limits.cpu_time.is_some_and(long) {
            Some(Hit::CpuTime)
        } else {
            None
        }
    }

    /// Adds up what nobody holds for us.
    fn in_proc(&self) -> Option<Hit> {
        let memory = self.limits.memory_bytes.filter(|_| !self.held.memory);
        let pids = self.limits.pids.filter(|_| !self.held.pids);
        let cpu = self.limits.cpu_time.filter(|_| !self.held.cpu);
        if memory.is_none() && pids.is_none() && cpu.is_none() {
            return None;
        }
        let tree = procfs::descendants(getpid());
        let uses: Vec<Use> = tree.iter().map(Use::of).collect();
        if memory.is_some_and(|most| uses.iter().map(|it| it.memory_bytes).sum::<u64>() > most) {
            return Some(Hit::Memory);
        }
        if pids.is_some_and(|most| uses.iter().map(|it| it.threads).sum::<u64>() > most.into()) {
            return Some(Hit::Pids);
        }
        // Who has ended is counted with who took it in, and that ends at this process.
        let ended = procfs::process(getpid()).map_or(Duration::ZERO, |me| me.computed);
        let computed = uses.iter().map(|it| it.computed).sum::<Duration>() + ended;
        cpu.is_some_and(|most| computed >= most).then_some(Hit::CpuTime)
    }
}

/// What one process uses.
#[derive(Default)]
struct Use {
    memory_bytes: u64,
    threads: u64,
    computed: Duration,
}

impl Use {
    fn of(process: &Process) -> Self {
        let path = format!("/proc/{}/status", process.pid.as_raw_nonzero());
        let status = fs::read_to_string(path).unwrap_or_default();
        let number = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).unwrap_or_default()
        };
        let memory_bytes = (number("RssAnon:") + number("RssShmem:")) << 10;
        Self { memory_bytes, threads: number("Threads:"), computed: process.computed }
    }
}
