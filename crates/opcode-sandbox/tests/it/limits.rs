//! How much a program may use: each limit is hit once, and told apart from the others.
//!
//! Keeps: with and without isolation, with control groups and without.
//! Not here: what it may reach (`isolated.rs`).

use std::fs;
use std::path::Path;
use std::time::Duration;

use opcode_model::{Limits, Profile};
use opcode_sandbox::policy::{self, Demand, Host};
use opcode_sandbox::{Exec, ExecEnd, ExecFault, ExecLimits, ExecOutcome, ExecSpec, Hit, Stop};

use crate::kit::{Pulse, exec, helper, sh, within};

/// Every way a limit can be held here: as the machine does it, and as a machine without control groups would.
async fn everywhere(limits: Limits, script: &str) -> Vec<(String, ExecOutcome)> {
    let mut outcomes = Vec::new();
    let exec = exec();
    let host = within(exec.host()).await.unwrap();
    let groupless = Host::new(policy::Mechanism::ALL.into_iter().filter_map(|it| {
        let is_group = it >= policy::Mechanism::MemoryLimit;
        host.ability(it).filter(|_| !is_group).cloned().map(|ability| (it, ability))
    }));
    for profile in [Profile::Process, Profile::Isolated] {
        for (name, host) in [("this machine", host), ("no groups", &groupless)] {
            let demand = Demand { profile, limits, ..Demand::default() };
            let plan = policy::plan(demand, host).unwrap();
            let spec = ExecSpec { plan: plan.into(), ..sh(script) };
            let (usual, stop) = (ExecLimits::default(), Stop::never());
            let outcome = within(exec.run(&spec, b"", &usual, &stop)).await.unwrap();
            outcomes.push((format!("{} on {name}", profile.text()), outcome));
        }
    }
    outcomes
}

async fn hits(limits: Limits, script: &str, hit: Hit) {
    for (place, outcome) in everywhere(limits, script).await {
        assert_eq!(outcome.end, ExecEnd::Limited(hit), "{place}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_memory_hog_is_killed_for_its_memory() {
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let hog = "perl -e '@a = map { \"x\" x (1 << 20) } 1..100; sleep 100'";
    hits(limits, hog, Hit::Memory).await;
}

#[tokio::test]
async fn memory_of_all_processes_counts_together() {
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let hogs = "for i in 1 2 3 4; do perl -e '$a = \"x\" x (30 << 20); sleep 100' & done; wait";
    hits(limits, hogs, Hit::Memory).await;
}

#[tokio::test]
async fn too_many_processes_are_killed_for_their_number() {
    let limits = Limits { pids: Some(24), ..Limits::default() };
    // More than may be, and fewer than the brake stops where the number is only looked at.
    let crowd = "for i in $(seq 30); do sleep 100 & done; wait";
    hits(limits, crowd, Hit::Pids).await;
}

/// Only where the kernel holds the number: one that is merely looked at would be this machine's trouble.
#[tokio::test]
async fn a_fork_bomb_is_killed_for_its_processes() {
    let exec = exec();
    if !within(exec.host()).await.unwrap().can(policy::Mechanism::PidsLimit) {
        return;
    }
    for profile in [Profile::Process, Profile::Isolated] {
        let limits = Limits { pids: Some(24), ..Limits::default() };
        let demand = Demand { profile, limits, ..Demand::default() };
        let plan = within(exec.plan(demand)).await.unwrap().into();
        let spec = ExecSpec { plan, ..sh("bomb() { bomb | bomb & }; bomb; sleep 100") };
        let (usual, stop) = (ExecLimits::default(), Stop::never());
        let outcome = within(exec.run(&spec, b"", &usual, &stop)).await.unwrap();
        assert_eq!(outcome.end, ExecEnd::Limited(Hit::Pids));
    }
}

#[tokio::test]
async fn a_spinner_is_killed_for_its_computing() {
    let limits = Limits { cpu_time: Some(Duration::from_millis(500)), ..Limits::default() };
    hits(limits, "(while :; do :; done) & while :; do :; done", Hit::CpuTime).await;
}

#[tokio::test]
async fn a_talker_is_killed_for_its_output() {
    let limits = Limits { output_bytes: Some(100_000), ..Limits::default() };
    hits(limits, "yes", Hit::Output).await;
}

/// Killed from outside in one blow, a helper leaves its groups; whoever has to end the attempt removes them.
#[tokio::test]
async fn groups_of_a_killed_helper_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    let notes = dir.path().join("attempts");
    let exec = Exec::new(helper(), Some(notes.clone()));
    for profile in [Profile::Process, Profile::Isolated] {
        let pulse = Pulse::new(&dir.path().canonicalize().unwrap());
        let write = vec![dir.path().canonicalize().unwrap()];
        let limits = Limits { pids: Some(16), memory_bytes: Some(64 << 20), ..Limits::default() };
        let demand = Demand { profile, limits, write, ..Demand::default() };
        let plan = within(exec.plan(demand)).await.unwrap().into();
        let mut spec = ExecSpec { plan, key: Some("SWEPT".into()), ..sh(&pulse.script("wait")) };
        spec.env.insert(opcode_sandbox::IDEMPOTENCY_KEY_ENV.to_owned(), "SWEPT".to_owned());
        let running = tokio::spawn({
            let exec = exec.clone();
            async move { exec.run(&spec, b"", &ExecLimits::default(), &Stop::never()).await }
        });
        let path = pulse.path.clone();
        let beating = pulse.beats().await;
        let note = fs::read_to_string(notes.join("SWEPT")).unwrap();
        let groups: Vec<&Path> = note.lines().skip(1).map(Path::new).collect();
        assert!(groups.iter().all(|group| group.is_dir()), "{note}");
        let pid = note.split(' ').next().unwrap().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let fault = within(running).await.unwrap().unwrap_err();
        assert!(matches!(fault, ExecFault::Lost), "{fault}");
        beating.ends().await;
        assert!(!groups.iter().any(|group| group.exists()), "{note}");
        assert_eq!(fs::read_dir(&notes).unwrap().count(), 0);
        fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn whoever_stays_within_is_left_alone() {
    let limits = Limits {
        memory_bytes: Some(256 << 20),
        pids: Some(16),
        cpu_time: Some(Duration::from_secs(30)),
        cpu_percent: Some(100),
        output_bytes: Some(1_000),
        ..Limits::default()
    };
    for (place, outcome) in everywhere(limits, "echo fine | cat").await {
        assert_eq!(outcome.end, ExecEnd::Exited(0), "{place}: {outcome:?}");
        assert_eq!(outcome.stdout.bytes, b"fine\n", "{place}");
    }
}
