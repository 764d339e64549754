//! `shell.exec`, run for real.
//!
//! Keeps: what a step gets to see of a program.
//! Not here: the death of process trees (`opcode-sandbox`).

use std::time::Duration;

use opcode_actions::{FileRules, Registry, Stop, WorldConfig};
use opcode_model::action::Call;
use opcode_model::limits::OUTPUT_BYTES_MAX;
use opcode_model::{ErrorCode, Limits, Profile, Value, Wishes};
use opcode_sandbox::policy::Rules;

use crate::kit::{call, config, json, perform, perform_in, within};

fn script(text: &str) -> String {
    Value::object([("command", Value::from(text)), ("shell", true.into())]).to_json()
}

#[tokio::test]
async fn the_output_has_its_shape() {
    let output = perform("shell.exec", &script("echo out; echo err >&2; exit 3")).await.unwrap();
    let keys: Vec<String> = output.as_object().unwrap().keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["duration_ms", "exit_code", "killed", "stderr", "stdout", "stdout_raw"]);
    assert_eq!(output.find("exit_code"), Some(&3.into()));
    assert_eq!(output.find("killed"), Some(&false.into()));
    assert_eq!(output.find("stdout"), Some(&"out\n".into()));
    assert_eq!(output.find("stderr"), Some(&"err\n".into()));
}

#[tokio::test]
async fn output_that_is_json_is_parsed() {
    for (printed, wanted) in [
        (r#"{"a":[1]}"#, json(r#"{"a": [1]}"#)),
        ("3\\n", json("3")),
        ("true", json("true")),
        ("3 4", json(r#""3 4""#)),
        ("", json(r#""""#)),
    ] {
        let params = Value::object([
            ("command", Value::from("printf")),
            ("args", Value::list([printed.into()])),
        ]);
        let output = perform("shell.exec", &params.to_json()).await.unwrap();
        assert_eq!(output.find("stdout"), Some(&wanted));
        assert_eq!(output.find("stdout_raw"), Some(&printed.replace("\\n", "\n").into()));
    }
}

#[tokio::test]
async fn arguments_stay_what_they_are_without_a_shell() {
    let params = r#"{"command": "printf", "args": ["%s|", "a b", "$HOME", "\"; exit 1", 7, true]}"#;
    let output = perform("shell.exec", params).await.unwrap();
    assert_eq!(output.find("stdout"), Some(&"a b|$HOME|\"; exit 1|7|true|".into()));
    let joined = r#"{"command": "echo", "args": ["a", "&&", "echo", "b"], "shell": true}"#;
    let output = perform("shell.exec", joined).await.unwrap();
    assert_eq!(output.find("stdout"), Some(&"a\nb\n".into()));
}

#[tokio::test]
async fn the_environment_is_clean() {
    let params = r#"{"command": "env", "env": {"MINE": 1, "LANG": "de_DE.UTF-8", "OPCODE_STEP_ID": "faked"}}"#;
    let output = perform("shell.exec", params).await.unwrap().find("stdout").unwrap().to_text();
    let mut lines: Vec<&str> = output.lines().collect();
    lines.sort_unstable();
    let path = format!("PATH={}", WorldConfig::default().path);
    let wanted = [
        "HOME=/",
        "LANG=de_DE.UTF-8",
        "MINE=1",
        "OPCODE_IDEMPOTENCY_KEY=KEY",
        "OPCODE_STEP_ID=step.a",
        "OPCODE_WORKFLOW_ID=run_1",
        path.as_str(),
        "TMPDIR=/tmp",
    ];
    assert_eq!(lines, wanted);
}

#[tokio::test]
async fn input_and_directory_are_as_given() {
    let params = r#"{"command": "cat; pwd", "shell": true, "stdin": "in\n", "workdir": "/usr"}"#;
    let output = perform("shell.exec", params).await.unwrap();
    assert_eq!(output.find("stdout"), Some(&"in\n/usr\n".into()));
    let output =
        perform("shell.exec", r#"{"command": "pwd", "cwd": "/", "workdir": "/usr"}"#).await;
    assert_eq!(output.unwrap().find("stdout"), Some(&"/\n".into()));
}

#[tokio::test]
async fn a_directory_outside_the_roots_is_denied() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("in")).unwrap();
    std::os::unix::fs::symlink("/usr", dir.path().join("in/out")).unwrap();
    let root = dir.path().join("in");
    let files = FileRules { write: vec![root.clone()], ..FileRules::default() };
    let config = || WorldConfig { files: files.clone(), ..config() };
    for path in ["/usr", &format!("{}/out", root.display())] {
        let params = format!(r#"{{"command": "pwd", "cwd": "{path}"}}"#);
        let failure = perform_in(config(), "shell.exec", &call(&params), Stop::never()).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.code, ErrorCode::PathDenied);
        assert!(failure.message.starts_with("shell.exec: cwd path denied: "), "{failure}");
    }
    let params = format!(r#"{{"command": "pwd", "cwd": "{}"}}"#, root.display());
    assert!(perform_in(config(), "shell.exec", &call(&params), Stop::never()).await.is_ok());
}

#[tokio::test]
async fn its_own_timeout_completes_the_step() {
    let params = r#"{"command": "echo begun; sleep 1000", "shell": true, "timeout": "1s"}"#;
    let output = perform("shell.exec", params).await.unwrap();
    assert_eq!(output.find("killed"), Some(&true.into()));
    assert_eq!(output.find("exit_code"), Some(&(-1).into()));
}

#[tokio::test]
async fn the_steps_timeout_fails_it() {
    let mut call = call(&script("sleep 1000"));
    call.timeout = Some(Duration::from_millis(200));
    let failure = perform_in(config(), "shell.exec", &call, Stop::never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Timeout);
    assert_eq!(failure.message.as_ref(), "shell.exec: timed out after 200ms");
}

#[tokio::test]
async fn a_stop_cancels_it_after_its_end() {
    let (stopper, stop) = Stop::pair();
    let call = call(&script("trap 'exit 0' TERM; sleep 1000 & wait"));
    let running =
        tokio::spawn(async move { perform_in(config(), "shell.exec", &call, stop).await });
    stopper.fire();
    let failure = within(running).await.unwrap().unwrap_err();
    assert_eq!(failure.code, ErrorCode::Cancelled);
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let failure = perform("shell.exec", r#"{"command": "no-such-program"}"#).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Execution);
    let said = "shell.exec: exec: \"no-such-program\": executable file not found in $PATH";
    assert_eq!(failure.message.as_ref(), said);
    let config = WorldConfig { helper: "/no/such/helper".into(), ..config() };
    let failure = perform_in(config, "shell.exec", &call(&script("")), Stop::never()).await;
    assert_eq!(failure.unwrap_err().code, ErrorCode::Isolation);
}

#[tokio::test]
async fn long_output_is_cut_and_says_so() {
    let config = WorldConfig { capture_bytes_max: 10, ..config() };
    let call = call(&script("head -c 1000000 /dev/zero | tr '\\0' x"));
    let output = perform_in(config, "shell.exec", &call, Stop::never()).await.unwrap();
    assert_eq!(output.find("stdout"), Some(&"xxxxxxxxxx".into()));
    assert_eq!(output.find("truncated"), Some(&true.into()));
}

#[tokio::test]
async fn the_longest_output_still_fits_a_step() {
    let params = script(
        "head -c 10000000 /dev/zero | tr '\\0' x; head -c 10000000 /dev/zero | tr '\\0' y >&2",
    );
    let output = perform("shell.exec", &params).await.unwrap();
    assert!(output.weight(usize::MAX) < OUTPUT_BYTES_MAX);
    let whole = |stream: &str| output.find(stream).and_then(Value::as_str).map(str::len);
    assert_eq!((whole("stdout"), whole("stderr")), (Some(10_000_000), Some(10_000_000)));
    assert_eq!(output.find("truncated"), None);
    let binary = script("head -c 10000000 /dev/zero | tr '\\0' '\\377'");
    let output = perform("shell.exec", &binary).await.unwrap();
    assert!(output.weight(usize::MAX) < OUTPUT_BYTES_MAX, "what is no UTF-8 grows and is cut");
    assert_eq!(output.find("truncated"), Some(&true.into()));
}

#[test]
fn the_target_is_the_program() {
    let registry = Registry::builtin();
    let target = registry.find("shell.exec").unwrap().target(&json(r#"{"command": "git"}"#));
    assert_eq!(target.as_deref(), Some("git"));
}

/// A call with wishes for its program.
fn wishing(text: &str, wishes: Wishes) -> Call {
    Call { wishes: Some(wishes.into()), ..call(&script(text)) }
}

fn isolated() -> Wishes {
    Wishes { profile: Some(Profile::Isolated), ..Wishes::default() }
}

#[tokio::test]
async fn an_isolated_step_says_what_was_in_force() {
    let call = wishing("echo $HOME $TMPDIR; pwd; cat /etc/shadow", isolated());
    let output = perform_in(config(), "shell.exec", &call, Stop::never()).await.unwrap();
    let record = output.find("isolation").unwrap();
    assert_eq!(record.find("requested"), Some(&"isolated".into()));
    let degraded = record.find("degraded").and_then(Value::as_list).unwrap();
    if degraded.is_empty() {
        assert_eq!(record.find("effective"), Some(&"isolated".into()));
        assert_eq!(output.find("stdout"), Some(&"/box /tmp\n/box\n".into()));
    }
    // Whoever asks for nothing finds nothing new.
    let usual = perform("shell.exec", &script("true")).await.unwrap();
    assert_eq!(usual.find("isolation"), None);
}

#[tokio::test]
async fn each_limit_fails_with_its_name_and_number() {
    let limits = Limits::default();
    for (limits, text, code, said) in [
        (
            Limits { memory_bytes: Some(32 << 20), ..limits },
            "perl -e '@a = map { \"x\" x (1 << 20) } 1..60; sleep 100'",
            ErrorCode::LimitExceeded,
            "shell.exec: killed, because `memory` is limited to 33554432 bytes",
        ),
        (
            Limits { output_bytes: Some(1_000), ..limits },
            "yes",
            ErrorCode::LimitExceeded,
            "shell.exec: killed, because `output` is limited to 1000 bytes",
        ),
        (
            Limits { cpu_time: Some(Duration::from_millis(300)), ..limits },
            "while :; do :; done",
            ErrorCode::LimitExceeded,
            "shell.exec: killed, because `cpu_time` is limited to 300ms",
        ),
        (
            Limits { pids: Some(8), ..limits },
            "for i in $(seq 12); do sleep 100 & done; wait",
            ErrorCode::LimitExceeded,
            "shell.exec: killed, because `pids` is limited to 8 processes and threads",
        ),
        (
            Limits { wall_time: Some(Duration::from_millis(200)), ..limits },
            "sleep 100",
            ErrorCode::Timeout,
            "shell.exec: killed, because `wall_time` is limited to 200ms",
        ),
    ] {
        let call = wishing(text, Wishes { limits, ..Wishes::default() });
        let failure = perform_in(config(), "shell.exec", &call, Stop::never()).await.unwrap_err();
        assert_eq!((failure.code, failure.message.as_ref()), (code, said), "{failure:?}");
        let limit = failure.details.find("limit").map(Value::to_text).unwrap();
        assert!(said.contains(&format!("`{limit}`")));
    }
}

#[tokio::test]
async fn what_the_server_demands_is_not_loosened() {
    let strict = |rules: Rules| WorldConfig { rules, ..config() };
    let least = Rules { minimum: Profile::Isolated, ..Rules::default() };
    let weak = wishing("true", Wishes { profile: Some(Profile::Process), ..Wishes::default() });
    let failure = perform_in(strict(least.clone()), "shell.exec", &weak, Stop::never()).await;
    let failure = failure.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Isolation);
    assert!(failure.message.contains("weaker than `isolated`"), "{failure}");
    // A step that wishes nothing gets it.
    let plain = call(&script("true"));
    let output = perform_in(strict(least), "shell.exec", &plain, Stop::never()).await;
    let record = output.unwrap().find("isolation").cloned().unwrap();
    assert_eq!(record.find("requested"), Some(&"isolated".into()));
    // And nobody raises a limit.
    let limits = Limits { output_bytes: Some(10), ..Limits::default() };
    let generous = Limits { output_bytes: Some(1_000_000), ..Limits::default() };
    let call = wishing("echo 0123456789", Wishes { limits: generous, ..Wishes::default() });
    let few = strict(Rules { limits, ..Rules::default() });
    let failure = perform_in(few, "shell.exec", &call, Stop::never()).await.unwrap_err();
    assert!(failure.message.contains("limited to 10 bytes"), "{failure}");
}

#[tokio::test]
async fn the_servers_variables_reach_programs_by_name() {
    let shell_env = [("FROM_SERVER".to_owned(), "yes".to_owned())].into();
    let world = WorldConfig { shell_env, ..config() };
    let call = call(&script("echo $FROM_SERVER"));
    let output = perform_in(world, "shell.exec", &call, Stop::never()).await.unwrap();
    assert_eq!(output.find("stdout"), Some(&"yes\n".into()));
}
