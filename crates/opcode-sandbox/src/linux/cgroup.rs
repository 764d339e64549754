//! Control groups: what holds and counts a whole tree of processes, in version 2 and, where that lacks a controller, in
//! version 1.
//!
//! Keeps: groups lie below our own, one an attempt, named `opcode-<key>-<helper>`; whoever made one removes it, and
//! whoever comes next with the same key, or starts the engine, removes what was left, as the note says.
//! Not here: which limits (`policy.rs`), when one counts as hit (`meter.rs`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use opcode_model::Limits;
use rustix::process::Pid;

/// How every group of ours begins.
const PREFIX: &str = "opcode-";
/// How long a group may stay busy after its last process was killed.
const BUSY: Duration = Duration::from_millis(10);
/// How often that is waited for.
const BUSY_TRIES: usize = 100;

/// What a group can hold or tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Memory,
    Pids,
    Cpu,
    /// How much was computed: `cpuacct` of version 1; every group of version 2 tells it.
    CpuMeter,
    /// Killing all at once; every group of version 2 can.
    Kill,
}

impl Controller {
    /// Whether a group of version 2 has it without asking.
    fn is_in_every_group(self) -> bool {
        match self {
            Self::CpuMeter | Self::Kill => true,
            Self::Memory | Self::Pids | Self::Cpu => false,
        }
    }

    fn name(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Memory, _) => "memory",
            (Self::Pids, _) => "pids",
            (Self::Cpu | Self::CpuMeter, Version::Two) | (Self::Cpu, Version::One) => "cpu",
            (Self::CpuMeter, Version::One) => "cpuacct",
            (Self::Kill, _) => "kill",
        }
    }
}

/// Which interface a hierarchy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

/// Where groups can be made: our own place in one mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    version: Version,
    place: PathBuf,
    /// The controllers of version 1, by their names.
    controllers: Vec<String>,
}

/// Every hierarchy there is, and our place in it.
pub(crate) fn hierarchies() -> Vec<Hierarchy> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    find(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
}

/// Puts together what the two files of `/proc` say.
fn find(mounts: &str, own: &str) -> Vec<Hierarchy> {
    let own: Vec<(&str, &str)> = own
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            rest.split_once(':')
        })
        .collect();
    let hierarchy = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, mount) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let version = match after.next()? {
            "cgroup" => Version::One,
            "cgroup2" => Version::Two,
            _ => return None,
        };
        let options: Vec<&str> = after.nth(1)?.split(',').collect();
        let (names, path) = own.iter().find(|(names, _)| match version {
            Version::Two => names.is_empty(),
            Version::One => names.split(',').any(|name| options.contains(&name)),
        })?;
        let path = if root == "/" { path } else { path.strip_prefix(root)? };
        let place = Path::new(mount).join(path.trim_start_matches('/'));
        let controllers = names.split(',').map(str::to_owned).collect();
        Some(Hierarchy { version, place, controllers })
    };
    mounts.lines().filter_map(hierarchy).collect()
}

impl Hierarchy {
    /// Where in it groups with this controller can be made: below ourselves, or beside us.
    fn parent(&self, controller: Controller) -> io::Result<PathBuf> {
        let name = controller.name(self.version);
        if self.version == Version::One {
            let is_here = self.controllers.iter().any(|it| it == name);
            return is_here.then(|| self.place.clone()).ok_or_else(|| missing(name));
        }
        if controller.is_in_every_group() {
            return Ok(self.place.clone());
        }
        let beside = self.place.parent().map(Path::to_owned);
        let mut last = missing(name);
        for place in [Some(self.place.clone()), beside].into_iter().flatten() {
            let lists = |file: &str| {
                let text = fs::read_to_string(place.join(file)).unwrap_or_default();
                text.split_whitespace().any(|it| it == name)
            };
            if !lists("cgroup.controllers") {
                continue;
            }
            if lists("cgroup.subtree_control") {
                return Ok(place);
            }
            // This works only where no process lives in the group itself, or in the root.
            match fs::write(place.join("cgroup.subtree_control"), format!("+{name}")) {
                Ok(()) => return Ok(place),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn missing(name: &str) -> io::Error {
    io::Error::other(format!("no cgroup with the controller `{name}` is in reach"))
}

/// The groups of one attempt.
#[derive(Debug)]
pub(crate) struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    path: PathBuf,
    version: Version,
    holds: Vec<Controller>,
}

/// Where the groups of an attempt would lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    path: PathBuf,
    version: Version,
    holds: Vec<Controller>,
}

impl Place {
    /// Which interface it has.
    pub(crate) fn version(&self) -> &'static str {
        match self.version {
            Version::One => "cgroup version 1",
            Version::Two => "cgroup version 2",
        }
    }
}

/// Where groups for these controllers can be made, one place for as many controllers as share it; and which have none.
pub(crate) fn places(
    hierarchies: &[Hierarchy],
    wanted: &[Controller],
) -> (Vec<Place>, Vec<(Controller, io::Error)>) {
    let (mut places, mut lacking) = (Vec::<Place>::new(), Vec::new());
    for controller in wanted {
        match place(hierarchies, *controller, &places) {
            Ok((path, version)) => match places.iter_mut().find(|it| it.path == path) {
                Some(place) => place.holds.push(*controller),
                None => places.push(Place { path, version, holds: vec![*controller] }),
            },
            Err(error) => lacking.push((*controller, error)),
        }
    }
    (places, lacking)
}

fn place(
    hierarchies: &[Hierarchy],
    controller: Controller,
    taken: &[Place],
) -> io::Result<(PathBuf, Version)> {
    let of = |version| hierarchies.iter().filter(move |it| it.version == version);
    // A process is in one group of version 2, so there is one for everything.
    let one = taken.iter().find(|it| it.version == Version::Two).map(|it| it.path.clone());
    let mut last = missing(controller.name(Version::One));
    for hierarchy in of(Version::Two) {
        match (hierarchy.parent(controller), &one) {
            (Ok(path), None) => return Ok((path, Version::Two)),
            (Ok(path), Some(one)) if path == *one || controller.is_in_every_group() => {
                return Ok((one.clone(), Version::Two));
            }
            (Ok(_), Some(_)) => {}
            (Err(error), _) => last = error,
        }
    }
    for hierarchy in of(Version::One) {
        match hierarchy.parent(controller) {
            Ok(path) => return Ok((path, Version::One)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Groups {
    /// The groups of `key`, which are not there yet.
    pub(crate) fn new(places: &[Place], key: &str) -> Self {
        let group = |place: &Place| {
            let path = place.path.join(name(key));
            Group { path, version: place.version, holds: place.holds.clone() }
        };
        Self { groups: places.iter().map(group).collect() }
    }

    /// Makes them and sets their limits.
    ///
    /// # Errors
    /// If one cannot be made or does not take its limit.
    pub(crate) fn make(&self, limits: &Limits) -> io::Result<()> {
        for group in &self.groups {
            remove(&group.path)?;
            fs::create_dir(&group.path)?;
            group.limit(limits)?;
        }
        Ok(())
    }

    /// Takes a process in.
    pub(crate) fn take_in(&self, pid: Pid) -> io::Result<()> {
        let text = pid.as_raw_nonzero().to_string();
        self.groups.iter().try_for_each(|group| fs::write(group.path.join("cgroup.procs"), &text))
    }

    /// Where they lie, for whoever has to remove them after us.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.groups.iter().map(|group| group.path.as_path())
    }

    /// Whether all in them can be killed at once.
    pub(crate) fn can_kill(&self) -> bool {
        self.holder(Controller::Kill).is_some_and(|group| group.path.join("cgroup.kill").exists())
    }

    /// Kills all that is in them.
    pub(crate) fn kill(&self) {
        self.groups.iter().for_each(|group| kill(&group.path));
    }

    /// How often memory ran out.
    pub(crate) fn out_of_memory(&self) -> Option<u64> {
        let group = self.holder(Controller::Memory)?;
        let file = match group.version {
            Version::Two => "memory.events",
            Version::One => "memory.oom_control",
        };
        group.number(file, "oom_kill")
    }

    /// How often a process could not be made.
    pub(crate) fn out_of_pids(&self) -> Option<u64> {
        self.holder(Controller::Pids)?.number("pids.events", "max")
    }

    /// How long was computed.
    pub(crate) fn computed(&self) -> Option<Duration> {
        let group = self.holder(Controller::CpuMeter)?;
        match group.version {
            Version::Two => group.number("cpu.stat", "usage_usec").map(Duration::from_micros),
            Version::One => {
                let text = fs::read_to_string(group.path.join("cpuacct.usage")).ok()?;
                text.trim().parse().ok().map(Duration::from_nanos)
            }
        }
    }

    fn holder(&self, controller: Controller) -> Option<&Group> {
        self.groups.iter().find(|group| group.holds.contains(&controller))
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for group in &self.groups {
            // What stays behind is swept by whoever comes next.
            remove(&group.path).unwrap_or_default();
        }
    }
}

impl Group {
    fn limit(&self, limits: &Limits) -> io::Result<()> {
        let set = |file: &str, text: String| {
            fs::write(self.path.join(file), text)
                .map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))
        };
        for controller in &self.holds {
            match (controller, self.version) {
                (Controller::Memory, Version::Two) => {
                    let Some(bytes) = limits.memory_bytes else { continue };
                    set("memory.max", bytes.to_string())?;
                    set("memory.oom.group", "1".to_owned())?;
                    no_swap(set("memory.swap.max", "0".to_owned()))?;
                }
                (Controller::Memory, Version::One) => {
                    let Some(bytes) = limits.memory_bytes else { continue };
                    set("memory.limit_in_bytes", bytes.to_string())?;
                    no_swap(set("memory.memsw.limit_in_bytes", bytes.to_string()))?;
                }
                (Controller::Pids, _) => {
                    let Some(pids) = limits.pids else { continue };
                    set("pids.max", pids.to_string())?;
                }
                (Controller::Cpu, version) => {
                    let Some(percent) = limits.cpu_percent else { continue };
                    let quota = u64::from(percent) * 1_000;
                    match version {
                        Version::Two => set("cpu.max", format!("{quota} 100000"))?,
                        Version::One => set("cpu.cfs_quota_us", quota.to_string())?,
                    }
                }
                (Controller::CpuMeter | Controller::Kill, _) => {}
            }
        }
        Ok(())
    }

    /// A number in a file of `name number` lines.
    fn number(&self, file: &str, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.path.join(file)).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    }
}

/// A kernel may count no swap, and then there is none to forbid.
fn no_swap(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Opening a file that the kernel does not have would mean making it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

/// Removes a group of ours with all that is in it.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    if !is_ours || !path.is_dir() {
        return Ok(());
    }
    let mut last = Ok(());
    for _ in 0..BUSY_TRIES {
        kill(path);
        last = fs::remove_dir(path);
        match &last {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // The kernel tells nobody when a group is free; this runs in the helper, or on a thread of its own.
            Err(_) => std::thread::sleep(BUSY),
        }
    }
    last
}

/// Kills whoever is in a group.
fn kill(path: &Path) {
    if fs::write(path.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    let pids = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    let pids = pids.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    pids.filter_map(crate::procfs::process).for_each(crate::note::kill);
}

/// The name of an attempt's group. Keys are base32; anything else is made harmless.
fn name(key: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{PREFIX}{}", key.chars().map(safe).take(200).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place of version 2 that is only files.
    fn second(place: &Path, controllers: &str, enabled: &str) -> Hierarchy {
        fs::write(place.join("cgroup.controllers"), controllers).unwrap();
        fs::write(place.join("cgroup.subtree_control"), enabled).unwrap();
        Hierarchy { version: Version::Two, place: place.to_owned(), controllers: Vec::new() }
    }

    fn first(place: &Path, controller: &str) -> Hierarchy {
        let controllers = vec![controller.to_owned()];
        Hierarchy { version: Version::One, place: place.join(controller), controllers }
    }

    const ALL: [Controller; 5] = [
        Controller::Memory,
        Controller::Pids,
        Controller::Cpu,
        Controller::CpuMeter,
        Controller::Kill,
    ];

    #[test]
    fn our_place_is_where_both_files_say() {
        let mounts = "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      32 25 0:28 /docker/a /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                      33 25 0:29 / /tmp rw - tmpfs tmpfs rw\n";
        let own = "4:memory:/a/b\n3:cpu,cpuacct:/\n0::/docker/a/c\n";
        let found = find(mounts, own);
        let places: Vec<_> = found.iter().map(|it| it.place.to_str().unwrap()).collect();
        assert_eq!(
            places,
            [
                "/sys/fs/cgroup/memory/a/b",
                "/sys/fs/cgroup/cpu,cpuacct/",
                "/sys/fs/cgroup/unified/c"
            ]
        );
        assert_eq!(found[1].controllers, ["cpu", "cpuacct"]);
        assert!(find("nonsense\n1 2 3 - cgroup", "x").is_empty());
    }

    #[test]
    fn version_two_holds_everything_in_one_group() {
        let dir = tempfile::tempdir().unwrap();
        let all = [second(dir.path(), "cpu memory pids", "cpu memory pids")];
        let (places, lacking) = places(&all, &ALL);
        assert!(lacking.is_empty() && places.len() == 1, "{places:?}");
        let groups = Groups::new(&places, "K/E:Y");
        groups
            .make(&Limits {
                memory_bytes: Some(1 << 20),
                pids: Some(7),
                cpu_percent: Some(50),
                ..Limits::default()
            })
            .unwrap();
        let group = dir.path().join("opcode-K_E_Y");
        for (file, text) in [
            ("memory.max", "1048576"),
            ("memory.swap.max", "0"),
            ("memory.oom.group", "1"),
            ("pids.max", "7"),
            ("cpu.max", "50000 100000"),
        ] {
            assert_eq!(fs::read_to_string(group.join(file)).unwrap(), text, "{file}");
        }
        fs::write(group.join("memory.events"), "low 0\noom 1\noom_kill 2\n").unwrap();
        fs::write(group.join("cpu.stat"), "usage_usec 1500\nuser_usec 1\n").unwrap();
        assert_eq!(groups.out_of_memory(), Some(2));
        assert_eq!(groups.computed(), Some(Duration::from_micros(1_500)));
        assert_eq!(groups.out_of_pids(), None);
        fs::remove_dir_all(group).unwrap();
    }

    #[test]
    fn controllers_are_found_beside_us_and_switched_on() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("server");
        fs::create_dir(&own).unwrap();
        let beside = second(dir.path(), "memory pids", "memory");
        let ours = second(&own, "", "");
        let (found, lacking) = places(std::slice::from_ref(&ours), &ALL);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, beside.place);
        assert_eq!(lacking.iter().map(|it| it.0).collect::<Vec<_>>(), [Controller::Cpu]);
        let enabled = fs::read_to_string(dir.path().join("cgroup.subtree_control")).unwrap();
        assert_eq!(enabled, "+pids");
    }

    #[test]
    fn version_one_stands_in_for_what_version_two_lacks() {
        let dir = tempfile::tempdir().unwrap();
        let two = second(dir.path(), "hugetlb", "");
        let one = ["memory", "pids", "cpuacct"].map(|name| first(dir.path(), name));
        let all: Vec<Hierarchy> = [two].into_iter().chain(one).collect();
        let (found, lacking) = places(&all, &ALL);
        let held: Vec<_> = found.iter().map(|it| (it.version, it.holds.clone())).collect();
        assert_eq!(
            held,
            [
                (Version::One, vec![Controller::Memory]),
                (Version::One, vec![Controller::Pids]),
                (Version::Two, vec![Controller::CpuMeter, Controller::Kill]),
            ]
        );
        assert_eq!(lacking.len(), 1, "nobody has the processors");
    }

    #[test]
    fn nothing_is_removed_that_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, others) = (dir.path().join("opcode-x"), dir.path().join("system"));
        fs::create_dir(&ours).unwrap();
        fs::create_dir(&others).unwrap();
        fs::write(others.join("cgroup.procs"), std::process::id().to_string()).unwrap();
        remove(&others).unwrap();
        assert!(others.exists());
        remove(&dir.path().join("opcode-gone")).unwrap();
    }
}
