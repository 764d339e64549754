//! What time it is.
//!
//! Keeps: the only clock of the house; everything else is told.
//! Not here: timers (the driver keeps them).

use std::time::{SystemTime, UNIX_EPOCH};

use opcode_model::Timestamp;

/// Now, by the machine's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
