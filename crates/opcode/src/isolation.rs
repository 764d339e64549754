//! What a server demands and grants of isolation: the settings `sandbox`, `limits` and `shell_env`, and their flags.
//!
//! Keeps: what stands there is read by the same reader as what stands in a step.
//! Not here: what comes of it (`opcode-sandbox`'s `policy`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use opcode_engine::{ServerWishes, server_wishes};
use opcode_model::{ErrorCode, Limits, Problem, Profile, Value};
use opcode_sandbox::policy::Rules;

/// What the setting `sandbox` says. An error's place is below it.
pub(crate) fn sandbox(value: &Value) -> Result<ServerWishes, Problem> {
    read("sandbox", value)
}

/// What the setting `limits` says.
pub(crate) fn limits(value: &Value) -> Result<Limits, Problem> {
    Ok(read("limits", value)?.wishes.limits)
}

fn read(name: &str, value: &Value) -> Result<ServerWishes, Problem> {
    let below = |problem: Problem| {
        let path = problem.path.strip_prefix(&format!("/{name}")).unwrap_or_default().to_owned();
        Problem { path, ..problem }
    };
    let read = server_wishes(&Value::object([(name, value.clone())]));
    read.map_err(|problems| {
        let unknown = || Problem::error(ErrorCode::Validation, "", "it cannot be read");
        problems.into_iter().next().map_or_else(unknown, below)
    })
}

/// A flag's word: JSON, or the name of a profile.
pub(crate) fn sandbox_flag(text: &str) -> Result<ServerWishes, String> {
    let value = Value::from_json(text).unwrap_or_else(|_| text.into());
    sandbox(&value).map_err(said)
}

/// A flag's word: JSON.
pub(crate) fn limits_flag(text: &str) -> Result<Limits, String> {
    let value = Value::from_json(text).map_err(|error| error.to_string())?;
    limits(&value).map_err(said)
}

fn said(problem: Problem) -> String {
    let hint = problem.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    problem.message + &hint
}

/// What steps are granted.
pub(crate) fn rules(sandbox: Option<&ServerWishes>, limits: Option<Limits>) -> Rules {
    let known = Rules::default();
    let ServerWishes { wishes, minimum } = sandbox.cloned().unwrap_or_default();
    let paths = |list: Option<Arc<[Arc<str>]>>| -> Option<Vec<PathBuf>> {
        list.map(|list| list.iter().map(|path| PathBuf::from(path.as_ref())).collect())
    };
    // A server that wishes for `none` itself lets its steps wish for it.
    let profile = wishes.profile.unwrap_or(known.profile);
    Rules {
        profile,
        minimum: minimum.unwrap_or_else(|| profile.min(Profile::Process)),
        network: wishes.network.unwrap_or(known.network),
        read: paths(wishes.read),
        write: paths(wishes.write),
        limits: limits.unwrap_or_default(),
    }
}

/// The variables of this process that programs get as they are.
pub(crate) fn shell_env(names: &[String]) -> BTreeMap<String, String> {
    let value = |name: &String| Some((name.clone(), std::env::var(name).ok()?));
    names.iter().filter_map(value).collect()
}
