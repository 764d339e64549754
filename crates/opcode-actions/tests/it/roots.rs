//! What lies outside the roots stays outside, whoever moves the symlinks.
//!
//! Keeps: every file action is tried on every way out.
//! Not here: what they do inside (`files.rs`).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opcode_actions::{FileRules, Registry, Stop, World, WorldConfig, WorldFault};
use opcode_model::ErrorCode;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::{TempDir, tempdir};

use crate::kit::{call, config, perform_in};

/// `in` is the root; `out` holds a secret; links lead from one to the other.
fn fenced() -> (TempDir, WorldConfig) {
    let dir = tempdir().unwrap();
    for name in ["in/sub", "out"] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("in/f"), "inside").unwrap();
    fs::write(dir.path().join("out/secret"), "outside").unwrap();
    symlink("../out", dir.path().join("in/up")).unwrap();
    symlink(dir.path().join("out"), dir.path().join("in/abs")).unwrap();
    symlink("../out/secret", dir.path().join("in/file")).unwrap();
    symlink("/proc/self/root/etc", dir.path().join("in/magic")).unwrap();
    symlink("f", dir.path().join("in/near")).unwrap();
    let files = FileRules { write: vec![dir.path().join("in")], ..FileRules::default() };
    let config = WorldConfig { files, ..config() };
    (dir, config)
}

#[tokio::test]
async fn every_way_out_is_denied() {
    let (dir, config) = fenced();
    let inside = dir.path().join("in");
    let ways: Vec<PathBuf> = vec![
        "/etc/passwd".into(),
        dir.path().join("out/secret"),
        inside.join("../out/secret"),
        inside.join("up/secret"),
        inside.join("abs/secret"),
        inside.join("magic/passwd"),
    ];
    for way in &ways {
        for (action, rest) in [
            ("fs.read", ""),
            ("fs.write", r#", "content": "x""#),
            ("fs.write", r#", "content": "x", "create_dirs": true"#),
            ("fs.append", r#", "content": "x""#),
            ("fs.delete", ""),
            ("fs.delete", r#", "recursive": true"#),
            ("fs.stat", ""),
            ("fs.list", ""),
        ] {
            let params = format!(r#"{{"path": "{}"{rest}}}"#, way.display());
            let failure = perform_in(config.clone(), action, &call(&params), Stop::never()).await;
            let failure = failure.unwrap_err();
            assert_eq!(failure.code, ErrorCode::PathDenied, "{action} {}", way.display());
            assert!(failure.message.starts_with(&format!("{action}: path denied: ")), "{failure}");
        }
        for action in ["fs.copy", "fs.move"] {
            for (src, dst) in [(way, &inside.join("x")), (&inside.join("f"), way)] {
                let (src, dst) = (src.display(), dst.display());
                let params = format!(r#"{{"src": "{src}", "dst": "{dst}"}}"#);
                let failure =
                    perform_in(config.clone(), action, &call(&params), Stop::never()).await;
                assert_eq!(
                    failure.unwrap_err().code,
                    ErrorCode::PathDenied,
                    "{action} {src} {dst}"
                );
            }
        }
    }
    for action in ["fs.read", "fs.stat"] {
        let params = format!(r#"{{"path": "{}"}}"#, inside.join("file").display());
        let failure = perform_in(config.clone(), action, &call(&params), Stop::never()).await;
        assert_eq!(failure.unwrap_err().code, ErrorCode::PathDenied, "{action}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("out/secret")).unwrap(), "outside");
    assert_eq!(fs::read_to_string(inside.join("f")).unwrap(), "inside");
}

#[tokio::test]
async fn inside_everything_works() {
    let (dir, config) = fenced();
    let inside = dir.path().join("in");
    let at = |name: &str| inside.join(name).display().to_string();
    for (action, params) in [
        ("fs.read", format!(r#"{{"path": "{}"}}"#, at("near"))),
        (
            "fs.write",
            format!(r#"{{"path": "{}", "content": "x", "create_dirs": true}}"#, at("new/deep/f")),
        ),
        ("fs.append", format!(r#"{{"path": "{}", "content": "x"}}"#, at("new/deep/f"))),
        ("fs.copy", format!(r#"{{"src": "{}", "dst": "{}"}}"#, at("new"), at("copy"))),
        ("fs.move", format!(r#"{{"src": "{}", "dst": "{}"}}"#, at("copy"), at("sub/copy"))),
        ("fs.list", format!(r#"{{"path": "{}", "recursive": true}}"#, at(""))),
        ("fs.list", format!(r#"{{"path": "{}", "pattern": "*"}}"#, at(""))),
        ("fs.stat", format!(r#"{{"path": "{}"}}"#, at(""))),
        // The link goes, not what it points to.
        ("fs.delete", format!(r#"{{"path": "{}", "recursive": true}}"#, at("up"))),
        ("fs.delete", format!(r#"{{"path": "{}"}}"#, at("file"))),
        ("fs.delete", format!(r#"{{"path": "{}", "recursive": true}}"#, at("sub"))),
    ] {
        let done = perform_in(config.clone(), action, &call(&params), Stop::never()).await;
        assert!(done.is_ok(), "{action} {params}: {done:?}");
    }
    assert!(dir.path().join("out/secret").exists() && !inside.join("sub").exists());
    let root = format!(r#"{{"path": "{}", "recursive": true}}"#, at(""));
    let failure = perform_in(config.clone(), "fs.delete", &call(&root), Stop::never()).await;
    assert_eq!(failure.unwrap_err().code, ErrorCode::PathDenied);
}

#[tokio::test]
async fn a_directory_that_turns_into_a_symlink_lets_nobody_out() {
    let (dir, config) = fenced();
    let (real, link) = (dir.path().join("in/real"), dir.path().join("in/swap"));
    fs::create_dir(&real).unwrap();
    fs::write(real.join("secret"), "inside").unwrap();
    symlink("../out", &link).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let racing = std::thread::spawn({
        let (real, link, over) = (real.clone(), link.clone(), over.clone());
        move || {
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, &real, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        }
    });
    let (registry, world) = (Registry::builtin(), World::new(config).unwrap());
    let read = call(&format!(r#"{{"path": "{}"}}"#, real.join("secret").display()));
    let mut inside = 0;
    for _ in 0..2_000 {
        match registry.find("fs.read").unwrap().perform(&read, &world, Stop::never()).await {
            Ok(output) => {
                assert_eq!(output.find("content"), Some(&"inside".into()));
                inside += 1;
            }
            Err(failure) => assert!(
                matches!(failure.code, ErrorCode::PathDenied | ErrorCode::Execution),
                "{failure}"
            ),
        }
    }
    over.store(true, Ordering::Relaxed);
    racing.join().unwrap();
    assert!(inside > 0, "the race was never won from inside");
}

#[test]
fn a_root_that_is_not_there_is_named() {
    let files = FileRules { write: vec!["/no/such/root".into()], ..FileRules::default() };
    let config = WorldConfig { files, ..WorldConfig::default() };
    let fault = World::new(config).unwrap_err();
    assert!(matches!(&fault, WorldFault::Root { path, .. } if path.as_os_str() == "/no/such/root"));
}

async fn tried(config: &WorldConfig, action: &str, params: String) -> Result<(), ErrorCode> {
    let done = perform_in(config.clone(), action, &call(&params), Stop::never()).await;
    done.map(drop).map_err(|failure| failure.code)
}

#[tokio::test]
async fn what_is_only_read_is_not_written_and_what_is_denied_is_neither() {
    let (dir, config) = fenced();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::create_dir_all(at("in/sub/private")).unwrap();
    fs::write(at("in/sub/private/key"), "secret").unwrap();
    fs::write(at("in/alone"), "x").unwrap();
    symlink(at("in/sub/private/key"), at("in/alias")).unwrap();
    fs::hard_link(at("in/sub/private/key"), at("in/twin")).unwrap();
    let files = FileRules {
        read: vec![dir.path().join("out")],
        write: vec![dir.path().join("in")],
        deny: vec![dir.path().join("in/sub/private")],
        own: vec![dir.path().join("in/alone")],
    };
    let config = WorldConfig { files, ..config };
    let denied = Err(ErrorCode::PathDenied);
    let read = |name: &str| format!(r#"{{"path": "{}"}}"#, at(name));
    let write = |name: &str| format!(r#"{{"path": "{}", "content": "y"}}"#, at(name));
    assert_eq!(tried(&config, "fs.read", read("out/secret")).await, Ok(()));
    assert_eq!(tried(&config, "fs.write", write("out/secret")).await, denied);
    assert_eq!(tried(&config, "fs.write", write("out/new")).await, denied);
    for name in ["in/sub/private/key", "in/alias", "in/twin", "in/alone"] {
        for action in ["fs.read", "fs.stat"] {
            assert_eq!(tried(&config, action, read(name)).await, denied, "{action} {name}");
        }
        for action in ["fs.write", "fs.append"] {
            assert_eq!(tried(&config, action, write(name)).await, denied, "{action} {name}");
        }
    }
    assert_eq!(tried(&config, "fs.write", write("in/sub/private/new")).await, denied);
    assert_eq!(tried(&config, "fs.list", read("in/sub/private")).await, denied);
    let tree = |src: &str, dst: &str| format!(r#"{{"src": "{}", "dst": "{}"}}"#, at(src), at(dst));
    assert_eq!(tried(&config, "fs.copy", tree("in/sub", "in/copied")).await, denied);
    for (action, params) in [
        ("fs.move", tree("in/sub", "in/moved")),
        ("fs.move", tree("in/alone", "in/moved")),
        ("fs.move", tree("in/f", "in/sub/private/f")),
        ("fs.delete", format!(r#"{{"path": "{}", "recursive": true}}"#, at("in/sub"))),
        ("fs.delete", read("in/alone")),
        ("shell.exec", format!(r#"{{"command": "true", "cwd": "{}"}}"#, at("in/sub/private"))),
    ] {
        assert_eq!(tried(&config, action, params.clone()).await, denied, "{action} {params}");
    }
    assert_eq!(fs::read_to_string(at("in/sub/private/key")).unwrap(), "secret");
    assert_eq!(fs::read_to_string(at("in/alone")).unwrap(), "x");
    assert!(!dir.path().join("in/sub/private/new").exists());
}

#[tokio::test]
async fn without_roots_the_engines_own_and_what_is_no_file_stay_out_of_reach() {
    let dir = tempdir().unwrap();
    let own = dir.path().join("opcode.db");
    fs::write(&own, "rows").unwrap();
    let twin = dir.path().join("twin");
    fs::hard_link(&own, &twin).unwrap();
    let files = FileRules { own: vec![own.clone()], ..FileRules::default() };
    let config = WorldConfig { files, ..config() };
    let pid = std::process::id();
    for path in [
        own.display().to_string(),
        twin.display().to_string(),
        "/proc/self/environ".to_owned(),
        format!("/proc/{pid}/environ"),
        format!("/proc/self/task/{pid}/maps"),
        "/dev/zero".to_owned(),
    ] {
        let params = format!(r#"{{"path": "{path}"}}"#);
        let denied = Err(ErrorCode::PathDenied);
        assert_eq!(tried(&config, "fs.read", params).await, denied, "{path}");
        let params = format!(r#"{{"path": "{path}", "content": "x"}}"#);
        assert!(tried(&config, "fs.write", params).await.is_err(), "{path}");
    }
    assert_eq!(fs::read_to_string(&own).unwrap(), "rows", "not even cut");
    let other = dir.path().join("other");
    fs::hard_link(dir.path().join("twin"), &other).unwrap();
    fs::remove_file(&other).unwrap();
    let meminfo = r#"{"path": "/proc/meminfo"}"#.to_owned();
    assert_eq!(tried(&config, "fs.read", meminfo).await, Ok(()));
}
