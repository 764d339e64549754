//! What a story can say: the commands, read from one line each.
//!
//! Keeps: a line that is no command is an error with the line in it.
//! Not here: carrying a command out (`play.rs`).

use std::sync::Arc;
use std::time::Duration;

use opcode_model::time::parse_duration;
use opcode_model::{ErrorCode, Failure, Outcome, Signal, SignalKind, Start, Value};

use super::notation::json;

/// One command.
#[derive(Debug)]
pub(super) enum Command {
    /// `start {inputs} agent=… depth=… child`
    Start(Box<Start>, bool),
    /// `<step> finishes {…}`, `<step> fails CODE "…"`, with `#2` for a certain attempt.
    Finished(String, Option<u32>, Outcome),
    /// `child <step> …`
    Child(String, Said),
    /// `parent cancels`
    ParentCancels,
    /// `clock +2s`: the clock reads two seconds after the beginning.
    Clock(Duration),
    /// `signal …`, `cancel`
    Signal(Box<Signal>),
    /// `interrupt`
    Interrupt,
    /// `crash and recover`
    Crash,
    /// `crash losing 2`: the last two events were never committed.
    Lose(usize),
    /// `show result`, `show step`, `show outstanding`, `show context`
    Show(String),
}

/// What a child says.
#[derive(Debug)]
pub(super) enum Said {
    Finished(Outcome),
    Cancelled,
    Suspended,
    Resumed,
}

/// Reads one line.
pub(super) fn read(line: &str) -> Result<Command, String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "start" => start(rest),
        "clock" => {
            let span = rest.trim_start_matches('+');
            parse_duration(span).map(Command::Clock).map_err(|error| error.to_string())
        }
        "signal" => signal(rest).map(|signal| Command::Signal(Box::new(signal))),
        "cancel" => {
            let mut signal = Signal::new(SignalKind::Cancel);
            if !rest.is_empty() {
                let (reason, _) = json(rest)?;
                signal.payload = Value::object([("reason", Value::from_serde(&reason))]);
            }
            Ok(Command::Signal(Box::new(signal)))
        }
        "interrupt" => Ok(Command::Interrupt),
        "crash" if rest == "and recover" => Ok(Command::Crash),
        "crash" => {
            let events = rest.strip_prefix("losing ").and_then(|n| n.parse().ok());
            events.map(Command::Lose).ok_or_else(|| format!("`{line}` is no command"))
        }
        "show" => Ok(Command::Show(rest.to_owned())),
        "parent" if rest == "cancels" => Ok(Command::ParentCancels),
        "child" => {
            let (step, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let said = match rest {
                "is cancelled" => Said::Cancelled,
                "suspends" => Said::Suspended,
                "resumes" => Said::Resumed,
                other => Said::Finished(outcome(other)?),
            };
            Ok(Command::Child(step.to_owned(), said))
        }
        step => {
            let mut rest = rest;
            let mut attempt = None;
            if let Some(numbered) = rest.strip_prefix('#') {
                let (number, left) = numbered.split_once(' ').unwrap_or((numbered, ""));
                attempt = number.parse().ok();
                rest = left;
            }
            let outcome = outcome(rest).map_err(|why| format!("`{line}`: {why}"))?;
            Ok(Command::Finished(step.to_owned(), attempt, outcome))
        }
    }
}

fn outcome(text: &str) -> Result<Outcome, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "finishes" if rest.is_empty() => Ok(Ok(Value::object([("ok", true)]))),
        "finishes" => Ok(Ok(Value::from_serde(&json(rest)?.0))),
        "fails" => {
            let (code, rest) = rest.split_once(' ').unwrap_or((rest, "\"it failed\""));
            let code = ErrorCode::parse(code).ok_or_else(|| format!("no error code `{code}`"))?;
            let (message, rest) = json(rest)?;
            let mut failure = Failure::new(code, message.as_str().unwrap_or_default());
            if let Some(span) = rest.trim().strip_prefix("retry_after=") {
                let span = parse_duration(span).map_err(|error| error.to_string())?;
                failure.retry_after_ms = u64::try_from(span.as_millis()).ok();
            }
            Ok(Err(failure))
        }
        other => Err(format!("`{other}` is neither `finishes` nor `fails`")),
    }
}

fn start(text: &str) -> Result<Command, String> {
    let mut start = Start::default();
    let mut rest = text;
    if rest.starts_with(['{', '[', '"']) {
        let (params, left) = json(rest)?;
        start.params = Value::from_serde(&params);
        rest = left;
    }
    let mut child = false;
    for word in rest.split_whitespace() {
        let text = |value: &str| Some(Arc::from(value));
        match word.split_once('=') {
            Some(("agent", agent)) => start.agent_id = text(agent),
            Some(("name", name)) => start.name = text(name),
            Some(("template", name)) => start.template_name = text(name),
            Some(("version", version)) => start.template_version = text(version),
            Some(("depth", depth)) => start.depth = depth.parse().unwrap_or(0),
            None if word == "child" => child = true,
            _ => return Err(format!("`{word}` says nothing about a start")),
        }
    }
    Ok(Command::Start(Box::new(start), child))
}

/// `decision d {"choice":"yes"} as agent because "…"`, `data named go {…}`, `retry a`, `… id x`.
fn signal(text: &str) -> Result<Signal, String> {
    let (kind, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let kind = SignalKind::parse(kind).ok_or_else(|| format!("no signal is called `{kind}`"))?;
    let mut signal = Signal::new(kind);
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        if rest.starts_with('{') {
            let (payload, left) = json(rest)?;
            signal.payload = Value::from_serde(&payload);
            rest = left;
            continue;
        }
        let (word, left) = rest.split_once(' ').unwrap_or((rest, ""));
        if word == "because" {
            let (why, left) = json(left)?;
            signal.reasoning = why.as_str().map(Into::into);
            rest = left;
            continue;
        }
        let (next, after) = left.split_once(' ').unwrap_or((left, ""));
        let next = Some(Arc::from(next));
        rest = after;
        match word {
            "named" => signal.name = next,
            "as" => signal.agent_id = next,
            "id" => signal.id = next,
            step => {
                signal.step_id = Some(step.into());
                rest = left;
            }
        }
    }
    Ok(signal)
}
