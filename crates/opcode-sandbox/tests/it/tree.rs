//! Nothing a run started outlives it, whichever way it ends.
//!
//! Keeps: the survivor that is looked for sits in a session of its own and has a child.
//! Not here: what comes back (`outcome.rs`).

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use opcode_sandbox::{Exec, ExecEnd, ExecLimits, ExecOutcome, Stop, ensure_dead};

use crate::kit::{Pulse, exec, helper, open, sh, within};

async fn run(script: &str, timeout: Option<Duration>, stop: &Stop) -> ExecOutcome {
    let limits = ExecLimits { timeout, grace: Duration::from_millis(200), ..ExecLimits::default() };
    within(exec().run(&sh(script), b"", &limits, stop)).await.unwrap()
}

/// The same with more of them: `cargo run --release -p opcode-sandbox --bin opcode-exec-helper spawn 10000`.
#[test]
fn many_programs_leave_nothing_behind() {
    let run = Command::new(helper()).args(["spawn", "50"]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test]
async fn a_grandchild_dies_when_time_is_up() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let script = pulse.script("wait");
    let timeout = Some(Duration::from_secs(2));
    let outcome = run(&script, timeout, &Stop::never()).await;
    assert_eq!(outcome.end, ExecEnd::TimedOut);
    pulse.beats().await.ends().await;
}

#[tokio::test]
async fn a_grandchild_dies_when_told_to_stop_even_if_it_does_not_listen() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let script = format!("trap '' TERM; {}", pulse.script("wait"));
    let (stopper, stop) = Stop::pair();
    let running = tokio::spawn(async move { run(&script, None, &stop).await });
    let beating = pulse.beats().await;
    stopper.fire();
    assert_eq!(within(running).await.unwrap().end, ExecEnd::Stopped);
    beating.ends().await;
}

#[tokio::test]
async fn a_stop_lets_a_program_say_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let path = pulse.path.display().to_string();
    let script =
        format!("trap 'echo bye; exit 0' TERM; exec 3>{path}; echo alive >&3; sleep 1000 & wait");
    let (stopper, stop) = Stop::pair();
    let running = tokio::spawn(async move { run(&script, None, &stop).await });
    let beating = pulse.beats().await;
    stopper.fire();
    let outcome = within(running).await.unwrap();
    assert_eq!((outcome.end, outcome.stdout.bytes.as_slice()), (ExecEnd::Stopped, &b"bye\n"[..]));
    beating.ends().await;
}

#[tokio::test]
async fn what_is_left_in_the_background_ends_with_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    // The program ends only after its grandchild has begun to hold the pipe and the output.
    let gate = pulse.gate();
    let script = pulse.script(&format!("cat {}; echo over", gate.display()));
    let running = tokio::spawn(async move { run(&script, None, &Stop::never()).await });
    let beating = pulse.beats().await;
    open(gate).await;
    let outcome = within(running).await.unwrap();
    assert_eq!(
        (outcome.end, outcome.stdout.bytes.as_slice()),
        (ExecEnd::Exited(0), &b"over\n"[..])
    );
    beating.ends().await;
}

#[tokio::test]
async fn everything_dies_when_the_future_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let script = pulse.script("wait");
    let running = tokio::spawn(async move { run(&script, None, &Stop::never()).await });
    let beating = pulse.beats().await;
    running.abort();
    beating.ends().await;
}

#[tokio::test]
async fn everything_dies_with_a_parent_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let script = pulse.script("wait");
    let notes = dir.path().join("attempts");
    let mut parent = Command::new(helper())
        .args(["hold".as_ref(), notes.as_os_str(), "KEY".as_ref(), script.as_ref()])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let beating = pulse.beats().await;
    assert!(notes.join("KEY").exists());
    parent.kill().unwrap();
    parent.wait().unwrap();
    within(ensure_dead(&notes, "KEY")).await.unwrap();
    beating.ends().await;
    assert_eq!(fs::read_dir(&notes).unwrap().count(), 0);
}

#[tokio::test]
async fn an_attempt_waits_for_the_end_of_an_earlier_one_with_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let notes = dir.path().join("attempts");
    let keyed = |script: &str| {
        let mut spec = sh(script);
        spec.key = Some("KEY".into());
        spec.env.insert(opcode_sandbox::IDEMPOTENCY_KEY_ENV.to_owned(), "KEY".to_owned());
        spec
    };
    let exec = Exec::new(helper(), Some(notes.clone()));
    let (first, second) = (keyed(&pulse.script("wait")), keyed("echo second"));
    let running = tokio::spawn({
        let exec = exec.clone();
        async move { exec.run(&first, b"", &ExecLimits::default(), &Stop::never()).await }
    });
    let beating = pulse.beats().await;
    let outcome =
        within(exec.run(&second, b"", &ExecLimits::default(), &Stop::never())).await.unwrap();
    assert_eq!(outcome.stdout.bytes, b"second\n");
    beating.ends().await;
    // The earlier one was killed from beside, and says so.
    assert_eq!(within(running).await.unwrap().unwrap().end, ExecEnd::Signalled(9));
    assert_eq!(fs::read_dir(&notes).unwrap().count(), 0);
}

#[tokio::test]
async fn a_stale_note_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    for stale in ["1 1 another-boot\n", "no note at all", ""] {
        fs::write(dir.path().join("KEY"), stale).unwrap();
        within(ensure_dead(dir.path(), "KEY")).await.unwrap();
        assert!(!dir.path().join("KEY").exists());
    }
    within(ensure_dead(dir.path(), "NEVER")).await.unwrap();
}

#[tokio::test]
async fn a_note_that_names_somebody_else_kills_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let gate = pulse.gate();
    // A process that is no helper, with a child that must not die.
    let (path, wait) = (pulse.path.display(), gate.display());
    let script = format!("(exec 3>{path}; echo alive >&3; cat {wait}; echo well >&3) & wait");
    let mut other = Command::new("/bin/sh").args(["-c", &script]).spawn().unwrap();
    let beating = pulse.beats().await;
    let stat = fs::read_to_string(format!("/proc/{}/stat", other.id())).unwrap();
    let start = stat.rsplit(')').next().unwrap().split(' ').nth(20).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(dir.path().join("KEY"), format!("{} {start} {boot}", other.id())).unwrap();
    within(ensure_dead(dir.path(), "KEY")).await.unwrap();
    open(gate).await;
    assert_eq!(beating.rest().await, "well\n");
    assert!(other.wait().unwrap().success());
}

#[tokio::test]
async fn what_a_killed_helper_left_is_found_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let notes = dir.path().join("attempts");
    // The script kills its own helper, which is its parent.
    let gate = pulse.gate();
    let script = pulse.script(&format!("cat {}; kill -9 $PPID; wait", gate.display()));
    let mut spec = sh(&script);
    spec.key = Some("ORPHAN".into());
    spec.env.insert(opcode_sandbox::IDEMPOTENCY_KEY_ENV.to_owned(), "ORPHAN".to_owned());
    let exec = Exec::new(helper(), Some(notes.clone()));
    let running =
        tokio::spawn(
            async move { exec.run(&spec, b"", &ExecLimits::default(), &Stop::never()).await },
        );
    let beating = pulse.beats().await;
    open(gate).await;
    let fault = within(running).await.unwrap().unwrap_err();
    assert!(matches!(fault, opcode_sandbox::ExecFault::Lost), "{fault}");
    within(ensure_dead(&notes, "ORPHAN")).await.unwrap();
    beating.ends().await;
}

#[tokio::test]
async fn what_a_living_helper_holds_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let pulse = Pulse::new(dir.path());
    let gate = pulse.gate();
    let script = pulse.script(&format!("cat {}; exit 7", gate.display()));
    let mut spec = sh(&script);
    spec.env.insert(opcode_sandbox::IDEMPOTENCY_KEY_ENV.to_owned(), "SHARED".to_owned());
    let running = tokio::spawn(async move {
        exec().run(&spec, b"", &ExecLimits::default(), &Stop::never()).await
    });
    let beating = pulse.beats().await;
    // Another server's stale note of the same key.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    fs::write(dir.path().join("SHARED"), format!("{} 1 {boot}", gone.id())).unwrap();
    within(ensure_dead(dir.path(), "SHARED")).await.unwrap();
    open(gate).await;
    assert_eq!(within(running).await.unwrap().unwrap().end, ExecEnd::Exited(7));
    beating.ends().await;
}
