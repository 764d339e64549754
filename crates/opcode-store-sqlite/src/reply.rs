//! One answer from a thread to a future, bound to no runtime.
//!
//! Keeps: the future always resolves; `None` when the thread went away without answering.
//! Not here: streams, cancellation (an answer nobody awaits is dropped).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

struct Slot<T> {
    answer: Option<T>,
    waker: Option<Waker>,
    gone: bool,
}

/// Where the answer goes in.
pub(crate) struct Reply<T>(Arc<Mutex<Slot<T>>>);

/// Where it comes out.
pub(crate) struct Waiting<T>(Arc<Mutex<Slot<T>>>);

pub(crate) fn reply<T>() -> (Reply<T>, Waiting<T>) {
    let slot = Arc::new(Mutex::new(Slot { answer: None, waker: None, gone: false }));
    (Reply(slot.clone()), Waiting(slot))
}

fn hold<T>(slot: &Mutex<Slot<T>>) -> MutexGuard<'_, Slot<T>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Reply<T> {
    pub(crate) fn send(self, answer: T) {
        hold(&self.0).answer = Some(answer);
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let waker = {
            let mut slot = hold(&self.0);
            slot.gone = true;
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Waiting<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = hold(&self.0);
        if slot.gone || slot.answer.is_some() {
            return Poll::Ready(slot.answer.take());
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
