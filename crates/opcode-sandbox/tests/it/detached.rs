//! Attempts that outlive whoever asked for them, and are found again by their key.
//!
//! Keeps: each is tried plainly and, where the machine can, in isolation.
//! Not here: the rest of what a run gives back (`outcome.rs`).

use std::fs;
use std::path::Path;
use std::time::Duration;

use opcode_model::Profile;
use opcode_sandbox::policy::Demand;
use opcode_sandbox::{
    Exec, ExecEnd, ExecFault, ExecLimits, ExecOutcome, ExecSpec, Stop, ensure_all_dead,
};

use crate::kit::{Pulse, helper, open, sh, within};

/// A place for attempts, and a program in it.
struct Place {
    dir: tempfile::TempDir,
    exec: Exec,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let exec = Exec::new(helper(), Some(dir.path().join("attempts")));
        Self { dir, exec }
    }

    async fn spec(&self, profile: Profile, script: &str) -> ExecSpec {
        let write = vec![self.dir.path().canonicalize().unwrap()];
        let plan = self.exec.plan(Demand { profile, write, ..Demand::default() });
        let plan = within(plan).await.unwrap().into();
        let mut spec = ExecSpec { plan, key: Some("ALONE".into()), ..sh(script) };
        spec.env.insert(opcode_sandbox::IDEMPOTENCY_KEY_ENV.to_owned(), "ALONE".to_owned());
        spec
    }

    async fn run(&self, spec: ExecSpec, limits: ExecLimits, stop: Stop) -> Outcome {
        within(self.exec.run_detached(&spec, b"in\n", &limits, &stop)).await
    }

    fn attempts(&self) -> usize {
        fs::read_dir(self.dir.path().join("attempts")).unwrap().count()
    }
}

type Outcome = Result<ExecOutcome, ExecFault>;

const PROFILES: [Profile; 2] = [Profile::Process, Profile::Isolated];

#[tokio::test]
async fn it_gives_back_what_any_other_does() {
    let place = Place::new();
    for profile in PROFILES {
        let spec = place.spec(profile, "cat; echo err >&2; exit 3").await;
        let outcome = place.run(spec, ExecLimits::default(), Stop::never()).await.unwrap();
        assert_eq!(outcome.end, ExecEnd::Exited(3));
        assert_eq!((outcome.stdout.bytes.as_slice(), outcome.stdout.total), (&b"in\n"[..], 3));
        assert_eq!(outcome.stderr.bytes, b"err\n");
        assert_eq!(place.attempts(), 0, "nothing is left");
    }
    let missing = ExecSpec {
        program: "no-such-program".to_owned(),
        ..place.spec(Profile::Process, "").await
    };
    let fault = place.run(missing, ExecLimits::default(), Stop::never()).await.unwrap_err();
    assert!(matches!(fault, ExecFault::Missing { .. }), "{fault}");
    assert_eq!(place.attempts(), 0);
}

#[tokio::test]
async fn it_goes_on_alone_and_is_found_by_its_key() {
    for profile in PROFILES {
        let place = Place::new();
        let pulse = Pulse::new(&place.dir.path().canonicalize().unwrap());
        let gate = pulse.gate();
        let script = pulse.script(&format!("cat {}; echo first", gate.display()));
        let spec = place.spec(profile, &script).await;
        let exec = place.exec.clone();
        let first = tokio::spawn(async move {
            exec.run_detached(&spec, b"", &ExecLimits::default(), &Stop::never()).await
        });
        let beating = pulse.beats().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        // Whoever has the place to himself now leaves it alone.
        within(ensure_all_dead(&place.dir.path().join("attempts"))).await.unwrap();
        let second = place.spec(profile, "echo second").await;
        let exec = place.exec.clone();
        let second = tokio::spawn(async move {
            exec.run_detached(&second, b"", &ExecLimits::default(), &Stop::never()).await
        });
        open(gate).await;
        let outcome = within(second).await.unwrap().unwrap();
        assert_eq!(outcome.stdout.bytes, b"first\n", "{profile:?}");
        beating.ends().await;
        assert_eq!(place.attempts(), 0);
        // What was taken is gone, so the next one runs.
        let third = place.spec(profile, "echo third").await;
        let outcome = place.run(third, ExecLimits::default(), Stop::never()).await.unwrap();
        assert_eq!(outcome.stdout.bytes, b"third\n");
    }
}

#[tokio::test]
async fn a_stop_ends_it_and_letting_go_does_not() {
    let place = Place::new();
    let path = place.dir.path();
    let pulse = Pulse::new(path);
    let spec = place.spec(Profile::Process, &pulse.script("wait")).await;
    let (stopper, stop) = Stop::pair();
    let exec = place.exec.clone();
    let first = tokio::spawn({
        let spec = spec.clone();
        async move { exec.run_detached(&spec, b"", &ExecLimits::default(), &stop).await }
    });
    let beating = pulse.beats().await;
    stopper.let_go();
    assert_eq!(within(first).await.unwrap().unwrap().end, ExecEnd::Stopped);
    assert!(path.join("attempts/ALONE").exists(), "it goes on");
    let (stopper, stop) = Stop::pair();
    stopper.fire();
    let outcome = place.run(spec, ExecLimits::default(), stop).await.unwrap();
    assert_eq!(outcome.end, ExecEnd::Stopped);
    beating.ends().await;
    assert_eq!(place.attempts(), 0);
}

#[tokio::test]
async fn it_ends_by_itself_when_its_time_is_up_or_it_talks_too_much() {
    let place = Place::new();
    let timeout = Some(Duration::from_millis(300));
    let late = place.spec(Profile::Process, "echo early; sleep 1000").await;
    let limits = ExecLimits { timeout, ..ExecLimits::default() };
    let outcome = place.run(late, limits, Stop::never()).await.unwrap();
    assert_eq!(
        (outcome.end, outcome.stdout.bytes.as_slice()),
        (ExecEnd::TimedOut, &b"early\n"[..])
    );
    let loud = place.spec(Profile::Process, "yes").await;
    let outcome = place.run(loud, ExecLimits::default(), Stop::never()).await.unwrap();
    assert_eq!(outcome.end, ExecEnd::Limited(opcode_sandbox::Hit::Output));
    assert_eq!(place.attempts(), 0);
}

#[tokio::test]
async fn a_helper_that_is_killed_is_lost_and_its_tree_with_it() {
    let place = Place::new();
    let pulse = Pulse::new(place.dir.path());
    let gate = pulse.gate();
    let script = pulse.script(&format!("cat {}; kill -9 $PPID; wait", gate.display()));
    let spec = place.spec(Profile::Process, &script).await;
    let exec = place.exec.clone();
    let running = tokio::spawn(async move {
        exec.run_detached(&spec, b"", &ExecLimits::default(), &Stop::never()).await
    });
    let beating = pulse.beats().await;
    open(gate).await;
    let fault = within(running).await.unwrap().unwrap_err();
    assert!(matches!(fault, ExecFault::Lost), "{fault}");
    beating.ends().await;
    assert!(!Path::new(&place.dir.path().join("attempts/ALONE")).exists());
}
