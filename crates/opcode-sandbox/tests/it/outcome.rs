//! What comes back from a run: statuses, streams, environment, reasons.
//!
//! Keeps: each way a run can end is tried once.
//! Not here: process trees (`tree.rs`).

use opcode_sandbox::{Exec, ExecEnd, ExecFault, ExecLimits, ExecSpec, Stop};

use crate::kit::{exec, run, sh, within};

#[tokio::test]
async fn status_and_streams_come_back() {
    let outcome = run("echo out; echo err >&2; exit 3").await.unwrap();
    assert_eq!(outcome.end, ExecEnd::Exited(3));
    assert_eq!((outcome.stdout.bytes.as_slice(), outcome.stdout.total), (&b"out\n"[..], 4));
    assert_eq!(outcome.stderr.bytes, b"err\n");
}

#[tokio::test]
async fn a_signal_of_its_own_is_told() {
    assert_eq!(run("kill -9 $$").await.unwrap().end, ExecEnd::Signalled(9));
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_no_more() {
    let mut spec = sh("env");
    spec.env.insert("A".to_owned(), "1 = one".to_owned());
    let outcome = exec().run(&spec, b"", &ExecLimits::default(), &Stop::never()).await.unwrap();
    let text = String::from_utf8(outcome.stdout.bytes).unwrap();
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    // The shell itself adds where it stands.
    assert_eq!(names, ["A", "PATH", "PWD"]);
    assert!(text.contains("A=1 = one\n"));
}

#[tokio::test]
async fn standard_input_arrives_whole_even_when_it_is_longer_than_a_pipe() {
    let input = vec![b'x'; 1 << 20];
    let run = exec().run(&sh("wc -c"), &input, &ExecLimits::default(), &Stop::never()).await;
    assert_eq!(run.unwrap().stdout.bytes, b"1048576\n");
    let run = exec().run(&sh("exit 0"), &input, &ExecLimits::default(), &Stop::never()).await;
    assert_eq!(run.unwrap().end, ExecEnd::Exited(0));
}

#[tokio::test]
async fn without_input_there_is_nothing_to_read() {
    assert_eq!(run("cat; echo done").await.unwrap().stdout.bytes, b"done\n");
}

#[tokio::test]
async fn both_streams_are_drained_beyond_what_is_kept() {
    let limits = ExecLimits { capture_bytes_max: 10, ..ExecLimits::default() };
    let script = "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2";
    let outcome = within(exec().run(&sh(script), b"", &limits, &Stop::never())).await.unwrap();
    assert_eq!(outcome.end, ExecEnd::Exited(0));
    assert_eq!((outcome.stdout.bytes.len(), outcome.stdout.total), (10, 3_000_000));
    assert_eq!((outcome.stderr.bytes.len(), outcome.stderr.total), (10, 2_000_000));
    assert!(outcome.stdout.truncated());
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let start = |spec: ExecSpec| async move {
        exec().run(&spec, b"", &ExecLimits::default(), &Stop::never()).await.unwrap_err()
    };
    let missing = start(ExecSpec { program: "no-such-program".into(), ..sh("") }).await;
    let said = "exec: \"no-such-program\": executable file not found in $PATH";
    assert_eq!(missing.to_string(), said);
    let elsewhere = start(ExecSpec { cwd: Some("/no/such/place".into()), ..sh("") }).await;
    assert!(
        matches!(&elsewhere, ExecFault::Start { reason, .. } if reason.contains("/no/such/place"))
    );
    let forbidden = start(ExecSpec { program: "/etc/passwd".into(), ..sh("") }).await;
    assert!(matches!(forbidden, ExecFault::Start { .. }), "{forbidden}");
}

#[tokio::test]
async fn a_helper_that_is_not_there_is_named() {
    let exec = Exec::new("/no/such/helper", None);
    let fault = exec.run(&sh(""), b"", &ExecLimits::default(), &Stop::never()).await.unwrap_err();
    assert!(
        matches!(fault, ExecFault::Helper { helper, .. } if helper.as_os_str() == "/no/such/helper")
    );
}

#[tokio::test]
async fn a_program_runs_where_it_is_told_to() {
    let spec = ExecSpec { cwd: Some("/usr".into()), ..sh("pwd") };
    let outcome = exec().run(&spec, b"", &ExecLimits::default(), &Stop::never()).await.unwrap();
    assert_eq!(outcome.stdout.bytes, b"/usr\n");
}
