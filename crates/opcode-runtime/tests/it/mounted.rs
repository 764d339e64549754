//! Every file of this folder is part of the tests.
//!
//! Keeps: a module that nobody mounts is found at once.
//! Not here: any test of the shell.

use std::path::Path;

#[test]
fn every_file_here_is_mounted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".rs").unwrap();
        assert!(stem == "main" || main.contains(&format!("mod {stem};")), "{name} is not mounted");
    }
}
