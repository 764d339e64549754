//! Lists: open runs for recovery, workflows and events for people.
//!
//! Keeps: order, filters and limits as the contract says.
//! Not here: decisions and things of the catalog (their own files).

use std::sync::Arc;

use opcode_model::commit::{Commit, Position};
use opcode_model::event::Parent;
use opcode_model::{DefinitionHash, ErrorCode, Event, Failure, RunStatus, Seq, Timestamp, Value};
use opcode_store::{EventFilter, OpenRun, RunFilter};

use super::fixtures::{append, begin, commit_of, completed, logged, message, row, run, step, take};
use super::{Case, Store, wait};

pub(super) const CASES: &[Case] = &[
    ("open runs come urgent first", open_runs),
    ("workflows come newest first", newest_first),
    ("workflows are filtered", filtered),
    ("a row comes back whole", whole_row),
    ("events of a run come in order", events_of_a_run),
    ("events across runs come newest first", events_across_runs),
];

fn open_runs(store: &dyn Store) {
    let kinds = [
        (1, RunStatus::Active, Some(50), false),
        (2, RunStatus::Completed, None, false),
        (3, RunStatus::Suspended, None, false),
        (4, RunStatus::Active, Some(20), true),
        (5, RunStatus::Pending, Some(10), false),
        (6, RunStatus::Failed, None, true),
        (7, RunStatus::Cancelled, None, false),
        (8, RunStatus::Suspended, None, false),
    ];
    for (n, status, due_at, in_flight) in kinds {
        let mut commit = begin(run(n));
        let due_at = due_at.map(Timestamp);
        let row = opcode_model::commit::RunRow { due_at, in_flight, ..row(status, 1) };
        commit.row = Some(Box::new(row));
        take(store, commit);
    }
    let mut sending = commit_of(run(20), Position::default(), vec![]);
    sending.messages = vec![message(run(20), run(8)), message(run(20), run(2))];
    take(store, sending);
    let open = |n, status, due: Option<i64>, urgent| OpenRun {
        run: run(n),
        status,
        due_at: due.map(Timestamp),
        urgent,
    };
    let expected = vec![
        open(4, RunStatus::Active, Some(20), true),
        open(8, RunStatus::Suspended, None, true),
        open(5, RunStatus::Pending, Some(10), false),
        open(1, RunStatus::Active, Some(50), false),
        open(3, RunStatus::Suspended, None, false),
    ];
    assert_eq!(wait(store.open()), Ok(expected));
}

fn listed(store: &dyn Store, filter: RunFilter) -> Vec<u32> {
    let rows = wait(store.workflows(filter)).unwrap_or_else(|fault| panic!("could not {fault}"));
    let number = |id| (1..200).find(|n| run(*n) == id).unwrap_or_default();
    rows.into_iter().map(|summary| number(summary.run)).collect()
}

fn newest_first(store: &dyn Store) {
    let batch: Vec<Commit> = (1..=60).map(|n| begin(run(n))).collect();
    assert!(wait(store.append(Arc::new(batch))).iter().all(Result::is_ok));
    let page = |limit, offset| RunFilter { limit, offset, ..RunFilter::default() };
    assert_eq!(listed(store, RunFilter::default()), (11..=60).rev().collect::<Vec<_>>());
    assert_eq!(listed(store, page(3, 0)), [60, 59, 58]);
    assert_eq!(listed(store, page(3, 57)), [3, 2, 1]);
    assert_eq!(listed(store, page(3, 60)), [] as [u32; 0]);
}

fn filtered(store: &dyn Store) {
    let statuses = [RunStatus::Active, RunStatus::Failed, RunStatus::Suspended];
    for n in 1..=12_u32 {
        let mut commit = begin(run(n));
        let mut row = row(statuses[n as usize % 3], i64::from(n));
        row.agent_id = n.is_multiple_of(2).then(|| "ada".into());
        row.template_name = (n % 4 == 1).then(|| "deploy".into());
        row.parent = (n > 8).then(|| Parent { run: run(n % 2), step: step(1, "child") });
        commit.row = Some(Box::new(row));
        take(store, commit);
    }
    let any = RunFilter::default;
    assert_eq!(
        listed(store, RunFilter { status: Some(RunStatus::Failed), ..any() }),
        [10, 7, 4, 1]
    );
    assert_eq!(
        listed(store, RunFilter { status: Some(RunStatus::Active), ..any() }),
        [12, 9, 6, 3]
    );
    let ada = Some("ada".into());
    assert_eq!(listed(store, RunFilter { agent_id: ada.clone(), ..any() }), [12, 10, 8, 6, 4, 2]);
    let deploy = Some("deploy".into());
    assert_eq!(listed(store, RunFilter { template_name: deploy, ..any() }), [9, 5, 1]);
    assert_eq!(listed(store, RunFilter { parent: Some(run(1)), ..any() }), [11, 9]);
    assert_eq!(listed(store, RunFilter { since: Some(Timestamp(11)), ..any() }), [12, 11]);
    let both = RunFilter { status: Some(RunStatus::Suspended), agent_id: ada, ..any() };
    assert_eq!(listed(store, RunFilter { limit: 1, offset: 1, ..both }), [2]);
}

fn whole_row(store: &dyn Store) {
    let mut commit = begin(run(1));
    let row = opcode_model::commit::RunRow {
        status: RunStatus::Failed,
        due_at: Some(Timestamp(7)),
        open_decisions: 3,
        in_flight: true,
        name: Some("a name".into()),
        template_name: Some("t".into()),
        template_version: Some("v2".into()),
        definition: DefinitionHash::of("{}"),
        agent_id: Some("ada".into()),
        parent: Some(Parent { run: run(2), step: step(9, "loop.iter_3.child") }),
        inputs: Value::object([("a", 1)]),
        output: Value::list([Value::Null]),
        error: Some(
            Failure::new(ErrorCode::Timeout, "late")
                .with_details(Value::from(2))
                .in_step(&"s".into()),
        ),
        created_at: Timestamp(1),
        completed_at: Some(Timestamp(2)),
        updated_at: Timestamp(3),
    };
    commit.row = Some(Box::new(row.clone()));
    take(store, commit);
    let rows = wait(store.workflows(RunFilter::default())).unwrap_or_default();
    assert_eq!((rows[0].run, &rows[0].row), (run(1), &row));
}

/// Three runs whose commits take turns; returns every event in the order in which it came.
fn taking_turns(store: &dyn Store) -> Vec<(u32, u64, Event)> {
    let mut ends = [Position::default(); 3];
    let mut all = Vec::new();
    for turn in 0..50_i64 {
        for n in 0..3_u32 {
            let events = vec![
                logged(turn, if turn % 2 == 0 { "even" } else { "odd" }, "x"),
                completed(turn, "last", turn),
            ];
            let end = &mut ends[n as usize];
            let places = (end.seq.0 + 1..).zip(&events);
            all.extend(places.map(|(seq, event)| (n, seq, event.clone())));
            *end = append(store, commit_of(run(n), *end, events)).unwrap_or_default();
        }
    }
    all
}

fn found(store: &dyn Store, filter: EventFilter) -> Vec<(u32, u64, Event)> {
    let records = wait(store.events(filter)).unwrap_or_else(|fault| panic!("could not {fault}"));
    let number = |id| (0..9).find(|n| run(*n) == id).unwrap_or(u32::MAX);
    records.into_iter().map(|it| (number(it.run), it.seq.0, it.event)).collect()
}

fn events_of_a_run(store: &dyn Store) {
    let all = taking_turns(store);
    let mine: Vec<_> = all.into_iter().filter(|(n, ..)| *n == 1).collect();
    let of = || EventFilter { run: Some(run(1)), ..EventFilter::default() };
    assert_eq!(found(store, of()), mine);
    assert_eq!(found(store, EventFilter { limit: 5, after: Seq(90), ..of() }), mine[90..95]);
    assert_eq!(found(store, EventFilter { after: Seq(100), ..of() }), []);
    let odd = found(store, EventFilter { step_id: Some("odd".into()), ..of() });
    assert_eq!((odd.len(), odd[0].1, odd[1].1), (25, 3, 7));
    let name = Some("step_completed".into());
    let done = found(store, EventFilter { event_type: name, since: Some(Timestamp(48)), ..of() });
    assert_eq!(done, [mine[97].clone(), mine[99].clone()]);
    assert_eq!(found(store, EventFilter { run: Some(run(7)), ..EventFilter::default() }), []);
}

fn events_across_runs(store: &dyn Store) {
    let mut all = taking_turns(store);
    all.reverse();
    let any = EventFilter::default;
    assert_eq!(found(store, any()), all[..100]);
    assert_eq!(found(store, EventFilter { limit: 1_000, ..any() }), all);
    let late = EventFilter { since: Some(Timestamp(49)), after: Seq(99), ..any() };
    assert_eq!(found(store, late), [all[0].clone(), all[2].clone(), all[4].clone()]);
    let odd = EventFilter { step_id: Some("odd".into()), limit: 2, ..any() };
    assert_eq!(found(store, odd), [all[1].clone(), all[3].clone()]);
}
