//! Reads how far a program is locked in and how much it may use: `sandbox` and `limits`, of a step, a workflow, or a
//! server's settings.
//!
//! Keeps: what stands there is written out; nothing of it is worked out when the step begins. Names of older
//! definitions are understood.
//! Not here: what a machine can do about it (`opcode-sandbox`), what a server grants.

use std::path::Path;
use std::sync::Arc;

use opcode_model::sandbox::{is_plain_path, parse_bytes};
use opcode_model::{ErrorCode, Limits, Problem, Profile, Value, Wishes};

use super::reader::{Problems, Reader};

const PROFILES: [(&str, Profile); 4] = [
    ("none", Profile::None),
    ("process", Profile::Process),
    ("isolated", Profile::Isolated),
    ("strict", Profile::Strict),
];

/// What a server's settings say: its own wishes, and the least it demands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerWishes {
    /// What steps get that wish nothing, and the most they may wish.
    pub wishes: Wishes,
    /// The weakest profile a step may wish for.
    pub minimum: Option<Profile>,
}

/// Reads `sandbox` and `limits` of a server's settings.
///
/// # Errors
/// All problems at once.
pub fn server_wishes(settings: &Value) -> Result<ServerWishes, Vec<Problem>> {
    let problems = Problems::default();
    let none = opcode_model::Object::default();
    let object = settings.as_object().unwrap_or(&none);
    let reader = Reader { object, path: "", problems: &problems };
    let wishes = read(reader, &["minimum"]);
    let minimum = reader.value("sandbox").and_then(Value::as_object).and_then(|object| {
        let path = reader.at("sandbox");
        Reader { object, path: &path, problems: &problems }.word("minimum", &PROFILES)
    });
    let found = problems.into_vec();
    // What is unknown in settings is as wrong as what is broken.
    if found.is_empty() { Ok(ServerWishes { wishes, minimum }) } else { Err(found) }
}

/// Reads `sandbox` and `limits` of a step or a workflow.
pub(super) fn wishes(reader: Reader<'_>) -> Wishes {
    read(reader, &[])
}

fn read(reader: Reader<'_>, more: &[&str]) -> Wishes {
    let limits = limits(reader);
    match reader.value("sandbox") {
        None => Wishes { limits, ..Wishes::default() },
        Some(Value::String(_)) => {
            Wishes { profile: reader.word("sandbox", &PROFILES), limits, ..Wishes::default() }
        }
        Some(_) => Wishes { limits, ..sandbox(reader, more) },
    }
}

fn limits(reader: Reader<'_>) -> Limits {
    let Some(object) = reader.object("limits") else { return Limits::default() };
    let path = reader.at("limits");
    let reader = Reader { object, path: &path, problems: reader.problems };
    let old = ["max_memory_bytes", "max_cpu_percent", "timeout"];
    let known = ["wall_time", "cpu_time", "cpu_percent", "memory", "pids", "output"];
    reader.known(&[&known[..], &old].concat());
    let span = |member: &str| reader.duration(member).filter(|span| !span.is_zero());
    Limits {
        wall_time: span(either(reader, "wall_time", "timeout")),
        cpu_time: span("cpu_time"),
        cpu_percent: reader.count(either(reader, "cpu_percent", "max_cpu_percent"), 1, 100_000),
        memory_bytes: bytes(reader, either(reader, "memory", "max_memory_bytes"), 1 << 20),
        pids: reader.count("pids", 1, 1 << 22),
        output_bytes: bytes(reader, "output", 1),
    }
}

fn sandbox(reader: Reader<'_>, more: &[&str]) -> Wishes {
    let Some(object) = reader.object("sandbox") else { return Wishes::default() };
    let path = reader.at("sandbox");
    let reader = Reader { object, path: &path, problems: reader.problems };
    if reader.value("deny_paths").is_some() {
        let hint = "an isolated step sees only what `read` and `write` list: leave it out of those";
        reader.wrong("deny_paths", "nothing is denied by name", hint);
    }
    let old = ["allow_network", "read_only_paths", "writable_paths", "deny_paths"];
    reader.known(&[&["profile", "network", "read", "write"], more, &old].concat());
    let network = match reader.value("network") {
        Some(Value::String(_)) => reader.word("network", &[("host", true), ("none", false)]),
        _ => reader.flag(either(reader, "network", "allow_network")),
    };
    let profile = reader.word("profile", &PROFILES);
    for member in ["network", "read", "write"] {
        if profile.is_some_and(|it| it < Profile::Isolated) && reader.value(member).is_some() {
            let message = format!("`{member}` means something only to an isolated program");
            let problem = Problem::warning(reader.at(member), message);
            reader.problems.push(problem.hint("set `profile` to isolated, or strict").remove());
        }
    }
    Wishes {
        profile,
        network,
        read: paths(reader, either(reader, "read", "read_only_paths")),
        write: paths(reader, either(reader, "write", "writable_paths")),
        limits: Limits::default(),
    }
}

/// The name under which something stands: today's, or that of older definitions.
fn either<'n>(reader: Reader<'_>, today: &'n str, old: &'n str) -> &'n str {
    let is_old = reader.value(today).is_none() && reader.value(old).is_some();
    if is_old { old } else { today }
}

/// A number of bytes, or a text such as `64MiB`.
fn bytes(reader: Reader<'_>, member: &str, least: u64) -> Option<u64> {
    let value = reader.value(member)?;
    let number = match value.as_str() {
        Some(text) => parse_bytes(text),
        None => value.as_i64().and_then(|number| u64::try_from(number).ok()),
    };
    match number {
        Some(number) if number >= least => Some(number),
        Some(number) => {
            let message = format!("`{member}` must be at least {least} bytes, not {number}");
            let problem = Problem::error(ErrorCode::Validation, reader.at(member), message);
            let hint = format!("the least that is allowed is {least}");
            let least = i64::try_from(least).unwrap_or(i64::MAX);
            reader.problems.push(problem.hint(hint).replace_with(least));
            None
        }
        None => {
            let message = format!("`{member}` must be a number of bytes, not {value}");
            reader.wrong(member, message, "write 1048576, or with a unit: \"64MiB\", \"2GB\"");
            None
        }
    }
}

fn paths(reader: Reader<'_>, member: &str) -> Option<Arc<[Arc<str>]>> {
    let list = reader.list(member)?;
    let path = |(i, value): (usize, &Value)| {
        let place = format!("{}/{i}", reader.at(member));
        let text = value.as_str().unwrap_or_default();
        let (message, hint) = if text.contains("${{") {
            let message = "a path of the sandbox is written out, not worked out";
            (message, "list the directory that holds it")
        } else if !is_plain_path(Path::new(text)) {
            ("a path of the sandbox begins with `/` and goes only down", "such as \"/srv/data\"")
        } else {
            return Some(Arc::from(text));
        };
        let problem = Problem::error(ErrorCode::Validation, place, message);
        reader.problems.push(problem.hint(hint));
        None
    };
    // Every one is looked at, so that all that is wrong is said at once.
    let paths: Vec<Option<Arc<str>>> = list.iter().enumerate().map(path).collect();
    paths.into_iter().collect()
}
