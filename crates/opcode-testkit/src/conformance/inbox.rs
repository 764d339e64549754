//! Messages between runs: there with the commit that sends them, gone with the commit that answers them.
//!
//! Keeps: each once, in order.
//! Not here: what they mean.

use opcode_model::commit::{InboxId, Position};
use opcode_model::{MessageBody, RunId, RunStatus};
use opcode_store::{Delivery, blank_row};

use super::fixtures::{append, begin, commit_of, loaded, logged, message, run, take};
use super::{Case, Store, wait};

pub(super) const CASES: &[Case] = &[
    ("messages arrive in order and go once consumed", in_order),
    ("a refused commit consumes nothing", refused_consumes_nothing),
    ("a message wakes a run nobody knows", unknown_run),
    ("a run consumes only its own messages", only_its_own),
];

fn inbox(store: &dyn Store, run: Option<RunId>) -> Vec<Delivery> {
    wait(store.inbox(run)).unwrap_or_else(|fault| panic!("could not {fault}"))
}

fn in_order(store: &dyn Store) {
    let mut sending = begin(run(1));
    sending.messages = vec![message(run(1), run(2)), message(run(1), run(3))];
    let end = take(store, sending);
    take(store, begin(run(2)));
    let mut resumed = message(run(1), run(2));
    resumed.body = MessageBody::Resumed;
    let mut sending = commit_of(run(1), end, vec![logged(2, "a", "x")]);
    sending.messages = vec![resumed.clone()];
    take(store, sending);
    let found = loaded(store, run(2));
    let said: Vec<_> = found.deliveries.iter().map(|it| it.message.clone()).collect();
    assert_eq!(said, [message(run(1), run(2)), resumed]);
    assert_eq!(inbox(store, Some(run(2))), found.deliveries);
    assert_eq!(inbox(store, None).len(), 3);
    assert!(inbox(store, None).is_sorted_by_key(|it| it.id));
    let mut answer = commit_of(run(2), found.position, vec![logged(3, "b", "y")]);
    answer.consumed = vec![found.deliveries[0].id];
    let end = take(store, answer);
    assert_eq!(inbox(store, Some(run(2))), found.deliveries[1..]);
    let mut answer = commit_of(run(2), end, vec![]);
    answer.consumed = vec![found.deliveries[1].id];
    take(store, answer);
    assert_eq!(inbox(store, Some(run(2))), []);
    assert_eq!(inbox(store, None).len(), 1);
    assert_eq!(inbox(store, Some(run(9))), []);
}

fn refused_consumes_nothing(store: &dyn Store) {
    let mut sending = begin(run(1));
    sending.messages = vec![message(run(1), run(2))];
    take(store, sending);
    let end = take(store, begin(run(2)));
    take(store, commit_of(run(2), end, vec![logged(2, "a", "x")]));
    let waiting = inbox(store, Some(run(2)));
    let mut stale = commit_of(run(2), end, vec![logged(2, "a", "y")]);
    stale.consumed = vec![waiting[0].id];
    stale.messages = vec![message(run(2), run(1))];
    assert!(append(store, stale).is_err());
    assert_eq!(inbox(store, None), waiting);
}

fn unknown_run(store: &dyn Store) {
    let mut sending = begin(run(1));
    sending.messages = vec![message(run(1), run(2))];
    take(store, sending);
    let found = loaded(store, run(2));
    assert_eq!((found.row, found.position), (blank_row(), Position::default()));
    assert_eq!((found.events.len(), found.deliveries.len()), (0, 1));
    let open = wait(store.open()).unwrap_or_default();
    let woken = open.iter().find(|open| open.run == run(2));
    assert!(woken.is_some_and(|open| open.urgent && open.status == RunStatus::Pending), "{open:?}");
    let mut first = begin(run(2));
    first.consumed = vec![found.deliveries[0].id];
    take(store, first);
    let open = wait(store.open()).unwrap_or_default();
    assert_eq!(open.iter().filter(|open| open.run == run(2)).count(), 1);
    assert!(open.iter().all(|open| !open.urgent));
    assert_eq!(loaded(store, run(2)).deliveries, []);
}

fn only_its_own(store: &dyn Store) {
    let mut sending = begin(run(1));
    sending.messages = vec![message(run(1), run(2))];
    take(store, sending);
    let waiting = inbox(store, None);
    let mut thief = begin(run(3));
    thief.consumed = vec![waiting[0].id, InboxId(i64::MAX)];
    take(store, thief);
    assert_eq!(inbox(store, None), waiting);
}
