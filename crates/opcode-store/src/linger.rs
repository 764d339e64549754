//! Hears a message, awake for the first moments: a thread that sleeps is woken late.
//!
//! Keeps: at most `AWAKE` of one core for each message that does not come; others go first.
//! Not here: what is heard.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

/// How long a thread stays awake. Longer than an answer that needs no disk takes, shorter than a sync.
const AWAKE: Duration = Duration::from_micros(60);

/// Waits for a message, at most so long.
///
/// # Errors
/// If none comes in time, or none will come any more.
pub fn linger<T>(messages: &Receiver<T>, patience: Duration) -> Result<T, RecvTimeoutError> {
    let awake = Instant::now();
    while awake.elapsed() < AWAKE.min(patience) {
        match messages.try_recv() {
            Ok(message) => return Ok(message),
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => std::thread::yield_now(),
        }
    }
    messages.recv_timeout(patience)
}
