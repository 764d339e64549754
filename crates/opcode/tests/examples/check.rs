//! Compares what a command answered, what the server saw and what is on disk with what the story says.
//!
//! Keeps: everything that differs is said at once, with both sides.
//! Not here: where the answers come from (`play.rs`).

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::Reply;
use crate::server::Server;
use crate::story::{Case, Expect};

/// Differences between an answer and what was expected of it.
pub(crate) fn reply(reply: &Reply, expect: &Expect) -> Vec<String> {
    let mut wrong = Vec::new();
    let answer = &reply.json;
    let mut same = |what: &str, found: &Value, wanted: &Value| {
        if !alike(found, wanted) {
            wrong.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    if let Some(exit) = reply.exit {
        same("the exit code", &Value::from(exit), &Value::from(wanted_exit(expect)));
    }
    if let Some(status) = &expect.status {
        same("the status", &answer["status"], &Value::from(status.as_str()));
    }
    if let Some(error) = &expect.error {
        same("the error's code", &answer["error"]["code"], &Value::from(error.as_str()));
    } else if expect.status.is_some() {
        same("the error", &answer["error"], &Value::Null);
    }
    if let Some(output) = &expect.output {
        same("the output", &answer["output"], output);
    }
    for (step, status) in &expect.steps {
        let found = &answer["steps"][step]["status"];
        same(&format!("step `{step}`"), found, &Value::from(status.as_str()));
    }
    for (step, least) in &expect.took_at_least_ms {
        let took = answer["steps"][step]["duration_ms"].as_u64().unwrap_or_default();
        if took < *least {
            wrong.push(format!("step `{step}` took {took} ms, which is less than {least} ms"));
        }
    }
    if !wrong.is_empty() {
        wrong.push(format!("the answer was {answer:#}\n{}", reply.said));
    }
    wrong
}

/// The exit code that goes with an expectation; a refusal has no status.
fn wanted_exit(expect: &Expect) -> i32 {
    match expect.status.as_deref() {
        Some("completed") => 0,
        Some("failed") => 1,
        Some("cancelled") => 4,
        Some(_) => 3,
        None if expect.error.is_some() => 2,
        None => 0,
    }
}

/// Equal, where `"*"` stands for any value that is there.
fn alike(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (found, Value::String(any)) if any == "*" => !found.is_null(),
        (Value::Object(found), Value::Object(wanted)) => {
            found.len() == wanted.len()
                && wanted
                    .iter()
                    .all(|(key, wanted)| found.get(key).is_some_and(|found| alike(found, wanted)))
        }
        (found, wanted) => found == wanted,
    }
}

/// Differences between what the server saw and what it should have seen.
pub(crate) fn server(server: &Server, case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    for (route, times) in &case.served {
        let seen = server.seen(route).len();
        if seen != *times {
            wrong.push(format!("`{route}` was asked {seen} times, not {times}"));
        }
    }
    for (route, wanted) in &case.received {
        let body = server.seen(route).pop().map(|seen| seen.body).unwrap_or_default();
        let found = serde_json::from_str(&body).unwrap_or(Value::Null);
        if !alike(&found, wanted) {
            wrong.push(format!("`{route}` received {body:?}, not {wanted}"));
        }
    }
    for route in &case.same_key {
        let mut keys: Vec<_> =
            server.seen(route).into_iter().map(|seen| seen.idempotency_key).collect();
        keys.dedup();
        if !matches!(keys.as_slice(), [Some(_)]) {
            wrong.push(format!("`{route}` was asked under the keys {keys:?}, not under one"));
        }
    }
    wrong
}

/// Differences between the files there are and the files there should be; `*` ends a text that may go on.
pub(crate) fn files(dir: &Path, case: &Case) -> Vec<String> {
    let differs = |(name, wanted): (&String, &String)| {
        let found = match fs::read_to_string(dir.join(name)) {
            Ok(found) => found,
            Err(error) => return Some(format!("`{name}` cannot be read: {error}")),
        };
        let fits = match wanted.strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => found == *wanted,
        };
        (!fits).then(|| format!("`{name}` holds {found:?}, not {wanted:?}"))
    };
    case.files_after.iter().filter_map(differs).collect()
}
