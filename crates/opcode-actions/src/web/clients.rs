//! The two HTTP clients: one that checks certificates, one for `tls_skip_verify`.
//!
//! Keeps: each is built once, when first needed; both follow no redirects by themselves.
//! Not here: following redirects (`exchange.rs`).

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Proxy};

use super::policy::Policy;
use crate::world::WorldFault;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(30);

/// The HTTP clients of one world.
#[derive(Debug)]
pub(crate) struct Clients {
    proxy: Option<Proxy>,
    policy: Policy,
    checking: OnceLock<Client>,
    trusting: OnceLock<Client>,
}

impl Clients {
    /// Clients that go through `proxy`, if there is one, and only where the policy lets them.
    pub(crate) fn new(proxy: Option<&str>, policy: Policy) -> Result<Self, WorldFault> {
        // Somebody else in this process may have chosen the same provider already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let proxy = proxy.map(|url| {
            Proxy::all(url).map_err(|source| WorldFault::Proxy { proxy: url.to_owned(), source })
        });
        let proxy = proxy.transpose()?;
        Ok(Self { proxy, policy, checking: OnceLock::new(), trusting: OnceLock::new() })
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

    /// Where they may go.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(Arc::new(self.policy.clone()))
            .connect_timeout(CONNECT)
            .user_agent(concat!("opcode/", env!("CARGO_PKG_VERSION")));
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    }
}
