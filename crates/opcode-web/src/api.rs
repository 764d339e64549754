//! The JSON API: what agents can do through tools, programs can do here.
//!
//! Keeps: lists are paged and carry no large values; every refusal has one shape.
//! Not here: MCP (`opcode-mcp`), live events (`events.rs`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, FromRequestParts, Json, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use opcode_model::time::parse_duration;
use opcode_model::{
    ErrorCode, Failure, RunId, RunStatus, Seq, Signal, SignalKind, Timestamp, TraceParent, Value,
};
use opcode_runtime::{
    Actor, Caller, DefineRequest, Document, Role, RunAnswer, RunRequest, Source, TokenRequest,
    Wait, shapes,
};
use opcode_store::{DecisionFilter, EventFilter, RunFilter};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json_, json};

use crate::openapi::{self, Operation};
use crate::refusal::Refusal;
use crate::{Web, backup, carry, diagram, events, health, look, plugins, secrets, vacuum};

pub(crate) type Answer = Result<Response, Refusal>;

/// Things listed unless told otherwise, and at most.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 1_000;

/// Every route of the API, and the figures.
pub(crate) fn router(web: Web) -> Router {
    let routes = operations().into_iter();
    let router = routes
        .fold(Router::new(), |router, operation| router.route(operation.path, operation.handler));
    let router = router.route("/openapi.json", get(openapi::served));
    router.route("/api/v1/openapi.json", get(openapi::served)).with_state(web)
}

const PAGED: [&str; 2] = ["limit", "cursor"];
const EVENTS: [&str; 5] = ["step_id", "event_type", "since", "limit", "cursor"];

/// What can be done, and how it is described.
pub(crate) fn operations() -> Vec<Operation> {
    let all = [
        of_workflows(),
        of_templates(),
        of_lists(),
        of_callers(),
        secrets::operations(),
        plugins::operations(),
        look::operations(),
        backup::operations(),
        vacuum::operations(),
        carry::operations(),
    ];
    all.into_iter().flatten().collect()
}

/// Start, look, watch, answer.
fn of_workflows() -> Vec<Operation> {
    vec![
        Operation::get(
            "/api/v1/workflows",
            "Workflows, newest first, without their inputs and outputs",
            get(workflows),
        )
        .query(&["status", "agent_id", "template_name", "since"])
        .query(&PAGED)
        .gives(&[("workflows", "array"), ("cursor", "string")]),
        Operation::post(
            "/api/v1/workflows",
            "Starts a template or a definition; 202 while it is not over",
            post(run),
        )
        .takes::<RunBody>()
        .headers(&["Idempotency-Key"])
        .gives(WORKFLOW),
        Operation::get(
            "/api/v1/workflows/{id}",
            "Where a workflow is, and what it waits for",
            get(status),
        )
        .gives(WORKFLOW),
        Operation::get(
            "/api/v1/workflows/{id}/events",
            "Its log, from the beginning",
            get(events_of),
        )
        .query(&EVENTS)
        .gives(&[("events", "array"), ("cursor", "string")]),
        Operation::get(
            "/api/v1/workflows/{id}/stream",
            "Its events as they are committed (SSE); an event's id is its sequence",
            get(events::stream),
        )
        .headers(&["Last-Event-ID"])
        .gives_text("text/event-stream"),
        Operation::get(
            "/api/v1/workflows/{id}/diagram",
            "A picture of it",
            get(diagram::of_workflow),
        )
        .query(&["format", "include_status"])
        .gives_text("image/svg+xml"),
        Operation::post(
            "/api/v1/workflows/{id}/signals",
            "Answers a decision, hands in data, cancels, retries or skips",
            post(signal),
        )
        .takes::<SignalBody>()
        .gives(&[
            ("ok", "boolean"),
            ("workflow_id", "string"),
            ("signal_type", "string"),
            ("status", "string"),
        ]),
    ]
}

/// Define and look up.
fn of_templates() -> Vec<Operation> {
    vec![
        Operation::get(
            "/api/v1/templates",
            "Templates, newest first, without their definitions",
            get(templates),
        )
        .query(&["name"])
        .query(&PAGED)
        .gives(&[("templates", "array"), ("cursor", "string")]),
        Operation::post(
            "/api/v1/templates",
            "Checks a definition and stores it as the next version of a template",
            post(define),
        )
        .takes::<DefineBody>()
        .gives(&[("name", "string"), ("version", "string"), ("warnings", "array")]),
        Operation::get(
            "/api/v1/templates/{name}",
            "Every version of a template, newest first",
            get(template),
        )
        .gives(&[("templates", "array")]),
        Operation::get(
            "/api/v1/templates/{name}/diagram",
            "A picture of it",
            get(diagram::of_template),
        )
        .query(&["format", "version"])
        .gives_text("image/svg+xml"),
    ]
}

/// What there is of everything else.
fn of_lists() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/events", "Events of all workflows, newest first", get(all_events))
            .query(&["workflow_id"])
            .query(&EVENTS)
            .gives(&[("events", "array")]),
        Operation::get("/api/v1/decisions", "Open decisions, or all of them", get(decisions))
            .query(&["workflow_id", "status"])
            .query(&PAGED)
            .gives(&[("decisions", "array"), ("cursor", "string")]),
        Operation::get("/api/v1/agents", "Agents that have defined or run something", get(agents))
            .query(&PAGED)
            .gives(&[("agents", "array"), ("cursor", "string")]),
        Operation::get("/api/v1/actions", "Actions and their parameters", get(actions))
            .gives(&[("actions", "array")]),
    ]
}

/// Who may come in, and how the server is.
fn of_callers() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/tokens", "Tokens, without their secrets", get(tokens))
            .gives(&[("tokens", "array")]),
        Operation::post(
            "/api/v1/tokens",
            "Makes a token; its text is told this once",
            post(create_token),
        )
        .takes::<TokenBody>()
        .gives(&[("id", "string"), ("token", "string")]),
        Operation::delete("/api/v1/tokens/{id}", "Takes a token back", delete(revoke_token))
            .gives(&[("revoked", "string")]),
        Operation::get(
            "/api/v1/audit",
            "What was done and what was refused, newest first",
            get(audit),
        )
        .query(&["limit"])
        .gives(&[("entries", "array")]),
        Operation::get("/api/v1/whoami", "Who calls", get(whoami)).gives(&[
            ("name", "string"),
            ("role", "string"),
            ("agent_id", "string"),
        ]),
        Operation::get("/api/v1/health", "Whether it takes work", get(health::ready))
            .gives(&[("ready", "boolean")]),
        Operation::get("/metrics", "Figures in Prometheus text", get(metrics))
            .gives_text("text/plain"),
    ]
}

/// What is told of a workflow.
const WORKFLOW: &[(&str, &str)] = &[
    ("workflow_id", "string"),
    ("status", "string"),
    ("output", ""),
    ("error", "object"),
    ("steps", "object"),
    ("pending_decisions", "array"),
    ("started_at", "string"),
    ("completed_at", "string"),
];

pub(crate) fn invalid(message: impl Into<Arc<str>>) -> Refusal {
    Failure::new(ErrorCode::Validation, message).into()
}

/// A body that is JSON, or what is wrong with it.
pub(crate) fn body<T>(given: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    given.map(|Json(body)| body).map_err(|rejection| invalid(rejection.body_text()))
}

pub(crate) fn workflow_id(text: &str) -> Result<RunId, Refusal> {
    RunId::parse(&text.to_lowercase())
        .ok_or_else(|| invalid(format!("`{text}` is not a workflow id (a UUID)")))
}

/// A page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    cursor: Option<String>,
    limit: Option<usize>,
    status: Option<String>,
    agent_id: Option<Arc<str>>,
    template_name: Option<Arc<str>>,
    workflow_id: Option<String>,
    step_id: Option<Arc<str>>,
    event_type: Option<Arc<str>>,
    since: Option<String>,
    name: Option<String>,
}

impl Page {
    fn limit(&self) -> usize {
        self.limit.filter(|limit| *limit > 0).unwrap_or(LIMIT).min(LIMIT_MAX)
    }

    fn offset(&self) -> Result<usize, Refusal> {
        let Some(cursor) = &self.cursor else { return Ok(0) };
        cursor.parse().map_err(|_| invalid(format!("cursor `{cursor}` is none of ours")))
    }

    fn since(&self) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = &self.since else { return Ok(None) };
        let wrong =
            || invalid(format!("since `{text}` is not a moment such as 2026-11-20T15:41:07Z"));
        Timestamp::parse(text).map(Some).ok_or_else(wrong)
    }

    fn answer<T>(&self, mut items: Vec<T>, key: &str, show: impl Fn(&T) -> Json_) -> Answer {
        let (limit, offset) = (self.limit(), self.offset()?);
        let more = items.len() > limit;
        items.truncate(limit);
        let mut answer = json!({key: items.iter().map(show).collect::<Vec<_>>()});
        if more {
            answer["cursor"] = (offset + limit).to_string().into();
        }
        Ok(Json(answer).into_response())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Refusal;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Refusal> {
        let read = Query::<Self>::try_from_uri(&parts.uri);
        read.map(|Query(page)| page).map_err(|rejection| invalid(rejection.body_text()))
    }
}

/// Who calls, and that it may look.
pub(crate) struct Looks;

impl<S: Send + Sync> FromRequestParts<S> for Looks {
    type Rejection = Refusal;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Refusal> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let nobody = || Failure::new(ErrorCode::PermissionDenied, "who calls is not known");
        caller.ok_or_else(nobody)?.may(Role::Viewer)?;
        Ok(Self)
    }
}

async fn workflows(State(web): State<Web>, _: Looks, page: Page) -> Answer {
    let status = match &page.status {
        None => None,
        Some(word) => {
            Some(RunStatus::parse(word).ok_or_else(|| invalid(format!("`{word}` is no status")))?)
        }
    };
    let filter = RunFilter {
        status,
        agent_id: page.agent_id.clone(),
        template_name: page.template_name.clone(),
        since: page.since()?,
        limit: page.limit() + 1,
        offset: page.offset()?,
        ..RunFilter::default()
    };
    let found = web.engine.reader().workflows(filter).await?;
    page.answer(found, "workflows", |summary| {
        let mut row = shapes::workflow(summary);
        if let Some(object) = row.as_object_mut() {
            object.remove("output");
            object.remove("input_params");
        }
        row
    })
}

/// A wish for a run.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunBody {
    template_name: Option<Arc<str>>,
    version: Option<Arc<str>>,
    definition: Option<Json_>,
    #[serde(default)]
    params: Json_,
    name: Option<Arc<str>>,
    agent_id: Option<Arc<str>>,
    idempotency_key: Option<Arc<str>>,
    wait: Option<String>,
    /// The trace it belongs to; wins over the header of this name.
    traceparent: Option<String>,
}

/// The trace a request belongs to. What is no `traceparent` is not ours to complain about, says its standard.
fn trace(said: Option<&str>, headers: &HeaderMap) -> Option<TraceParent> {
    let header = || headers.get("traceparent").and_then(|value| value.to_str().ok());
    said.or_else(header).and_then(TraceParent::parse)
}

fn wait(text: Option<&String>) -> Result<Duration, Refusal> {
    let Some(text) = text else { return Ok(Duration::ZERO) };
    parse_duration(text)
        .map_err(|error| invalid(format!("wait `{text}` is not a duration: {error}")))
}

async fn run(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    given: Result<Json<RunBody>, JsonRejection>,
) -> Answer {
    caller.may(Role::Agent)?;
    let given = body(given)?;
    let source = match (given.template_name, given.definition) {
        (Some(name), None) => Source::Template { name, version: given.version },
        (None, Some(definition)) => {
            Source::Definition(Document::read(&Value::from_serde(&definition)).definition)
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(invalid("name a `template_name`, or give a `definition`"));
        }
    };
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let patience = wait(given.wait.as_ref())?;
    let request = RunRequest {
        source,
        name: given.name,
        params: Value::from_serde(&given.params),
        agent_id: caller.acts_as(given.agent_id.as_deref())?,
        idempotency_key: given.idempotency_key.or(key.map(Into::into)),
        wait: Wait::Started,
        trace: trace(given.traceparent.as_deref(), &headers),
    };
    let engine = web.engine.by(Actor::new(&caller, "http"));
    let run = match engine.run(request).await? {
        RunAnswer::Started(run) => run,
        RunAnswer::Settled(result) | RunAnswer::Ongoing(result) => result.workflow_id,
    };
    if !patience.is_zero() {
        web.engine.wait(run, Some(patience)).await?;
    }
    let result = web.engine.reader().status(run).await?;
    let status =
        if result.result.status.is_terminal() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(shapes::status(&result))).into_response())
}

async fn status(State(web): State<Web>, _: Looks, Path(id): Path<String>) -> Answer {
    let view = web.engine.reader().status(workflow_id(&id)?).await?;
    Ok(Json(shapes::status(&view)).into_response())
}

async fn events_of(State(web): State<Web>, _: Looks, Path(id): Path<String>, page: Page) -> Answer {
    let run = workflow_id(&id)?;
    let filter = EventFilter {
        run: Some(run),
        step_id: page.step_id.clone(),
        event_type: page.event_type.clone(),
        since: page.since()?,
        after: Seq(page.offset()? as u64),
        limit: page.limit() + 1,
    };
    let mut found = web.engine.reader().events(filter).await?;
    let more = found.len() > page.limit();
    found.truncate(page.limit());
    let mut answer = json!({"events": found.iter().map(shapes::event).collect::<Vec<_>>()});
    if let Some(last) = found.last().filter(|_| more) {
        answer["cursor"] = last.seq.0.to_string().into();
    }
    Ok(Json(answer).into_response())
}

async fn all_events(State(web): State<Web>, _: Looks, page: Page) -> Answer {
    let run = page.workflow_id.as_deref().map(workflow_id).transpose()?;
    let filter = EventFilter {
        run,
        step_id: page.step_id.clone(),
        event_type: page.event_type.clone(),
        since: page.since()?,
        limit: page.limit(),
        ..EventFilter::default()
    };
    let found = web.engine.reader().events(filter).await?;
    page.answer(found, "events", shapes::event)
}

/// A signal, in the words of the tool.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignalBody {
    #[schemars(with = "String", extend("enum" = SignalKind::ALL))]
    signal_type: SignalKind,
    step_id: Option<Arc<str>>,
    signal_name: Option<Arc<str>>,
    agent_id: Option<Arc<str>>,
    #[serde(default)]
    payload: Json_,
    reasoning: Option<Arc<str>>,
    idempotency_key: Option<Arc<str>>,
    wait: Option<String>,
}

async fn signal(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    given: Result<Json<SignalBody>, JsonRejection>,
) -> Answer {
    caller.may(Role::Agent)?;
    let (run, given) = (workflow_id(&id)?, body(given)?);
    let patience = wait(given.wait.as_ref())?;
    let signal = Signal {
        kind: given.signal_type,
        step_id: given.step_id,
        name: given.signal_name,
        agent_id: caller.acts_as(given.agent_id.as_deref())?,
        payload: Value::from_serde(&given.payload),
        reasoning: given.reasoning,
        id: given.idempotency_key,
    };
    let kind = signal.kind;
    web.engine.by(Actor::new(&caller, "http")).signal(run, signal).await?;
    if !patience.is_zero() {
        web.engine.wait(run, Some(patience)).await?;
    }
    let view = web.engine.reader().status(run).await?;
    let mut answer = shapes::taken(run, kind);
    answer["status"] = view.result.status.text().into();
    Ok(Json(answer).into_response())
}

/// A wish for a template.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DefineBody {
    name: Arc<str>,
    definition: Json_,
    description: Option<Arc<str>>,
    agent_id: Option<Arc<str>>,
    #[serde(default)]
    dry_run: bool,
}

async fn define(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    given: Result<Json<DefineBody>, JsonRejection>,
) -> Answer {
    caller.may(Role::Agent)?;
    let given = body(given)?;
    let request = DefineRequest {
        name: given.name,
        description: given.description,
        definition: Document::read(&Value::from_serde(&given.definition)).definition,
        agent_id: caller.acts_as(given.agent_id.as_deref())?,
        dry_run: given.dry_run,
    };
    let status = if request.dry_run { StatusCode::OK } else { StatusCode::CREATED };
    let defined = web.engine.by(Actor::new(&caller, "http")).define(request).await?;
    Ok((status, Json(defined)).into_response())
}

async fn templates(State(web): State<Web>, _: Looks, page: Page) -> Answer {
    let found = web.engine.reader().templates(page.name.as_deref()).await?;
    let found: Vec<_> = found.into_iter().rev().skip(page.offset()?).collect();
    page.answer(found, "templates", |template| {
        let mut row = shapes::template(template);
        if let Some(object) = row.as_object_mut() {
            object.remove("definition");
        }
        row
    })
}

async fn template(State(web): State<Web>, _: Looks, Path(name): Path<String>) -> Answer {
    let found = web.engine.reader().templates(Some(&name)).await?;
    if found.is_empty() {
        let message = format!("template `{name}` does not exist");
        return Err(Failure::new(ErrorCode::NotFound, message).into());
    }
    let all: Vec<_> = found.iter().rev().map(shapes::template).collect();
    Ok(Json(json!({"templates": all})).into_response())
}

async fn decisions(State(web): State<Web>, _: Looks, page: Page) -> Answer {
    let run = page.workflow_id.as_deref().map(workflow_id).transpose()?;
    let closed = page.status.as_deref().is_some_and(|status| status != "pending");
    let offset = page.offset()?;
    let filter = DecisionFilter { run, closed, limit: offset + page.limit() + 1 };
    let found = web.engine.reader().decisions(filter).await?;
    page.answer(found.into_iter().skip(offset).collect(), "decisions", shapes::decision)
}

async fn agents(State(web): State<Web>, _: Looks, page: Page) -> Answer {
    let found = web.engine.reader().agents().await?;
    let found: Vec<_> = found.into_iter().skip(page.offset()?).collect();
    page.answer(found, "agents", Clone::clone)
}

async fn actions(State(web): State<Web>, _: Looks) -> Answer {
    Ok(Json(json!({"actions": web.engine.reader().actions()})).into_response())
}

async fn whoami(Extension(caller): Extension<Caller>) -> Answer {
    let (name, role, agent) = (&caller.name, caller.role, &caller.agent);
    Ok(Json(json!({"name": name, "role": role, "agent_id": agent})).into_response())
}

async fn tokens(State(web): State<Web>, Extension(caller): Extension<Caller>) -> Answer {
    caller.may(Role::Admin)?;
    let all = web.engine.reader().tokens().list().await?;
    let all: Vec<_> = all.iter().map(shapes::token).collect();
    Ok(Json(json!({"tokens": all})).into_response())
}

/// A wish for a token.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TokenBody {
    name: Arc<str>,
    #[schemars(with = "String", extend("enum" = Role::ALL.map(|(word, _)| word)))]
    role: Role,
    agent_id: Option<Arc<str>>,
    expires_at: Option<String>,
}

async fn create_token(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    given: Result<Json<TokenBody>, JsonRejection>,
) -> Answer {
    caller.may(Role::Admin)?;
    let given = body(given)?;
    let expires_at = match &given.expires_at {
        None => None,
        Some(text) => Some(
            Timestamp::parse(text)
                .ok_or_else(|| invalid(format!("expires_at `{text}` is not a moment")))?,
        ),
    };
    let TokenBody { name, role, agent_id, .. } = given;
    let request = TokenRequest { name, role, agent_id, expires_at };
    let (token, secret) = web.tokens(&caller).create(request).await?;
    tracing::info!(by = %caller.name, token = %token.id, role = role.text(), "a token was made");
    let mut answer = shapes::token(&token);
    answer["token"] = secret.into();
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn revoke_token(
    State(web): State<Web>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.may(Role::Admin)?;
    web.tokens(&caller).revoke(&id).await?;
    tracing::info!(by = %caller.name, token = %id, "a token was taken back");
    Ok(Json(json!({"revoked": id})).into_response())
}

async fn audit(State(web): State<Web>, Extension(caller): Extension<Caller>, page: Page) -> Answer {
    caller.may(Role::Admin)?;
    let found = web.engine.reader().audit().newest(page.limit()).await?;
    Ok(Json(json!({"entries": found})).into_response())
}

async fn metrics(State(web): State<Web>, _: Looks) -> Answer {
    let kind = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, web.metrics.text(&web.engine).await).into_response())
}
