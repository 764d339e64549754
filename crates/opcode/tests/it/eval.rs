//! `opcode eval`: three languages, data and scope, mistakes at their place, one after the other.
//!
//! Keeps: no store is made.
//! Not here: the languages (`opcode-expr`).

use std::io::Write;

use rustix::process::Signal;
use serde_json::{Value as Json, json};

use crate::kit::Home;

/// The answer for machines.
fn eval(home: &Home, words: &[&str]) -> Json {
    home.opcode(&[&["eval", "--json"], words].concat()).ended(0).json()
}

#[test]
fn each_language_answers() {
    let home = Home::new();
    home.file("data.json", r#"{"items": [{"n": 1}, {"n": 5}]}"#);
    home.file("scope.json", r#"{"inputs": {"limit": 3}, "steps": {"a": {"n": 4}}}"#);
    let data = ["--data", "data.json"];
    let scope = ["--scope", "scope.json"];
    let with = |more: &[&str], words: &[&'static str]| eval(&home, &[words, more].concat());
    assert_eq!(with(&data, &["items.filter(i, i.n > 2)"]), json!({"result": [{"n": 5}]}));
    assert_eq!(with(&scope, &["steps.a.n > inputs.limit"]), json!({"result": true}));
    assert_eq!(with(&data, &["--lang", "expr", "sum(items, .n)"]), json!({"result": 6}));
    assert_eq!(with(&data, &["--lang", "expr", "keys($env)"]), json!({"result": ["items"]}));
    assert_eq!(with(&data, &["--lang", "expr", "data == $env"]), json!({"result": true}));
    assert_eq!(with(&scope, &["--lang", "expr", "steps.a.n + inputs.limit"]), json!({"result": 7}));
    assert_eq!(with(&data, &["--lang", "jq", ".items[].n"]), json!({"results": [1, 5]}));
    assert_eq!(with(&data, &["--lang", "jq", "empty"]), json!({"result": null}));
    assert_eq!(with(&scope, &["--lang", "jq", ".steps.a.n * 2"]), json!({"result": 8}));
    let fed = home.feed(&["eval", "--lang", "jq", ".[1]", "--data", "-"], "[1, {\"a\": 2}]");
    assert_eq!(fed.ended(0).out, "{\n  \"a\": 2\n}\n");
    assert!(!home.db().exists());
}

#[test]
fn a_mistake_is_shown_at_its_place() {
    let home = Home::new();
    let refused = home.opcode(&["eval", "1 +* 2"]).ended(2);
    assert!(refused.err.contains("[VALIDATION_ERROR]"), "{refused:?}");
    assert!(refused.err.contains("    1 +* 2\n       ^"), "{refused:?}");
    assert_eq!(refused.out, "");
    let failed = home.opcode(&["eval", "--lang", "jq", "--json", ".a.b", "--data", "-"]);
    assert_eq!(failed.code, 2, "{failed:?}");
    let failed =
        home.feed(&["eval", "--lang", "jq", "--json", ".[0].b", "--data", "-"], "[1]").ended(1);
    let error = &failed.json()["error"];
    assert_eq!(error["code"], "EXECUTION_ERROR");
    assert_eq!(error["message"], "expected an object but got: number (1)");
    assert_eq!(error["span"], json!({"start": 4, "end": 6}));
    let endless = home.opcode(&["eval", "--lang", "jq", "[repeat(1)]"]).ended(1);
    assert!(endless.err.contains("[LIMIT_EXCEEDED]"), "{endless:?}");
}

#[test]
fn expr_is_as_strict_as_go_unless_told_otherwise() {
    let home = Home::new();
    home.file("data.json", r#"{"i": 1, "list": ["a", "b"]}"#);
    let index = ["list[i]", "--lang", "expr", "--data", "data.json"];
    let strict = home.opcode(&[&["eval"], &index[..]].concat()).ended(2);
    assert!(strict.err.contains("--lenient"), "{strict:?}");
    assert_eq!(eval(&home, &[&index[..], &["--lenient"]].concat()), json!({"result": "b"}));
}

#[test]
fn expressions_are_taken_line_by_line() {
    let home = Home::new();
    let lines = "1 + 1\n:jq\n[1, 2] | add\n.a +\n\n:expr\nlen('abc')\n:q\n9\n";
    let said = home.feed(&["eval", "-i"], lines).ended(0);
    assert_eq!(said.out, "2\n3\n3\n");
    assert!(said.err.contains("[VALIDATION_ERROR]"), "{said:?}");
}

#[test]
fn ctrl_c_leaves_an_evaluation_but_not_the_prompt() {
    let home = Home::new();
    let mut talk = home.converse("talk", &["eval", "-i", "--lang", "jq"]);
    let mut stdin = talk.child.stdin.take().unwrap();
    stdin.write_all("last(repeat(1))\n".repeat(4).as_bytes()).unwrap();
    talk.until_says("[LIMIT_EXCEEDED]");
    // By the time another process has come and gone, the next evaluation is well under way.
    drop(home.opcode(&["version"]).ended(0));
    talk.signal(Signal::INT);
    talk.until_says("[CANCELLED]");
    stdin.write_all(b"\"still here\"\n").unwrap();
    drop(stdin);
    let said = talk.end().ended(0);
    assert_eq!(said.out, "\"still here\"\n");
    assert_eq!(said.err.matches("[CANCELLED] it was interrupted").count(), 1, "{said:?}");
    assert_eq!(said.err.matches("[LIMIT_EXCEEDED]").count(), 3, "{said:?}");
}

#[test]
fn ctrl_c_at_the_prompt_ends_it() {
    let home = Home::new();
    let mut talk = home.converse("talk", &["eval", "-i"]);
    let mut stdin = talk.child.stdin.take().unwrap();
    stdin.write_all(b"1 +\n").unwrap();
    talk.until_says("[VALIDATION_ERROR]");
    talk.signal(Signal::INT);
    talk.end().ended(130);
}
