//! Plugins over HTTP: listed for everybody who may look; added, approved, restarted and taken away by administrators alone.
//!
//! Keeps: what is added has come up before it is there.
//! Not here: keeping them up (`opcode-mcp`'s `plugins`); no tool of an agent reaches them.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Json, Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post, put};
use opcode_mcp::plugins::{PluginConfig, Plugins};
use opcode_model::{ErrorCode, Failure, Value};
use opcode_runtime::{Actor, Caller, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Written, json};

use crate::Web;
use crate::api::{Answer, body};
use crate::openapi::Operation;
use crate::refusal::Refusal;

/// What can be done with plugins.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/api/v1/plugins",
            "Plugins: where each stands and which tools it offers",
            get(list),
        )
        .gives(&[("plugins", "array")]),
        Operation::put(
            "/api/v1/plugins/{name}",
            "Adds a plugin, such as {\"command\": \"program\", \"args\": []} or {\"url\": \"https://…\"}; for administrators",
            put(add),
        )
        .takes::<PluginBody>()
        .gives(&[("name", "string"), ("state", "string"), ("tools", "array")]),
        Operation::get("/api/v1/plugins/{name}", "One plugin", get(one)).gives(&[
            ("name", "string"),
            ("state", "string"),
            ("tools", "array"),
        ]),
        Operation::delete(
            "/api/v1/plugins/{name}",
            "Ends a plugin and forgets it; for administrators",
            delete(remove),
        )
        .gives(&[("removed", "string")]),
        Operation::post(
            "/api/v1/plugins/{name}/restart",
            "Starts a plugin again; for administrators",
            post(restart),
        )
        .gives(&[("name", "string"), ("state", "string")]),
        Operation::post(
            "/api/v1/plugins/{name}/approve",
            "Takes what a plugin offers now, and its program as it is now, as approved; for administrators",
            post(approve),
        )
        .gives(&[("name", "string"), ("state", "string")]),
        Operation::get(
            "/api/v1/plugins/{name}/log",
            "The last of what a plugin said, and of what became of it; for administrators",
            get(log),
        )
        .gives(&[("lines", "array")]),
    ]
}

/// A plugin, as it would stand in the settings.
#[derive(Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
struct PluginBody {
    /// A program to start.
    #[serde(skip_serializing_if = "Written::is_null")]
    command: Written,
    /// Its arguments.
    #[serde(skip_serializing_if = "Written::is_null")]
    args: Written,
    /// Variables beside the usual; `${{secrets.NAME}}` is filled in.
    #[serde(skip_serializing_if = "Written::is_null")]
    env: Written,
    /// Where it runs.
    #[serde(skip_serializing_if = "Written::is_null")]
    cwd: Written,
    /// How it is locked in, as a step says it.
    #[serde(skip_serializing_if = "Written::is_null")]
    sandbox: Written,
    /// The most it may use, as a step says it.
    #[serde(skip_serializing_if = "Written::is_null")]
    limits: Written,
    /// A server, in the place of a program.
    #[serde(skip_serializing_if = "Written::is_null")]
    url: Written,
    /// Headers of each request to it; `${{secrets.NAME}}` is filled in.
    #[serde(skip_serializing_if = "Written::is_null")]
    headers: Written,
    /// How long a call may be silent: `60s`.
    #[serde(skip_serializing_if = "Written::is_null")]
    timeout: Written,
    /// Whether tools that are new, or others than before, are taken as they come.
    #[serde(skip_serializing_if = "Written::is_null")]
    trust_changes: Written,
    /// As other clients write it; it says nothing that is not known.
    #[serde(rename = "type", skip_serializing_if = "Written::is_null")]
    kind: Written,
    /// For people.
    #[serde(skip_serializing_if = "Written::is_null")]
    description: Written,
}

/// The plugins, for somebody who may change them.
fn plugins<'a>(web: &'a Web, caller: &Caller) -> Result<(&'a Plugins, Actor), Refusal> {
    caller.may(Role::Admin)?;
    Ok((&web.plugins, Actor::new(caller, "http")))
}

async fn list(State(web): State<Web>, Extension(caller): Extension<Caller>) -> Answer {
    caller.may(Role::Viewer)?;
    Ok(Json(json!({"plugins": web.plugins.list()})).into_response())
}

async fn one(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer {
    caller.may(Role::Viewer)?;
    Ok(Json(web.plugins.told(&name)?).into_response())
}

async fn add(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    given: Result<Json<PluginBody>, JsonRejection>,
) -> Answer {
    let (plugins, by) = plugins(&web, &caller)?;
    let entry = serde_json::to_value(body(given)?).unwrap_or_default();
    let config = PluginConfig::read(&Value::from_serde(&entry)).map_err(|problem| {
        let hint = problem.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        let place = if problem.path.is_empty() { String::new() } else { problem.path + ": " };
        Failure::new(ErrorCode::Validation, format!("{place}{}{hint}", problem.message))
    })?;
    let told = plugins.add(&name, config, &by).await?;
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

async fn remove(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer {
    let (plugins, by) = plugins(&web, &caller)?;
    plugins.remove(&name, &by).await?;
    Ok(Json(json!({"removed": name})).into_response())
}

async fn restart(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer {
    let (plugins, by) = plugins(&web, &caller)?;
    Ok(Json(plugins.restart(&name, &by).await?).into_response())
}

async fn approve(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer {
    let (plugins, by) = plugins(&web, &caller)?;
    Ok(Json(plugins.approve(&name, &by).await?).into_response())
}

async fn log(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer {
    let (plugins, _) = plugins(&web, &caller)?;
    Ok(Json(json!({"lines": plugins.log(&name)?})).into_response())
}
