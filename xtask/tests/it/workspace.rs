//! The checkout itself keeps every rule, so that `cargo test` is enough to know.

use xtask::house::{House, root};
use xtask::tidy;

#[test]
fn the_house_is_tidy() {
    let house = House::read(&root()).unwrap();
    let found = tidy::whole(&house).unwrap();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{} to mend:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn a_page_out_of_step_is_seen() {
    let mut house = House::read(&root()).unwrap();
    let page = "docs/reference/limits.md".to_owned();
    house.files.insert(page.clone(), "stale\n".to_owned());
    let found = tidy::text(&house).unwrap();
    assert!(found.iter().any(|violation| violation.rule == "drift" && violation.path == page));
}
