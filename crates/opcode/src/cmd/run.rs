//! `opcode run`: runs a definition or a template, here or in the background.
//!
//! Keeps: nothing is written before the definition, its inputs and its moment are found to be fit.
//! Not here: following it (`follow.rs`).

use std::time::Duration;

use clap::Args;
use opcode_model::{ErrorCode, RunId, RunStatus, Value};
use opcode_runtime::{RunAnswer, RunRequest, Source, StatusView, Wait};
use serde_json::json;

use crate::cli::{self, Background, EngineArgs, Place};
use crate::exit::Exit;
use crate::follow::{Followed, follow};
use crate::live::Screen;
use crate::session::Session;
use crate::source::{self, Written};
use crate::trouble::Trouble;
use crate::{beside, cmd, daemon, detach, say, show, traces, wire};
use opcode_runtime::shapes;

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// A definition in JSON (`-` is stdin), or the name of a template
    #[arg(value_name = "FILE|TEMPLATE")]
    source: String,
    /// Inputs: JSON, or @FILE with JSON in it
    #[arg(long, value_name = "JSON|@FILE")]
    params: Option<String>,
    /// Version of the template [default: the latest]
    #[arg(long, value_name = "V")]
    version: Option<String>,
    /// Title of the workflow
    #[arg(long)]
    name: Option<String>,
    /// Whose workflow it is
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Run it once for this key, however often it is asked
    #[arg(long, value_name = "K")]
    idempotency_key: Option<String>,
    /// Wait at most so long; it stays unfinished then
    #[arg(long, value_name = "DURATION", value_parser = cmd::duration, conflicts_with = "detach")]
    wait: Option<Duration>,
    /// Show every step as it happens; answer decisions here
    #[arg(long, conflicts_with = "detach")]
    watch: bool,
    #[command(flatten)]
    pub(crate) background: Background,
    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) async fn run(place: &Place, args: RunArgs) -> Result<Exit, Trouble> {
    let server = daemon::find(place)?;
    if args.background.detach && server.is_none() {
        return detach::start();
    }
    let wish = Wish::read(&args)?;
    wish.check(place).await?;
    if let Some(server) = server {
        let run = beside::begin(&server, &wish.request).await?;
        if args.background.detach {
            tell_begun(run, args.json);
            return Ok(Exit::Completed);
        }
        let mut screen = Screen::new(args.watch);
        let followed = beside::follow(place, &server, run, args.wait, &mut screen).await;
        screen.clear();
        return beside::conclude(place, run, followed?, args.json).await;
    }
    let mut session = Session::open(place, &args.engine).await?;
    let engine = session.engine.clone();
    let run = match session.unless_stopped(engine.run(wish.request)).await {
        Ok(Ok(RunAnswer::Started(run))) => run,
        Ok(Ok(RunAnswer::Settled(result) | RunAnswer::Ongoing(result))) => result.workflow_id,
        Ok(Err(error)) => {
            session.close().await?;
            return Err(error.into());
        }
        Err(exit) => {
            session.stop().await?;
            say::talk("stopped before it was on disk");
            return Ok(exit);
        }
    };
    if args.background.detached {
        tell_begun(run, args.json);
        detach::hang_up(&wire::db_path(place)?)?;
        return detach::hold(session).await;
    }
    let mut screen = Screen::new(args.watch);
    let followed = follow(&mut session, run, args.wait, &mut screen).await;
    screen.clear();
    conclude(place, session, (run, followed?), args.json).await
}

/// What is to run, and where it was read.
struct Wish {
    request: RunRequest,
    written: Option<Written>,
}

impl Wish {
    fn read(args: &RunArgs) -> Result<Self, Trouble> {
        let params = match &args.params {
            Some(given) => source::value("--params", given)?,
            None => Value::Null,
        };
        let text = |text: &Option<String>| text.as_deref().map(Into::into);
        let named = |text: &Option<String>| {
            text.as_deref().filter(|text| !text.trim().is_empty()).map(Into::into)
        };
        let (source, written, titled) = if source::is_file(&args.source) {
            if args.version.is_some() {
                return Err(Trouble::usage(format!(
                    "{} is a file and has no versions",
                    args.source
                ))
                .hint("leave out --version, or name a template"));
            }
            let read = source::definition(&args.source)?;
            let title = read.title(&args.source);
            (Source::Definition(read.document.definition), Some(read.written), title)
        } else {
            let name = args.source.as_str().into();
            (Source::Template { name, version: text(&args.version) }, None, None)
        };
        let request = RunRequest {
            source,
            name: named(&args.name).or(titled),
            params,
            agent_id: named(&args.agent),
            idempotency_key: text(&args.idempotency_key),
            wait: Wait::Started,
            trace: traces::given(),
        };
        Ok(Self { request, written })
    }

    /// Finds out what would be refused, and tells what is probably not meant.
    async fn check(&self, place: &Place) -> Result<(), Trouble> {
        let reader = wire::reader_or_empty(place).await?;
        let checked = reader.check_run(&self.request).await.map_err(Trouble::from);
        let warnings = match &self.request.source {
            Source::Definition(definition) => reader.check(definition).unwrap_or_default(),
            Source::Template { .. } => Vec::new(),
        };
        let checked = match (&self.written, &self.request.source) {
            (Some(written), _) => checked.map_err(|trouble| trouble.written(written)),
            (None, Source::Template { name, version: None }) => {
                checked.map_err(|trouble| nameless(trouble, name))
            }
            (None, Source::Template { .. } | Source::Definition(_)) => checked,
        };
        checked?;
        if let Some(written) = &self.written {
            let mut warnings = warnings;
            written.place(&mut warnings);
            show::problems::tell(&warnings, Some(written));
        }
        Ok(())
    }
}

/// A word that is neither a file nor a template.
pub(crate) fn nameless(trouble: Trouble, name: &str) -> Trouble {
    match trouble {
        Trouble::Said { code: ErrorCode::NotFound, message, .. } => {
            let list = format!("`{} query templates`", cli::same_store());
            Trouble::not_found(message)
                .hint(format!("there is no file {name} either; {list} lists what is stored"))
        }
        other @ (Trouble::Said { .. }
        | Trouble::Syntax(_)
        | Trouble::Problems { .. }
        | Trouble::Ended(_)) => other,
    }
}

/// Lets go of the store, and says where the workflow is.
pub(crate) async fn conclude(
    place: &Place,
    session: Session,
    (run, followed): (RunId, Followed),
    as_json: bool,
) -> Result<Exit, Trouble> {
    match followed {
        Followed::Seen => {
            session.close().await?;
            // What was in flight may have ended meanwhile.
            let view = wire::reader(place).await?.status(run).await?;
            tell(&view, as_json);
            Ok(Exit::of(&view.result))
        }
        Followed::Stopped(exit) => {
            session.stop().await?;
            // What was in flight may have been all that was left.
            tell(&wire::reader(place).await?.status(run).await?, as_json);
            Ok(exit)
        }
    }
}

/// Which workflow was begun, for those who do not wait.
fn tell_begun(run: RunId, as_json: bool) {
    match as_json {
        true => say::json(&json!({"workflow_id": run})),
        false => say::data(&run.to_string()),
    }
}

/// Says where a workflow is now, and how it goes on.
pub(crate) fn tell(view: &StatusView, as_json: bool) {
    tell_result(view, as_json);
    let is_left = view.result.status == RunStatus::Active;
    if is_left && view.decisions.is_empty() && view.waits.is_empty() {
        say::hint(&format!("it is not over: go on with `{} resume`", cli::same_store()));
    }
}

/// Says where a workflow is now.
pub(crate) fn tell_result(view: &StatusView, as_json: bool) {
    if as_json {
        say::json(&shapes::status(view));
        let asks = show::asks::lines_of(view, say::err());
        if !asks.is_empty() {
            say::talk(asks.join("\n").trim_start_matches('\n'));
        }
    } else {
        say::data(&show::run::report(view, say::out()));
    }
}

/// That a workflow's signal was taken, for those who do not wait.
pub(crate) fn tell_taken(run: RunId, kind: opcode_model::SignalKind, as_json: bool) {
    match as_json {
        true => say::json(&shapes::taken(run, kind)),
        false => say::data(&format!("{} taken by {run}", kind.text())),
    }
}
