//! What is said of parameters that do not fit, before a run and in it.
//!
//! Keeps: a message names the parameter and what was expected.
//! Not here: what fitting parameters do.

use opcode_actions::Registry;
use opcode_model::ErrorCode;
use opcode_model::action::{Actions, Misfit, ParamProblem};

use crate::kit::{compute, json, perform};

fn check(name: &str, params: &str) -> Vec<ParamProblem> {
    Registry::builtin().check(name, &json(params))
}

/// The one problem there should be.
fn only(name: &str, params: &str) -> ParamProblem {
    let mut found = check(name, params);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn an_unknown_parameter_warns_and_names_the_nearest() {
    let problem = only("http.get", r#"{"url": "http://a/", "header": {}}"#);
    assert_eq!((problem.path.as_str(), problem.kind), ("/header", Misfit::Unread));
    assert_eq!(problem.nearest.as_deref(), Some("headers"));
    assert_eq!(problem.message, "unknown param 'header'");
    let problem = only(
        "http.get",
        r#"{"url": "http://a/", "auth": {"type": "bearer", "token": "x", "tokn": "x"}}"#,
    );
    assert_eq!((problem.path.as_str(), problem.nearest.as_deref()), ("/auth/tokn", Some("token")));
}

#[test]
fn wrong_types_are_errors_that_say_what_was_expected() {
    for (name, params, path, message) in [
        ("http.get", r#"{}"#, "", "missing required param 'url'"),
        ("http.get", r#"{"url": null}"#, "", "missing required param 'url'"),
        ("http.get", r#"{"url": {}}"#, "/url", "param 'url' must be text, got object"),
        ("http.get", r#"{"url": "ftp://a/"}"#, "/url", "param 'url': invalid url \"ftp://a/\""),
        (
            "shell.exec",
            r#"{"command": "a", "args": "b"}"#,
            "/args",
            "param 'args' must be a list, got string",
        ),
        (
            "shell.exec",
            r#"{"command": "a", "args": [[]]}"#,
            "/args/0",
            "param 'args.0' must be text, got list",
        ),
        (
            "shell.exec",
            r#"{"command": "a", "env": {"A": []}}"#,
            "/env/A",
            "param 'env.A' must be text, got list",
        ),
        (
            "shell.exec",
            r#"{"command": "a", "shell": "yes"}"#,
            "/shell",
            "param 'shell' must be true or false, got string",
        ),
        (
            "shell.exec",
            r#"{"command": "a", "timeout": 5}"#,
            "/timeout",
            "param 'timeout' must be a duration such as \"30s\", got int",
        ),
        (
            "fs.read",
            r#"{"path": "a", "encoding": "hex"}"#,
            "/encoding",
            "param 'encoding' must be one of auto, text, base64, got \"hex\"",
        ),
        (
            "http.get",
            r#"{"url": "http://a/", "auth": {}}"#,
            "/auth",
            "missing required param 'type' in 'auth'",
        ),
        (
            "http.get",
            r#"{"url": "http://a/", "max_redirects": 1.5}"#,
            "/max_redirects",
            "param 'max_redirects' must be a whole number, got float",
        ),
        ("fs.write", r#"{"path": "a"}"#, "", "missing required param 'content'"),
        (
            "assert.schema",
            r#"{"data": [], "schema": {}}"#,
            "/data",
            "param 'data' must be an object, got list",
        ),
        ("crypto.hash", r#"[]"#, "", "params must be an object, got list"),
    ] {
        let problem = only(name, params);
        let found = (problem.path.as_str(), problem.message.as_str(), problem.kind);
        assert_eq!(found, (path, message, Misfit::Wrong), "{params}");
    }
}

#[test]
fn what_a_wrong_text_lacks_is_said() {
    let durations = only("shell.exec", r#"{"command": "a", "timeout": "30"}"#);
    assert!(
        durations.kind == Misfit::Wrong && durations.message.contains("units"),
        "{durations:?}"
    );
    let pattern = only("assert.matches", r#"{"value": "a", "pattern": "("}"#);
    assert!(pattern.message.contains("invalid regex pattern"), "{pattern:?}");
}

#[test]
fn what_is_not_known_yet_passes() {
    for (name, params) in [
        (
            "http.get",
            r#"{"url": "${{inputs.url}}", "timeout": "${{inputs.t}}", "headers": "${{inputs.h}}"}"#,
        ),
        (
            "shell.exec",
            r#"{"command": "a", "args": "${{inputs.args}}", "shell": "${{inputs.shell}}"}"#,
        ),
        ("fs.read", r#"{"path": "a", "encoding": "x${{inputs.e}}"}"#),
        ("crypto.hash", r#""${{inputs.all}}""#),
    ] {
        assert_eq!(check(name, params), [], "{params}");
    }
}

#[test]
fn scalars_are_taken_as_text_and_null_as_absent() {
    for (name, params) in [
        ("crypto.hash", r#"{"data": 5, "algorithm": null}"#),
        ("shell.exec", r#"{"command": "a", "args": [1, true, 1.5], "stdin": 3, "env": {"A": 1}}"#),
        (
            "http.get",
            r#"{"url": "http://a/", "headers": {"A": 1, "B": null}, "max_redirects": 3.0}"#,
        ),
        ("fs.write", r#"{"path": 1, "content": null, "mode": "0600"}"#),
        ("assert.equals", r#"{"expected": null, "actual": null}"#),
        ("crypto.uuid", "null"),
    ] {
        assert_eq!(check(name, params), [], "{params}");
    }
    let hash = compute("crypto.hash", r#"{"data": 5}"#).unwrap();
    assert_eq!(hash, compute("crypto.hash", r#"{"data": "5"}"#).unwrap());
    let hash = compute("crypto.hash", r#"{"data": 5.0}"#).unwrap();
    assert_eq!(hash, compute("crypto.hash", r#"{"data": "5"}"#).unwrap());
}

#[tokio::test]
async fn in_a_run_the_action_is_named_too() {
    let failure = perform("http.request", "{}").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Validation);
    assert_eq!(failure.message.as_ref(), "http.request: missing required param 'url'");
    let failure = perform("shell.exec", r#"{"command": "a", "args": 3}"#).await.unwrap_err();
    assert_eq!(failure.message.as_ref(), "shell.exec: param 'args' must be a list, got int");
    assert_eq!(failure.details, json(r#"{"param": "/args"}"#));
    let failure = perform("http.get", r#"{"url": "nowhere"}"#).await.unwrap_err();
    assert_eq!(failure.message.as_ref(), "http.get: invalid url \"nowhere\"");
    let failure = compute("assert.equals", r#"{"expected": 1}"#).unwrap_err();
    assert_eq!(failure.message.as_ref(), "assert.equals: missing required param 'actual'");
    let failure = compute("workflow.log", "{}").unwrap_err();
    assert_eq!(failure.message.as_ref(), "workflow.log: missing required param 'message'");
}

#[test]
fn data_in_the_script_of_a_shell_is_no_data_and_may_stand_beside_it() {
    for (params, paths) in [
        (r#"{"command": "echo ${{ inputs.x }}", "shell": true}"#, &["/command"][..]),
        (r#"{"command": "echo", "args": ["a", "${{ inputs.x }}"], "shell": true}"#, &["/args/1"]),
        (r#"{"command": "${{ inputs.a }}; ${{ inputs.b }}", "shell": true}"#, &["/command"]),
        (r#"{"command": "${{ inputs.script }}", "shell": true}"#, &["/command"]),
        (r#"{"command": "echo \"$X\"", "env": {"X": "${{ inputs.x }}"}, "shell": true}"#, &[]),
        (r#"{"command": "cat", "stdin": "a ${{ inputs.x }}", "shell": true}"#, &[]),
        (r#"{"command": "echo", "args": ["a ${{ inputs.x }}"]}"#, &[]),
    ] {
        let found = check("shell.exec", params);
        assert!(found.iter().all(|problem| problem.kind == Misfit::Spliced), "{params}: {found:?}");
        let found: Vec<&str> = found.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(found, paths, "{params}");
    }
}
