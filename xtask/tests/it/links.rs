//! Links that lead nowhere.

use xtask::house::House;
use xtask::tidy::links::check;

use super::places;

#[test]
fn links_lead_to_files_folders_and_headings() {
    let page = "# Top of it\n[a](b.md) [c](b.md#a-heading) [d](../README.md) ![e](/docs/) [f](#top-of-it)\n\
                [g](https://example.com/x) [h](mailto:x@example.com) `[i](gone.md)`\n```\n[j](gone.md)\n```\n";
    let house = House::of([
        ("README.md", "# Read"),
        ("docs/a.md", page),
        ("docs/b.md", "## A *heading*\n"),
    ]);
    assert_eq!(places(&check(&house)), Vec::<String>::new());
}

#[test]
fn links_to_nothing_are_named() {
    let page = "[a](gone.md)\n\n[b](b.md#gone)\n[c](#gone)\n";
    let house = House::of([("a.md", page), ("b.md", "# Here\n```\n# gone\n```\n")]);
    assert_eq!(places(&check(&house)), ["a.md:1", "a.md:3", "a.md:4"]);
}
