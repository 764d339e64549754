//! What lies outside the roots stays outside, whoever moves the symlinks.
//!
//! Keeps: every file action is tried on every way out.
//! Not here: what they do inside (`files.rs`).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opcode_actions::{Registry, Stop, World, WorldConfig, WorldFault};
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
    let config = WorldConfig { roots: Some(vec![dir.path().join("in")]), ..config() };
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
    let config =
        WorldConfig { roots: Some(vec!["/no/such/root".into()]), ..WorldConfig::default() };
    let fault = World::new(config).unwrap_err();
    assert!(matches!(&fault, WorldFault::Root { path, .. } if path.as_os_str() == "/no/such/root"));
}
