//! Runs that wait leave memory and come back when their time or their signal comes.
//!
//! Keeps: memory is bounded by what moves, not by what exists.
//! Not here: how much one run takes (`bench`).

use opcode_driver::Settings;
use opcode_model::{RunStatus, SignalKind};
use serde_json::json;

use crate::hands::Hands;
use crate::kit::{Disk, house, signal, steps, until};

#[tokio::test(flavor = "multi_thread")]
async fn idle_runs_leave_memory_and_come_back() {
    let house = house(1).await;
    let idle_max = Settings::default().idle_max;
    let timed = json!({"id": "w", "type": "wait", "config": {"duration": "3s"}});
    let timed = house.start(&steps(&[timed])).await;
    let listens = steps(&[json!({"id": "w", "type": "wait", "config": {"signal": "go"}})]);
    let mut runs = Vec::new();
    for n in 0..idle_max + 300 {
        runs.push(house.start(&listens).await);
        if n % 100 == 0 {
            let here = house.engine.in_memory().await;
            assert!(here <= idle_max + 1, "{here} runs are in memory");
        }
    }
    until("the oldest have left", async || {
        (house.engine.in_memory().await <= idle_max).then_some(())
    })
    .await;
    house.completed(timed).await;
    for run in [runs[0], runs[150], runs[idle_max + 299]] {
        house.signal(run, signal(SignalKind::Data, Some("go"), json!(null))).await.unwrap();
        assert_eq!(house.settled(run).await.status, RunStatus::Completed);
    }
    assert!(house.engine.in_memory().await <= idle_max);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_over_leaves_at_once() {
    let house = house(2).await;
    for _ in 0..50 {
        house.run(&steps(&[json!({"id": "a", "action": "hand.idempotent"})])).await;
    }
    until("all have left", async || (house.engine.in_memory().await == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_reads_only_what_moves() {
    let disk = Disk::new();
    let house = disk.house(Hands::new(), 1).await;
    let listens = steps(&[json!({"id": "w", "type": "wait", "config": {"signal": "go"}})]);
    let mut run = house.start(&listens).await;
    for _ in 0..99 {
        run = house.start(&listens).await;
    }
    let house = disk.house(house.abandon().await, 1).await;
    assert_eq!(house.engine.in_memory().await, 0, "they wait where they are");
    house.signal(run, signal(SignalKind::Data, Some("go"), json!(null))).await.unwrap();
    house.completed(run).await;
}
