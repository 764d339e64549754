//! Limits of a single process, where nothing holds the whole tree: brakes, so that what is only looked at now and then
//! cannot run away in between.
//!
//! Keeps: a brake is looser than the limit it stands behind, so that hitting the limit is seen and told.
//! Not here: telling it (`meter.rs`).

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::policy::{Mechanism, Plan};
use crate::procfs;

/// Processes beyond the limit that a brake lets live, to be seen.
const SEEN: u64 = 16;

/// How many processes of this user there are, for a brake that counts them too. Asked before the namespaces are
/// entered: inside them only one's own count.
pub(crate) fn others(plan: &Plan) -> u64 {
    let counts = brakes_pids(plan) && !plan.has(Mechanism::Namespaces);
    if counts { procfs::threads_of_this_user() } else { 0 }
}

fn brakes_pids(plan: &Plan) -> bool {
    plan.limits.pids.is_some() && !plan.has(Mechanism::PidsLimit)
}

/// Puts the brakes on this process and what it starts.
pub(crate) fn brake(plan: &Plan, others: u64) -> io::Result<()> {
    if let Some(pids) = plan.limits.pids.filter(|_| brakes_pids(plan)) {
        lower(Resource::Nproc, others + u64::from(pids) + SEEN)?;
    }
    if let Some(bytes) = plan.limits.memory_bytes.filter(|_| !plan.has(Mechanism::MemoryLimit)) {
        lower(Resource::Data, bytes.saturating_mul(2))?;
    }
    if let Some(span) = plan.limits.cpu_time {
        lower(Resource::Cpu, span.as_secs().saturating_add(2))?;
    }
    Ok(())
}

/// Sets a limit unless there is a lower one already.
fn lower(resource: Resource, most: u64) -> io::Result<()> {
    let there = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let most = Some(most.min(there));
    Ok(setrlimit(resource, Rlimit { current: most, maximum: most })?)
}
