//! What an isolated program sees of the file system: a root of its own with the system read-only in it, and the paths
//! it was given.
//!
//! Keeps: a path that was given is taken as it stands; one that leads through a symbolic link is refused, because
//! whoever may change the link could choose what is shown. Nothing of the old root stays reachable.
//! Not here: which namespaces (`enter.rs`), what may be reached of it (`landlock.rs`).

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen,
    mount_change, mount_remount, move_mount, open_tree, unmount,
};
use rustix::process::{chdir, fchdir, getgid, getuid, pivot_root};

use opcode_model::Profile;

use super::sys;
use crate::policy::{Mechanism, Plan};

/// Where an isolated program works that was given no directory.
pub const WORK: &str = "/box";

/// Directories of the system: what is a link on the host is the same link here.
const SYSTEM: [&str; 8] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"];

/// What programs look up, and nobody's secret.
const ETC: [&str; 21] = [
    "alternatives",
    "ca-certificates",
    "gai.conf",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
];

/// Files of `/proc` in which root reads of the whole machine.
const MASKED: [&str; 9] = [
    "kcore",
    "keys",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "slabinfo",
    "sysrq-trigger",
    "timer_list",
    "vmallocinfo",
];

/// Devices that hold nothing.
const DEVICES: [&str; 6] = ["full", "null", "random", "tty", "urandom", "zero"];

/// Bytes of each private file system: `/tmp`, `/box`, `/dev/shm`.
const PRIVATE_BYTES: &str = "268435456";

/// Where the new root stands until it is the root.
const BASE: &str = "/tmp";

/// Where a program works that was given no directory.
pub(crate) fn work(plan: &Plan) -> Option<&'static Path> {
    let apart = if plan.has(Mechanism::Namespaces) { WORK } else { "/tmp" };
    (plan.requested >= Profile::Isolated).then(|| Path::new(apart))
}

/// What is read of the root view, as Landlock is told.
pub(crate) fn readable(plan: &Plan) -> Vec<PathBuf> {
    if plan.has(Mechanism::Namespaces) {
        return vec!["/".into()];
    }
    let etc = ETC.iter().map(|name| Path::new("/etc").join(name));
    let others = ["/etc/passwd", "/etc/group", "/proc/self", "/tmp", "/dev/shm"];
    let devices = DEVICES.iter().map(|name| Path::new("/dev").join(name));
    let system = SYSTEM.iter().chain(&others).map(PathBuf::from);
    system.chain(etc).chain(devices).chain(plan.read.iter().cloned()).collect()
}

/// What may be changed, as Landlock is told.
pub(crate) fn writable(plan: &Plan) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = match plan.has(Mechanism::Namespaces) {
        true => ["/tmp", WORK, "/dev"].map(PathBuf::from).to_vec(),
        false => vec!["/tmp".into(), "/dev/shm".into(), "/proc/self".into()],
    };
    paths.extend(DEVICES.map(|name| Path::new("/dev").join(name)));
    paths.extend(plan.write.iter().cloned());
    paths
}

/// Makes the new root and moves into it. In a mount namespace of its own only.
///
/// # Errors
/// With the path that could not be shown.
pub(crate) fn enter(plan: &Plan) -> io::Result<()> {
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
    let given = given(plan)?;
    let view = View { root: private("67108864", "0755")? };
    // From here on, what lies at that place on the host is reached only by what was opened before.
    place(&view.root, &open(CWD, Path::new(BASE), ResolveFlags::empty())?)?;
    view.system()?;
    view.etc()?;
    view.dev()?;
    view.private_dirs()?;
    for one in &given {
        view.bind(&one.source, one.path, |tree| sys::tame(tree, one.read_only))
            .map_err(|error| about(one.path, &error))?;
    }
    view.proc(plan.has(Mechanism::OwnProc))?;
    fchdir(&view.root)?;
    pivot_root(".", ".")?;
    // The old root lies on top of the new one now; taking it off leaves the new one.
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")?;
    let sealed = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount_remount("/", sealed, "")?)
}

/// A path that was given, opened.
struct Given<'a> {
    path: &'a Path,
    read_only: bool,
    source: OwnedFd,
}

/// The paths that were given, outer ones first, so that an inner one may be changed where its outer may only be read.
fn given(plan: &Plan) -> io::Result<Vec<Given<'_>>> {
    let reads = plan.read.iter().map(|path| (path, true));
    let mut all: Vec<(&PathBuf, bool)> =
        reads.chain(plan.write.iter().map(|path| (path, false))).collect();
    // Of two alike, the one that may be changed comes last and counts.
    all.sort_by_key(|(path, read_only)| (*path, !read_only));
    let mut given = Vec::with_capacity(all.len());
    for (path, read_only) in all {
        let source = host(path).map_err(|error| about(path, &error))?;
        given.push(Given { path, read_only, source });
    }
    Ok(given)
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

/// A root in the making.
struct View {
    root: OwnedFd,
}

impl View {
    fn system(&self) -> io::Result<()> {
        for path in SYSTEM.map(Path::new) {
            match fs::symlink_metadata(path) {
                Ok(there) if there.is_symlink() => {
                    symlink(fs::read_link(path)?, self.path(path))?;
                }
                Ok(there) if there.is_dir() => self.show(path, path)?,
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn etc(&self) -> io::Result<()> {
        for name in ETC {
            let path = Path::new("/etc").join(name);
            // What a link of the host leads to is shown in its place.
            if let Ok(source) = fs::canonicalize(&path) {
                self.show(&source, &path)?;
            }
        }
        let (user, group) = (getuid().as_raw(), getgid().as_raw());
        let mut accounts = format!("opcode:x:{user}:{group}::{WORK}:/bin/sh\n");
        let mut groups = format!("opcode:x:{group}:\n");
        for (name, id) in [("root", 0), ("nobody", 65_534)] {
            if id != user {
                accounts += &format!("{name}:x:{id}:{id}::/:/bin/false\n");
            }
            if id != group {
                groups += &format!("{name}:x:{id}:\n");
            }
        }
        fs::write(self.path(Path::new("/etc/passwd")), accounts)?;
        fs::write(self.path(Path::new("/etc/group")), groups)
    }

    fn dev(&self) -> io::Result<()> {
        for name in DEVICES {
            let path = Path::new("/dev").join(name);
            if path.exists() {
                self.bind(&host(&path)?, &path, |_| Ok(()))?;
            }
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            symlink(target, self.path(&Path::new("/dev").join(name)))?;
        }
        Ok(())
    }

    fn private_dirs(&self) -> io::Result<()> {
        for (path, mode) in [("/tmp", "1777"), (WORK, "0700"), ("/dev/shm", "1777")] {
            let at = self.directory(Path::new(path))?;
            let tree = private(PRIVATE_BYTES, mode)?;
            place(&tree, &at)?;
        }
        Ok(())
    }

    fn proc(&self, own: bool) -> io::Result<()> {
        let at = self.directory(Path::new("/proc"))?;
        if !own {
            return Ok(());
        }
        let proc = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(proc.as_fd())?;
        // Root without capabilities still owns the kernel's switches; so nobody writes here.
        let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
            | MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let tree = fsmount(proc.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        place(&tree, &at)?;
        for name in MASKED {
            let path = Path::new("/proc").join(name);
            // A kernel may have no such file.
            if self.open(&path).is_ok() {
                self.bind(&host(Path::new("/dev/null"))?, &path, |_| Ok(()))?;
            }
        }
        Ok(())
    }

    /// Shows a part of the system, read-only.
    fn show(&self, source: &Path, target: &Path) -> io::Result<()> {
        self.bind(&host(source)?, target, |tree| sys::tame(tree, true))
    }

    /// Puts what a handle means at a place, after a change.
    fn bind(
        &self,
        source: &OwnedFd,
        target: &Path,
        change: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let is_dir = FileType::from_raw_mode(fstat(source)?.st_mode) == FileType::Directory;
        let at = if is_dir { self.directory(target)? } else { self.file(target)? };
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH
            | OpenTreeFlags::AT_RECURSIVE;
        let tree = open_tree(source.as_fd(), "", flags)?;
        change(tree.as_fd())?;
        place(&tree, &at)
    }

    /// A directory of the new root; it is made if it is not there.
    fn directory(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut builder = fs::DirBuilder::new();
                builder.recursive(true).mode(0o755).create(self.path(path))?;
                self.open(path)
            }
            opened => opened,
        }
    }

    /// A file of the new root; an empty one is made if it is not there.
    fn file(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    self.directory(folder)?;
                }
                fs::write(self.path(path), "")?;
                self.open(path)
            }
            opened => opened,
        }
    }

    fn open(&self, path: &Path) -> io::Result<OwnedFd> {
        let below = path.strip_prefix("/").unwrap_or(path);
        open(self.root.as_fd(), below, ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS)
    }

    /// The path of something on the new root's own file system, where nobody else makes links.
    fn path(&self, path: &Path) -> PathBuf {
        Path::new(BASE).join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// Something of the host, as it stands.
fn host(path: &Path) -> io::Result<OwnedFd> {
    open(CWD, path, ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS)
}

fn open(at: impl AsFd, path: &Path, resolve: ResolveFlags) -> io::Result<OwnedFd> {
    match openat2(at, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve) {
        Err(rustix::io::Errno::LOOP) => {
            Err(io::Error::other("it leads through a symbolic link; give the path it leads to"))
        }
        opened => Ok(opened?),
    }
}

/// A file system in memory that nobody else sees.
fn private(bytes: &str, mode: &str) -> io::Result<OwnedFd> {
    let fs = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(fs.as_fd(), "size", bytes)?;
    fsconfig_set_string(fs.as_fd(), "mode", mode)?;
    fsconfig_create(fs.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    Ok(fsmount(fs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

fn place(tree: &OwnedFd, at: &OwnedFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(tree.as_fd(), "", at.as_fd(), "", flags)?)
}
