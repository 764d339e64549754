//! Guests that may not stay: too many, under the wrong licence, or in the wrong ring.

use xtask::house::House;
use xtask::tidy::guests::{Answers, acceptable, check};

use super::config;

const REFUSED: &[&str] = &["GPL", "AGPL"];

fn house() -> House {
    let mut house = House::of([
        ("Cargo.toml", ""),
        ("crates/opcode-model/Cargo.toml", "[package]\nname = \"opcode-model\"\n"),
    ]);
    let link = ("crates/opcode-model/clippy.toml", "../pure.clippy.toml");
    house.links.insert(link.0.to_owned(), link.1.to_owned());
    house
}

fn said(house: &House, licences: &str, tree: &str) -> Vec<String> {
    let rings = [("opcode-model".to_owned(), tree.to_owned())].into();
    let answers = Answers { licences: licences.to_owned(), rings };
    let found = check(house, &config(), &answers).unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_pure_crate_may_not_bring_a_runtime_along() {
    let tree = "0opcode-model v0.1.0\n1serde v1.0.0\n1client v1.0.0\n2tokio v1.0.0\n1itoa v1.0.0\n";
    let found = said(&house(), "", tree);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("`tokio` along (opcode-model → client → tokio)"), "{found:?}");
}

#[test]
fn dice_are_excused_only_below_their_named_host() {
    let tree = "0opcode-model v0.1.0\n1ahash v0.8.0\n2getrandom v0.3.0\n";
    assert!(said(&house(), "", tree).is_empty());
    let tree = "0opcode-model v0.1.0\n1ahash v0.8.0\n1getrandom v0.3.0\n";
    assert_eq!(said(&house(), "", tree).len(), 1);
}

#[test]
fn a_pure_crate_links_the_lints_of_the_rings() {
    let mut house = house();
    house.links.clear();
    house.files.insert("crates/opcode-model/clippy.toml".to_owned(), String::new());
    assert!(said(&house, "", "")[0].contains("ring: link it"));
}

#[test]
fn the_lock_file_has_a_ceiling() {
    let mut house = house();
    let lock = |packages: usize| format!("version = 4\n{}", "\n[[package]]\n".repeat(packages));
    house.files.insert("Cargo.lock".to_owned(), lock(400));
    assert!(said(&house, "", "").is_empty());
    house.files.insert("Cargo.lock".to_owned(), lock(401));
    assert!(said(&house, "", "")[0].contains("401 packages of 400"));
}

#[test]
fn a_refused_licence_is_named_with_its_package() {
    let found = said(
        &house(),
        "good v1.0.0|MIT\nbad v2.0.0|GPL-3.0-only\nbad v2.0.0|GPL-3.0-only (*)\n",
        "",
    );
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("`bad v2.0.0` comes under `GPL-3.0-only`"), "{found:?}");
}

#[test]
fn a_choice_of_licences_is_enough_and_a_burden_is_not() {
    for good in ["MIT", "MIT/GPL-2.0", "(MIT OR GPL-3.0) AND ISC", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(acceptable(good, REFUSED), "{good}");
    }
    for bad in
        ["", "GPL", "AGPL-3.0-or-later", "MIT AND GPL-2.0", "GPL-2.0 WITH Classpath", "MIT OR"]
    {
        assert!(!acceptable(bad, REFUSED), "{bad}");
    }
}
