//! File actions without roots.
//!
//! Keeps: output shapes as agents know them.
//! Not here: what roots refuse (`roots.rs`).

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use opcode_actions::{Stop, WorldConfig};
use opcode_model::{ErrorCode, Failure, Value};
use tempfile::{TempDir, tempdir};

use crate::kit::{call, config, json, perform, perform_in};

/// Performs an action on `name` in `dir`; `rest` are further parameters.
async fn on(dir: &TempDir, action: &str, name: &str, rest: &str) -> Result<Value, Failure> {
    let path = dir.path().join(name);
    perform(action, &format!(r#"{{"path": "{}"{rest}}}"#, path.display())).await
}

/// The same for two places.
async fn between(
    dir: &TempDir,
    action: &str,
    src: &str,
    dst: &str,
    rest: &str,
) -> Result<Value, Failure> {
    let (src, dst) = (dir.path().join(src), dir.path().join(dst));
    let params = format!(r#"{{"src": "{}", "dst": "{}"{rest}}}"#, src.display(), dst.display());
    perform(action, &params).await
}

fn shape(output: &Value) -> String {
    output.as_object().unwrap().keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn text(output: &Value, member: &str) -> String {
    output.find(member).unwrap().to_text()
}

fn names(output: &Value) -> Vec<String> {
    let entries = output.find("entries").unwrap().as_list().unwrap();
    entries.iter().map(|entry| text(entry, "name")).collect()
}

#[tokio::test]
async fn reading_tells_text_from_anything_else() {
    let dir = tempdir().unwrap();
    for (content, encoding, wanted) in [
        (&b"h\xc3\xa9llo\n"[..], "text", "héllo\n"),
        (b"", "text", ""),
        (b"a\0b", "base64", "YQBi"),
        (b"\xff\xfe", "base64", "//4="),
    ] {
        fs::write(dir.path().join("f"), content).unwrap();
        let output = on(&dir, "fs.read", "f", "").await.unwrap();
        assert_eq!(shape(&output), "content encoding path size");
        assert_eq!(
            (text(&output, "encoding").as_str(), text(&output, "content").as_str()),
            (encoding, wanted)
        );
        assert_eq!(output.find("size"), Some(&content.len().into()));
        assert_eq!(text(&output, "path"), dir.path().join("f").display().to_string());
    }
    let forced = on(&dir, "fs.read", "f", r#", "encoding": "text""#).await.unwrap();
    assert_eq!(text(&forced, "content"), "\u{fffd}\u{fffd}");
    fs::write(dir.path().join("f"), "hi").unwrap();
    let forced = on(&dir, "fs.read", "f", r#", "encoding": "base64""#).await.unwrap();
    assert_eq!(text(&forced, "content"), "aGk=");
}

#[tokio::test]
async fn a_long_file_is_cut_between_characters() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("f"), "aé").unwrap();
    let path = dir.path().join("f").display().to_string();
    let read = call(&format!(r#"{{"path": "{path}"}}"#));
    let config = |file_bytes_max| WorldConfig { file_bytes_max, ..config() };
    let output = perform_in(config(2), "fs.read", &read, Stop::never()).await.unwrap();
    let wanted =
        format!(r#"{{"content":"a","encoding":"text","path":"{path}","size":2,"truncated":true}}"#);
    assert_eq!(output.to_json(), wanted);
    let output = perform_in(config(3), "fs.read", &read, Stop::never()).await.unwrap();
    assert_eq!(output.find("truncated"), None);
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    let dir = tempdir().unwrap();
    let failure = on(&dir, "fs.read", "none", "").await.unwrap_err();
    let path = dir.path().join("none").display().to_string();
    assert_eq!(failure.code, ErrorCode::Execution);
    assert_eq!(
        failure.message.as_ref(),
        format!("fs.read: open {path}: no such file or directory")
    );
    let failure = on(&dir, "fs.read", "", "").await.unwrap_err();
    assert!(failure.message.contains("is a directory"), "{failure}");
    // A pipe without a writer would block a careless reader for ever.
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("p")).status().unwrap();
    assert!(made.success());
    let failure = on(&dir, "fs.read", "p", "").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::PathDenied);
    assert!(failure.message.contains("neither a file nor a directory"), "{failure}");
    let failure = perform("fs.read", r#"{"path": "a\u0000b"}"#).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Execution);
}

#[tokio::test]
async fn writing_replaces_and_appending_adds() {
    let dir = tempdir().unwrap();
    let output = on(&dir, "fs.write", "f", r#", "content": "hello""#).await.unwrap();
    assert_eq!((shape(&output).as_str(), output.find("size")), ("path size", Some(&5.into())));
    on(&dir, "fs.write", "f", r#", "content": {"a": 1}, "mode": 384"#).await.unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("f")).unwrap(), r#"{"a":1}"#);
    let mode =
        |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("f"), 0o644, "mode is for new files only");
    on(&dir, "fs.write", "g", r#", "content": 7, "mode": 384"#).await.unwrap();
    on(&dir, "fs.write", "h", r#", "content": null, "mode": "0640""#).await.unwrap();
    assert_eq!((mode("g"), mode("h")), (0o600, 0o640));
    let output = on(&dir, "fs.append", "f", r#", "content": "!""#).await.unwrap();
    assert_eq!(output.find("size"), Some(&8.into()));
    on(&dir, "fs.append", "new", r#", "content": "!""#).await.unwrap();
    assert_eq!(mode("new"), 0o644);
    let failure = on(&dir, "fs.write", "a/b/f", r#", "content": """#).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Execution);
    on(&dir, "fs.write", "a/b/f", r#", "content": "", "create_dirs": true"#).await.unwrap();
    assert_eq!(mode("a/b"), 0o755);
}

#[tokio::test]
async fn deleting_knows_empty_full_and_missing() {
    let dir = tempdir().unwrap();
    fs::create_dir_all(dir.path().join("full/deep/er")).unwrap();
    fs::write(dir.path().join("full/deep/f"), "").unwrap();
    fs::create_dir(dir.path().join("kept")).unwrap();
    fs::write(dir.path().join("kept/f"), "").unwrap();
    symlink(dir.path().join("kept"), dir.path().join("full/link")).unwrap();
    assert_eq!(on(&dir, "fs.delete", "full", "").await.unwrap_err().code, ErrorCode::Execution);
    assert_eq!(on(&dir, "fs.delete", "none", "").await.unwrap_err().code, ErrorCode::Execution);
    let output = on(&dir, "fs.delete", "full", r#", "recursive": true"#).await.unwrap();
    assert_eq!(
        (shape(&output).as_str(), output.find("deleted")),
        ("deleted path", Some(&true.into()))
    );
    assert!(!dir.path().join("full").exists() && dir.path().join("kept/f").exists());
    for missing in ["full", "no/such/place"] {
        on(&dir, "fs.delete", missing, r#", "recursive": true"#).await.unwrap();
    }
    on(&dir, "fs.delete", "kept/f", "").await.unwrap();
    on(&dir, "fs.delete", "kept", "").await.unwrap();
    assert_eq!(
        perform("fs.delete", r#"{"path": "/", "recursive": true}"#).await.unwrap_err().code,
        ErrorCode::PathDenied
    );
}

#[tokio::test]
async fn listing_sorts_filters_and_descends() {
    let dir = tempdir().unwrap();
    for name in ["b.txt", "a.txt", "sub/c.txt", "sub/d.log", "sub/in/e.txt"] {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), "12").unwrap();
    }
    symlink(dir.path().join("sub"), dir.path().join("z")).unwrap();
    let list = async |rest: &str| on(&dir, "fs.list", "", rest).await.unwrap();
    let all = list("").await;
    assert_eq!((shape(&all).as_str(), names(&all)), ("entries path", strings("a.txt b.txt sub z")));
    let first = &all.find("entries").unwrap().as_list().unwrap()[0];
    assert_eq!(shape(first), "is_dir modified_at name path size");
    assert_eq!(text(first, "path"), dir.path().join("a.txt").display().to_string());
    assert_eq!(text(first, "modified_at").len(), "2026-11-20T15:41:07Z".len());
    let deep = list(r#", "recursive": true"#).await;
    assert_eq!(names(&deep), strings("a.txt b.txt sub c.txt d.log in e.txt z"));
    let texts = list(r#", "recursive": true, "pattern": "*.txt""#).await;
    assert_eq!(names(&texts), strings("a.txt b.txt c.txt e.txt"));
    assert_eq!(names(&list(r#", "pattern": "[ab].txt""#).await), strings("a.txt b.txt"));
    assert_eq!(names(&list(r#", "pattern": "sub/*.txt""#).await), strings("c.txt"));
    let linked = list(r#", "pattern": "z""#).await;
    assert_eq!(
        linked.find("entries").unwrap().as_list().unwrap()[0].find("is_dir"),
        Some(&true.into())
    );
    assert_eq!(
        names(&on(&dir, "fs.list", "none", r#", "pattern": "*""#).await.unwrap()),
        strings("")
    );
    assert_eq!(on(&dir, "fs.list", "none", "").await.unwrap_err().code, ErrorCode::Execution);
    let malformed = on(&dir, "fs.list", "", r#", "pattern": "[""#).await.unwrap_err();
    assert_eq!(malformed.code, ErrorCode::Validation);
}

fn strings(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn stat_follows_symlinks() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("f"), "123").unwrap();
    fs::set_permissions(dir.path().join("f"), fs::Permissions::from_mode(0o4640)).unwrap();
    symlink("f", dir.path().join("l")).unwrap();
    let output = on(&dir, "fs.stat", "l", "").await.unwrap();
    assert_eq!(shape(&output), "is_dir modified_at path permissions size");
    assert_eq!(
        (text(&output, "permissions").as_str(), output.find("size")),
        ("0640", Some(&3.into()))
    );
    assert_eq!(on(&dir, "fs.stat", "", "").await.unwrap().find("is_dir"), Some(&true.into()));
}

#[tokio::test]
async fn copying_keeps_modes_and_counts_bytes() {
    let dir = tempdir().unwrap();
    fs::create_dir_all(dir.path().join("tree/in")).unwrap();
    fs::write(dir.path().join("tree/f"), "123").unwrap();
    fs::write(dir.path().join("tree/in/g"), "45").unwrap();
    fs::set_permissions(dir.path().join("tree/f"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("f", dir.path().join("tree/l")).unwrap();
    let output =
        between(&dir, "fs.copy", "tree/f", "new/f", r#", "create_dirs": true"#).await.unwrap();
    assert_eq!(shape(&output), "dst is_dir size src");
    assert_eq!(fs::metadata(dir.path().join("new/f")).unwrap().permissions().mode() & 0o777, 0o700);
    let output = between(&dir, "fs.copy", "tree", "copy", "").await.unwrap();
    assert_eq!((output.find("is_dir"), output.find("size")), (Some(&true.into()), Some(&5.into())));
    assert_eq!(fs::read_link(dir.path().join("copy/l")).unwrap(), Path::new("f"));
    assert_eq!(fs::read_to_string(dir.path().join("copy/in/g")).unwrap(), "45");
    // Running it again does the same.
    assert_eq!(between(&dir, "fs.copy", "tree", "copy", "").await.unwrap(), output);
    for (src, dst) in [("tree", "tree/in/x"), ("tree/f", "tree/f"), ("tree/f", "tree/l")] {
        let failure = between(&dir, "fs.copy", src, dst, "").await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Validation, "{src} {dst}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("tree/f")).unwrap(), "123");
    assert_eq!(
        between(&dir, "fs.copy", "none", "x", "").await.unwrap_err().code,
        ErrorCode::Execution
    );
}

#[tokio::test]
async fn moving_renames() {
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("d")).unwrap();
    fs::write(dir.path().join("d/f"), "123").unwrap();
    let output =
        between(&dir, "fs.move", "d/f", "new/g", r#", "create_dirs": true"#).await.unwrap();
    assert_eq!(
        (shape(&output).as_str(), output.find("size")),
        ("dst is_dir size src", Some(&3.into()))
    );
    assert!(!dir.path().join("d/f").exists() && dir.path().join("new/g").exists());
    assert_eq!(
        between(&dir, "fs.move", "new", "d/new", "").await.unwrap().find("is_dir"),
        Some(&true.into())
    );
    let failure = between(&dir, "fs.move", "none", "x", "").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Execution);
}

#[tokio::test]
async fn moving_to_another_file_system_copies_and_deletes() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { panic!("no second file system here") };
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("d")).unwrap();
    fs::write(dir.path().join("d/f"), "123").unwrap();
    let dst = other.path().join("d");
    let output = between(&dir, "fs.move", "d", &dst.display().to_string(), "").await.unwrap();
    assert_eq!(
        (output.find("is_dir"), fs::read_to_string(dst.join("f")).unwrap().as_str()),
        (Some(&true.into()), "123")
    );
    assert!(!dir.path().join("d").exists());
}

#[tokio::test]
async fn paths_are_tidied_by_name() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("f"), "1").unwrap();
    let output = on(&dir, "fs.stat", "no/../such/.././f", "").await.unwrap();
    assert_eq!(text(&output, "path"), dir.path().join("f").display().to_string());
}

#[tokio::test]
async fn a_stop_and_a_timeout_are_kept() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("f"), "1").unwrap();
    let mut read = call("{}");
    read.params = json(&format!(r#"{{"path": "{}"}}"#, dir.path().join("f").display()));
    let (stopper, stop) = Stop::pair();
    stopper.fire();
    let failure = perform_in(config(), "fs.read", &read, stop).await.unwrap_err();
    assert_eq!(
        (failure.code, failure.message.as_ref()),
        (ErrorCode::Cancelled, "fs.read: told to stop")
    );
    read.timeout = Some(Duration::ZERO);
    let failure = perform_in(config(), "fs.read", &read, Stop::never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Timeout);
}

#[tokio::test]
async fn an_endless_file_can_be_stopped() {
    let (stopper, stop) = Stop::pair();
    let dir = tempdir().unwrap();
    let copy = format!(
        r#"{{"path": "/dev/zero", "encoding": "base64", "x": "{}"}}"#,
        dir.path().display()
    );
    let config = WorldConfig { file_bytes_max: usize::MAX, ..config() };
    let copy = call(&copy);
    let running = tokio::spawn(async move { perform_in(config, "fs.read", &copy, stop).await });
    stopper.fire();
    assert_eq!(running.await.unwrap().unwrap_err().code, ErrorCode::Cancelled);
}
