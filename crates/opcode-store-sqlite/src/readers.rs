//! Reads on their own threads and connections, beside the writer and never in its way.
//!
//! Keeps: a read sees all that was acknowledged before it was asked for; a bounded queue.
//! Not here: what is read (`load.rs`, `lists.rs`, `verify.rs`).

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use opcode_store::{Fault, Pending};
use rusqlite::Connection;

use crate::fault::ReadError;
use crate::open::readable;
use crate::reply::reply;

/// Reads that may wait.
const READS_MAX: usize = 10_000;

/// Where a reading thread has its connection from.
pub(crate) enum Door {
    /// Its own, kept.
    Kept(Connection),
    /// A new one for each read: beside another process, the write-ahead log may come and go.
    Fresh(PathBuf),
}

/// One read: gets a connection, or the reason why there is none, and answers by itself.
type Read = Box<dyn FnOnce(Result<&Connection, rusqlite::Error>) + Send>;

/// The reading threads.
pub(crate) struct Readers {
    queue: Mutex<Option<SyncSender<Read>>>,
}

impl Readers {
    /// Starts a thread for each door.
    pub(crate) fn start(doors: Vec<Door>) -> std::io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (queue, reads) = sync_channel(READS_MAX);
        let reads = Arc::new(Mutex::new(reads));
        let start = |door: Door| {
            let reads = reads.clone();
            std::thread::Builder::new()
                .name("store-read".to_owned())
                .spawn(move || serve(&door, &reads))
        };
        let threads = doors.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok((Self { queue: Mutex::new(Some(queue)) }, threads))
    }

    /// Does one read; `doing` completes `could not …`.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        doing: String,
        job: impl FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    ) -> Pending<Result<T, Fault>> {
        let (answer, waiting) = reply();
        let described = doing.clone();
        let read: Read = Box::new(move |connection| {
            let outcome = connection.map_err(ReadError::from).and_then(job);
            answer.send(outcome.map_err(|error| error.into_fault(&described)));
        });
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = match queue.map(|queue| queue.try_send(read)) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(_))) => Some(format!("{READS_MAX} reads wait already")),
            Some(Err(TrySendError::Disconnected(_))) | None => {
                Some("the store is closed".to_owned())
            }
        };
        Box::pin(async move {
            match refused {
                Some(cause) => Err(Fault::new(doing, cause)),
                None => waiting
                    .await
                    .unwrap_or_else(|| Err(Fault::new(doing, "the reading thread is gone"))),
            }
        })
    }

    /// Lets the threads end once the queue is empty.
    pub(crate) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn serve(door: &Door, reads: &Mutex<Receiver<Read>>) {
    loop {
        let next = reads.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(read) = next else { return };
        match door {
            Door::Kept(connection) => read(Ok(connection)),
            Door::Fresh(path) => match readable(path) {
                Ok(connection) => read(Ok(&connection)),
                Err(error) => read(Err(error)),
            },
        }
    }
}
