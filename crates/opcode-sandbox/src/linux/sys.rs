//! The system calls that have no safe wrapper; the only file of the house that says `unsafe`.
//!
//! Keeps: each function is safe to call as it stands; whatever its call needs, it looks after itself.
//! Not here: what the calls are good for.

#![expect(unsafe_code, reason = "these system calls have no safe wrapper")]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::{Pid, Signal};

/// Namespaces a child may begin in.
pub(crate) const APART: u64 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS) as u64;
/// A network namespace beside those.
pub(crate) const APART_NET: u64 = libc::CLONE_NEWNET as u64;

/// A child and the handle that means it and nobody else.
pub(crate) struct Child {
    pub pid: Pid,
    pub handle: OwnedFd,
}

/// That this process has one thread, which is the one that asked.
pub(crate) struct Alone(());

impl Alone {
    /// # Errors
    /// If it has more, or if that cannot be told.
    pub(crate) fn here() -> io::Result<Self> {
        match std::fs::read_dir("/proc/self/task")?.count() {
            1 => Ok(Self(())),
            _ => Err(io::Error::other("only a process of one thread may fork")),
        }
    }
}

/// Makes a child in new namespaces that does `work`, and ends with its answer. It keeps the standard streams and
/// `keep`, and no other descriptor. A child of a process with several threads would have only one of them, and the
/// locks of all; hence the proof.
pub(crate) fn fork(
    _proof: &Alone,
    namespaces: u64,
    keep: &[BorrowedFd<'_>],
    work: impl FnOnce(&Alone) -> u8,
) -> io::Result<Child> {
    let mut handle: libc::c_int = -1;
    // SAFETY: all zeroes is a valid `clone_args`: every member is a number, and zero asks for nothing.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = namespaces | libc::CLONE_PIDFD as u64;
    args.pidfd = (&raw mut handle).addr() as u64;
    args.exit_signal = Signal::CHILD.as_raw() as u64;
    // SAFETY: `args` is initialised, has the size that is given, and asks for no shared memory and no stack, so the
    // child is a copy of this process. There is one thread, so no lock is held by one that the child lacks.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) };
    if pid == 0 {
        close_all_but(keep);
        let work = AssertUnwindSafe(|| work(&Alone(())));
        let code = catch_unwind(work).unwrap_or(u8::MAX);
        // SAFETY: ending at once, without the exit handlers of the process this is a copy of, is what is meant.
        unsafe { libc::_exit(code.into()) }
    }
    let pid =
        i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else has it.
    Ok(Child { pid, handle: unsafe { OwnedFd::from_raw_fd(handle) } })
}

/// Closes every descriptor above the standard streams but those. Only for a child that never returns to its owners.
fn close_all_but(keep: &[BorrowedFd<'_>]) {
    let mut keep: Vec<libc::c_uint> =
        keep.iter().filter_map(|fd| fd.as_raw_fd().try_into().ok()).collect();
    keep.sort_unstable();
    let mut first = 3;
    for last in keep.iter().map(|fd| fd.saturating_sub(1)).chain([libc::c_uint::MAX]) {
        if first <= last {
            // SAFETY: no memory is passed. The owners of these descriptors are in stack frames this process will
            // never return to, so nobody uses or closes them again.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
        first = last.saturating_add(2);
    }
}

/// Marks every descriptor above the standard streams to be closed when another program is run.
pub(crate) fn close_on_exec() -> io::Result<()> {
    // SAFETY: no memory is passed, and a descriptor stays open and its owner's.
    let done = unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes set-user-id and devices from a mount and all below it; and writing, if asked.
pub(crate) fn tame(mount: impl AsFd, read_only: bool) -> io::Result<()> {
    let writing = if read_only { libc::MOUNT_ATTR_RDONLY } else { 0 };
    let attr = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV | writing,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is a C string that outlives the call, and `attr` has the size that is given.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Brings up the loopback device of a new network namespace.
pub(crate) fn raise_loopback() -> io::Result<()> {
    // SAFETY: no memory is passed.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: all zeroes is a valid `ifreq`: an empty name and no flags.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: this request reads an `ifreq`, which is what it is given, and keeps no pointer to it.
    let done =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
