//! Keeps the beginning of a stream and counts the rest.
//!
//! Keeps: a stream is always read to its end, so that its writer never blocks on us.
//! Not here: what the bytes mean.

use tokio::io::{AsyncRead, AsyncReadExt};

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

    /// Reads to the end, keeping at most `bytes_max`.
    pub(crate) async fn fill(&mut self, from: Option<impl AsyncRead + Unpin>, bytes_max: usize) {
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
        }
    }
}
