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
        .takes::<Written>()
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
    given: Result<Json<Written>, JsonRejection>,
) -> Answer {
    let (plugins, by) = plugins(&web, &caller)?;
    let config = PluginConfig::read(&Value::from_serde(&body(given)?)).map_err(|problem| {
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
