//! One suite that every store answers alike: `check` runs it over fresh stores and counts what succeeded.
//!
//! Keeps: a run of the suite counts only if every operation of the contract succeeded at least once.
//! Not here: what only one store has (files, locks, damage); that is tested beside that store.

mod append;
mod catalog;
mod counted;
mod decisions;
mod fixtures;
mod inbox;
mod lists;
mod pruning;
mod state;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use opcode_store::{Catalog, Runs};

use counted::Counted;
pub use fixtures::{commit_of, completed, logged, message, row, run, step};

/// Both halves of a store.
pub trait Store: Runs + Catalog {}

impl<S: Runs + Catalog> Store for S {}

type Case = (&'static str, fn(&dyn Store));

/// Runs every case, each over a store of its own that `make` makes, and panics at the first that does not hold.
pub fn check<S: Runs + Catalog>(make: impl Fn() -> S) {
    let groups = [
        append::CASES,
        inbox::CASES,
        decisions::CASES,
        catalog::CASES,
        lists::CASES,
        state::CASES,
        pruning::CASES,
    ];
    let tally = Arc::default();
    for (name, case) in groups.into_iter().flatten() {
        let store = Counted::new(make(), Arc::clone(&tally));
        // The thread's name is in the panic's message.
        let done = thread::scope(|scope| {
            let work = || {
                case(&store);
                assert_eq!(wait(store.close()), Ok(()));
            };
            thread::Builder::new()
                .name((*name).to_owned())
                .spawn_scoped(scope, work)?
                .join()
                .map_err(|_| std::io::Error::other("it panicked"))
        });
        assert!(done.is_ok(), "conformance case `{name}` does not hold: {done:?}");
    }
    let missing = tally.missing();
    assert!(missing.is_empty(), "no case had a success of {missing:?}");
}

/// Waits for an answer on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}
