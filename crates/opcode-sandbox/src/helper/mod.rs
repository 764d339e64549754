//! The helper: one small process per attempt that starts the program, and outlives none of its masters.
//!
//! Keeps: it ends when its program has ended, when it is told to, or when the daemon at the other end of its standard
//! input is gone; before it ends, everything below it has ended.
//! Not here: asking for it (`exec.rs`), isolation.

mod tree;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use opcode_model::Value;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, WaitStatus, getpid, pidfd_open, set_child_subreaper,
    setrlimit,
};

use crate::note::Note;
use crate::spec::{ExecSpec, Order};

/// The byte that asks the tree to end in its own time.
pub(crate) const TERMINATE: u8 = b't';
/// The byte that ends the tree.
pub(crate) const KILL: u8 = b'k';

/// How often orphans are taken in while nothing else happens.
const REAP: Duration = Duration::from_secs(1);

/// What `opcode __exec` runs. Arguments only tell people what this process is for; the order comes on standard input,
/// which is one end of a socket whose other end only the daemon holds.
pub fn helper_main(_args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match rustix::stdio::stdin().try_clone_to_owned().map(UnixStream::from).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// How the tree came to its end.
enum End {
    /// The program ended by itself.
    Ended(WaitStatus),
    /// We were asked to stop it.
    Stopped,
    /// We were told to kill it.
    Killed,
    /// Nobody is left who would want to know.
    Abandoned,
}

fn serve(mut control: UnixStream) -> io::Result<()> {
    let (order, stdin) = Order::read(&mut control)?;
    match prepare(&order, &control) {
        Ok(None) => Ok(()),
        Ok(Some(note)) => run(&order, stdin, control, note),
        Err(error) => report(&mut control, "helper", error.to_string()),
    }
}

/// Makes this process fit to hold a tree; `None` if the daemon went away meanwhile.
fn prepare(order: &Order, control: &UnixStream) -> io::Result<Option<Option<Note>>> {
    set_child_subreaper(Some(getpid()))?;
    // Without this a set-user-id program below us could not be killed.
    rustix::thread::set_no_new_privs(true)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    let note = match (&order.attempts_dir, &order.spec.key) {
        (Some(dir), Some(key)) => match Note::leave(dir, key, || connected(control))? {
            Some(note) => Some(note),
            None => return Ok(None),
        },
        (None, _) | (_, None) => None,
    };
    Ok(connected(control).then_some(note))
}

fn run(
    order: &Order,
    stdin: Vec<u8>,
    mut control: UnixStream,
    note: Option<Note>,
) -> io::Result<()> {
    let mut tree = match Tree::plant(order, stdin, &control) {
        Ok(tree) => tree,
        Err((what, message)) => {
            tree::kill_all();
            return report(&mut control, what, message);
        }
    };
    let end = tree.tend();
    tree.stdin = None;
    let told = match end {
        Ok(End::Ended(status)) => match status.terminating_signal() {
            Some(number) => report(&mut control, "signal", i64::from(number)),
            None => report(&mut control, "exit", i64::from(status.exit_status().unwrap_or(-1))),
        },
        Ok(End::Stopped) => report(&mut control, "stopped", true),
        Ok(End::Killed) => report(&mut control, "killed", true),
        Ok(End::Abandoned) => Ok(()),
        Err(error) => report(&mut control, "helper", error.to_string()),
    };
    tree::kill_all();
    drop(note);
    told
}

/// One line for the daemon. It may be gone, and then nobody needs it.
fn report(control: &mut UnixStream, what: &str, value: impl Into<Value>) -> io::Result<()> {
    let line = Value::object([(what, value.into())]).to_json() + "\n";
    control.set_nonblocking(false)?;
    control.write_all(line.as_bytes())
}

/// Whether the daemon still holds the other end.
fn connected(control: &UnixStream) -> bool {
    let mut fds = [PollFd::new(control, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok()
        && !fds[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP)
}

/// A running program and what it may yet be fed.
struct Tree<'a> {
    direct: Pid,
    handle: std::os::fd::OwnedFd,
    control: &'a UnixStream,
    stdin: Option<Feed>,
    grace: Duration,
    stop_by: Option<Instant>,
}

struct Feed {
    pipe: ChildStdin,
    bytes: Vec<u8>,
    fed: usize,
}

impl<'a> Tree<'a> {
    fn plant(
        order: &Order,
        bytes: Vec<u8>,
        control: &'a UnixStream,
    ) -> Result<Self, (&'static str, String)> {
        let spec = &order.spec;
        if let Some(dir) = spec.cwd.as_ref().filter(|dir| !dir.is_dir()) {
            return Err(("cwd", format!("chdir {}: no such directory", dir.display())));
        }
        let helper = |error: io::Error| ("helper", error.to_string());
        let mut child = command(spec, !bytes.is_empty()).spawn().map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            (if missing { "missing" } else { "start" }, error.to_string())
        })?;
        let direct = Pid::from_child(&child);
        let handle =
            pidfd_open(direct, PidfdFlags::empty()).map_err(|error| helper(error.into()))?;
        let feed = child.stdin.take().map(|pipe| Feed { pipe, bytes, fed: 0 });
        if let Some(feed) = &feed {
            rustix::io::ioctl_fionbio(&feed.pipe, true).map_err(|error| helper(error.into()))?;
        }
        control.set_nonblocking(true).map_err(helper)?;
        let grace = Duration::from_millis(order.grace_ms);
        Ok(Self { direct, handle, control, stdin: feed, grace, stop_by: None })
    }

    /// Waits for one of the ends.
    fn tend(&mut self) -> io::Result<End> {
        loop {
            self.rest()?;
            if let Some(status) = tree::reap(self.direct) {
                return Ok(if self.stop_by.is_some() { End::Stopped } else { End::Ended(status) });
            }
            if let Some(end) = self.listen()? {
                return Ok(end);
            }
            if self.stop_by.is_some_and(|by| by <= Instant::now()) {
                return Ok(End::Stopped);
            }
            self.feed();
        }
    }

    /// Sleeps until something may have happened.
    fn rest(&self) -> io::Result<()> {
        let left =
            self.stop_by.map_or(REAP, |by| by.saturating_duration_since(Instant::now()).min(REAP));
        let left = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(1),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut fds = vec![
            PollFd::new(self.control, PollFlags::IN),
            PollFd::new(&self.handle, PollFlags::IN),
        ];
        if let Some(feed) = &self.stdin {
            fds.push(PollFd::from_borrowed_fd(feed.pipe.as_fd(), PollFlags::OUT));
        }
        match poll(&mut fds, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What the daemon says, if it says anything.
    fn listen(&mut self) -> io::Result<Option<End>> {
        let mut word = [0];
        match (&mut &*self.control).read(&mut word) {
            Ok(0) => Ok(Some(End::Abandoned)),
            Ok(_) if word[0] == KILL => Ok(Some(End::Killed)),
            Ok(_) => {
                if word[0] == TERMINATE && self.stop_by.is_none() {
                    self.stop_by = Some(Instant::now() + self.grace);
                    tree::terminate_all();
                }
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                Ok(Some(End::Abandoned))
            }
            Err(error) => Err(error),
        }
    }

    /// Feeds standard input as far as it goes, and closes it at its end.
    fn feed(&mut self) {
        let Some(feed) = &mut self.stdin else { return };
        match feed.pipe.write(&feed.bytes[feed.fed..]) {
            Ok(written) => feed.fed += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // The program does not want the rest.
            Err(_) => feed.fed = feed.bytes.len(),
        }
        if feed.fed == feed.bytes.len() {
            self.stdin = None;
        }
    }
}

fn command(spec: &ExecSpec, fed: bool) -> Command {
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).env_clear().envs(&spec.env).process_group(0);
    command.stdin(if fed { Stdio::piped() } else { Stdio::null() });
    if let Some(dir) = &spec.cwd {
        command.current_dir(dir);
    }
    command
}
