//! A process that holds the store: its engine, what it hears of commits, and how it ends.
//!
//! Keeps: told to stop, it starts nothing new and lets what is in flight end within the grace; told twice, it ends at once.
//! Not here: following one workflow (`follow.rs`).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use opcode_mcp::plugins::Plugins;
use opcode_runtime::{Engine, Note};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::Receiver;

use crate::cli::{EngineArgs, Place};
use crate::exit::Exit;
use crate::say;
use crate::show::age::span;
use crate::show::count;
use crate::traces::Traces;
use crate::trouble::Trouble;
use crate::wire;

/// A process that holds the store.
pub(crate) struct Session {
    pub(crate) engine: Engine,
    pub(crate) plugins: Plugins,
    pub(crate) notes: Receiver<Note>,
    pub(crate) interrupts: Interrupts,
    grace: Duration,
    traces: Option<Traces>,
}

/// What tells a process to end.
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
    hup: Signal,
    /// Kept so that a file size limit is an error of a write, not the end of us.
    _too_large: Option<Signal>,
}

impl Interrupts {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self, Trouble> {
        const SIGXFSZ: i32 = 25;
        let deaf = |cause| Trouble::fault(format!("could not listen for signals: {cause}"));
        Ok(Self {
            int: signal(SignalKind::interrupt()).map_err(deaf)?,
            term: signal(SignalKind::terminate()).map_err(deaf)?,
            hup: signal(SignalKind::hangup()).map_err(deaf)?,
            _too_large: signal(SignalKind::from_raw(SIGXFSZ)).ok(),
        })
    }

    /// For who takes SIGHUP for a wish to read the settings again: whether that is meant, and not the end.
    pub(crate) async fn is_reload(&mut self) -> bool {
        tokio::select! {
            _ = self.int.recv() => false,
            _ = self.term.recv() => false,
            _ = self.hup.recv() => true,
        }
    }

    /// How the process shall end, once it is told to.
    pub(crate) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.int.recv() => Exit::Interrupted,
            _ = self.term.recv() => Exit::Terminated,
            _ = self.hup.recv() => Exit::HungUp,
        }
    }
}

impl Session {
    /// Opens the store; every unfinished workflow goes on from here.
    pub(crate) async fn open(place: &Place, args: &EngineArgs) -> Result<Self, Trouble> {
        let session = Self::serving(place, args, None).await?;
        let engine = session.engine.by(wire::actor());
        Ok(Self { engine, ..session })
    }

    /// The same for a process that listens; no action of its workflows reaches it there.
    pub(crate) async fn serving(
        place: &Place,
        args: &EngineArgs,
        listens_at: Option<SocketAddr>,
    ) -> Result<Self, Trouble> {
        let interrupts = Interrupts::listen()?;
        let (engine, plugins) = wire::engine(place, args, listens_at).await?;
        let notes = engine.hub().listen();
        let traces = Traces::begin(&engine)?;
        Ok(Self { engine, plugins, notes, interrupts, grace: args.grace, traces })
    }

    /// Lets go of the store. What other workflows have in flight may end within the grace.
    pub(crate) async fn close(mut self) -> Result<(), Trouble> {
        let left = self.engine.running().await;
        if left > 0 {
            let actions = count(left, "action");
            say::talk(&format!("waiting up to {} for {actions} in flight", span(self.grace)));
        }
        self.drain().await
    }

    /// The process was told to stop.
    pub(crate) async fn stop(mut self) -> Result<(), Trouble> {
        let left = self.engine.running().await;
        if left > 0 {
            let actions = count(left, "action");
            let grace = span(self.grace);
            say::talk(&format!("stopping: {actions} in flight, up to {grace}; again ends at once"));
        }
        self.drain().await
    }

    /// Waits for what was asked of the engine, unless the process is told to stop before.
    pub(crate) async fn unless_stopped<T>(
        &mut self,
        asked: impl Future<Output = T>,
    ) -> Result<T, Exit> {
        const LONG: Duration = Duration::from_secs(2);
        tokio::pin!(asked);
        let mut is_long = false;
        loop {
            tokio::select! {
                exit = self.interrupts.next() => return Err(exit),
                answer = &mut asked => return Ok(answer),
                () = tokio::time::sleep(LONG), if !is_long => {
                    is_long = true;
                    say::talk("the store has not taken it yet: the disk may be full or very busy");
                }
            }
        }
    }

    /// Goes on until nothing is open but decisions and signals; or answers how the process shall end.
    pub(crate) async fn rest(&mut self) -> Result<Option<Exit>, Trouble> {
        const CALM: Duration = Duration::from_millis(40);
        loop {
            let begun = Instant::now();
            if self.engine.reader().rests(None).await? {
                return Ok(None);
            }
            let pause = CALM.max(begun.elapsed() * 20);
            tokio::select! {
                exit = self.interrupts.next() => return Ok(Some(exit)),
                () = news(&mut self.notes, pause) => {}
            }
        }
    }

    async fn drain(&mut self) -> Result<(), Trouble> {
        let traces = self.traces.take();
        let shutdown = async {
            let closed = self.engine.shutdown(self.grace).await;
            self.plugins.end().await;
            if let Some(traces) = traces {
                traces.finish().await;
            }
            closed
        };
        tokio::select! {
            closed = shutdown => Ok(closed?),
            exit = self.interrupts.next() => {
                say::talk("ended at once; what was in flight goes on at the next start");
                std::process::exit(exit.number().into());
            }
        }
    }
}

/// Waits for news, and then for a pause.
async fn news(notes: &mut Receiver<Note>, pause: Duration) {
    // A listener that was too slow has news all the same.
    drop(tokio::time::timeout(Duration::from_secs(1), notes.recv()).await);
    tokio::time::sleep(pause).await;
    while notes.try_recv().is_ok() {}
}
