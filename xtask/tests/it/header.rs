//! Files that do not say what they are for.

use xtask::house::House;
use xtask::tidy::header::check;

use super::places;

#[test]
fn a_file_begins_with_its_purpose() {
    let house = House::of([
        ("crates/a/src/good.rs", "//! Turns this into that.\n"),
        ("crates/a/src/late.rs", "\n//! Turns this into that.\n"),
        ("crates/a/src/none.rs", "fn f() {}\n"),
        ("crates/a/src/vague.rs", "//! Placeholder.\n"),
    ]);
    let none = ["crates/a/src/late.rs:1", "crates/a/src/none.rs:1", "crates/a/src/vague.rs:1"];
    assert_eq!(places(&check(&house)), none);
}

#[test]
fn a_file_of_some_size_names_its_invariant() {
    let body = "fn f() {}\n".repeat(60);
    let bare = format!("//! Turns this into that.\n\n{body}");
    let kept = format!("//! Turns this into that.\n//!\n//! Keeps: its word.\n\n{body}");
    let house = House::of([
        ("crates/a/src/bare.rs", bare.as_str()),
        ("crates/a/src/kept.rs", kept.as_str()),
        ("crates/a/tests/it/bare.rs", bare.as_str()),
    ]);
    assert_eq!(places(&check(&house)), ["crates/a/src/bare.rs:1"]);
}
