//! Marks of what was left for later.

use xtask::house::House;
use xtask::tidy::marks::check;

use super::places;

#[test]
fn each_mark_is_seen() {
    let text = "#![allow(dead_code)]\n#[ignore = \"later\"]\nfn a() {\n    todo!();\n    unimplemented!()\n}\n#[allow(unused)]\n";
    let found = places(&check(&House::of([("a.rs", text)])));
    assert_eq!(found, ["a.rs:2", "a.rs:7", "a.rs:1", "a.rs:4", "a.rs:5"]);
}

#[test]
fn strings_and_comments_may_speak_of_them() {
    let text = "// todo!() is not for us\nconst A: &str = \"#[ignore]\";\nconst B: &str = r#\"todo!(\"x\")\"#;\n";
    assert!(check(&House::of([("a.rs", text)])).is_empty());
}

#[test]
fn one_file_may_say_unsafe() {
    let text = "#![expect(unsafe_code, reason = \"x\")]\n";
    let fence = "crates/opcode-sandbox/src/linux/sys.rs";
    let house = House::of([(fence, text), ("crates/a/src/b.rs", text)]);
    assert_eq!(places(&check(&house)), ["crates/a/src/b.rs:1"]);
}

#[test]
fn only_tests_may_not_sleep() {
    let sleep = "fn f() { std::thread::sleep(d); }\n";
    let inline = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n    {sleep}}}\n");
    let house = House::of([
        ("crates/a/src/pump.rs", sleep),
        ("crates/a/src/pump/tests.rs", sleep),
        ("crates/a/tests/it/pump.rs", sleep),
        ("crates/a/src/inline.rs", inline.as_str()),
    ]);
    let found =
        ["crates/a/src/inline.rs:4", "crates/a/src/pump/tests.rs:1", "crates/a/tests/it/pump.rs:1"];
    assert_eq!(places(&check(&house)), found);
}
