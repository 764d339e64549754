//! Takes connections and serves them, so many at once, until told to end.
//!
//! Keeps: whoever is slow to say what it wants is let go; told to end, it takes nothing new and lets answers go out.
//! Not here: what is answered (`api.rs`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::Service;

use crate::peer::Peer;

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open at once.
    pub connections: usize,
    /// Time to send the head of a request.
    pub head: Duration,
    /// Time for answers to go out once told to end.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1_024, head: Duration::from_secs(10), grace: Duration::from_secs(2) }
    }
}

/// Serves until `end` comes.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    end: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    let graceful = GracefulShutdown::new();
    tokio::pin!(end);
    loop {
        let taken = tokio::select! {
            () = &mut end => break,
            taken = take(&listener, &room) => taken,
        };
        let Some((stream, permit)) = taken else { continue };
        let (router, peer) = (router.clone(), Peer::of(&stream));
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let mut router = router.clone();
            request.extensions_mut().insert(peer.clone());
            async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_default()) }
        });
        let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let served = graceful.watch(served.into_owned());
        tokio::spawn(async move {
            if let Err(cause) = served.await {
                tracing::debug!(%cause, "a connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::debug!("some answers were cut off");
    }
}

async fn take(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Small answers go out at once; a system that cannot do so sends them all the same.
            stream.set_nodelay(true).unwrap_or_default();
            Some((stream, permit))
        }
        Err(cause) => {
            tracing::warn!(%cause, "a connection could not be taken");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
