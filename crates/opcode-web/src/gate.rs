//! Who may come in: looked at once, before every route.
//!
//! Keeps: `Host` and `Origin` against lists, JSON only on writes, a token wherever one is asked for; a page that somebody
//! visits reaches nothing (DNS rebinding, cross-site requests).
//! Not here: what a caller may do (`Caller::may`).

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use opcode_model::{ErrorCode, Failure};
use opcode_runtime::{Actor, Audit, Caller, Deed, Reader, Tokens};

use crate::peer::Peer;
use crate::refusal::Refusal;

/// What a body may be: JSON, or JSON line by line.
const KINDS: [&str; 2] = ["application/json", crate::carry::MEDIA_TYPE];

/// Names that always mean this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Who may come in.
#[derive(Clone)]
pub struct Gate {
    tokens: Tokens,
    audit: Audit,
    needs_token: bool,
    hosts: Arc<RwLock<Vec<String>>>,
}

impl Gate {
    /// A gate that knows a store's tokens. `hosts` are names this server goes by, beside loopback.
    pub fn new(reader: &Reader, needs_token: bool, hosts: Vec<String>) -> Self {
        let (tokens, audit) = (reader.tokens().clone(), reader.audit().clone());
        Self { tokens, audit, needs_token, hosts: Arc::new(RwLock::new(hosts)) }
    }

    /// Changes the names this server goes by, from the next request on.
    pub fn rename(&self, hosts: Vec<String>) {
        *self.hosts.write().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    fn knows(&self, authority: &str) -> bool {
        let name = host_of(authority).to_lowercase();
        // A page can make its own name lead here, but not a number; and with numbers only, it still has no token.
        let is_number = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        LOOPBACK.contains(&name.as_str()) || (self.needs_token && is_number) || self.has_host(&name)
    }

    fn has_host(&self, name: &str) -> bool {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
    }

    fn check_host(&self, request: &Request) -> Result<String, Refusal> {
        let named = request.uri().authority().map(|authority| authority.as_str().to_owned());
        let header = text(request.headers(), header::HOST);
        let Some(host) = header.map(str::to_owned).or(named) else {
            return Err(forbidden("a request names its Host", "use an HTTP/1.1 client"));
        };
        if !self.knows(&host) {
            let hint = "use localhost, or start it with --allowed-host NAME";
            return Err(forbidden("this server does not go by that Host", hint));
        }
        Ok(host)
    }

    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
        let refused =
            || forbidden("requests from other origins are refused", "call it from a program");
        if let Some(origin) = text(headers, header::ORIGIN) {
            let authority = origin.split_once("://").map(|(_, rest)| rest);
            if authority != Some(host) {
                return Err(refused());
            }
        }
        match headers.get("sec-fetch-site").and_then(|value| value.to_str().ok()) {
            None | Some("same-origin" | "none") => Ok(()),
            Some(_) => Err(refused()),
        }
    }

    /// That no page of somebody else's asks.
    fn check_page(&self, request: &Request) -> Result<(), Refusal> {
        let host = self.check_host(request)?;
        self.check_origin(request.headers(), &host)
    }

    fn check_content(request: &Request) -> Result<(), Refusal> {
        let writes = [Method::POST, Method::PUT, Method::PATCH];
        if !writes.contains(request.method()) {
            return Ok(());
        }
        let kind = text(request.headers(), header::CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        // No page of somebody else's can send either without asking first.
        if KINDS.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::Validation,
            "a body is JSON",
            "send Content-Type: application/json",
        ))
    }

    /// Writes down that somebody was refused.
    fn note(&self, actor: &Actor, action: &str, wish: &str, why: &str) {
        let id: String = wish.chars().take(200).collect();
        let deed = Deed { action, kind: "route", id: &id, agent: None };
        self.audit.refused(actor, deed, &Failure::new(ErrorCode::PermissionDenied, why));
    }

    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let shown = text(headers, header::AUTHORIZATION);
        let Some(shown) = shown else {
            if self.needs_token {
                return Err(nobody("a token is needed here"));
            }
            return Ok(Caller::local());
        };
        let bearer = shown.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = bearer else {
            return Err(nobody("Authorization is no bearer token"));
        };
        let found = self.tokens.caller(token.trim()).await?;
        found.ok_or_else(|| nobody("this token is none of ours, taken back, or over"))
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// An authority without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) | None => authority,
    }
}

fn forbidden(message: &str, hint: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, ErrorCode::PermissionDenied, message, hint)
}

fn nobody(message: &str) -> Refusal {
    let hint = "send Authorization: Bearer …; `opcode tokens create` makes one";
    Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::PermissionDenied, message, hint)
}

/// Lets a request in, with who calls in its extensions.
pub(crate) async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let looked = gate.check_page(&request).and_then(|()| Gate::check_content(&request));
    let caller = match looked {
        Ok(()) => gate.caller(request.headers()).await,
        Err(refusal) => Err(refusal),
    };
    let peer = request.extensions().get::<Peer>().cloned();
    let caller = match (caller, peer) {
        (Ok(caller), Some(peer)) if !caller.is_proven && peer.may_be_of_a_step().await => {
            let hint =
                "give it a token: `opcode tokens create`, as OPCODE_TOKEN in the step's `env`";
            Err(forbidden(
                "whoever cannot be told from a program of a step is not let in without a token",
                hint,
            ))
        }
        (caller, _) => caller,
    };
    let wish = format!("{} {}", request.method(), request.uri().path());
    match caller {
        Ok(caller) => {
            let actor = Actor::new(&caller, "http");
            request.extensions_mut().insert(caller);
            // What let somebody in is nobody's business further inside.
            request.headers_mut().remove(header::AUTHORIZATION);
            let response = next.run(request).await;
            if response.status() == StatusCode::FORBIDDEN {
                gate.note(&actor, "http.request", &wish, "the caller may not");
            }
            response
        }
        Err(refusal) => {
            tracing::warn!(wish, "a request was refused at the gate");
            gate.note(&Actor::stranger("http"), "gate", &wish, refusal.message());
            refusal.into_response()
        }
    }
}

/// The same for what tells nothing: no token is asked for.
pub(crate) async fn check_page(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.check_page(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}
