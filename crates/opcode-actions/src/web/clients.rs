//! The two HTTP clients: one that checks certificates, one for `tls_skip_verify`.
//!
//! Keeps: each is built once, when first needed; both follow no redirects by themselves.
//! Not here: following redirects (`exchange.rs`).

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Proxy};

use super::policy::Resolver;
use crate::world::WorldFault;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(30);

/// The HTTP clients of one world.
#[derive(Debug)]
pub(crate) struct Clients {
    proxy: Option<Proxy>,
    own: Vec<SocketAddr>,
    checking: OnceLock<Client>,
    trusting: OnceLock<Client>,
}

impl Clients {
    /// Clients that go through `proxy`, if there is one, and never to the daemon's `own` addresses.
    pub(crate) fn new(proxy: Option<&str>, own: Vec<SocketAddr>) -> Result<Self, WorldFault> {
        // Somebody else in this process may have chosen the same provider already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let proxy = proxy.map(|url| {
            Proxy::all(url).map_err(|source| WorldFault::Proxy { proxy: url.to_owned(), source })
        });
        let proxy = proxy.transpose()?;
        Ok(Self { proxy, own, checking: OnceLock::new(), trusting: OnceLock::new() })
    }

    /// The client to use.
    pub(crate) fn find(&self, tls_skip_verify: bool) -> Result<&Client, reqwest::Error> {
        let place = if tls_skip_verify { &self.trusting } else { &self.checking };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = if tls_skip_verify {
            self.builder().tls_danger_accept_invalid_certs(true).build()?
        } else {
            // A machine without certificates can still speak plain HTTP.
            self.builder().build().or_else(|_| self.builder().tls_certs_only([]).build())?
        };
        Ok(place.get_or_init(|| client))
    }

    /// Where the daemon itself listens.
    pub(crate) fn own(&self) -> &[SocketAddr] {
        &self.own
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(Arc::new(Resolver))
            .connect_timeout(CONNECT)
            .user_agent(concat!("opcode/", env!("CARGO_PKG_VERSION")));
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    }
}
