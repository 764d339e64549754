//! Who is at the other end of a connection, as far as this machine can tell.
//!
//! Keeps: it is found out once a connection, and only when somebody asks.
//! Not here: how it is found out (`opcode-sandbox`).

use std::net::SocketAddr;
use std::sync::Arc;

use opcode_runtime::is_no_step;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

/// The other end of a connection.
#[derive(Clone)]
pub(crate) struct Peer {
    ends: Option<(SocketAddr, SocketAddr)>,
    may_be_of_a_step: Arc<OnceCell<bool>>,
}

impl Peer {
    pub(crate) fn of(stream: &TcpStream) -> Self {
        let ends = stream.peer_addr().ok().zip(stream.local_addr().ok());
        Self { ends, may_be_of_a_step: Arc::default() }
    }

    /// Whether it may be a program that a step started. From another machine, none is.
    pub(crate) async fn may_be_of_a_step(&self) -> bool {
        let Some((peer, own)) =
            self.ends.filter(|(peer, _)| peer.ip().to_canonical().is_loopback())
        else {
            return false;
        };
        let look = || async move {
            let looked = tokio::task::spawn_blocking(move || !is_no_step(peer, own)).await;
            // Who cannot be looked at is not let in as one of ours.
            looked.unwrap_or(true)
        };
        *self.may_be_of_a_step.get_or_init(look).await
    }
}
