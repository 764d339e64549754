//! Room made in a store in which work goes on.
//!
//! Keeps: whatever goes, a run that has begun has its definition.
//! Not here: what goes and what stays (`opcode-testkit`'s conformance).

use std::sync::Arc;
use std::time::Duration;

use opcode_actions::Registry;
use opcode_model::RunStatus;
use opcode_model::commit::CatalogKind;
use opcode_runtime::{Actor, Caller, Import, Keep, Keeping, Reader};
use opcode_store::{Catalog, MemoryStore, Runs};
use serde_json::json;

use crate::hands::Hands;
use crate::kit::{Disk, House, house, step, steps, until};

/// Starts of one definition beside somebody who takes every run away that is over.
async fn starts_beside_vacuum<S: Runs + Catalog>(house: House<S>) {
    const STARTS: usize = 300;
    let house = Arc::new(house);
    let (keeping, keep) =
        (Keeping::new(house.store.clone()), Keep { over: Some(Duration::ZERO), ..Keep::default() });
    let definition = steps(&[step("a", "hand.idempotent", json!({}))]);
    let starting = tokio::spawn({
        let (house, definition) = (house.clone(), definition.clone());
        async move {
            for _ in 0..STARTS {
                let result = house.run(&definition).await;
                assert_eq!(result.status, RunStatus::Completed, "{result:?}");
            }
        }
    });
    let mut gone = 0;
    while !starting.is_finished() {
        gone += keeping.vacuum(&keep).await.unwrap().runs;
        let report = house.engine.reader().verify().await.unwrap();
        assert!(report.damage.is_empty(), "{report:?}");
    }
    starting.await.unwrap();
    assert!(gone > 0, "nothing went meanwhile, and nothing was tried");
    let definitions = || house.store.list(CatalogKind::Definition, "".into());
    until("the last run has taken it along", async || {
        keeping.vacuum(&keep).await.unwrap();
        definitions().await.unwrap().is_empty().then_some(())
    })
    .await;
    house.run(&definition).await;
    assert_eq!(definitions().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_start_loses_its_definition_to_a_vacuum() {
    starts_beside_vacuum(house(2).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_start_loses_its_definition_on_disk_either() {
    starts_beside_vacuum(Disk::new().house(Hands::new(), 2).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_actions_that_are_not_here_can_be_taken_in_and_looked_at() {
    let house = house(2).await;
    let result = house.run(&steps(&[step("a", "hand.idempotent", json!({}))])).await;
    let mut export = house.engine.reader().export(result.workflow_id).await.unwrap();
    let mut import = Import::default();
    while let Some(line) = export.next().await.unwrap() {
        import.feed(line.as_bytes()).unwrap();
    }
    // These have no hands.
    let reader = Reader::new(Arc::new(MemoryStore::new()), Arc::new(Registry::builtin()));
    let actor = Actor::new(&Caller::local(), "test");
    let done = import.save(&reader, &actor, false).await.unwrap();
    assert_eq!((done.workflow_id, done.workflows), (result.workflow_id, 1));
    let status = reader.status(result.workflow_id).await.unwrap();
    assert_eq!(format!("{:?}", status.result), format!("{result:?}"));
    assert_eq!(reader.verify().await.unwrap().damage, []);
}
