//! Where spans go, as OpenTelemetry's own variables say it.
//!
//! Keeps: what cannot be used is an error at the start, not silence; header values are never shown.
//! Not here: sending (`otlp.rs`).

use std::fmt;
use std::time::Duration;

use opcode_model::Secret;
use opcode_model::percent::decoded;
use reqwest::Url;

use crate::trouble::Trouble;

/// How long one request to the collector may take, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long spans are gathered, unless told otherwise.
const PAUSE: Duration = Duration::from_secs(5);

/// Where spans go, and as whose.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) url: Url,
    pub(super) headers: Vec<(String, Secret<String>)>,
    pub(super) timeout: Duration,
    pub(super) pause: Duration,
    /// What describes this process, `service.name` among it.
    pub(super) about: Vec<(String, String)>,
}

impl Config {
    /// Reads the variables. `None` if no collector is named, or traces are switched off.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub(super) fn read(env: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Trouble> {
        let text =
            |name: &str| env(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        // What is said of traces wins over what is said of everything.
        let of = |name: &str| {
            let own = text(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"));
            own.or_else(|| text(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        let is_off = text("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"))
            || text("OTEL_TRACES_EXPORTER").is_some_and(|it| it == "none");
        let url =
            match (text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), text("OTEL_EXPORTER_OTLP_ENDPOINT"))
            {
                _ if is_off => return Ok(None),
                (Some(whole), _) => whole,
                (None, Some(base)) => format!("{}/v1/traces", base.trim_end_matches('/')),
                (None, None) => return Ok(None),
            };
        if let Some(protocol) = of("PROTOCOL").filter(|protocol| protocol != "http/json") {
            tracing::warn!(protocol, "spans are sent as http/json, which collectors take as well");
        }
        let millis = |name: &str, given: Option<String>, otherwise: Duration| match given {
            None => Ok(otherwise),
            Some(text) => text
                .parse()
                .map(Duration::from_millis)
                .map_err(|_| wrong(name, format!("{text:?} is no number of milliseconds"))),
        };
        let pause = text("OTEL_BSP_SCHEDULE_DELAY");
        Ok(Some(Self {
            url: endpoint(&url)?,
            headers: headers(of("HEADERS").as_deref().unwrap_or_default())?,
            timeout: millis("OTEL_EXPORTER_OTLP_TIMEOUT", of("TIMEOUT"), TIMEOUT)?,
            pause: millis("OTEL_BSP_SCHEDULE_DELAY", pause, PAUSE)?,
            about: about(text("OTEL_SERVICE_NAME"), text("OTEL_RESOURCE_ATTRIBUTES")),
        }))
    }
}

fn endpoint(text: &str) -> Result<Url, Trouble> {
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let url = Url::parse(text).map_err(|cause| wrong(name, format!("{text:?}: {cause}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(wrong(name, format!("{other:?} is not http or https"))),
    }
}

fn headers(text: &str) -> Result<Vec<(String, Secret<String>)>, Trouble> {
    let name = "OTEL_EXPORTER_OTLP_HEADERS";
    let pair = |(name, value): (String, String)| (name, Secret::new(value));
    let malformed = || wrong(name, "it is a list like `api-key=…,other=…`");
    pairs(text).map(|found| found.map(pair).ok_or_else(malformed)).collect()
}

fn about(service: Option<String>, more: Option<String>) -> Vec<(String, String)> {
    let more = more.unwrap_or_default();
    let mut about: Vec<(String, String)> = pairs(&more).flatten().collect();
    if let Some(service) = service {
        about.retain(|(name, _)| name != "service.name");
        about.push(("service.name".to_owned(), service));
    }
    for (name, value) in
        [("service.name", "opcode"), ("service.version", env!("CARGO_PKG_VERSION"))]
    {
        if !about.iter().any(|(known, _)| known == name) {
            about.push((name.to_owned(), value.to_owned()));
        }
    }
    about
}

/// `a=1,b=2`, with `%20` and the like in the values; `None` for what is no pair.
fn pairs(text: &str) -> impl Iterator<Item = Option<(String, String)>> {
    text.split(',').filter(|pair| !pair.trim().is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (!name.trim().is_empty()).then(|| (name.trim().to_owned(), decoded(value.trim())))
    })
}

fn wrong(name: &str, why: impl fmt::Display) -> Trouble {
    Trouble::usage(format!("{name}: {why}"))
        .hint("name a collector such as http://127.0.0.1:4318, or unset it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Option<Config>, Trouble> {
        Config::read(|name| {
            given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_variables_mean_what_opentelemetry_says() {
        assert!(read(&[]).unwrap().is_none());
        let config = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, other=c=d"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
            ("OTEL_SERVICE_NAME", "orders"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=x,team=green"),
        ]);
        let config = config.unwrap().unwrap();
        assert_eq!(config.url.as_str(), "http://c:4318/v1/traces");
        let headers: Vec<_> = config
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.reveal().as_str()))
            .collect();
        assert_eq!(headers, [("api-key", "a b"), ("other", "c=d")]);
        assert_eq!(config.timeout, Duration::from_millis(250));
        let about: Vec<_> = config.about.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let version = ("service.version", env!("CARGO_PKG_VERSION"));
        assert_eq!(about, [("team", "green"), ("service.name", "orders"), version]);
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x");
        assert_eq!(read(&[whole]).unwrap().unwrap().url.as_str(), "https://t/x");
        assert!(read(&[whole, ("OTEL_SDK_DISABLED", "TRUE")]).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "nonsense"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ] {
            let given = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c"), (name, value)];
            let given = if name.ends_with("_ENDPOINT") { &given[1..] } else { &given };
            assert!(read(given).unwrap_err().to_string().contains(name), "{name}");
        }
    }
}
