//! The actions that touch nothing: digests, assertions, wishes to the engine.
//!
//! Keeps: known vectors, and each way to fail.
//! Not here: their examples (`pages.rs`).

use opcode_actions::Registry;
use opcode_model::action::{Actions, Answer, NativeCall};
use opcode_model::{ErrorCode, Value};

use crate::kit::{compute, json};

fn native(name: &str, params: &str) -> NativeCall {
    match Registry::builtin().compute(name, &json(params)).unwrap() {
        Answer::Native(call) => *call,
        Answer::Value(value) => panic!("{value}"),
    }
}

#[test]
fn digests_agree_with_the_standards() {
    for (algorithm, start) in [
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"),
        ("sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"),
    ] {
        let output =
            compute("crypto.hash", &format!(r#"{{"data": "abc", "algorithm": "{algorithm}"}}"#));
        let output = output.unwrap();
        assert_eq!(output.find("algorithm").and_then(Value::as_str), Some(algorithm));
        assert!(output.find("hash").unwrap().to_text().starts_with(start), "{output}");
    }
    // RFC 2202, case 2.
    let data = "what do ya want for nothing?";
    for (algorithm, hmac) in [
        ("md5", "750c783e6ab0b503eaa86e310a5db738"),
        ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ] {
        let params = format!(r#"{{"data": "{data}", "key": "Jefe", "algorithm": "{algorithm}"}}"#);
        assert_eq!(compute("crypto.hmac", &params).unwrap().find("hmac"), Some(&hmac.into()));
    }
    let failure = compute("crypto.hash", r#"{"data": "x", "algorithm": "crc"}"#).unwrap_err();
    assert_eq!(failure.code, ErrorCode::Validation);
}

#[test]
fn uuids_are_random() {
    let draw = || compute("crypto.uuid", "{}").unwrap().find("uuid").unwrap().to_text();
    let (one, other) = (draw(), draw());
    assert_ne!(one, other);
    assert_eq!(one.as_bytes()[14], b'4');
}

#[test]
fn equality_is_deep_and_kind_to_text() {
    for same in [
        r#"{"expected": {"a": [1, {"b": null}]}, "actual": {"a": [1.0, {"b": null}]}}"#,
        r#"{"expected": "200", "actual": 200}"#,
        r#"{"expected": true, "actual": "true"}"#,
        r#"{"expected": 1, "actual": 1.0}"#,
        r#"{"expected": 2.0, "actual": "2"}"#,
        r#"{"expected": null, "actual": null}"#,
    ] {
        assert_eq!(compute("assert.equals", same).unwrap(), json(r#"{"pass": true}"#), "{same}");
    }
    for different in [
        r#"{"expected": "200", "actual": 201}"#,
        r#"{"expected": "", "actual": null}"#,
        r#"{"expected": true, "actual": 1}"#,
        r#"{"expected": "[1]", "actual": [1]}"#,
        r#"{"expected": ["1"], "actual": [1]}"#,
        r#"{"expected": "1", "actual": "01"}"#,
    ] {
        let failure = compute("assert.equals", different).unwrap_err();
        assert_eq!(failure.code, ErrorCode::AssertionFailed, "{different}");
        assert_eq!(failure.message.as_ref(), "assertion failed: values are not equal");
        assert_eq!(failure.details, json(different));
    }
    let failure = compute("assert.equals", r#"{"expected": 1, "actual": 2, "message": "no"}"#);
    assert_eq!(failure.unwrap_err().message.as_ref(), "no");
}

#[test]
fn containment_works_in_text_and_lists() {
    for holds in [
        r#"{"haystack": "abc 12", "needle": 12}"#,
        r#"{"haystack": [{"a": 1}], "needle": {"a": 1}}"#,
        r#"{"haystack": "abc", "needle": ""}"#,
    ] {
        assert_eq!(compute("assert.contains", holds).unwrap(), json(r#"{"pass": true}"#));
    }
    let failure = compute("assert.contains", r#"{"haystack": [1], "needle": 2}"#).unwrap_err();
    assert_eq!(failure.message.as_ref(), "assertion failed: value not found");
    let failure = compute("assert.contains", r#"{"haystack": 12, "needle": 2}"#).unwrap_err();
    assert_eq!(failure.code, ErrorCode::Validation);
}

#[test]
fn patterns_are_searched_for() {
    let output = compute("assert.matches", r#"{"value": 12345, "pattern": "3."}"#).unwrap();
    assert_eq!(output, json(r#"{"matches": "34", "pass": true}"#));
    let failure = compute("assert.matches", r#"{"value": "a", "pattern": "b"}"#).unwrap_err();
    assert_eq!(failure.message.as_ref(), "assertion failed: value does not match pattern");
    let failure = compute("assert.matches", r#"{"value": "a", "pattern": "("}"#).unwrap_err();
    assert_eq!(failure.code, ErrorCode::Validation);
    assert!(failure.message.contains("invalid regex pattern"), "{failure}");
}

#[test]
fn schemas_list_every_violation() {
    let params = r#"{"data": {"a": "x", "b": "no mail"}, "schema": {
        "properties": {"a": {"type": "integer"}, "b": {"format": "email"}}, "required": ["c"]}}"#;
    let failure = compute("assert.schema", params).unwrap_err();
    assert_eq!(failure.message.as_ref(), "assertion failed: data does not match schema");
    assert_eq!(
        failure.details.find("violations").and_then(Value::as_list).map(<[_]>::len),
        Some(3)
    );
    let broken = compute("assert.schema", r#"{"data": {}, "schema": {"type": 7}}"#).unwrap_err();
    assert_eq!(broken.code, ErrorCode::Validation);
    let far = r#"{"data": {}, "schema": {"$ref": "http://127.0.0.1:9/schema.json"}}"#;
    assert_eq!(compute("assert.schema", far).unwrap_err().code, ErrorCode::Validation);
}

#[test]
fn wishes_reach_the_engine_typed() {
    let NativeCall::RunChild { template, version, params } =
        native("workflow.run", r#"{"template_name": "t", "version": 2}"#)
    else {
        panic!("not a child");
    };
    assert_eq!((template.as_ref(), version.as_deref()), ("t", Some("2")));
    assert_eq!(params, json("{}"));
    assert_eq!(
        native("workflow.log", r#"{"message": 7, "extra": 1}"#),
        NativeCall::Log { level: "info".into(), message: "7".into(), data: Value::Null }
    );
    assert_eq!(
        native("workflow.notify", r#"{"message": "m", "data": [1]}"#),
        NativeCall::Notify { message: "m".into(), data: json("[1]") }
    );
    assert_eq!(
        native("workflow.context", r#"{"action": "read"}"#),
        NativeCall::ReadContext { workflow_id: None }
    );
    assert_eq!(
        native(
            "workflow.context",
            r#"{"action": "update", "workflow_id": "w", "agent_notes": "n"}"#
        ),
        NativeCall::UpdateContext {
            workflow_id: Some("w".into()),
            data: json("{}"),
            agent_notes: Some("n".into())
        }
    );
}

#[test]
fn emit_knows_the_names_authors_use() {
    let emit = |event_type: &str, payload: &str| NativeCall::Emit {
        event_type: event_type.into(),
        payload: json(payload),
    };
    for (params, wanted) in [
        (r#"{"event_type": "a", "payload": 1}"#, emit("a", "1")),
        (r#"{"event": "a", "data": {"b": 1}}"#, emit("a", r#"{"b": 1}"#)),
        (r#"{"signal": "a"}"#, emit("a", "null")),
        (r#"{"payload": 1}"#, emit("workflow.emit", "1")),
    ] {
        assert_eq!(native("workflow.emit", params), wanted);
    }
}

#[test]
fn failing_on_purpose_is_final() {
    let failure = compute("workflow.fail", "{}").unwrap_err();
    assert_eq!(
        (failure.code, failure.message.as_ref()),
        (ErrorCode::NonRetryable, "workflow.fail invoked")
    );
}
