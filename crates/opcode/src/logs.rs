//! Logs of the engine, and what workflows log, as lines on stderr.
//!
//! Keeps: `OPCODE_LOG_LEVEL` alone decides how much; a line never tears a live display.
//! Not here: what is logged.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::say;
use crate::trouble::Trouble;

/// Names the level: `debug`, `info`, `warn`, `error` or `off`.
const LEVEL: &str = "OPCODE_LOG_LEVEL";

/// Starts logging.
///
/// # Errors
/// If the level is none.
pub(crate) fn start() -> Result<(), Trouble> {
    let wanted = std::env::var(LEVEL).unwrap_or_default().to_lowercase();
    let level = match wanted.as_str() {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "" | "info" => LevelFilter::INFO,
        "warn" | "warning" => LevelFilter::WARN,
        "error" => LevelFilter::ERROR,
        "off" | "none" => LevelFilter::OFF,
        other => {
            let hint = format!("set {LEVEL} to debug, info, warn, error or off");
            return Err(Trouble::usage(format!("there is no log level `{other}`")).hint(hint));
        }
    };
    // What the protocol's library tells of each connection is for those who look for bugs.
    let guest = if level <= LevelFilter::INFO { level.min(LevelFilter::WARN) } else { level };
    let wanted = EnvFilter::new(format!("{level},rmcp={guest}"));
    let lines = tracing_subscriber::fmt().with_env_filter(wanted);
    let lines = lines.with_target(false).with_writer(Lines);
    let lines = lines.compact().without_time();
    if lines.try_init().is_err() {
        say::talk("logging is set up already");
    }
    Ok(())
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
        say::talk(String::from_utf8_lossy(bytes).trim_end_matches('\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
