//! `opcode signal`: answers, feeds, cancels, retries or skips; then goes on with the workflow.
//!
//! Keeps: a signal that would be refused changes nothing; one that is taken is on disk before anything else happens.
//! Not here: what a signal does (`opcode-engine`).

use std::time::Duration;

use clap::{Args, Subcommand};
use opcode_model::{ErrorCode, Failure, RunId, Signal, SignalKind, Value};
use opcode_runtime::Reader;

use crate::cli::{Background, EngineArgs, Place};
use crate::exit::Exit;
use crate::follow::follow;
use crate::live::Screen;
use crate::session::Session;
use crate::trouble::Trouble;
use crate::{beside, cmd, daemon, detach, say, source, wire};

#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub(crate) struct SignalArgs {
    /// The workflow
    #[arg(value_name = "ID", value_parser = cmd::workflow_id)]
    workflow: RunId,
    #[command(subcommand)]
    what: What,
    /// Your name for this signal; a second one changes nothing
    #[arg(long, value_name = "KEY", global = true)]
    id: Option<String>,
    /// Who says it
    #[arg(long, value_name = "ID", global = true)]
    agent: Option<String>,
    /// Wait at most so long; it stays unfinished then
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = cmd::duration,
        global = true,
        conflicts_with = "detach"
    )]
    wait: Option<Duration>,
    /// Show every step as it happens; answer decisions here
    #[arg(long, global = true, conflicts_with = "detach")]
    watch: bool,
    #[command(flatten)]
    pub(crate) background: Background,
    /// Print the result as one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Answer the question of a step
    Decision {
        /// The step that asks
        step: String,
        /// What is chosen
        choice: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reasoning: Option<String>,
        /// Facts beside it: JSON, or @FILE
        #[arg(long, value_name = "JSON|@FILE")]
        data: Option<String>,
    },
    /// Hand data to a wait, now or before it comes
    Data {
        /// The name the wait listens for
        #[arg(long, required_unless_present = "step")]
        name: Option<String>,
        /// The step that waits
        #[arg(long)]
        step: Option<String>,
        /// The data: JSON, or @FILE
        #[arg(long, value_name = "JSON|@FILE")]
        payload: Option<String>,
    },
    /// Cancel the workflow, or take back the question of a step
    Cancel {
        /// Only this step's question
        step: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Try a step again now, or resume a workflow that its time limit suspended
    Retry {
        /// Which step
        step: Option<String>,
    },
    /// Skip a step that waits
    Skip {
        /// Which step
        step: String,
    },
}

impl What {
    fn kind(&self) -> SignalKind {
        match self {
            Self::Decision { .. } => SignalKind::Decision,
            Self::Data { .. } => SignalKind::Data,
            Self::Cancel { .. } => SignalKind::Cancel,
            Self::Retry { .. } => SignalKind::Retry,
            Self::Skip { .. } => SignalKind::Skip,
        }
    }
}

impl SignalArgs {
    fn signal(&self) -> Result<Signal, Trouble> {
        let text = |text: &Option<String>| text.as_deref().map(Into::into);
        let value = |flag: &str, given: &Option<String>| match given {
            Some(given) => source::value(flag, given),
            None => Ok(Value::Null),
        };
        let mut signal = Signal::new(self.what.kind());
        signal.id = text(&self.id);
        signal.agent_id = text(&self.agent);
        match &self.what {
            What::Decision { step, choice, reasoning, data } => {
                signal.step_id = Some(step.as_str().into());
                signal.reasoning = text(reasoning);
                let choice = ("choice", Value::from(choice.as_str()));
                let data = value("--data", data)?;
                let pairs =
                    std::iter::once(choice).chain((!data.is_null()).then_some(("data", data)));
                signal.payload = Value::object(pairs);
            }
            What::Data { name, step, payload } => {
                signal.name = text(name);
                signal.step_id = text(step);
                signal.payload = value("--payload", payload)?;
            }
            What::Cancel { step, reason } => {
                signal.step_id = text(step);
                signal.reasoning = text(reason);
            }
            What::Retry { step } => signal.step_id = text(step),
            What::Skip { step } => signal.step_id = Some(step.as_str().into()),
        }
        Ok(signal)
    }
}

pub(crate) async fn run(place: &Place, args: SignalArgs) -> Result<Exit, Trouble> {
    let server = daemon::find(place)?;
    if args.background.detach && server.is_none() {
        return detach::start();
    }
    let (run, signal) = (args.workflow, args.signal()?);
    let reader = wire::reader(place).await?;
    reader.check_signal(run, &signal).await.map_err(|failure| refused(run, failure))?;
    let root = root(&reader, run).await?;
    drop(reader);
    if let Some(server) = server {
        beside::signal(&server, run, &signal).await?;
        if args.background.detach {
            cmd::run::tell_taken(run, signal.kind, args.json);
            return Ok(Exit::Completed);
        }
        let mut screen = Screen::new(args.watch);
        let followed = beside::follow(place, &server, root, args.wait, &mut screen).await;
        screen.clear();
        return beside::conclude(place, run, followed?, args.json).await;
    }
    let mut session = Session::open(place, &args.engine).await?;
    let kind = signal.kind;
    let engine = session.engine.clone();
    match session.unless_stopped(engine.signal(run, signal)).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => {
            session.close().await?;
            return Err(refused(run, failure));
        }
        Err(exit) => {
            session.stop().await?;
            say::talk("stopped before it was on disk");
            return Ok(exit);
        }
    }
    if args.background.detached {
        cmd::run::tell_taken(run, kind, args.json);
        detach::hang_up(&wire::db_path(place)?)?;
        return detach::hold(session).await;
    }
    let mut screen = Screen::new(args.watch);
    let followed = follow(&mut session, root, args.wait, &mut screen).await;
    screen.clear();
    cmd::run::conclude(place, session, (run, followed?), args.json).await
}

/// Why it was not taken, and what to look at.
fn refused(run: RunId, failure: Failure) -> Trouble {
    let (code, is_step) = (failure.code, failure.message.contains("step"));
    let trouble = Trouble::from(failure);
    if code == ErrorCode::PermissionDenied {
        trouble.hint("answer as that agent: --agent ID")
    } else if code == ErrorCode::Conflict || (code == ErrorCode::NotFound && is_step) {
        trouble.hint(format!("`opcode status {run}` shows where it is and what it waits for"))
    } else {
        trouble
    }
}

/// The workflow at the top: what a child is asked holds up all above it.
async fn root(reader: &Reader, run: RunId) -> Result<RunId, Failure> {
    let mut root = run;
    while let Some(parent) = reader.status(root).await?.summary.row.parent {
        root = parent.run;
    }
    Ok(root)
}
