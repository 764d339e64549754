//! All of these tests once more, as an ordinary user, when it is root who runs them.
//!
//! Keeps: that user's run is as whole as ours: what fails there fails here.
//! Not here: the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::kit::{HELPER_ENV, helper};

/// Nobody in particular.
const NOBODY: u32 = 65_534;

#[test]
fn an_ordinary_user_gets_the_same() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let open = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(dir.path(), open(0o755)).unwrap();
    let copy = |from: &std::path::Path, name: &str| {
        let to = dir.path().join(name);
        fs::copy(from, &to).unwrap();
        fs::set_permissions(&to, open(0o755)).unwrap();
        to
    };
    let tests = copy(&std::env::current_exe().unwrap(), "tests");
    let helper = copy(&helper(), "helper");
    let run = Command::new(tests)
        .env(HELPER_ENV, helper)
        .env_remove("HOME")
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}");
    assert!(said.contains("0 failed; 0 ignored"), "{said}");
}
