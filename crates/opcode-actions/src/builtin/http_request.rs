//! `http.request`: sends an HTTP request and gives the response.
//!
//! ```json
//! {"action": "http.request", "params": {"url": "https://api.example.com/items", "method": "POST", "body": {"n": 1}}}
//! ```
//! gives
//! ```json
//! {"body": {"id": 7}, "content_type": "application/json", "duration_ms": 84, "headers": {"Content-Type": "application/json"}, "status": "201 Created", "status_code": 201}
//! ```
//!
//! Keeps: any status completes the step unless `fail_on_error_status`; a method that changes something carries the
//! step's `Idempotency-Key`.
//! Not here: connections and redirects (`web/`), the short forms (`http_get.rs`, `http_post.rs`).

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use opcode_model::action::Call;
use opcode_model::time::format_duration;
use opcode_model::{EffectClass, ErrorCode, Failure, Object, Outcome, Timestamp, Value};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{Built, Site};
use crate::limit::race;
use crate::page::Page;
use crate::params::{Span, Text};
use crate::web::{Body, Exchange, Received, Trouble, exchange, retry_after_ms};

pub(super) struct HttpRequest;

/// How long a whole exchange may take unless its author says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many redirects are followed unless the author says otherwise.
const REDIRECTS_MAX: u32 = 10;
/// The header that names an attempt to the server.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that names the trace an attempt belongs to.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What every HTTP action gives.
pub(super) const OUTPUT: &[(&str, &str)] = &[
    ("body", "the value if the response is `application/json`, else text; `null` if empty"),
    ("content_type", "the response's `Content-Type`"),
    ("duration_ms", "how long the response's headers took"),
    ("encoding", "`base64`, only if the body was not text"),
    ("headers", "the first value of each header, names as in `Content-Type`"),
    ("status", "such as `200 OK`"),
    ("status_code", "such as `200`"),
    ("truncated", "`true`, only if the body was cut"),
];

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// Where to; `http` or `https`.
    #[schemars(extend("format" = "uri"))]
    url: Text,
    /// `GET` unless given; `http.get` and `http.post` have their own.
    method: Option<Text>,
    /// Headers; they win over the ones the body brings.
    #[serde(default)]
    headers: BTreeMap<String, Option<Text>>,
    /// What to send.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    body: Value,
    /// How the body is written; `json` unless given.
    #[serde(default)]
    body_encoding: Body,
    /// Who asks; wins over `headers`.
    auth: Option<Auth>,
    /// For the whole exchange; `30s` unless given.
    timeout: Option<Span>,
    /// Whether redirects are followed; `true` unless given.
    follow_redirects: Option<bool>,
    /// How many of them; 10 unless given.
    max_redirects: Option<i64>,
    /// Accept any certificate.
    #[serde(default)]
    tls_skip_verify: bool,
    /// Fail the step on a status of 400 and above.
    #[serde(default)]
    fail_on_error_status: bool,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AuthKind {
    Bearer,
    Basic,
    ApiKey,
}

#[derive(Deserialize, JsonSchema)]
struct Auth {
    /// How to say who asks.
    #[serde(rename = "type")]
    kind: AuthKind,
    /// For `bearer`.
    #[serde(default)]
    token: Text,
    /// For `basic`.
    #[serde(default)]
    username: Text,
    /// For `basic`.
    #[serde(default)]
    password: Text,
    /// For `api_key`.
    #[serde(default)]
    header_name: Text,
    /// For `api_key`.
    #[serde(default)]
    header_value: Text,
}

impl Built for HttpRequest {
    type Params = Params;
    const PAGE: Page = Page {
        name: "http.request",
        class: EffectClass::Unsafe,
        source: include_str!("http_request.rs"),
        output: OUTPUT,
    };

    fn examine(params: &Params) -> Result<(), String> {
        examine(params)
    }

    fn target(params: &Params) -> Option<String> {
        target(params)
    }

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let method = params.method.clone().unwrap_or_else(|| Text("GET".to_owned()));
        perform(Self::PAGE.name, &method.0, params, site).await
    }
}

/// What is wrong with a request as it is written.
pub(super) fn examine(params: &Params) -> Result<(), String> {
    let is_open = |text: &Text| text.0.contains("${{");
    if let Some(method) = params.method.as_ref().filter(|method| !is_open(method)) {
        let known = Method::from_bytes(method.0.trim().to_uppercase().as_bytes());
        known.map_err(|_| format!("param 'method': {:?} is no HTTP method", method.0))?;
    }
    match &params.auth {
        Some(auth) if !auth.texts().into_iter().any(is_open) => {
            auth.header().map(drop).map_err(|why| format!("param 'auth': {why}"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The server a request goes to, as `host:port`.
pub(super) fn target(params: &Params) -> Option<String> {
    let url = Url::parse(&params.url.0).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// What all HTTP actions do.
pub(super) async fn perform(
    name: &'static str,
    method: &str,
    params: Params,
    site: Site<'_>,
) -> Outcome {
    let request = request(name, method, &params, site.call)?;
    let own = params.timeout.map_or(TIMEOUT, |span| span.0);
    let bytes_max = site.world.config().capture_bytes_max;
    let details = Value::object([("target", target(&params))]);
    let attempt = async {
        let clients = site.world.clients();
        let client = clients.find(params.tls_skip_verify);
        let client = client.map_err(|error| failed(name, &Trouble::Failed(error)))?;
        let whole = async {
            let exchange = exchange(client, clients.policy(), request);
            let (response, took) = exchange.await.map_err(|trouble| failed(name, &trouble))?;
            answer(name, response, took, bytes_max).await
        };
        tokio::time::timeout(own, whole).await.unwrap_or_else(|_| {
            let span = format_duration(own);
            let message = format!("{name}: request failed: no complete response within {span}");
            Err(Failure::new(ErrorCode::Execution, message))
        })
    };
    let attempt = async {
        let answered = attempt.await.map_err(|failure| failure.with_details(details))?;
        if params.fail_on_error_status && answered.status.as_u16() >= 400 {
            return Err(refused(name, answered));
        }
        Ok(answered.output)
    };
    race(name, &site, Box::pin(attempt)).await
}

fn request(name: &str, method: &str, params: &Params, call: &Call) -> Result<Exchange, Failure> {
    let wrong = |message: String| Failure::new(ErrorCode::Validation, format!("{name}: {message}"));
    let url = Url::parse(&params.url.0)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| wrong(format!("invalid url {:?}", params.url.0)))?;
    let method = Method::from_bytes(method.trim().to_uppercase().as_bytes())
        .map_err(|_| wrong(format!("param 'method': {method:?} is no HTTP method")))?;
    let mut headers = HeaderMap::new();
    let mut body = None;
    if !params.body.is_null() {
        let (bytes, content_type) = params.body_encoding.encode(&params.body).ok_or_else(|| {
            wrong(format!("param 'body' must be an object for a form, got {}", params.body.kind()))
        })?;
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        body = Some(bytes);
    }
    for (key, value) in &params.headers {
        if let Some(value) = value {
            let (key, value) = pair(key, &value.0).map_err(wrong)?;
            headers.insert(key, value);
        }
    }
    if let Some(auth) = &params.auth {
        let (key, value) = auth.header().map_err(wrong)?;
        headers.insert(key, value);
    }
    if !is_idempotent(&method) && !headers.contains_key(IDEMPOTENCY_KEY) {
        let (_, value) = pair("idempotency-key", &call.idempotency_key).map_err(wrong)?;
        headers.insert(IDEMPOTENCY_KEY, value);
    }
    if let Some(trace) = &call.trace
        && !headers.contains_key(TRACEPARENT)
    {
        let (_, value) = pair("traceparent", &trace.to_string()).map_err(wrong)?;
        headers.insert(TRACEPARENT, value);
    }
    let redirects_max = params.max_redirects.and_then(|max| u32::try_from(max).ok());
    let redirects_max = redirects_max.filter(|max| *max > 0).unwrap_or(REDIRECTS_MAX);
    let redirects_max = params.follow_redirects.unwrap_or(true).then_some(redirects_max);
    let hosts = call.hosts.clone();
    Ok(Exchange { method, url, headers, body, redirects_max, hosts })
}

fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS)
}

/// A header; what is wrong with it is said without its value, which may be a secret.
fn pair(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let key = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("{name:?} is no header name"))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("the value of header {name:?} has characters a header cannot have"))?;
    Ok((key, value))
}

impl Auth {
    fn texts(&self) -> [&Text; 5] {
        [&self.token, &self.username, &self.password, &self.header_name, &self.header_value]
    }

    fn header(&self) -> Result<(HeaderName, HeaderValue), String> {
        use base64::Engine as _;
        let needs = |what: &Text, name: &str| {
            if what.0.is_empty() {
                Err(format!("missing required param '{name}' in 'auth'"))
            } else {
                Ok(())
            }
        };
        let (name, value) = match self.kind {
            AuthKind::Bearer => {
                needs(&self.token, "token")?;
                ("authorization", format!("Bearer {}", self.token.0))
            }
            AuthKind::Basic => {
                needs(&self.username, "username")?;
                let pair = format!("{}:{}", self.username.0, self.password.0);
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                ("authorization", format!("Basic {pair}"))
            }
            AuthKind::ApiKey => {
                needs(&self.header_name, "header_name")?;
                (self.header_name.0.as_str(), self.header_value.0.clone())
            }
        };
        let (name, mut value) = pair(name, &value)?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

struct Answered {
    status: StatusCode,
    retry_after_ms: Option<u64>,
    output: Value,
}

async fn answer(
    name: &str,
    response: Response,
    took: Duration,
    bytes_max: usize,
) -> Result<Answered, Failure> {
    let status = response.status();
    let text = |value: Option<&HeaderValue>| {
        value
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    };
    let content_type = text(response.headers().get(header::CONTENT_TYPE));
    let retry_after = text(response.headers().get(header::RETRY_AFTER));
    let keys = response.headers().keys();
    let headers: Object =
        keys.map(|key| (canonical(key.as_str()), text(response.headers().get(key)))).collect();
    let is_json = content_type.contains("application/json");
    let received = Received::read(response, is_json, bytes_max).await.map_err(|error| {
        let message = format!("{name}: failed to read response body: {}", causes(&error));
        Failure::new(ErrorCode::Execution, message)
    })?;
    let phrase = status.canonical_reason().unwrap_or_default();
    let mut output: Object = [
        ("body", received.value),
        ("content_type", content_type.into()),
        ("duration_ms", i64::try_from(took.as_millis()).unwrap_or(i64::MAX).into()),
        ("headers", headers.into()),
        ("status", format!("{} {phrase}", status.as_u16()).trim_end().into()),
        ("status_code", i64::from(status.as_u16()).into()),
    ]
    .into_iter()
    .collect();
    if received.truncated {
        output = output.with("truncated", true.into());
    }
    if received.base64 {
        output = output.with("encoding", "base64".into());
    }
    let retry_after_ms = retry_after_ms(&retry_after, now());
    Ok(Answered { status, retry_after_ms, output: output.into() })
}

/// `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A status of 400 and above, as a failure. Servers that ask for patience may be asked again.
fn refused(name: &str, answered: Answered) -> Failure {
    let status = answered.status;
    let patience = matches!(status.as_u16(), 408 | 425 | 429);
    let code = if status.is_server_error() || patience {
        ErrorCode::Execution
    } else {
        ErrorCode::NonRetryable
    };
    let message = format!("{name}: server returned {}", status.as_u16());
    let mut failure = Failure::new(code, message).with_details(answered.output);
    failure.retry_after_ms = answered.retry_after_ms;
    failure
}

fn failed(name: &str, trouble: &Trouble) -> Failure {
    let why = match trouble {
        Trouble::Failed(error) => causes(error),
        Trouble::Forbidden(address) => {
            let code = ErrorCode::PermissionDenied;
            return Failure::new(code, format!("{name}: request failed: {address}"));
        }
        Trouble::Ungranted(host) => {
            let message = format!("{name}: request failed: its secrets are not granted for {host}");
            return Failure::new(ErrorCode::PermissionDenied, message);
        }
        Trouble::Redirects(max) => format!("stopped after {max} redirects"),
        Trouble::Elsewhere(scheme) => format!("redirected to something that is not HTTP: {scheme}"),
    };
    Failure::new(ErrorCode::Execution, format!("{name}: request failed: {why}"))
}

/// An error and what caused it, in one line.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}
