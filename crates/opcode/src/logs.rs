//! Logs of the engine, and what workflows log, as lines on stderr: for people, or a JSON object each.
//!
//! Keeps: flags, environment and settings alone decide how much; a line never tears a live display; one stream, one form.
//! Not here: what is logged.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

use crate::cli::LogArgs;
use crate::say;
use crate::settings::Settings;
use crate::trouble::Trouble;

/// Names the level, also for commands that have no flag for it.
const LEVEL: &str = "OPCODE_LOG_LEVEL";

/// Sets the level anew, once logging has begun.
static RELOAD: OnceLock<Box<dyn Fn(LevelFilter) + Send + Sync>> = OnceLock::new();

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// A level by name; none given is `info`.
pub(crate) fn level(name: &str) -> Result<LevelFilter, String> {
    Ok(match name.to_lowercase().as_str() {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "" | "info" => LevelFilter::INFO,
        "warn" | "warning" => LevelFilter::WARN,
        "error" => LevelFilter::ERROR,
        "off" | "none" => LevelFilter::OFF,
        other => {
            return Err(format!("there is no log level `{other}`: debug, info, warn, error, off"));
        }
    })
}

/// Starts logging.
///
/// # Errors
/// If the level is none.
pub(crate) fn start(args: Option<&LogArgs>, settings: &Settings) -> Result<(), Trouble> {
    let wanted = match args {
        Some(args) => args.log_level,
        None => {
            let wanted = std::env::var(LEVEL).ok().filter(|name| !name.is_empty());
            let name = wanted.as_deref().or(settings.get("log_level")).unwrap_or_default();
            let hint = format!("set {LEVEL} to debug, info, warn, error or off");
            level(name).map_err(|why| Trouble::usage(why).hint(hint))?
        }
    };
    let is_json = args.is_some_and(|args| match args.log_format {
        Some(format) => format == Format::Json,
        None => !io::stderr().is_terminal(),
    });
    let (filtered, reload) = reload::Layer::new(filter(wanted));
    let lines = fmt::layer().with_target(false).with_writer(Lines);
    let lines = if is_json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        lines.compact().without_time().boxed()
    };
    let set = move |level| {
        if let Err(cause) = reload.reload(filter(level)) {
            tracing::warn!(%cause, "the log level stays as it is");
        }
    };
    let begun = tracing_subscriber::registry().with(filtered).with(lines).try_init();
    if begun.is_err() || RELOAD.set(Box::new(set)).is_err() {
        say::talk("logging is set up already");
    }
    if is_json {
        say::talk_in_json();
    }
    Ok(())
}

/// Sets the level anew.
pub(crate) fn set_level(level: LevelFilter) {
    if let Some(reload) = RELOAD.get() {
        reload(level);
    }
}

fn filter(level: LevelFilter) -> EnvFilter {
    // What the protocol's library tells of each connection is for those who look for bugs.
    let guest = if level <= LevelFilter::INFO { level.min(LevelFilter::WARN) } else { level };
    EnvFilter::new(format!("{level},rmcp={guest}"))
}

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;
    fn make_writer(&'a self) -> Line {
        Line
    }
}

/// One line on its way to stderr.
struct Line;

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        say::line(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
