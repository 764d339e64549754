//! Keeps the beginning of a stream and counts the rest.
//!
//! Keeps: a stream is always read to its end, so that its writer never blocks on us.
//! Not here: what the bytes mean.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;

/// What was kept of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// How many there were.
    pub total: u64,
}

impl Captured {
    /// Whether something was cut.
    pub fn truncated(&self) -> bool {
        self.total > self.bytes.len() as u64
    }

    /// Reads to the end, keeping at most `bytes_max`, and adds to the tally.
    pub(crate) async fn fill(
        &mut self,
        from: Option<impl AsyncRead + Unpin>,
        bytes_max: usize,
        tally: &Tally,
    ) {
        let Some(mut from) = from else { return };
        let mut buffer = vec![0; 16 << 10];
        loop {
            // A stream that cannot be read has ended, as far as we are concerned.
            let read = from.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            let room = bytes_max.saturating_sub(self.bytes.len()).min(read);
            self.bytes.extend_from_slice(&buffer[..room]);
            self.total += read as u64;
            tally.add(read as u64);
        }
    }
}

/// Counts what several streams give together, and tells when it is too much.
#[derive(Debug)]
pub(crate) struct Tally {
    most: Option<u64>,
    sum: AtomicU64,
    over: Notify,
}

impl Tally {
    pub(crate) fn new(most: Option<u64>) -> Self {
        Self { most, sum: AtomicU64::new(0), over: Notify::new() }
    }

    fn add(&self, bytes: u64) {
        let sum = self.sum.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.most.is_some_and(|most| sum > most) {
            self.over.notify_one();
        }
    }

    /// Whether it was too much.
    pub(crate) fn is_over(&self) -> bool {
        self.most.is_some_and(|most| self.sum.load(Ordering::Relaxed) > most)
    }

    /// Waits until it is too much; for ever if it never is.
    pub(crate) async fn over(&self) {
        self.over.notified().await;
    }
}
