//! Keeps the write-ahead log short, so that boot is short: copied in the background, begun anew between groups.
//!
//! Keeps: under 64 MiB unless a reader holds on to an old state for long; then it says so.
//! Not here: the truncation at boot and at close (`open.rs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opcode_model::limits::WAL_BYTES_MAX;
use opcode_store::Fault;
use rusqlite::Connection;

use crate::fault::Trouble;
use crate::writer::Health;

/// Bytes of log after which it is copied into the database.
const COPY_BYTES: u64 = 8 << 20;
/// Bytes of the log's file that stay when the log begins anew: to write over them needs no word of the file's new size,
/// and so a sync takes a third of the time.
pub(crate) const WAL_BYTES_KEPT: u64 = 32 << 20;
/// Bytes of a frame: a page and its header.
const FRAME_BYTES: u64 = 4_096 + 24;

/// Waiting for readers to move on, when there is no hurry, and when there is.
const PATIENCE: Duration = Duration::from_millis(20);
const PATIENCE_MAX: Duration = Duration::from_secs(3);
/// Between two tries while a copy is under way: SQLite does not wait for that by itself.
const PAUSE: Duration = Duration::from_millis(5);

const _: () = assert!(2 * COPY_BYTES < WAL_BYTES_KEPT && WAL_BYTES_KEPT < WAL_BYTES_MAX);

/// The writer's end: watches how long the log is.
pub(crate) struct WalWatch {
    /// Length at which the log is copied next.
    copy_at: u64,
    /// Length at which the writer waits for readers.
    wait_at: u64,
    copied: Arc<AtomicBool>,
    copier: Option<(SyncSender<()>, JoinHandle<()>)>,
}

/// The background end, on its own thread.
struct Copier {
    connection: Connection,
    woken: Receiver<()>,
    copied: Arc<AtomicBool>,
    health: Arc<Health>,
}

/// Starts watching, and the thread that copies over `connection`.
pub(crate) fn watch(connection: Connection, health: Arc<Health>) -> std::io::Result<WalWatch> {
    let (wake, woken) = sync_channel(1);
    let copied = Arc::new(AtomicBool::new(false));
    let copier = Copier { connection, woken, copied: copied.clone(), health };
    let thread =
        std::thread::Builder::new().name("store-copy".to_owned()).spawn(move || copier.run())?;
    Ok(WalWatch {
        copy_at: COPY_BYTES,
        wait_at: WAL_BYTES_MAX - COPY_BYTES,
        copied,
        copier: Some((wake, thread)),
    })
}

impl WalWatch {
    /// After a group: begins the log anew if it was copied, and has it copied if it is long.
    pub(crate) fn look(&mut self, connection: &Connection) -> Result<(), Trouble> {
        if self.copied.swap(false, Ordering::AcqRel) {
            restart(connection, PATIENCE)?;
        }
        let bytes = log_bytes(connection)?;
        if bytes <= COPY_BYTES {
            (self.copy_at, self.wait_at) = (COPY_BYTES, WAL_BYTES_MAX - COPY_BYTES);
        }
        if bytes > self.copy_at {
            self.copy_at = bytes + COPY_BYTES;
            match self.copier.as_ref().map(|(wake, _)| wake.try_send(())) {
                Some(Ok(()) | Err(TrySendError::Full(()))) => {}
                Some(Err(TrySendError::Disconnected(()))) | None => {
                    tracing::warn!("nobody copies the log");
                }
            }
        }
        if bytes > self.wait_at {
            self.wait_at = bytes + WAL_BYTES_MAX;
            if !insist(connection)? {
                let what = "somebody reads an old state, so the write-ahead log cannot be emptied";
                tracing::warn!(bytes, "{what}");
            }
        }
        Ok(())
    }

    /// Lets a copy that is under way finish; there is none after it. So nobody else is at the files of a closed store.
    pub(crate) fn end(&mut self) {
        if let Some((wake, thread)) = self.copier.take() {
            drop(wake);
            if thread.join().is_err() {
                tracing::error!("copying the write-ahead log panicked");
            }
        }
    }
}

/// The same, waiting for readers and for a copy that is under way. Whether it could.
fn insist(connection: &Connection) -> Result<bool, Trouble> {
    let begun = Instant::now();
    loop {
        let left = PATIENCE_MAX.saturating_sub(begun.elapsed());
        if restart(connection, left)? {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}

/// How much log there is to copy, whatever the length of its file.
fn log_bytes(connection: &Connection) -> Result<u64, Trouble> {
    let mut look = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
    let frames: i64 = look.query_row([], |row| row.get(1))?;
    Ok(u64::try_from(frames).unwrap_or(0) * FRAME_BYTES)
}

/// Copies the rest and lets the next write begin at the log's start. Whether it could.
fn restart(connection: &Connection, patience: Duration) -> Result<bool, Trouble> {
    connection.busy_timeout(patience)?;
    let busy =
        connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(busy? == 0)
}

impl Copier {
    /// Copies whenever it is woken, until nobody is left to wake it.
    fn run(self) {
        while self.woken.recv().is_ok() {
            let copy = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            match copy.map_err(Trouble::from) {
                Ok(()) => self.copied.store(true, Ordering::Release),
                // A failed sync of the database is as final as one of the log.
                Err(Trouble::Lost(cause)) => {
                    self.health.fail(Fault::new("copy the write-ahead log", cause));
                }
                Err(Trouble::Full(cause) | Trouble::Other(cause)) => {
                    tracing::warn!(cause, "could not copy the write-ahead log; later again");
                }
            }
        }
    }
}
