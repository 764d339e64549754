//! What is in force: wishes × the server's rules × what the host can do → a plan, with every lack named.
//!
//! Keeps: pure; a step never gets less than the server demands; `strict` gets everything or nothing.
//! Not here: finding out what the host can do (`probe.rs`), doing it (`linux/`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use opcode_model::sandbox::is_plain_path;
use opcode_model::{Limits, Profile, Value, Wishes};
use serde::{Deserialize, Serialize};

/// One thing a host may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// User, mount, pid, ipc and uts namespaces, with a root of their own.
    Namespaces,
    /// A network namespace.
    PrivateNetwork,
    /// A `/proc` that shows only the own processes.
    OwnProc,
    /// Landlock: what of the files may be read and changed.
    Landlock,
    /// seccomp: which system calls may be made.
    SyscallFilter,
    /// A cgroup that holds memory.
    MemoryLimit,
    /// A cgroup that holds the number of processes.
    PidsLimit,
    /// A cgroup that holds the share of the processors.
    CpuLimit,
    /// A cgroup that tells how much was computed.
    CpuMeter,
    /// A cgroup that can be killed whole.
    CgroupKill,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Namespaces,
        Self::PrivateNetwork,
        Self::OwnProc,
        Self::Landlock,
        Self::SyscallFilter,
        Self::MemoryLimit,
        Self::PidsLimit,
        Self::CpuLimit,
        Self::CpuMeter,
        Self::CgroupKill,
    ];

    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::PrivateNetwork => "private_network",
            Self::OwnProc => "own_proc",
            Self::Landlock => "landlock",
            Self::SyscallFilter => "syscall_filter",
            Self::MemoryLimit => "memory_limit",
            Self::PidsLimit => "pids_limit",
            Self::CpuLimit => "cpu_limit",
            Self::CpuMeter => "cpu_meter",
            Self::CgroupKill => "cgroup_kill",
        }
    }

    /// What holds in its place.
    fn instead(self, in_force: &BTreeSet<Self>) -> &'static str {
        match self {
            Self::Namespaces => "the host's processes can be seen, and /tmp is the host's",
            Self::PrivateNetwork if in_force.contains(&Self::Landlock) => {
                "TCP is refused; UDP and sockets in the file system are not"
            }
            Self::PrivateNetwork => "the host's network",
            Self::OwnProc => "/proc is empty",
            Self::Landlock if in_force.contains(&Self::Namespaces) => "the mounts alone",
            Self::Landlock => "the user's rights alone",
            Self::SyscallFilter => "every system call the kernel grants this user",
            Self::MemoryLimit => "looked at every 50ms; one process may reach twice the limit",
            Self::PidsLimit => "looked at every 50ms",
            Self::CpuLimit => "nothing",
            Self::CpuMeter => "added up from /proc every 50ms",
            Self::CgroupKill => "each process is killed by itself",
        }
    }
}

/// Whether something works, and how, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// It was tried, and this is how it works.
    Works(String),
    /// It was tried, and this is what the system said.
    Lacks(String),
}

/// What was found out about a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host(BTreeMap<Mechanism, Ability>);

impl Host {
    /// A host that can do this.
    pub fn new(abilities: impl IntoIterator<Item = (Mechanism, Ability)>) -> Self {
        Self(abilities.into_iter().collect())
    }

    /// What was found out about one thing. `None` if it was never tried.
    pub fn ability(&self, mechanism: Mechanism) -> Option<&Ability> {
        self.0.get(&mechanism)
    }

    /// Whether something works.
    pub fn can(&self, mechanism: Mechanism) -> bool {
        matches!(self.ability(mechanism), Some(Ability::Works(_)))
    }

    fn lack(&self, mechanism: Mechanism) -> Option<&str> {
        match self.ability(mechanism) {
            Some(Ability::Works(_)) => None,
            Some(Ability::Lacks(why)) => Some(why),
            None => Some("not tried on this machine"),
        }
    }
}

/// What a server grants and demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What a step gets that wishes nothing.
    pub profile: Profile,
    /// The least a step may wish for.
    pub minimum: Profile,
    /// Whether a step may wish for the host's network.
    pub network: bool,
    /// What a step may wish to see lies beneath these; anywhere if `None`, unless isolation is the minimum.
    pub read: Option<Vec<PathBuf>>,
    /// What a step may wish to change lies beneath these; anywhere if `None`, unless isolation is the minimum.
    pub write: Option<Vec<PathBuf>>,
    /// The most a step gets.
    pub limits: Limits,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            profile: Profile::Process,
            minimum: Profile::Process,
            network: true,
            read: None,
            write: None,
            limits: Limits::default(),
        }
    }
}

/// A wish the server does not grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ungranted {
    /// A weaker profile than the server demands.
    #[error("the profile `{}` is weaker than `{}`, the least on this server", wished.text(), least.text())]
    Profile {
        /// What was wished.
        wished: Profile,
        /// What there is at least.
        least: Profile,
    },
    /// The host's network.
    #[error("the host's network is not for steps on this server")]
    Network,
    /// A path outside.
    #[error("`{list}` may not hold {path} on this server")]
    Path {
        /// `read` or `write`.
        list: &'static str,
        /// Which path.
        path: PathBuf,
    },
}

/// What is asked of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// How far the program is locked in.
    pub profile: Profile,
    /// Whether it keeps the host's network.
    pub network: bool,
    /// What it sees beside the system.
    pub read: Vec<PathBuf>,
    /// What it may change.
    pub write: Vec<PathBuf>,
    /// How much it may use.
    pub limits: Limits,
}

impl Rules {
    /// What a step's wishes come to here.
    ///
    /// # Errors
    /// The first wish that would loosen what the server demands.
    pub fn demand(&self, wishes: &Wishes) -> Result<Demand, Ungranted> {
        let profile = wishes.profile.unwrap_or_else(|| self.profile.max(self.minimum));
        if profile < self.minimum {
            return Err(Ungranted::Profile { wished: profile, least: self.minimum });
        }
        let network = wishes.network.unwrap_or_default();
        if network && !self.network {
            return Err(Ungranted::Network);
        }
        Ok(Demand {
            profile,
            network: network || profile < Profile::Isolated,
            read: self.granted("read", wishes.read.as_deref(), self.read.as_deref())?,
            write: self.granted("write", wishes.write.as_deref(), self.write.as_deref())?,
            limits: wishes.limits.within(self.limits),
        })
    }

    fn granted(
        &self,
        list: &'static str,
        wished: Option<&[std::sync::Arc<str>]>,
        grants: Option<&[PathBuf]>,
    ) -> Result<Vec<PathBuf>, Ungranted> {
        let free = grants.is_none() && self.minimum < Profile::Isolated;
        let grants = grants.unwrap_or_default();
        let paths = wished.unwrap_or_default().iter().map(|path| PathBuf::from(path.as_ref()));
        let may = |path: &Path| free || grants.iter().any(|grant| path.starts_with(grant));
        paths
            .map(|path| match is_plain_path(&path) && may(&path) {
                true => Ok(path),
                false => Err(Ungranted::Path { list, path }),
            })
            .collect()
    }
}

/// One thing that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// What.
    pub mechanism: Mechanism,
    /// Why not.
    pub reason: String,
    /// What holds in its place.
    pub instead: String,
}

/// What is in force for one program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The profile that was asked for.
    pub requested: Profile,
    /// The profile that came of it.
    pub effective: Profile,
    /// What holds it.
    pub in_force: BTreeSet<Mechanism>,
    /// What was asked for beside that.
    pub degraded: Vec<Degraded>,
    /// What it sees beside the system.
    pub read: Vec<PathBuf>,
    /// What it may change.
    pub write: Vec<PathBuf>,
    /// How much it may use.
    pub limits: Limits,
}

/// `strict` was asked for, and something is lacking.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this machine cannot isolate strictly: {}", lacks(.0))]
pub struct Refused(pub Vec<Degraded>);

fn lacks(degraded: &[Degraded]) -> String {
    let lack = |it: &Degraded| format!("{} ({})", it.mechanism.text(), it.reason);
    degraded.iter().map(lack).collect::<Vec<_>>().join(", ")
}

impl Demand {
    /// Whether the host must be known before there can be a plan.
    pub fn needs_host(&self) -> bool {
        let Limits { cpu_time, cpu_percent, memory_bytes, pids, .. } = self.limits;
        self.profile >= Profile::Isolated
            || cpu_time.is_some()
            || cpu_percent.is_some()
            || memory_bytes.is_some()
            || pids.is_some()
    }

    /// What is asked of the host, in the order in which one rests on the other.
    fn wanted(&self) -> impl Iterator<Item = Mechanism> {
        let isolated = self.profile >= Profile::Isolated;
        let limits = &self.limits;
        [
            (Mechanism::Namespaces, isolated),
            (Mechanism::Landlock, isolated),
            (Mechanism::SyscallFilter, isolated),
            (Mechanism::PrivateNetwork, isolated && !self.network),
            (Mechanism::OwnProc, isolated),
            (Mechanism::MemoryLimit, limits.memory_bytes.is_some()),
            (Mechanism::PidsLimit, limits.pids.is_some()),
            (Mechanism::CpuLimit, limits.cpu_percent.is_some()),
            (Mechanism::CpuMeter, limits.cpu_time.is_some()),
        ]
        .into_iter()
        .filter_map(|(mechanism, is_wanted)| is_wanted.then_some(mechanism))
    }
}

/// What comes of a demand on a host.
///
/// # Errors
/// If it is `strict` and something is lacking.
pub fn plan(demand: Demand, host: &Host) -> Result<Plan, Refused> {
    let mut in_force = BTreeSet::new();
    let mut lacking = Vec::new();
    for mechanism in demand.wanted() {
        // These two live inside the namespaces.
        let rests = matches!(mechanism, Mechanism::PrivateNetwork | Mechanism::OwnProc);
        let lack = match rests && !in_force.contains(&Mechanism::Namespaces) {
            true => Some("there are no namespaces to hold it"),
            false => host.lack(mechanism),
        };
        match lack {
            None => drop(in_force.insert(mechanism)),
            Some(why) => lacking.push((mechanism, why.to_owned())),
        }
    }
    let degrade = |(mechanism, reason): (Mechanism, String)| {
        let instead = mechanism.instead(&in_force).to_owned();
        Degraded { mechanism, reason, instead }
    };
    let degraded: Vec<Degraded> = lacking.into_iter().map(degrade).collect();
    if demand.profile == Profile::Strict && !degraded.is_empty() {
        return Err(Refused(degraded));
    }
    let locked = [Mechanism::Namespaces, Mechanism::SyscallFilter];
    let is_locked = locked.iter().all(|it| in_force.contains(it));
    let effective = if is_locked { demand.profile } else { demand.profile.min(Profile::Process) };
    // What helps whenever it is there, and is no loss where it is not.
    if demand.needs_host() && host.can(Mechanism::CgroupKill) {
        in_force.insert(Mechanism::CgroupKill);
    }
    let Demand { profile: requested, read, write, limits, .. } = demand;
    Ok(Plan { requested, effective, in_force, degraded, read, write, limits })
}

impl Plan {
    /// Whether a mechanism is in force.
    pub fn has(&self, mechanism: Mechanism) -> bool {
        self.in_force.contains(&mechanism)
    }

    /// Whether a mechanism was asked for and is not there.
    pub(crate) fn lacks(&self, mechanism: Mechanism) -> bool {
        self.degraded.iter().any(|it| it.mechanism == mechanism)
    }

    /// Whether the program is started as any other is, by the helper alone.
    pub fn is_plain(&self) -> bool {
        self.in_force.is_empty() && !self.is_watched() && self.requested < Profile::Isolated
    }

    /// Whether something must be looked at while it runs.
    pub(crate) fn is_watched(&self) -> bool {
        let Limits { cpu_time, memory_bytes, pids, .. } = self.limits;
        cpu_time.is_some() || memory_bytes.is_some() || pids.is_some()
    }

    /// What a step's record says of it. Nothing, if nothing beside the usual was asked for.
    pub fn record(&self) -> Option<Value> {
        let usual = self.requested == Profile::Process && self.degraded.is_empty();
        (!usual).then(|| {
            let degraded = self.degraded.iter().map(|it| {
                Value::object([
                    ("mechanism", it.mechanism.text()),
                    ("reason", &it.reason),
                    ("instead", &it.instead),
                ])
            });
            let in_force = self.in_force.iter().map(|it| Value::from(it.text()));
            Value::object([
                ("requested", Value::from(self.requested.text())),
                ("effective", self.effective.text().into()),
                ("in_force", Value::list(in_force)),
                ("degraded", Value::list(degraded)),
            ])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Mechanism::*;

    fn host(lacking: &[Mechanism]) -> Host {
        Host::new(Mechanism::ALL.map(|mechanism| match lacking.contains(&mechanism) {
            true => (mechanism, Ability::Lacks("the kernel said no".to_owned())),
            false => (mechanism, Ability::Works("yes".to_owned())),
        }))
    }

    fn demand(profile: Profile) -> Demand {
        let limits = Limits { memory_bytes: Some(1 << 20), pids: Some(4), ..Limits::default() };
        Demand { profile, limits, ..Demand::default() }
    }

    /// One row a host: what it lacks, what `isolated` comes to, what is named.
    #[test]
    fn isolated_degrades_by_name_and_strict_refuses_the_same() {
        let rows: &[(&[Mechanism], Profile, &[Mechanism])] = &[
            (&[], Profile::Isolated, &[]),
            (&[CgroupKill], Profile::Isolated, &[]),
            (&[CpuLimit, CpuMeter], Profile::Isolated, &[]),
            (&[Landlock], Profile::Isolated, &[Landlock]),
            (&[OwnProc], Profile::Isolated, &[OwnProc]),
            (&[PrivateNetwork], Profile::Isolated, &[PrivateNetwork]),
            (&[MemoryLimit, PidsLimit], Profile::Isolated, &[MemoryLimit, PidsLimit]),
            (&[SyscallFilter], Profile::Process, &[SyscallFilter]),
            (&[Namespaces], Profile::Process, &[Namespaces, PrivateNetwork, OwnProc]),
        ];
        for (lacking, effective, named) in rows {
            let host = host(lacking);
            let isolated = plan(demand(Profile::Isolated), &host).unwrap();
            let found: Vec<_> = isolated.degraded.iter().map(|it| it.mechanism).collect();
            assert_eq!((isolated.effective, found.as_slice()), (*effective, *named), "{lacking:?}");
            match plan(demand(Profile::Strict), &host) {
                Ok(strict) => assert!(named.is_empty() && strict.effective == Profile::Strict),
                Err(Refused(refused)) => assert_eq!(refused, isolated.degraded),
            }
        }
    }

    #[test]
    fn process_asks_the_host_only_for_limits() {
        let plain = plan(Demand::default(), &Host::default()).unwrap();
        assert!(plain.is_plain() && plain.record().is_none());
        assert!(!Demand::default().needs_host() && demand(Profile::Process).needs_host());
        let limited = plan(demand(Profile::Process), &host(&[MemoryLimit])).unwrap();
        assert_eq!(limited.in_force, [PidsLimit, CgroupKill].into());
        let record = limited.record().unwrap();
        assert_eq!(
            record.pointer("/degraded/0/mechanism").and_then(Value::as_str),
            Some("memory_limit")
        );
    }

    #[test]
    fn a_wished_network_is_no_lack() {
        let demand = Demand { network: true, ..demand(Profile::Strict) };
        let strict = plan(demand, &host(&[PrivateNetwork])).unwrap();
        assert!(!strict.has(PrivateNetwork) && strict.degraded.is_empty());
    }

    #[test]
    fn wishes_may_tighten_and_not_loosen() {
        let none = Wishes::default();
        let isolated = Rules { minimum: Profile::Isolated, ..Rules::default() };
        assert_eq!(isolated.demand(&none).unwrap().profile, Profile::Isolated);
        let wish = |profile| Wishes { profile: Some(profile), ..Wishes::default() };
        assert_eq!(isolated.demand(&wish(Profile::Strict)).unwrap().profile, Profile::Strict);
        let weak = isolated.demand(&wish(Profile::Process)).unwrap_err();
        assert_eq!(
            weak.to_string(),
            "the profile `process` is weaker than `isolated`, the least on this server"
        );
        // Without a word from the server, nobody gains rights.
        assert!(Rules::default().demand(&wish(Profile::None)).is_err());
        let network = Wishes { network: Some(true), ..Wishes::default() };
        assert!(Rules::default().demand(&network).is_ok());
        let closed = Rules { network: false, ..Rules::default() };
        assert_eq!(closed.demand(&network), Err(Ungranted::Network));
    }

    #[test]
    fn paths_stay_beneath_what_the_server_grants() {
        let write = |path: &str| Wishes { write: Some([path.into()].into()), ..Wishes::default() };
        let open = Rules::default();
        assert!(open.demand(&write("/srv")).is_ok());
        for escape in ["/srv/../etc", "srv", "", "/", "/srv/./../x"] {
            assert!(open.demand(&write(escape)).is_err(), "{escape}");
        }
        let closed = Rules { minimum: Profile::Isolated, ..Rules::default() };
        assert!(closed.demand(&write("/srv")).is_err());
        let granted = Rules { write: Some(vec!["/srv".into()]), ..closed };
        assert!(granted.demand(&write("/srv/a")).is_ok());
        assert!(granted.demand(&write("/srvx")).is_err());
    }
}
