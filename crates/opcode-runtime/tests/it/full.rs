//! A disk without space: new work is refused, what runs goes on when there is space again.
//!
//! Keeps: nothing acknowledged is lost, nothing half written is seen.
//! Not here: the store's own part (`opcode-store-sqlite/tests/it/full.rs`).

use opcode_model::{ErrorCode, RunStatus, SignalKind};
use opcode_store::Runs;
use serde_json::json;

use crate::hands::Hands;
use crate::kit::{Disk, holding, refusal, request, signal, step, steps, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_the_new_and_keeps_the_old() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 4).await;
    let first = house.start(&holding("h")).await;
    house.hands.until_called("h", 1).await;
    house.store.bound_pages(1).await.unwrap();
    // Bulk, so that no page already there has room for it.
    let bulky = |n: usize| {
        let text = format!("{n}").repeat(40_000);
        steps(&[step("a", "hand.idempotent", json!({"tag": "bulk", "x": text}))])
    };
    let mut begun = Vec::new();
    let failure = loop {
        match house.begin(request(&bulky(begun.len()))).await {
            Ok(run) => begun.push(run),
            Err(error) => break refusal::<()>(Err(error)),
        }
        assert!(begun.len() < 1_000, "it never fills");
    };
    assert_eq!(failure.code, ErrorCode::StorageFull, "{failure}");
    assert!(failure.message.starts_with("could not "), "{failure}");
    house.hands.release("h");
    let text = "y".repeat(200_000);
    let said = house.signal(first, signal(SignalKind::Data, Some("go"), json!(text)));
    let waited = async {
        until("the disk has refused something", async || {
            (house.hands.ledger().running == 0).then_some(())
        })
        .await;
        house.store.bound_pages(0).await.unwrap();
    };
    let (said, ()) = futures_util::future::join(said, waited).await;
    // Whichever came first: it is on disk, or the run was over before.
    assert!(said.is_ok() || said.unwrap_err().code == ErrorCode::Conflict);
    house.completed(first).await;
    for run in &begun {
        assert_eq!(house.settled(*run).await.status, RunStatus::Completed);
    }
    let again = house.run(&bulky(5)).await;
    assert_eq!(again.status, RunStatus::Completed, "it takes new work again");
    assert_eq!(house.store.verify().await.unwrap().damage, []);
    let known = begun.len() + 2;
    let house = disk.house(house.abandon().await, 4).await;
    let filter = opcode_store::RunFilter { limit: 5_000, ..opcode_store::RunFilter::default() };
    let all = house.engine.reader().workflows(filter).await.unwrap();
    assert_eq!(all.len(), known, "the refused one left nothing behind");
    assert!(all.iter().all(|run| run.row.status == RunStatus::Completed));
}
