//! Programs that are spoken with: what they hear and say, and how they end.
//!
//! Keeps: every session is tried in the plain profile and, where the machine can, in isolation.
//! Not here: programs that run to their end (`outcome.rs`).

use std::time::Duration;

use opcode_model::Profile;
use opcode_sandbox::policy::Demand;
use opcode_sandbox::{ExecEnd, ExecFault, ExecSpec, Session};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::kit::{Pulse, exec, sh, within};

async fn open(profile: Profile, script: &str) -> Session {
    open_in(Demand { profile, ..Demand::default() }, script).await
}

async fn open_in(demand: Demand, script: &str) -> Session {
    let exec = exec();
    let plan = within(exec.plan(demand)).await.unwrap();
    let spec = ExecSpec { plan: plan.into(), ..sh(script) };
    within(exec.open(&spec, Duration::from_secs(2))).await.unwrap()
}

#[tokio::test]
async fn it_answers_line_by_line_and_ends_with_its_input() {
    for profile in [Profile::Process, Profile::Isolated] {
        let mut session =
            open(profile, "while read line; do echo \"heard $line\"; done; exit 3").await;
        let mut lines = BufReader::new(&mut session.stdout).lines();
        for word in ["one", "two"] {
            session.stdin.write_all(format!("{word}\n").as_bytes()).await.unwrap();
            let line = within(lines.next_line()).await.unwrap().unwrap();
            assert_eq!(line, format!("heard {word}"));
        }
        session.stdin.shutdown().await.unwrap();
        assert_eq!(within(session.held.wait()).await.unwrap(), ExecEnd::Exited(3));
    }
}

#[tokio::test]
async fn it_ends_when_asked_and_dies_when_dropped() {
    for profile in [Profile::Process, Profile::Isolated] {
        let script = "trap 'echo bye; exit 0' TERM; echo up; sleep 1000 & wait";
        let mut session = open(profile, script).await;
        let mut said = [0; 3];
        within(session.stdout.read_exact(&mut said)).await.unwrap();
        session.held.terminate().await;
        let mut rest = String::new();
        within(session.stdout.read_to_string(&mut rest)).await.unwrap();
        assert_eq!((said, rest.as_str()), (*b"up\n", "bye\n"));
        assert_eq!(within(session.held.wait()).await.unwrap(), ExecEnd::Stopped);

        // One that does not listen holds a pipe until it is dead.
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let pulse = Pulse::new(&dir);
        let demand = Demand { profile, write: vec![dir.clone()], ..Demand::default() };
        let session = open_in(demand, &format!("trap '' TERM; {}", pulse.script("wait"))).await;
        let beating = pulse.beats().await;
        drop(session);
        beating.ends().await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_at_the_end() {
    let spec = ExecSpec { program: "no-such-program".to_owned(), ..sh("") };
    let mut session = within(exec().open(&spec, Duration::from_secs(2))).await.unwrap();
    let fault = within(session.held.wait()).await.unwrap_err();
    assert!(matches!(fault, ExecFault::Missing { .. }), "{fault}");
}
