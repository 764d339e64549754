//! One request and its response, redirects followed.
//!
//! Keeps: a redirect to another origin takes along none of the author's headers but the harmless ones.
//! Not here: reading the body (`body.rs`).

use std::time::{Duration, Instant};

use opcode_model::secret::may_go_to;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, Url};

use super::policy::{Forbidden, Policy, admit};

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    /// `None` gives a redirect back as it is.
    pub redirects_max: Option<u32>,
    /// Where the secrets in it may go.
    pub hosts: Vec<Vec<String>>,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The request could not be sent or answered.
    Failed(reqwest::Error),
    /// The address is one nobody may connect to.
    Forbidden(Forbidden),
    /// One redirect too many.
    Redirects(u32),
    /// A redirect to something that is not HTTP.
    Elsewhere(String),
    /// The secrets in it may not go to this host.
    Ungranted(String),
}

impl Trouble {
    fn of(error: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if let Some(forbidden) = inner.downcast_ref() {
                return Self::Forbidden(*forbidden);
            }
            cause = inner.source();
        }
        Self::Failed(error.without_url())
    }
}

/// Headers that say nothing about the sender and may go to another origin.
const HARMLESS: [HeaderName; 5] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::USER_AGENT,
    header::RANGE,
];

/// Sends the request; gives the last response and how long its headers took.
pub(crate) async fn exchange(
    client: &Client,
    policy: &Policy,
    mut request: Exchange,
) -> Result<(Response, Duration), Trouble> {
    let begun = Instant::now();
    let mut followed = 0;
    loop {
        admit(&request.url, policy).await.map_err(Trouble::Forbidden)?;
        request.check_secrets()?;
        let mut builder = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let response = builder.send().await.map_err(Trouble::of)?;
        let Some(redirects_max) = request.redirects_max else {
            return Ok((response, begun.elapsed()));
        };
        let Some(next) = next(&request.url, &response)? else {
            return Ok((response, begun.elapsed()));
        };
        if followed == redirects_max {
            return Err(Trouble::Redirects(redirects_max));
        }
        followed += 1;
        request.follow(next, response.status());
    }
}

/// Where a response redirects to.
fn next(from: &Url, response: &Response) -> Result<Option<Url>, Trouble> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let place = response.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
    let Some(place) = place.filter(|_| redirects) else { return Ok(None) };
    match from.join(place) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
        Ok(url) => Err(Trouble::Elsewhere(url.scheme().to_owned())),
        Err(error) => Err(Trouble::Elsewhere(error.to_string())),
    }
}

impl Exchange {
    /// Also after a redirect: a body, or what is in the address itself, would go along.
    fn check_secrets(&self) -> Result<(), Trouble> {
        let (host, port) = (self.url.host_str(), self.url.port_or_known_default());
        let to = format!("{}:{}", host.unwrap_or_default(), port.unwrap_or_default());
        if may_go_to(&self.hosts, &to) { Ok(()) } else { Err(Trouble::Ungranted(to)) }
    }

    fn follow(&mut self, next: Url, status: StatusCode) {
        let keeps_method = matches!(status.as_u16(), 307 | 308);
        if !keeps_method && !matches!(self.method, Method::GET | Method::HEAD) {
            self.method = Method::GET;
        }
        if !keeps_method {
            self.body = None;
            self.headers.remove(header::CONTENT_TYPE);
        }
        if next.origin() != self.url.origin() {
            let kept: Vec<(HeaderName, HeaderValue)> = HARMLESS
                .into_iter()
                .filter_map(|name| Some((name.clone(), self.headers.get(&name)?.clone())))
                .collect();
            self.headers = kept.into_iter().collect();
        }
        self.url = next;
    }
}
