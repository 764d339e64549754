//! The helper: one small process per attempt that starts the program, and outlives none of its masters.
//!
//! Keeps: it ends when its program has ended, when it is told to, or when the daemon at the other end of its standard
//! input is gone; before it ends, everything below it has ended.
//! Not here: asking for it (`exec.rs`), isolation.

mod plant;
mod tree;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use opcode_model::Profile;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Rlimit, WaitStatus, getpid, set_child_subreaper, setrlimit};

use self::plant::{Planted, plant};
use crate::detached::{self, Files};
use crate::linux::meter::{Hit, Meter};
use crate::linux::sys;
use crate::note::Note;
use crate::probe;
use crate::spec::{Order, Run};
use crate::word::Word;

/// The byte that asks the tree to end in its own time.
pub(crate) const TERMINATE: u8 = b't';
/// The byte that ends the tree.
pub(crate) const KILL: u8 = b'k';

/// How often orphans are taken in while nothing else happens.
const REAP: Duration = Duration::from_secs(1);
/// How often limits are looked at, if there are any.
const WATCH: Duration = Duration::from_millis(50);

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
    /// It had used up what it may.
    Hit(Hit),
    /// We were asked to stop it.
    Stopped,
    /// We were told to kill it.
    Killed,
    /// Nobody is left who would want to know.
    Abandoned,
}

fn serve(mut control: UnixStream) -> io::Result<()> {
    let (order, stdin) = Order::read(&mut control)?;
    let order = match order {
        Order::Run(order) => order,
        Order::Probe => return report(&mut control, &Word::Host(probe::host())),
    };
    match prepare(&order, &control) {
        Ok(None) => Ok(()),
        Ok(Some(note)) => run(&order, stdin, control, note),
        Err(error) => report(&mut control, &Word::Helper(error.to_string())),
    }
}

/// Makes this process fit to hold a tree; `None` if the daemon went away meanwhile.
fn prepare(order: &Run, control: &UnixStream) -> io::Result<Option<Option<Note>>> {
    set_child_subreaper(Some(getpid()))?;
    sys::close_on_exec()?;
    if order.spec.plan.requested > Profile::None {
        // Without this a set-user-id program below us could not be killed.
        rustix::thread::set_no_new_privs(true)?;
    }
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // Who goes on alone is wanted from the moment he has his order.
    let wanted = || order.detached.is_some() || connected(control);
    let note = match (&order.attempts_dir, &order.spec.key) {
        (Some(dir), Some(key)) => match Note::leave(dir, key, wanted)? {
            Some(note) => Some(note),
            None => return Ok(None),
        },
        (None, _) | (_, None) => None,
    };
    Ok(wanted().then_some(note))
}

fn run(
    order: &Run,
    stdin: Vec<u8>,
    mut control: UnixStream,
    mut note: Option<Note>,
) -> io::Result<()> {
    if let (Some(_), Some(note)) = (&order.detached, &mut note) {
        note.detach()?;
    }
    let planted = plant(order, stdin, note.as_mut());
    let mut planted = match planted {
        Ok(planted) => planted,
        Err(word) => {
            tree::kill_all();
            return told(order, &mut control, &word);
        }
    };
    let end = Tree::new(order, &mut planted, &control).and_then(|mut tree| tree.tend());
    planted.feed = None;
    let word = match end {
        Ok(End::Ended(status)) => Some(planted.word().unwrap_or_else(|| Word::ended(status))),
        Ok(End::Hit(hit)) => Some(Word::Hit(hit)),
        Ok(End::Stopped) => Some(Word::Stopped),
        Ok(End::Killed) => Some(Word::Killed),
        Ok(End::Abandoned) => None,
        Err(error) => Some(Word::Helper(error.to_string())),
    };
    let told = word.map_or(Ok(()), |word| told(order, &mut control, &word));
    if let Some(groups) = &planted.groups {
        groups.kill();
    }
    match order.spec.plan.requested {
        Profile::None => tree::kill_what_we_may(),
        Profile::Process | Profile::Isolated | Profile::Strict => tree::kill_all(),
    }
    // The note tells of the groups, so it goes last.
    drop(planted);
    drop(note);
    told
}

/// Says the last word to whoever asked, or leaves it for whoever comes.
fn told(order: &Run, control: &mut UnixStream, word: &Word) -> io::Result<()> {
    match (files(order), &order.detached) {
        (Some(files), Some(_)) => files.leave(word),
        (None, _) | (_, None) => report(control, word),
    }
}

/// What lies between a detached helper and whoever comes.
fn files(order: &Run) -> Option<Files> {
    Some(Files::of(order.attempts_dir.as_deref()?, order.spec.key.as_deref()?))
}

/// One line for the daemon. It may be gone, and then nobody needs it.
fn report(control: &mut UnixStream, word: &Word) -> io::Result<()> {
    control.set_nonblocking(false)?;
    control.write_all(word.line().as_bytes())
}

/// Whether the daemon still holds the other end.
fn connected(control: &UnixStream) -> bool {
    let mut fds = [PollFd::new(control, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok()
        && !fds[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP)
}

/// A running program, and what may happen to it.
struct Tree<'a> {
    planted: Held<'a>,
    control: &'a UnixStream,
    meter: Option<Meter<'a>>,
    looked: Instant,
    grace: Duration,
    stop_by: Option<Instant>,
    alone: Option<Alone>,
}

/// What guides a helper that nobody speaks with.
struct Alone {
    files: Files,
    kill_by: Option<Instant>,
    output_bytes_max: Option<u64>,
}

/// What is held of a program while it runs.
struct Held<'a> {
    direct: Pid,
    handle: BorrowedFd<'a>,
    feed: &'a mut Option<Feed>,
}

/// What is left to be fed, and where to.
struct Feed {
    pipe: File,
    bytes: Vec<u8>,
    fed: usize,
}

impl Feed {
    fn new(pipe: OwnedFd, bytes: Vec<u8>) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe: pipe.into(), bytes, fed: 0 })
    }
}

impl<'a> Tree<'a> {
    fn new(order: &Run, planted: &'a mut Planted, control: &'a UnixStream) -> io::Result<Self> {
        control.set_nonblocking(true)?;
        let plan = &order.spec.plan;
        let meter = plan.is_watched().then(|| Meter::new(plan, planted.groups.as_ref()));
        let held = Held {
            direct: planted.direct,
            handle: planted.handle.as_fd(),
            feed: &mut planted.feed,
        };
        let grace = Duration::from_millis(order.grace_ms);
        let alone = order.detached.as_ref().zip(files(order)).map(|(detached, files)| Alone {
            files,
            kill_by: detached.timeout.map(|span| Instant::now() + span),
            output_bytes_max: plan.limits.output_bytes,
        });
        let looked = Instant::now();
        Ok(Self { planted: held, control, meter, looked, grace, stop_by: None, alone })
    }

    /// Waits for one of the ends.
    fn tend(&mut self) -> io::Result<End> {
        loop {
            self.rest()?;
            let ended = tree::reap(self.planted.direct);
            if let Some(hit) = self.look(ended.is_some()) {
                return Ok(End::Hit(hit));
            }
            if let Some(status) = ended {
                return Ok(if self.stop_by.is_some() { End::Stopped } else { End::Ended(status) });
            }
            let end = if self.alone.is_some() { self.look_around() } else { self.listen()? };
            if let Some(end) = end {
                return Ok(end);
            }
            if self.stop_by.is_some_and(|by| by <= Instant::now()) {
                return Ok(End::Stopped);
            }
            self.feed();
        }
    }

    /// Whether a limit was hit: now and then, and at the end.
    fn look(&mut self, has_ended: bool) -> Option<Hit> {
        let meter = self.meter.as_ref().filter(|_| has_ended || self.looked.elapsed() >= WATCH)?;
        self.looked = Instant::now();
        meter.look()
    }

    /// Sleeps until something may have happened.
    fn rest(&self) -> io::Result<()> {
        let look = match (&self.meter, &self.alone) {
            (Some(_), _) => WATCH,
            (None, Some(_)) => detached::LOOK,
            (None, None) => REAP,
        };
        let left =
            self.stop_by.map_or(look, |by| by.saturating_duration_since(Instant::now()).min(look));
        let left = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(1),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut fds = vec![PollFd::from_borrowed_fd(self.planted.handle, PollFlags::IN)];
        if self.alone.is_none() {
            fds.push(PollFd::new(self.control, PollFlags::IN));
        }
        if let Some(feed) = &*self.planted.feed {
            fds.push(PollFd::from_borrowed_fd(feed.pipe.as_fd(), PollFlags::OUT));
        }
        match poll(&mut fds, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What became of a program that nobody speaks with.
    fn look_around(&mut self) -> Option<End> {
        let alone = self.alone.as_ref()?;
        if alone.kill_by.is_some_and(|by| by <= Instant::now()) {
            return Some(End::Killed);
        }
        if let Some(hit) = detached::is_too_long(alone.output_bytes_max) {
            return Some(End::Hit(hit));
        }
        if self.stop_by.is_none() && alone.files.is_stopped() {
            self.terminate();
        }
        None
    }

    fn terminate(&mut self) {
        self.stop_by = Some(Instant::now() + self.grace);
        tree::terminate_all();
    }

    /// What the daemon says, if it says anything.
    fn listen(&mut self) -> io::Result<Option<End>> {
        let mut word = [0];
        match (&mut &*self.control).read(&mut word) {
            Ok(0) => Ok(Some(End::Abandoned)),
            Ok(_) if word[0] == KILL => Ok(Some(End::Killed)),
            Ok(_) => {
                if word[0] == TERMINATE && self.stop_by.is_none() {
                    self.terminate();
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
        let Some(feed) = self.planted.feed else { return };
        match feed.pipe.write(&feed.bytes[feed.fed..]) {
            Ok(written) => feed.fed += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // The program does not want the rest.
            Err(_) => feed.fed = feed.bytes.len(),
        }
        if feed.fed == feed.bytes.len() {
            *self.planted.feed = None;
        }
    }
}
