//! The pump: a thread that carries out what the driver asks, and tells it what came of it.
//!
//! Keeps: decisions run here, on a big stack, never on an async worker; nothing here waits but for news.
//! Not here: what to do next (`opcode-driver`).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use opcode_driver::{
    Batch, Command, CommitRefused, Driver, Incoming, LoadedRun, Reply, Resolved, Ticket,
};
use opcode_expr::STACK_BYTES;
use opcode_model::commit::Commit;
use opcode_model::{ErrorCode, Failure, RunId};
use opcode_store::{CommitError, Committed, Delivery, EventFilter, Pending, Runs, linger};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::clock::now;
use crate::hub::Hub;
use crate::perform::Performer;
use crate::plans::{Plans, definition_of, failure, unfit};
use crate::quotas::Ledger;
use crate::templates::{Templates, plan_of};
use crate::tools::last_words;

/// News taken in before the driver has its say again.
const NEWS_MAX: usize = 1_024;

/// What the pump hears.
enum News {
    Tell(Box<Incoming>),
    Ask(Box<Incoming>, Ticket, oneshot::Sender<Reply>),
    /// The store has got on with a batch.
    Progress(Batch),
    Count(oneshot::Sender<Census>),
    Quit,
}

/// What is going on in the driver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Census {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) in_memory: usize,
    pub(crate) quiet: bool,
}

/// A way to tell the pump something.
#[derive(Clone)]
pub(crate) struct Tell(Sender<News>);

impl Tell {
    fn send(&self, news: News) {
        // The pump is gone only when the process ends; nobody waits for an answer then.
        drop(self.0.send(news));
    }

    pub(crate) fn incoming(&self, incoming: Incoming) {
        self.send(News::Tell(Box::new(incoming)));
    }

    pub(crate) fn ask(&self, incoming: Incoming, ticket: Ticket) -> oneshot::Receiver<Reply> {
        let (answer, reply) = oneshot::channel();
        self.send(News::Ask(Box::new(incoming), ticket, answer));
        reply
    }

    pub(crate) async fn census(&self) -> Census {
        let (answer, reply) = oneshot::channel();
        self.send(News::Count(answer));
        // A pump that is gone has nothing left to do.
        reply.await.unwrap_or(Census { running: 0, waiting: 0, in_memory: 0, quiet: true })
    }

    pub(crate) fn quit(&self) {
        self.send(News::Quit);
    }
}

/// What a pump works with.
pub(crate) struct Parts {
    pub(crate) driver: Driver,
    pub(crate) runs: Arc<dyn Runs>,
    pub(crate) plans: Arc<Plans>,
    pub(crate) templates: Arc<Templates>,
    pub(crate) hub: Hub,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) tokio: Handle,
    pub(crate) on_halt: Arc<dyn Fn(&Failure) + Send + Sync>,
}

/// Opens the way to a pump that does not run yet.
pub(crate) fn prepare() -> (Tell, Mouth) {
    let (tell, news) = channel();
    (Tell(tell), Mouth(news))
}

/// Where a pump hears its news.
pub(crate) struct Mouth(Receiver<News>);

/// Starts the pump.
pub(crate) fn start(
    parts: Parts,
    performer: Performer,
    tell: Tell,
    mouth: Mouth,
) -> std::io::Result<JoinHandle<()>> {
    let mut pump = Pump {
        parts,
        performer,
        tell,
        is_starved: false,
        tickets: BTreeMap::new(),
        writing: BTreeMap::new(),
    };
    let thread = std::thread::Builder::new().name("driver".into()).stack_size(STACK_BYTES);
    thread.spawn(move || {
        let on_halt = pump.parts.on_halt.clone();
        let lived = catch_unwind(AssertUnwindSafe(|| pump.run(&mouth.0)));
        if let Err(cause) = lived {
            // Nothing goes on without this thread: the process must not look alive.
            let message = format!("the thread that decides died: {}", last_words(cause.as_ref()));
            on_halt(&Failure::new(ErrorCode::Internal, message));
        }
    })
}

struct Pump {
    parts: Parts,
    performer: Performer,
    tell: Tell,
    /// Whether the last write was refused for want of space.
    is_starved: bool,
    tickets: BTreeMap<Ticket, oneshot::Sender<Reply>>,
    /// Batches the store has not answered. They are polled here, so that no other thread stands between it and us.
    writing: BTreeMap<Batch, Writing>,
}

/// A batch on its way into the store.
struct Writing {
    commits: Arc<Vec<Commit>>,
    answers: Pending<Vec<Result<Committed, CommitError>>>,
    waker: Waker,
}

/// Lets the pump know that the store has got on with a batch.
struct Nudge(Tell, Batch);

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        self.0.send(News::Progress(self.1));
    }
}

impl Pump {
    fn run(&mut self, news: &Receiver<News>) {
        loop {
            if !self.hear(news) {
                return;
            }
            while let Some(command) = self.parts.driver.poll(now()) {
                self.carry_out(command);
            }
            let wait = match self.parts.driver.next_due() {
                Some(due) => due.since(now()),
                None => Duration::from_secs(3600),
            };
            match linger(news, wait) {
                Ok(first) => {
                    if !self.take(first) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Takes in what has come. `false` when it is time to go.
    fn hear(&mut self, news: &Receiver<News>) -> bool {
        for _ in 0..NEWS_MAX {
            match news.try_recv() {
                Ok(news) => {
                    if !self.take(news) {
                        return false;
                    }
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn take(&mut self, news: News) -> bool {
        match news {
            News::Tell(incoming) => {
                if let Incoming::Finished { key, .. } = incoming.as_ref() {
                    self.performer.done(*key);
                }
                self.parts.driver.handle(now(), *incoming);
            }
            News::Ask(incoming, ticket, answer) => {
                self.tickets.insert(ticket, answer);
                self.parts.driver.handle(now(), *incoming);
            }
            News::Progress(batch) => self.progress(batch),
            News::Count(answer) => {
                let driver = &self.parts.driver;
                let census = Census {
                    running: driver.running(),
                    waiting: driver.waiting(),
                    in_memory: driver.in_memory(),
                    quiet: driver.is_quiet(),
                };
                // Whoever asked may have stopped waiting.
                answer.send(census).unwrap_or_default();
            }
            News::Quit => return false,
        }
        true
    }

    fn committed(
        &mut self,
        batch: Batch,
        commits: &Arc<Vec<Commit>>,
        answers: Vec<Result<Committed, CommitError>>,
    ) {
        let mut told = Vec::with_capacity(answers.len());
        for (place, answer) in answers.into_iter().enumerate() {
            told.push(match answer {
                Ok(committed) => {
                    if std::mem::take(&mut self.is_starved) {
                        tracing::info!("the store takes writes again");
                    }
                    self.parts.hub.publish(commits, place);
                    self.parts.ledger.note(&commits[place]);
                    let position = committed.position;
                    self.performer.permit(committed);
                    Ok(position)
                }
                Err(CommitError::Stale { .. }) => Err(CommitRefused::Stale),
                Err(CommitError::Unavailable(fault)) => {
                    if !std::mem::replace(&mut self.is_starved, true) {
                        tracing::warn!(%fault, "the store takes no writes; trying until it does");
                    }
                    Err(CommitRefused::Unavailable(failure(fault)))
                }
                Err(CommitError::Lost(fault)) => Err(CommitRefused::Lost(failure(fault))),
            });
        }
        self.parts.driver.handle(now(), Incoming::Committed { batch, answers: told });
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Commit { batch, commits } => self.commit(batch, commits),
            Command::Perform(key) => self.performer.perform(key),
            Command::Stop(key) => self.performer.stop(key),
            Command::Reply { ticket, reply } => {
                if let Some(answer) = self.tickets.remove(&ticket) {
                    // Whoever asked may have stopped waiting.
                    drop(answer.send(reply));
                }
            }
            Command::Load(run) => self.load(run, false),
            Command::LoadWhole(run) => self.load(run, true),
            Command::Deliver(run) => {
                let (runs, tell) = (self.parts.runs.clone(), self.tell.clone());
                self.parts.tokio.spawn(async move {
                    let found = runs.inbox(Some(run)).await;
                    let deliveries = found.map(pairs).map_err(failure);
                    tell.incoming(Incoming::Delivered { run, deliveries });
                });
            }
            Command::Resolve { run, template, version } => self.resolve(run, template, version),
            Command::Halt(failure) => (self.parts.on_halt)(&failure),
        }
    }

    fn commit(&mut self, batch: Batch, commits: Arc<Vec<Commit>>) {
        let answers = self.parts.runs.commit(commits.clone());
        let waker = Waker::from(Arc::new(Nudge(self.tell.clone(), batch)));
        self.writing.insert(batch, Writing { commits, answers, waker });
        self.progress(batch);
    }

    /// Asks the store about a batch; one that is through already is not asked again.
    fn progress(&mut self, batch: Batch) {
        let Some(mut writing) = self.writing.remove(&batch) else { return };
        let mut context = Context::from_waker(&writing.waker);
        match writing.answers.as_mut().poll(&mut context) {
            Poll::Ready(answers) => self.committed(batch, &writing.commits, answers),
            Poll::Pending => drop(self.writing.insert(batch, writing)),
        }
    }

    fn load(&self, run: RunId, whole: bool) {
        let (runs, plans, tell) =
            (self.parts.runs.clone(), self.parts.plans.clone(), self.tell.clone());
        self.parts.tokio.spawn(async move {
            let mut loaded = load(runs.as_ref(), &plans, run).await;
            if whole && let Ok(loaded) = &mut loaded {
                loaded.snapshot = None;
                let filter =
                    EventFilter { run: Some(run), limit: usize::MAX, ..EventFilter::default() };
                match runs.events(filter).await {
                    Ok(events) => {
                        let upto = loaded.position.seq;
                        let events = events.into_iter().filter(|it| it.seq <= upto);
                        loaded.events = events.map(|it| it.event).collect();
                    }
                    Err(fault) => {
                        let loaded = Err(failure(fault));
                        return tell.incoming(Incoming::Loaded { run, loaded });
                    }
                }
            }
            tell.incoming(Incoming::Loaded { run, loaded });
        });
    }

    fn resolve(&self, run: RunId, template: Arc<str>, version: Option<Arc<str>>) {
        let (templates, plans) = (self.parts.templates.clone(), self.parts.plans.clone());
        let tell = self.tell.clone();
        self.parts.tokio.spawn(async move {
            let resolved = resolve(&templates, &plans, &template, version.as_deref()).await;
            tell.incoming(Incoming::Resolved { run, resolved });
        });
    }
}

fn pairs(found: Vec<Delivery>) -> Vec<(opcode_model::commit::InboxId, opcode_model::Message)> {
    found.into_iter().map(|delivery| (delivery.id, delivery.message)).collect()
}

async fn load(runs: &dyn Runs, plans: &Plans, run: RunId) -> Result<LoadedRun, Failure> {
    let Some(loaded) = runs.load(run).await.map_err(failure)? else {
        let deliveries = pairs(runs.inbox(Some(run)).await.map_err(failure)?);
        return Ok(LoadedRun { deliveries, ..LoadedRun::default() });
    };
    if loaded.position.seq.0 == 0 {
        // Only its inbox is known: a child that has not begun.
        return Ok(LoadedRun { deliveries: pairs(loaded.deliveries), ..LoadedRun::default() });
    }
    let plan = plans.find(loaded.row.definition).await?;
    Ok(LoadedRun {
        found: Some((plan, Box::new(loaded.row))),
        position: loaded.position,
        snapshot: loaded.snapshot,
        events: loaded.events,
        deliveries: pairs(loaded.deliveries),
    })
}

async fn resolve(
    templates: &Templates,
    plans: &Plans,
    template: &str,
    version: Option<&str>,
) -> Result<Resolved, Failure> {
    let found = templates.find(template, version).await?;
    let plan = plan_of(plans, &found).map_err(|problems| unfit(&problems))?;
    let catalog = vec![definition_of(&plan, now())];
    Ok(Resolved { plan, version: found.version, catalog })
}

/// The pump is gone: the process is about to end.
pub(crate) fn gone() -> Failure {
    Failure::new(ErrorCode::Internal, "the engine has stopped")
}
