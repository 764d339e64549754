//! Functions and files that are too long.

use xtask::house::House;
use xtask::tidy::budget::check;

use super::{config, places};

fn function(lines: usize) -> String {
    format!("//! A file.\n\nfn long() {{\n{}}}\n", "    step();\n".repeat(lines))
}

#[test]
fn a_function_may_have_seventy_lines_and_no_more() {
    let house = House::of([("a.rs", function(70).as_str()), ("b.rs", function(71).as_str())]);
    let found = check(&house, &config());
    assert_eq!(places(&found), ["b.rs:3"]);
    assert!(found[0].what.starts_with("`long` has 71 lines of 70"));
}

#[test]
fn blank_lines_and_comments_do_not_count() {
    let text = function(70).replacen("    step();\n", "    // why\n\n    step();\n", 20);
    assert!(check(&House::of([("a.rs", text.as_str())]), &config()).is_empty());
}

#[test]
fn an_expected_length_passes() {
    let expected =
        "#[expect(clippy::too_many_lines, reason = \"one flat match; {all of it}\")]\nfn";
    let text = function(90).replace("fn", expected);
    assert!(check(&House::of([("a.rs", text.as_str())]), &config()).is_empty());
}

#[test]
fn a_file_may_have_eight_hundred_lines_unless_it_is_excused() {
    let text = "// line\n".repeat(801);
    let house = House::of([("a.rs", text.as_str())]);
    assert_eq!(places(&check(&house, &config())), ["a.rs:801"]);
    let excuse =
        |file: &str| format!("[budget]\nfile_lines = 800\n[budget.files]\n\"{file}\" = \"why\"");
    assert!(check(&house, &excuse("a.rs").parse().unwrap()).is_empty());
    assert_eq!(check(&house, &excuse("gone.rs").parse().unwrap()).len(), 2);
}
