//! Words that belong to one machine.

use xtask::house::House;
use xtask::tidy::words::check;

use super::{config, places};

#[test]
fn a_machines_paths_are_seen_in_any_file() {
    let path = |open: &str| format!("x\n{open}/{}/project/file\n", "root");
    let house = House::of([
        ("a.md", path("").as_str()),
        ("b.json", path("\"").as_str()),
        ("c.sh", path("cd ").as_str()),
    ]);
    assert_eq!(places(&check(&house, &config())), ["a.md:2", "b.json:2", "c.sh:2"]);
}

#[test]
fn a_path_below_something_else_is_no_machines_path() {
    let text = format!("src/{0}/x ~/{0}/x /{0}/* ${{dir}}/{0}/x", "root");
    assert!(check(&House::of([("a.md", text.as_str())]), &config()).is_empty());
}

#[test]
fn listed_words_are_seen_whatever_their_case_except_in_the_list() {
    let text = format!("fetched from Static.{}\n", "Crates.io");
    let house = House::of([("a.md", text.as_str()), ("xtask/tidy.toml", text.as_str())]);
    assert_eq!(places(&check(&house, &config())), ["a.md:1"]);
}
