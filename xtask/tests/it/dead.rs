//! Files that no target reaches.

use xtask::house::House;
use xtask::tidy::dead::check;

use super::places;

const MANIFEST: (&str, &str) = ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");

fn dead(files: &[(&'static str, &'static str)]) -> Vec<String> {
    places(&check(&House::of([MANIFEST].into_iter().chain(files.iter().copied()))).unwrap())
}

#[test]
fn modules_are_followed_from_the_root() {
    let files = [
        (
            "crates/a/src/lib.rs",
            "mod one;\nmod inline { mod deep; }\n#[path = \"odd/name.rs\"]\nmod odd;",
        ),
        ("crates/a/src/one.rs", "pub(crate) mod two;"),
        ("crates/a/src/one/two.rs", ""),
        ("crates/a/src/inline/deep/mod.rs", "mod below;"),
        ("crates/a/src/inline/deep/below.rs", ""),
        ("crates/a/src/odd/name.rs", "include!(\"part.rs\");"),
        ("crates/a/src/odd/part.rs", ""),
        ("crates/a/src/bin/tool.rs", ""),
        ("crates/a/build.rs", ""),
    ];
    assert_eq!(dead(&files), Vec::<String>::new());
}

#[test]
fn what_no_module_names_is_dead() {
    let files = [
        ("crates/a/src/lib.rs", "// mod gone;\nconst S: &str = \"mod quoted;\";\nmod one {}"),
        ("crates/a/src/gone.rs", ""),
        ("crates/a/src/quoted.rs", ""),
        ("crates/a/src/one.rs", ""),
    ];
    let dead = dead(&files);
    assert_eq!(
        dead,
        ["crates/a/src/gone.rs:1", "crates/a/src/one.rs:1", "crates/a/src/quoted.rs:1"]
    );
}

#[test]
fn a_test_that_is_not_mounted_is_dead() {
    let files = [
        ("crates/a/tests/it/main.rs", "mod runs;"),
        ("crates/a/tests/it/runs.rs", ""),
        ("crates/a/tests/it/never.rs", ""),
    ];
    assert_eq!(dead(&files), ["crates/a/tests/it/never.rs:1"]);
}

#[test]
fn a_target_with_a_path_of_its_own_is_a_beginning() {
    let manifest = "[package]\nname = \"a\"\n[[bin]]\nname = \"b\"\npath = \"odd/place.rs\"\n";
    let house = House::of([("crates/a/Cargo.toml", manifest), ("crates/a/odd/place.rs", "")]);
    assert!(check(&house).unwrap().is_empty());
}
