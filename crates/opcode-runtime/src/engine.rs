//! The facade every face calls: run, signal, define, ask, stop.
//!
//! Keeps: an answer is given only for what is on disk; what one face can do, all can.
//! Not here: how answers look, and any rule about workflows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opcode_actions::World;
use opcode_driver::{Driver, Incoming, OpenRun, Reply, Settings, StartRun, Ticket};
use opcode_model::result::RunResult;
use opcode_model::{Actions, ErrorCode, Failure, Problem, RunId, Signal, TraceParent, Value};
use opcode_store::{Catalog, Runs};
use opcode_vault::Passphrase;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::audit::{Actor, Deed};
use crate::check::identity;
use crate::clock::now;
use crate::hub::Hub;
use crate::perform::Performer;
use crate::plans::{definition_of, failure, unfit};
use crate::pump::{Parts, Tell, gone, prepare, start};
use crate::quotas::{Ledger, Quotas};
use crate::reader::Reader;
use crate::secrets::{OnWrong, Secrets};
use crate::templates::{DefineRequest, Defined};
use crate::tools::{Guarded, Tools};

/// What an engine is made from.
pub struct EngineConfig {
    /// The actions.
    pub tools: Arc<dyn Tools>,
    /// What they may use.
    pub world: Arc<World>,
    /// Outside effects at once.
    pub pool_size: usize,
    /// What opens the vault; without it no secret does.
    pub passphrase: Option<Passphrase>,
    /// Called once, if that is not this vault's.
    pub on_wrong_passphrase: OnWrong,
    /// What agents may use.
    pub quotas: Quotas,
    /// Called once, when what is on disk is no longer known. The process must end then.
    pub on_halt: Arc<dyn Fn(&Failure) + Send + Sync>,
}

/// Why a wish could not be granted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The definition has problems.
    #[error("{}", unfit(.0))]
    Problems(Vec<Problem>),
    /// Anything else.
    #[error("{0}")]
    Failure(#[from] Failure),
}

impl EngineError {
    /// The failure, if it is one.
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure(failure) => Some(failure),
            Self::Problems(_) => None,
        }
    }
}

/// What to run.
#[derive(Clone, Debug)]
pub enum Source {
    /// A definition as it is.
    Definition(Value),
    /// A stored template; the latest version if none is named.
    Template {
        /// Its name.
        name: Arc<str>,
        /// Its version.
        version: Option<Arc<str>>,
    },
}

/// How long to wait for a run.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    /// Until it has begun.
    Started,
    /// Until it is over or suspended, at most so long.
    Settled(Option<Duration>),
}

/// A wish for a run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// What to run.
    pub source: Source,
    /// Its title.
    pub name: Option<Arc<str>>,
    /// Its inputs.
    pub params: Value,
    /// Whose run it is.
    pub agent_id: Option<Arc<str>>,
    /// One run for each key, ever.
    pub idempotency_key: Option<Arc<str>>,
    /// How long to wait.
    pub wait: Wait,
    /// The trace of somebody else's that it belongs to.
    pub trace: Option<TraceParent>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum RunAnswer {
    /// It has begun; nobody waited for more.
    Started(RunId),
    /// It is over or suspended.
    Settled(Arc<RunResult>),
    /// It goes on; the time to wait ran out.
    Ongoing(Arc<RunResult>),
}

/// Everything that can be done and asked.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    /// Whose deeds these are, where they are written down.
    actor: Option<Arc<Actor>>,
}

struct Inner {
    tell: Tell,
    reader: Reader,
    hub: Hub,
    ledger: Arc<Ledger>,
    tickets: AtomicU64,
    thread: std::sync::Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// An engine let go of without a shutdown ends like a killed process: what is not on disk never was.
impl Drop for Inner {
    fn drop(&mut self) {
        self.tell.quit();
    }
}

impl Engine {
    /// Opens an engine over a store: every unfinished run goes on by itself.
    ///
    /// # Errors
    /// If the store cannot be read, or the thread that decides cannot be started.
    pub async fn open<S: Runs + Catalog>(
        config: EngineConfig,
        store: Arc<S>,
    ) -> Result<Self, Failure> {
        let secrets = Secrets::new(store.clone(), config.passphrase);
        secrets.begin(config.on_wrong_passphrase);
        let reader = Reader::new(store.clone(), config.tools.clone()).with_secrets(secrets.clone());
        let open = store.open().await.map_err(failure)?;
        let settings = Settings { slots: config.pool_size, ..Settings::default() };
        let actions: Arc<dyn Actions> = Arc::new(Guarded(config.tools.clone()));
        let hub = Hub::default();
        let ledger = Arc::new(Ledger::open(config.quotas, store.clone()).await?);
        let (tell, mouth) = prepare();
        let tokio = Handle::current();
        let performer =
            Performer::new(config.tools, config.world, secrets, tell.clone(), tokio.clone());
        let parts = Parts {
            driver: Driver::new(settings, actions),
            runs: store,
            plans: reader.plans.clone(),
            templates: reader.templates.clone(),
            hub: hub.clone(),
            ledger: ledger.clone(),
            tokio,
            on_halt: config.on_halt,
        };
        let thread = start(parts, performer, tell.clone(), mouth).map_err(|cause| {
            Failure::new(ErrorCode::Internal, format!("could not start deciding: {cause}"))
        })?;
        let found = open.into_iter().map(|open| OpenRun {
            run: open.run,
            due_at: open.due_at,
            urgent: open.urgent,
        });
        tell.incoming(Incoming::Recovered(found.collect()));
        let tickets = AtomicU64::new(1);
        let thread = std::sync::Mutex::new(Some(thread));
        let inner = Arc::new(Inner { tell, reader, hub, ledger, tickets, thread });
        Ok(Self { inner, actor: None })
    }

    /// The same, for somebody whose deeds are written into the audit log.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { actor: Some(Arc::new(actor)), ..self.clone() }
    }

    /// Writes that a deed was refused. Problems of a definition are no refusal: whoever wrote it mends it.
    fn refused(&self, deed: Deed<'_>, why: Option<&Failure>) {
        if let (Some(actor), Some(failure)) = (&self.actor, why) {
            self.inner.reader.audit().refused(actor, deed, failure);
        }
    }

    /// Everything that can be asked.
    pub fn reader(&self) -> &Reader {
        &self.inner.reader
    }

    /// What has been committed, from now on.
    pub fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    fn ask(&self, wish: impl FnOnce(Ticket) -> Incoming) -> (Ticket, oneshot::Receiver<Reply>) {
        let ticket = Ticket(self.inner.tickets.fetch_add(1, Ordering::Relaxed));
        (ticket, self.inner.tell.ask(wish(ticket), ticket))
    }

    /// Runs a definition or a template.
    ///
    /// # Errors
    /// Problems of the definition; or why the run was refused. The store is unchanged then.
    pub async fn run(&self, request: RunRequest) -> Result<RunAnswer, EngineError> {
        let agent = request.agent_id.clone();
        let of = match &request.source {
            Source::Template { name, .. } => name.clone(),
            Source::Definition(_) => "".into(),
        };
        let agent = agent.as_deref();
        let deed = Deed { action: "workflow.run", kind: "template", id: &of, agent };
        let answer = self.start(request).await;
        answer.inspect_err(|error| self.refused(deed, error.failure()))
    }

    async fn start(&self, request: RunRequest) -> Result<RunAnswer, EngineError> {
        let plan_and_start = self.inner.reader.prepare(&request).await?;
        if let Some(agent) = &request.agent_id {
            self.inner.reader.agents.meet(agent).await;
        }
        let (run, fresh, fingerprint) = identity(&request);
        // One that is there already is answered, and not begun.
        let agent = request.agent_id.clone().unwrap_or_default();
        let _place = match !fresh && self.inner.reader.is_known(run).await? {
            true => None,
            false => Some(self.inner.ledger.admit(run, &agent).await?),
        };
        let (plan, mut begin) = plan_and_start;
        begin.request = fingerprint;
        let mut catalog = vec![definition_of(&plan, now())];
        catalog.extend(self.actor.as_ref().map(|actor| {
            let (id, agent) = (run.to_string(), request.agent_id.as_deref());
            actor.did(Deed { action: "workflow.run", kind: "workflow", id: &id, agent })
        }));
        let watch = matches!(request.wait, Wait::Settled(_));
        let (ticket, reply) = self.ask(|ticket| {
            Incoming::Start(Box::new(StartRun {
                ticket,
                run,
                fresh,
                plan,
                start: begin,
                catalog,
                watch,
            }))
        });
        let answer = match request.wait {
            Wait::Started => self.settle(run, ticket, reply, None).await,
            Wait::Settled(limit) => self.settle(run, ticket, reply, limit).await,
        }?;
        Ok(answer)
    }

    async fn settle(
        &self,
        run: RunId,
        ticket: Ticket,
        reply: oneshot::Receiver<Reply>,
        limit: Option<Duration>,
    ) -> Result<RunAnswer, Failure> {
        let reply = match limit {
            None => reply.await,
            Some(limit) => match tokio::time::timeout(limit, reply).await {
                Ok(reply) => reply,
                Err(_) => {
                    self.inner.tell.incoming(Incoming::Unwatch { ticket, run });
                    let status = self.inner.reader.status(run).await?;
                    return Ok(RunAnswer::Ongoing(Arc::new(status.result)));
                }
            },
        };
        match reply.map_err(|_| gone())? {
            Reply::Started { run } => Ok(RunAnswer::Started(run)),
            Reply::Result(result) => Ok(RunAnswer::Settled(result)),
            Reply::Taken => Ok(RunAnswer::Started(run)),
            Reply::Failed(failure) => Err(failure),
        }
    }

    /// Waits until a run is over or suspended, at most so long.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such run.
    pub async fn wait(&self, run: RunId, limit: Option<Duration>) -> Result<RunAnswer, Failure> {
        let (ticket, reply) = self.ask(|ticket| Incoming::Watch { ticket, run });
        self.settle(run, ticket, reply, limit).await
    }

    /// Says something to a run. When this returns, it is on disk.
    ///
    /// # Errors
    /// Why the signal was refused; nothing changed then.
    pub async fn signal(&self, run: RunId, signal: Signal) -> Result<(), Failure> {
        let (id, agent) = (run.to_string(), signal.agent_id.clone());
        let action = format!("workflow.{}", signal.kind.text());
        let deed = Deed { action: &action, kind: "workflow", id: &id, agent: agent.as_deref() };
        let record = self.actor.as_ref().map(|actor| Box::new(actor.did(deed)));
        let signal = Box::new(signal);
        let (_, reply) = self.ask(|ticket| Incoming::Signal { ticket, run, signal, record });
        match reply.await.map_err(|_| gone())? {
            Reply::Failed(failure) => {
                self.refused(deed, Some(&failure));
                Err(failure)
            }
            Reply::Taken | Reply::Started { .. } | Reply::Result(_) => Ok(()),
        }
    }

    /// Stores a definition under a name, as its next version; or only checks it.
    ///
    /// # Errors
    /// Every problem of the definition; nothing is stored then.
    pub async fn define(&self, request: DefineRequest) -> Result<Defined, EngineError> {
        let (name, agent, is_dry) =
            (request.name.clone(), request.agent_id.clone(), request.dry_run);
        let (id, actor) = (name.as_ref(), self.actor.as_deref());
        let deed =
            Deed { action: "template.define", kind: "template", id, agent: agent.as_deref() };
        let defined = self.inner.reader.define(request, actor).await;
        let defined = defined.inspect_err(|error| self.refused(deed, error.failure()))?;
        if let Some(agent) = agent.filter(|_| !is_dry) {
            self.inner.reader.agents.meet(&agent).await;
        }
        Ok(defined)
    }

    /// Checks a definition and stores nothing.
    ///
    /// # Errors
    /// Every problem of it.
    pub fn check(&self, definition: &Value) -> Result<Vec<Problem>, Vec<Problem>> {
        self.inner.reader.check(definition)
    }

    /// Attempts out in the world.
    pub async fn running(&self) -> usize {
        self.inner.tell.census().await.running
    }

    /// Attempts that wait for one of those to end.
    pub async fn waiting(&self) -> usize {
        self.inner.tell.census().await.waiting
    }

    /// Runs in memory.
    pub async fn in_memory(&self) -> usize {
        self.inner.tell.census().await.in_memory
    }

    /// Starts nothing new, lets effects finish within the grace, and leaves the rest to the next start.
    ///
    /// # Errors
    /// If the store cannot be closed.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), Failure> {
        self.inner.tell.incoming(Incoming::Drain);
        let quiet = async {
            while !self.inner.tell.census().await.quiet {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(grace, quiet).await.is_err() {
            let left = self.inner.tell.census().await.running;
            tracing::warn!(
                left,
                "some effects did not finish in time; they go on at the next start"
            );
        }
        self.inner.tell.quit();
        let thread = self.inner.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            // The thread ends by itself once it has heard; joining keeps the order.
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
        self.inner.reader.runs.close().await.map_err(failure)
    }
}
