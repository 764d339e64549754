//! Questions: open until they are answered or withdrawn, and then still there to be read.
//!
//! Keeps: oldest first.
//! Not here: who may answer.

use std::sync::Arc;

use opcode_model::commit::DecisionChange;
use opcode_model::event::{ChoiceOption, DecisionKind, DecisionRequest, Resolution};
use opcode_model::{RunId, Timestamp, Value};
use opcode_store::{DecisionFilter, DecisionRow};

use super::fixtures::{after, append, begin, commit_of, run, step, take};
use super::{Case, Store, wait};

pub(super) const CASES: &[Case] = &[
    ("a question is open until it is closed", until_closed),
    ("questions are listed oldest first", oldest_first),
    ("a refused commit asks and answers nothing", refused_asks_nothing),
];

fn request(id: &str) -> Arc<DecisionRequest> {
    Arc::new(DecisionRequest {
        id: id.into(),
        kind: DecisionKind::Reasoning,
        prompt_context: "which?".into(),
        data_inject: Value::object([("n", 1)]),
        options: vec![ChoiceOption { id: "yes".into(), description: None }],
        fallback: Some("yes".into()),
        target_agent: Some("ada".into()),
        timeout_at: Some(Timestamp(99)),
    })
}

fn opened(id: &str, at: i64) -> DecisionChange {
    DecisionChange::Opened { step: step(4, "ask"), request: request(id), at: Timestamp(at) }
}

fn closed(id: &str, at: i64, resolution: Option<Arc<Resolution>>) -> DecisionChange {
    DecisionChange::Closed { step: step(4, "ask"), id: id.into(), resolution, at: Timestamp(at) }
}

fn list(store: &dyn Store, run: Option<RunId>, closed: bool) -> Vec<DecisionRow> {
    let filter = DecisionFilter { run, closed, limit: 0 };
    wait(store.decisions(filter)).unwrap_or_else(|fault| panic!("could not {fault}"))
}

fn until_closed(store: &dyn Store) {
    let mut asking = begin(run(1));
    asking.decisions = vec![opened("a", 10), opened("b", 10)];
    let end = take(store, asking);
    let open = list(store, Some(run(1)), false);
    assert_eq!(open.len(), 2);
    let expected = DecisionRow {
        run: run(1),
        step: step(4, "ask"),
        request: request("a"),
        status: "pending",
        resolution: None,
        created_at: Timestamp(10),
        resolved_at: None,
    };
    assert_eq!(open[0], expected);
    let (reasoning, data) = (Some("because".into()), Value::from(3));
    let answer = Resolution { choice: "yes".into(), reasoning, data, resolved_by: None };
    let answer = Some(Arc::new(answer));
    let mut answering = commit_of(run(1), end, vec![]);
    answering.decisions = vec![
        closed("a", 20, answer.clone()),
        closed("b", 21, None),
        closed("never asked", 21, None),
    ];
    take(store, answering);
    assert_eq!(list(store, None, false), []);
    let all = list(store, Some(run(1)), true);
    let resolved_at = Some(Timestamp(20));
    assert_eq!(
        all[0],
        DecisionRow { status: "resolved", resolution: answer, resolved_at, ..expected }
    );
    assert_eq!((all[1].status, all[1].resolved_at), ("cancelled", Some(Timestamp(21))));
    assert_eq!(all[1].resolution, None);
    // Asked again under the same id, it is open again.
    let mut asking = commit_of(run(1), end, vec![]);
    asking.decisions = vec![opened("a", 30)];
    take(store, asking);
    let open = list(store, None, false);
    assert_eq!((open.len(), open[0].status, open[0].created_at), (1, "pending", Timestamp(30)));
    assert_eq!((&open[0].resolution, open[0].resolved_at), (&None, None));
    assert_eq!(list(store, None, true).len(), 2);
}

fn oldest_first(store: &dyn Store) {
    for (n, moments) in [(1, [5, 1]), (2, [4, 2]), (3, [3, 3])] {
        let mut asking = begin(run(n));
        asking.decisions = moments
            .iter()
            .zip(["a", "b"])
            .map(|(at, id)| opened(&format!("{n}{id}"), *at))
            .collect();
        take(store, asking);
    }
    let ids = |rows: Vec<DecisionRow>| -> Vec<String> {
        rows.iter().map(|row| row.request.id.to_string()).collect()
    };
    assert_eq!(ids(list(store, None, false)), ["1b", "2b", "3a", "3b", "2a", "1a"]);
    assert_eq!(ids(list(store, Some(run(2)), false)), ["2b", "2a"]);
    let filter = DecisionFilter { limit: 2, ..DecisionFilter::default() };
    assert_eq!(wait(store.decisions(filter)).map(ids), Ok(vec!["1b".to_owned(), "2b".to_owned()]));
    assert_eq!(list(store, Some(run(9)), true), []);
}

fn refused_asks_nothing(store: &dyn Store) {
    let mut asking = begin(run(1));
    asking.decisions = vec![opened("a", 1)];
    take(store, asking);
    let mut stale = commit_of(run(1), after(0), vec![]);
    stale.decisions = vec![opened("b", 2), closed("a", 2, None)];
    assert!(append(store, stale).is_err());
    let open = list(store, None, true);
    assert_eq!((open.len(), open[0].status), (1, "pending"));
}
