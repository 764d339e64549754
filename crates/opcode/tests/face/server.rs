//! `opcode serve` on a free port, for one test.
//!
//! Keeps: it is ended with the test, by its own process and nobody else's.
//! Not here: how it is asked (`http.rs`).

use std::fs;
use std::net::SocketAddr;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::http::{Ask, Reply};
use crate::kit::{Home, Said, Started, until};

/// A server of one test.
pub(crate) struct Server {
    started: Option<Started>,
    pub(crate) address: SocketAddr,
    pub(crate) said: Json,
}

impl Server {
    pub(crate) fn start(home: &Home) -> Self {
        Self::with(home, &["--listen-addr", "127.0.0.1:0"])
    }

    pub(crate) fn with(home: &Home, more: &[&str]) -> Self {
        let args = [&["serve", "--json"], more].concat();
        let mut started = home.start("serve", &args);
        let said: Json = until("it serves", || {
            assert_eq!(started.child.try_wait().unwrap(), None, "{}", started.err());
            serde_json::from_str(&fs::read_to_string(home.path("serve.out")).ok()?).ok()
        });
        let address: SocketAddr = said["address"].as_str().unwrap().parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], address.port()));
        Self { started: Some(started), address, said }
    }

    pub(crate) fn send(&self, ask: &Ask) -> Reply {
        ask.send(self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send(&Ask::get(path))
    }

    pub(crate) fn post(&self, path: &str, body: &Json) -> Reply {
        self.send(&Ask::post(path, body))
    }

    /// Ends it in the middle of everything.
    pub(crate) fn kill(self) {
        self.end(Signal::KILL);
    }

    /// Tells it to end, and waits for that.
    pub(crate) fn stop(self) -> Said {
        self.end(Signal::TERM)
    }

    fn end(mut self, signal: Signal) -> Said {
        let started = self.started.take().unwrap();
        started.signal(signal);
        started.end()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut started) = self.started.take() {
            started.child.kill().unwrap_or_default();
            started.child.wait().map(drop).unwrap_or_default();
        }
    }
}
