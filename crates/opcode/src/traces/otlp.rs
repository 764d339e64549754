//! Spans on their way to a collector: OTLP over HTTP, in its JSON form.
//!
//! Keeps: a request holds so many spans at most; one that a busy collector refused is tried again, a few times.
//! Not here: which spans there are (`spans.rs`).
//!
//! Written by hand and not with OpenTelemetry's own crates: the form is one function, they are eleven packages.
//! Source of the form: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.

use std::fmt::Write;
use std::time::Duration;

use opcode_model::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::config::Config;
use super::spans::{Facts, Mark, Span};
use crate::trouble::Trouble;

/// Spans that wait to be sent.
pub(super) const QUEUE_MAX: usize = 8_192;
/// Spans in one request.
const BATCH_MAX: usize = 512;
/// How often a request is sent.
const TRIES: u32 = 4;
/// The longest that a collector may ask us to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// Who takes spans.
pub(super) struct Collector {
    config: Config,
    client: Client,
    headers: HeaderMap,
}

impl Collector {
    /// Gets ready; nothing is sent yet.
    ///
    /// # Errors
    /// If a header cannot be sent.
    pub(super) fn new(config: Config) -> Result<Self, Trouble> {
        // Somebody else in this process may have chosen the same provider already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .no_proxy()
            // What it is shown is for it alone.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(config.timeout)
            .build();
        let client = client.map_err(|cause| {
            Trouble::fault(format!("could not get ready to send spans: {cause}"))
        })?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &config.headers {
            let pair = HeaderName::from_bytes(name.as_bytes()).ok();
            let pair = pair.zip(HeaderValue::from_str(value.reveal()).ok());
            let Some((key, mut value)) = pair else {
                let message = format!("OTEL_EXPORTER_OTLP_HEADERS: {name:?} cannot be sent");
                return Err(Trouble::usage(message).hint("a header is like `api-key=…`"));
            };
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        Ok(Self { config, client, headers })
    }

    /// Sends what comes, gathered a while, until nothing comes any more.
    pub(super) async fn send_all(self, mut waiting: Receiver<Span>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = waiting.recv().await {
            batch.push(first);
            let until = Instant::now() + self.config.pause;
            while batch.len() < BATCH_MAX {
                let more = tokio::time::timeout_at(until, waiting.recv()).await;
                let Ok(Some(more)) = more else { break };
                batch.push(more);
            }
            let body = body(&self.config.about, &batch).to_string();
            if let Err(why) = self.send(body).await {
                let lost = batch.len();
                tracing::warn!(lost, why, "spans are missing: the collector did not take them");
            }
            batch.clear();
        }
    }

    async fn send(&self, body: String) -> Result<(), String> {
        let mut why = String::new();
        for at in 0..TRIES {
            let request = self.client.post(self.config.url.clone()).headers(self.headers.clone());
            let mut pause = Duration::from_millis(250) * 2_u32.pow(at);
            match request.body(body.clone()).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) if is_busy(answer.status()) => {
                    why = answer.status().to_string();
                    pause = asked(answer.headers()).unwrap_or(pause);
                }
                Ok(answer) => return Err(answer.status().to_string()),
                Err(cause) => why = cause.without_url().to_string(),
            }
            if at + 1 < TRIES {
                tokio::time::sleep(pause).await;
            }
        }
        Err(why)
    }
}

/// Whether the same request may be taken later, as OTLP has it.
fn is_busy(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

fn body(about: &[(String, String)], spans: &[Span]) -> Json {
    let about: Vec<Json> = about.iter().map(|(name, value)| pair(name, value)).collect();
    let spans: Vec<Json> = spans.iter().map(span).collect();
    let scope = json!({"name": "opcode", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{
        "resource": {"attributes": about},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}

fn span(span: &Span) -> Json {
    const INTERNAL: u8 = 1;
    const OK: u8 = 1;
    const ERROR: u8 = 2;
    let status = match &span.error {
        Some(message) => json!({"code": ERROR, "message": message}),
        None => json!({"code": OK}),
    };
    let mut told = json!({
        "traceId": hex(&span.trace),
        "spanId": hex(&span.id),
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": nanos(span.from),
        "endTimeUnixNano": nanos(span.to),
        "attributes": pairs(&span.facts),
        "events": span.marks.iter().map(mark).collect::<Vec<_>>(),
        "status": status,
    });
    if let Some(parent) = &span.parent {
        told["parentSpanId"] = hex(parent).into();
    }
    told
}

fn mark(mark: &Mark) -> Json {
    json!({"timeUnixNano": nanos(mark.at), "name": mark.name, "attributes": pairs(&mark.facts)})
}

fn pairs(facts: &Facts) -> Vec<Json> {
    facts.iter().map(|(name, value)| pair(name, value)).collect()
}

fn pair(name: &str, value: &str) -> Json {
    json!({"key": name, "value": {"stringValue": value}})
}

/// OTLP writes numbers of 64 bits as text.
fn nanos(at: Timestamp) -> String {
    format!("{}000000", at.0)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}
