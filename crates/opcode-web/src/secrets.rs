//! Secrets over HTTP: set, listed without their contents, granted, taken away, sealed anew; by administrators alone.
//!
//! Keeps: a content comes in and never goes out.
//! Not here: keeping them (`opcode-vault`); no tool of an agent reaches them.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Json, Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post, put};
use opcode_model::{ErrorCode, Failure};
use opcode_runtime::{Actor, Caller, Grant, Passphrase, Role, Secrets, shapes};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::Web;
use crate::api::{Answer, body};
use crate::openapi::Operation;

/// What can be done with secrets.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/api/v1/secrets",
            "Secrets: names, ages, uses and grants, never contents; for administrators",
            get(list),
        )
        .gives(&[("secrets", "array")]),
        Operation::put(
            "/api/v1/secrets/{name}",
            "Sets a secret; its grants stay; for administrators",
            put(set),
        )
        .takes::<SecretBody>()
        .gives(&[("name", "string"), ("version", "integer")]),
        Operation::delete(
            "/api/v1/secrets/{name}",
            "Takes a secret away; for administrators",
            delete(remove),
        )
        .gives(&[("deleted", "string")]),
        Operation::put(
            "/api/v1/secrets/{name}/grants",
            "Says anew which actions, hosts and templates may use a secret; for administrators",
            put(grant),
        )
        .takes::<GrantsBody>()
        .gives(&[("name", "string")]),
        Operation::post(
            "/api/v1/vault/rotate",
            "Seals all secrets with a new key, under a new passphrase if one is given; for administrators",
            post(rotate),
        )
        .takes::<RotateBody>()
        .gives(&[("sealed", "integer")]),
    ]
}

/// A content.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecretBody {
    value: String,
}

/// Who may use a secret.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GrantsBody {
    /// Each an object of `actions`, `hosts`, `templates`; none permits everybody.
    #[schemars(with = "Vec<serde_json::Value>")]
    grants: Vec<Grant>,
}

/// How secrets are sealed anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RotateBody {
    passphrase: Option<String>,
}

fn secrets(web: &Web, caller: &Caller) -> Result<Secrets, crate::refusal::Refusal> {
    caller.may(Role::Admin)?;
    Ok(web.engine.reader().secrets().by(Actor::new(caller, "http")))
}

/// The same, where the vault must open.
fn open(web: &Web, caller: &Caller) -> Result<Secrets, crate::refusal::Refusal> {
    let secrets = secrets(web, caller)?;
    if secrets.is_configured() {
        return Ok(secrets);
    }
    let message = "this server was started without the vault's passphrase";
    Err(Failure::new(ErrorCode::Conflict, message).into())
}

async fn list(State(web): State<Web>, Extension(caller): Extension<Caller>) -> Answer {
    let all = secrets(&web, &caller)?.list().await?;
    let all: Vec<_> = all.iter().map(shapes::secret).collect();
    Ok(Json(json!({"secrets": all})).into_response())
}

async fn set(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    given: Result<Json<SecretBody>, JsonRejection>,
) -> Answer {
    let secrets = open(&web, &caller)?;
    let version = secrets.set(&name, body(given)?.value.as_bytes()).await?;
    let status = if version == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({"name": name, "version": version}))).into_response())
}

async fn remove(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer {
    secrets(&web, &caller)?.delete(&name).await?;
    Ok(Json(json!({"deleted": name})).into_response())
}

async fn grant(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    given: Result<Json<GrantsBody>, JsonRejection>,
) -> Answer {
    secrets(&web, &caller)?.grant(&name, body(given)?.grants).await?;
    Ok(Json(json!({"name": name})).into_response())
}

async fn rotate(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    given: Result<Json<RotateBody>, JsonRejection>,
) -> Answer {
    let secrets = open(&web, &caller)?;
    let passphrase = body(given)?.passphrase.map(|text| Passphrase::new(text.into_bytes()));
    let sealed = secrets.rotate(passphrase).await?;
    Ok(Json(json!({"sealed": sealed})).into_response())
}
